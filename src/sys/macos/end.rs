//! Reads the identity, command line and environment of a process that is not our child, and waits for its end.

use std::io;
use std::time::Duration;

use super::calls::{Calls, Kqueue, errno};
use super::kernel::has_ended;
use super::table::{ARG_MAX, args, bsd, unique};
use crate::bytes::Argv;
use crate::process::{Pid, ProcessId};
use crate::reap::Lineage;

/// The process that has this pid now, which may be a zombie.
pub fn identity_by(calls: &impl Calls, pid: Pid) -> Option<ProcessId> {
    Some(ProcessId { pid, start: bsd(calls, pid).ok()?.start? })
}

/// The environment of one of our own processes, each variable ended by a zero. `None` where the kernel does not show it:
/// during an exec, and for programs of the system, whose code is restricted (xnu, `sysctl_procargsx`).
pub fn environment_by(calls: &impl Calls, pid: Pid) -> Option<Vec<u8>> {
    let words = args(calls, pid, &mut vec![0; ARG_MAX])?.env;
    (!words.is_empty()).then(|| words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect())
}

/// The command line of one of our own processes; empty where the kernel does not show it.
pub fn command_by(calls: &impl Calls, pid: Pid) -> Argv {
    args(calls, pid, &mut vec![0; ARG_MAX]).map(|args| args.argv).unwrap_or_default()
}

/// The unique numbers of a process of any user, and of the process that forked it.
///
/// # Errors
/// `ESRCH` when no process has this pid; a zombie still has it.
pub fn lineage_by(calls: &impl Calls, pid: Pid) -> io::Result<Lineage> {
    unique(calls, pid).map(|unique| Lineage { own: unique.id, parent: unique.parent })
}

/// Sleeps until exactly this process has ended, or `patience` is over; says whether it has ended.
///
/// # Errors
/// When there is no kqueue left, or it may not be watched.
pub fn wait_for_end_by(calls: &impl Calls, id: ProcessId, patience: Duration) -> io::Result<bool> {
    let until = calls.now().saturating_add(patience);
    let queue = calls.kqueue()?;
    match queue.watch(id.pid, 0) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(errno::ESRCH) => return Ok(true),
        Err(error) => return Err(error),
    }
    // Compared after the watch began, so that an end in between is noticed by one of the two.
    loop {
        let left = until.saturating_sub(calls.now());
        if has_ended(calls, id) || !queue.wait(left)?.is_empty() {
            return Ok(true);
        }
        if left.is_zero() {
            return Ok(false);
        }
    }
}
