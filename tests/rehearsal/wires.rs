//! What is born during a run, known by the stdio connection that it inherited.

use std::time::Duration;

use mcp_reap::classify::{Evidence, WireState};
use mcp_reap::process::Pid;
use mcp_reap::reap::Outcome;

use crate::stage::{CLIENT, Line, Place, Role, SHELL, obedient, pid, stubborn};
use crate::{Weather, perform, perform_changed, perform_on, plan};

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
