//! Finds the processes that a service manager runs: the main processes of systemd's units and launchd's jobs. Being in a
//! unit's cgroup proves nothing, because everything that a service starts is in it. Also queries container engines.

mod engines;
pub mod launchd;
mod query;
mod systemd;

pub(crate) use engines::containers;

use crate::process::{Pid, Snapshot};

/// Writes the service of each of `pids`, and the main process of that service, into its record.
///
/// If the manager does not answer (there is none in this container, there is no bus, or two seconds have passed), a process
/// that seems to be in a service gets a service whose main process is not known. If no process is in a service, no manager
/// is queried, so on most machines this costs nothing.
pub(crate) fn fill(snapshot: &mut Snapshot, pids: &[Pid]) {
    match snapshot.os.as_str() {
        "linux" => systemd::fill(snapshot, pids, &mut systemd::query),
        "macos" => launchd::fill(snapshot, pids, &mut launchd::query),
        _ => {}
    }
}
