//! Ending, against the model: the program's own hand on macOS, with everything that can happen between two of its calls.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mcp_reap::plan::Plan;
use mcp_reap::process::{Pid, ProcessId, StartTime};
use mcp_reap::reap::{
    self, Kernel, Lookout, MemberEvent, Outcome, Recorder, Refusal, RunReport, Settling, Signal, Step,
};
use mcp_reap::sys::macos::{MacKernel, identity_by, wait_for_end_by};
use proptest::prelude::*;

use crate::machine::{Fault, Kind, Machine};
use crate::scenes::{Style, claude, desktop, lively, look, npx, plan, targets};
use crate::world::{KILL, Manners, TERM, World};

const GRACE: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Notes {
    intents: Vec<(ProcessId, Signal)>,
}

impl Recorder for Notes {
    type Error = &'static str;

    fn intend(&mut self, intents: &[MemberEvent<'_>]) -> Result<(), &'static str> {
        for event in intents {
            if let Step::Intent(signal) = event.step {
                self.intents.push((event.member.id, signal));
            }
        }
        Ok(())
    }

    fn note(&mut self, _: &MemberEvent<'_>) -> Result<(), &'static str> {
        Ok(())
    }
}

struct Play {
    machine: Machine,
    report: RunReport<&'static str>,
    /// Unique numbers of the planned members.
    planned: BTreeSet<u64>,
    /// The first call of the run itself.
    first: u64,
}

impl Play {
    fn outcomes(&self) -> Vec<&Outcome> {
        self.report.results.iter().map(|ended| &ended.outcome).collect()
    }

    fn sent(&self) -> Vec<(u32, u64, i32)> {
        self.machine.world.borrow().signals.clone()
    }

    /// Every signal went to a member, or to one that a member forked.
    fn is_safe(&self) -> bool {
        let world = self.machine.world.borrow();
        world.signals.iter().all(|(_, unique, _)| {
            let mut line = Some(*unique);
            while let Some(one) = line {
                if self.planned.contains(&one) {
                    return true;
                }
                line = world.births.get(&one).copied();
            }
            false
        })
    }
}

fn play(world: World, prepare: impl FnOnce(&Machine, &Plan, u64)) -> Play {
    let machine = Machine::of(world);
    let plan = plan(&look(&machine).unwrap());
    play_on(&machine, &plan, prepare)
}

fn play_on(machine: &Machine, plan: &Plan, prepare: impl FnOnce(&Machine, &Plan, u64)) -> Play {
    let planned = {
        let world = machine.world.borrow();
        targets(plan).iter().map(|pid| world.processes[pid].unique).collect()
    };
    let first = machine.calls().len() as u64 + 1;
    prepare(machine, plan, first);
    let mut notes = Notes::default();
    let report = match MacKernel::by(machine.clone(), false, Arc::default()) {
        Ok(mut kernel) => reap::run(plan, GRACE, &mut kernel, &mut notes),
        // Without a kqueue nothing is ended.
        Err(_) => RunReport { results: Vec::new(), failed: None },
    };
    for (pid, _, signal) in &machine.world.borrow().signals {
        let intended = |(id, intended): &(ProcessId, Signal)| {
            let number = match intended {
                Signal::Term => TERM,
                Signal::Kill => KILL,
                Signal::Cont => 19,
            };
            id.pid.0 == *pid && number == *signal
        };
        assert!(notes.intents.iter().any(intended), "{signal} to {pid} without a record");
    }
    Play { machine: machine.clone(), report, planned, first }
}

/// A killed client's server of three processes, and the plan to end it. Its pids.
fn orphan() -> (World, [u32; 3]) {
    let mut world = desktop();
    let (_, dead) = claude(&mut world, 1);
    let pids = npx(&mut world, dead, Style::Sockets, "@modelcontextprotocol/server-memory");
    world.exit(dead);
    world.later_on();
    (world, pids)
}

#[test]
fn an_obedient_instance_goes_on_sigterm() {
    for pace in [0, 50, 3_000] {
        let (mut world, pids) = orphan();
        world.pace = pace;
        let play = play(world, |_, _, _| {});
        assert_eq!(play.outcomes(), [&Outcome::Exited; 3], "pace {pace}");
        assert!(play.sent().iter().all(|(_, _, signal)| *signal == TERM));
        let world = play.machine.world.borrow();
        assert!(
            pids.iter()
                .all(|pid| world.processes.get(pid).is_none_or(|body| body.life > crate::world::Life::Lives))
        );
    }
}

#[test]
fn a_deaf_one_is_killed_after_the_grace_and_one_that_hangs_in_the_kernel_survives() {
    for (on_kill, outcome) in [(Some(100), Outcome::Killed), (None, Outcome::Survived)] {
        let (mut world, pids) = orphan();
        world.body(pids[2]).manners = Manners { on_term: None, on_kill, ..Manners::default() };
        let begun = world.now;
        let play = play(world, |_, _, _| {});
        let of = play.report.results.iter().find(|ended| ended.member.id.pid.0 == pids[2]).unwrap();
        assert_eq!(of.outcome, outcome);
        let killed = play.sent().iter().filter(|(_, _, signal)| *signal == KILL).count();
        assert_eq!(killed, 1);
        assert!(play.machine.world.borrow().now - begun > 5_000_000);
    }
}

#[test]
fn a_stopped_one_is_woken_so_that_it_can_hear() {
    let (mut world, pids) = orphan();
    world.body(pids[0]).stopped = true;
    let play = play(world, |_, _, _| {});
    assert_eq!(play.outcomes(), [&Outcome::Exited; 3]);
    assert!(play.sent().contains(&(pids[0], play.machine_unique(pids[0]), 19)));
}

impl Play {
    fn machine_unique(&self, pid: u32) -> u64 {
        self.sent().iter().find(|(one, _, _)| *one == pid).unwrap().1
    }
}

#[test]
fn a_zombie_that_nobody_collects_has_ended() {
    let (mut world, pids) = orphan();
    world.body(pids[2]).manners.uncollected = true;
    let play = play(world, |_, _, _| {});
    assert_eq!(play.outcomes(), [&Outcome::Exited; 3]);
}

/// How many calls an undisturbed run makes.
fn length(world: World) -> (u64, Vec<Kind>) {
    let play = play(world, |_, _, _| {});
    let calls = play.machine.calls();
    (play.first, calls)
}

#[test]
fn one_on_its_way_out_at_any_moment_makes_no_instance_denied() {
    let (first, calls) = length(orphan().0);
    for at in first..=calls.len() as u64 {
        for (member, pace) in [(0, 50), (2, 50), (2, 3_000), (1, 100_000)] {
            let (world, pids) = orphan();
            let play = play(world, |machine, _, _| {
                machine.world.borrow_mut().pace = pace;
                machine.before(at, move |world| world.exit(pids[member]));
            });
            let bad = |outcome: &&Outcome| !matches!(outcome, Outcome::Exited | Outcome::Vanished);
            assert_eq!(
                play.outcomes().into_iter().find(bad),
                None,
                "call {at}, member {member}, pace {pace}"
            );
        }
    }
}

#[test]
fn a_number_that_was_given_to_a_stranger_is_never_signalled_by_audit_token() {
    let (first, calls) = length(orphan().0);
    for tokens in [true, false] {
        let mut hit = Vec::new();
        for at in first..=calls.len() as u64 {
            let (world, pids) = orphan();
            let play = play(world, |machine, _, _| {
                if !tokens {
                    machine.without_tokens();
                }
                machine.before(at, move |world| {
                    world.exit(pids[2]);
                    if !world.exists(pids[2]) {
                        // A name and arguments like the member's own.
                        let argv = vec!["/opt/homebrew/bin/node".to_owned()];
                        world.spawn_as(pids[2], 1, argv);
                    }
                });
            });
            if !play.is_safe() {
                hit.push(calls[usize::try_from(at).unwrap() - 1]);
            }
        }
        // Before macOS 14.4 the gap between the last comparison and the signal is left: nothing else.
        let gap = hit.iter().all(|kind| *kind == Kind::Kill);
        assert!(if tokens { hit.is_empty() } else { gap && hit.len() == 1 }, "tokens {tokens}: {hit:?}");
    }
}

#[test]
fn another_program_under_the_same_number_is_never_signalled_by_audit_token() {
    let (first, calls) = length(orphan().0);
    for at in first..=calls.len() as u64 {
        let (world, pids) = orphan();
        let play = play(world, |machine, _, _| {
            machine.before(at, move |world| {
                if world.exists(pids[0]) && world.processes[&pids[0]].life == crate::world::Life::Lives {
                    world.exec(pids[0], &["/usr/bin/emacs"]);
                }
            });
        });
        let world = play.machine.world.borrow();
        let after = world.processes.get(&pids[0]).filter(|body| body.argv[0] == "/usr/bin/emacs");
        let before_exec = play.sent().iter().any(|(pid, _, _)| *pid == pids[0]);
        if let (Some(_), false) = (after, before_exec) {
            let denied = |ended: &&reap::Ended| ended.member.id.pid.0 == pids[0];
            let outcome = &play.report.results.iter().find(denied).unwrap().outcome;
            assert!(matches!(outcome, Outcome::Denied(_) | Outcome::Withheld(_)), "call {at}: {outcome:?}");
        }
    }
}

#[test]
fn a_child_born_at_the_last_moment_is_found_by_its_lineage_and_a_strangers_is_not() {
    let (mut world, pids) = orphan();
    world.body(pids[2]).manners.forks_dying = true;
    // Somebody else's child is handed on in the same moment, in a session of its own too.
    let stranger = world.spawn(1, &["/usr/bin/build"]);
    world.body(stranger).manners.forks_dying = true;
    let play = play(world, |machine, _, _| {
        let first = machine.calls().len() as u64 + 40;
        machine.before(first, move |world| world.exit(stranger));
    });
    let world = play.machine.world.borrow();
    let left: Vec<u64> = world
        .processes
        .values()
        .filter(|body| body.argv[0] == "/usr/bin/late-helper")
        .map(|body| body.punique)
        .collect();
    assert_eq!(
        (left.len(), play.report.results.len()),
        (1, 4),
        "the member's is ended, the stranger's lives"
    );
    assert!(play.is_safe() && play.sent().len() == 4);
}

#[test]
fn each_error_at_each_call_of_a_run_signals_nobody_who_was_not_planned() {
    let mut runs = 0;
    for (deaf, tokens) in [(false, true), (true, true), (true, false)] {
        let scene = || {
            let (mut world, pids) = orphan();
            if deaf {
                world.body(pids[2]).manners.on_term = None;
            }
            world.pace = 40;
            world
        };
        let (first, calls) = length(scene());
        for (number, kind) in (1..).zip(&calls).skip(usize::try_from(first).unwrap() - 1) {
            // A deaf one is waited for a whole grace: the calls of its looks are alike.
            if deaf && number > first + 150 && number % 9 != 0 {
                continue;
            }
            for errno in kind.errnos() {
                let play = play(scene(), |machine, _, _| {
                    machine.fail(Fault::One(number, *errno));
                    if !tokens {
                        machine.without_tokens();
                    }
                });
                assert!(play.is_safe(), "{kind:?} {errno} at {number}");
                runs += 1;
            }
        }
    }
    println!("{runs} runs with one error each");
    assert!(runs > 500, "{runs}");
}

#[test]
fn a_table_that_was_not_read_whole_says_so() {
    let table = |errno: Option<i32>| {
        let machine = Machine::of(orphan().0);
        let mut kernel = MacKernel::by(machine.clone(), false, Arc::default()).unwrap();
        if let Some(errno) = errno {
            machine.fail(Fault::All(Kind::PidInfo(3), 12, errno));
        }
        let table = kernel.process_table();
        (table.complete, table.rows.len())
    };
    let all = table(None);
    assert!(all.0 && all.1 > 10);
    assert!(!table(Some(12)).0, "no memory");
    let (complete, rows) = table(Some(3));
    assert!(complete && rows < all.1, "ended meanwhile");
    // Of another user's the short form is enough.
    assert_eq!(table(Some(1)), all);
}

#[test]
fn holding_and_signalling_compare_everything_again() {
    let (world, pids) = orphan();
    let machine = Machine::of(world);
    let mut kernel = MacKernel::by(machine.clone(), false, Arc::default()).unwrap();
    let id = identity_by(&machine, Pid(pids[0])).unwrap();
    let held = kernel.hold(id).unwrap();
    let viewer = machine.world.borrow().viewer;
    for never in [0, 1, viewer] {
        let id = ProcessId { pid: Pid(never), start: StartTime(0) };
        assert!(matches!(kernel.hold(id), Err(Refusal::Denied(_))), "{never}");
    }
    assert_eq!(kernel.hold(ProcessId { start: StartTime(1), ..id }).unwrap_err(), Refusal::Reused);
    assert_eq!(kernel.hold(ProcessId { pid: Pid(77_777), ..id }).unwrap_err(), Refusal::Gone);
    machine.world.borrow_mut().body(pids[1]).uid = 502;
    let theirs = identity_by(&machine, Pid(pids[1]));
    assert_eq!(theirs, None, "another user's start is not told");
    let theirs = ProcessId { pid: Pid(pids[1]), ..id };
    assert!(matches!(kernel.hold(theirs), Err(Refusal::Denied(why)) if why == "belongs to user 502"));
    assert_eq!(kernel.tracer(id), Ok(None));
    machine.world.borrow_mut().trace(pids[0], viewer);
    assert_eq!(kernel.tracer(id), Ok(Some(Pid(viewer))));
    machine.world.borrow_mut().exec(pids[0], &["/usr/bin/emacs"]);
    assert!(matches!(kernel.signal(&held, Signal::Kill), Err(Refusal::Denied(_))));
    machine.world.borrow_mut().pace = 1_000_000;
    machine.world.borrow_mut().exit(pids[0]);
    assert_eq!(kernel.signal(&held, Signal::Kill), Err(Refusal::Gone));
    assert_eq!(machine.world.borrow().signals, []);
}

#[test]
fn a_wait_ends_with_the_process_its_patience_or_a_signal_to_us() {
    let (mut world, pids) = orphan();
    world.pace = 500;
    let machine = Machine::of(world);
    let stop = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut kernel = MacKernel::by(machine.clone(), false, Arc::clone(&stop)).unwrap();
    let id = identity_by(&machine, Pid(pids[0])).unwrap();
    let held = kernel.hold(id).unwrap();
    let soon = kernel.now() + Duration::from_millis(120);
    assert_eq!(kernel.wait(&[&held], soon), [false]);
    assert!(kernel.now() >= soon && kernel.now() < soon + Duration::from_millis(5));
    assert!(!wait_for_end_by(&machine, id, Duration::from_millis(10)).unwrap());
    kernel.signal(&held, Signal::Term).unwrap();
    let (before, late) = (kernel.now(), kernel.now() + GRACE);
    assert_eq!(kernel.wait(&[&held], late), [true]);
    assert!(kernel.now().checked_sub(before).unwrap() < Duration::from_millis(10), "told by the kqueue");
    assert!(wait_for_end_by(&machine, id, Duration::ZERO).unwrap());
    let other = identity_by(&machine, Pid(pids[1])).unwrap();
    let earlier = ProcessId { start: StartTime(other.start.0 - 1), ..other };
    assert!(wait_for_end_by(&machine, earlier, GRACE).unwrap(), "another of this number is not waited for");
    stop.store(2, std::sync::atomic::Ordering::Relaxed);
    let held = kernel.hold(other).unwrap();
    assert_eq!((kernel.wait(&[&held], kernel.now() + GRACE), kernel.interrupted()), (vec![false], Some(2)));
}

#[test]
fn one_that_still_works_is_seen_to_move_and_a_quiet_one_is_not() {
    let (world, pids) = orphan();
    let machine = Machine::of(world);
    let plan = plan(&look(&machine).unwrap());
    let mut kernel = MacKernel::by(machine.clone(), false, Arc::default()).unwrap();
    let mut settling = Settling::begin(&plan, &mut kernel, Duration::ZERO);
    let at = Duration::from_secs;
    assert_eq!(settling.still_finishing(&plan, &mut kernel, at(1)).len(), 0);
    // 24,000,000 ticks of 125/3 ns are a second.
    machine.world.borrow_mut().body(pids[2]).ticks += 2_400_000;
    assert_eq!(
        settling.still_finishing(&plan, &mut kernel, at(2)).len(),
        1,
        "100 ms of processor time in a second"
    );
    for (second, finishing) in [(3, 1), (4, 0)] {
        assert_eq!(settling.still_finishing(&plan, &mut kernel, at(second)).len(), finishing);
    }
    machine.world.borrow_mut().body(pids[2]).written += 4096;
    assert_eq!(settling.still_finishing(&plan, &mut kernel, at(5)).len(), 1);
}

/// What may happen at some call.
#[derive(Clone, Copy, Debug)]
enum Event3 {
    Kqueue(usize),
    IsReplaced(usize),
    Executes(usize),
    IsTraced(usize),
    Fails(i32),
}

fn happening() -> impl Strategy<Value = Event3> {
    prop_oneof![
        (0_usize..4).prop_map(Event3::Kqueue),
        (0_usize..4).prop_map(Event3::IsReplaced),
        (0_usize..4).prop_map(Event3::Executes),
        (0_usize..4).prop_map(Event3::IsTraced),
        prop::sample::select(vec![1, 3, 12, 22]).prop_map(Event3::Fails),
    ]
}

fn manners() -> impl Strategy<Value = Manners> {
    let delay = || prop_oneof![Just(None), (0_u64..6_000_000).prop_map(Some), Just(Some(500))];
    (delay(), delay(), any::<bool>(), any::<bool>()).prop_map(
        |(on_term, on_kill, forks_dying, uncollected)| Manners {
            on_term,
            on_kill,
            on_hup: true,
            forks_dying,
            uncollected,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nobody_is_signalled_who_is_no_member(
        manners in prop::collection::vec(manners(), 4),
        events in prop::collection::vec((0_u64..400, happening()), 0..6),
        pace in prop::sample::select(vec![0_u64, 30, 2_000, 200_000]),
    ) {
        let (mut world, right) = lively();
        for (pid, manners) in right.iter().zip(&manners) {
            world.body(*pid).manners = *manners;
        }
        let gone = |world: &mut World, pid: u32| world.exists(pid) && world.processes[&pid].life == crate::world::Life::Lives;
        let play = play(world, |machine, _, first| {
            machine.world.borrow_mut().pace = pace;
            for (at, event) in &events {
                let (at, right) = (first + at, right.clone());
                match *event {
                    Event3::Kqueue(member) => machine.before(at, move |world| world.exit(right[member])),
                    Event3::IsReplaced(member) => machine.before(at, move |world| {
                        world.exit(right[member]);
                        if !world.exists(right[member]) {
                            world.spawn_as(right[member], 1, vec!["/usr/bin/vim".to_owned()]);
                        }
                    }),
                    Event3::Executes(member) => machine.before(at, move |world| {
                        if gone(world, right[member]) {
                            world.exec(right[member], &["/usr/bin/emacs"]);
                        }
                    }),
                    Event3::IsTraced(member) => machine.before(at, move |world| {
                        let viewer = world.viewer;
                        if gone(world, right[member]) {
                            world.trace(right[member], viewer);
                        }
                    }),
                    Event3::Fails(errno) => machine.fail(Fault::One(at, errno)),
                }
            }
        });
        prop_assert!(play.is_safe(), "{:?}", play.sent());
        // Each planned member has one outcome, and what is called ended has ended.
        let planned = play.report.results.iter().filter(|ended| right.contains(&ended.member.id.pid.0));
        prop_assert!(planned.count() >= right.len() || play.report.results.is_empty());
        let quiet = events.is_empty();
        let world = play.machine.world.borrow();
        for ended in &play.report.results {
            let same = world.processes.get(&ended.member.id.pid.0).filter(|body| body.start == ended.member.id.start.0);
            let lives = same.is_some_and(|body| body.life == crate::world::Life::Lives);
            if matches!(ended.outcome, Outcome::Exited | Outcome::Killed | Outcome::Vanished) {
                prop_assert!(!lives || !quiet, "{:?} lives", ended.member.id);
            }
        }
    }
}
