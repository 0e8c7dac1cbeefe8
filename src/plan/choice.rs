//! What a plan is made of: what nobody uses, or what a person chose.

use std::collections::HashSet;

use super::{Plan, WithheldReason, forbidden, ours, target};
use crate::classify::{Finding, Judgement, Verdict};
use crate::look::Look;
use crate::policy::Policy;
use crate::process::ProcessId;

/// Which instances a plan is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Those that the verdict ends.
    #[default]
    Unused,
    /// Those that a person chose, whatever their verdict.
    Chosen {
        /// The roots of the instances.
        roots: HashSet<ProcessId>,
        /// Also those that are in use, or may be: the person says yes to that.
        in_use: bool,
    },
}

impl Plan {
    /// Plans the end of every instance that its verdict ends, unless one of its members must never
    /// be a target: then none of them is.
    pub fn of_unused(judgement: &Judgement<'_>, look: &Look<'_>, policy: &Policy) -> Plan {
        Plan::of(judgement, look, policy, &Choice::Unused)
    }

    /// The plan of a choice. What a person chose is ended whatever its verdict, but for what is allowed, managed or
    /// never a target; what is in use only where the choice includes it.
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
}

/// Why this verdict forbids what a person chose.
fn refused(finding: &Finding<'_>, in_use: bool) -> Option<WithheldReason> {
    match finding.verdict {
        Verdict::Allowed => Some(WithheldReason::Allowed),
        Verdict::Managed => Some(WithheldReason::Managed),
        Verdict::InUse if !in_use => Some(WithheldReason::InUse),
        Verdict::Undetermined if !in_use => Some(WithheldReason::MayBeInUse),
        _ => None,
    }
}
