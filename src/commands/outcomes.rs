//! The outcome of each process of a plan, also of those that were sent no signal.

use std::collections::{HashMap, HashSet};

use crate::plan::{Plan, Why};
use crate::process::{ProcessId, ProcessRecord, Snapshot};
use crate::reap::{Ended, Outcome};
use crate::render::Scene;

/// An outcome for each member of each instance in the plan of the first look (`first`), ended or withheld.
///
/// `results` has the outcomes of the members that the confirmed plan ends. For the others the last look (`seen`)
/// decides: processes that are missing in it have ended by themselves, and the rest was left alone. Without another
/// look no process is known to have ended.
pub(super) fn of_each(
    first: &Scene<'_>,
    confirmed: &Plan,
    results: &[Ended],
    seen: Option<&Snapshot>,
) -> HashMap<ProcessId, Outcome> {
    let mut outcomes: HashMap<ProcessId, Outcome> =
        results.iter().map(|ended| (ended.member.id, ended.outcome.clone())).collect();
    let running = seen.map(|seen| {
        let running = seen.processes.iter().filter(|record| !record.is_zombie());
        running.map(|record| record.id).collect::<HashSet<ProcessId>>()
    });
    let is_gone = |record: &ProcessRecord| running.as_ref().is_some_and(|ids| !ids.contains(&record.id));
    let planned = first.judgement.findings.iter().filter(|finding| {
        let root = finding.instance.root.id;
        first.plan.ends(root) || first.plan.withheld_because(root).is_some()
    });
    for instance in planned.map(|finding| &finding.instance) {
        let why = match confirmed.withheld_because(instance.root.id) {
            Some(why) => why.as_str(),
            // Its instance is ended, but at the second look it was no longer a member.
            None if confirmed.ends(instance.root.id) => Why::Changed.as_str(),
            None => "the run stopped before any signal",
        };
        for record in instance.members.iter().map(|member| member.record) {
            outcomes.entry(record.id).or_insert_with(|| {
                if is_gone(record) { Outcome::Vanished } else { Outcome::Withheld(why.to_owned()) }
            });
        }
    }
    outcomes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use super::*;
    use crate::catalog::Catalog;
    use crate::classify::{self, Scout};
    use crate::look::Look;
    use crate::policy::Policy;
    use crate::process::{ProcessState, StartTime};

    /// Two orphans, server-memory (2010, 2011, 2012) and mcp-server-fetch (2100, 2101), one too young (2300), and
    /// others that no plan is about.
    const TABLE: &[u8] = include_bytes!("../../tests/cli/tables/machine.json");

    fn plan_of(look: &Look<'_>) -> Plan {
        let policy = Policy::default();
        Plan::of_unused(&classify::judge(look, &policy), look, &policy)
    }

    /// What happens to the process table between the looks.
    type Meanwhile<'a> = &'a dyn Fn(&mut Vec<ProcessRecord>);

    /// The outcome of each pid, where the second look differs from the first by `meanwhile`; `None` stops the run
    /// before it.
    fn outcomes(meanwhile: Option<Meanwhile<'_>>) -> BTreeMap<u32, &'static str> {
        let (catalog, policy) = (Catalog::builtin(), Policy::default());
        let first = Snapshot::from_json(TABLE).unwrap();
        let look = Scout::new(&catalog).into_look(&first);
        let judgement = classify::judge(&look, &policy);
        let plan = plan_of(&look);
        let second = meanwhile.map(|change| {
            let mut second = Snapshot::from_json(TABLE).unwrap();
            change(&mut second.processes);
            second
        });
        let confirmed = match &second {
            Some(second) => {
                let again = plan_of(&Scout::new(&catalog).into_look(second));
                plan.clone().confirmed_by(&again).with_those_that_left(second)
            }
            None => Plan { targets: Vec::new(), ..plan.clone() },
        };
        let members = confirmed.targets.iter().flat_map(|target| target.members.clone());
        let results: Vec<Ended> =
            members.map(|member| Ended { target: 0, member, outcome: Outcome::Exited }).collect();
        let scene = Scene::new(&first, &judgement, &plan);
        let all = of_each(&scene, &confirmed, &results, second.as_ref());
        all.iter().map(|(id, outcome)| (id.pid.0, outcome.as_str())).collect()
    }

    fn of<const N: usize>(pairs: [(u32, &'static str); N]) -> BTreeMap<u32, &'static str> {
        BTreeMap::from(pairs)
    }

    #[test]
    fn every_member_of_a_plan_has_an_outcome_also_where_no_signal_was_sent() {
        let fetch = [(2100, "exited"), (2101, "exited"), (2300, "withheld")];
        let with = |memory: [(u32, &'static str); 3]| {
            of(fetch).into_iter().chain(memory).collect::<BTreeMap<_, _>>()
        };
        let nothing = |_: &mut Vec<ProcessRecord>| {};
        let all = ["exited"; 3];
        assert_eq!(outcomes(Some(&nothing)), with([(2010, all[0]), (2011, all[1]), (2012, all[2])]));
        // One of three has ended: the instance has changed, so the two others are left alone.
        let one_left = |rows: &mut Vec<ProcessRecord>| rows.retain(|row| row.pid().0 != 2011);
        let changed = with([(2010, "withheld"), (2011, "vanished"), (2012, "withheld")]);
        assert_eq!(outcomes(Some(&one_left)), changed);
        // Another process has its pid, or its parent has not collected it yet.
        let of_2011 = |change: &dyn Fn(&mut ProcessRecord)| {
            let change_it = |rows: &mut Vec<ProcessRecord>| {
                rows.iter_mut().filter(|row| row.pid().0 == 2011).for_each(change);
            };
            outcomes(Some(&change_it))
        };
        let reused = of_2011(&|row| row.id.start = StartTime(row.id.start.0 + 1));
        assert_eq!(reused, changed);
        let zombie = of_2011(&|row| row.state = ProcessState::Zombie);
        assert_eq!(zombie, changed);
        let all_left =
            |rows: &mut Vec<ProcessRecord>| rows.retain(|row| !(2010..=2012).contains(&row.pid().0));
        assert_eq!(
            outcomes(Some(&all_left)),
            with([(2010, "vanished"), (2011, "vanished"), (2012, "vanished")])
        );
    }

    #[test]
    fn a_run_that_is_stopped_before_the_second_look_left_every_member_alone() {
        let withheld = [2010, 2011, 2012, 2100, 2101, 2300].map(|pid| (pid, "withheld"));
        assert_eq!(outcomes(None), of(withheld));
    }

    #[test]
    fn a_helper_that_comes_and_goes_has_an_outcome_too() {
        // The browser of a server starts and ends processes all the time: the second look has other helpers.
        let (catalog, policy) = (Catalog::builtin(), Policy::default());
        let second = Snapshot::from_json(TABLE).unwrap();
        let mut first = second.clone();
        let mut helper = first.processes.iter().find(|row| row.pid().0 == 2101).unwrap().clone();
        helper.id = ProcessId { pid: crate::process::Pid(2102), start: helper.id.start };
        helper.parent = crate::process::Pid(2101);
        helper.argv = Some(["sleep", "1"].into());
        first.processes.push(helper);
        let look = Scout::new(&catalog).into_look(&first);
        let (judgement, plan) = (classify::judge(&look, &policy), plan_of(&look));
        let confirmed = plan.clone().confirmed_by(&plan_of(&Scout::new(&catalog).into_look(&second)));
        let all = of_each(&Scene::new(&first, &judgement, &plan), &confirmed, &[], Some(&second));
        let of_helper = all.iter().find(|(id, _)| id.pid.0 == 2102).unwrap();
        assert_eq!(of_helper.1, &Outcome::Vanished);
        assert!(confirmed.targets.iter().any(|target| target.root().pid.0 == 2100), "its instance goes");
    }
}
