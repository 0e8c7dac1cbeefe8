//! The running system.

use std::io;
use std::time::Duration;

use super::{Mac, command_by, environment_by, identity_by, lineage_by, snapshot_by, wait_for_end_by};
use crate::bytes::Argv;
use crate::process::{Interest, Pid, ProcessId, Snapshot, UidPrecision};
use crate::reap::Lineage;
use crate::sys::SysError;

/// A snapshot of the running system. On macOS each row has its exact user already.
pub(in crate::sys) fn snapshot(
    _: UidPrecision,
    interest: &mut dyn FnMut(&Snapshot) -> Interest,
) -> Result<Snapshot, SysError> {
    snapshot_by(&Mac, interest)
}

/// As [`identity_by`].
pub fn identity(pid: Pid) -> Option<ProcessId> {
    identity_by(&Mac, pid)
}

/// As [`environment_by`].
pub fn environment(pid: Pid) -> Option<Vec<u8>> {
    environment_by(&Mac, pid)
}

/// As [`command_by`].
pub fn command(pid: Pid) -> Argv {
    command_by(&Mac, pid)
}

/// As [`lineage_by`]; `None` where there is no such process.
pub fn lineage(pid: Pid) -> Option<Lineage> {
    lineage_by(&Mac, pid).ok()
}

/// As [`wait_for_end_by`].
///
/// # Errors
/// As there.
pub fn wait_for_end(id: ProcessId, patience: Duration) -> io::Result<bool> {
    wait_for_end_by(&Mac, id, patience)
}
