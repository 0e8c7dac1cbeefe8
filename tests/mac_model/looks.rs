//! One look: what is read of each process, and what follows.

use mcp_reap::process::{OtherEnd, Pid, ProcessRecord, Snapshot, StdioKind};
use mcp_reap::services::launchd::Answer;

use crate::machine::Machine;
use crate::scenes::{MEMORY_LINE, NODE, Style, claude, desktop, doomed, lively, look, npx};
use crate::world::{File, Life, Unix, World};

fn seen(world: World) -> (Machine, Snapshot) {
    let machine = Machine::of(world);
    let snapshot = look(&machine).unwrap();
    (machine, snapshot)
}

fn record(snapshot: &Snapshot, pid: u32) -> &ProcessRecord {
    snapshot.processes.iter().find(|record| record.pid() == Pid(pid)).unwrap()
}

#[test]
fn a_lively_machine_loses_its_orphans_and_nothing_else() {
    let (world, right) = lively();
    assert_eq!(doomed(&Machine::of(world)), right);
}

#[test]
fn every_field_that_macos_tells_is_read() {
    let mut world = desktop();
    let (shell, claude) = claude(&mut world, 3);
    let [npm, _, node] = npx(&mut world, claude, Style::Sockets, "@upstash/context7-mcp");
    world.body(node).env.push("CLAUDECODE=1".to_owned());
    world.body(node).footprint = 181 << 20;
    world.body(npm).stopped = true;
    world.later_on();
    let (_, snapshot) = seen(world);
    let row = record(&snapshot, node);
    assert_eq!((row.parent, row.group, row.session), (Pid(npm + 1), Pid(shell), Pid(shell)));
    assert_eq!(row.uid.unwrap().0, 501);
    assert_eq!(row.details.tty.as_deref(), Some("ttys003"));
    assert_eq!(row.rss, 181 << 20, "what people see is the footprint");
    assert_eq!(row.details.cwd.as_ref().unwrap().to_string(), "/Users/kim/src");
    assert_eq!(row.env_var("CLAUDECODE"), Some("1"));
    assert_eq!((row.details.tracer, row.details.adopted), (Some(Pid(0)), None));
    assert!((row.started_at - 1_772_355_600.0).abs() < 1.0);
    let stdio = row.details.stdio.as_ref().unwrap();
    let client = [Pid(claude)];
    assert_eq!(
        (stdio.stdin_kind, stdio.stdin(), stdio.stdout()),
        (StdioKind::Socket, OtherEnd::Held(&client), OtherEnd::Held(&client))
    );
    let root = record(&snapshot, npm);
    assert_eq!(root.state, mcp_reap::process::ProcessState::Stopped);
    let exe = root.details.exe.as_ref().unwrap().to_string();
    assert_eq!(exe, "/opt/homebrew/Cellar/node/24.1.0/bin/node", "a link of Homebrew's is followed");
    assert!(!format!("{snapshot:?}").contains("sk-live"), "no other variable is kept");
    let logd = record(
        &snapshot,
        snapshot.processes.iter().find(|one| one.comm.to_string() == "logd").unwrap().pid().0,
    );
    assert_eq!(
        (logd.argv.as_ref(), logd.rss, logd.uid.unwrap().0),
        (None, 0, 0),
        "another user's is read in short"
    );
}

#[test]
fn adoption_is_read_from_unique_numbers_and_not_from_launchctls_silence() {
    let mut world = desktop();
    let (_, dead) = claude(&mut world, 1);
    let orphan = world.serve(dead, Style::Pipes, &["mcp-server-git"]);
    world.exit(dead);
    // An XPC service is in no list that launchctl prints.
    let service = world.spawn(
        1,
        &["/Applications/X.app/Contents/XPCServices/mcp-server-git.xpc/Contents/MacOS/mcp-server-git"],
    );
    let (read, write) = (world.pipe(), world.pipe());
    world.put(service, 0, read.0, false);
    world.put(service, 1, write.1, false);
    world.later_on();
    let (machine, snapshot) = seen(world);
    assert_eq!(record(&snapshot, orphan).details.adopted, Some(true));
    assert_eq!(record(&snapshot, service).details.adopted, Some(false));
    assert_eq!(record(&snapshot, service).details.service.as_ref().unwrap().name, "?");
    assert_eq!(doomed(&machine), [orphan], "its wire is as dead, and launchd started it");
    // What no launchctl says cannot change that.
    for domain in ["system", "user/501", "gui/501"] {
        machine.answer(domain, Answer::Unknown);
    }
    assert_eq!(doomed(&machine), [orphan]);
}

#[test]
fn one_that_was_adopted_before_its_exec_looks_like_launchds_own_and_is_left() {
    let mut world = desktop();
    let (_, dead) = claude(&mut world, 1);
    let orphan = world.serve(dead, Style::Pipes, &["/bin/sh", "-c", "exec mcp-server-git"]);
    world.exit(dead);
    world.exec(orphan, &["mcp-server-git"]);
    world.later_on();
    let (machine, snapshot) = seen(world);
    assert_eq!(record(&snapshot, orphan).details.adopted, Some(false));
    assert_eq!(doomed(&machine), [0; 0]);
}

#[test]
fn a_job_of_launchds_is_never_ended_even_on_a_dead_wire() {
    let mut world = desktop();
    let agent = world.agent("org.example.mcp", &MEMORY_LINE);
    let (stdin, to) = world.pipe();
    world.put(agent, 0, stdin, false);
    world.put(agent, 1, to, false);
    world.close(agent, 1);
    let (from, stdout) = world.pipe();
    world.put(agent, 1, stdout, false);
    let keeper = world.viewer;
    world.put(keeper, 9, from, false);
    world.close(keeper, 9);
    world.later_on();
    assert_eq!(doomed(&Machine::of(world)), [0; 0]);
}

#[test]
fn a_closed_terminal_is_one_that_is_gone_and_not_an_unknown_descriptor() {
    let mut world = desktop();
    let terminal = world.app("/Applications/iTerm.app/Contents/MacOS/iTerm2", "com.googlecode.iterm2");
    let shell = world.window(terminal, 4);
    let server = world.under(shell, &MEMORY_LINE);
    world.body(server).manners.on_hup = false;
    world.later_on();
    let machine = Machine::of(world);
    let before = look(&machine).unwrap();
    assert_eq!(record(&before, server).details.stdio.as_ref().unwrap().stdin_kind, StdioKind::Tty);
    machine.world.borrow_mut().exit(shell);
    let after = look(&machine).unwrap();
    let stdio = record(&after, server).details.stdio.clone().unwrap();
    assert_eq!((stdio.stdin_kind, stdio.stdin()), (StdioKind::Closed, OtherEnd::Absent));
    assert_eq!((record(&after, server).details.tty.as_deref(), after.unreadable.len()), (None, 0));
    assert_eq!(doomed(&machine), [0; 0], "a terminal that is gone is no dead wire");
}

#[test]
fn what_has_ended_or_is_ending_or_has_no_descriptors_blinds_no_look() {
    let (base, right) = lively();
    drop(base);
    for (what, change) in [
        ("a zombie", Life::Zombie),
        ("one that was reported", Life::Reported),
        ("one on its way out", Life::Drained),
        ("one without descriptors", Life::Lives),
    ] {
        let (mut world, _) = lively();
        let shell =
            world.processes.iter().find(|(_, body)| body.terminal == Some(2)).map(|(pid, _)| *pid).unwrap();
        let other = world.spawn(shell, &["/usr/bin/true"]);
        world.body(other).life = change;
        let (machine, snapshot) = seen(world);
        assert_eq!(snapshot.unreadable, [], "{what}");
        assert_eq!(doomed(&machine), right, "{what}");
    }
    // One that lives and keeps its descriptors to itself may hold anything.
    let (mut world, _) = lively();
    let sealed = world.spawn(1, &["/usr/bin/sealed"]);
    world.body(sealed).sealed = true;
    assert_eq!(seen(world).1.unreadable, [Pid(sealed)]);
}

#[test]
fn what_ends_between_two_questions_about_it_blinds_no_look_either() {
    let (world, _) = lively();
    let probe = Machine::of(world);
    look(&probe);
    let total = probe.calls().len() as u64;
    for at in (1..=total).step_by(7) {
        let (mut world, right) = lively();
        let shell =
            world.processes.iter().find(|(_, body)| body.terminal == Some(2)).map(|(pid, _)| *pid).unwrap();
        let other = world.under(shell, &["/usr/bin/true"]);
        let machine = Machine::of(world);
        machine.before(at, move |world| world.exit(other));
        let snapshot = look(&machine).unwrap();
        assert_eq!(snapshot.unreadable, [], "call {at}");
        assert_eq!(crate::scenes::targets(&crate::scenes::plan(&snapshot)), right, "call {at}");
    }
}

#[test]
fn a_debugger_is_seen() {
    let (mut world, right) = lively();
    let debugger = world.spawn(1, &["/usr/bin/debugserver"]);
    let git = *right.last().unwrap();
    world.trace(git, debugger);
    let (machine, snapshot) = seen(world);
    assert_eq!(record(&snapshot, git).details.tracer, Some(Pid(debugger)));
    assert!(!doomed(&machine).contains(&git));
}

/// Puts files on descriptors of a server, from one on.
type Change<'a> = &'a dyn Fn(&mut World, u32, i32);

/// A server that launchd has adopted, with these files on 0, 1 and above.
fn adopted_with(files: impl FnOnce(&mut World, u32)) -> (Machine, u32) {
    let mut world = desktop();
    let (_, dead) = claude(&mut world, 1);
    let server = world.spawn(dead, &["mcp-server-git"]);
    world.stand_on_null(server);
    files(&mut world, server);
    world.exit(dead);
    world.later_on();
    (Machine::of(world), server)
}

#[test]
fn sockets_that_listen_or_wait_and_pipes_of_a_child_that_ended_are_no_closed_wire() {
    let dead_pipes = |world: &mut World, server: u32, from: i32| {
        let ((stdin, to), (back, stdout)) = (world.pipe(), world.pipe());
        for (fd, file) in [(from, stdin), (from + 1, stdout), (40, to), (41, back)] {
            world.put(server, fd, file, true);
        }
        world.close(server, 40);
        world.close(server, 41);
    };
    let socket = |unix: Unix| {
        move |world: &mut World, server: u32, from: i32| {
            for fd in [from, from + 1] {
                let file = world.file(File::Unix(unix.clone()));
                world.put(server, fd, file, true);
            }
        }
    };
    let listening = Unix { listens: true, name: b"/tmp/hub.sock".to_vec(), ..Unix::default() };
    for from in [3, 5, 8] {
        let cases: [Change<'_>; 3] = [&dead_pipes, &socket(listening.clone()), &socket(Unix::default())];
        for case in cases {
            let (machine, server) = adopted_with(|world, server| case(world, server, from));
            let snapshot = look(&machine).unwrap();
            let stdio = record(&snapshot, server).details.stdio.as_ref().unwrap();
            assert_eq!(
                (stdio.stdin_kind, stdio.stdin(), stdio.stdout()),
                (StdioKind::Null, OtherEnd::Absent, OtherEnd::Absent)
            );
            assert_eq!(doomed(&machine), [0; 0]);
        }
    }
}

#[test]
fn a_wire_that_python_moved_to_6_and_7_is_found_dead_or_alive() {
    for held in [true, false] {
        let mut client = 0;
        let (machine, server) = adopted_with(|world, server| {
            let (_, other) = claude(world, 5);
            client = other;
            world.body(server).path = "/opt/homebrew/bin/python3.12".to_owned();
            let ((stdin, to), (from, stdout)) = (world.pipe(), world.pipe());
            for (pid, fd, file) in
                [(server, 6, stdin), (server, 7, stdout), (other, 20, to), (other, 21, from)]
            {
                world.put(pid, fd, file, true);
            }
            if !held {
                world.close(other, 20);
                world.close(other, 21);
            }
        });
        let snapshot = look(&machine).unwrap();
        let stdio = record(&snapshot, server).details.stdio.as_ref().unwrap();
        assert_eq!(stdio.stdin_kind, StdioKind::Pipe);
        let holders = [Pid(client)];
        let expected = if held { OtherEnd::Held(&holders) } else { OtherEnd::Closed };
        assert_eq!((stdin_of(stdio), doomed(&machine).is_empty()), (expected, held));
    }
}

fn stdin_of(stdio: &mcp_reap::process::Stdio) -> OtherEnd<'_> {
    stdio.stdin()
}

#[test]
fn stdout_is_looked_at_apart_from_a_log_on_stderr_that_nobody_reads() {
    // fd 1 and fd 2 are one log whose reader has gone; stdin is held.
    let mut world = desktop();
    let (_, client) = claude(&mut world, 1);
    let server = world.serve(client, Style::Pipes, &["mcp-server-git"]);
    let (read, write) = world.pipe();
    world.put(server, 1, write, false);
    world.put(server, 2, write, false);
    world.keep(client, read);
    let fd = *world.processes[&client].fds.iter().find(|(_, slot)| slot.file == read).unwrap().0;
    world.close(client, fd);
    world.later_on();
    let (machine, snapshot) = seen(world);
    let stdio = record(&snapshot, server).details.stdio.as_ref().unwrap();
    assert_eq!((stdio.stdin(), stdio.stdout()), (OtherEnd::Held(&[Pid(client)]), OtherEnd::Closed));
    assert_eq!(doomed(&machine), [0; 0]);
}

#[test]
fn rosetta_and_a_program_that_rewrote_its_title_are_read_alike() {
    let mut world = desktop();
    let (_, client) = claude(&mut world, 1);
    let server = world.serve(
        client,
        Style::Sockets,
        &[NODE, "/usr/local/lib/node_modules/@x/y-mcp-server/dist/index.js"],
    );
    world.body(server).path = "/usr/local/Cellar/node/24.1.0/bin/node".to_owned();
    world.body(server).name = "node".to_owned();
    world.exit(client);
    world.later_on();
    let (machine, snapshot) = seen(world);
    assert_eq!(record(&snapshot, server).comm.to_string(), "node");
    assert_eq!(doomed(&machine), [server]);
}

#[test]
fn root_is_told_of_everybody() {
    let (mut world, right) = lively();
    let viewer = world.viewer;
    world.body(viewer).uid = 0;
    let (machine, snapshot) = seen(world);
    assert!(snapshot.processes.iter().filter(|row| row.pid().0 > 1).all(|row| row.rss > 0));
    let all = mcp_reap::policy::Policy { all_users: true, ..mcp_reap::policy::Policy::default() };
    let plan = crate::scenes::plan_with(&look(&machine).unwrap(), &all);
    assert_eq!(crate::scenes::targets(&plan), right);
}

#[test]
fn what_it_serves_on_is_listed_and_other_descriptors_say_nothing() {
    let shown = |files: &[File]| {
        let (machine, server) = adopted_with(|world, server| {
            for file in files {
                let file = world.file(file.clone());
                world.keep(server, file);
            }
        });
        let snapshot = look(&machine).unwrap();
        let details = &record(&snapshot, server).details;
        let listening = details
            .listening
            .as_ref()
            .map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        (listening, details.connected, doomed(&machine).len())
    };
    let tcp = |local, remote, listens| File::Tcp { local, remote, listens };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(shown(&[File::Regular, File::NamedPipe, File::Kqueue, File::Null]), (some(""), Some(0), 0));
    assert_eq!(
        shown(&[File::Udp { port: 5353 }, File::Udp { port: 60_000 }]),
        (some("udp:5353"), Some(0), 0)
    );
    assert_eq!(shown(&[tcp(8931, 0, true), tcp(8931, 50_000, false)]), (some("8931"), Some(1), 0));
    assert_eq!(shown(&[tcp(50_001, 443, false)]), (some(""), Some(0), 0), "a cloud service");
    assert_eq!(shown(&[File::Vsock]), (some("vsock"), None, 0));
    let hub = |listens| File::Unix(Unix { listens, name: b"/tmp/hub.sock".to_vec(), ..Unix::default() });
    assert_eq!(shown(&[hub(true)]), (some("unix:/tmp/hub.sock"), Some(0), 0));
    assert_eq!(shown(&[hub(false)]), (some(""), Some(0), 0), "bound, and nobody can connect");
    for (file, kind) in [
        (File::Regular, StdioKind::File),
        (File::NamedPipe, StdioKind::Pipe),
        (File::Kqueue, StdioKind::Unknown),
    ] {
        let (machine, server) = adopted_with(|world, server| {
            let file = world.file(file);
            world.put(server, 0, file, false);
        });
        let snapshot = look(&machine).unwrap();
        assert_eq!(
            (record(&snapshot, server).details.stdio.as_ref().unwrap().stdin_kind, doomed(&machine).len()),
            (kind, 0)
        );
    }
}

#[test]
fn a_python_that_lies_in_a_bundle_is_an_interpreter_and_no_desktop_program() {
    let mut world = desktop();
    let (_, dead) = claude(&mut world, 1);
    let python = "/opt/homebrew/Cellar/python@3.12/3.12.1/Frameworks/Python.framework/Versions/3.12/Resources/Python.app/Contents/MacOS/Python";
    let module = world.serve(dead, Style::Pipes, &[python, "-m", "mcp_server_git"]);
    let script = world.serve(dead, Style::Pipes, &[python, "/Users/kim/.local/bin/mcp-server-fetch"]);
    // The link in a virtual environment starts the same program, and keeps its own name in argv.
    let linked = world.serve(
        dead,
        Style::Pipes,
        &["/Users/kim/venv/bin/python3", "/Users/kim/venv/bin/mcp-server-time"],
    );
    world.body(linked).executed = python.to_owned();
    world.body(linked).path = python.to_owned();
    world.exit(dead);
    world.later_on();
    assert_eq!(doomed(&Machine::of(world)), [module, script, linked]);
}

/// Over TCP a channel is judged as on Linux: by who is at the other side.
#[test]
fn who_is_connected_over_tcp_is_named_and_a_servers_own_browser_is_nobody() {
    for (who, lives) in [("client", true), ("other", true), ("browser", false), ("far", true)] {
        let mut world = desktop();
        let (_, dead) = claude(&mut world, 1);
        let server = world.serve(dead, Style::Pipes, &["/Users/kim/.local/bin/mcp-server-git"]);
        for (remote, listens) in [(0, true), (50_123, false)] {
            let socket = world.file(File::Tcp { local: 8932, remote, listens });
            world.keep(server, socket);
            if who == "far" && !listens {
                let far = ("10.0.0.1".parse().unwrap(), "10.0.0.7".parse().unwrap());
                world.addresses.insert(socket, far);
            }
        }
        let other = match who {
            "client" => claude(&mut world, 2).1,
            "browser" => world.spawn(server, &["/usr/local/bin/headless", "--headless"]),
            _ => world.spawn(1, &["/usr/bin/other"]),
        };
        let socket = world.file(File::Tcp { local: 50_123, remote: 8932, listens: false });
        world.keep(other, socket);
        world.exit(dead);
        world.later_on();
        let (machine, snapshot) = seen(world);
        let details = &record(&snapshot, server).details;
        let named = if matches!(who, "client" | "other") { vec![Pid(other)] } else { vec![] };
        assert_eq!((details.connected, &details.connected_peers), (Some(u32::from(lives)), &named), "{who}");
        assert_eq!(!doomed(&machine).contains(&server), lives, "{who}");
    }
}
