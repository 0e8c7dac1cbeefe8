//! Which processes are meant to run on their own: the main ones of systemd's units and launchd's jobs.
//! Being somewhere in a unit's cgroup proves nothing: all that an agent run as a service ever starts is
//! in it. Beside them the engines of containers, whose programs no service manager knows.

mod engines;
pub mod launchd;
mod query;
mod systemd;

pub(crate) use engines::{EngineAnswer, containers};

use crate::process::{Pid, Snapshot};

/// Writes into the records of `pids` which service each is in, and that service's main process.
///
/// Where the manager does not answer (none in this container, no bus, two seconds gone), a process
/// that seems to be in a service gets one whose main process is not known. No manager is queried when
/// no process is in a service, so on most machines this costs nothing.
pub(crate) fn fill(snapshot: &mut Snapshot, pids: &[Pid]) {
    match snapshot.os.as_str() {
        "linux" => systemd::fill(snapshot, pids, &mut systemd::query),
        "macos" => launchd::fill(snapshot, pids, &mut launchd::query),
        _ => {}
    }
}
