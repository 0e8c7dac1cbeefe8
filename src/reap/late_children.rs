//! Which processes were born to a target since the plan was made.
//!
//! A child of a living member is found by its parent. A child whose parent has ended was handed on to an
//! adopter, and what it inherited must prove where it came from:
//!
//! - its **process group** or **session**, where only members of one target were in it at the first look, and
//!   no other process since; or where a member opened it later, so that it bears that member's number;
//! - the **wires** on its descriptors 0 and 1, where at the first look only members of that target had them,
//!   on any descriptor, and both directions of the target's stdio connection are closed: then no other process is
//!   left that could have given them to it;
//! - on macOS its **lineage**: the number of the process that forked it, which is never given twice.
//!
//! What was there at the first look is never taken by what it inherited, and what was not read proves nothing.

use std::collections::{HashMap, HashSet};

use super::kernel::{Lookout, ProcessRow};
use crate::bytes::Argv;
use crate::classify::{Evidence, WireState};
use crate::plan::{Plan, Target};
use crate::process::{Pid, ProcessId};

/// One reading of the process table, with what the run knows of it.
pub(super) struct View<'a> {
    rows: &'a [ProcessRow],
    by_pid: HashMap<Pid, &'a ProcessRow>,
    /// Who is in each group and session.
    inside: HashMap<Pid, Vec<&'a ProcessRow>>,
    /// All processes of targets met so far, with their target.
    pub(super) known: HashMap<ProcessId, usize>,
    /// Those of them that were alive when the rows had been read, by number.
    pub(super) living: HashMap<Pid, usize>,
}

impl<'a> View<'a> {
    /// The rows, of which nothing is known yet.
    pub(super) fn new(rows: &'a [ProcessRow]) -> View<'a> {
        let mut inside: HashMap<Pid, Vec<&ProcessRow>> = HashMap::new();
        for row in rows {
            let session = row.session.filter(|session| Some(*session) != row.group);
            for number in row.group.into_iter().chain(session) {
                inside.entry(number).or_default().push(row);
            }
        }
        let by_pid = rows.iter().map(|row| (row.id.pid, row)).collect();
        View { rows, by_pid, inside, known: HashMap::new(), living: HashMap::new() }
    }

    fn parent(&self, row: &ProcessRow) -> Option<&'a ProcessRow> {
        self.by_pid.get(&row.parent).copied()
    }

    /// Processes that are no members: the rows that could be taken, or forbid it.
    fn unknown(&self) -> impl Iterator<Item = &'a ProcessRow> {
        self.rows.iter().filter(|row| !self.known.contains_key(&row.id))
    }
}

/// What is remembered from one look at the table to the next.
#[derive(Debug, Default)]
pub(super) struct LateChildren {
    /// Who was there at the first look; `None` until then.
    before: Option<HashSet<ProcessId>>,
    /// A look was not complete.
    failed: bool,
    /// Groups and sessions that prove something, by their number: their target, and the member that has the number,
    /// where it is still there.
    own: HashMap<Pid, (usize, Option<ProcessId>)>,
    /// Children of members that have ended and wait to be collected, with their target.
    dead: HashMap<ProcessId, usize>,
    /// Groups and sessions in which another process was seen. They prove nothing any more.
    shared: HashSet<Pid>,
    /// The wires that prove something, and of which target.
    wires: HashMap<u64, usize>,
    /// Members by the number that no other process ever has, with their target.
    lineage: HashMap<u64, usize>,
    /// The parent that each member had when it was seen last.
    parents: HashMap<ProcessId, Pid>,
    /// Processes that were seen to adopt a member.
    adopters: HashSet<ProcessId>,
    /// Numbers of those that had adopted a target's root when the plan was made.
    planned_adopters: HashSet<Pid>,
}

impl LateChildren {
    pub(super) fn of(plan: &Plan) -> LateChildren {
        let members = plan.targets.iter().flat_map(|target| &target.members);
        LateChildren {
            parents: members.map(|member| (member.id, member.parent)).collect(),
            planned_adopters: plan.targets.iter().filter_map(adopter).collect(),
            ..LateChildren::default()
        }
    }

    /// Not all of the table could be read: what appears later may have been there before, and which processes share a
    /// group may not be seen. From here on only children of the living are found.
    pub(super) fn give_up(&mut self) {
        *self = LateChildren { failed: true, ..LateChildren::default() };
    }

    /// Those of the rows that belong to a target and are not known yet, with their target; one generation
    /// at a time, children of the living first.
    pub(super) fn born(&mut self, view: &View<'_>, lookout: &mut impl Lookout) -> Vec<(usize, ProcessRow)> {
        let candidates = || view.unknown().filter(|row| row.id.pid > Pid(2) && row.ours && !row.zombie);
        let of_the_living: Vec<(usize, ProcessRow)> =
            candidates().filter_map(|row| Some((*view.living.get(&row.parent)?, *row))).collect();
        if !of_the_living.is_empty() || self.before.is_none() {
            return of_the_living;
        }
        self.note_adoptions(view);
        // The number has a new owner, so the group that bore it is gone, and the number was given away.
        self.own.retain(|pid, (_, leader)| view.by_pid.get(pid).is_none_or(|row| Some(row.id) == *leader));
        self.drop_shared(view, lookout);
        let late: Vec<&ProcessRow> = candidates().filter(|row| self.is_late(row)).collect();
        let mut born = Vec::new();
        for row in late {
            let born_to = row.lineage.and_then(|lineage| self.lineage.get(&lineage.parent).copied());
            let target = born_to.or_else(|| self.grouped(row)).or_else(|| self.wired(row.id, lookout));
            if let Some(target) = target
                && self.was_handed_on(row, view, lookout)
            {
                born.push((target, *row));
            }
        }
        born
    }

    /// Ends a look: what may prove something at the next.
    pub(super) fn remember(&mut self, plan: &Plan, view: &View<'_>, lookout: &mut impl Lookout) {
        if self.failed {
            return;
        }
        self.note_adoptions(view);
        let members = view.rows.iter().filter_map(|row| Some((row.lineage?.own, *view.known.get(&row.id)?)));
        self.lineage.extend(members);
        let dead = view.unknown().filter(|row| row.zombie);
        self.dead.extend(dead.filter_map(|row| Some((row.id, *view.known.get(&view.parent(row)?.id)?))));
        // A number is not given to another process while a process, a group or a session bears it (kernel/pid.c). So
        // a process gets its group from one that is in it, and a group that bears a member's number was opened by
        // that member. Once no process bore it at the end of a look, it proves nothing at the next.
        self.own.retain(|pid, _| view.inside.contains_key(pid));
        for (pid, rows) in &view.inside {
            let leader = view.by_pid.get(pid).map(|row| row.id).filter(|id| view.known.contains_key(id));
            let new = self.before.is_none() || leader.is_some() && !self.own.contains_key(pid);
            let Some(target) = rows.iter().find_map(|row| view.known.get(&row.id)).filter(|_| new) else {
                continue;
            };
            if self.shared.contains(pid) || !rows.iter().all(|row| self.is_of(*target, row, view)) {
                self.shared.insert(*pid);
            } else {
                self.own.insert(*pid, (*target, leader));
            }
        }
        if self.before.is_none() {
            self.before = Some(view.rows.iter().map(|row| row.id).collect());
            self.wires = own_wires(plan, view, lookout);
        }
    }

    /// Can a child still be found when all members have ended?
    pub(super) fn outlives_its_members(&self) -> bool {
        !self.own.is_empty() || !self.wires.is_empty() || !self.lineage.is_empty()
    }

    /// A member of this target, dead or alive, or a dead child of one.
    fn is_of(&self, target: usize, row: &ProcessRow, view: &View<'_>) -> bool {
        view.known.get(&row.id).or_else(|| self.dead.get(&row.id)) == Some(&target)
    }

    fn is_late(&self, row: &ProcessRow) -> bool {
        self.before.as_ref().is_some_and(|before| !before.contains(&row.id))
    }

    /// The target whose members alone were in this one's group or session.
    fn grouped(&self, row: &ProcessRow) -> Option<usize> {
        [row.group, row.session].into_iter().flatten().find_map(|pid| Some(self.own.get(&pid)?.0))
    }

    /// The target whose wires these are, if they are those of one alone.
    fn wired(&self, id: ProcessId, lookout: &mut impl Lookout) -> Option<usize> {
        if self.wires.is_empty() {
            return None;
        }
        let mut targets = lookout.wires(id)?.into_iter().filter(|wire| wire.fd < 2);
        let first = targets.find_map(|wire| self.wires.get(&wire.number).copied())?;
        targets
            .all(|wire| self.wires.get(&wire.number).is_none_or(|target| *target == first))
            .then_some(first)
    }

    /// Only an adopter gets children that it did not start: pid 1, the person's service manager, and any other process
    /// that was seen to have adopted a member.
    fn was_handed_on(&self, row: &ProcessRow, view: &View<'_>, lookout: &mut impl Lookout) -> bool {
        row.parent == Pid::INIT
            || view.parent(row).is_some_and(|parent| {
                self.adopters.contains(&parent.id)
                    || parent.uid == row.uid && is_user_manager(&lookout.argv(parent.id))
            })
    }

    /// A member whose parent is another than before was adopted by it.
    fn note_adoptions(&mut self, view: &View<'_>) {
        for row in view.rows {
            if self.planned_adopters.remove(&row.id.pid) {
                self.adopters.insert(row.id);
            }
            if view.known.contains_key(&row.id)
                && self.parents.insert(row.id, row.parent).is_some_and(|before| before != row.parent)
                && let Some(parent) = view.parent(row).filter(|parent| !view.known.contains_key(&parent.id))
            {
                self.adopters.insert(parent.id);
            }
        }
    }

    /// A group or session in which a stranger is seen proves nothing any more: the stranger may
    /// have children in it too.
    fn drop_shared(&mut self, view: &View<'_>, lookout: &mut impl Lookout) {
        let own: Vec<(Pid, usize)> = self.own.iter().map(|(pid, (target, _))| (*pid, *target)).collect();
        for (pid, target) in own {
            let mut others =
                view.inside.get(&pid).into_iter().flatten().filter(|row| !self.is_of(target, row, view));
            if others.any(|row| self.is_strange(row, pid, view, lookout)) {
                self.own.remove(&pid);
                self.shared.insert(pid);
            }
        }
    }

    /// Does this row of such a group forbid it? Not if it can have come from a member: it, or the topmost
    /// of its unknown ancestors, is late, in the same group, and was handed on. Nor if its parent is missing
    /// from the table: that row is a moment old, and the next look decides.
    fn is_strange(&self, row: &ProcessRow, group: Pid, view: &View<'_>, lookout: &mut impl Lookout) -> bool {
        if view.known.contains_key(&row.id) {
            return true;
        }
        let mut top = row;
        for _ in 0..view.rows.len() {
            match view.parent(top) {
                None if top.parent != Pid::INIT => return false,
                Some(above) if view.known.contains_key(&above.id) => return false,
                Some(above) if is_in(above, group) => top = above,
                _ => break,
            }
        }
        !(self.is_late(top) && self.was_handed_on(top, view, lookout))
    }
}

fn is_in(row: &ProcessRow, group: Pid) -> bool {
    row.group == Some(group) || row.session == Some(group)
}

/// The wires that one target's members have on 0 or 1 and no other process on any descriptor, for targets whose
/// stdio connection is closed in both directions.
///
/// A neighbour (of a member's session or group) whose descriptors cannot be read may have any.
fn own_wires(plan: &Plan, view: &View<'_>, lookout: &mut impl Lookout) -> HashMap<u64, usize> {
    let mut own: HashMap<u64, usize> = HashMap::new();
    let mut shared = HashSet::new();
    let members: Vec<(&ProcessRow, usize)> =
        view.rows.iter().filter_map(|row| Some((row, *view.known.get(&row.id)?))).collect();
    for (row, target) in &members {
        for wire in lookout.wires(row.id).unwrap_or_default().iter().filter(|wire| wire.fd < 2) {
            if own.insert(wire.number, *target).is_some_and(|other| other != *target) {
                shared.insert(wire.number);
            }
        }
    }
    own.retain(|wire, target| wire_is_closed(&plan.targets[*target]) && !shared.contains(wire));
    for row in view.unknown().filter(|row| !row.zombie) {
        if own.is_empty() {
            break;
        }
        if let Some(theirs) = lookout.wires(row.id) {
            own.retain(|number, _| theirs.iter().all(|wire| wire.number != *number));
        } else {
            let near = |member: &ProcessRow| member.session == row.session || member.group == row.group;
            let nearby: HashSet<usize> =
                members.iter().filter(|(member, _)| near(member)).map(|(_, target)| *target).collect();
            own.retain(|_, target| !nearby.contains(target));
        }
    }
    own
}

/// Both directions of the target's stdio connection are known to be closed.
fn wire_is_closed(target: &Target) -> bool {
    let closed = |wanted: &str| {
        let wire = |seen: &Evidence| matches!(seen, Evidence::Wire { direction, state: WireState::Closed, .. } if *direction == wanted);
        target.evidence.iter().any(wire)
    };
    closed("stdin") && closed("stdout")
}

/// The process that had adopted the target's root when it was judged.
fn adopter(target: &Target) -> Option<Pid> {
    target.evidence.iter().find_map(|seen| match seen {
        Evidence::OwnerGone { pid, .. } => Some(*pid),
        _ => None,
    })
}

/// `systemd --user`, under any path: it adopts what its sessions leave.
fn is_user_manager(argv: &Argv) -> bool {
    let mut words = argv.iter();
    let program = words.next().and_then(|word| word.rsplit(|byte| *byte == b'/').next());
    program == Some(b"systemd".as_slice()) && words.any(|word| word == b"--user")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_persons_service_manager_is_known_by_what_it_runs() {
        let is = |argv: &[&str]| is_user_manager(&argv.iter().copied().collect());
        assert!(is(&["/usr/lib/systemd/systemd", "--user"]));
        assert!(is(&["systemd", "--log-level=debug", "--user"]));
        for other in [&["/sbin/init"][..], &["systemd", "--system"], &["bash", "systemd", "--user"], &[]] {
            assert!(!is(other), "{other:?}");
        }
    }
}
