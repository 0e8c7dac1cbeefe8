//! Ending, rehearsed: a kernel of paper on which time moves only when someone waits. Processes end,
//! ignore, fork, start each other again, are reused and are denied in every order; what must hold,
//! holds.

#![allow(clippy::unwrap_used, unreachable_pub)]

mod settling;
mod stage;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use mcp_reap::bytes::Argv;
use mcp_reap::classify::{Adoption, Evidence, Verdict, WireState};
use mcp_reap::instance::Part;
use mcp_reap::plan::{Plan, Target, TargetMember};
use mcp_reap::process::{Pid, ProcessId, Uid};
use mcp_reap::reap::{self, Outcome, RunReport, Signal};
use proptest::prelude::*;
use stage::{CLIENT, Line, Notes, Place, Role, SHELL, Said, Stage, id, obedient, pid, stubborn};

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
fn a_child_born_between_plan_and_signal_goes_too_and_is_named_in_the_record() {
    let play = perform(&[Role { forks: true, ..obedient() }], 1);
    assert_eq!(play.report.results.len(), 2);
    assert!(play.all(&Outcome::Exited));
    assert!(play.left().is_empty());
    let child = &play.report.results[1].member;
    assert_eq!(child.argv, Argv::from([format!("worker {}", child.id.pid)]));
}

#[test]
fn what_an_ending_leader_forks_is_found_by_its_group_or_session() {
    for place in [Place::OwnGroup, Place::OwnSession] {
        let play = perform(&[Role { forks_dying: true, place, ..obedient() }], 1);
        assert!(play.left().is_empty(), "{place:?}: {:?}", play.left());
        assert_eq!(play.report.results.len(), 2);
        assert!(play.all(&Outcome::Exited));
    }
}

#[test]
fn what_a_follower_forks_as_it_ends_is_found_when_the_leader_ended_long_before() {
    let leader = Role { place: Place::OwnGroup, ..obedient() };
    let play = perform(&[leader.clone(), stubborn()], 2);
    assert!(play.left().is_empty());
    // The same with the follower in the leader's group: it holds the number, so it still proves.
    let roles = [leader, Role { on_term: Some(900), forks_dying: true, ..obedient() }];
    let play = perform_changed(&roles, 2, |stage| stage.body(pid(1)).group = pid(0));
    assert_eq!(play.report.results.len(), 3);
    assert!(play.left().is_empty());
}

#[test]
fn a_group_is_its_opener_s_also_when_he_has_left_it() {
    let roles = [stubborn(), Role { on_term: Some(900), forks_dying: true, ..obedient() }];
    let play = perform_changed(&roles, 2, |stage| stage.body(pid(1)).group = pid(0));
    assert_eq!(play.report.results.len(), 3);
    assert!(play.left().is_empty());
}

#[test]
fn a_group_whose_leader_has_ended_proves_as_well() {
    // `npx` in a group of its own ended before its server.
    let role = Role { on_term: Some(1_000), forks_dying: true, ..obedient() };
    let play = perform_changed(&[role.clone(), stubborn()], 2, |stage| {
        (stage.body(pid(0)).group, stage.body(pid(1)).group) = (77, 77);
    });
    assert_eq!(play.report.results.len(), 3);
    assert!(play.left().is_empty());
    // Two targets in one group: whose child would it be?
    let play = perform_changed(&[role, stubborn()], 1, |stage| {
        (stage.body(pid(0)).group, stage.body(pid(1)).group) = (77, 77);
    });
    assert_eq!(play.report.results.len(), 2);
}

#[test]
fn in_a_group_that_no_target_leads_nobody_is_taken() {
    // The server stood in its client's group; the client goes on double-forking there.
    let play = perform(&[Role { on_term: Some(1000), forks_dying: true, ..obedient() }], 1);
    assert_eq!(play.report.results.len(), 1, "group and session of the client prove nothing");
    assert!(play.stage.world.values().filter(|body| body.group == CLIENT && !body.ours).count() > 3);
}

#[test]
fn what_an_ending_server_forks_is_found_by_the_wire_that_was_made_for_it() {
    let dying = Role { forks_dying: true, line: Line::Own, ..obedient() };
    for other in [obedient(), dying.clone(), Role { line: Line::Clients, ..obedient() }] {
        let play = perform(&[dying.clone(), other], 1);
        assert!(play.left().is_empty(), "{:?}", play.left());
        assert!(play.all(&Outcome::Exited));
        let child = play.report.results.iter().find(|ended| ended.member.id.pid.0 > 10_000).unwrap();
        assert_eq!(child.target, 0, "it joins the instance it was born to");
    }
    // A shell gives what it starts in the background /dev/null to read from.
    let play = perform(&[Role { line: Line::Out, ..dying.clone() }], 1);
    assert!(play.left().is_empty() && play.report.results.len() == 2);
    // Also one that is born at the very end of the grace, or by SIGKILL's own time.
    for on_term in [4_990, 4_999, 5_000] {
        let play = perform(&[Role { on_term: Some(on_term), ..dying.clone() }, stubborn()], 1);
        assert!(play.left().is_empty(), "{on_term}: {:?}", play.left());
    }
}

#[test]
fn a_wire_that_somebody_else_had_too_proves_nothing() {
    let dying = Role { forks_dying: true, on_term: Some(1000), ..obedient() };
    // The client passed its own on.
    let play = perform(&[Role { line: Line::Clients, ..dying.clone() }], 1);
    assert_eq!(play.report.results.len(), 1);
    // A daemon went its own way with it, and forks.
    let play = perform(&[Role { line: Line::Own, daemon: true, ..dying.clone() }], 1);
    assert_eq!(play.report.results.len(), 1);
    // Somebody else reads what the server says, or has it as his log.
    for place in 0..3 {
        let play = perform_changed(&[Role { line: Line::Out, ..dying.clone() }], 1, |stage| {
            let stdout = stage.world[&pid(0)].wires.unwrap()[1];
            stage.body(SHELL).wires.as_mut().unwrap()[place] = stdout;
        });
        assert_eq!(play.report.results.len(), 1, "{place}");
    }
    // Two instances have the same: whose child would it be?
    let play = perform_changed(&[Role { line: Line::Own, ..dying.clone() }, obedient()], 1, |stage| {
        stage.body(pid(1)).wires = stage.world[&pid(0)].wires;
    });
    assert_eq!(play.report.results.len(), 2);
}

#[test]
fn a_wire_proves_only_when_both_its_directions_are_closed() {
    let roles = [Role { forks_dying: true, line: Line::Own, on_term: Some(1000), ..obedient() }];
    let wire = |direction, state| Evidence::Wire { direction, state, holders: Vec::new() };
    for (stdin, stdout, found) in [
        (WireState::Closed, WireState::Closed, 2),
        (WireState::Closed, WireState::Held, 1),
        (WireState::Held, WireState::Closed, 1),
        (WireState::Closed, WireState::Unknown, 1),
        (WireState::Absent, WireState::Closed, 1),
    ] {
        let mut plan = plan(&roles, 1);
        plan.targets[0].evidence = vec![wire("stdin", stdin), wire("stdout", stdout)];
        let play = perform_on(Weather::default(), &roles, &plan, |_| {});
        assert_eq!(play.report.results.len(), found, "{stdin:?} {stdout:?}");
    }
    // Without a word about the wire it proves nothing.
    let mut plan = plan(&roles, 1);
    plan.targets[0].evidence.clear();
    assert_eq!(perform_on(Weather::default(), &roles, &plan, |_| {}).report.results.len(), 1);
}

#[test]
fn the_wires_of_two_instances_are_nobody_s_child() {
    let own = Role { line: Line::Own, ..stubborn() };
    let play = perform_changed(&[own.clone(), own], 1, |stage| {
        // It reads from the first one's wire and writes to the second's.
        let (first, second) = (stage.world[&pid(0)].wires.unwrap(), stage.world[&pid(1)].wires.unwrap());
        let mut child = stage.world[&CLIENT].clone();
        (child.parent, child.wires) = (1, Some([first[0], second[1], None]));
        stage.arrive_at(Duration::from_millis(100), 9_000, child);
    });
    assert!(play.report.results.iter().all(|ended| ended.member.id.pid != Pid(9_000)));
    assert!(play.stage.world.contains_key(&9_000));
}

#[test]
fn a_neighbour_whose_descriptors_are_hidden_may_have_the_same_wire() {
    let dying = Role { forks_dying: true, line: Line::Own, ..obedient() };
    // He is no target, as somebody else has taken his number.
    let hidden = |place| Role { reused: true, line: Line::Hidden, place, ..stubborn() };
    for (place, found) in [(Place::Clients, 2), (Place::OwnGroup, 2), (Place::OwnSession, 3)] {
        let play = perform(&[dying.clone(), hidden(place)], 1);
        assert_eq!(play.report.results.len(), found, "{place:?}");
    }
}

#[test]
fn a_process_that_had_the_wire_before_the_first_look_is_not_taken_by_it() {
    let role = Role { line: Line::Own, on_term: Some(1000), ..obedient() };
    let play = perform_changed(&[role], 1, |stage| {
        let mut other = stage.world[&CLIENT].clone();
        (other.parent, other.start, other.wires) = (1, 7, stage.world[&pid(0)].wires);
        stage.world.insert(300, other);
    });
    assert_eq!(play.report.results.len(), 1);
    assert!(play.stage.world.contains_key(&300));
}

#[test]
fn what_is_born_to_an_instance_that_is_left_alone_is_not_signalled() {
    let leaving = Role { at: Some(10), forks_dying: true, line: Line::Own, ..obedient() };
    for place in [Place::Clients, Place::OwnGroup, Place::OwnSession] {
        let denied = Role { denied: true, ..obedient() };
        let play = perform(&[Role { place, ..leaving.clone() }, denied, stubborn(), stubborn()], 2);
        assert_eq!(play.report.results.len(), 4, "{place:?}");
        assert!(play.sent().all(|(to, ..)| to == id(2) || to == id(3)), "{place:?}");
    }
}

#[test]
fn a_daemon_that_was_put_into_the_background_before_is_left_alone_with_its_children() {
    for place in [Place::OwnGroup, Place::OwnSession] {
        let play = perform(&[Role { daemon: true, place, on_term: Some(1000), ..obedient() }], 1);
        assert_eq!(play.report.results.len(), 1, "{place:?}");
        assert!(play.stage.world.values().filter(|body| body.group == pid(0)).count() > 2);
    }
}

#[test]
fn a_wrapper_that_starts_its_server_again_goes_with_all_it_started() {
    let play = perform(&[Role { respawns: true, ..stubborn() }], 1);
    assert!(play.left().is_empty());
    assert!(play.report.results.len() > 10, "it was at it during the whole grace");
    assert!(play.stage.now <= GRACE + Duration::from_millis(50), "{:?}", play.stage.now);
    // A look every 250 ms, a few early ones, one before SIGTERM and two around SIGKILL.
    assert!(play.stage.looks < 30, "{} looks", play.stage.looks);
}

#[test]
fn one_member_that_may_not_be_ended_saves_its_whole_instance_and_no_other() {
    let denied = Role { denied: true, ..obedient() };
    let play = perform(&[obedient(), denied, obedient(), obedient()], 2);
    assert!(matches!(play.outcome(id(0)), Outcome::Withheld(_)));
    assert!(matches!(play.outcome(id(1)), Outcome::Denied(_)));
    assert_eq!(*play.outcome(id(2)), Outcome::Exited);
    assert_eq!(*play.outcome(id(3)), Outcome::Exited);
}

#[test]
fn a_signal_that_is_not_let_through_is_reported_and_the_others_go() {
    let play = perform(&[obedient(), Role { shielded: true, ..obedient() }], 2);
    assert_eq!(*play.outcome(id(0)), Outcome::Exited);
    assert_eq!(*play.outcome(id(1)), Outcome::Denied("operation not permitted".to_owned()));
}

#[test]
fn a_number_that_was_given_away_is_never_signalled() {
    let play = perform(&[Role { reused: true, ..obedient() }], 1);
    assert_eq!(*play.outcome(id(0)), Outcome::Vanished);
    assert_eq!(play.sent().count(), 0);
}

#[test]
fn a_number_given_away_during_the_grace_makes_nobody_a_child() {
    let taken = Role { number_taken: true, place: Place::OwnSession, ..obedient() };
    let play = perform(&[taken, stubborn()], 1);
    assert_eq!(play.report.results.len(), 2, "{:?}", play.report.results);
    assert!(play.stage.world.values().filter(|body| body.group == pid(0)).count() >= 3);
}

#[test]
fn the_numbers_of_the_system_are_refused_whatever_the_plan() {
    for number in 0..3 {
        let mut plan = plan(&[obedient()], 1);
        plan.targets[0].members[0].id.pid = Pid(number);
        let play = perform_on(Weather::default(), &[], &plan, |_| {});
        assert_eq!(play.report.results[0].outcome, Outcome::Denied(format!("{number} is never signalled")));
        assert_eq!(play.stage.sent, 0);
    }
}

#[test]
fn the_numbers_of_the_system_are_nobodys_children() {
    for number in [1, 2] {
        let play = perform_changed(&[obedient()], 1, |stage| {
            let mut child = stage.world[&pid(0)].clone();
            (child.parent, child.start) = (pid(0), 7);
            stage.world.insert(number, child);
        });
        assert_eq!(play.report.results.len(), 1, "{number} is not even asked about");
        assert_eq!(play.report.results[0].outcome, Outcome::Exited);
    }
}

#[test]
fn without_a_record_nothing_is_sent() {
    let play =
        perform_in(Weather { full_after: Some(0), ..Weather::default() }, &[stubborn(), stubborn()], 1);
    assert!(play.report.failed.is_some());
    assert_eq!(play.sent().count(), 0);
    assert!(play.report.results.iter().all(|ended| matches!(ended.outcome, Outcome::Withheld(_))));
    assert_eq!(play.stage.now, Duration::ZERO, "and nobody is waited for");
}

#[test]
fn a_disk_that_fills_up_after_sigterm_keeps_sigkill_back() {
    // Two intents in one call, two notes; the next call is the first that fails.
    let weather = Weather { full_after: Some(3), ..Weather::default() };
    let play = perform_in(weather, &[stubborn(), obedient()], 1);
    assert_eq!((play.sent_of(Signal::Term), play.sent_of(Signal::Kill)), (2, 0));
    assert_eq!(play.report.failed, Some("no space left"));
    assert_eq!(*play.outcome(id(0)), Outcome::Survived);
    assert_eq!(*play.outcome(id(1)), Outcome::Exited, "what became of the others is still seen");
    assert_eq!(play.stage.now, GRACE, "and nobody is waited for after a SIGKILL that was not sent");
}

#[test]
fn an_interrupt_during_the_grace_keeps_sigkill_back() {
    let weather = Weather { interrupt_at: Some(1000), ..Weather::default() };
    let play = perform_in(weather, &[stubborn()], 1);
    assert_eq!(*play.outcome(id(0)), Outcome::Survived);
    assert_eq!(play.sent_of(Signal::Kill), 0);
    assert_eq!(play.stage.now, Duration::from_secs(1));
}

#[test]
fn an_interrupt_between_any_two_signals_lets_no_further_one_out() {
    let roles = [stubborn(), Role { stopped: true, ..stubborn() }, stubborn()];
    let all = perform(&roles, 3).sent().count();
    assert_eq!(all, 7, "three requests, one to be woken, three times SIGKILL");
    for n in 0..=all {
        let play = perform_in(Weather { interrupt_after: Some(n), ..Weather::default() }, &roles, 3);
        assert_eq!(play.sent().count(), n);
        assert_eq!(play.report.results.len(), 3);
    }
}

#[test]
fn what_hangs_in_the_kernel_is_reported_as_a_survivor() {
    let play = perform(&[Role { on_kill: None, ..stubborn() }], 1);
    assert_eq!(*play.outcome(id(0)), Outcome::Survived);
    assert_eq!(play.stage.now, GRACE + reap::KILL_WAIT);
}

#[test]
fn a_child_born_late_has_a_whole_grace_of_its_own() {
    for (born, takes) in [(1_000, 4_900), (4_000, 4_900), (4_900, 4_000), (4_999, 1_000)] {
        let play = perform_changed(&[Role { place: Place::OwnGroup, ..stubborn() }], 1, |stage| {
            stage.child_at(born, 0, Role { on_term: Some(takes), ..obedient() });
        });
        assert_eq!(play.report.results.len(), 2, "born at {born}");
        assert_eq!(*play.outcome(id(0)), Outcome::Killed);
        assert_eq!(play.report.results[1].outcome, Outcome::Exited, "born at {born}");
        assert_eq!(play.sent_of(Signal::Kill), 1, "its parent, and in its own time");
    }
}

#[test]
fn a_child_of_a_child_has_one_too_and_who_obeys_nobody_is_killed() {
    let play = perform_changed(&[Role { place: Place::OwnGroup, ..stubborn() }], 1, |stage| {
        let child = stage.child_at(2_000, 0, stubborn());
        stage.grandchild_at(4_000, child, stubborn());
    });
    assert_eq!(play.report.results.len(), 3);
    assert!(play.all(&Outcome::Killed) && play.left().is_empty());
    let at = |signal: Signal| play.sent().filter(move |(_, sent, _)| *sent == signal).map(|(.., at)| at);
    let graces: Vec<Duration> =
        at(Signal::Kill).zip(at(Signal::Term)).map(|(kill, term)| kill.checked_sub(term).unwrap()).collect();
    assert!(
        graces.iter().all(|grace| *grace >= GRACE && *grace < GRACE + Duration::from_millis(300)),
        "{graces:?}"
    );
}

#[test]
fn a_run_ends_although_a_server_forks_for_ever() {
    for on_term in [None, Some(10)] {
        let play = perform_changed(&[Role { place: Place::OwnGroup, ..stubborn() }], 1, |stage| {
            for at in (0..60_000).step_by(70) {
                stage.child_at(at, 0, Role { on_term, ..stubborn() });
            }
        });
        assert!(play.stage.now <= reap::longest(GRACE), "{:?}", play.stage.now);
        assert_eq!(*play.outcome(id(0)), Outcome::Killed);
        the_script_is_lawful(&play).unwrap();
        let killed = play.report.results.iter().filter(|ended| ended.outcome == Outcome::Killed).count();
        assert!(killed > 50 || on_term.is_some(), "those that had their grace are gone: {killed}");
    }
}

#[test]
fn a_stranger_in_the_group_at_the_first_look_keeps_its_children() {
    // `server | while read line; do (upload &); done`, from a shell with job control: one group, led by the server.
    for (place, late) in [(Place::OwnGroup, false), (Place::OwnSession, false), (Place::OwnGroup, true)] {
        let play = perform_changed(&[Role { place, on_term: Some(1_000), ..obedient() }], 1, |stage| {
            let group = stage.world[&pid(0)].clone();
            let stranger = stage.stranger_in(if late { 300 } else { 0 }, &group, SHELL);
            stage.orphan_of(500, stranger);
            stage.orphan_of(900, stranger);
        });
        assert_eq!(play.report.results.len(), 1, "{place:?} {late}");
        assert!(play.stage.world.values().filter(|body| body.group == pid(0)).count() >= 3);
    }
}

#[test]
fn a_stranger_that_joins_the_group_later_ends_its_proof_and_no_sooner() {
    let role = Role { place: Place::OwnGroup, on_term: Some(2_000), ..obedient() };
    let play = perform_changed(&[role], 1, |stage| {
        stage.orphan_of(200, pid(0));
        let group = stage.world[&pid(0)].clone();
        let stranger = stage.stranger_in(600, &group, SHELL);
        stage.orphan_of(900, stranger);
    });
    assert_eq!(play.report.results.len(), 2, "the one from before is its child: {:?}", play.report.results);
    assert!(play.stage.world.values().filter(|body| body.group == pid(0)).count() >= 2);
}

#[test]
fn a_zombie_or_another_users_process_in_the_group_is_a_stranger_too() {
    let role = Role { place: Place::OwnGroup, on_term: Some(1_000), forks_dying: true, ..obedient() };
    for (zombie, denied) in [(true, false), (false, true)] {
        let play = perform_changed(std::slice::from_ref(&role), 1, |stage| {
            let group = stage.world[&pid(0)].clone();
            let stranger = stage.stranger_in(0, &group, SHELL);
            (stage.body(stranger).zombie, stage.body(stranger).role.denied) = (zombie, denied);
        });
        assert_eq!(play.report.results.len(), 1, "{zombie} {denied}");
    }
    // A child that a member did not collect is none.
    let play = perform_changed(&[role], 1, |stage| {
        let group = stage.world[&pid(0)].clone();
        let child = stage.stranger_in(0, &group, pid(0));
        stage.body(child).zombie = true;
    });
    assert_eq!(play.report.results.len(), 2);
}

#[test]
fn a_group_opened_at_sigterm_proves_as_one_from_before() {
    // A server that calls setsid() when it is asked, and forks as it ends.
    let role = Role { place: Place::Clients, on_term: Some(1_000), forks_dying: true, ..obedient() };
    let play = perform_changed(&[role], 1, |stage| stage.leaves_at(Duration::from_millis(50), pid(0)));
    assert_eq!(play.report.results.len(), 2);
    assert!(play.left().is_empty());
}

#[test]
fn only_an_adopter_hands_on() {
    const SUBREAPER: u32 = 45;
    let role = Role { place: Place::OwnGroup, on_term: Some(1_000), forks_dying: true, ..obedient() };
    let adopted_by = |manager: Option<u32>, planned: bool| {
        let mut plan = plan(std::slice::from_ref(&role), 1);
        if !planned {
            plan.targets[0].evidence.remove(0);
        }
        plan.targets[0].members[0].parent = Pid(SUBREAPER);
        if let Some(Evidence::OwnerGone { pid, .. }) = plan.targets[0].evidence.first_mut() {
            *pid = Pid(SUBREAPER);
        }
        perform_on(Weather::default(), std::slice::from_ref(&role), &plan, |stage| {
            (stage.adopter, stage.manager) = (SUBREAPER, manager);
            stage.settle_in(SUBREAPER);
            stage.body(pid(0)).parent = SUBREAPER;
        })
    };
    // It had adopted the root; it is the person's service manager; or nothing is known of it.
    assert_eq!(adopted_by(None, true).report.results.len(), 2);
    assert_eq!(adopted_by(Some(SUBREAPER), false).report.results.len(), 2);
    assert_eq!(adopted_by(None, false).report.results.len(), 1);
}

#[test]
fn who_was_seen_to_adopt_a_member_is_an_adopter() {
    const SUBREAPER: u32 = 45;
    let leader = Role { place: Place::OwnGroup, ..obedient() };
    let roles = [leader, Role { on_term: Some(1_000), forks_dying: true, ..obedient() }];
    let mut plan = plan(&roles, 2);
    plan.targets[0].evidence.remove(0);
    plan.targets[0].members[1].parent = Pid(pid(0));
    let play = perform_on(Weather::default(), &roles, &plan, |stage| {
        stage.adopter = SUBREAPER;
        stage.settle_in(SUBREAPER);
        (stage.body(pid(1)).parent, stage.body(pid(1)).group) = (pid(0), pid(0));
    });
    assert_eq!(play.report.results.len(), 3, "the second member went to it when the first ended");
    assert!(play.left().is_empty());
}

#[test]
fn what_could_not_be_read_whole_proves_nothing() {
    let dying = Role {
        place: Place::OwnGroup,
        line: Line::Own,
        on_term: Some(1_000),
        forks_dying: true,
        ..obedient()
    };
    for look in [1, 2, 3] {
        let play = perform_changed(&[Role { forks: true, ..dying.clone() }], 1, |stage| {
            stage.blind_from = Some(look);
        });
        assert_eq!(play.report.results.len(), 2, "the child of the living alone, from look {look} on");
    }
}

#[test]
fn what_a_stranger_traces_is_left_alone_whole() {
    for traced in 0..2 {
        let play = perform_changed(&[obedient(), obedient(), obedient()], 2, |stage| {
            stage.body(pid(traced)).tracer = Some(SHELL);
        });
        assert_eq!(*play.outcome(id(traced)), Outcome::Denied(format!("is traced by process {SHELL}")));
        assert!(matches!(play.outcome(id(1 - traced)), Outcome::Withheld(_)));
        assert_eq!(*play.outcome(id(2)), Outcome::Exited);
        assert_eq!(play.sent().count(), 1);
    }
    // strace as a launcher: the tracer is a member.
    let play =
        perform_changed(&[obedient(), obedient()], 2, |stage| stage.body(pid(1)).tracer = Some(pid(0)));
    assert!(play.all(&Outcome::Exited));
    // A member of another instance is a stranger.
    let play =
        perform_changed(&[obedient(), obedient()], 1, |stage| stage.body(pid(1)).tracer = Some(pid(0)));
    assert!(matches!(play.outcome(id(1)), Outcome::Denied(_)));
}

#[test]
fn a_debugger_that_comes_during_the_grace_keeps_sigkill_back() {
    let play = perform_changed(&[stubborn(), stubborn()], 1, |stage| {
        stage.traced_from(Duration::from_secs(2), pid(0), SHELL);
    });
    assert!(matches!(play.outcome(id(0)), Outcome::Denied(_)), "{:?}", play.outcome(id(0)));
    assert_eq!(*play.outcome(id(1)), Outcome::Killed);
    assert!(play.stage.world.contains_key(&pid(0)));
}

#[test]
fn an_empty_plan_looks_at_nobody() {
    let play = perform(&[], 1);
    assert_eq!((play.stage.looks, play.report.results.len()), (0, 0));
}

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
fn the_script_is_lawful(play: &Play) -> Result<(), TestCaseError> {
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
