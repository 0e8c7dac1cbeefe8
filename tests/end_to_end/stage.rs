//! Where a scene plays: its folder, its actors, its client, and `mcp-reap` beside them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::audit::Audit;
use crate::init;
use crate::look::{self, Who};
use crate::puppet::Order;
use crate::role::{Actor, DIR, Play};
use crate::run::{Run, Running};
use crate::wire::Wire;

/// The stage of one scene.
pub(crate) struct Stage {
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// Those that were started from here, by tag.
    started: RefCell<HashMap<String, Started>>,
}

struct Started {
    child: Child,
    orders: Option<(ChildStdin, BufReader<ChildStdout>)>,
}

/// A client that does what it is told.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    tag: String,
    /// The client's process.
    pub(crate) who: Who,
}

/// The door: plays the scene and tells what happened when it fails.
pub(crate) fn main() -> ExitCode {
    assert_eq!(std::os::unix::process::parent_id(), 1);
    nix::unistd::setsid().unwrap(); // a login of its own; the runner's session cannot be seen from here
    let stage = Stage { dir: PathBuf::from(std::env::var_os(DIR).unwrap()), started: RefCell::default() };
    let Err(_) = catch_unwind(AssertUnwindSafe(|| (init::scene().play)(&stage))) else {
        return ExitCode::SUCCESS;
    };
    eprintln!("--- processes\n{}", look::table());
    eprintln!("--- audit log\n{}", fs::read_to_string(stage.audit_path()).unwrap_or_default());
    eprintln!("--- actors\n{}", fs::read_to_string(stage.dir.join("actors.log")).unwrap_or_default());
    ExitCode::FAILURE
}

impl Stage {
    /// The scene's own folder.
    pub(crate) fn dir(&self) -> &std::path::Path {
        &self.dir
    }

    /// The person's home.
    pub(crate) fn home(&self) -> PathBuf {
        self.dir.join("home")
    }

    /// The folder of mcp-reap's records.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.home().join(".local/state/mcp-reap")
    }

    /// The current audit log.
    pub(crate) fn audit_path(&self) -> PathBuf {
        self.state_dir().join("audit.jsonl")
    }

    /// What it says now.
    pub(crate) fn audit(&self) -> Audit {
        Audit::read(&self.audit_path())
    }

    /// Writes mcp-reap's configuration file.
    pub(crate) fn configure(&self, toml: &str) {
        let dir = self.home().join(".config/mcp-reap");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("config.toml"), toml).unwrap();
    }

    /// Starts a client with its servers, each on its own wire, and waits until all are ready.
    pub(crate) fn client(&self, tag: &str, servers: impl IntoIterator<Item = Actor>) -> Client {
        let actor = Actor::new(tag, "claude", &["claude"], Play::Client).on(Wire::Pipe).above(servers);
        self.start_client(actor)
    }

    /// The same for a client in any disguise.
    pub(crate) fn start_client(&self, actor: Actor) -> Client {
        assert_eq!(actor.play, Play::Client);
        self.start(&actor);
        Client { who: self.who(&actor.tag), tag: actor.tag }
    }

    /// Starts a tree below the shell and waits until everybody in it is ready.
    pub(crate) fn start(&self, actor: &Actor) {
        let (mut child, ends) = actor.clone().but(|a| a.own_group = true).start(&self.dir);
        // Pipes of our own to the one that takes orders; the wire of others stays open as it is.
        let orders = ends.to.zip(ends.from).map(|(to, from)| {
            let (to, from): (std::os::fd::OwnedFd, std::os::fd::OwnedFd) = (to.into(), from.into());
            (ChildStdin::from(to), BufReader::new(ChildStdout::from(from)))
        });
        self.wait_for(actor);
        if actor.play == Play::Leave {
            child.wait().unwrap();
        }
        self.started.borrow_mut().insert(actor.tag.clone(), Started { child, orders });
    }

    /// Waits until everybody in a tree is ready.
    pub(crate) fn wait_for(&self, actor: &Actor) {
        let ready = self.dir.join("ready");
        look::until("all actors are ready", || actor.tags().iter().all(|tag| ready.join(tag).exists()));
    }

    /// Who plays a role.
    pub(crate) fn who(&self, tag: &str) -> Who {
        let text = fs::read_to_string(self.dir.join("ready").join(tag))
            .unwrap_or_else(|_| panic!("nobody plays {tag}"));
        look::who(text.parse().unwrap())
    }

    /// Who plays the roles of a tree, parents first.
    pub(crate) fn cast(&self, actor: &Actor) -> Vec<Who> {
        actor.tags().iter().map(|tag| self.who(tag)).collect()
    }

    /// Starts a tree under a client that is then killed: what is left are orphans of pid 1 (or of
    /// the nearest subreaper), with nobody at the other end of their wires.
    pub(crate) fn orphan(&self, actor: &Actor) -> Vec<Who> {
        let client = self.client(&format!("doomed-{}", actor.tag), [actor.clone()]);
        let cast = self.cast(actor);
        self.kill_client(&client);
        look::until("the orphan has been adopted", || cast[0].parent() != client.who.pid);
        cast
    }

    /// SIGKILL for a client, and nobody else; waits until it is gone.
    pub(crate) fn kill_client(&self, client: &Client) {
        let mut started = self.started.borrow_mut().remove(&client.tag).unwrap();
        started.child.kill().unwrap();
        started.child.wait().unwrap();
    }

    /// Sends a signal to somebody here.
    pub(crate) fn signal(&self, who: Who, signal: Signal) {
        assert!(who.is_alive(), "{who:?} is gone");
        kill(Pid::from_raw(who.pid.try_into().unwrap()), signal).unwrap();
    }

    /// Ends somebody who is not our child, and waits until nothing is left.
    pub(crate) fn kill(&self, who: Who) {
        self.signal(who, Signal::SIGKILL);
        look::until("the killed is collected", || !who.is_alive());
    }

    /// Gives a client an order and waits for the answer.
    ///
    /// # Panics
    /// When it could not be done.
    pub(crate) fn tell(&self, client: &Client, order: &Order) {
        let answer = self.ask(client, order);
        assert!(answer.is_empty(), "{order:?}: {answer}");
    }

    fn ask(&self, client: &Client, order: &Order) -> String {
        let mut started = self.started.borrow_mut();
        let (to, from) = started.get_mut(&client.tag).unwrap().orders.as_mut().unwrap();
        writeln!(to, "{}", serde_json::to_string(order).unwrap()).unwrap();
        let mut answer = String::new();
        from.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    /// The server answers its client.
    pub(crate) fn ping(&self, client: &Client, tag: &str) {
        self.tell(client, &Order::Ping(tag.to_owned()));
    }

    /// `mcp-reap`, with this home and nothing else of the outer world.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-reap"));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.home());
        command.env("XDG_CONFIG_HOME", self.home().join(".config"));
        command.env("XDG_STATE_HOME", self.home().join(".local/state"));
        command.current_dir(self.home()).stdin(Stdio::null()).args(args);
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.begin(args).finish()
    }

    /// Starts it.
    pub(crate) fn begin(&self, args: &[&str]) -> Running {
        Running::start(self.command(args))
    }

    /// The usual real run: no minimal age, a short grace; it must succeed.
    pub(crate) fn reap(&self) -> Run {
        let run = self.run(&["--yes", "--min-age", "0s", "--grace", "1s"]).exits(0);
        self.audit().is_sound();
        run
    }

    /// The plan, as JSON, for processes of any age.
    pub(crate) fn plan(&self) -> crate::run::Report {
        self.run(&["--dry-run", "--json", "--min-age", "0s"]).exits(0).json()
    }
}

/// None of them is left.
pub(crate) fn all_dead(some: &[Who]) {
    for who in some {
        assert!(!who.is_alive(), "{who:?} still runs");
    }
}

/// Every one of them still runs.
pub(crate) fn all_alive(some: &[Who]) {
    for who in some {
        assert!(who.is_alive(), "{who:?} was ended");
    }
}
