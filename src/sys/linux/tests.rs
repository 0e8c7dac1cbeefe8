//! Looks at processes that the test started itself, and ends only those.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio as Given};
use std::time::{Duration, Instant};

use crate::process::{Pid, ProcessRecord, State, Stdio, StdioKind};

/// Ends and collects the child when the test is over, however it ends.
struct Own(Child);

impl Own {
    fn start(command: &mut Command) -> Own {
        Own(command.spawn().unwrap())
    }

    /// A shell that runs `script`, which ends in `exec sleep 300` once it is set up.
    fn shell(script: &str, stdin: Given, stdout: Given) -> Own {
        let script = format!("{script}\nexec sleep 300");
        let own = Own::start(
            Command::new("sh").args(["-c", &script]).stdin(stdin).stdout(stdout).stderr(Given::null()),
        );
        eventually(&own, |row| row.comm.to_string() == "sleep");
        own
    }

    fn pid(&self) -> Pid {
        Pid(self.0.id())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One process, as seen by nobody in particular: the test itself counts as a holder.
fn look(pid: Pid) -> Option<ProcessRecord> {
    let mut snapshot = super::take(Pid(0), &|_| vec![pid]).unwrap();
    let at = snapshot.processes.iter().position(|row| row.pid() == pid)?;
    Some(snapshot.processes.swap_remove(at))
}

/// Looks until it is so. Other tests start processes as well, and each of those holds copies of all our
/// descriptors between its fork and its exec.
#[track_caller]
fn eventually(own: &Own, so: impl Fn(&ProcessRecord) -> bool) -> ProcessRecord {
    let late = Instant::now() + Duration::from_secs(5);
    loop {
        let row = look(own.pid()).unwrap();
        if so(&row) {
            return row;
        }
        assert!(Instant::now() < late, "still {row:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[track_caller]
fn stdio_becomes(own: &Own, kind: StdioKind, stdin: Option<&[Pid]>, stdout: Option<&[Pid]>) {
    let expected =
        Stdio { kind, stdin_peers: stdin.map(<[Pid]>::to_vec), stdout_peers: stdout.map(<[Pid]>::to_vec) };
    eventually(own, |row| row.stdio.as_ref() == Some(&expected));
}

fn me() -> Pid {
    Pid(std::process::id())
}

fn pair() -> (UnixStream, Given) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (ours, OwnedFd::from(theirs).into())
}

#[test]
fn both_ends_of_a_pipe_are_seen_until_they_are_dropped() {
    let mut own = Own::start(Command::new("sleep").arg("300").stdin(Given::piped()).stdout(Given::piped()));
    stdio_becomes(&own, StdioKind::Pipe, Some(&[me()]), Some(&[me()]));
    drop(own.0.stdin.take());
    stdio_becomes(&own, StdioKind::Pipe, Some(&[]), Some(&[me()]));
    drop(own.0.stdout.take());
    stdio_becomes(&own, StdioKind::Pipe, Some(&[]), Some(&[]));
}

#[test]
fn both_ends_of_a_socketpair_are_seen_until_they_are_dropped() {
    let ((stdin, theirs_in), (stdout, theirs_out)) = (pair(), pair());
    let own = Own::shell("", theirs_in, theirs_out);
    stdio_becomes(&own, StdioKind::Socket, Some(&[me()]), Some(&[me()]));
    drop(stdin);
    stdio_becomes(&own, StdioKind::Socket, Some(&[]), Some(&[me()]));
    drop(stdout);
    stdio_becomes(&own, StdioKind::Socket, Some(&[]), Some(&[]));
}

#[test]
fn a_client_that_only_says_it_is_done_has_closed_stdin() {
    let ((stdin, theirs_in), (stdout, theirs_out)) = (pair(), pair());
    let own = Own::shell("", theirs_in, theirs_out);
    stdin.shutdown(std::net::Shutdown::Write).unwrap();
    stdio_becomes(&own, StdioKind::Socket, Some(&[]), Some(&[me()]));
    // The other direction of the stdin socket says nothing about stdout.
    stdin.shutdown(std::net::Shutdown::Read).unwrap();
    stdio_becomes(&own, StdioKind::Socket, Some(&[]), Some(&[me()]));
    stdout.shutdown(std::net::Shutdown::Read).unwrap();
    stdio_becomes(&own, StdioKind::Socket, Some(&[]), Some(&[]));
}

/// What the Python SDK does with its wire.
const MOVE: &str = "exec 6<&0 7>&1 0</dev/null 1>/dev/null";

#[test]
fn a_wire_that_was_moved_away_is_found_while_it_lives() {
    let mut own = Own::shell(MOVE, Given::piped(), Given::piped());
    stdio_becomes(&own, StdioKind::Pipe, Some(&[me()]), Some(&[me()]));
    // Dead, it cannot be told from the pipes of a child that ended.
    drop((own.0.stdin.take(), own.0.stdout.take()));
    stdio_becomes(&own, StdioKind::Null, None, None);
}

#[test]
fn a_socket_that_was_moved_away_is_found_while_it_lives() {
    let ((stdin, theirs_in), (stdout, theirs_out)) = (pair(), pair());
    let own = Own::shell(MOVE, theirs_in, theirs_out);
    stdio_becomes(&own, StdioKind::Socket, Some(&[me()]), Some(&[me()]));
    drop((stdin, stdout));
    stdio_becomes(&own, StdioKind::Null, None, None);
}

#[test]
fn stdout_behind_the_log_is_found_while_it_lives() {
    let mut own = Own::shell("exec 7>&1 1>&2", Given::piped(), Given::piped());
    stdio_becomes(&own, StdioKind::Pipe, Some(&[me()]), Some(&[me()]));
    drop(own.0.stdin.take());
    stdio_becomes(&own, StdioKind::Pipe, Some(&[]), Some(&[me()]));
    drop(own.0.stdout.take());
    stdio_becomes(&own, StdioKind::Pipe, Some(&[]), None);
}

#[test]
fn pipes_to_a_child_are_no_wire_of_a_daemon() {
    let own = Own::start(
        Command::new("python3")
            .args(["-c", PIPES_TO_A_CHILD])
            .stdin(Given::null())
            .stdout(Given::null())
            .stderr(Given::null()),
    );
    let row =
        eventually(&own, |row| row.stdio.is_some() && row.cwd.as_ref().is_some_and(|c| c.to_string() == "/"));
    let nothing = Stdio { kind: StdioKind::Null, stdin_peers: None, stdout_peers: None };
    assert_eq!(row.stdio, Some(nothing));
}

/// The child ends by itself when its stdin does.
const PIPES_TO_A_CHILD: &str = "
import os, signal, subprocess
child = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
os.chdir('/')
signal.pause()
";

#[test]
fn null_a_file_and_a_closed_descriptor_say_nothing() {
    let file = || Given::from(tempfile::tempfile().unwrap());
    let cases = [
        (Own::shell("", Given::null(), Given::null()), StdioKind::Null),
        (Own::shell("", file(), Given::piped()), StdioKind::File),
        (Own::shell("exec 0<&-", Given::piped(), Given::null()), StdioKind::Closed),
    ];
    for (own, kind) in &cases {
        stdio_becomes(own, *kind, None, None);
    }
}

#[test]
fn the_same_end_in_a_launcher_is_no_other_end() {
    // A shell that waits for what it started shares stdin and stdout with it.
    let mut own = Own::start(
        Command::new("sh").args(["-c", "sleep 300; true"]).stdin(Given::piped()).stdout(Given::piped()),
    );
    let snapshot = |parent: Pid| {
        let child_of = |s: &crate::process::Snapshot| {
            s.processes.iter().filter(|row| row.parent == parent).map(ProcessRecord::pid).collect::<Vec<_>>()
        };
        super::take(Pid(0), &child_of).unwrap().processes.into_iter().find(|row| row.parent == parent)
    };
    let late = Instant::now() + Duration::from_secs(5);
    let leaf = loop {
        match snapshot(own.pid()).filter(|row| row.comm.to_string() == "sleep") {
            Some(leaf) => break leaf,
            None => assert!(Instant::now() < late),
        }
    };
    assert_eq!(leaf.stdio.unwrap().stdin_peers, Some(vec![me()]));
    drop((own.0.stdin.take(), own.0.stdout.take()));
    stdio_becomes(&own, StdioKind::Pipe, Some(&[]), Some(&[]));
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(leaf.id.pid.0 as i32).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
}

#[test]
fn a_wire_whose_only_visible_holders_are_its_own_is_not_known() {
    // Both ends of its stdin in the process itself, as a careless client leaves it: who else has one?
    let (read, write) = std::io::pipe().unwrap();
    let inside = write.try_clone().unwrap();
    let own = Own::shell("exec 5>&1 1>/dev/null", read.into(), inside.into());
    stdio_becomes(&own, StdioKind::Pipe, Some(&[me()]), None);
    drop(write);
    stdio_becomes(&own, StdioKind::Pipe, None, None);
}

#[test]
fn what_the_viewer_holds_does_not_count() {
    let own = Own::start(Command::new("sleep").arg("300").stdin(Given::piped()).stdout(Given::piped()));
    let snapshot = super::take(me(), &|_| vec![own.pid()]).unwrap();
    let row = snapshot.processes.into_iter().find(|row| row.pid() == own.pid()).unwrap();
    assert_eq!(row.stdio, Some(Stdio { kind: StdioKind::Pipe, stdin_peers: None, stdout_peers: None }));
}

#[test]
fn a_port_and_its_callers_are_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let own = Own::shell("", OwnedFd::from(listener).into(), Given::null());
    eventually(&own, |row| row.listening.as_deref() == Some(&[port]) && row.connected == Some(0));
    let mut caller = TcpStream::connect(("127.0.0.1", port)).unwrap();
    caller.write_all(b"x").unwrap();
    eventually(&own, |row| row.connected == Some(1));
}

#[test]
fn the_second_stage_fills_what_the_first_leaves_open() {
    let mut command = Command::new("sleep");
    command.arg("300").current_dir("/usr").env("GEMINI_CLI", "1").env("SECRET", "hunter2");
    let own = Own::start(&mut command);
    let row = eventually(&own, |row| row.comm.to_string() == "sleep");
    assert_eq!(row.cwd.as_ref().unwrap().to_string(), "/usr");
    assert!(row.exe.as_ref().unwrap().to_string().contains("/bin/"));
    assert_eq!(row.env_var("GEMINI_CLI"), Some("1"));
    assert_eq!(row.env_var("SECRET"), None);
    assert!(row.rss > 0 && row.swap.is_some() && row.cgroup.is_some() && !row.foreign_namespace);
    let other = look(me()).unwrap();
    assert!(other.stdio.is_some());
    let unasked = super::take(me(), &|_| Vec::new()).unwrap();
    assert!(
        unasked.processes.iter().all(|row| row.exe.is_none() && row.env.is_none() && row.stdio.is_none())
    );
}

#[test]
fn a_process_that_vanishes_between_the_stages_is_left_out() {
    let own = std::cell::RefCell::new(Own::start(Command::new("sleep").arg("300")));
    let pid = own.borrow().pid();
    let snapshot = super::take(me(), &|seen| {
        assert!(seen.processes.iter().any(|row| row.pid() == pid));
        let child = &mut own.borrow_mut().0;
        child.kill().unwrap();
        child.wait().unwrap();
        vec![pid, Pid(u32::MAX)]
    })
    .unwrap();
    assert!(snapshot.processes.iter().all(|row| row.pid() != pid));
}

#[test]
fn a_zombie_is_a_zombie() {
    let mut own = Own::start(&mut Command::new("true"));
    let row = eventually(&own, |row| row.state == State::Zombie);
    assert_eq!(row.argv, None);
    own.0.wait().unwrap();
    assert!(look(own.pid()).is_none());
}

#[test]
fn empty_and_strange_arguments_come_through() {
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 300; true", "", "a b", "\n)", ""]);
    let own = Own::start(&mut command);
    let row = eventually(&own, |row| row.comm.to_string() == "sh");
    let argv: Vec<_> = row.argv.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(argv, ["sh", "-c", "sleep 300; true", "", "a b", "\n)", ""]);
    let child = super::take(me(), &|_| vec![]).unwrap();
    for row in child.processes.iter().filter(|row| row.parent == own.pid()) {
        let pid = rustix::process::Pid::from_raw(row.pid().0 as i32).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

#[test]
fn another_reader_of_the_table_sees_the_same() {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};
    let own = Own::start(Command::new("sleep").arg("300"));
    eventually(&own, |row| row.comm.to_string() == "sleep");
    let mut theirs = System::new().unwrap();
    let kind = ProcessRefreshKind::nothing().with_memory().without_tasks();
    theirs.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
    let ours = super::take(me(), &|_| vec![]).unwrap();
    let mut compared = 0;
    for row in &ours.processes {
        let Some(their) = theirs.process(sysinfo::Pid::from_u32(row.pid().0)) else { continue };
        if their.start_time().abs_diff(row.started_at as u64) > 1 {
            continue; // a number used again between the two looks
        }
        compared += 1;
        assert_eq!(row.parent.0, their.parent().map_or(0, |pid| pid.as_u32()), "{row:?}");
        if row.pid() == own.pid() {
            assert_eq!(row.rss, their.memory());
            assert_eq!(row.comm.to_string(), their.name().to_string_lossy());
        }
    }
    assert!(compared * 10 >= ours.processes.len() * 9, "{compared} of {}", ours.processes.len());
}
