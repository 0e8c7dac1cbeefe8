//! Scenes of wires that lie above 2, and of what only looks like one.

use super::*;

/// What the Python SDK does with its wire.
const MOVE: &str = "exec 6<&0 7>&1 0</dev/null 1>/dev/null";

#[test]
fn a_wire_that_the_python_sdk_moved_is_found_alive_half_closed_and_dead() {
    let mut own = Own::python(MOVE, Given::piped(), Given::piped());
    let stdio = stdio_becomes(&own, StdioKind::Pipe, Some(&[me()]), Some(&[me()]));
    assert_eq!((stdio.stdout_kind, stdio.other_peers), (Some(StdioKind::Pipe), Some(vec![])));
    assert!(stdio.stdin_id.is_some() && stdio.stdout_id.is_some() && stdio.stdin_id != stdio.stdout_id);
    drop(own.0.stdin.take());
    stdio_becomes(&own, StdioKind::Pipe, Some(&[]), Some(&[me()]));
    drop(own.0.stdout.take());
    stdio_becomes(&own, StdioKind::Pipe, Some(&[]), Some(&[]));
}

#[test]
fn a_socket_that_the_python_sdk_moved_is_found_alive_and_dead() {
    let ((stdin, theirs_in), (stdout, theirs_out)) = (pair(), pair());
    let own = Own::python(MOVE, theirs_in, theirs_out);
    stdio_becomes(&own, StdioKind::Socket, Some(&[me()]), Some(&[me()]));
    drop((stdin, stdout));
    stdio_becomes(&own, StdioKind::Socket, Some(&[]), Some(&[]));
}

#[test]
fn a_program_that_is_no_python_proves_nothing_on_6_and_7() {
    let mut own = Own::shell(MOVE, Given::piped(), Given::piped());
    stdio_becomes(&own, StdioKind::Pipe, Some(&[me()]), Some(&[me()]));
    drop((own.0.stdin.take(), own.0.stdout.take()));
    let row = eventually(&own, |row| {
        row.details.stdio.as_ref().is_some_and(|stdio| stdio.stdin_kind == StdioKind::Null)
    });
    let stdio = row.details.stdio.as_ref().unwrap();
    assert_eq!((&stdio.stdin_peers, &stdio.stdout_peers), (&None, &None));
}

#[test]
fn a_wire_moved_anywhere_else_is_found_while_it_lives_and_proves_nothing_when_it_is_dead() {
    for elsewhere in [
        "exec 8<&0 9>&1 0</dev/null 1>/dev/null",
        "exec 7<&0 6>&1 0</dev/null 1>/dev/null",
        "exec 6<&0 7>&1 0<&- 1>/dev/null",
    ] {
        let mut own = Own::shell(elsewhere, Given::piped(), Given::piped());
        stdio_becomes(&own, StdioKind::Pipe, Some(&[me()]), Some(&[me()]));
        drop((own.0.stdin.take(), own.0.stdout.take()));
        let row = eventually(&own, |row| {
            row.details
                .stdio
                .as_ref()
                .is_some_and(|s| matches!(s.stdin_kind, StdioKind::Null | StdioKind::Closed))
        });
        let stdio = row.details.stdio.as_ref().unwrap();
        assert_eq!((&stdio.stdin_peers, &stdio.stdout_peers), (&None, &None), "{elsewhere}");
        assert_eq!((stdio.stdout_kind, &stdio.other_peers), (Some(StdioKind::Null), &Some(vec![])));
    }
}

#[test]
fn a_way_out_above_2_is_seen_whatever_stdin_is() {
    let file = || Given::from(tempfile::tempfile().unwrap());
    let zero = || Given::from(std::fs::File::open("/dev/zero").unwrap());
    for (stdin, kind) in
        [(file(), StdioKind::File), (zero(), StdioKind::File), (Given::null(), StdioKind::Null)]
    {
        let mut own = Own::shell("exec 7>&1 1>/dev/full", stdin, Given::piped());
        let stdio = stdio_becomes(&own, kind, None, None);
        assert_eq!((stdio.stdout_kind, stdio.other_peers), (Some(StdioKind::File), Some(vec![me()])));
        drop(own.0.stdout.take());
        eventually(&own, |row| row.details.stdio.as_ref().unwrap().other_peers == Some(vec![]));
    }
}

#[test]
fn a_pair_above_2_that_somebody_outside_holds_is_seen() {
    let (ours, theirs) = pair();
    let file = Given::from(tempfile::tempfile().unwrap());
    let own = Own::shell("exec 9>&1 1>/dev/null", file, theirs);
    eventually(&own, |row| row.details.stdio.as_ref().unwrap().other_peers == Some(vec![me()]));
    drop(ours);
    eventually(&own, |row| row.details.stdio.as_ref().unwrap().other_peers == Some(vec![]));
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
    let stdio = stdio_becomes(&own, StdioKind::Null, None, None);
    assert_eq!(stdio.other_peers, Some(vec![]));
}

/// The child ends by itself when its stdin does.
const PIPES_TO_A_CHILD: &str = "
import os, signal, subprocess
os.closerange(3, 1024)
child = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
os.chdir('/')
signal.pause()
";
