//! Servers that are known because the person put `mcp-reap exec` in front of them.

use crate::catalog::{Basis, Identification, Role};
use crate::marker::Marker;
use crate::process::{Pid, ProcessRecord};
use crate::program::Resolution;
use crate::tree::Tree;

/// Identifies a process that `exec` started, as a server or a launcher.
pub(super) fn identify_started(record: &ProcessRecord) -> (Identification, Resolution) {
    let runs = Resolution::of(record);
    let role = if runs.is_launched() { Role::Launcher } else { Role::Server };
    let name = runs.name().map(|name| name.rsplit('/').next().unwrap_or_default().to_owned());
    let name = name.unwrap_or_else(|| record.comm.to_string());
    (Identification { role, name, basis: Basis::Exec }, runs)
}

/// Does the marker in its environment show that this is a server under `exec` whose guardian is gone? Either the marker
/// names this very process, or the named process is gone and this one still has the stdin that the marker names. Any
/// other process only inherited the marker.
pub(super) fn is_marked_server(
    record: &ProcessRecord,
    tree: &Tree<'_>,
    adopts: impl Fn(Pid) -> bool,
) -> bool {
    let Some(marker) = Marker::of(record).filter(|_| record.is_wired()) else { return false };
    let took_over = || {
        adopts(record.parent)
            && record.id.start >= marker.root.start
            && marker.is_on_the_wire(record)
            && !marker.root_lives(tree)
    };
    (marker.root == record.id || took_over())
        && Resolution::of(record).runs_one_program()
        && !marker.is_guarded(record, tree)
}
