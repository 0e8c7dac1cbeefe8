//! Who is meant to run on its own: asks systemd or launchd which processes are the main ones of
//! their units and jobs. Being somewhere in a unit's cgroup proves nothing: all that an agent run
//! as a service ever starts is in it.

mod ask;
mod launchd;
mod systemd;

use crate::process::{Pid, Snapshot};

/// Writes into the records of `pids` which service each is in, and that service's main process.
///
/// Where the manager does not answer (none in this container, no bus, two seconds gone), a process
/// that seems to be in a service gets one whose main process is not known. Nothing is asked when
/// no process is in a service, so on most machines this costs nothing.
pub fn fill(snapshot: &mut Snapshot, pids: &[Pid]) {
    match snapshot.os.as_str() {
        "linux" => systemd::fill(snapshot, pids, &mut systemd::ask),
        "macos" => launchd::fill(snapshot, pids, &mut launchd::ask),
        _ => {}
    }
}
