//! Tells whether a target is still finishing its work. A server that obeys the end of its input may save data before it
//! ends, and looks like an orphan meanwhile.

use std::collections::HashMap;
use std::time::Duration;

use super::kernel::{Activity, Lookout};
use crate::plan::{Plan, Target};
use crate::process::ProcessId;

/// Processor time per second from which a target counts as working. Idle servers with timers use less than 10 ms a
/// second; a busy loop or a server that saves uses the whole second.
const WORK: Duration = Duration::from_millis(50);

/// A target that was active must be quiet for this many looks in a row: a server that saves in bursts pauses between
/// them.
const QUIET_LOOKS: u32 = 2;

/// Compares the activity of a plan's targets from look to look.
#[derive(Debug)]
pub struct Settling {
    /// What each member had done at the last look.
    before: HashMap<ProcessId, Activity>,
    /// When the last look was.
    at: Duration,
    /// How many more quiet looks a target that was active needs, by its root.
    looks_needed: HashMap<ProcessId, u32>,
}

impl Settling {
    /// Takes the first look. `now` is of any clock that only goes forward.
    pub fn begin(plan: &Plan, lookout: &mut impl Lookout, now: Duration) -> Settling {
        Settling { before: activities(plan, lookout), at: now, looks_needed: HashMap::new() }
    }

    /// Looks again, and returns the targets that are still finishing. The plan may have fewer targets than before.
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
            if self.was_active(target, &after, elapsed) {
                self.looks_needed.insert(root, QUIET_LOOKS);
            } else if let Some(needed) = self.looks_needed.get_mut(&root) {
                *needed = needed.saturating_sub(1);
            }
            if self.looks_needed.get(&root).is_some_and(|needed| *needed > 0) {
                finishing.push(target);
            }
        }
        (self.before, self.at) = (after, now);
        finishing
    }

    /// Did its members together use the processor, or write anything, since the last look? A member that was not there
    /// at the last look counts with all that it has done.
    fn was_active(&self, target: &Target, after: &HashMap<ProcessId, Activity>, elapsed: Duration) -> bool {
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
