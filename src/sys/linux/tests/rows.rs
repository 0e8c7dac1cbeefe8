//! Scenes of whole rows: what both stages fill, and what becomes of processes that end.

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::bytes::Argv;
use crate::process::{Listener, Uid};

#[test]
fn a_port_and_its_callers_are_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let own = Own::shell("", OwnedFd::from(listener).into(), Given::null());
    eventually(&own, |row| {
        row.details.listening.as_deref() == Some(&[Listener::Tcp(port)]) && row.details.connected == Some(0)
    });
    let mut caller = TcpStream::connect(("127.0.0.1", port)).unwrap();
    caller.write_all(b"x").unwrap();
    eventually(&own, |row| row.details.connected == Some(1));
}

#[test]
fn the_second_stage_fills_what_the_first_leaves_open() {
    let mut command = Command::new("sleep");
    command.arg("300").current_dir("/usr").env("GEMINI_CLI", "1").env("SECRET", "hunter2");
    let own = Own::start(&mut command);
    // execve(2) sets the name before the environment is in place (fs/exec.c, begin_new_exec): wait for both.
    let row = eventually(&own, |row| row.comm.to_string() == "sleep" && row.env_var("GEMINI_CLI").is_some());
    assert_eq!(row.details.cwd.as_ref().unwrap().to_string(), "/usr");
    assert!(row.details.exe.as_ref().unwrap().to_string().contains("/bin/"));
    assert_eq!(row.env_var("GEMINI_CLI"), Some("1"));
    assert_eq!(row.env_var("SECRET"), None);
    assert!(
        row.rss > 0
            && row.details.swap.is_some()
            && row.details.cgroup.is_some()
            && !row.details.foreign_namespace
    );
    let other = look(me()).unwrap();
    assert!(other.details.stdio.is_some());
    let unasked = take(me(), &mut |_| Interest::default()).unwrap();
    assert!(
        unasked
            .processes
            .iter()
            .all(|row| row.details.exe.is_none() && row.details.env.is_none() && row.details.stdio.is_none())
    );
}

#[test]
fn the_rows_of_the_ancestors_are_those_of_the_whole_table() {
    let line = crate::sys::ancestors().unwrap();
    let whole = crate::sys::snapshot(|_| Interest::default()).unwrap();
    let tree = crate::tree::Tree::new(&whole);
    let us = tree.get(me()).unwrap();
    let above: Vec<Pid> = tree.ancestors(us).iter().map(|row| row.pid()).collect();
    assert!(!above.is_empty());
    let found: Vec<Pid> = line.processes.iter().map(ProcessRecord::pid).collect();
    assert_eq!(found, [vec![me()], above].concat());
    for row in &line.processes {
        let other = tree.get(row.pid()).unwrap();
        assert_eq!((row.id, &row.argv, row.uid, &row.comm), (other.id, &other.argv, other.uid, &other.comm));
    }
    assert_eq!((line.viewer, line.systemd), (whole.viewer, whole.systemd));
}

#[test]
fn a_process_that_vanishes_between_the_stages_is_left_out() {
    let own = std::cell::RefCell::new(Own::start(Command::new("sleep").arg("300")));
    let pid = own.borrow().pid();
    let asked = std::cell::Cell::new(false);
    let snapshot = take(me(), &mut |seen| {
        if seen.processes.iter().all(|row| row.pid() != pid) {
            return Interest::default();
        }
        asked.set(true);
        let child = &mut own.borrow_mut().0;
        child.kill().unwrap();
        child.wait().unwrap();
        vec![pid, Pid(u32::MAX)].into()
    })
    .unwrap();
    assert!(asked.get() && snapshot.processes.iter().all(|row| row.pid() != pid));
}

#[test]
fn what_stands_on_no_wire_is_looked_at_closely_only_when_that_is_sure() {
    let wired = Own::start(Command::new("sleep").arg("300").stdin(Given::piped()));
    let idle = Own::start(Command::new("sleep").arg("300").stdin(Given::null()));
    let closely = |surely: Vec<Pid>| {
        let if_wired = vec![wired.pid(), idle.pid()];
        let interest = Interest { surely, if_wired, ..Interest::default() };
        let snapshot = take(me(), &mut |_| interest.clone()).unwrap();
        [wired.pid(), idle.pid()]
            .map(|pid| snapshot.processes.iter().any(|row| row.pid() == pid && row.details.stdio.is_some()))
    };
    assert_eq!(closely(vec![]), [true, false]);
    assert_eq!(closely(vec![idle.pid()]), [true, true]);
}

#[test]
fn who_is_only_above_is_looked_at_without_what_it_holds_until_that_is_asked_for() {
    let own = Own::start(Command::new("sleep").arg("300").stdin(Given::piped()));
    let row = |surely: Vec<Pid>, again: Vec<Pid>| {
        let mut answers = vec![surely, again].into_iter();
        let mut ask = |_: &Snapshot| Interest {
            surely: answers.next().unwrap_or_default(),
            above: vec![own.pid()],
            ..Interest::default()
        };
        let snapshot = take(me(), &mut ask).unwrap();
        snapshot.processes.into_iter().find(|row| row.pid() == own.pid()).unwrap()
    };
    let above = row(vec![], vec![]);
    assert!(
        above.details.exe.is_some() && above.details.stdio.is_none() && above.details.listening.is_none()
    );
    assert!(row(vec![own.pid()], vec![]).details.stdio.is_some());
    assert!(row(vec![], vec![own.pid()]).details.stdio.is_some(), "asked for in the second round");
}

#[test]
fn a_zombie_is_a_zombie() {
    let mut own = Own::start(&mut Command::new("true"));
    let row = eventually(&own, |row| row.state == ProcessState::Zombie);
    assert_eq!(row.argv, None);
    own.0.wait().unwrap();
    assert!(look(own.pid()).is_none());
}

#[test]
fn a_process_whose_first_thread_ended_is_neither_dead_nor_known() {
    let script = "
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(300,)).start()
ctypes.CDLL(None).pthread_exit(None)
";
    let own = Own::start(Command::new("python3").args(["-c", script]).stdin(Given::piped()));
    let ended =
        || std::fs::read_to_string(format!("/proc/{}/status", own.pid())).unwrap().contains("State:\tZ");
    let late = Instant::now() + Duration::from_secs(5);
    while !ended() {
        assert!(Instant::now() < late);
        std::thread::sleep(Duration::from_millis(10));
    }
    let row = look(own.pid()).unwrap();
    assert!(!row.is_zombie());
    assert_eq!(row.details.stdio, None);
    assert_eq!((&row.details.listening, row.details.connected), (&None, None));
}

#[test]
fn empty_and_strange_arguments_come_through() {
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 300; true", "", "a b", "\n)", ""]);
    let own = Own::start(&mut command);
    // The kernel sets the name before the arguments.
    let row = eventually(&own, |row| row.comm.to_string() == "sh" && row.argv.is_some());
    assert_eq!(row.argv.unwrap(), Argv::from(["sh", "-c", "sleep 300; true", "", "a b", "\n)", ""]));
    let child = take(me(), &mut |_| Interest::default()).unwrap();
    for row in child.processes.iter().filter(|row| row.parent == own.pid()) {
        let pid = rustix::process::Pid::from_raw(row.pid().0 as i32).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

/// A process that changed its user is not dumpable: its files belong to root.
#[test]
fn a_provisional_user_becomes_exact_where_details_are_read() {
    let root = rustix::process::geteuid().is_root();
    let change = "import os, time; os.setuid(65534); print(flush=True); time.sleep(300)";
    let mut command = Command::new("python3");
    let mut own = Own::start(command.args(["-c", change]).stdout(std::process::Stdio::piped()));
    if !root || std::io::Read::read(own.0.stdout.as_mut().unwrap(), &mut [0]).unwrap() == 0 {
        return; // Only root sees another user's process as its own.
    }
    let uid = |owners, interest: Vec<Pid>| {
        let table = take_as(me(), owners, &mut |_| interest.clone().into()).unwrap();
        table.processes.iter().find(|row| row.pid() == own.pid()).unwrap().uid
    };
    assert_eq!(uid(UidPrecision::Provisional, vec![]), Some(Uid(0)), "the trap is there");
    assert_eq!(uid(UidPrecision::Provisional, vec![own.pid()]), Some(Uid(65534)));
    assert_eq!(uid(UidPrecision::Exact, vec![]), Some(Uid(65534)));
}

#[test]
fn another_reader_of_the_table_sees_the_same() {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};
    let own = Own::start(Command::new("sleep").arg("300"));
    eventually(&own, |row| row.comm.to_string() == "sleep");
    let mut theirs = System::new().unwrap();
    let kind = ProcessRefreshKind::nothing().with_memory().without_tasks();
    let before = take(me(), &mut |_| Interest::default()).unwrap();
    theirs.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
    let mut ours = take(me(), &mut |_| Interest::default()).unwrap();
    // A process whose parent ends between two looks has another one then.
    let same =
        |row: &ProcessRecord| before.processes.iter().any(|r| r.id == row.id && r.parent == row.parent);
    let all = ours.processes.len();
    ours.processes.retain(same);
    let mut compared = 0;
    for row in &ours.processes {
        let Some(their) = theirs.process(sysinfo::Pid::from_u32(row.pid().0)) else { continue };
        if their.start_time().abs_diff(row.started_at as u64) > 1 {
            continue; // a number used again between the two looks
        }
        compared += 1;
        assert_eq!(row.parent.0, their.parent().map_or(0, sysinfo::Pid::as_u32), "{row:?}");
        if row.pid() == own.pid() {
            // Theirs is the estimate in `stat`, as ours is before the details are read.
            assert!(row.rss.abs_diff(their.memory()) <= 1 << 20, "{row:?}");
            assert_eq!(row.comm.to_string(), their.name().to_string_lossy());
        }
    }
    assert!(compared * 10 >= all * 9, "{compared} of {all}");
}

#[test]
fn a_name_is_a_number_only_when_all_of_it_is_and_it_fits() {
    use crate::sys::linux::proc::number;
    for (name, expected) in [
        ("0", Some(0)),
        ("4242", Some(4242)),
        ("4294967295", Some(u32::MAX)),
        ("4294967296", None),
        ("99999999999", None),
        ("", None),
        ("+1", None),
        ("-1", None),
        ("12a", None),
        ("self", None),
    ] {
        assert_eq!(number(name.as_bytes()), expected, "{name}");
    }
}

/// Blocks a thread of a process that stands on a closed wire: a Python, since a shell has no threads.
fn threaded(body: &str) -> Option<Own> {
    let script = format!(
        "import ctypes, threading, time\ndef run():\n  {body}\n  time.sleep(300)\n\
        threading.Thread(target=run, name='other').start()\ntime.sleep(300)"
    );
    let (ours, theirs) = pair();
    drop(ours);
    let mut command = Command::new("python3");
    command.args(["-c", &script]).stdin(theirs).stdout(Given::null()).stderr(Given::null());
    Some(Own(command.spawn().ok()?))
}

/// The number of a thread that is not the first.
fn thread_of(own: &Own) -> i32 {
    let late = Instant::now() + Duration::from_secs(5);
    loop {
        let threads = std::fs::read_dir(format!("/proc/{}/task", own.pid())).unwrap();
        let numbers =
            threads.map(|entry| entry.unwrap().file_name().to_string_lossy().parse::<u32>().unwrap());
        if let Some(thread) = numbers.into_iter().find(|number| *number != own.pid().0) {
            return thread.cast_signed();
        }
        assert!(Instant::now() < late, "no thread");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_tracer_of_a_single_thread_is_seen() {
    let Some(own) = threaded("pass") else { return };
    let thread = thread_of(&own);
    let thread = nix::unistd::Pid::from_raw(thread);
    assert_eq!(look(own.pid()).unwrap().details.tracer, Some(Pid(0)));
    nix::sys::ptrace::seize(thread, nix::sys::ptrace::Options::empty()).unwrap();
    let us = Pid(nix::unistd::gettid().as_raw().unsigned_abs());
    let seen = look(own.pid()).unwrap().details.tracer;
    // Its end would wait for us as long as we trace it.
    nix::sys::ptrace::interrupt(thread).unwrap();
    nix::sys::wait::waitpid(thread, Some(nix::sys::wait::WaitPidFlag::__WALL)).unwrap();
    nix::sys::ptrace::detach(thread, None).unwrap();
    assert_eq!(seen, Some(us));
}

#[test]
fn what_a_thread_holds_in_a_table_of_its_own_was_not_read() {
    // CLONE_FILES of linux/sched.h
    let Some(own) = threaded("ctypes.CDLL(None).unshare(0x400)") else { return };
    thread_of(&own);
    let row = eventually(&own, |row| row.details.stdio.is_none());
    assert!(row.details.listening.is_none() && row.details.connected.is_none());
    let Some(ordinary) = threaded("pass") else { return };
    thread_of(&ordinary);
    eventually(&ordinary, |row| row.details.stdio.is_some());
}
