//! What is left alone, and what keeps a signal back.

use std::time::Duration;

use mcp_reap::process::Pid;
use mcp_reap::reap::{Outcome, Signal};

use crate::stage::{Role, SHELL, id, obedient, pid, stubborn};
use crate::{GRACE, Weather, perform, perform_changed, perform_in, perform_on, plan};

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
