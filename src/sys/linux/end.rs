//! One process that is not our child: which it is, what it says of itself, and its end.

use std::fs::File;
use std::io::{self, Read as _};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{self, PidfdFlags};

use super::proc::{MOST_ENVIRON, Proc};
use super::table;
use crate::bytes::Argv;
use crate::process::{Pid, ProcessId};
use crate::reap::Lineage;

/// The process that has this number now, a zombie included; `None` where no process has it or its start
/// cannot be read.
pub fn identity(pid: Pid) -> Option<ProcessId> {
    let mut proc = Proc::open().ok()?;
    proc.read_of(pid, "stat", 4 << 10).ok()?;
    Some(ProcessId { pid, start: table::parse_start(&proc.text)? })
}

/// The environment of a process, each variable ended by a zero, at most a megabyte of it. `None` where it is not shown:
/// another user's, one in the middle of its exec.
pub fn environment(pid: Pid) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(format!("/proc/{pid}/environ"))
        .ok()?
        .take(MOST_ENVIRON as u64)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(bytes)
}

/// The command line of a process as it stands now; empty where it is not shown.
pub fn command(pid: Pid) -> Argv {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = line.strip_suffix(b"\0").unwrap_or(&line);
    line.split(|byte| *byte == 0).collect()
}

/// Which process it is and which one forked it, by numbers that are never given twice: Linux has none.
pub fn lineage(_: Pid) -> Option<Lineage> {
    None
}

/// Sleeps until exactly this process, anybody's, has ended, or `patience` is over; says whether it has
/// ended. A zombie has. Costs nothing meanwhile.
///
/// # Errors
/// When the system has no pidfd left for it, or cannot make one (before 5.3).
pub fn wait_for_end(id: ProcessId, patience: Duration) -> io::Result<bool> {
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
