//! Servers that the person named by putting `mcp-reap exec` in front of them.

use crate::catalog::{Basis, Identification, Role};
use crate::marker::Marker;
use crate::process::{Pid, ProcessRecord};
use crate::program::Resolution;
use crate::tree::Tree;

/// What a process is that `exec` started, and what it really runs.
pub(super) fn started(record: &ProcessRecord) -> (Identification, Resolution) {
    let runs = Resolution::of(record);
    let role = if runs.is_launched() { Role::Launcher } else { Role::Server };
    let name = runs.name().map(|name| name.rsplit('/').next().unwrap_or_default().to_owned());
    let name = name.unwrap_or_else(|| record.comm.to_string());
    (Identification { role, name, basis: Basis::Exec }, runs)
}

/// Does the marker in its environment say that this is a server under `exec`, whose guardian is gone? It names this very
/// process, or the process that it names is gone, and this one was left with the stdin that it names. Whatever else
/// carries the marker inherited it, and so may anything.
pub(super) fn is_marked_server(
    record: &ProcessRecord,
    tree: &Tree<'_>,
    adopts: impl Fn(Pid) -> bool,
) -> bool {
    let Some(marker) = Marker::of(record).filter(|_| record.is_wired()) else { return false };
    let goes_on = || {
        adopts(record.parent)
            && record.id.start >= marker.root.start
            && marker.is_on_the_wire(record)
            && !marker.root_lives(tree)
    };
    (marker.root == record.id || goes_on())
        && Resolution::of(record).runs_one_program()
        && !marker.is_guarded(record, tree)
}
