//! The tests of `kernel_tests.rs` against real processes: every one that gets a signal here is a child of the test. Each OS's
//! kernel.rs includes these.

#![allow(clippy::unwrap_used)]

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use super::kernel_tests::{self, Stage};
use super::*;

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

/// This system.
struct Real;

impl Stage for Real {
    type Kernel = OsKernel;
    type Child = Sleeper;

    fn kernel(&self, all_users: bool, stop: Arc<AtomicUsize>) -> OsKernel {
        OsKernel::new(all_users, stop).unwrap()
    }

    fn sleeper(&self) -> Sleeper {
        Sleeper::new()
    }

    fn busy(&self) -> Sleeper {
        Sleeper::from(Command::new("sh").args(["-c", "while :; do :; done"]))
    }

    fn pid(&self, child: &Sleeper) -> Pid {
        child.pid()
    }

    fn stop(&self, child: &Sleeper) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.pid().0).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGSTOP).unwrap();
    }

    fn is_alive(&self, child: &mut Sleeper) -> bool {
        child.0.try_wait().unwrap().is_none()
    }

    fn collect(&self, mut child: Sleeper) -> Option<i32> {
        child.0.kill().unwrap();
        child.0.wait().unwrap().signal()
    }

    fn me(&self) -> (Pid, Uid) {
        (Pid(std::process::id()), Uid(rustix::process::geteuid().as_raw()))
    }

    fn epoch(&self) -> f64 {
        std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64()
    }

    fn signal_in(&self, milliseconds: u64, stop: Arc<AtomicUsize>) -> Box<dyn FnOnce() -> Duration> {
        let handler = thread::spawn(move || {
            thread::sleep(Duration::from_millis(milliseconds));
            stop.store(2, Ordering::Relaxed);
            Instant::now()
        });
        Box::new(|| handler.join().unwrap().elapsed())
    }

    fn moment(&self) {
        thread::sleep(Duration::from_millis(5));
    }

    fn mistaken(&self, mut held: Held, other: ProcessId) -> Option<Held> {
        held.id = other;
        Some(held)
    }
}

kernel_tests::on!(kernel_tests, Real);
