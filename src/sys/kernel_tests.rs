//! Acting and looking on this OS against real processes: every one that gets a signal here is a child of the
//! test. Each OS's kernel.rs includes these.

#![allow(clippy::unwrap_used)]

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use super::*;
use crate::process::StartTime;
use crate::reap::{Lookout, ProcessRow};

/// A child that only waits; ended and collected when it is dropped.
pub(super) struct Sleeper(Child);

impl Sleeper {
    pub(super) fn new() -> Sleeper {
        Sleeper::from(Command::new("sleep").arg("600"))
    }

    pub(super) fn from(command: &mut Command) -> Sleeper {
        Sleeper(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub(super) fn pid(&self) -> Pid {
        Pid(self.0.id())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn kernel() -> OsKernel {
    OsKernel::new(false, Arc::default()).unwrap()
}

/// The identity as the table shows it now.
pub(super) fn id_of(kernel: &mut OsKernel, pid: Pid) -> ProcessId {
    row_of(kernel, pid).unwrap().id
}

/// The row of a process that has not ended.
pub(super) fn row_of(kernel: &mut OsKernel, pid: Pid) -> Option<ProcessRow> {
    let family = kernel.family();
    assert!(family.complete, "everything can be read here");
    family.rows.into_iter().find(|row| row.id.pid == pid && !row.zombie)
}

fn in_ms(kernel: &OsKernel, milliseconds: u64) -> Duration {
    kernel.now() + Duration::from_millis(milliseconds)
}

#[test]
fn a_child_is_held_asked_and_seen_to_end_long_before_the_deadline() {
    let mut kernel = kernel();
    let mut child = Sleeper::new();
    let id = id_of(&mut kernel, child.pid());
    let held = kernel.hold(id).unwrap();
    let soon = in_ms(&kernel, 30);
    assert_eq!(kernel.wait(&[&held], soon), [false]);
    kernel.signal(&held, Signal::Term).unwrap();
    let (before, late) = (kernel.now(), in_ms(&kernel, 20_000));
    assert_eq!(kernel.wait(&[&held], late), [true]);
    assert!(kernel.now().checked_sub(before).unwrap() < Duration::from_secs(5));
    assert_eq!(child.0.wait().unwrap().signal(), Some(15));
}

#[test]
fn a_zombie_nobody_collects_has_ended_and_is_not_held_again() {
    let mut kernel = kernel();
    let child = Sleeper::new();
    let id = id_of(&mut kernel, child.pid());
    let held = kernel.hold(id).unwrap();
    kernel.signal(&held, Signal::Kill).unwrap();
    let late = in_ms(&kernel, 20_000);
    assert_eq!(kernel.wait(&[&held], late), [true]);
    assert_eq!(kernel.hold(id).unwrap_err(), Refusal::Gone);
    let rows = kernel.family().rows;
    assert!(rows.iter().any(|row| row.id == id && row.zombie), "it shares a group until it is collected");
    assert_eq!((kernel.wires(id), kernel.activity(id), kernel.argv(id).len()), (None, None, 0));
}

#[test]
fn a_collected_child_is_gone_for_hold_and_for_signal() {
    let mut kernel = kernel();
    let child = Sleeper::new();
    let id = id_of(&mut kernel, child.pid());
    let held = kernel.hold(id).unwrap();
    drop(child);
    assert_eq!(kernel.signal(&held, Signal::Kill), Err(Refusal::Gone));
    assert_eq!(kernel.hold(id).unwrap_err(), Refusal::Gone);
    assert_eq!(kernel.hold(ProcessId { pid: Pid(u32::MAX), start: id.start }).unwrap_err(), Refusal::Gone);
}

#[test]
fn another_start_is_another_process_at_hold_and_at_signal() {
    let mut kernel = kernel();
    let mut child = Sleeper::new();
    let id = id_of(&mut kernel, child.pid());
    for start in [id.start.0 - 1, id.start.0 + 1, 0] {
        let other = ProcessId { start: StartTime(start), ..id };
        assert_eq!(kernel.hold(other).unwrap_err(), Refusal::Reused);
        let mut held = kernel.hold(id).unwrap();
        held.id = other;
        assert_eq!(kernel.signal(&held, Signal::Kill), Err(Refusal::Reused));
    }
    assert_eq!(child.0.try_wait().unwrap(), None, "it was not touched");
}

#[test]
fn pid_0_pid_1_and_ourselves_are_never_signalled() {
    for all_users in [false, true] {
        let mut kernel = OsKernel::new(all_users, Arc::default()).unwrap();
        for pid in [Pid(0), Pid(1), kernel.me] {
            let start = row_of(&mut kernel, pid).map_or(StartTime(0), |row| row.id.start);
            let refused = kernel.hold(ProcessId { pid, start });
            assert!(matches!(refused, Err(Refusal::Denied(_))), "{pid}: {refused:?}");
        }
    }
}

#[test]
fn a_stopped_child_handles_sigterm_only_after_cont() {
    let mut kernel = kernel();
    let child = Sleeper::new();
    let id = id_of(&mut kernel, child.pid());
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(i32::try_from(id.pid.0).unwrap()),
        nix::sys::signal::Signal::SIGSTOP,
    )
    .unwrap();
    let stopped =
        |kernel: &mut OsKernel| row_of(kernel, id.pid).is_some_and(|row| row.id == id && row.stopped);
    let late = in_ms(&kernel, 5_000);
    while !stopped(&mut kernel) {
        assert!(kernel.now() < late, "it never stopped");
        thread::sleep(Duration::from_millis(5));
    }
    let held = kernel.hold(id).unwrap();
    kernel.signal(&held, Signal::Term).unwrap();
    let soon = in_ms(&kernel, 100);
    assert_eq!(kernel.wait(&[&held], soon), [false]);
    kernel.signal(&held, Signal::Cont).unwrap();
    let late = in_ms(&kernel, 20_000);
    assert_eq!(kernel.wait(&[&held], late), [true]);
}

#[test]
fn waiting_tells_who_ended_and_who_did_not() {
    let mut kernel = kernel();
    let children: Vec<Sleeper> = (0..20).map(|_| Sleeper::new()).collect();
    let ids: Vec<ProcessId> = children.iter().map(|child| id_of(&mut kernel, child.pid())).collect();
    let held: Vec<Held> = ids.into_iter().map(|id| kernel.hold(id).unwrap()).collect();
    for one in held.iter().step_by(2) {
        kernel.signal(one, Signal::Kill).unwrap();
    }
    let all: Vec<&Held> = held.iter().collect();
    let (soon, expected) = (in_ms(&kernel, 500), (0..20).map(|place| place % 2 == 0).collect::<Vec<_>>());
    assert_eq!(kernel.wait(&all, soon), expected);
    assert!(kernel.now() >= soon, "it gave the others until the deadline");
    // The same again, and the same process twice: nothing is left over from the first wait.
    let soon = in_ms(&kernel, 20);
    assert_eq!(kernel.wait(&[all[0], all[1], all[0], all[1]], soon), [true, false, true, false]);
}

#[test]
fn waiting_for_nobody_takes_no_time() {
    let mut kernel = kernel();
    let (before, late) = (kernel.now(), in_ms(&kernel, 20_000));
    assert_eq!(kernel.wait(&[], late), [false; 0]);
    assert!(kernel.now().checked_sub(before).unwrap() < Duration::from_secs(1));
}

#[test]
fn a_stop_ends_the_wait_within_a_tenth_of_a_second() {
    let stop = Arc::new(AtomicUsize::new(0));
    let mut kernel = OsKernel::new(false, Arc::clone(&stop)).unwrap();
    let child = Sleeper::new();
    let id = id_of(&mut kernel, child.pid());
    let held = kernel.hold(id).unwrap();
    let handler = thread::spawn(move || {
        thread::sleep(Duration::from_millis(120));
        stop.store(2, Ordering::Relaxed);
        Instant::now()
    });
    let late = in_ms(&kernel, 20_000);
    assert_eq!(kernel.wait(&[&held], late), [false]);
    let latency = handler.join().unwrap().elapsed();
    assert!(latency < Duration::from_millis(100), "{latency:?}");
    assert_eq!(kernel.interrupted(), Some(2));
}

#[test]
fn family_shows_a_child_with_its_start_and_parent() {
    let mut kernel = kernel();
    let child = Sleeper::new();
    let id = id_of(&mut kernel, child.pid());
    let row = row_of(&mut kernel, child.pid()).unwrap();
    assert_eq!((row.id, row.parent, row.stopped, row.ours), (id, kernel.me, false, true));
    assert_eq!(row.uid, Some(kernel.uid));
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    assert!((now - row.started_at).abs() < 60.0, "{} is not now", row.started_at);
}

#[test]
fn a_process_says_what_it_runs_and_that_nobody_traces_it() {
    let mut kernel = kernel();
    let child = Sleeper::new();
    let id = id_of(&mut kernel, child.pid());
    assert_eq!(kernel.argv(id), crate::bytes::Argv::from(["sleep", "600"]));
    assert_eq!(kernel.tracer(id), Ok(None));
    let other = ProcessId { start: StartTime(id.start.0 + 1), ..id };
    assert!(kernel.argv(other).is_empty());
    assert_eq!(kernel.tracer(other), Err(Refusal::Reused));
    drop(child);
    assert_eq!(kernel.tracer(id), Err(Refusal::Gone));
}

#[test]
fn a_sleeper_does_nothing_and_a_busy_process_uses_the_processor() {
    let mut kernel = kernel();
    let sleeper = Sleeper::new();
    let busy = Sleeper::from(Command::new("sh").args(["-c", "while :; do :; done"]));
    let (sleeper, busy) = (id_of(&mut kernel, sleeper.pid()), id_of(&mut kernel, busy.pid()));
    let before = kernel.activity(sleeper).unwrap();
    let late = in_ms(&kernel, 20_000);
    while kernel.activity(busy).unwrap().cpu < Duration::from_millis(50) {
        assert!(kernel.now() < late, "it never got to work");
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(kernel.activity(sleeper), Some(before), "and it did nothing meanwhile");
    let other = ProcessId { start: StartTime(busy.start.0 + 1), ..busy };
    assert!(kernel.activity(other).is_none());
}
