//! Is a target still finishing its work? A server that obeys the end of its input saves what it knows and
//! leaves; it looks like an orphan meanwhile.

use std::collections::HashMap;
use std::time::Duration;

use super::kernel::{Activity, Lookout};
use crate::plan::{Plan, Target};
use crate::process::ProcessId;

/// Processor time of a target in each second that counts as work. Idle servers with timers use less than
/// 10 ms a second, a busy loop or a server that saves uses all of it.
const WORK: Duration = Duration::from_millis(50);

/// A target that has moved must be quiet this many looks in a row: a server that saves in bursts pauses between them.
const QUIET_LOOKS: u32 = 2;

/// What the targets of a plan do from look to look.
#[derive(Debug)]
pub struct Settling {
    /// What each member had done at the last look.
    before: HashMap<ProcessId, Activity>,
    /// When that was.
    at: Duration,
    /// For targets that have moved, by root: how many more quiet looks they need.
    owes: HashMap<ProcessId, u32>,
}

impl Settling {
    /// Begins to watch, `now` on any clock that only goes forward.
    pub fn begin(plan: &Plan, lookout: &mut impl Lookout, now: Duration) -> Settling {
        Settling { before: activities(plan, lookout), at: now, owes: HashMap::new() }
    }

    /// Looks again: which targets of the plan (which may have lost some) are still finishing?
    pub fn still_finishing<'p>(
        &mut self,
        plan: &'p Plan,
        lookout: &mut impl Lookout,
        now: Duration,
    ) -> Vec<&'p Target> {
        let after = activities(plan, lookout);
        let elapsed = now.saturating_sub(self.at);
        let mut finishing = Vec::new();
        for target in &plan.targets {
            let root = target.root();
            if self.has_moved(target, &after, elapsed) {
                self.owes.insert(root, QUIET_LOOKS);
            } else if let Some(owes) = self.owes.get_mut(&root) {
                *owes = owes.saturating_sub(1);
            }
            if self.owes.get(&root).is_some_and(|owes| *owes > 0) {
                finishing.push(target);
            }
        }
        (self.before, self.at) = (after, now);
        finishing
    }

    /// Did its members together use the processor, or write anything? A new member has done all of it
    /// since the last look.
    fn has_moved(&self, target: &Target, after: &HashMap<ProcessId, Activity>, elapsed: Duration) -> bool {
        let mut cpu = Duration::ZERO;
        let mut wrote = false;
        for member in &target.members {
            let Some(now) = after.get(&member.id) else { continue };
            let before = self.before.get(&member.id).copied().unwrap_or_default();
            cpu += now.cpu.saturating_sub(before.cpu);
            wrote |= now.written.is_some_and(|written| written > before.written.unwrap_or(0));
        }
        wrote || cpu.as_secs_f64() >= WORK.as_secs_f64() * elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

fn activities(plan: &Plan, lookout: &mut impl Lookout) -> HashMap<ProcessId, Activity> {
    let members = plan.targets.iter().flat_map(|target| &target.members);
    members.filter_map(|member| Some((member.id, lookout.activity(member.id)?))).collect()
}
