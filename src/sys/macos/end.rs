//! Waiting for the end of one process that is not our child.

use std::io;
use std::time::{Duration, Instant};

use super::super::ffi;
use super::kernel::has_ended;
use super::table::bsd;
use crate::process::{Pid, ProcessId};

pub(in super::super) fn identity(pid: Pid) -> Option<ProcessId> {
    Some(ProcessId { pid, start: bsd(pid).ok()?.start? })
}

pub(in super::super) fn wait_for_end(id: ProcessId, patience: Duration) -> io::Result<bool> {
    let until = Instant::now() + patience;
    let exits = ffi::Exits::new()?;
    match exits.watch(id.pid, 0) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return Ok(true),
        Err(error) => return Err(error),
    }
    // Compared after the watch began: an end in between is told by the one or the other.
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if has_ended(id) || !exits.wait(left).is_empty() {
            return Ok(true);
        }
        if left.is_zero() {
            return Ok(false);
        }
    }
}
