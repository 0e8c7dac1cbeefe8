//! Machines of which the tests tell: who started what, and what became of it.

use std::sync::OnceLock;

use mcp_reap::catalog::Catalog;
use mcp_reap::classify::{self, Scout};
use mcp_reap::look::Look;
use mcp_reap::plan::Plan;
use mcp_reap::policy::Policy;
use mcp_reap::process::{Pid, Snapshot};
use mcp_reap::services::launchd;
use mcp_reap::sys::macos::snapshot_by;

use crate::machine::Machine;
use crate::world::{File, Unix, World};

pub const CLAUDE: &str = "/Users/kim/.local/bin/claude";
pub const NODE: &str = "/opt/homebrew/bin/node";
pub const MEMORY: &str = "/Users/kim/.npm/_npx/1/node_modules/.bin/mcp-server-memory";
pub const MEMORY_LINE: [&str; 2] = [NODE, MEMORY];

/// How a client talks to its servers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Style {
    /// Python, Rust and Go.
    Pipes,
    /// Node and Bun.
    Sockets,
}

impl World {
    /// A pipe: its reading and its writing end.
    pub fn pipe(&mut self) -> (u64, u64) {
        let read = self.file(File::Pipe { peer: None, writes: false });
        let write = self.file(File::Pipe { peer: Some(read), writes: true });
        self.files.insert(read, File::Pipe { peer: Some(write), writes: false });
        (read, write)
    }

    pub fn socketpair(&mut self) -> (u64, u64) {
        let one = self.file(File::Unix(Unix::default()));
        let two = self.file(File::Unix(Unix { peer: Some(one), ..Unix::default() }));
        self.files.insert(one, File::Unix(Unix { peer: Some(two), ..Unix::default() }));
        (one, two)
    }

    /// Stdin, stdout and stderr, when they are nothing in particular.
    pub fn stand_on_null(&mut self, pid: u32) {
        for fd in 0..3 {
            let null = self.file(File::Null);
            self.put(pid, fd, null, false);
        }
    }

    fn free(&self, pid: u32) -> i32 {
        (3..1024).find(|fd| !self.processes[&pid].fds.contains_key(fd)).unwrap()
    }

    /// On the first free descriptor, and not handed down.
    pub fn keep(&mut self, pid: u32, file: u64) {
        let fd = self.free(pid);
        self.put(pid, fd, file, true);
    }

    /// A client starts a server on a wire.
    pub fn serve(&mut self, client: u32, style: Style, argv: &[&str]) -> u32 {
        let server = self.spawn(client, argv);
        let ends = match style {
            Style::Pipes => {
                let ((stdin, to), (from, stdout)) = (self.pipe(), self.pipe());
                [(stdin, to), (stdout, from)]
            }
            Style::Sockets => [self.socketpair(), self.socketpair()],
        };
        for (fd, (own, other)) in ends.into_iter().enumerate() {
            self.put(server, i32::try_from(fd).unwrap(), own, false);
            self.keep(client, other);
        }
        let log = self.file(File::Null);
        self.put(server, 2, log, false);
        server
    }

    /// A child with its parent's standard descriptors.
    pub fn under(&mut self, parent: u32, argv: &[&str]) -> u32 {
        let child = self.spawn(parent, argv);
        for fd in 0..3 {
            if let Some(slot) = self.processes[&parent].fds.get(&fd).copied() {
                self.put(child, fd, slot.file, false);
            }
        }
        child
    }

    /// A terminal window: login, as root, and a shell that leads a session on a terminal of its own. The shell.
    pub fn window(&mut self, app: u32, minor: u32) -> u32 {
        let login = self.spawn(app, &["/usr/bin/login", "-pf", "kim"]);
        self.processes.get_mut(&login).unwrap().uid = 0;
        let shell = self.spawn(login, &["/bin/zsh", "-l"]);
        let terminal = self.file(File::Terminal(minor));
        for fd in 0..3 {
            self.put(shell, fd, terminal, false);
        }
        let body = self.processes.get_mut(&shell).unwrap();
        (body.uid, body.sid, body.pgid, body.terminal, body.restricted) =
            (501, shell, shell, Some(minor), true);
        shell
    }

    /// A program that a person opened: launchd's child, with a label of its kind.
    pub fn app(&mut self, path: &str, label: &str) -> u32 {
        let app = self.spawn(1, &[path]);
        self.stand_on_null(app);
        self.jobs.get_mut("gui/501").unwrap().push((format!("application.{label}.1.2"), app));
        app
    }

    pub fn agent(&mut self, label: &str, argv: &[&str]) -> u32 {
        let agent = self.spawn(1, argv);
        self.stand_on_null(agent);
        self.jobs.get_mut("gui/501").unwrap().push((label.to_owned(), agent));
        agent
    }

    pub fn body(&mut self, pid: u32) -> &mut crate::world::Body {
        self.processes.get_mut(&pid).unwrap()
    }

    pub fn exists(&self, pid: u32) -> bool {
        self.processes.contains_key(&pid)
    }

    /// Three hours later: nothing is young any more.
    pub fn later_on(&mut self) {
        let then = self.now + 3 * 3_600_000_000;
        self.advance(then);
    }
}

/// A desktop with a terminal, in which we are; `World::viewer`'s shell is on terminal 0.
pub fn desktop() -> World {
    let mut world = World::new();
    let daemon = world.spawn(1, &["/usr/libexec/logd"]);
    world.body(daemon).uid = 0;
    let terminal = world
        .app("/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal", "com.apple.Terminal");
    let shell = world.window(terminal, 0);
    world.viewer = world.under(shell, &["/opt/homebrew/bin/mcp-reap"]);
    world
}

/// Claude Code in a window of its own, with its shell.
pub fn claude(world: &mut World, minor: u32) -> (u32, u32) {
    let terminal = world.app("/Applications/iTerm.app/Contents/MacOS/iTerm2", "com.googlecode.iterm2");
    let shell = world.window(terminal, minor);
    let claude = world.under(shell, &[CLAUDE]);
    (shell, claude)
}

/// A server as npx starts it: npm, a shell, node. All three.
pub fn npx(world: &mut World, client: u32, style: Style, package: &str) -> [u32; 3] {
    let npm = world.serve(client, style, &[&format!("npm exec {package}")]);
    let body = world.body(npm);
    (body.executed, body.path) = (NODE.to_owned(), "/opt/homebrew/Cellar/node/24.1.0/bin/node".to_owned());
    let name = package.rsplit('/').next().unwrap();
    let sh = world.under(npm, &["/bin/sh", "-c", &format!("{name} .")]);
    let node = world.under(sh, &[NODE, &format!("/Users/kim/.npm/_npx/1/node_modules/.bin/{name}"), "."]);
    [npm, sh, node]
}

pub fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(Catalog::builtin)
}

/// What one look says, services included; `None` when the machine did not list its processes.
pub fn look(machine: &Machine) -> Option<Snapshot> {
    let mut scout = Scout::new(catalog());
    let mut snapshot = snapshot_by(machine, &mut |table| scout.interest(table)).ok()?;
    let closely: Vec<Pid> = snapshot
        .processes
        .iter()
        .filter(|record| record.details.stdio.is_some())
        .map(mcp_reap::process::ProcessRecord::pid)
        .collect();
    launchd::fill(&mut snapshot, &closely, &mut |question| machine.launchctl(question));
    Some(snapshot)
}

pub fn plan(snapshot: &Snapshot) -> Plan {
    plan_with(snapshot, &Policy::default())
}

pub fn plan_with(snapshot: &Snapshot, policy: &Policy) -> Plan {
    let look = Look::new(snapshot, catalog());
    let judgement = classify::judge(&look, policy);
    Plan::of_unused(&judgement, &look, policy)
}

/// The numbers of those that would be ended.
pub fn targets(plan: &Plan) -> Vec<u32> {
    let mut pids: Vec<u32> =
        plan.targets.iter().flat_map(|target| &target.members).map(|member| member.id.pid.0).collect();
    pids.sort_unstable();
    pids
}

/// What would be ended on this machine now.
pub fn doomed(machine: &Machine) -> Vec<u32> {
    look(machine).map(|snapshot| targets(&plan(&snapshot))).unwrap_or_default()
}

/// A machine with a bit of everything, and those on it whose end is right: two servers of a killed Claude Code, by npx and
/// by uv, beside one in use, an agent, a gateway, a shared daemon and a server whose log nobody reads.
pub fn lively() -> (World, Vec<u32>) {
    let mut world = desktop();
    let (_, dead) = claude(&mut world, 1);
    world.body(dead).manners.on_hup = false;
    let mut right = npx(&mut world, dead, Style::Sockets, "@modelcontextprotocol/server-filesystem").to_vec();
    right.push(world.serve(dead, Style::Pipes, &["/Users/kim/.local/bin/mcp-server-git"]));
    let (_, alive) = claude(&mut world, 2);
    npx(&mut world, alive, Style::Sockets, "@modelcontextprotocol/server-memory");
    world.serve(alive, Style::Pipes, &["/Users/kim/.local/bin/mcp-server-fetch"]);
    let agent = world.agent("org.example.mcp", &MEMORY_LINE);
    let null = world.file(File::Tcp { local: 8931, remote: 0, listens: true });
    world.keep(agent, null);
    let shared = world.spawn(dead, &[NODE, "/Users/kim/.npm/_npx/1/node_modules/.bin/mcp-server-memory"]);
    world.stand_on_null(shared);
    let socket =
        world.file(File::Unix(Unix { listens: true, name: b"/tmp/shared.sock".to_vec(), ..Unix::default() }));
    world.keep(shared, socket);
    let sid = shared;
    world.body(shared).sid = sid;
    // Two whose wire dies with the client, and who are in use all the same: over TCP, and over a pair of pipes on other
    // descriptors.
    let serving = world.serve(dead, Style::Pipes, &["/Users/kim/.local/bin/mcp-server-http"]);
    for (remote, listens) in [(0, true), (50_123, false)] {
        let socket = world.file(File::Tcp { local: 8932, remote, listens });
        world.keep(serving, socket);
    }
    let piped = world.serve(dead, Style::Pipes, &["/Users/kim/.local/bin/mcp-server-piped"]);
    let ((stdin, to), (from, stdout)) = (world.pipe(), world.pipe());
    for (pid, file) in [(piped, stdin), (piped, stdout), (alive, to), (alive, from)] {
        world.keep(pid, file);
    }
    world.exit(dead);
    world.later_on();
    right.sort_unstable();
    (world, right)
}
