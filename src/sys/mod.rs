//! Reads the process table of this machine, in two stages and as plain data, and ends processes.
//!
//! There is one folder per system: `linux` reads `/proc` and `sock_diag`, and `macos` calls libproc. [`procfs`] parses
//! what Linux prints, and is built and tested on every system. [`recorded`] reads a recorded table.

// macOS reads every process wherever a wire is open; Linux reads the ancestors first.
#[cfg_attr(target_os = "macos", allow(dead_code))]
mod descriptors;
pub mod procfs;
pub mod recorded;

mod error;
pub use error::{EVIDENCE_VARIABLES, SysError};

#[cfg(target_os = "linux")]
mod linux;
// Its parsers are built and tested on every system.
pub mod macos;

#[cfg(target_os = "linux")]
pub use linux::OsKernel;
#[cfg(target_os = "linux")]
pub(crate) use linux::unix_socket;
#[cfg(target_os = "macos")]
pub use macos::OsKernel;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;

pub use system::{command, environment, identity, lineage, wait_for_end};

use crate::process::{Interest, Snapshot, UidPrecision};

/// Reads a cheap row of every process, then the details of those that `interest` names.
///
/// The first stage reads identity, parent, group, session, user, state, terminal, memory, comm and, for processes of
/// our own user (for root: of every user), argv. Then `interest` names the processes whose details are read: exe, cwd,
/// evidence variables, cgroup, exact memory, stdio and its holders, ports. It is called again until it names no new
/// process. `service` is never filled here. Processes that vanish meanwhile are left out.
///
/// # Errors
/// When the process table cannot be read at all, or is not that of our own PID namespace.
pub fn snapshot(interest: impl FnMut(&Snapshot) -> Interest) -> Result<Snapshot, SysError> {
    snapshot_with(UidPrecision::Exact, interest)
}

/// [`snapshot`], with a choice of how exactly the first stage reads users.
///
/// # Errors
/// As of [`snapshot`].
pub fn snapshot_with(
    owners: UidPrecision,
    mut interest: impl FnMut(&Snapshot) -> Interest,
) -> Result<Snapshot, SysError> {
    system::snapshot(owners, &mut interest)
}

/// The rows of this process and of its ancestors, as the first stage of [`snapshot`] reads them. On macOS these are all
/// rows, because one call returns them all.
///
/// # Errors
/// As of [`snapshot`].
pub fn ancestors() -> Result<Snapshot, SysError> {
    #[cfg(target_os = "linux")]
    return system::ancestors();
    #[cfg(not(target_os = "linux"))]
    return snapshot(|_| Interest::default());
}

/// A signal that a client sends to a server that it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildSignal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// Sends a signal to a child of this process. A child keeps its pid until it is waited for, so no other process can get
/// the signal.
///
/// # Errors
/// `ESRCH` if it was waited for.
pub fn signal_child(child: &std::process::Child, signal: ChildSignal) -> std::io::Result<()> {
    let signal = match signal {
        ChildSignal::Interrupt => rustix::process::Signal::INT,
        ChildSignal::Terminate => rustix::process::Signal::TERM,
    };
    Ok(rustix::process::kill_process(rustix::process::Pid::from_child(child), signal)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::process::{Pid, ProcessId, StartTime};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    #[test]
    fn the_end_of_a_process_wakes_who_waits_for_it() {
        // Ends when its input does.
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let id = identity(Pid(child.id())).unwrap();
        assert!(!wait_for_end(id, Duration::from_millis(50)).unwrap(), "it lives");
        let input = child.stdin.take();
        let late = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(input);
        });
        let begun = Instant::now();
        assert!(wait_for_end(id, Duration::from_mins(1)).unwrap(), "a zombie has ended");
        assert!(begun.elapsed() < Duration::from_secs(30));
        late.join().unwrap();
        child.wait().unwrap();
        assert!(wait_for_end(id, Duration::ZERO).unwrap(), "and so has one that was collected");
        assert_eq!(identity(id.pid), None);
    }

    /// It runs in a process of its own, because the limit holds for a whole process.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_cannot_be_read_has_not_ended() {
        use rustix::process::{Resource, getrlimit, setrlimit};
        use std::os::fd::AsRawFd as _;
        const NAME: &str = "sys::tests::a_process_that_cannot_be_read_has_not_ended";
        const ALONE: &str = "MCP_REAP_TEST_ALONE";
        if std::env::var_os(ALONE).is_none() {
            let mut command = Command::new(std::env::current_exe().unwrap());
            let run = command.args(["--exact", NAME]).env(ALONE, "1").output().unwrap();
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
            assert!(String::from_utf8_lossy(&run.stdout).contains("1 passed"));
            return;
        }
        let us = identity(Pid(std::process::id())).unwrap();
        let next = std::fs::File::open("/dev/null").unwrap().as_raw_fd().unsigned_abs();
        // The pidfd gets the last descriptor, and none is left for `/proc`.
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = Some(u64::from(next) + 1);
        setrlimit(Resource::Nofile, limit).unwrap();
        let answer = wait_for_end(us, Duration::ZERO);
        assert!(answer.unwrap_err().to_string().contains("Too many open files"));
        assert!(snapshot(|_| Interest::default()).is_err());
    }

    #[test]
    fn another_process_of_the_same_number_is_not_waited_for() {
        let us = identity(Pid(std::process::id())).unwrap();
        let before = ProcessId { start: StartTime(us.start.0 - 1), ..us };
        let begun = Instant::now();
        assert!(wait_for_end(before, Duration::from_mins(1)).unwrap());
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert!(!wait_for_end(us, Duration::ZERO).unwrap());
    }
}
