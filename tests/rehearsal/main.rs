//! Ending, rehearsed: a kernel of paper on which time moves only when someone waits. Processes end,
//! ignore, fork, start each other again, are reused and are denied in every order; what must hold,
//! holds.

#![allow(clippy::unwrap_used, unreachable_pub)]

mod chances;
mod children;
mod refusals;
mod settling;
mod stage;
mod wires;

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use mcp_reap::bytes::Argv;
use mcp_reap::classify::{Adoption, Evidence, Verdict, WireState};
use mcp_reap::instance::Part;
use mcp_reap::plan::{Plan, Target, TargetMember};
use mcp_reap::process::{Pid, ProcessId, Uid};
use mcp_reap::reap::{self, Outcome, RunReport, Signal};

use stage::{Notes, Place, Role, Said, Stage, id, obedient, stubborn};

const GRACE: Duration = Duration::from_secs(5);

/// A plan whose targets have `size` members each.
fn plan(roles: &[Role], size: usize) -> Plan {
    let members = roles.iter().enumerate().map(|(i, role)| TargetMember {
        id: id(i),
        parent: Pid(1),
        uid: Some(Uid(1000)),
        part: Part::Server,
        stopped: role.stopped,
        started_at: 1.0,
        rss: 1,
        argv: Argv::default(),
    });
    let members: Vec<TargetMember> = members.collect();
    let targets = members.chunks(size).map(|chunk| Target {
        server: "s".to_owned(),
        verdict: Verdict::Orphaned,
        reason: String::new(),
        client: None,
        evidence: closed(),
        members: chunk.to_vec(),
        must_agree: HashSet::new(),
    });
    Plan { targets: targets.collect(), ..Plan::default() }
}

/// Both directions of the wire are closed, and init has adopted the root.
fn closed() -> Vec<Evidence> {
    let wire = |direction| Evidence::Wire { direction, state: WireState::Closed, holders: Vec::new() };
    vec![Evidence::OwnerGone { pid: Pid(1), how: Adoption::Init }, wire("stdin"), wire("stdout")]
}

/// What may go wrong from outside.
#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    full_after: Option<usize>,
    interrupt_at: Option<u64>,
    interrupt_after: Option<usize>,
    /// Microseconds a signal costs.
    cost: u64,
}

struct Play {
    report: RunReport<&'static str>,
    script: Vec<Said>,
    stage: Stage,
}

impl Play {
    fn outcome(&self, id: ProcessId) -> &Outcome {
        &self.report.results.iter().find(|ended| ended.member.id == id).unwrap().outcome
    }

    fn all(&self, outcome: &Outcome) -> bool {
        self.report.results.iter().all(|ended| ended.outcome == *outcome)
    }

    fn sent(&self) -> impl Iterator<Item = (ProcessId, Signal, Duration)> + '_ {
        self.script.iter().filter_map(|said| match said {
            Said::Sent(to, signal, at) => Some((*to, *signal, *at)),
            _ => None,
        })
    }

    fn sent_of(&self, signal: Signal) -> usize {
        self.sent().filter(|(_, sent, _)| *sent == signal).count()
    }

    /// Ours, and still there.
    fn left(&self) -> Vec<u32> {
        self.stage.world.iter().filter(|(_, body)| body.ours).map(|(pid, _)| *pid).collect()
    }
}

fn perform_in(weather: Weather, roles: &[Role], size: usize) -> Play {
    perform_on(weather, roles, &plan(roles, size), |_| {})
}

/// The same on a stage that was changed before the curtain.
fn perform_changed(roles: &[Role], size: usize, change: impl FnOnce(&mut Stage)) -> Play {
    perform_on(Weather::default(), roles, &plan(roles, size), change)
}

fn perform_on(weather: Weather, roles: &[Role], plan: &Plan, change: impl FnOnce(&mut Stage)) -> Play {
    let script = Rc::new(RefCell::new(Vec::new()));
    let mut stage = Stage::new(roles, Rc::clone(&script));
    stage.interrupt_at = weather.interrupt_at.map(Duration::from_millis);
    stage.interrupt_after = weather.interrupt_after;
    stage.cost = Duration::from_micros(weather.cost);
    change(&mut stage);
    let mut notes = Notes { script: Rc::clone(&script), full_after: weather.full_after, calls: 0 };
    let report = reap::run(plan, GRACE, &mut stage, &mut notes);
    let script = script.borrow().clone();
    Play { report, script, stage }
}

fn perform(roles: &[Role], size: usize) -> Play {
    perform_in(Weather::default(), roles, size)
}

#[test]
fn an_obedient_instance_goes_on_sigterm_and_nothing_is_killed() {
    let play = perform(&[obedient(), obedient(), obedient()], 3);
    assert!(play.all(&Outcome::Exited));
    assert_eq!((play.sent_of(Signal::Term), play.sent_of(Signal::Kill)), (3, 0));
    assert_eq!(play.stage.now, Duration::from_millis(20));
    assert_eq!(play.stage.looks, 1, "when all are gone and led nobody, there is nobody to look for");
}

#[test]
fn a_hundred_stubborn_targets_cost_one_grace_not_a_hundred() {
    let play = perform(&vec![stubborn(); 100], 1);
    assert!(play.all(&Outcome::Killed));
    assert_eq!(play.stage.now, GRACE + Duration::from_millis(1));
    assert_eq!(play.stage.last_look, GRACE, "none after SIGKILL: nobody led a group, and all are gone");
}

#[test]
fn a_look_that_takes_long_is_taken_seldom() {
    let looks = |cost: u64| {
        let slow = |stage: &mut Stage| stage.look_cost = Duration::from_millis(cost);
        perform_changed(&[stubborn()], 1, slow).stage.looks
    };
    assert!(looks(0) > 20, "{}", looks(0));
    // Not more than a tenth of the time: 5 s and one before SIGTERM, one before SIGKILL.
    assert!((4..8).contains(&looks(100)), "{}", looks(100));
}

#[test]
fn what_is_started_again_between_the_last_look_and_sigkill_goes_too() {
    // The child ends a moment before its wrapper, which has time to start another.
    for place in [Place::OwnGroup, Place::OwnSession] {
        let play = perform(&[Role { respawns: true, on_kill: Some(2), place, ..stubborn() }], 1);
        assert!(play.left().is_empty(), "{place:?}: {:?}", play.left());
    }
}

#[test]
fn the_grace_is_counted_from_the_request_to_the_last_who_is_left() {
    // 1 ms a signal: the stubborn one was asked first, and is not kept waiting for the other 99.
    let mut roles = vec![obedient(); 100];
    roles[0] = stubborn();
    let play = perform_in(Weather { cost: 1000, ..Weather::default() }, &roles, 1);
    let (_, _, killed) = play.sent().find(|(_, signal, _)| *signal == Signal::Kill).unwrap();
    assert_eq!(killed, GRACE + Duration::from_millis(1));
}

#[test]
fn the_grace_begins_when_everybody_has_been_sent_sigterm() {
    // 100 ms a signal: to send them all takes longer than all graces together.
    let roles = vec![stubborn(); 200];
    let play = perform_in(Weather { cost: 100_000, ..Weather::default() }, &roles, 1);
    assert!(play.stage.cost * 200 > reap::longest(GRACE), "or it shows nothing");
    assert!(play.report.results.iter().all(|ended| ended.outcome == Outcome::Killed));
}

#[test]
fn a_stopped_process_is_continued_so_that_it_can_handle_sigterm() {
    let play = perform(&[Role { stopped: true, ..obedient() }], 1);
    assert_eq!(*play.outcome(id(0)), Outcome::Exited);
    let said = |said: &Said| play.script.iter().position(|s| s == said).unwrap();
    let asked = said(&Said::Sent(id(0), Signal::Term, Duration::ZERO));
    assert!(asked < said(&Said::Sent(id(0), Signal::Cont, Duration::ZERO)), "asked first, woken then");
}

#[test]
fn nothing_is_recorded_as_meant_that_is_not_sent() {
    let play = perform(&[obedient(), Role { stopped: true, ..stubborn() }], 1);
    let meant: Vec<_> = play
        .script
        .iter()
        .filter_map(|said| match said {
            Said::Intent(to, signal) => Some((*to, *signal)),
            _ => None,
        })
        .collect();
    let sent: Vec<_> = play.sent().map(|(to, signal, _)| (to, signal)).collect();
    let all = [(id(0), Signal::Term), (id(1), Signal::Term), (id(1), Signal::Cont), (id(1), Signal::Kill)];
    assert_eq!((meant.as_slice(), sent.as_slice()), (&all[..], &all[..]));
}

#[test]
fn what_hangs_in_the_kernel_is_reported_as_a_survivor() {
    let play = perform(&[Role { on_kill: None, ..stubborn() }], 1);
    assert_eq!(*play.outcome(id(0)), Outcome::Survived);
    assert_eq!(play.stage.now, GRACE + reap::KILL_WAIT);
}

#[test]
fn an_empty_plan_looks_at_nobody() {
    let play = perform(&[], 1);
    assert_eq!((play.stage.looks, play.report.results.len()), (0, 0));
}
