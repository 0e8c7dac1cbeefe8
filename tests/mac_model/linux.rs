//! One scene, looked at twice: as the model's Mac tells it, and as Linux would have recorded it. The Mac is never deadlier,
//! and finds the same orphans.

use mcp_reap::process::{
    Details, Listener, Pid, ProcessId, ProcessRecord, ProcessState, SCHEMA, Service, Snapshot, StartTime,
    Stdio, StdioKind, Uid, Viewer,
};
use proptest::prelude::*;

use crate::machine::Machine;
use crate::scenes::{Style, claude, desktop, doomed, npx, plan, targets};
use crate::world::{Body, File, Life, Slot, Unix, World};

/// The table as a Linux kernel would have it, from all that the world knows.
fn on_linux(world: &World) -> Snapshot {
    let viewer = Viewer { pid: Pid(world.viewer), uid: Uid(world.processes[&world.viewer].uid) };
    let taken_at = chrono::DateTime::from_timestamp_micros(i64::try_from(world.now).unwrap()).unwrap();
    let rows = world.processes.iter().filter(|(pid, _)| **pid > 0);
    let processes = rows.map(|(pid, body)| record(world, *pid, body)).collect();
    let (os, systemd, unreadable) = ("linux".to_owned(), false, Vec::new());
    Snapshot { schema: SCHEMA, os, taken_at, viewer, systemd, unreadable, processes }
}

fn record(world: &World, pid: u32, body: &Body) -> ProcessRecord {
    let mut record = ProcessRecord::new(Pid(pid), StartTime(body.start));
    record.id = ProcessId { pid: Pid(pid), start: StartTime(body.start) };
    record.parent = Pid(body.ppid);
    (record.group, record.session, record.uid) = (Pid(body.pgid), Pid(body.sid), Some(Uid(body.uid)));
    record.started_at = body.start as f64 / 1e6;
    record.state = if body.life == Life::Zombie { ProcessState::Zombie } else { ProcessState::Other(b'S') };
    record.details.tty = body.terminal.map(|minor| format!("pts/{minor}").into());
    record.rss = body.footprint;
    record.comm = body.name.as_str().into();
    let words = if pid == 1 { vec!["/sbin/init".to_owned()] } else { body.argv.clone() };
    record.argv = Some(words.iter().map(String::as_str).collect());
    if body.uid == world.processes[&world.viewer].uid {
        record.details = details(world, pid, body).into();
    }
    record
}

fn details(world: &World, pid: u32, body: &Body) -> Details {
    let job = world
        .jobs
        .values()
        .flatten()
        .find(|(label, main)| *main == pid && !label.starts_with("application."));
    let service = |(name, main): &(String, u32)| {
        let name = format!("{name}.service");
        Service { manager: "systemd".to_owned(), name, main_pid: Some(Pid(*main)), active: true }
    };
    let (mut listening, mut other_peers) = (Vec::new(), Vec::new());
    let wire = wire_of(world, body);
    for (fd, Slot { file, .. }) in &body.fds {
        match &world.files[file] {
            File::Tcp { local, listens: true, .. } => listening.push(Listener::Tcp(*local)),
            File::Unix(unix) if unix.listens => {
                listening.push(Listener::Other(format!("unix:{}", String::from_utf8_lossy(&unix.name))));
            }
            File::Pipe { peer: Some(peer), .. } | File::Unix(Unix { peer: Some(peer), .. })
                if *fd > 2 && !wire.contains(fd) =>
            {
                other_peers
                    .extend(world.holders(*peer).into_iter().filter(|held| !is_below(world, *held, pid)));
            }
            _ => {}
        }
    }
    let ((kind, stdin_peers, stdin_id), (stdout_kind, stdout_peers, stdout_id)) =
        (direction(world, pid, body, wire[0], false), direction(world, pid, body, wire[1], true));
    let other_peers = Some(other_peers.into_iter().map(Pid).collect());
    let stdout_kind = Some(stdout_kind);
    Details {
        exe: Some(body.path.as_str().into()),
        cwd: Some(body.cwd.as_str().into()),
        env: Some(std::collections::BTreeMap::new()),
        service: job.map(service),
        stdio: Some(Stdio {
            stdin_kind: kind,
            stdout_kind,
            stdin_peers,
            stdout_peers,
            other_peers,
            stdin_id,
            stdout_id,
        }),
        listening: Some(listening),
        connected: Some(0),
        tracer: Some(Pid(0)),
        ..Details::default()
    }
}

fn file<'a>(world: &'a World, body: &Body, fd: i32) -> Option<&'a File> {
    body.fds.get(&fd).map(|slot| &world.files[&slot.file])
}

/// 0 and 1, or 6 and 7 where Python moved it.
fn wire_of(world: &World, body: &Body) -> [i32; 2] {
    let null = [0, 1].iter().all(|fd| file(world, body, *fd) == Some(&File::Null));
    let moved = matches!(
        (file(world, body, 6), file(world, body, 7)),
        (Some(File::Pipe { writes: false, .. }), Some(File::Pipe { writes: true, .. }))
            | (Some(File::Unix(Unix { listens: false, .. })), Some(File::Unix(Unix { listens: false, .. })))
    );
    if null && moved { [6, 7] } else { [0, 1] }
}

fn direction(
    world: &World,
    pid: u32,
    body: &Body,
    fd: i32,
    out: bool,
) -> (StdioKind, Option<Vec<Pid>>, Option<u64>) {
    let id = body.fds.get(&fd).map(|slot| slot.file);
    let (kind, peer) = match file(world, body, fd) {
        None => return (StdioKind::Closed, None, None),
        Some(File::Pipe { peer, writes }) if *writes == out => (StdioKind::Pipe, *peer),
        Some(File::Pipe { .. }) => return (StdioKind::Pipe, None, id),
        Some(File::Unix(unix)) if unix.peer.is_none() && !unix.deaf => return (StdioKind::Socket, None, id),
        Some(File::Unix(unix)) => {
            (StdioKind::Socket, unix.peer.filter(|_| !if out { unix.mute } else { unix.deaf }))
        }
        Some(File::Terminal(minor)) if world.revoked.contains(minor) => {
            return (StdioKind::Closed, None, None);
        }
        Some(File::Terminal(_)) => return (StdioKind::Tty, None, None),
        Some(File::Null) => return (StdioKind::Null, None, None),
        Some(_) => return (StdioKind::File, None, None),
    };
    let Some(peer) = peer else { return (kind, Some(Vec::new()), id) };
    let (found, sharing) = (world.holders(peer), world.holders(body.fds[&fd].file));
    let insider = |held: &u32| sharing.contains(held) || is_below(world, *held, pid);
    let known = !found.iter().all(insider);
    (kind, known.then(|| found.into_iter().filter(|held| *held != pid).map(Pid).collect()), id)
}

fn is_below(world: &World, mut pid: u32, above: u32) -> bool {
    while pid > 1 {
        if pid == above {
            return true;
        }
        pid = world.processes.get(&pid).map_or(0, |body| body.ppid);
    }
    false
}

/// How a server is started and what it has beside its wire.
#[derive(Clone, Copy, Debug)]
enum Server {
    Npx,
    Direct,
    Python,
    Daemon,
    Job,
    Nohup,
}

/// What became of its client.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Lives,
    Killed,
    /// It closed its ends of this wire: both, or one.
    Closed,
    ClosedOne(usize),
}

#[derive(Clone, Copy, Debug)]
enum Extra {
    Nothing,
    Listens,
    ListensUnix,
    /// Another process got the client's end of stdin, or of stdout.
    Stray(usize),
    /// A sibling shares the server's own ends.
    Shared,
    DeadPipes,
    Helper,
}

fn one_of<T: Clone + std::fmt::Debug + 'static>(all: Vec<T>) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

type Plot = Vec<(Server, Style, Fate, Extra)>;

fn plot() -> impl Strategy<Value = Plot> {
    use Extra::{DeadPipes, Helper, Listens, ListensUnix, Nothing, Shared, Stray};
    use Server::{Daemon, Direct, Job, Nohup, Npx, Python};
    let server = one_of(vec![Npx, Npx, Direct, Python, Daemon, Job, Nohup]);
    let style = one_of(vec![Style::Pipes, Style::Sockets]);
    let fate = one_of(vec![
        Fate::Lives,
        Fate::Killed,
        Fate::Killed,
        Fate::Closed,
        Fate::ClosedOne(0),
        Fate::ClosedOne(1),
    ]);
    let extra = one_of(vec![
        Nothing,
        Nothing,
        Nothing,
        Listens,
        ListensUnix,
        Stray(0),
        Stray(1),
        Shared,
        DeadPipes,
        Helper,
    ]);
    prop::collection::vec((server, style, fate, extra), 1..5)
}

fn stage(plot: &Plot) -> World {
    let mut world = desktop();
    let bystander = world.spawn(1, &["/usr/bin/bystander"]);
    for (number, (server, style, fate, extra)) in plot.iter().enumerate() {
        let (_, client) = claude(&mut world, 10 + u32::try_from(number).unwrap());
        let before: Vec<i32> = world.processes[&client].fds.keys().copied().collect();
        let pids = match server {
            Server::Npx => npx(&mut world, client, *style, "@modelcontextprotocol/server-memory").to_vec(),
            Server::Direct => vec![world.serve(client, *style, &["mcp-server-git"])],
            Server::Python => {
                let python =
                    world.serve(client, *style, &["/opt/homebrew/bin/python3", "-m", "mcp_server_fetch"]);
                for (from, to) in [(0, 6), (1, 7)] {
                    let slot = world.processes[&python].fds[&from];
                    world.put(python, to, slot.file, true);
                    let null = world.file(File::Null);
                    world.put(python, from, null, false);
                }
                vec![python]
            }
            Server::Daemon => {
                let daemon = world.spawn(client, &["mcp-server-time"]);
                world.stand_on_null(daemon);
                vec![daemon]
            }
            Server::Job => vec![world.agent("org.example.job", &["mcp-server-time"])],
            Server::Nohup => {
                let nohup = world.under(client, &["mcp-server-time"]);
                world.body(nohup).manners.on_hup = false;
                vec![nohup]
            }
        };
        let last = *pids.last().unwrap();
        let ends: Vec<i32> =
            world.processes[&client].fds.keys().copied().filter(|fd| !before.contains(fd)).collect();
        match extra {
            Extra::Nothing => {}
            Extra::Listens => {
                let socket = world.file(File::Tcp {
                    local: 8000 + u16::try_from(number).unwrap(),
                    remote: 0,
                    listens: true,
                });
                world.keep(last, socket);
            }
            Extra::ListensUnix => {
                let name = format!("/tmp/{number}.sock").into_bytes();
                let socket = world.file(File::Unix(Unix { listens: true, name, ..Unix::default() }));
                world.keep(last, socket);
            }
            Extra::Stray(way) => {
                if let Some(end) = ends.get(*way).map(|fd| world.processes[&client].fds[fd].file) {
                    world.keep(bystander, end);
                }
            }
            Extra::Shared => {
                let end = world.processes[&last].fds[&0].file;
                world.keep(bystander, end);
            }
            Extra::DeadPipes => {
                let ((stdin, to), (back, stdout)) = (world.pipe(), world.pipe());
                for (fd, file) in [(30, stdin), (31, stdout), (40, to), (41, back)] {
                    world.put(last, fd, file, true);
                }
                world.close(last, 40);
                world.close(last, 41);
            }
            Extra::Helper => {
                let helper = world.under(last, &["/usr/bin/rust-analyzer"]);
                let (read, write) = world.pipe();
                world.put(helper, 0, read, false);
                world.keep(last, write);
            }
        }
        match fate {
            Fate::Lives => {}
            Fate::Killed => world.exit(client),
            Fate::Closed => ends.iter().for_each(|fd| world.close(client, *fd)),
            Fate::ClosedOne(way) => ends.iter().skip(*way).take(1).for_each(|fd| world.close(client, *fd)),
        }
    }
    world.later_on();
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn the_mac_is_never_deadlier_than_linux_and_finds_the_same_orphans(plot in plot()) {
        let world = stage(&plot);
        let linux = targets(&plan(&on_linux(&world)));
        let mac = doomed(&Machine::of(world));
        prop_assert_eq!(mac, linux);
    }
}

#[test]
fn the_scenes_have_orphans_and_others() {
    let killed = |server, extra| stage(&vec![(server, Style::Pipes, Fate::Killed, extra)]);
    for server in [Server::Npx, Server::Direct, Server::Python] {
        assert!(!doomed(&Machine::of(killed(server, Extra::Nothing))).is_empty(), "{server:?}");
        assert!(doomed(&Machine::of(killed(server, Extra::Stray(0)))).is_empty(), "{server:?}");
    }
    for server in [Server::Daemon, Server::Job, Server::Nohup] {
        assert!(doomed(&Machine::of(killed(server, Extra::Nothing))).is_empty(), "{server:?}");
    }
}
