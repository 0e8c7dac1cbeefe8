//! What is born during a run: whose child it is, and how it is ended.

use std::time::Duration;

use mcp_reap::bytes::Argv;
use mcp_reap::classify::Evidence;
use mcp_reap::plan::Why;
use mcp_reap::process::Pid;
use mcp_reap::reap::{self, Outcome, Signal};

use crate::chances::the_script_is_lawful;
use crate::stage::{CLIENT, Line, Place, Role, SHELL, id, obedient, pid, stubborn};
use crate::{GRACE, Weather, perform, perform_changed, perform_on, plan};

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
fn a_number_given_away_during_the_grace_makes_nobody_a_child() {
    let taken = Role { number_taken: true, place: Place::OwnSession, ..obedient() };
    let play = perform(&[taken, stubborn()], 1);
    assert_eq!(play.report.results.len(), 2, "{:?}", play.report.results);
    assert!(play.stage.world.values().filter(|body| body.group == pid(0)).count() >= 3);
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
fn a_client_or_a_persons_program_born_during_the_grace_keeps_itself_and_its_instance() {
    for (line, why) in [
        (&["claude", "-p", "x"][..], Why::Client),
        (&["sh", "-c", "codex"], Why::Client),
        (&["vim", "/srv/notes"], Why::Person),
        (&["/opt/google/chrome/chrome"], Why::Person),
        (&["tmux", "new"], Why::Person),
    ] {
        // From its first moment, and as what a child becomes after it was sent SIGTERM.
        for from in [0, 2_000] {
            let mut child = 0;
            let play = perform_changed(&[Role { place: Place::OwnGroup, ..stubborn() }], 1, |stage| {
                child = stage.child_at(1_000, 0, stubborn());
                stage.lines.insert(child, (from, line));
            });
            assert_eq!(*play.outcome(id(0)), Outcome::Withheld(why.as_str().to_owned()), "{line:?} {from}");
            assert_eq!(play.sent_of(Signal::Kill), 0, "{line:?} {from}");
            let asked = play.sent().filter(|(to, ..)| to.pid == Pid(child)).count();
            assert_eq!(asked, usize::from(from > 0), "{line:?} {from}");
        }
    }
}

#[test]
fn what_a_server_restarts_during_the_grace_is_no_person_s() {
    for line in
        [&["node", "/srv/mcp-server-x.js"][..], &["/opt/google/chrome/chrome", "--headless=new"], &["make"]]
    {
        let play = perform_changed(&[Role { place: Place::OwnGroup, ..stubborn() }], 1, |stage| {
            let child = stage.child_at(1_000, 0, stubborn());
            stage.lines.insert(child, (0, line));
        });
        assert!(play.all(&Outcome::Killed) && play.report.results.len() == 2, "{line:?}");
    }
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
