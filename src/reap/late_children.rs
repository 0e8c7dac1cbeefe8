//! Finds processes that a target started after the plan was made.
//!
//! A child of a living member is found by its parent. A child whose parent has ended was handed on to an
//! adopter, and something that it inherited must prove which target it came from:
//!
//! - its **process group** or **session**. Either only members of one target were in it at the first look, and
//!   no other process since; or a member opened it later, so that it bears that member's number;
//! - the **wires** on its descriptors 0 and 1. At the first look only members of that target held them, on any
//!   descriptor, and both directions of the target's stdio connection are closed. So no other process is left that
//!   could have passed them on;
//! - on macOS its **lineage**: the number of the process that forked it, which is never given twice.
//!
//! A process that was there at the first look is never taken for what it inherited. A value that could not be read
//! proves nothing.

mod table;
mod wires;

use std::collections::{HashMap, HashSet};

use super::kernel::{Lookout, ProcessRow};
use crate::bytes::Argv;
use crate::classify::Evidence;
use crate::plan::{Plan, Target};
use crate::process::{Pid, ProcessId};
pub(super) use table::TableView;
use wires::{exclusive_wires, target_of_wires};

/// What is remembered from one look at the table to the next.
#[derive(Debug, Default)]
pub(super) struct LateChildren {
    /// The processes of the first look; `None` before it.
    at_first_look: Option<HashSet<ProcessId>>,
    /// A look was not complete.
    incomplete: bool,
    /// Groups and sessions that prove a target, by their id: that target, and the member whose pid the id is, while
    /// that member is in the table.
    exclusive_groups: HashMap<Pid, (usize, Option<ProcessId>)>,
    /// Groups and sessions in which a process outside the target was seen. They prove nothing any more.
    shared_groups: HashSet<Pid>,
    /// Zombies whose parent is a member, with its target.
    zombie_children: HashMap<ProcessId, usize>,
    /// Wires that prove a target, and that target.
    exclusive_wires: HashMap<u64, usize>,
    /// The target of each member, by the number that no other process ever has (macOS).
    lineages: HashMap<u64, usize>,
    /// The parent of each member when it was seen last.
    parents: HashMap<ProcessId, Pid>,
    /// Processes that were seen to adopt a member.
    adopters: HashSet<ProcessId>,
    /// Pids of the processes that had adopted a target's root when the plan was made.
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

    /// Called when a look could not read the whole table. A process that appears later may have been there before, and
    /// a group may have more members than were seen. So from now on only children of living members are found.
    pub(super) fn give_up_proofs(&mut self) {
        *self = LateChildren { incomplete: true, ..LateChildren::default() };
    }

    /// The rows that belong to a target and are not its members yet, each with its target. Finds one generation at a
    /// time, children of living members first.
    pub(super) fn find(
        &mut self,
        view: &TableView<'_>,
        lookout: &mut impl Lookout,
    ) -> Vec<(usize, ProcessRow)> {
        let candidates = || view.non_members().filter(|row| row.id.pid > Pid(2) && row.ours && !row.zombie);
        let of_living: Vec<(usize, ProcessRow)> =
            candidates().filter_map(|row| Some((*view.living.get(&row.parent)?, *row))).collect();
        if !of_living.is_empty() || self.at_first_look.is_none() {
            return of_living;
        }
        self.note_adoptions(view);
        // Another process has this pid now. So the group with this id had ended before, and the id is free for others.
        self.exclusive_groups
            .retain(|pid, (_, leader)| view.get(*pid).is_none_or(|row| Some(row.id) == *leader));
        self.drop_shared_groups(view, lookout);
        let late: Vec<&ProcessRow> = candidates().filter(|row| self.is_late(row)).collect();
        let mut found = Vec::new();
        for row in late {
            let by_lineage = row.lineage.and_then(|lineage| self.lineages.get(&lineage.parent).copied());
            let target = by_lineage
                .or_else(|| self.target_of_groups(row))
                .or_else(|| target_of_wires(&self.exclusive_wires, row.id, lookout));
            if let Some(target) = target
                && self.was_handed_on(row, view, lookout)
            {
                found.push((target, *row));
            }
        }
        found
    }

    /// Ends a look: notes what may prove something at the next one.
    pub(super) fn remember(&mut self, plan: &Plan, view: &TableView<'_>, lookout: &mut impl Lookout) {
        if self.incomplete {
            return;
        }
        self.note_adoptions(view);
        let members =
            view.rows.iter().filter_map(|row| Some((row.lineage?.own, *view.members.get(&row.id)?)));
        self.lineages.extend(members);
        let zombies = view.non_members().filter(|row| row.zombie);
        self.zombie_children
            .extend(zombies.filter_map(|row| Some((row.id, *view.members.get(&view.parent(row)?.id)?))));
        // The kernel gives a number to no other process while a process, a group or a session bears it (kernel/pid.c).
        // So a process can get its group only from a process in it, and a group that bears a member's number was
        // opened by that member. A number that no process bore at the end of a look proves nothing at the next.
        self.exclusive_groups.retain(|pid, _| view.by_group.contains_key(pid));
        for (pid, rows) in &view.by_group {
            let leader = view.get(*pid).filter(|row| view.is_member(row)).map(|row| row.id);
            let is_new =
                self.at_first_look.is_none() || leader.is_some() && !self.exclusive_groups.contains_key(pid);
            let Some(target) = rows.iter().find_map(|row| view.members.get(&row.id)).filter(|_| is_new)
            else {
                continue;
            };
            if self.shared_groups.contains(pid) || !rows.iter().all(|row| self.belongs_to(*target, row, view))
            {
                self.shared_groups.insert(*pid);
            } else {
                self.exclusive_groups.insert(*pid, (*target, leader));
            }
        }
        if self.at_first_look.is_none() {
            self.at_first_look = Some(view.rows.iter().map(|row| row.id).collect());
            self.exclusive_wires = exclusive_wires(plan, view, lookout);
        }
    }

    /// Can a child still be found when all members have ended?
    pub(super) fn can_find_orphans(&self) -> bool {
        !self.exclusive_groups.is_empty() || !self.exclusive_wires.is_empty() || !self.lineages.is_empty()
    }

    /// Is it a member of this target, or a zombie child of one?
    fn belongs_to(&self, target: usize, row: &ProcessRow, view: &TableView<'_>) -> bool {
        view.members.get(&row.id).or_else(|| self.zombie_children.get(&row.id)) == Some(&target)
    }

    fn is_late(&self, row: &ProcessRow) -> bool {
        self.at_first_look.as_ref().is_some_and(|earlier| !earlier.contains(&row.id))
    }

    fn target_of_groups(&self, row: &ProcessRow) -> Option<usize> {
        [row.group, row.session]
            .into_iter()
            .flatten()
            .find_map(|pid| Some(self.exclusive_groups.get(&pid)?.0))
    }

    /// Only an adopter becomes the parent of a process that it did not start: pid 1, the person's service manager, or
    /// another process that was seen to adopt a member.
    fn was_handed_on(&self, row: &ProcessRow, view: &TableView<'_>, lookout: &mut impl Lookout) -> bool {
        row.parent == Pid::INIT
            || view.parent(row).is_some_and(|parent| {
                self.adopters.contains(&parent.id)
                    || parent.uid == row.uid && is_user_manager(&lookout.argv(parent.id))
            })
    }

    /// A member whose parent has changed was adopted by its new parent.
    fn note_adoptions(&mut self, view: &TableView<'_>) {
        for row in view.rows {
            if self.planned_adopters.remove(&row.id.pid) {
                self.adopters.insert(row.id);
            }
            if view.is_member(row)
                && self.parents.insert(row.id, row.parent).is_some_and(|before| before != row.parent)
                && let Some(parent) = view.parent(row).filter(|parent| !view.is_member(parent))
            {
                self.adopters.insert(parent.id);
            }
        }
    }

    /// Drops the groups and sessions in which an outsider is seen: its children may be in them too.
    fn drop_shared_groups(&mut self, view: &TableView<'_>, lookout: &mut impl Lookout) {
        let groups: Vec<(Pid, usize)> =
            self.exclusive_groups.iter().map(|(pid, (target, _))| (*pid, *target)).collect();
        for (pid, target) in groups {
            let mut others = view
                .by_group
                .get(&pid)
                .into_iter()
                .flatten()
                .filter(|row| !self.belongs_to(target, row, view));
            if others.any(|row| self.is_outsider(row, pid, view, lookout)) {
                self.exclusive_groups.remove(&pid);
                self.shared_groups.insert(pid);
            }
        }
    }

    /// Does this row of a target's group come from somewhere else?
    ///
    /// It does not where it can come from a member: the row itself, or its topmost ancestor in the same group that is no
    /// member, is late and was handed on. Nor where its parent is missing from the table, which was then read while
    /// the parent ended: the next look decides.
    fn is_outsider(
        &self,
        row: &ProcessRow,
        group: Pid,
        view: &TableView<'_>,
        lookout: &mut impl Lookout,
    ) -> bool {
        if view.is_member(row) {
            return true;
        }
        let mut top = row;
        for _ in 0..view.rows.len() {
            match view.parent(top) {
                None if top.parent != Pid::INIT => return false,
                Some(above) if view.is_member(above) => return false,
                Some(above) if above.group == Some(group) || above.session == Some(group) => top = above,
                _ => break,
            }
        }
        !(self.is_late(top) && self.was_handed_on(top, view, lookout))
    }
}

/// The process that had adopted the target's root when it was judged.
fn adopter(target: &Target) -> Option<Pid> {
    target.evidence.iter().find_map(|seen| match seen {
        Evidence::OwnerGone { pid, .. } => Some(*pid),
        _ => None,
    })
}

/// `systemd --user`, under any path, adopts the orphans of its sessions.
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
