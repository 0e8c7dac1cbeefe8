//! Makes a plan, of all instances that nobody uses or of those that a person chose.

use std::collections::HashSet;

use super::{Plan, Why, forbidden, ours, target};
use crate::classify::{Finding, Judgement, Verdict};
use crate::look::Look;
use crate::policy::Policy;
use crate::process::ProcessId;

/// Which instances a plan is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// All whose verdict ends them.
    #[default]
    Unused,
    /// Those that a person chose, whatever their verdict.
    Chosen {
        /// The roots of the instances.
        roots: HashSet<ProcessId>,
        /// Also end those that are in use or may be: the person agreed to that.
        in_use: bool,
    },
}

impl Plan {
    /// Plans to end every instance whose verdict ends it, unless one of its members must never be a target.
    pub fn of_unused(judgement: &Judgement<'_>, look: &Look<'_>, policy: &Policy) -> Plan {
        Plan::of(judgement, look, policy, &Choice::Unused)
    }

    /// The plan for a choice. An instance that a person chose is ended whatever its verdict, unless it is allowed, managed
    /// or never a target. One that is in use, or may be, is ended only where the choice says so.
    pub fn of(judgement: &Judgement<'_>, look: &Look<'_>, policy: &Policy, choice: &Choice) -> Plan {
        let ours = ours(look);
        let mut plan = Plan { choice: choice.clone(), ..Plan::default() };
        for finding in &judgement.findings {
            let refused = match choice {
                Choice::Unused if finding.verdict.ends(policy.detached) => None,
                Choice::Chosen { roots, in_use } if roots.contains(&finding.instance.root.id) => {
                    refused(finding, *in_use)
                }
                _ => continue,
            };
            let mut target = target(finding, &look.roles);
            match refused.or_else(|| forbidden(finding, &ours, look, policy)) {
                Some(why) => plan.withheld.push(target.withheld(why)),
                None => {
                    if *choice != Choice::Unused {
                        target.reason = format!("chosen by a person; {}", target.reason);
                    }
                    plan.targets.push(target);
                }
            }
        }
        plan
    }

    /// Does nothing that a person chose stay? What ended by itself does not stay.
    pub fn ends_all_chosen(&self) -> bool {
        self.choice == Choice::Unused || self.withheld.iter().all(|withheld| withheld.why == Why::Left)
    }
}

/// Why this verdict forbids what a person chose.
fn refused(finding: &Finding<'_>, in_use: bool) -> Option<Why> {
    match finding.verdict {
        Verdict::Allowed => Some(Why::Allowed),
        Verdict::Managed => Some(Why::Managed),
        Verdict::InUse if !in_use => Some(Why::InUse),
        Verdict::Undetermined if !in_use => Some(Why::MayBeInUse),
        _ => None,
    }
}
