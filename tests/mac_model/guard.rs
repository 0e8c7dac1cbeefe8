//! `exec` and its guardian against the model: every row of the guardian's table (`docs/exec.md`), the marker, and each
//! error of the kernel at each call. The program's own code but for the fork.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use mcp_reap::bytes::Argv;
use mcp_reap::commands::guard::{Host, Queue, Server, Settings, wire_on};
use mcp_reap::guard::args::{GuardArgs, ProcessHandle};
use mcp_reap::guard::events::{EventSet, EventSource};
use mcp_reap::guard::watch::watch;
use mcp_reap::marker::Marker;
use mcp_reap::policy::{Policy, Retention};
use mcp_reap::process::{Interest, Pid, Snapshot};
use mcp_reap::reap::Lineage;
use mcp_reap::services::launchd;
use mcp_reap::sys::SysError;
use mcp_reap::sys::macos::{
    Calls, MacKernel, command_by, environment_by, identity_by, lineage_by, snapshot_by,
};

use crate::machine::{EDEADLK, ESRCH, ETIMEDOUT, Fault, Kind, Machine};
use crate::scenes::{Style, claude, desktop, doomed};
use crate::world::{File, KILL, Life, Manners, TERM, Unix, World};

const SECOND: u64 = 1_000_000;
const LINGER: Duration = Duration::from_mins(1);
/// The guardian's duplicate of stdin.
const DUPLICATE: i32 = 7;

/// The model as a guardian's machine.
struct Mac {
    machine: Machine,
    directory: PathBuf,
}

impl Host for Mac {
    type Kernel = MacKernel<Machine>;

    fn snapshot(&self, interest: &mut dyn FnMut(&Snapshot) -> Interest) -> Result<Snapshot, SysError> {
        snapshot_by(&self.machine, interest)
    }

    fn services(&self, snapshot: &mut Snapshot, pids: &[Pid]) {
        launchd::fill(snapshot, pids, &mut |question| self.machine.launchctl(question));
    }

    fn environment(&self, pid: Pid) -> Option<Vec<u8>> {
        environment_by(&self.machine, pid)
    }

    fn command(&self, pid: Pid) -> Argv {
        command_by(&self.machine, pid)
    }

    fn session(&self, pid: Pid) -> Option<Pid> {
        self.machine.session(pid).ok()
    }

    fn lineage(&self, pid: Pid) -> Option<Lineage> {
        lineage_by(&self.machine, pid).ok()
    }

    fn adopter(&self) -> Pid {
        Pid::INIT
    }

    fn kernel(&self, all_users: bool, stop: Arc<AtomicUsize>) -> Result<MacKernel<Machine>, SysError> {
        MacKernel::by(self.machine.clone(), all_users, stop)
    }

    fn stop(&self) -> anyhow::Result<Arc<AtomicUsize>> {
        Ok(Arc::default())
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        let (policy, retention) = (Policy::default(), Retention::default());
        Ok(Settings { policy, retention, linger: LINGER, directory: self.directory.clone() })
    }

    fn directory(&self) -> anyhow::Result<PathBuf> {
        Ok(self.directory.clone())
    }

    fn now(&self) -> Duration {
        self.machine.now()
    }

    fn sleep(&self, time: Duration) {
        self.machine.sleep(time);
    }
}

/// What lies on 0 and 1 of a server, and whose the other ends are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wire {
    Held(Style),
    /// Nothing on 0 and 1 that hangs up.
    Null,
    /// A pipe on 0; a file on 1.
    IntoAFile,
}

/// A client, its server in front of which `exec` stands, and the guardian, as they are when the guardian is ready.
struct Scene {
    machine: Machine,
    client: u32,
    root: u32,
    args: GuardArgs,
    directory: tempfile::TempDir,
}

const DEAF: Manners =
    Manners { on_term: None, on_kill: Some(100), on_hup: false, forks_dying: false, uncollected: false };

fn scene(wire: Wire, argv: &[&str]) -> Scene {
    let mut world = desktop();
    let (_, client) = claude(&mut world, 1);
    let line: Vec<&str> = ["/opt/homebrew/bin/mcp-reap", "exec", "--"].iter().chain(argv).copied().collect();
    let style = if let Wire::Held(style) = wire { style } else { Style::Pipes };
    let root = world.serve(client, style, &line);
    let replaced: &[(i32, File)] = match wire {
        Wire::Held(_) => &[],
        Wire::Null => &[(0, File::Null), (1, File::Null)],
        Wire::IntoAFile => &[(1, File::Regular)],
    };
    for (fd, file) in replaced {
        let file = world.file(file.clone());
        world.put(root, *fd, file, false);
    }
    world.body(root).manners = DEAF;
    world.viewer = root;
    let machine = Machine::of(world);
    let id = identity_by(&machine, Pid(root)).unwrap();
    let marker = Marker::new(id, wire_on(&machine, 0), 0x9f3c);
    let unique = |pid| ProcessHandle::Unique(lineage_by(&machine, Pid(pid)).unwrap().own);
    let args = GuardArgs {
        root: id,
        root_handle: unique(root),
        client,
        client_handle: Some(unique(client)),
        stdin_fd: wire_on(&machine, 0).map(|_| DUPLICATE),
        ready_fd: 8,
        marker: marker.id,
        linger: None,
        engine: None,
    };
    {
        let mut world = machine.world.borrow_mut();
        let guardian = world.spawn(1, &["mcp-reap", "guard"]);
        world.stand_on_null(guardian);
        if args.stdin_fd.is_some() {
            let stdin = world.processes[&root].fds[&0].file;
            world.put(guardian, DUPLICATE, stdin, false);
        }
        world.viewer = guardian;
    }
    Scene { machine, client, root, args, directory: tempfile::tempdir().unwrap() }
}

/// What became of a guardian.
#[derive(Debug, PartialEq)]
enum End {
    /// It has left; the root has ended or not.
    Left { root_gone: bool },
    /// Nothing will ever happen, and it sleeps.
    SleepsOn,
    /// It looks again and again, for an hour now.
    LooksOn,
    /// It could not wait any more.
    GaveUp(String),
    /// It never began to watch.
    Refused(String),
}

impl Scene {
    /// From the guardian's start to its end. `plot` is what happens once the root is the server.
    fn play(&self, plot: impl FnOnce(&mut World, &Scene)) -> End {
        let begun = Queue::begin(self.machine.clone(), &self.args);
        let (mut queue, watched) = match begun {
            Ok(begun) => begun,
            Err(why) => return End::Refused(why),
        };
        let host = Mac { machine: self.machine.clone(), directory: self.directory.path().to_owned() };
        let mut server = Server::new(host, &self.args);
        {
            let mut world = self.machine.world.borrow_mut();
            let argv: Vec<String> = world.processes[&self.root].argv[3..].to_vec();
            world.exec(self.root, &argv.iter().map(String::as_str).collect::<Vec<_>>());
            let marker = self.marker();
            world.body(self.root).env.push(marker);
            argv[0].rsplit('/').next().unwrap().clone_into(&mut world.body(self.root).name);
            plot(&mut world, self);
        }
        self.machine.ends_after(3600 * SECOND);
        match watch(watched, &mut queue, &mut server) {
            Ok(root_gone) => End::Left { root_gone },
            Err(error) if error.raw_os_error() == Some(EDEADLK) => End::SleepsOn,
            Err(error) if error.raw_os_error() == Some(ETIMEDOUT) => End::LooksOn,
            Err(error) => End::GaveUp(error.to_string()),
        }
    }

    fn marker(&self) -> String {
        let marker = Marker { root: self.args.root, id: self.args.marker.clone() };
        format!("MCP_REAP_EXEC={marker}")
    }

    fn lives(&self, pid: u32) -> bool {
        self.machine.world.borrow().processes.get(&pid).is_some_and(|body| body.life == Life::Lives)
    }

    fn signals(&self) -> Vec<(u32, i32)> {
        let world = self.machine.world.borrow();
        world.signals.iter().map(|(pid, _, signal)| (*pid, *signal)).collect()
    }

    fn audit(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("audit.jsonl")).unwrap_or_default()
    }

    fn seconds(&self) -> u64 {
        self.machine.world.borrow().now / SECOND
    }
}

impl World {
    /// A child with its parent's environment, marker and all.
    fn heir(&mut self, parent: u32, argv: &[&str]) -> u32 {
        let child = self.under(parent, argv);
        let env = self.processes[&parent].env.clone();
        self.body(child).env = env;
        self.body(child).manners = DEAF;
        child
    }

    /// The same, in a session of its own and with nobody above it: a double fork.
    fn runaway(&mut self, parent: u32, argv: &[&str]) -> u32 {
        let between = self.heir(parent, argv);
        let child = self.heir(between, argv);
        let body = self.body(child);
        (body.sid, body.pgid, body.terminal) = (child, child, None);
        self.exit(between);
        child
    }

    /// The client's ends of its server's stdin and stdout.
    fn ends(&self, client: u32, root: u32) -> [Option<i32>; 2] {
        let peer = |fd: i32| match &self.files[&self.processes[&root].fds.get(&fd)?.file] {
            File::Pipe { peer, .. } => *peer,
            File::Unix(unix) => unix.peer,
            _ => None,
        };
        let held = |peer: u64| {
            let slots = &self.processes[&client].fds;
            slots.iter().find(|(_, slot)| slot.file == peer).map(|(fd, _)| *fd)
        };
        [0, 1].map(|fd| peer(fd).and_then(held))
    }

    fn close_end(&mut self, client: u32, root: u32, way: usize) {
        let end = self.ends(client, root)[way].unwrap();
        self.close(client, end);
    }
}

const TOOL: &[&str] = &["/Users/kim/bin/notes-tool"];
const BOTH: [Style; 2] = [Style::Pipes, Style::Sockets];

#[test]
fn client_gone_and_hang_up_ends_the_server_and_what_left_its_tree() {
    for style in BOTH {
        let scene = scene(Wire::Held(style), TOOL);
        let mut helper = 0;
        let before = scene.seconds();
        let end = scene.play(|world, scene| {
            helper = world.runaway(scene.root, &["/Users/kim/bin/helper"]);
            let client = scene.client;
            world.happens(5 * SECOND, move |world| world.exit(client));
        });
        assert_eq!(end, End::Left { root_gone: true }, "{style:?}");
        assert!(!scene.lives(scene.root) && !scene.lives(helper), "{style:?}");
        let both = |signal| [(scene.root, signal), (helper, signal)];
        assert_eq!(scene.signals(), [both(TERM), both(KILL)].concat(), "{style:?}");
        // 3.5 s to leave by itself, and the grace of 5 s.
        let took = scene.seconds() - before - 5;
        assert!((8..=10).contains(&took), "{took} s");
        let audit = scene.audit();
        assert!(audit.contains("\"started_by\":\"exec\"") && audit.contains("\"run-finished\""), "{audit}");
    }
}

#[test]
fn a_server_that_ends_with_its_input_takes_its_guardian_with_it() {
    for style in BOTH {
        let scene = scene(Wire::Held(style), TOOL);
        let before = scene.seconds();
        let end = scene.play(|world, scene| {
            let (client, root) = (scene.client, scene.root);
            world.happens(SECOND, move |world| {
                world.exit(client);
                world.happens(SECOND / 2, move |world| world.exit(root));
            });
        });
        assert_eq!((end, scene.signals()), (End::Left { root_gone: true }, vec![]));
        assert_eq!((scene.audit().as_str(), scene.seconds() - before), ("", 1));
    }
}

#[test]
fn the_client_lives_and_closed_both_ends() {
    for style in BOTH {
        let scene = scene(Wire::Held(style), TOOL);
        let end = scene.play(|world, scene| {
            world.close_end(scene.client, scene.root, 0);
            world.close_end(scene.client, scene.root, 1);
        });
        assert_eq!(end, End::Left { root_gone: true });
        assert_eq!(scene.signals(), [(scene.root, TERM), (scene.root, KILL)]);
        assert!(scene.lives(scene.client));
    }
}

#[test]
fn root_gone_and_hang_up_ends_what_is_left() {
    for style in BOTH {
        let scene = scene(Wire::Held(style), TOOL);
        let mut helper = 0;
        let end = scene.play(|world, scene| {
            helper = world.runaway(scene.root, &["/Users/kim/bin/helper"]);
            world.exit(scene.root);
            world.close_end_of(scene.client, helper);
        });
        assert_eq!(end, End::Left { root_gone: true });
        assert_eq!(scene.signals(), [(helper, TERM), (helper, KILL)]);
    }
}

impl World {
    /// Both ends that the client has of a process's wire.
    fn close_end_of(&mut self, client: u32, server: u32) {
        for way in 0..2 {
            self.close_end(client, server, way);
        }
    }
}

#[test]
fn the_client_reads_on_until_linger_is_over() {
    for style in BOTH {
        let scene = scene(Wire::Held(style), TOOL);
        let before = scene.seconds();
        let end = scene.play(|world, scene| world.close_end(scene.client, scene.root, 0));
        assert_eq!(end, End::Left { root_gone: true });
        assert_eq!(scene.signals(), [(scene.root, TERM), (scene.root, KILL)]);
        let took = scene.seconds() - before;
        assert!((68..=71).contains(&took), "60 s, 3.5 s and 5 s: {took}");
        assert!(scene.audit().contains("only its client still reads") && scene.lives(scene.client));
    }
}

#[test]
fn a_pipeline_a_file_or_a_stray_reader_is_waited_for() {
    for (wire, reader) in
        [(Wire::Held(Style::Pipes), true), (Wire::Held(Style::Sockets), true), (Wire::IntoAFile, false)]
    {
        let scene = scene(wire, &["/Users/kim/bin/batch"]);
        let end = scene.play(|world, scene| {
            if reader {
                let end = world.ends(scene.client, scene.root)[1].unwrap();
                let end = world.processes[&scene.client].fds[&end].file;
                let jq = world.spawn(scene.client, &["/usr/bin/jq"]);
                world.put(jq, 0, end, false);
            }
            world.close_end(scene.client, scene.root, 0);
            let root = scene.root;
            world.happens(900 * SECOND, move |world| world.exit(root));
        });
        assert_eq!((end, scene.signals()), (End::Left { root_gone: true }, vec![]), "{wire:?}");
    }
}

#[test]
fn the_servers_own_half_close_is_no_event_until_the_client_is_gone() {
    for writing in [false, true] {
        let scene = scene(Wire::Held(Style::Sockets), TOOL);
        let begun = scene.seconds();
        let end = scene.play(|world, scene| {
            let stdin = world.processes[&scene.root].fds[&0].file;
            world.shut(stdin, writing);
            let client = scene.client;
            world.happens(300 * SECOND, move |world| world.exit(client));
        });
        assert_eq!(end, End::Left { root_gone: true }, "{writing}");
        assert_eq!(scene.signals(), [(scene.root, TERM), (scene.root, KILL)]);
        assert!(scene.seconds() - begun > 305);
    }
}

#[test]
fn a_socket_that_was_shut_both_ways_is_judged_after_linger() {
    let scene = scene(Wire::Held(Style::Sockets), TOOL);
    let begun = scene.seconds();
    let end = scene.play(|world, scene| {
        for fd in [0, 1] {
            let socket = world.processes[&scene.root].fds[&fd].file;
            world.shut(socket, false);
            world.shut(socket, true);
        }
    });
    assert_eq!(end, End::Left { root_gone: true });
    assert_eq!(scene.signals(), [(scene.root, TERM), (scene.root, KILL)]);
    let took = scene.seconds() - begun;
    assert!((60..75).contains(&took), "{took}");
}

#[test]
fn client_gone_and_the_wire_held_waits_for_the_last_holder() {
    for (style, ends) in BOTH.into_iter().flat_map(|style| [(style, false), (style, true)]) {
        let scene = scene(Wire::Held(style), TOOL);
        let end = scene.play(|world, scene| {
            let stray = world.spawn(1, &["/usr/bin/stray"]);
            let end = world.ends(scene.client, scene.root)[0].unwrap();
            let end = world.processes[&scene.client].fds[&end].file;
            world.keep(stray, end);
            world.exit(scene.client);
            if ends {
                world.happens(400 * SECOND, move |world| world.exit(stray));
            }
        });
        let (expected, signals) = if ends {
            (End::Left { root_gone: true }, vec![(scene.root, TERM), (scene.root, KILL)])
        } else {
            (End::SleepsOn, vec![])
        };
        assert_eq!((end, scene.signals()), (expected, signals));
    }
}

#[test]
fn root_gone_and_the_wire_lives_on_in_the_tree() {
    for style in BOTH {
        let scene = scene(Wire::Held(style), TOOL);
        let mut worker = 0;
        let begun = scene.seconds();
        let end = scene.play(|world, scene| {
            worker = world.heir(scene.root, &["/Users/kim/bin/worker"]);
            world.exit(scene.root);
            let (client, worker) = (scene.client, worker);
            world.happens(60 * SECOND, move |world| world.close_end_of(client, worker));
        });
        assert_eq!(end, End::Left { root_gone: true });
        assert_eq!(scene.signals(), [(worker, TERM), (worker, KILL)]);
        let took = scene.seconds() - begun;
        assert!((66..=74).contains(&took), "{took}");
    }
}

#[test]
fn root_gone_and_nothing_left_leaves_at_once() {
    for wire in [Wire::Held(Style::Pipes), Wire::Held(Style::Sockets), Wire::Null] {
        let scene = scene(wire, TOOL);
        let begun = scene.seconds();
        let end = scene.play(|world, scene| {
            let root = scene.root;
            world.happens(SECOND, move |world| world.exit(root));
        });
        assert_eq!((end, scene.signals()), (End::Left { root_gone: true }, vec![]));
        assert!(scene.seconds() - begun <= 2);
        // The client hears that nobody reads any more: the guardian let go of its duplicate.
        let world = scene.machine.world.borrow();
        let slots = &world.processes[&scene.client].fds;
        let open = |file: &File| {
            matches!(file, File::Pipe { peer: Some(_), .. } | File::Unix(Unix { peer: Some(_), .. }))
        };
        assert!(slots.values().all(|slot| !open(&world.files[&slot.file])), "{wire:?}");
    }
}

#[test]
fn no_wire_and_client_gone_is_judged_once_and_left() {
    let scene = scene(Wire::Null, TOOL);
    let end = scene.play(|world, scene| {
        let client = scene.client;
        world.happens(SECOND, move |world| world.exit(client));
    });
    assert_eq!((end, scene.signals()), (End::Left { root_gone: false }, vec![]));
    assert!(scene.lives(scene.root));
}

#[test]
fn with_its_guardian_gone_the_next_ordinary_run_finds_the_server() {
    let scene = scene(Wire::Held(Style::Pipes), &["/Users/kim/bin/mcp-server-git"]);
    let end = scene.play(|world, scene| {
        let guardian = world.viewer;
        // Whatever ends it: its descriptors are closed, the queue among them.
        world.happens(SECOND, move |world| world.exit(guardian));
        let client = scene.client;
        world.happens(2 * SECOND, move |world| world.exit(client));
    });
    assert!(matches!(end, End::GaveUp(_)), "{end:?}");
    assert!(scene.lives(scene.root) && scene.signals().is_empty());
    {
        let mut world = scene.machine.world.borrow_mut();
        let shell = world.spawn(1, &["/bin/zsh"]);
        world.viewer = world.under(shell, &["/opt/homebrew/bin/mcp-reap"]);
        world.later_on();
    }
    assert_eq!(doomed(&scene.machine), [scene.root]);
}

#[test]
fn what_leads_a_life_of_its_own_stays() {
    let scene = scene(Wire::Held(Style::Pipes), TOOL);
    let mut stay = Vec::new();
    let mut gone = Vec::new();
    let end = scene.play(|world, scene| {
        // A daemon on a unix socket with its worker, a web server, and one in a terminal of its own.
        let daemon = world.runaway(scene.root, &["/Users/kim/bin/daemon"]);
        world.stand_on_null(daemon);
        let socket =
            world.file(File::Unix(Unix { listens: true, name: b"/tmp/d.sock".to_vec(), ..Unix::default() }));
        world.keep(daemon, socket);
        let worker = world.heir(daemon, &["/Users/kim/bin/worker"]);
        let web = world.runaway(scene.root, &["/Users/kim/bin/web"]);
        world.stand_on_null(web);
        let port = world.file(File::Tcp { local: 5173, remote: 0, listens: true });
        world.keep(web, port);
        let pane = world.runaway(scene.root, &["/bin/zsh"]);
        world.stand_on_null(pane);
        world.body(pane).terminal = Some(9);
        // Somebody else's orphan, and one that says another server's marker.
        let strange = world.spawn(1, &["/usr/bin/strange"]);
        world.stand_on_null(strange);
        let other = world.spawn(1, &["/usr/bin/other"]);
        world.stand_on_null(other);
        let marker = scene.marker().replace("00009f3c", "00009f3d");
        world.body(other).env.push(marker);
        stay.extend([daemon, worker, web, pane, strange, other]);
        gone.push(world.runaway(scene.root, &["/Users/kim/bin/helper"]));
        world.exit(scene.client);
    });
    assert_eq!(end, End::Left { root_gone: true });
    assert!(!scene.lives(scene.root) && gone.iter().all(|pid| !scene.lives(*pid)));
    assert!(stay.iter().all(|pid| scene.lives(*pid)), "{:?}", scene.signals());
}

/// macOS shows the environment of its own programs to nobody. Who forked such a program is told all the same.
#[test]
fn a_system_program_that_the_server_forked_is_known_by_its_birth() {
    for (of_the_server, ended) in [(true, true), (false, false)] {
        let scene = scene(Wire::Held(Style::Pipes), TOOL);
        let mut helper = 0;
        let end = scene.play(|world, scene| {
            let parent = if of_the_server { scene.root } else { world.spawn(1, &["/usr/bin/strange"]) };
            helper = world.heir(parent, &["/usr/sbin/tcpdump"]);
            let body = world.body(helper);
            (body.restricted, body.sid, body.pgid, body.terminal) = (true, helper, helper, None);
            if !of_the_server {
                world.exit(parent);
            }
            // It ends by itself, and only then its client.
            let (client, root) = (scene.client, scene.root);
            world.happens(SECOND, move |world| world.exit(root));
            world.happens(2 * SECOND, move |world| world.exit(client));
        });
        assert_eq!(end, End::Left { root_gone: true });
        assert_eq!(scene.lives(helper), !ended, "{of_the_server} {:?}", scene.signals());
    }
}

/// A server that is a script of the system's shell shows no environment; `exec` did, before it became that.
#[test]
fn a_server_that_hides_its_environment_is_no_shell_job_unless_exec_was_one() {
    for job in [false, true] {
        let scene = scene(Wire::Held(Style::Pipes), &["/bin/sh", "/Users/kim/bin/server.sh"]);
        if job {
            let mut world = scene.machine.world.borrow_mut();
            world.body(scene.root).env.push("CLAUDE_CODE_CHILD_SESSION=1".to_owned());
        }
        let end = scene.play(|world, scene| {
            world.body(scene.root).restricted = true;
            world.exit(scene.client);
        });
        let expected = if job { End::LooksOn } else { End::Left { root_gone: true } };
        assert_eq!((end, scene.signals().is_empty()), (expected, job));
    }
}

#[test]
fn a_stranger_with_the_dead_roots_number_stays() {
    let scene = scene(Wire::Held(Style::Pipes), TOOL);
    let end = scene.play(|world, scene| {
        let worker = world.heir(scene.root, &["/Users/kim/bin/worker"]);
        let (client, root) = (scene.client, scene.root);
        world.exit(root);
        assert!(!world.exists(root));
        world.now += SECOND;
        world.spawn_as(root, 1, vec!["/Users/kim/bin/mcp-server-git".to_owned()]);
        let ((stdin, _), (_, stdout)) = (world.pipe(), world.pipe());
        world.put(root, 0, stdin, false);
        world.put(root, 1, stdout, false);
        world.happens(SECOND, move |world| world.close_end_of(client, worker));
    });
    assert_eq!(end, End::Left { root_gone: true });
    assert!(scene.lives(scene.root) && scene.signals().iter().all(|(pid, _)| *pid != scene.root));
    assert!(!scene.signals().is_empty());
}

#[test]
fn a_client_under_exec_has_its_session_swept_when_it_ends() {
    for kept in [false, true] {
        let scene = scene(Wire::Null, &["/Users/kim/.local/bin/codex"]);
        let mut server = 0;
        let mut stranger = 0;
        let end = scene.play(|world, scene| {
            server = world.serve(scene.root, Style::Pipes, &["/Users/kim/.local/bin/mcp-server-git"]);
            stranger = world.runaway(scene.root, &["/Users/kim/bin/something"]);
            let env = world.processes[&scene.root].env.clone();
            world.body(server).env = env;
            if kept {
                let end = world.ends(scene.root, server)[0].unwrap();
                let end = world.processes[&scene.root].fds[&end].file;
                let other = world.spawn(1, &["/Applications/Other.app/Contents/MacOS/Other"]);
                world.keep(other, end);
            }
            let root = scene.root;
            world.happens(SECOND, move |world| world.exit(root));
        });
        assert_eq!(end, End::Left { root_gone: true });
        assert_eq!(scene.lives(server), kept, "{:?}", scene.signals());
        assert!(scene.lives(stranger), "only what is a server by its name");
    }
}

#[test]
fn data_on_stdin_wakes_nobody_but_a_full_buffer() {
    for style in BOTH {
        let scene = scene(Wire::Held(style), TOOL);
        let wakes = |bytes: u64, times: u64| {
            let before = scene.machine.calls().len();
            for _ in 0..times {
                let mut world = scene.machine.world.borrow_mut();
                let end = world.ends(scene.client, scene.root)[0].unwrap();
                let (end, stdin) = (
                    world.processes[&scene.client].fds[&end].file,
                    world.processes[&scene.root].fds[&0].file,
                );
                world.send(end, bytes);
                world.receive(stdin);
            }
            before
        };
        let (mut queue, _) = Queue::begin(scene.machine.clone(), &scene.args).unwrap();
        let before = wakes(4096, 1000);
        let all = EventSet { hang_up: true, client: true, root: true };
        let happened = queue.wait(all, Some(Duration::from_secs(1))).unwrap();
        assert_eq!((happened, scene.machine.calls().len() - before), (EventSet::default(), 1), "{style:?}");
    }
}

/// The kernel refuses: no descriptor left, no memory, a sandbox. The server runs unguarded, and one line says why.
#[test]
fn each_error_at_each_call_before_the_word_leaves_the_server_unguarded_or_ends_nobody_else() {
    let (mut runs, mut refused) = (0, 0);
    let probe = scene(Wire::Held(Style::Sockets), TOOL);
    let first = probe.machine.calls().len() as u64 + 1;
    Queue::begin(probe.machine.clone(), &probe.args).unwrap();
    let calls = probe.machine.calls();
    let begin = &calls[usize::try_from(first).unwrap() - 1..];
    assert_eq!(begin.iter().filter(|kind| **kind == Kind::Watch).count(), 3, "{begin:?}");
    for (number, kind) in (first..).zip(begin) {
        for errno in kind.errnos() {
            let scene = scene(Wire::Held(Style::Sockets), TOOL);
            scene.machine.fail(Fault::One(number, *errno));
            let end = scene.play(|world, scene| world.exit(scene.client));
            match &end {
                End::Refused(why) => {
                    refused += 1;
                    assert!(!why.is_empty() && !why.contains('\n'), "{why:?}");
                    assert!(scene.signals().is_empty());
                }
                End::Left { root_gone: true } => {
                    assert_eq!(scene.signals(), [(scene.root, TERM), (scene.root, KILL)]);
                }
                other => panic!("{kind:?} {errno} at {number}: {other:?}"),
            }
            let must = matches!(kind, Kind::Kqueue) || *kind == Kind::Watch && *errno != ESRCH;
            assert!(!must || matches!(end, End::Refused(_)), "{kind:?} {errno} at {number}: {end:?}");
            runs += 1;
        }
    }
    println!("{runs} starts with one error each, {refused} of them without a guardian");
    assert!(refused >= 8, "{refused}");
}

type Plot = fn(&mut World, &Scene);

/// In use all the time, and the guardian looks again and again: nobody is ever signalled, whatever cannot be read.
#[test]
fn each_error_at_each_later_call_ends_nobody_in_use() {
    let worker: (Wire, Plot) = (Wire::Held(Style::Pipes), |world, scene| {
        let worker = world.heir(scene.root, &["/Users/kim/bin/worker"]);
        world.exit(scene.root);
        world.happens(9 * SECOND, move |world| world.exit(worker));
    });
    let pipeline: (Wire, Plot) = (Wire::Held(Style::Sockets), |world, scene| {
        let end = world.ends(scene.client, scene.root)[1].unwrap();
        let end = world.processes[&scene.client].fds[&end].file;
        let jq = world.spawn(scene.client, &["/usr/bin/jq"]);
        world.put(jq, 0, end, false);
        world.close_end(scene.client, scene.root, 0);
        let root = scene.root;
        world.happens(5 * SECOND, move |world| world.exit(root));
    });
    let (mut runs, mut gave_up) = (0, 0);
    for (wire, plot) in [worker, pipeline] {
        let probe = scene(wire, TOOL);
        let first = probe.machine.calls().len();
        assert_eq!(probe.play(plot), End::Left { root_gone: true });
        for (number, kind) in (1_u64..).zip(&probe.machine.calls()).skip(first) {
            // Its looks are alike.
            if number > first as u64 + 200 && number % 4 != 0 {
                continue;
            }
            for errno in kind.errnos() {
                let scene = scene(wire, TOOL);
                scene.machine.fail(Fault::One(number, *errno));
                let end = scene.play(plot);
                assert_eq!(scene.signals(), [], "{kind:?} {errno} at {number}: {end:?}");
                gave_up += usize::from(matches!(end, End::GaveUp(_) | End::Refused(_)));
                runs += 1;
            }
        }
    }
    println!("{runs} guardians with one error each, {gave_up} of them left their server to itself");
    assert!(runs > 500 && gave_up > 0, "{runs}, {gave_up}");
}

/// The client is gone: what is signalled is the server and its helper, whatever fails.
#[test]
fn each_error_at_each_later_call_signals_only_what_is_the_servers() {
    let mut runs = 0;
    let helper = std::cell::Cell::new(0);
    let plot = |world: &mut World, scene: &Scene| {
        helper.set(world.runaway(scene.root, &["/Users/kim/bin/helper"]));
        world.exit(scene.client);
    };
    let probe = scene(Wire::Held(Style::Pipes), TOOL);
    let first = probe.machine.calls().len() as u64;
    assert_eq!(probe.play(plot), End::Left { root_gone: true });
    let calls = probe.machine.calls();
    let mut spared = 0;
    for (number, kind) in (1_u64..).zip(&calls).skip(usize::try_from(first).unwrap()) {
        // Looks at a deaf server that is waited for are alike.
        if number > first + 300 && number % 5 != 0 {
            continue;
        }
        for errno in kind.errnos() {
            let scene = scene(Wire::Held(Style::Pipes), TOOL);
            scene.machine.fail(Fault::One(number, *errno));
            let end = scene.play(plot);
            let world = scene.machine.world.borrow();
            let ours = |pid: u32| pid == scene.root || pid == helper.get();
            assert!(world.signals.iter().all(|(pid, _, _)| ours(*pid)), "{kind:?} {errno} at {number}");
            drop(world);
            spared += usize::from(!matches!(end, End::Left { root_gone: true }));
            runs += 1;
        }
    }
    println!("{runs} endings with one error each, {spared} of them left something");
    assert!(runs > 500, "{runs}");
}

#[test]
fn a_nested_exec_is_plain_only_under_the_marker_of_this_very_stdin() {
    let scene = scene(Wire::Held(Style::Pipes), TOOL);
    let marker = Marker { root: scene.args.root, id: scene.args.marker.clone() };
    let mut world = scene.machine.world.borrow_mut();
    let inner = world.under(scene.root, &["/opt/homebrew/bin/mcp-reap", "exec"]);
    let other = world.serve(scene.root, Style::Pipes, &["/opt/homebrew/bin/mcp-reap", "exec"]);
    let gateway = world.serve(scene.root, Style::Sockets, &["/opt/homebrew/bin/mcp-reap", "exec"]);
    drop(world);
    for (pid, same) in
        [(scene.root, true), (inner, true), (other, false), (gateway, false), (scene.client, false)]
    {
        scene.machine.world.borrow_mut().viewer = pid;
        assert_eq!(marker.names(wire_on(&scene.machine, 0)), same, "{pid}");
    }
}

#[test]
fn a_client_that_ended_or_whose_number_was_given_away_is_a_client_that_is_gone() {
    for (gone, given_away) in [(true, false), (true, true), (false, false)] {
        let scene = scene(Wire::Held(Style::Pipes), TOOL);
        if gone {
            let mut world = scene.machine.world.borrow_mut();
            world.exit(scene.client);
            if given_away {
                world.spawn_as(scene.client, 1, vec!["/usr/bin/stranger".to_owned()]);
            }
        }
        let (_, watched) = Queue::begin(scene.machine.clone(), &scene.args).unwrap();
        assert_eq!((watched.client, watched.client_gone, watched.stdin), (!gone, gone, true));
    }
    let scene = scene(Wire::Held(Style::Pipes), TOOL);
    scene.machine.world.borrow_mut().exit(scene.root);
    let begun = Queue::begin(scene.machine.clone(), &scene.args).map(|_| ());
    assert_eq!(begun, Err("the process to guard is gone".to_owned()));
}

#[test]
fn what_the_queue_told_during_a_pause_is_not_lost() {
    let scene = scene(Wire::Held(Style::Pipes), TOOL);
    let (mut queue, _) = Queue::begin(scene.machine.clone(), &scene.args).unwrap();
    scene.machine.world.borrow_mut().exit(scene.client);
    let paused = queue.wait(EventSet::ROOT, Some(Duration::from_secs(3))).unwrap();
    assert_eq!(paused, EventSet::default());
    let all = EventSet { hang_up: true, client: true, root: true };
    let now = queue.wait(all, None).unwrap();
    assert_eq!(now, EventSet { root: false, ..all });
    assert_eq!(queue.wait(all, Some(Duration::ZERO)).unwrap(), now, "it stays so");
}
