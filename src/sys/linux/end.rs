//! Single questions about a process that is not our child: its identity, environment and command line; and the wait for
//! its end.

use std::fs::File;
use std::io::{self, Read as _};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{self, PidfdFlags};

use super::errors::gone;
use super::proc::{MOST_ENVIRON, Proc};
use super::table;
use crate::bytes::Argv;
use crate::process::{Pid, ProcessId};
use crate::reap::Lineage;

/// The process that has this pid now, which may be a zombie. `None` if no process has it or its start cannot be read.
pub fn identity(pid: Pid) -> Option<ProcessId> {
    read_identity(pid).ok()?
}

/// `None` if no process has this pid.
fn read_identity(pid: Pid) -> io::Result<Option<ProcessId>> {
    let mut proc = Proc::open().map_err(io::Error::other)?;
    match proc.read_of(pid, "stat", 4 << 10) {
        Ok(()) => Ok(table::parse_start(&proc.text).map(|start| ProcessId { pid, start })),
        Err(error) if gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The environment of a process, each variable ended by a zero byte, at most one megabyte. `None` if it cannot be read:
/// the process belongs to another user, or is in the middle of its exec.
pub fn environment(pid: Pid) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(format!("/proc/{pid}/environ"))
        .ok()?
        .take(MOST_ENVIRON as u64)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(bytes)
}

/// The current command line of a process; empty if it cannot be read.
pub fn command(pid: Pid) -> Argv {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = line.strip_suffix(b"\0").unwrap_or(&line);
    line.split(|byte| *byte == 0).collect()
}

/// The numbers of a process and of the process that forked it, which are never reused. Linux has no such numbers.
pub fn lineage(_: Pid) -> Option<Lineage> {
    None
}

/// Sleeps until this process has ended or `patience` has passed. Returns whether it has ended; a zombie has. The
/// process may belong to any user.
///
/// # Errors
/// When the system has no pidfd left for it, or cannot make one (before 5.3), or its identity cannot be read.
pub fn wait_for_end(id: ProcessId, patience: Duration) -> io::Result<bool> {
    let until = Instant::now() + patience;
    let Some(pid) = i32::try_from(id.pid.0).ok().and_then(process::Pid::from_raw) else { return Ok(true) };
    let fd = match process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(fd) => fd,
        // No process has the number, or (EINVAL, since 6.9 ENOENT) a thread of another process.
        Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => return Ok(true),
        Err(errno) => return Err(errno.into()),
    };
    // The identity is compared after the pidfd was opened. So the pidfd refers to this process, also when the pid is
    // reused later. It has ended only if the kernel says so: an identity that cannot be read is an error.
    if read_identity(id.pid)? != Some(id) {
        return Ok(true);
    }
    loop {
        let left = Timespec::try_from(until.saturating_duration_since(Instant::now())).unwrap_or_default();
        match poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&left)) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
