//! Waiting for the end of one process that is not our child.

use std::io;
use std::time::Duration;

use super::calls::{Calls, Exits, errno};
use super::kernel::has_ended;
use super::table::bsd;
use crate::process::{Pid, ProcessId};

/// The process that has this number now, a zombie included.
pub fn identity_by(calls: &impl Calls, pid: Pid) -> Option<ProcessId> {
    Some(ProcessId { pid, start: bsd(calls, pid).ok()?.start? })
}

/// Sleeps until exactly this process has ended, or `patience` is over; says whether it has ended.
///
/// # Errors
/// When there is no kqueue left, or it may not be watched.
pub fn wait_for_end_by(calls: &impl Calls, id: ProcessId, patience: Duration) -> io::Result<bool> {
    let until = calls.now().saturating_add(patience);
    let exits = calls.exits()?;
    match exits.watch(id.pid, 0) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(errno::ESRCH) => return Ok(true),
        Err(error) => return Err(error),
    }
    // Compared after the watch began: the one or the other tells of an end in between.
    loop {
        let left = until.saturating_sub(calls.now());
        if has_ended(calls, id) || !exits.wait(left).is_empty() {
            return Ok(true);
        }
        if left.is_zero() {
            return Ok(false);
        }
    }
}
