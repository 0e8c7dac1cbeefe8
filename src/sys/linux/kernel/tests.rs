//! The hand against real processes: every one that gets a signal here is a child of the test.

#![allow(clippy::unwrap_used)]

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::thread;

use super::*;
use crate::process::StartTime;

/// A child that only waits; ended and collected when it is dropped.
struct Sleeper(Child);

impl Sleeper {
    fn new() -> Sleeper {
        Sleeper::from(Command::new("sleep").arg("600"))
    }

    fn from(command: &mut Command) -> Sleeper {
        Sleeper(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> Pid {
        Pid(self.0.id())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn kernel() -> OsKernel {
    OsKernel::new(false, Arc::default()).unwrap()
}

/// The identity as the table shows it now.
fn id_of(kernel: &OsKernel, pid: Pid) -> ProcessId {
    ProcessId { pid, start: kernel.proc.row(pid).unwrap().start }
}

fn in_ms(kernel: &OsKernel, milliseconds: u64) -> Duration {
    kernel.now() + Duration::from_millis(milliseconds)
}

#[test]
fn a_child_is_held_asked_and_seen_to_end_long_before_the_deadline() {
    let mut kernel = kernel();
    let mut child = Sleeper::new();
    let held = kernel.hold(id_of(&kernel, child.pid())).unwrap();
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
    let id = id_of(&kernel, child.pid());
    let held = kernel.hold(id).unwrap();
    kernel.signal(&held, Signal::Kill).unwrap();
    let late = in_ms(&kernel, 20_000);
    assert_eq!(kernel.wait(&[&held], late), [true]);
    assert_eq!(kernel.proc.row(id.pid).unwrap().state, State::Zombie, "nobody has collected it");
    assert_eq!(kernel.hold(id).unwrap_err(), Refusal::Gone);
    assert!(kernel.family().iter().all(|kin| kin.id != id), "a zombie is no kin");
}

#[test]
fn a_collected_child_is_gone_for_hold_and_for_signal() {
    let mut kernel = kernel();
    let child = Sleeper::new();
    let id = id_of(&kernel, child.pid());
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
    let id = id_of(&kernel, child.pid());
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
fn the_number_of_a_thread_is_not_a_process() {
    let mut kernel = kernel();
    let (told, number) = std::sync::mpsc::channel();
    let (stay, gone) = std::sync::mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        told.send(nix::unistd::gettid().as_raw().unsigned_abs()).unwrap();
        let _ = gone.recv();
    });
    let id = id_of(&kernel, Pid(number.recv().unwrap()));
    assert_eq!(kernel.hold(id).unwrap_err(), Refusal::Reused);
    drop(stay);
    thread.join().unwrap();
}

#[test]
fn nobody_is_asked_to_end_pid_0_pid_1_pid_2_or_ourselves() {
    for all_users in [false, true] {
        let mut kernel = OsKernel::new(all_users, Arc::default()).unwrap();
        for pid in [Pid(0), Pid(1), Pid(2), kernel.me] {
            let start = kernel.proc.row(pid).map_or(StartTime(0), |row| row.start);
            let refused = kernel.hold(ProcessId { pid, start });
            assert!(matches!(refused, Err(Refusal::Denied(_))), "{pid}: {refused:?}");
        }
    }
}

#[test]
fn another_users_process_is_denied_unless_all_users_are_meant() {
    let mut kernel = kernel();
    if kernel.uid.0 != 0 {
        // Without root nobody can start one; pid 1's user is the only other that is certain.
        return;
    }
    let child = Sleeper::from(Command::new("sleep").arg("600").uid(65_534));
    let id = id_of(&kernel, child.pid());
    assert_eq!(kernel.hold(id).unwrap_err(), Refusal::Denied("belongs to user 65534".into()));
    assert!(kernel.family().iter().all(|kin| kin.id != id));
    let mut for_all = OsKernel::new(true, Arc::default()).unwrap();
    for_all.hold(id).unwrap();
    assert!(for_all.family().iter().any(|kin| kin.id == id));
}

#[test]
fn a_process_of_another_pid_namespace_is_denied() {
    let mut kernel = kernel();
    let child = Sleeper::from(Command::new("unshare").args([
        "--user",
        "--map-root-user",
        "--pid",
        "--fork",
        "--kill-child",
        "sleep",
        "600",
    ]));
    let late = in_ms(&kernel, 5_000);
    let inside = loop {
        if let Some(kin) = kernel.family().iter().find(|kin| kin.parent == child.pid()) {
            break *kin;
        }
        if kernel.now() > late {
            // A machine without user namespaces cannot tell; nothing was started that could be held.
            return;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let refused = kernel.hold(inside.id).unwrap_err();
    assert_eq!(refused, Refusal::Denied("lives in another PID namespace".into()));
}

#[test]
fn a_stopped_child_hears_the_request_only_after_cont() {
    let mut kernel = kernel();
    let child = Sleeper::new();
    let id = id_of(&kernel, child.pid());
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
    let held: Vec<Held> =
        children.iter().map(|child| kernel.hold(id_of(&kernel, child.pid())).unwrap()).collect();
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
    let stop = Arc::new(AtomicI32::new(0));
    let mut kernel = OsKernel::new(false, Arc::clone(&stop)).unwrap();
    let child = Sleeper::new();
    let held = kernel.hold(id_of(&kernel, child.pid())).unwrap();
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
    let kin = Kin { id: id_of(&kernel, child.pid()), parent: kernel.me, stopped: false };
    assert!(kernel.family().contains(&kin));
}

#[test]
fn each_error_of_the_kernel_has_its_meaning() {
    assert_eq!(refusal(Errno::SRCH), Refusal::Gone);
    assert_eq!(refusal(Errno::NOENT), Refusal::Gone);
    for (errno, word) in
        [(Errno::PERM, "permitted"), (Errno::ACCESS, "denied"), (Errno::MFILE, "no file descriptor left")]
    {
        let Refusal::Denied(text) = refusal(errno) else { panic!("{errno} is a denial") };
        assert!(text.contains(word), "{text}");
    }
}
