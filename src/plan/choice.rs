//! What a plan is made of: what nobody uses, or what a person chose.

use std::collections::HashSet;

use super::{Plan, Why, forbidden, ours, target};
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
    These {
        /// The roots of the instances.
        roots: HashSet<ProcessId>,
        /// Also those that are in use, or may be: the person says yes to that.
        in_use: bool,
    },
}

impl Plan {
    /// The plan of a choice. What a person chose is ended whatever its verdict, but for what is allowed, managed or
    /// never a target; what is in use only where the choice includes it.
    #[must_use]
    pub fn of(judgement: &Judgement<'_>, look: &Look<'_>, policy: &Policy, choice: &Choice) -> Plan {
        let Choice::These { roots, in_use } = choice else { return Plan::new(judgement, look, policy) };
        let ours = ours(look);
        let mut plan = Plan { choice: choice.clone(), ..Plan::default() };
        let chosen = |finding: &&Finding<'_>| roots.contains(&finding.instance.root.id);
        for finding in judgement.findings.iter().filter(chosen) {
            let refused = refused(finding, *in_use).or_else(|| forbidden(finding, &ours, look, policy));
            let mut target = target(finding);
            match refused {
                Some(why) => plan.withheld.push(target.withheld(why)),
                None => {
                    target.reason = format!("chosen by a person; {}", target.reason);
                    plan.targets.push(target);
                }
            }
        }
        plan
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
