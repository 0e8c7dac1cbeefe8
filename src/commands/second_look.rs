//! The second look and further looks, which confirm a plan: only targets that are planned again and are quiet are
//! ended.

use std::time::Duration;

use super::output::notice;
use super::{Session, look};
use crate::plan::{Plan, Target};
use crate::process::Snapshot;
use crate::reap::{Kernel, Settling};
use crate::render::clean::clean;
use crate::render::figures::elapsed;
use crate::sys::OsKernel;

/// The time between looks at a target that is still finishing its work, and the minimum between the first two.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A signal handled on another thread does not interrupt this sleep, so sleep in slices.
const SLICE: Duration = Duration::from_millis(20);

/// A confirmed plan, and the table by which it was confirmed.
pub(super) struct Confirmed {
    /// What both looks planned.
    pub(super) plan: Plan,
    /// The table of the last look; `None` if there was no target, or a signal stopped the run before.
    pub(super) seen: Option<Snapshot>,
}

/// Looks again after `confirm_after`, then once a second while a target is still finishing its work, until `settle` has
/// passed since the first look. A target that is still at work then stays in the plan. If a signal stops the run
/// meanwhile, the plan is empty.
///
/// # Errors
/// When the process table cannot be read.
pub(super) fn confirm(session: &Session, mut plan: Plan, kernel: &mut OsKernel) -> anyhow::Result<Confirmed> {
    let begun = kernel.now();
    let until = begun.saturating_add(session.policy.settle);
    let mut settling = Settling::begin(&plan, kernel, begun);
    let mut pause = session.policy.confirm_after.max(LOOK_EVERY);
    let mut noticed = false;
    let mut seen = None;
    while !plan.targets.is_empty() {
        if !sleep(kernel, pause) {
            return Ok(Confirmed { plan: Plan { targets: Vec::new(), ..plan }, seen });
        }
        let (snapshot, scout) = look::take(session)?;
        let again = look::judge_for(session, &snapshot, scout, &plan.choice).plan;
        plan = plan.confirmed_by(&again).with_those_that_left(&snapshot);
        seen = Some(snapshot);
        let now = kernel.now();
        let finishing = settling.still_finishing(&plan, kernel, now);
        if finishing.is_empty() || now >= until {
            break;
        }
        if !noticed && !session.quiet {
            notice(&format!(
                "{}; waiting at most {} for it",
                still(&finishing),
                elapsed(until.saturating_sub(now))
            ));
            noticed = true;
        }
        pause = LOOK_EVERY.min(until.saturating_sub(now));
    }
    Ok(Confirmed { plan, seen })
}

fn still(finishing: &[&Target]) -> String {
    match finishing {
        [one] => format!("{} ({}) is still at work", clean(&one.server), one.root().pid),
        all => format!("{} servers are still at work", all.len()),
    }
}

/// Returns whether the whole time has passed without a signal to stop.
fn sleep(kernel: &OsKernel, time: Duration) -> bool {
    let until = kernel.now().saturating_add(time);
    loop {
        if kernel.interrupted().is_some() {
            return false;
        }
        let left = until.saturating_sub(kernel.now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(SLICE.min(left));
    }
}
