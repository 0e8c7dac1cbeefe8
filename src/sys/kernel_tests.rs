//! Acting and looking, as every system has to do it: against real children on this one (`real_stage_tests.rs`), and against
//! the model of xnu (`tests/mac_model/hand.rs`). Each stage makes a test of each function here with [`on`].

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use crate::process::{Pid, ProcessId, StartTime, Uid};
use crate::reap::{Kernel, Lookout, ProcessRow, Refusal, Signal};

/// Where the tests play. Every process that gets a signal is a child that the stage made.
pub(crate) trait Stage {
    type Kernel: Kernel<Held: std::fmt::Debug> + Lookout;
    /// A child, which ends when it is dropped, at the latest.
    type Child;

    fn kernel(&self, all_users: bool, stop: Arc<AtomicUsize>) -> Self::Kernel;
    /// `sleep 600`, which obeys.
    fn sleeper(&self) -> Self::Child;
    /// One that uses the processor all the time.
    fn busy(&self) -> Self::Child;
    fn pid(&self, child: &Self::Child) -> Pid;
    /// SIGSTOP.
    fn stop(&self, child: &Self::Child);
    fn is_alive(&self, child: &mut Self::Child) -> bool;
    /// Collects it; which signal ended it.
    fn collect(&self, child: Self::Child) -> Option<i32>;
    /// This very process and its user.
    fn me(&self) -> (Pid, Uid);
    /// The time of day, in seconds since the epoch.
    fn epoch(&self) -> f64;
    /// Signal 2 comes in so many milliseconds. The answer tells how long ago that was.
    fn signal_in(&self, milliseconds: u64, stop: Arc<AtomicUsize>) -> Box<dyn FnOnce() -> Duration>;
    /// A moment passes.
    fn moment(&self);
    /// A held process as if it were another one; `None` where nothing can be held so by mistake.
    fn mistaken(
        &self,
        held: <Self::Kernel as Kernel>::Held,
        other: ProcessId,
    ) -> Option<<Self::Kernel as Kernel>::Held>;
}

/// Makes a test of each of these, on a stage.
macro_rules! on {
    ($tests:ident, $stage:expr) => {
        $tests::on!(@ $tests, $stage, a_child_is_held_asked_and_seen_to_end_long_before_the_deadline,
            a_zombie_nobody_collects_has_ended_and_is_not_held_again,
            a_collected_child_is_gone_for_hold_and_for_signal,
            another_start_is_another_process_at_hold_and_at_signal,
            pid_0_pid_1_and_ourselves_are_never_signalled,
            a_stopped_child_handles_sigterm_only_after_cont,
            waiting_tells_who_ended_and_who_did_not,
            waiting_for_nobody_takes_no_time,
            a_stop_ends_the_wait_within_a_tenth_of_a_second,
            the_table_shows_a_child_with_its_start_and_parent,
            a_process_says_what_it_runs_and_that_nobody_traces_it,
            a_sleeper_does_nothing_and_a_busy_process_uses_the_processor,);
    };
    (@ $tests:ident, $stage:expr, $($name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                $tests::$name(&$stage);
            }
        )*
    };
}
pub(crate) use on;

/// The identity as the table shows it now.
fn id_of(kernel: &mut impl Lookout, pid: Pid) -> ProcessId {
    row_of(kernel, pid).unwrap().id
}

/// The row of a process that has not ended.
pub(crate) fn row_of(kernel: &mut impl Lookout, pid: Pid) -> Option<ProcessRow> {
    let table = kernel.process_table();
    assert!(table.complete, "everything can be read here");
    table.rows.into_iter().find(|row| row.id.pid == pid && !row.zombie)
}

fn in_ms(kernel: &impl Kernel, milliseconds: u64) -> Duration {
    kernel.now() + Duration::from_millis(milliseconds)
}

fn kernel<S: Stage>(stage: &S) -> S::Kernel {
    stage.kernel(false, Arc::default())
}

pub(crate) fn a_child_is_held_asked_and_seen_to_end_long_before_the_deadline<S: Stage>(stage: &S) {
    let mut kernel = kernel(stage);
    let child = stage.sleeper();
    let id = id_of(&mut kernel, stage.pid(&child));
    let held = kernel.hold(id).unwrap();
    let soon = in_ms(&kernel, 30);
    assert_eq!(kernel.wait(&[&held], soon), [false]);
    kernel.signal(&held, Signal::Term).unwrap();
    let (before, late) = (kernel.now(), in_ms(&kernel, 20_000));
    assert_eq!(kernel.wait(&[&held], late), [true]);
    assert!(kernel.now().checked_sub(before).unwrap() < Duration::from_secs(5));
    assert_eq!(stage.collect(child), Some(15));
}

pub(crate) fn a_zombie_nobody_collects_has_ended_and_is_not_held_again<S: Stage>(stage: &S) {
    let mut kernel = kernel(stage);
    let child = stage.sleeper();
    let id = id_of(&mut kernel, stage.pid(&child));
    let held = kernel.hold(id).unwrap();
    kernel.signal(&held, Signal::Kill).unwrap();
    let late = in_ms(&kernel, 20_000);
    assert_eq!(kernel.wait(&[&held], late), [true]);
    assert_eq!(kernel.hold(id).unwrap_err(), Refusal::Gone);
    let rows = kernel.process_table().rows;
    assert!(rows.iter().any(|row| row.id == id && row.zombie), "it shares a group until it is collected");
    assert_eq!((kernel.wires(id), kernel.activity(id), kernel.argv(id).len()), (None, None, 0));
}

pub(crate) fn a_collected_child_is_gone_for_hold_and_for_signal<S: Stage>(stage: &S) {
    let mut kernel = kernel(stage);
    let child = stage.sleeper();
    let id = id_of(&mut kernel, stage.pid(&child));
    let held = kernel.hold(id).unwrap();
    stage.collect(child);
    assert_eq!(kernel.signal(&held, Signal::Kill), Err(Refusal::Gone));
    assert_eq!(kernel.hold(id).unwrap_err(), Refusal::Gone);
    assert_eq!(kernel.hold(ProcessId { pid: Pid(u32::MAX), start: id.start }).unwrap_err(), Refusal::Gone);
}

pub(crate) fn another_start_is_another_process_at_hold_and_at_signal<S: Stage>(stage: &S) {
    let mut kernel = kernel(stage);
    let mut child = stage.sleeper();
    let id = id_of(&mut kernel, stage.pid(&child));
    for start in [id.start.0 - 1, id.start.0 + 1, 0] {
        let other = ProcessId { start: StartTime(start), ..id };
        assert_eq!(kernel.hold(other).unwrap_err(), Refusal::Reused);
        let held = kernel.hold(id).unwrap();
        if let Some(mistaken) = stage.mistaken(held, other) {
            assert_eq!(kernel.signal(&mistaken, Signal::Kill), Err(Refusal::Reused));
        }
    }
    assert!(stage.is_alive(&mut child), "it was not touched");
}

pub(crate) fn pid_0_pid_1_and_ourselves_are_never_signalled<S: Stage>(stage: &S) {
    for all_users in [false, true] {
        let mut kernel = stage.kernel(all_users, Arc::default());
        for pid in [Pid(0), Pid(1), stage.me().0] {
            let start = row_of(&mut kernel, pid).map_or(StartTime(0), |row| row.id.start);
            let refused = kernel.hold(ProcessId { pid, start });
            assert!(matches!(refused, Err(Refusal::Denied(_))), "{pid}: {refused:?}");
        }
    }
}

pub(crate) fn a_stopped_child_handles_sigterm_only_after_cont<S: Stage>(stage: &S) {
    let mut kernel = kernel(stage);
    let child = stage.sleeper();
    let id = id_of(&mut kernel, stage.pid(&child));
    stage.stop(&child);
    let stopped =
        |kernel: &mut S::Kernel| row_of(kernel, id.pid).is_some_and(|row| row.id == id && row.stopped);
    let late = in_ms(&kernel, 5_000);
    while !stopped(&mut kernel) {
        assert!(kernel.now() < late, "it never stopped");
        stage.moment();
    }
    let held = kernel.hold(id).unwrap();
    kernel.signal(&held, Signal::Term).unwrap();
    let soon = in_ms(&kernel, 100);
    assert_eq!(kernel.wait(&[&held], soon), [false]);
    kernel.signal(&held, Signal::Cont).unwrap();
    let late = in_ms(&kernel, 20_000);
    assert_eq!(kernel.wait(&[&held], late), [true]);
}

pub(crate) fn waiting_tells_who_ended_and_who_did_not<S: Stage>(stage: &S) {
    let mut kernel = kernel(stage);
    let children: Vec<S::Child> = (0..20).map(|_| stage.sleeper()).collect();
    let ids: Vec<ProcessId> = children.iter().map(|child| id_of(&mut kernel, stage.pid(child))).collect();
    let held: Vec<_> = ids.into_iter().map(|id| kernel.hold(id).unwrap()).collect();
    for one in held.iter().step_by(2) {
        kernel.signal(one, Signal::Kill).unwrap();
    }
    let all: Vec<_> = held.iter().collect();
    let (soon, expected) = (in_ms(&kernel, 500), (0..20).map(|place| place % 2 == 0).collect::<Vec<_>>());
    assert_eq!(kernel.wait(&all, soon), expected);
    assert!(kernel.now() >= soon, "it gave the others until the deadline");
    // The same again, and the same process twice: nothing is left over from the first wait.
    let soon = in_ms(&kernel, 20);
    assert_eq!(kernel.wait(&[all[0], all[1], all[0], all[1]], soon), [true, false, true, false]);
}

pub(crate) fn waiting_for_nobody_takes_no_time<S: Stage>(stage: &S) {
    let mut kernel = kernel(stage);
    let (before, late) = (kernel.now(), in_ms(&kernel, 20_000));
    assert_eq!(kernel.wait(&[], late), [false; 0]);
    assert!(kernel.now().checked_sub(before).unwrap() < Duration::from_secs(1));
}

pub(crate) fn a_stop_ends_the_wait_within_a_tenth_of_a_second<S: Stage>(stage: &S) {
    let stop = Arc::new(AtomicUsize::new(0));
    let mut kernel = stage.kernel(false, Arc::clone(&stop));
    let child = stage.sleeper();
    let id = id_of(&mut kernel, stage.pid(&child));
    let held = kernel.hold(id).unwrap();
    let since = stage.signal_in(120, stop);
    let late = in_ms(&kernel, 20_000);
    assert_eq!(kernel.wait(&[&held], late), [false]);
    let latency = since();
    assert!(latency < Duration::from_millis(100), "{latency:?}");
    assert_eq!(kernel.interrupted(), Some(2));
}

pub(crate) fn the_table_shows_a_child_with_its_start_and_parent<S: Stage>(stage: &S) {
    let mut kernel = kernel(stage);
    let child = stage.sleeper();
    let id = id_of(&mut kernel, stage.pid(&child));
    let row = row_of(&mut kernel, stage.pid(&child)).unwrap();
    assert_eq!((row.id, row.parent, row.stopped, row.ours), (id, stage.me().0, false, true));
    assert_eq!(row.uid, Some(stage.me().1));
    let now = stage.epoch();
    assert!((now - row.started_at).abs() < 60.0, "{} is not now", row.started_at);
}

pub(crate) fn a_process_says_what_it_runs_and_that_nobody_traces_it<S: Stage>(stage: &S) {
    let mut kernel = kernel(stage);
    let child = stage.sleeper();
    let id = id_of(&mut kernel, stage.pid(&child));
    assert!(kernel.argv(id).iter().eq([b"sleep".as_slice(), b"600"]), "{:?}", kernel.argv(id));
    assert_eq!(kernel.tracer(id), Ok(None));
    let other = ProcessId { start: StartTime(id.start.0 + 1), ..id };
    assert!(kernel.argv(other).is_empty());
    assert_eq!(kernel.tracer(other), Err(Refusal::Reused));
    stage.collect(child);
    assert_eq!(kernel.tracer(id), Err(Refusal::Gone));
}

pub(crate) fn a_sleeper_does_nothing_and_a_busy_process_uses_the_processor<S: Stage>(stage: &S) {
    let mut kernel = kernel(stage);
    let sleeper = stage.sleeper();
    let busy = stage.busy();
    let (sleeper, busy) = (id_of(&mut kernel, stage.pid(&sleeper)), id_of(&mut kernel, stage.pid(&busy)));
    let before = kernel.activity(sleeper).unwrap();
    let late = in_ms(&kernel, 20_000);
    while kernel.activity(busy).unwrap().cpu < Duration::from_millis(50) {
        assert!(kernel.now() < late, "it never got to work");
        stage.moment();
    }
    assert_eq!(kernel.activity(sleeper), Some(before), "and it did nothing meanwhile");
    let other = ProcessId { start: StartTime(busy.start.0 + 1), ..busy };
    assert!(kernel.activity(other).is_none());
}
