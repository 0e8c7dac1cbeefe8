//! The hand of this OS against real processes: every one that gets a signal here is a child of the
//! test. Each OS's kernel.rs includes these.

#![allow(clippy::unwrap_used)]

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread;

use super::*;
use crate::process::StartTime;

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
    kernel.family().into_iter().map(|kin| kin.id).find(|id| id.pid == pid).unwrap()
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
    assert!(kernel.now() - before < Duration::from_secs(5));
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
    assert!(kernel.family().iter().all(|kin| kin.id != id), "a zombie is no kin");
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
fn nobody_is_asked_to_end_pid_0_pid_1_or_ourselves() {
    for all_users in [false, true] {
        let mut kernel = OsKernel::new(all_users, Arc::default()).unwrap();
        for pid in [Pid(0), Pid(1), kernel.me] {
            let family = kernel.family();
            let start = family.iter().find(|kin| kin.id.pid == pid).map_or(StartTime(0), |kin| kin.id.start);
            let refused = kernel.hold(ProcessId { pid, start });
            assert!(matches!(refused, Err(Refusal::Denied(_))), "{pid}: {refused:?}");
        }
    }
}

#[test]
fn a_stopped_child_hears_the_request_only_after_cont() {
    let mut kernel = kernel();
    let child = Sleeper::new();
    let id = id_of(&mut kernel, child.pid());
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(i32::try_from(id.pid.0).unwrap()),
        nix::sys::signal::Signal::SIGSTOP,
    )
    .unwrap();
    let stopped = |kernel: &mut OsKernel| kernel.family().iter().any(|kin| kin.id == id && kin.stopped);
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
    assert!(kernel.now() - before < Duration::from_secs(1));
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
    let family = kernel.family();
    let kin = family.iter().find(|kin| kin.id == id).unwrap();
    assert_eq!((kin.parent, kin.stopped), (kernel.me, false));
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    assert!((now - kin.started_at).abs() < 60.0, "{} is not now", kin.started_at);
}
