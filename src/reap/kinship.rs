//! Who was born to a target since the plan was made.

use std::collections::{HashMap, HashSet};

use super::kernel::Kin;
use crate::process::{Pid, ProcessId};

/// What is remembered from one look at the family to the next, so that a child is found although its
/// parent has ended meanwhile.
///
/// A child of a living member is found by its parent. One whose parent has ended was handed on to
/// somebody else; then two things still tell where it came from: the process group and the session,
/// which children inherit and which bear the number of the process that opened them. Where that
/// process is a target, whoever was born into its group or session after the first look is an
/// offspring of the target. Where it is not (most clients leave their servers in a group of their
/// own), group and session prove nothing, and nobody is taken by them.
#[derive(Debug, Default)]
pub(super) struct Kinship {
    /// Who was there at the first look; nobody among them is ever taken by group or session.
    before: Option<HashSet<ProcessId>>,
    /// Groups and sessions by their number: the member that leads them, and its target.
    led: HashMap<Pid, (ProcessId, usize)>,
}

impl Kinship {
    /// Those of the rows that belong to a target and are not known yet, with their target; one
    /// generation at a time.
    ///
    /// `known` are all processes met so far and `living` those of them that were alive when the
    /// rows had been read, by number.
    pub(super) fn born(
        &mut self,
        rows: &[Kin],
        known: &HashMap<ProcessId, usize>,
        living: &HashMap<Pid, usize>,
    ) -> Vec<(usize, Kin)> {
        let by_pid: HashMap<Pid, &Kin> = rows.iter().map(|kin| (kin.id.pid, kin)).collect();
        // The number has a new owner, so the group that bore it is gone and was given away too.
        self.led.retain(|pid, (leader, _)| by_pid.get(pid).is_none_or(|kin| kin.id == *leader));
        let of = |kin: &Kin| {
            living.get(&kin.parent).copied().or_else(|| {
                let late = self.before.as_ref().is_some_and(|before| !before.contains(&kin.id));
                (late && was_handed_on(kin, &by_pid)).then(|| self.leads(kin)).flatten()
            })
        };
        rows.iter()
            .filter(|kin| kin.id.pid > Pid(2) && !known.contains_key(&kin.id))
            .filter_map(|kin| Some((of(kin)?, *kin)))
            .collect()
    }

    /// Ends a look: who is there, and which groups and sessions are led by a member.
    pub(super) fn remember(&mut self, rows: &[Kin], known: &HashMap<ProcessId, usize>) {
        for kin in rows {
            let leads = kin.group == Some(kin.id.pid) || kin.session == Some(kin.id.pid);
            if let Some(target) = known.get(&kin.id).filter(|_| leads) {
                self.led.insert(kin.id.pid, (kin.id, *target));
            }
        }
        // A number is not given to anybody else while a process, a group or a session bears it
        // (kernel/pid.c). Once nobody did at the end of a look, it proves nothing at the next.
        let borne: HashSet<Pid> = rows.iter().flat_map(|kin| [kin.group, kin.session]).flatten().collect();
        self.led.retain(|pid, _| borne.contains(pid));
        self.before.get_or_insert_with(|| rows.iter().map(|kin| kin.id).collect());
    }

    /// Can an offspring still be found when all members have ended?
    pub(super) fn outlives_its_members(&self) -> bool {
        !self.led.is_empty()
    }

    fn leads(&self, kin: &Kin) -> Option<usize> {
        [kin.group, kin.session].into_iter().flatten().find_map(|pid| Some(self.led.get(&pid)?.1))
    }
}

/// Has its parent ended? Whoever forked it shared its session, and cannot have left it while it led
/// a group there; an adopter (`systemd --user`, a subreaper) has a session of its own. A parent that
/// is not in the table says nothing, except pid 1.
fn was_handed_on(kin: &Kin, by_pid: &HashMap<Pid, &Kin>) -> bool {
    kin.parent == Pid::INIT
        || by_pid.get(&kin.parent).is_some_and(|parent| {
            parent.session.is_some() && kin.session.is_some() && parent.session != kin.session
        })
}
