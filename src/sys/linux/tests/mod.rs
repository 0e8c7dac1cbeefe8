//! Looks at processes that the test started itself, and ends only those.
#![allow(clippy::unwrap_used)]

mod channels;
mod moved;
mod rows;
mod wires;

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio as Given};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::take_as;
use crate::process::{Interest, Pid, ProcessRecord, ProcessState, Snapshot, Stdio, StdioKind, UidPrecision};
use crate::sys::SysError;

/// Ends and collects the child when the test is over, however it ends.
struct Own(Child);

impl Own {
    fn start(command: &mut Command) -> Own {
        Own(command.spawn().unwrap())
    }

    /// A shell (bash, for descriptors above 9) that runs `script` and becomes a `sleep`.
    fn shell(script: &str, stdin: Given, stdout: Given) -> Own {
        Own::becomes("sleep 300", "sleep", script, stdin, stdout)
    }

    /// The same, but it becomes a program whose executable is called python3: this one, under another name.
    fn python(script: &str, stdin: Given, stdout: Given) -> Own {
        let me = std::env::current_exe().unwrap();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // The kernel's short name has 15 bytes.
        let name = format!(
            "python3-{}",
            COUNT.fetch_add(1, Ordering::Relaxed) * 10_000 + std::process::id() % 10_000
        );
        let link = me.with_file_name(&name);
        std::fs::hard_link(&me, &link).unwrap();
        let command = format!("env MCP_REAP_TEST_SLEEPS=1 {} --exact {SLEEPER}", link.display());
        Own::becomes(&command, &name, script, stdin, stdout)
    }

    fn becomes(command: &str, comm: &str, script: &str, stdin: Given, stdout: Given) -> Own {
        // Whoever runs the tests may have left descriptors open in us; they are no part of the scene.
        let clean = "for fd in /proc/$$/fd/*; do n=${fd##*/}; ((n > 2)) && eval \"exec $n>&-\"; done";
        let script = format!("{clean}\n{script}\nexec {command}");
        let own = Own::start(
            Command::new("bash").args(["-c", &script]).stdin(stdin).stdout(stdout).stderr(Given::null()),
        );
        eventually(&own, |row| row.comm.to_string() == comm);
        own
    }

    fn pid(&self) -> Pid {
        Pid(self.0.id())
    }
}

const SLEEPER: &str = "sys::linux::tests::sleeps_where_it_is_asked_to";

/// What [`Own::python`] becomes.
#[test]
fn sleeps_where_it_is_asked_to() {
    if std::env::var_os("MCP_REAP_TEST_SLEEPS").is_some() {
        // The link is not needed any more.
        let _ = std::fs::remove_file(std::env::current_exe().unwrap());
        std::thread::sleep(std::time::Duration::from_mins(5));
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn take(viewer: Pid, interest: &mut dyn FnMut(&Snapshot) -> Interest) -> Result<Snapshot, SysError> {
    take_as(viewer, UidPrecision::Exact, interest)
}

/// One process, as seen by no particular viewer: the test itself counts as a holder.
fn look(pid: Pid) -> Option<ProcessRecord> {
    let mut snapshot = take(Pid(0), &mut |_| vec![pid].into()).unwrap();
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
fn stdio_becomes(own: &Own, kind: StdioKind, stdin: Option<&[Pid]>, stdout: Option<&[Pid]>) -> Stdio {
    let peers = |pids: Option<&[Pid]>| pids.map(<[Pid]>::to_vec);
    let expected = (kind, peers(stdin), peers(stdout));
    let row = eventually(own, |row| {
        let stdio = row.details.stdio.as_ref();
        stdio.is_some_and(|s| (s.stdin_kind, s.stdin_peers.clone(), s.stdout_peers.clone()) == expected)
    });
    row.details.stdio.clone().unwrap()
}

fn me() -> Pid {
    Pid(std::process::id())
}

fn pair() -> (UnixStream, Given) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (ours, OwnedFd::from(theirs).into())
}
