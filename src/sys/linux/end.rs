//! Waiting for the end of one process that is not our child.

use std::io;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{self, PidfdFlags};

use super::proc::Proc;
use super::table;
use crate::process::{Pid, ProcessId};

pub(in crate::sys) fn identity(pid: Pid) -> Option<ProcessId> {
    let mut proc = Proc::open().ok()?;
    proc.read_of(pid, "stat", 4 << 10).ok()?;
    Some(ProcessId { pid, start: table::parse_start(&proc.text)? })
}

pub(in crate::sys) fn wait_for_end(id: ProcessId, patience: Duration) -> io::Result<bool> {
    let until = Instant::now() + patience;
    let Some(pid) = i32::try_from(id.pid.0).ok().and_then(process::Pid::from_raw) else { return Ok(true) };
    let fd = match process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(fd) => fd,
        // No process has the number, or (EINVAL, since 6.9 ENOENT) a thread of another process.
        Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => return Ok(true),
        Err(errno) => return Err(errno.into()),
    };
    // Compared after the pidfd was opened: from here on the two are one process, whatever becomes of
    // its number. One that cannot be read is gone.
    if identity(id.pid) != Some(id) {
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
