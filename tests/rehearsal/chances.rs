//! Whatever happens from outside, the rules of ending hold.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use mcp_reap::process::ProcessId;
use mcp_reap::reap::{self, Outcome, Signal};
use proptest::prelude::*;

use crate::stage::{Line, Place, Role, Said, id, pid};
use crate::{GRACE, Play, Weather, perform_in};

fn any_role() -> impl Strategy<Value = Role> {
    let often = |p| prop::bool::weighted(p);
    (
        (
            prop::option::of(0u64..8000),
            prop::option::weighted(0.9, 0u64..3000),
            prop::option::weighted(0.2, 0u64..9000),
        ),
        (often(0.05), often(0.05), often(0.2), often(0.1)),
        (often(0.2), often(0.3), often(0.1), often(0.3), often(0.1)),
        prop::sample::select(vec![Place::Clients, Place::OwnGroup, Place::OwnSession]),
        prop::sample::select(vec![Line::Own, Line::Own, Line::Out, Line::Null, Line::Clients, Line::Hidden]),
    )
        .prop_map(|((on_term, on_kill, at), (denied, shielded, stopped, reused), more, place, line)| {
            let (forks, forks_dying, respawns, number_taken, daemon) = more;
            Role {
                on_term,
                on_kill,
                at,
                denied,
                shielded,
                stopped,
                reused,
                forks,
                forks_dying,
                respawns,
                number_taken,
                daemon,
                place,
                line,
            }
        })
}

fn any_weather() -> impl Strategy<Value = Weather> {
    (
        prop::option::weighted(0.25, 0usize..60),
        prop::option::weighted(0.2, 0u64..9000),
        prop::option::weighted(0.2, 0usize..30),
        0u64..3000,
    )
        .prop_map(|(full_after, interrupt_at, interrupt_after, cost)| Weather {
            full_after,
            interrupt_at,
            interrupt_after,
            cost,
        })
}

/// What holds for the order of things.
pub(crate) fn the_script_is_lawful(play: &Play) -> Result<(), TestCaseError> {
    let mut meant = HashSet::new();
    let mut asked: HashMap<ProcessId, Duration> = HashMap::new();
    let (mut ended, mut failed) = (HashSet::new(), false);
    for said in &play.script {
        match said {
            Said::Failed => failed = true,
            Said::Intent(to, signal) => {
                meant.insert((*to, signal.number()));
            }
            Said::Sent(to, signal, at) => {
                prop_assert!(meant.contains(&(*to, signal.number())), "{:?} without an intent", said);
                prop_assert!(!failed, "{:?} without a record", said);
                prop_assert!(!ended.contains(to), "{:?} after its outcome", said);
                if *signal == Signal::Term {
                    asked.insert(*to, *at);
                }
                if *signal == Signal::Kill {
                    prop_assert!(asked.contains_key(to), "SIGKILL before SIGTERM");
                    prop_assert!(*at >= asked[to] + GRACE, "SIGKILL within the grace");
                }
            }
            Said::Note(_, "signalled") => {}
            Said::Note(who, _) => {
                prop_assert!(ended.insert(*who), "{:?} has two outcomes", who);
            }
        }
    }
    Ok(())
}

trait Number {
    fn number(self) -> u8;
}

impl Number for Signal {
    fn number(self) -> u8 {
        match self {
            Signal::Term => 15,
            Signal::Cont => 18,
            Signal::Kill => 9,
        }
    }
}

/// As many as wanted, unless the environment wants another number.
fn cases(wanted: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(wanted)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(2000)))]

    #[test]
    fn whatever_happens_the_rules_of_ending_hold(
        roles in prop::collection::vec(any_role(), 1..12),
        size in 1usize..5,
        weather in any_weather(),
    ) {
        let play = perform_in(weather, &roles, size);
        the_script_is_lawful(&play)?;

        // One outcome each, and for each planned process one.
        let told: HashSet<ProcessId> = play.report.results.iter().map(|ended| ended.member.id).collect();
        prop_assert_eq!(told.len(), play.report.results.len());
        for i in 0..roles.len() {
            prop_assert!(told.contains(&id(i)), "{} has no outcome", pid(i));
        }

        // Nobody who is not ours was touched, whatever number, group, session or parent he has.
        for (to, ..) in play.sent() {
            let stranger = play.stage.world.get(&to.pid.0).is_some_and(|b| b.start == to.start.0 && !b.ours);
            prop_assert!(!stranger, "{} is a stranger", to);
            if let Some(role) = roles.get((to.pid.0 as usize).wrapping_sub(100)) {
                prop_assert!(!role.denied && !role.reused && !role.shielded);
            }
        }
        // A reused number's owner is a stranger too, and may end by itself.
        let strangers = play.stage.world.values().filter(|body| !body.ours).count();
        let mortal = roles.iter().filter(|role| role.reused).count();
        prop_assert!(strangers + mortal >= play.stage.strangers, "a stranger has gone");

        // An instance is never half-killed on purpose.
        for chunk in (0..roles.len()).collect::<Vec<_>>().chunks(size) {
            if chunk.iter().any(|i| roles[*i].denied && matches!(play.outcome(id(*i)), Outcome::Denied(_))) {
                for i in chunk {
                    prop_assert!(!play.sent().any(|(to, ..)| to == id(*i)), "half of an instance was asked");
                }
            }
        }

        // Nor are those sent a signal that were born to an instance that is left alone.
        let spared: HashSet<usize> = play.report.results.iter()
            .filter(|ended| ended.outcome == Outcome::Withheld("another member may not be ended".to_owned()))
            .map(|ended| ended.target)
            .collect();
        for ended in play.report.results.iter().filter(|ended| spared.contains(&ended.target)) {
            prop_assert!(!play.sent().any(|(to, ..)| to == ended.member.id), "{:?} of a spared instance", ended);
        }

        // One grace, one more for what is born meanwhile, one wait after SIGKILL, whatever the number of targets.
        let signals = u32::try_from(play.stage.sent).unwrap() * play.stage.cost;
        prop_assert!(play.stage.now <= reap::longest(GRACE) + signals);

        // The outcome is the truth.
        for ended in &play.report.results {
            let alive = play.stage.world.get(&ended.member.id.pid.0).is_some_and(|b| b.start == ended.member.id.start.0);
            prop_assert!(!(alive && ended.outcome.is_gone()), "{:?} lives", ended);
        }
    }

    #[test]
    fn in_good_weather_no_offspring_of_a_leader_or_on_a_wire_of_its_own_is_left(
        roles in prop::collection::vec(any_role(), 1..8),
        cost in 0u64..3000,
    ) {
        let roles: Vec<Role> = roles
            .into_iter()
            .map(|role| Role {
                // A daemon that went its own way shares group, session and wire: nothing tells its children apart.
                daemon: false,
                line: match role.line {
                    Line::Own | Line::Out => role.line,
                    _ => Line::Own,
                },
                on_kill: Some(1), denied: false, shielded: false, reused: false, ..role
            })
            .collect();
        // What ends by itself before the first look has left its place; nobody led there any more.
        prop_assume!(roles.iter().all(|role| role.at != Some(0)));
        let play = perform_in(Weather { cost, ..Weather::default() }, &roles, 1);
        prop_assert!(play.left().is_empty(), "left: {:?}", play.left());
        prop_assert!(play.report.results.iter().all(|ended| ended.outcome.is_gone()));
    }
}
