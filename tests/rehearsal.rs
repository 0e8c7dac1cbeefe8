//! Ending, rehearsed: a kernel of paper on which time moves only when someone waits. Processes
//! end, ignore, fork, are reused and are denied in every order; what must hold, holds.

#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use mcp_reap::classify::Verdict;
use mcp_reap::instance::Part;
use mcp_reap::plan::{Plan, Target, TargetMember};
use mcp_reap::process::{Pid, ProcessId, StartTime};
use mcp_reap::reap::{self, Event, Kernel, Kin, Outcome, Refusal, Signal, Step, Witness};
use proptest::prelude::*;

const GRACE: Duration = Duration::from_secs(5);

/// How one process of the play behaves.
#[derive(Clone, Debug)]
struct Role {
    /// Ends this long after SIGTERM; `None` ignores it.
    on_term: Option<u64>,
    /// Ends this long after SIGKILL; `None` hangs in the kernel.
    on_kill: Option<u64>,
    /// Ends by itself at this time.
    at: Option<u64>,
    /// Belongs to somebody else.
    denied: bool,
    /// Is stopped and hears SIGTERM only after SIGCONT.
    stopped: bool,
    /// Its number belongs to another process when we come.
    reused: bool,
    /// Has a child when it is first looked at.
    forks: bool,
}

/// Everything that happened, in order.
#[derive(Clone, Debug, PartialEq)]
enum Said {
    Intent(u32, Signal),
    Sent(u32, Signal, Duration),
    Note(u32, &'static str),
}

struct Stage {
    now: Duration,
    roles: BTreeMap<u32, Role>,
    ends: BTreeMap<u32, Duration>,
    heard_term: HashSet<u32>,
    running: HashSet<u32>,
    script: Rc<RefCell<Vec<Said>>>,
    interrupt_at: Option<Duration>,
}

impl Stage {
    fn new(roles: &[Role], script: Rc<RefCell<Vec<Said>>>) -> Stage {
        let roles: BTreeMap<u32, Role> =
            roles.iter().cloned().enumerate().map(|(i, r)| (pid(i), r)).collect();
        let ends =
            roles.iter().filter_map(|(pid, role)| Some((*pid, Duration::from_millis(role.at?)))).collect();
        let running = roles.iter().filter(|(_, role)| !role.stopped).map(|(pid, _)| *pid).collect();
        Stage {
            now: Duration::ZERO,
            roles,
            ends,
            heard_term: HashSet::new(),
            running,
            script,
            interrupt_at: None,
        }
    }

    fn is_over(&self, pid: u32) -> bool {
        self.ends.get(&pid).is_some_and(|end| *end <= self.now)
    }

    fn end_in(&mut self, pid: u32, after: Option<u64>) {
        if let Some(after) = after {
            let end = self.now + Duration::from_millis(after);
            let entry = self.ends.entry(pid).or_insert(end);
            *entry = (*entry).min(end);
        }
    }
}

impl Kernel for Stage {
    type Held = u32;

    fn hold(&mut self, id: ProcessId) -> Result<u32, Refusal> {
        let role = &self.roles[&id.pid.0];
        if role.reused {
            Err(Refusal::Reused)
        } else if self.is_over(id.pid.0) {
            Err(Refusal::Gone)
        } else if role.denied {
            Err(Refusal::Denied("another user's".to_owned()))
        } else {
            Ok(id.pid.0)
        }
    }

    fn signal(&mut self, held: &u32, signal: Signal) -> Result<(), Refusal> {
        if self.is_over(*held) {
            return Err(Refusal::Gone);
        }
        self.script.borrow_mut().push(Said::Sent(*held, signal, self.now));
        let role = self.roles[held].clone();
        match signal {
            Signal::Cont => {
                self.running.insert(*held);
            }
            Signal::Term => {
                self.heard_term.insert(*held);
            }
            Signal::Kill => self.end_in(*held, role.on_kill),
        }
        if self.heard_term.contains(held) && self.running.contains(held) {
            self.end_in(*held, role.on_term);
        }
        Ok(())
    }

    fn wait(&mut self, held: &[&u32], deadline: Duration) -> Vec<bool> {
        let last = held.iter().map(|pid| self.ends.get(pid).copied().unwrap_or(Duration::MAX)).max();
        let until = last.unwrap_or(self.now).min(deadline).min(self.interrupt_at.unwrap_or(Duration::MAX));
        self.now = self.now.max(until);
        held.iter().map(|pid| self.is_over(**pid)).collect()
    }

    fn now(&self) -> Duration {
        self.now
    }

    fn argv(&mut self, _: &u32) -> Vec<mcp_reap::bytes::RawText> {
        vec!["worker".into()]
    }

    fn family(&mut self) -> Vec<Kin> {
        let parents: Vec<u32> =
            self.roles.iter().filter(|(_, role)| role.forks).map(|(pid, _)| *pid).collect();
        let mut kin = Vec::new();
        for parent in parents {
            if self.is_over(parent) {
                continue;
            }
            let child = parent + 10_000;
            self.roles.entry(child).or_insert(Role {
                on_term: Some(5),
                on_kill: Some(1),
                at: None,
                denied: false,
                stopped: false,
                reused: false,
                forks: false,
            });
            self.running.insert(child);
            kin.push(Kin {
                id: id(child),
                parent: Pid(parent),
                group: None,
                session: None,
                stopped: false,
                started_at: 2.0,
            });
        }
        kin
    }

    fn interrupted(&self) -> Option<i32> {
        self.interrupt_at.filter(|at| *at <= self.now).map(|_| 2)
    }
}

struct Notes {
    script: Rc<RefCell<Vec<Said>>>,
    /// Fails from this many calls on, as a full disk does.
    full_after: Option<usize>,
    calls: usize,
}

impl Notes {
    fn room(&mut self) -> Result<(), &'static str> {
        self.calls += 1;
        if self.full_after.is_some_and(|n| self.calls > n) { Err("no space left") } else { Ok(()) }
    }
}

impl Witness for Notes {
    type Error = &'static str;

    fn intend(&mut self, intents: &[Event<'_>]) -> Result<(), &'static str> {
        self.room()?;
        for event in intents {
            let Step::Intent(signal) = event.step else { panic!("not an intent: {event:?}") };
            self.script.borrow_mut().push(Said::Intent(event.member.id.pid.0, signal));
        }
        Ok(())
    }

    fn note(&mut self, event: &Event<'_>) -> Result<(), &'static str> {
        self.room()?;
        let what = match &event.step {
            Step::Intent(_) => panic!("intents go through intend"),
            Step::Signalled(_) => return Ok(()),
            Step::Exited => "exited",
            Step::Killed => "killed",
            Step::Survived => "survived",
            Step::Denied(_) => "denied",
            Step::Vanished => "vanished",
            Step::Withheld(_) => "withheld",
        };
        self.script.borrow_mut().push(Said::Note(event.member.id.pid.0, what));
        Ok(())
    }
}

fn pid(index: usize) -> u32 {
    100 + u32::try_from(index).unwrap()
}

fn id(pid: u32) -> ProcessId {
    ProcessId { pid: Pid(pid), start: StartTime(u64::from(pid)) }
}

/// A plan whose targets have `size` members each.
fn plan(roles: &[Role], size: usize) -> Plan {
    let members = roles.iter().enumerate().map(|(i, role)| TargetMember {
        id: id(pid(i)),
        part: Part::Server,
        stopped: role.stopped,
        started_at: 1.0,
        rss: 1,
        argv: Vec::new(),
    });
    let members: Vec<TargetMember> = members.collect();
    let targets = members.chunks(size).map(|chunk| Target {
        server: "s".to_owned(),
        verdict: Verdict::Orphaned,
        reason: String::new(),
        members: chunk.to_vec(),
    });
    Plan { targets: targets.collect(), withheld: Vec::new() }
}

struct Play {
    outcomes: BTreeMap<u32, Outcome>,
    script: Vec<Said>,
    end: Duration,
    failed: bool,
    results: usize,
}

fn perform(roles: &[Role], size: usize, full_after: Option<usize>, interrupt_at: Option<u64>) -> Play {
    let script = Rc::new(RefCell::new(Vec::new()));
    let mut stage = Stage::new(roles, Rc::clone(&script));
    stage.interrupt_at = interrupt_at.map(Duration::from_millis);
    let mut notes = Notes { script: Rc::clone(&script), full_after, calls: 0 };
    let report = reap::run(&plan(roles, size), GRACE, &mut stage, &mut notes);
    Play {
        outcomes: report.results.iter().map(|e| (e.member.id.pid.0, e.outcome.clone())).collect(),
        results: report.results.len(),
        script: script.borrow().clone(),
        end: stage.now,
        failed: report.failed.is_some(),
    }
}

fn obedient() -> Role {
    Role {
        on_term: Some(20),
        on_kill: Some(1),
        at: None,
        denied: false,
        stopped: false,
        reused: false,
        forks: false,
    }
}

fn stubborn() -> Role {
    Role { on_term: None, ..obedient() }
}

fn any_role() -> impl Strategy<Value = Role> {
    (
        prop::option::of(0u64..8000),
        prop::option::weighted(0.9, 0u64..3000),
        prop::option::weighted(0.2, 0u64..9000),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(on_term, on_kill, at, denied, stopped, reused, forks)| Role {
            on_term,
            on_kill,
            at,
            denied,
            stopped,
            reused,
            forks,
        })
}

#[test]
fn an_obedient_instance_goes_on_sigterm_and_nothing_is_killed() {
    let play = perform(&[obedient(), obedient(), obedient()], 3, None, None);
    assert!(play.outcomes.values().all(|outcome| *outcome == Outcome::Exited));
    assert!(!play.script.iter().any(|said| matches!(said, Said::Sent(_, Signal::Kill, _))));
    assert_eq!(play.end, Duration::from_millis(20));
}

#[test]
fn a_hundred_stubborn_targets_cost_one_grace_not_a_hundred() {
    let play = perform(&vec![stubborn(); 100], 1, None, None);
    assert!(play.outcomes.values().all(|outcome| *outcome == Outcome::Killed));
    assert_eq!(play.end, GRACE + Duration::from_millis(1));
}

#[test]
fn a_stopped_process_is_woken_so_that_it_can_hear() {
    let play = perform(&[Role { stopped: true, ..obedient() }], 1, None, None);
    assert_eq!(play.outcomes[&pid(0)], Outcome::Exited);
    assert!(play.script.contains(&Said::Sent(pid(0), Signal::Cont, Duration::ZERO)));
}

#[test]
fn a_child_born_between_plan_and_signal_goes_too() {
    let play = perform(&[Role { forks: true, ..obedient() }], 1, None, None);
    assert_eq!(play.outcomes[&(pid(0) + 10_000)], Outcome::Exited);
}

#[test]
fn one_member_that_may_not_be_ended_saves_its_whole_instance_and_no_other() {
    let denied = Role { denied: true, ..obedient() };
    let play = perform(&[obedient(), denied, obedient(), obedient()], 2, None, None);
    assert!(matches!(play.outcomes[&pid(0)], Outcome::Withheld(_)));
    assert!(matches!(play.outcomes[&pid(1)], Outcome::Denied(_)));
    assert_eq!(play.outcomes[&pid(2)], Outcome::Exited);
    assert_eq!(play.outcomes[&pid(3)], Outcome::Exited);
}

#[test]
fn a_number_that_was_given_away_is_never_signalled() {
    let play = perform(&[Role { reused: true, ..obedient() }], 1, None, None);
    assert_eq!(play.outcomes[&pid(0)], Outcome::Vanished);
    assert!(!play.script.iter().any(|said| matches!(said, Said::Sent(..))));
}

#[test]
fn without_a_record_nothing_is_sent() {
    let play = perform(&[stubborn(), stubborn()], 1, Some(0), None);
    assert!(play.failed);
    assert!(!play.script.iter().any(|said| matches!(said, Said::Sent(..))));
    assert!(play.outcomes.values().all(|outcome| matches!(outcome, Outcome::Withheld(_))));
}

#[test]
fn an_interrupt_during_the_grace_keeps_sigkill_back() {
    let play = perform(&[stubborn()], 1, None, Some(1000));
    assert_eq!(play.outcomes[&pid(0)], Outcome::Survived);
    assert!(!play.script.iter().any(|said| matches!(said, Said::Sent(_, Signal::Kill, _))));
}

#[test]
fn what_hangs_in_the_kernel_is_reported_as_a_survivor() {
    let play = perform(&[Role { on_kill: None, ..stubborn() }], 1, None, None);
    assert_eq!(play.outcomes[&pid(0)], Outcome::Survived);
    assert_eq!(play.end, GRACE + reap::KILL_WAIT);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_happens_the_rules_of_ending_hold(
        roles in prop::collection::vec(any_role(), 1..12),
        size in 1usize..5,
        full_after in prop::option::weighted(0.3, 0usize..40),
        interrupt_at in prop::option::weighted(0.3, 0u64..9000),
    ) {
        let play = perform(&roles, size, full_after, interrupt_at);
        let planned: HashSet<u32> = (0..roles.len()).map(pid).collect();

        // One outcome each, and for each planned process one.
        prop_assert_eq!(play.results, play.outcomes.len());
        for pid in &planned {
            prop_assert!(play.outcomes.contains_key(pid), "{} has no outcome", pid);
        }

        for (at, said) in play.script.iter().enumerate() {
            if let Said::Sent(to, signal, when) = said {
                // No signal without its intent before it.
                let intended = play.script[..at].contains(&Said::Intent(*to, *signal));
                prop_assert!(intended, "{:?} without an intent", said);
                // Nobody but the planned, and the children of the planned.
                prop_assert!(planned.contains(to) || planned.contains(&(to - 10_000)));
                let role = roles.get((*to % 10_000 - 100) as usize);
                if planned.contains(to) {
                    let role = role.unwrap();
                    prop_assert!(!role.denied && !role.reused);
                }
                // SIGKILL only after SIGTERM and the whole grace, for what the plan knew.
                if *signal == Signal::Kill && planned.contains(to) {
                    let asked = play.script[..at].iter().find_map(|earlier| match earlier {
                        Said::Sent(pid, Signal::Term, when) if pid == to => Some(*when),
                        _ => None,
                    });
                    let asked = asked.expect("SIGKILL before SIGTERM");
                    prop_assert!(*when >= asked + GRACE);
                }
            }
        }

        // An instance is never half-killed on purpose.
        for chunk in (0..roles.len()).collect::<Vec<_>>().chunks(size) {
            if chunk.iter().any(|i| matches!(play.outcomes[&pid(*i)], Outcome::Denied(_))) {
                for i in chunk {
                    let sent = play.script.iter().any(|s| matches!(s, Said::Sent(to, ..) if *to == pid(*i)));
                    prop_assert!(!sent, "a member of a denied instance was signalled");
                }
            }
        }

        // One grace and one wait after SIGKILL, whatever the number of targets.
        prop_assert!(play.end <= GRACE + reap::KILL_WAIT);
    }
}
