//! Who was born to a target since the plan was made.

use std::collections::{HashMap, HashSet};

use super::kernel::{ProcessRow, Wires};
use crate::process::{Pid, ProcessId};

/// What is remembered from one look at the family to the next, so that a child is found although its
/// parent has ended meanwhile.
///
/// A child of a living member is found by its parent. One whose parent has ended was handed on to
/// somebody else; then three things still tell where it came from, all inherited:
///
/// - the process group and the session, which bear the number of the process that opened them: where
///   that process is a target, whoever was born into its group or session after the first look is an
///   offspring of the target;
/// - the wires on its descriptors 0 and 1: a client makes them for each server it starts, so only what
///   came from that server has them. Where anybody else had the same at the first look (the client
///   passed its own on, a daemon went its own way, `tee` reads there), they prove nothing; nor while
///   whoever made them may live and give them to another.
///
/// Group and session of the client (most leave their servers there) prove nothing, and nobody is
/// taken by them.
#[derive(Debug, Default)]
pub(super) struct LateChildren {
    /// Who was there at the first look; nobody among them is ever taken by what he inherited.
    before: Option<HashSet<ProcessId>>,
    /// Groups and sessions by their number: the member that opened them, and its target.
    led: HashMap<Pid, (ProcessId, usize)>,
    /// Wires that this target's members alone had on 0 or 1 at the first look, and whose maker is gone.
    wires: HashMap<u64, usize>,
}

impl LateChildren {
    /// Those of the rows that belong to a target and are not known yet, with their target; one
    /// generation at a time.
    ///
    /// `known` are all processes met so far and `living` those of them that were alive when the
    /// rows had been read, by number.
    pub(super) fn born(
        &mut self,
        rows: &[ProcessRow],
        known: &HashMap<ProcessId, usize>,
        living: &HashMap<Pid, usize>,
        mut wires: impl FnMut(ProcessId) -> Option<Wires>,
    ) -> Vec<(usize, ProcessRow)> {
        let by_pid: HashMap<Pid, &ProcessRow> = rows.iter().map(|kin| (kin.id.pid, kin)).collect();
        // The number has a new owner, so the group that bore it is gone and was given away too.
        self.led.retain(|pid, (leader, _)| by_pid.get(pid).is_none_or(|kin| kin.id == *leader));
        let mut of = |kin: &ProcessRow| {
            living.get(&kin.parent).copied().or_else(|| {
                let late = self.before.as_ref().is_some_and(|before| !before.contains(&kin.id));
                if !late || !was_handed_on(kin, &by_pid) {
                    return None;
                }
                self.leads(kin).or_else(|| self.wired(|| wires(kin.id)))
            })
        };
        rows.iter()
            .filter(|kin| kin.id.pid > Pid(2) && !known.contains_key(&kin.id))
            .filter_map(|kin| Some((of(kin)?, *kin)))
            .collect()
    }

    /// Ends a look: who is there, and which groups and sessions were opened by a member. `orphaned`
    /// tells whether the owner of a target has ended.
    pub(super) fn remember(
        &mut self,
        rows: &[ProcessRow],
        known: &HashMap<ProcessId, usize>,
        orphaned: impl Fn(usize) -> bool,
        wires: impl FnMut(ProcessId) -> Option<Wires>,
    ) {
        for kin in rows {
            if let Some(target) = known.get(&kin.id) {
                self.led.insert(kin.id.pid, (kin.id, *target));
            }
        }
        // A number is not given to anybody else while a process, a group or a session bears it
        // (kernel/pid.c). So a group that bears a member's number was opened by that member, and once
        // nobody bore it at the end of a look, it proves nothing at the next.
        let borne: HashSet<Pid> = rows.iter().flat_map(|kin| [kin.group, kin.session]).flatten().collect();
        self.led.retain(|pid, _| borne.contains(pid));
        if self.before.is_none() {
            self.before = Some(rows.iter().map(|kin| kin.id).collect());
            self.wires = own_wires(rows, known, orphaned, wires);
        }
    }

    /// Can an offspring still be found when all members have ended?
    pub(super) fn outlives_its_members(&self) -> bool {
        !self.led.is_empty() || !self.wires.is_empty()
    }

    fn leads(&self, kin: &ProcessRow) -> Option<usize> {
        [kin.group, kin.session].into_iter().flatten().find_map(|pid| Some(self.led.get(&pid)?.1))
    }

    /// The target whose wires these are, if they are those of one alone.
    fn wired(&self, wires: impl FnOnce() -> Option<Wires>) -> Option<usize> {
        if self.wires.is_empty() {
            return None;
        }
        let [stdin, stdout, _] = wires()?;
        let of = |wire: Option<u64>| self.wires.get(&wire?).copied();
        match (of(stdin), of(stdout)) {
            (Some(one), Some(other)) if one != other => None,
            (one, other) => one.or(other),
        }
    }
}

/// The wires that one orphaned target's members have on 0 or 1 and nobody else in the table has on 0, 1
/// or 2.
///
/// A neighbour (of a member's session or group) whose descriptors cannot be read may have any.
fn own_wires(
    rows: &[ProcessRow],
    known: &HashMap<ProcessId, usize>,
    orphaned: impl Fn(usize) -> bool,
    mut wires: impl FnMut(ProcessId) -> Option<Wires>,
) -> HashMap<u64, usize> {
    let mut own = HashMap::new();
    let mut shared = HashSet::new();
    let members: Vec<(&ProcessRow, usize)> =
        rows.iter().filter_map(|kin| Some((kin, *known.get(&kin.id)?))).collect();
    for (kin, target) in &members {
        let Some([stdin, stdout, _]) = wires(kin.id) else { continue };
        for wire in [stdin, stdout].into_iter().flatten() {
            if own.insert(wire, *target).is_some_and(|other| other != *target) {
                shared.insert(wire);
            }
        }
    }
    own.retain(|wire, target| orphaned(*target) && !shared.contains(wire));
    for kin in rows.iter().filter(|kin| !known.contains_key(&kin.id)) {
        if own.is_empty() {
            break;
        }
        if let Some(theirs) = wires(kin.id) {
            own.retain(|wire, _| !theirs.contains(&Some(*wire)));
        } else {
            let near = |member: &ProcessRow| member.session == kin.session || member.group == kin.group;
            let nearby: HashSet<usize> =
                members.iter().filter(|(member, _)| near(member)).map(|(_, target)| *target).collect();
            own.retain(|_, target| !nearby.contains(target));
        }
    }
    own
}

/// Has its parent ended? Whoever forked it shared its session, and cannot have left it while it led
/// a group there; an adopter (`systemd --user`, a subreaper) has a session of its own. A parent that
/// is not in the table says nothing, except pid 1.
fn was_handed_on(kin: &ProcessRow, by_pid: &HashMap<Pid, &ProcessRow>) -> bool {
    kin.parent == Pid::INIT
        || by_pid.get(&kin.parent).is_some_and(|parent| {
            parent.session.is_some() && kin.session.is_some() && parent.session != kin.session
        })
}
