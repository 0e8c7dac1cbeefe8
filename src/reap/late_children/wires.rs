//! Wires that prove to which target a process belongs.

use std::collections::{HashMap, HashSet};

use super::table::TableView;
use crate::classify::{Evidence, WireState};
use crate::plan::{Plan, Target};
use crate::process::ProcessId;
use crate::reap::kernel::{Lookout, ProcessRow};

/// The wires that only one target's members hold, with that target. They are on a member's descriptor 0 or 1, no other
/// process has them on any descriptor, and both directions of the target's stdio connection are closed.
///
/// A process whose descriptors cannot be read may hold any wire of a target with which it shares a session or group.
pub(super) fn exclusive_wires(
    plan: &Plan,
    view: &TableView<'_>,
    lookout: &mut impl Lookout,
) -> HashMap<u64, usize> {
    let mut exclusive: HashMap<u64, usize> = HashMap::new();
    let mut shared = HashSet::new();
    let members: Vec<(&ProcessRow, usize)> =
        view.rows.iter().filter_map(|row| Some((row, *view.members.get(&row.id)?))).collect();
    for (row, target) in &members {
        for wire in lookout.wires(row.id).unwrap_or_default().iter().filter(|wire| wire.fd < 2) {
            if exclusive.insert(wire.number, *target).is_some_and(|other| other != *target) {
                shared.insert(wire.number);
            }
        }
    }
    exclusive.retain(|wire, target| is_wire_closed(&plan.targets[*target]) && !shared.contains(wire));
    for row in view.non_members().filter(|row| !row.zombie) {
        if exclusive.is_empty() {
            break;
        }
        if let Some(theirs) = lookout.wires(row.id) {
            exclusive.retain(|number, _| theirs.iter().all(|wire| wire.number != *number));
        } else {
            let is_near = |member: &ProcessRow| member.session == row.session || member.group == row.group;
            let near: HashSet<usize> =
                members.iter().filter(|(member, _)| is_near(member)).map(|(_, target)| *target).collect();
            exclusive.retain(|_, target| !near.contains(target));
        }
    }
    exclusive
}

/// The target whose exclusive wires this process has on its descriptors 0 and 1; `None` where they are those of two
/// targets.
pub(super) fn target_of_wires(
    exclusive: &HashMap<u64, usize>,
    id: ProcessId,
    lookout: &mut impl Lookout,
) -> Option<usize> {
    if exclusive.is_empty() {
        return None;
    }
    let wires = lookout.wires(id)?.into_iter().filter(|wire| wire.fd < 2);
    let mut targets = wires.filter_map(|wire| exclusive.get(&wire.number).copied());
    let first = targets.next()?;
    targets.all(|target| target == first).then_some(first)
}

/// Both directions of the target's stdio connection are known to be closed.
fn is_wire_closed(target: &Target) -> bool {
    ["stdin", "stdout"].iter().all(|wanted| {
        target.evidence.iter().any(|seen| {
            matches!(seen, Evidence::Wire { direction, state: WireState::Closed, .. } if direction == wanted)
        })
    })
}
