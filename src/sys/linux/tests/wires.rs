//! Scenes of wires: alive, half closed, dead, moved.

use std::path::Path;

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

#[test]
fn stdout_is_looked_at_whatever_stdin_is() {
    let file = || Given::from(tempfile::tempfile().unwrap());
    for (stdin, kind) in [(file(), StdioKind::File), (Given::null(), StdioKind::Null)] {
        let mut own = Own::shell("", stdin, Given::piped());
        let stdio = stdio_becomes(&own, kind, None, Some(&[me()]));
        assert_eq!(stdio.stdout_kind, Some(StdioKind::Pipe));
        drop(own.0.stdout.take());
        stdio_becomes(&own, kind, None, Some(&[]));
    }
}

#[test]
fn stdout_behind_the_log_speaks_for_use_while_it_lives() {
    let mut own = Own::shell("exec 7>&1 1>&2", Given::piped(), Given::piped());
    let others = |stdio: Stdio| stdio.other_peers;
    assert_eq!(others(stdio_becomes(&own, StdioKind::Pipe, Some(&[me()]), None)), Some(vec![me()]));
    drop(own.0.stdin.take());
    assert_eq!(others(stdio_becomes(&own, StdioKind::Pipe, Some(&[]), None)), Some(vec![me()]));
    drop(own.0.stdout.take());
    eventually(&own, |row| row.details.stdio.as_ref().unwrap().other_peers == Some(vec![]));
    assert_eq!(others(stdio_becomes(&own, StdioKind::Pipe, Some(&[]), None)), Some(vec![]));
}

#[test]
fn a_pipe_with_a_name_is_never_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // Opened for both, so that it does not wait for the other end.
    let both = std::fs::File::options().read(true).write(true).open(&path).unwrap();
    let reader = std::fs::File::open(&path).unwrap();
    drop(both);
    let own = Own::shell("", reader.into(), Given::null());
    stdio_becomes(&own, StdioKind::Pipe, None, None);
    std::fs::remove_file(&path).unwrap();
    stdio_becomes(&own, StdioKind::Pipe, None, None);
}

#[test]
fn a_connection_on_stdin_that_waits_to_be_accepted_is_not_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let waiting = || Given::from(OwnedFd::from(UnixStream::connect(&path).unwrap()));
    let own = Own::shell("", waiting(), waiting());
    stdio_becomes(&own, StdioKind::Socket, None, None);
    drop(listener);
    stdio_becomes(&own, StdioKind::Socket, Some(&[]), Some(&[]));
}

#[test]
fn null_a_file_and_a_closed_descriptor_say_nothing() {
    let file = || Given::from(tempfile::tempfile().unwrap());
    let cases = [
        (Own::shell("", Given::null(), Given::null()), StdioKind::Null),
        (Own::shell("", file(), Given::null()), StdioKind::File),
        (Own::shell("exec 0<&-", Given::piped(), Given::null()), StdioKind::Closed),
    ];
    for (own, kind) in &cases {
        stdio_becomes(own, *kind, None, None);
    }
}

#[test]
fn a_terminal_is_one_until_its_master_is_closed() {
    let pty = nix::pty::openpty(None, None).unwrap();
    let stdout = pty.slave.try_clone().unwrap();
    let own = Own::shell("", pty.slave.into(), stdout.into());
    let stdio = stdio_becomes(&own, StdioKind::Tty, None, None);
    assert_eq!(stdio.stdout_kind, Some(StdioKind::Tty));
    drop(pty.master);
    let stdio = stdio_becomes(&own, StdioKind::Closed, None, None);
    assert_eq!(stdio.stdout_kind, Some(StdioKind::Closed));
}

#[test]
fn who_holds_the_master_of_a_terminal_is_named_where_everybody_is_looked_at_anyway() {
    let (other, theirs) = pair();
    let asked = Own::shell("", theirs, Given::null());
    let pty = nix::pty::openpty(None, None).unwrap();
    let own = Own::shell("", pty.slave.into(), Given::null());
    let late = Instant::now() + Duration::from_secs(5);
    loop {
        let snapshot = take(Pid(0), &mut |_| vec![asked.pid(), own.pid()].into()).unwrap();
        let row = snapshot.processes.into_iter().find(|row| row.pid() == own.pid()).unwrap();
        let stdio = row.details.stdio.as_ref().unwrap();
        if (stdio.stdin_kind, &stdio.stdin_peers) == (StdioKind::Tty, &Some(vec![me()])) {
            break;
        }
        assert!(Instant::now() < late, "still {row:?}");
    }
    drop((other, pty.master));
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
    // Both ends of its stdin in the process itself, as a careless client leaves it: which other process has one?
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
    let snapshot = take(me(), &mut |_| vec![own.pid()].into()).unwrap();
    let row = snapshot.processes.into_iter().find(|row| row.pid() == own.pid()).unwrap();
    let stdio = row.details.stdio.as_ref().unwrap();
    assert_eq!((stdio.stdin_kind, &stdio.stdin_peers, &stdio.stdout_peers), (StdioKind::Pipe, &None, &None));
}

/// The process that is looked at from inside a user namespace, by [`what_may_be_listed_and_not_read_is_not_known`].
const LOOK_AT: &str = "MCP_REAP_TEST_LOOK_AT";

/// In a user namespace of its own, as the viewer, `fd/` of processes outside lists and its links give EACCES (the same
/// is seen by root without CAP_SYS_PTRACE).
#[test]
fn what_may_be_listed_and_not_read_is_not_known() {
    if let Ok(pid) = std::env::var(LOOK_AT) {
        let pid = Pid(pid.parse().unwrap());
        let snapshot = take(Pid(0), &mut |_| vec![pid, me()].into()).unwrap();
        let row = snapshot.processes.iter().find(|row| row.pid() == pid).unwrap();
        let stdio = row.details.stdio.as_ref().unwrap();
        assert_eq!((stdio.stdin_kind, stdio.stdout_kind), (StdioKind::Unknown, Some(StdioKind::Unknown)));
        let peers = (&stdio.stdin_peers, &stdio.stdout_peers, &stdio.other_peers);
        assert_eq!(peers, (&None, &None, &None));
        assert_eq!((&row.details.listening, row.details.connected), (&None, None));
        // Our own stdin is a pipe that such a process holds: every process was read, and it cannot be.
        assert!(snapshot.unreadable.contains(&pid), "{:?}", snapshot.unreadable);
        return;
    }
    let mut own = Own::start(Command::new("sleep").arg("300").stdin(Given::piped()).stdout(Given::piped()));
    drop((own.0.stdin.take(), own.0.stdout.take()));
    stdio_becomes(&own, StdioKind::Pipe, Some(&[]), Some(&[]));
    let exe = std::env::current_exe().unwrap();
    let test = "sys::linux::tests::wires::what_may_be_listed_and_not_read_is_not_known";
    let inside = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-current-user"]).arg(program).args(arguments);
        // Its stdin is held open by us, until it has ended.
        let mut child = command
            .env(LOOK_AT, own.pid().to_string())
            .stdin(Given::piped())
            .stdout(Given::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        output
    };
    if !inside(Path::new("true"), &[]).status.success() {
        return; // no user namespaces here
    }
    let run = inside(&exe, &["--exact", test]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    assert!(String::from_utf8_lossy(&run.stdout).contains("1 passed"));
}
