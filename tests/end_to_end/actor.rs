//! Actors: one process each, in disguise. An actor reads its role from the environment, starts the
//! actors below it, says that it is ready, and plays.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::look;
use crate::wire::{Ends, Wire};

/// The role, as JSON.
const ROLE: &str = "SCENE_ROLE";
/// The scene's folder: `bin/` with the disguises, `ready/` with who is where.
pub(crate) const DIR: &str = "SCENE_DIR";

/// What an actor does once it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Play {
    /// Answers each line on its wire, as a stdio server; ends when its input ends.
    Serve,
    /// The same, but stays when its input ends: the leak.
    ServeOn,
    /// Waits for the actors below and ends after them, as `npm exec` and `sh -c` do.
    Launch,
    /// Starts the actors below and ends at once, as what double-forks does.
    Leave,
    /// Does nothing, for ever.
    Idle,
    /// Starts what is below it again whenever it has ended, as `nodemon` does.
    Respawn,
    /// Waits until its tree belongs to pid 1, then runs mcp-reap itself; a second file beside the
    /// one that says it is ready, `TAG.reaped`, says that the run is over.
    Reap,
    /// Starts servers, talks to them, does what the scene tells it on stdin: see [`crate::puppet`].
    Client,
}

/// One role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Actor {
    /// The name under which the scene finds it.
    pub(crate) tag: String,
    /// The file it is executed from; its comm too, if none is given.
    pub(crate) bin: String,
    /// Its arguments, from argv[0] on, as bytes.
    pub(crate) argv: Vec<Vec<u8>>,
    /// The comm it gives itself.
    pub(crate) comm: Option<String>,
    /// Environment beyond PATH and HOME.
    pub(crate) env: Vec<(String, String)>,
    /// How its parent connects it.
    pub(crate) wire: Wire,
    /// What it does.
    pub(crate) play: Play,
    /// Hears SIGTERM and goes on.
    pub(crate) ignores_term: bool,
    /// Its own session, as Zed and the Python SDK start servers.
    pub(crate) own_session: bool,
    /// Adopts the orphans below it, as `systemd --user` does.
    pub(crate) subreaper: bool,
    /// Listens on a port of loopback.
    pub(crate) listens: bool,
    /// Moves its wire to fds 6 and 7 and puts /dev/null on 0 and 1, as the Python SDK does.
    pub(crate) moves_wire: bool,
    /// The user it runs as, if not its parent's.
    pub(crate) uid: Option<u32>,
    /// Bytes of memory it uses.
    pub(crate) uses: usize,
    /// Hears SIGTERM, starts this one, and goes on.
    pub(crate) born_late: Option<Box<Actor>>,
    /// The actors below it.
    pub(crate) below: Vec<Actor>,
}

impl Actor {
    /// A role with nothing but a disguise.
    pub(crate) fn new(tag: &str, bin: &str, argv: &[&str], play: Play) -> Actor {
        Actor {
            tag: tag.to_owned(),
            bin: bin.to_owned(),
            argv: argv.iter().map(|a| a.as_bytes().to_vec()).collect(),
            comm: None,
            env: Vec::new(),
            wire: Wire::Inherit,
            play,
            ignores_term: false,
            own_session: false,
            subreaper: false,
            listens: false,
            moves_wire: false,
            uid: None,
            uses: 0,
            born_late: None,
            below: Vec::new(),
        }
    }

    /// The same on this wire.
    pub(crate) fn on(mut self, wire: Wire) -> Actor {
        self.wire = wire;
        self
    }

    /// The same with these below.
    pub(crate) fn above(mut self, below: impl IntoIterator<Item = Actor>) -> Actor {
        self.below.extend(below);
        self
    }

    /// The same with a variable in its environment.
    pub(crate) fn with_env(mut self, name: &str, value: &str) -> Actor {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, changed from within.
    pub(crate) fn but(mut self, change: impl Fn(&mut Actor)) -> Actor {
        change(&mut self);
        self
    }

    /// The same, with every actor of the tree changed.
    pub(crate) fn all(mut self, change: &impl Fn(&mut Actor)) -> Actor {
        change(&mut self);
        self.below = self.below.into_iter().map(|a| a.all(change)).collect();
        self
    }

    /// The tags of those in the tree who stay long enough to be met, parents first.
    pub(crate) fn tags(&self) -> Vec<String> {
        let own = (self.play != Play::Leave).then(|| self.tag.clone());
        own.into_iter().chain(self.below.iter().flat_map(Actor::tags)).collect()
    }

    /// Starts it as a child of this process. What it says besides its wire goes to a file.
    pub(crate) fn start(&self, dir: &Path) -> (Child, Ends) {
        let mut command = self.command(dir);
        let ends = self.wire.lay(&mut command).unwrap();
        (self.spawn(command), ends)
    }

    /// The same with these on its fds 0 and 1; `/dev/null` where there is none.
    pub(crate) fn start_on(&self, dir: &Path, stdin: Option<File>, stdout: Option<File>) -> Child {
        let stdio = |file: Option<File>| file.map_or_else(Stdio::null, Stdio::from);
        let mut command = self.command(dir);
        command.stdin(stdio(stdin)).stdout(stdio(stdout));
        self.spawn(command)
    }

    fn command(&self, dir: &Path) -> Command {
        let argv: Vec<&OsStr> = self.argv.iter().map(|a| OsStr::from_bytes(a)).collect();
        let mut command = Command::new(disguise(dir, &self.bin));
        command.arg0(argv[0]).args(&argv[1..]);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", dir.join("home"));
        command.env(crate::PART, "actor").env(DIR, dir).env(ROLE, serde_json::to_string(self).unwrap());
        command.envs(self.env.iter().map(|(k, v)| (k, v)));
        command.stderr(File::options().append(true).create(true).open(dir.join("actors.log")).unwrap());
        command
    }

    fn spawn(&self, mut command: Command) -> Child {
        command.spawn().unwrap_or_else(|e| panic!("failed to start {}: {e}", self.tag))
    }
}

/// The executable under another name: a hard link, so that comm and `/proc/PID/exe` show it too.
pub(crate) fn disguise(dir: &Path, name: &str) -> PathBuf {
    let path = dir.join("bin").join(name);
    if !path.exists() {
        let me = fs::read_link("/proc/self/exe").unwrap();
        // Another actor may have made it meanwhile; that is the same file.
        let _ = fs::hard_link(&me, &path).or_else(|_| fs::copy(&me, &path).map(|_| ()));
    }
    path
}

/// The actor's door.
pub(crate) fn main() -> ExitCode {
    let dir = PathBuf::from(std::env::var_os(DIR).unwrap());
    let role: Actor = serde_json::from_str(&std::env::var(ROLE).unwrap()).unwrap();
    if let Some(comm) = &role.comm {
        fs::write("/proc/self/comm", comm).unwrap();
    }
    if role.own_session {
        nix::unistd::setsid().unwrap();
    }
    if role.subreaper {
        nix::sys::prctl::set_child_subreaper(true).unwrap();
    }
    let terminated = Arc::new(AtomicBool::new(false));
    if role.ignores_term || role.born_late.is_some() {
        // A handler and not SIG_IGN, as in real servers: children do not inherit it.
        signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&terminated)).unwrap();
    }
    if let Some(late) = role.born_late.clone() {
        let dir = dir.clone();
        std::thread::spawn(move || {
            look::until_ever(|| terminated.load(Ordering::Relaxed));
            late.start(&dir)
        });
    }
    // Written to, so that it is resident.
    let memory = vec![1u8; role.uses];
    let listener = role.listens.then(|| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    let (input, output) = wire_of(&role);
    let mut started: Vec<(String, Child, Ends)> = Vec::new();
    for actor in &role.below {
        let (child, ends) = actor.start(&dir);
        started.push((actor.tag.clone(), child, ends));
    }
    if role.play != Play::Leave {
        announce(&dir, &role.tag);
    }
    if let Some(uid) = role.uid {
        // Only now: another user may reach neither the disguises nor the folder. A change of user
        // makes a process undumpable, which a process that another user started is not.
        nix::unistd::setuid(uid.into()).unwrap();
        nix::sys::prctl::set_dumpable(true).unwrap();
    }
    match role.play {
        Play::Serve => serve(input, output),
        Play::ServeOn => {
            serve(input, output);
            sleep_on();
        }
        Play::Launch => started.iter_mut().for_each(|(_, child, _)| drop(child.wait())),
        Play::Leave => {}
        Play::Idle => sleep_on(),
        Play::Respawn => loop {
            for (actor, (_, child, ends)) in role.below.iter().zip(&mut started) {
                child.wait().unwrap();
                (*child, *ends) = actor.start(&dir);
            }
        },
        Play::Reap => {
            look::until("the tree is an orphan", is_adopted);
            reap(&dir);
            announce(&dir, &format!("{}.reaped", role.tag));
            sleep_on();
        }
        Play::Client => crate::puppet::play(&dir, started),
    }
    drop((listener, memory));
    ExitCode::SUCCESS
}

/// Does this process's tree belong to pid 1, and not to the stage's shell? Not known while an
/// ancestor is just ending.
fn is_adopted() -> bool {
    let mut at = look::stat(std::process::id());
    while at.as_ref().is_some_and(|s| s.parent > 1) {
        at = at.and_then(|s| look::stat(s.parent));
    }
    at.is_some_and(|s| s.comm != "bash")
}

/// A real run from within an instance.
fn reap(dir: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-reap"));
    command.args(["--yes", "--min-age", "0s", "--grace", "1s"]);
    command.stdin(Stdio::null()).stdout(File::options().append(true).open(dir.join("actors.log")).unwrap());
    assert!(command.status().unwrap().success());
}

/// Tells the scene who plays a role: written beside and renamed, so that it is whole when seen.
fn announce(dir: &Path, tag: &str) {
    let draft = dir.join("ready").join(format!(".{tag}"));
    fs::write(&draft, std::process::id().to_string()).unwrap();
    fs::rename(&draft, dir.join("ready").join(tag)).unwrap();
}

/// Where the wire lies: on fds 0 and 1, or moved away.
fn wire_of(role: &Actor) -> (File, File) {
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    if !role.moves_wire {
        return (File::from(rustix::io::dup(&stdin).unwrap()), File::from(rustix::io::dup(&stdout).unwrap()));
    }
    let moved = |fd: &dyn std::os::fd::AsFd| rustix::io::fcntl_dupfd_cloexec(fd, 6).unwrap();
    let wire = (File::from(moved(&stdin)), File::from(moved(&stdout)));
    let null = File::options().read(true).write(true).open("/dev/null").unwrap();
    rustix::stdio::dup2_stdin(&null).unwrap();
    rustix::stdio::dup2_stdout(&null).unwrap();
    wire
}

/// Answers every request with an empty result, until there is no input any more.
fn serve(input: File, mut output: File) {
    for line in BufReader::new(input).lines().map_while(Result::ok) {
        let request: serde_json::Value = serde_json::from_str(&line).unwrap();
        let answer = serde_json::json!({"jsonrpc": "2.0", "id": request["id"], "result": {}});
        if writeln!(output, "{answer}").is_err() {
            return;
        }
    }
}

/// Stays until somebody ends it.
fn sleep_on() -> ! {
    loop {
        std::thread::park();
    }
}
