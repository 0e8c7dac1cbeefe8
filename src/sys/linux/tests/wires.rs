//! Scenes of wires: alive, half closed, dead, moved.

use super::*;

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
    eventually(&own, |row| row.details.cwd.as_ref().is_some_and(|cwd| cwd.to_string() == "/"));
    stdio_becomes(&own, StdioKind::Null, None, None);
}

/// The child ends by itself when its stdin does.
const PIPES_TO_A_CHILD: &str = "
import os, signal, subprocess
os.closerange(3, 1024)
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
fn a_terminal_that_is_gone_is_closed() {
    let pty = nix::pty::openpty(None, None).unwrap();
    let own = Own::shell("", pty.slave.into(), Given::null());
    stdio_becomes(&own, StdioKind::Tty, None, None);
    drop(pty.master);
    stdio_becomes(&own, StdioKind::Closed, None, None);
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
        take(Pid(0), &mut |s| child_of(s).into())
            .unwrap()
            .processes
            .into_iter()
            .find(|row| row.parent == parent)
    };
    let late = Instant::now() + Duration::from_secs(5);
    let leaf = loop {
        match snapshot(own.pid()).filter(|row| row.comm.to_string() == "sleep") {
            Some(leaf) => break leaf,
            None => assert!(Instant::now() < late),
        }
    };
    assert_eq!(leaf.details.stdio.as_ref().unwrap().stdin_peers, Some(vec![me()]));
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
    // By number, and the numbers may just have begun again from below.
    let mut both = [me(), own.pid()];
    both.sort_unstable();
    stdio_becomes(&own, StdioKind::Pipe, Some(&both), None);
    drop(write);
    stdio_becomes(&own, StdioKind::Pipe, None, None);
}

#[test]
fn what_the_viewer_holds_does_not_count() {
    let own = Own::start(Command::new("sleep").arg("300").stdin(Given::piped()).stdout(Given::piped()));
    let snapshot = take(me(), &mut |_| vec![own.pid()].into()).unwrap();
    let row = snapshot.processes.into_iter().find(|row| row.pid() == own.pid()).unwrap();
    assert_eq!(row.details.stdio, Some(Stdio::of_kind(StdioKind::Pipe)));
}
