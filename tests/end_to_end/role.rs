//! What an actor is told: its disguise, its wire, what it does, and who is below it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::wire::{Ends, Wire};

/// The role, as JSON.
pub(crate) const ROLE: &str = "SCENE_ROLE";
/// The scene's folder: `bin/` with the disguises, `ready/` with who is where.
pub(crate) const DIR: &str = "SCENE_DIR";

/// What an actor does once it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Play {
    /// Answers each line on its wire, as a stdio server; ends when its input ends.
    Serve,
    /// The same, but stays when its input ends: the leak.
    ServeOn,
    /// Answers like a server; at the end of its input it writes to the file `TAG.saved` in so many portions, this many
    /// milliseconds apart, and ends.
    Save { portions: u32, every: u64 },
    /// Answers like a server; at the end of its input it uses the processor for ever.
    Spin,
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

/// A socket beside the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Serves {
    /// `TAG.sock` in the scene's folder.
    UnixPath,
    /// An abstract name.
    UnixAbstract,
    /// This UDP port, which is not given out by itself. Scenes share their ports.
    Udp(u16),
    /// `TAG.sock` in the scene's folder, for datagrams.
    UnixDatagrams,
    /// `TAG.fifo` in the scene's folder: a pipe with a name.
    NamedPipe,
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
    /// Its own process group, as a shell gives each job.
    pub(crate) own_group: bool,
    /// Adopts the orphans below it, as `systemd --user` does.
    pub(crate) subreaper: bool,
    /// Listens on a port of loopback.
    pub(crate) listens: bool,
    /// Serves on another socket.
    pub(crate) serves: Option<Serves>,
    /// Is connected to this port of loopback.
    pub(crate) calls: Option<u16>,
    /// Moves its wire to fds 6 and 7 and puts /dev/null on 0 and 1, as the Python SDK does.
    pub(crate) moves_wire: bool,
    /// The user it runs as, if not its parent's.
    pub(crate) uid: Option<u32>,
    /// Makes a PID namespace for what it starts, as a sandbox does.
    pub(crate) sandboxes: bool,
    /// Starts what is below it in the PID namespace of the one with this tag, as nsenter does.
    pub(crate) enters: Option<String>,
    /// Lets go of the wires of those with these tags at once, as a gateway does that forgets an ended request.
    pub(crate) lets_go_of: Vec<String>,
    /// Bytes of memory it uses.
    pub(crate) uses: usize,
    /// Hears SIGTERM and ends this many milliseconds later.
    pub(crate) takes: Option<u64>,
    /// Hears SIGTERM, starts this one, and goes on.
    pub(crate) born_late: Option<Box<Actor>>,
    /// How many milliseconds later it starts that one.
    pub(crate) born_after: u64,
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
            own_group: false,
            subreaper: false,
            listens: false,
            serves: None,
            calls: None,
            moves_wire: false,
            uid: None,
            sandboxes: false,
            enters: None,
            lets_go_of: Vec::new(),
            uses: 0,
            takes: None,
            born_late: None,
            born_after: 0,
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
        if self.own_group {
            command.process_group(0);
        }
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
