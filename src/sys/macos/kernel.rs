//! Ends processes on macOS, which has no handles on processes. Identity, user and arguments are compared again directly
//! before each signal. From macOS 14.4 on the kernel itself compares the pid version, which no two programs share. Earlier
//! versions leave a gap of a few microseconds, in which the pid would have to be reused (pids are given out in a circle of
//! 99,998).

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::super::SysError;
use super::calls::{Calls, Kqueue, errno, signal};
use super::table::{ARG_MAX, args, bsd, unique};
use crate::bytes::Argv;
use crate::process::{Pid, ProcessId, ProcessState, Uid};
use crate::reap::{Kernel, Refusal, Signal};

#[cfg(all(test, target_os = "macos"))]
#[path = "../kernel_tests.rs"]
mod kernel_tests;
mod lookout;
#[cfg(all(test, target_os = "macos"))]
#[path = "../real_stage_tests.rs"]
mod real_stage_tests;

#[cfg(all(test, target_os = "macos"))]
type OsKernel = MacKernel<crate::sys::macos::Mac>;

/// The longest sleep of a wait before it checks the stop flag again.
const SLICE: Duration = Duration::from_millis(50);

/// macOS, through libproc, `kill(2)` and kqueue.
///
/// It always refuses pids 0 and 1, its own process and, unless made for all users, processes of other users.
#[derive(Debug)]
pub struct MacKernel<C> {
    calls: C,
    all_users: bool,
    uid: Uid,
    me: Pid,
    stop: Arc<AtomicUsize>,
    buffer: Vec<u8>,
}

/// A process as it was when it was held: its pid, start time and arguments.
#[derive(Debug)]
pub struct Held {
    id: ProcessId,
    argv: Argv,
}

#[cfg(target_os = "macos")]
impl MacKernel<super::Mac> {
    /// Gets ready to hold, signal and wait on the running system. `stop` is set to the number of a signal by a handler
    /// installed elsewhere; [`Kernel::wait`] returns when it is not 0.
    ///
    /// # Errors
    /// When no kqueue can be opened for waiting. Then nothing may be ended.
    pub fn new(all_users: bool, stop: Arc<AtomicUsize>) -> Result<MacKernel<super::Mac>, SysError> {
        MacKernel::by(super::Mac, all_users, stop)
    }
}

impl<C: Calls> MacKernel<C> {
    /// As `new`, with any implementation of the calls.
    ///
    /// # Errors
    /// When no kqueue can be opened for waiting. Then nothing may be ended.
    pub fn by(calls: C, all_users: bool, stop: Arc<AtomicUsize>) -> Result<MacKernel<C>, SysError> {
        let what = || "prepare to wait for processes".to_owned();
        calls.kqueue().map_err(|source| SysError::Io { what: what(), source })?;
        let viewer = calls.viewer();
        Ok(MacKernel { calls, all_users, uid: viewer.uid, me: viewer.pid, stop, buffer: vec![0; ARG_MAX] })
    }

    /// Checks that this is still the same process and may be ended, and returns its arguments.
    fn check_identity(&mut self, id: ProcessId) -> Result<Argv, Refusal> {
        let seen = bsd(&self.calls, id.pid).map_err(|error| refusal(&error))?;
        if !self.all_users && seen.uid != self.uid {
            return Err(Refusal::Denied(format!("belongs to user {}", seen.uid.0)));
        }
        match seen.start {
            None => return Err(Refusal::Denied("its start cannot be read".into())),
            Some(start) if start != id.start => return Err(Refusal::Reused),
            // A process that is exiting receives no signal, and has lost its arguments before it is a zombie.
            Some(_) if seen.exiting || seen.state == ProcessState::Zombie => return Err(Refusal::Gone),
            Some(_) => {}
        }
        match args(&self.calls, id.pid, &mut self.buffer) {
            Some(args) => Ok(args.argv),
            None if self.is_ending(id) => Err(Refusal::Gone),
            None => Err(Refusal::Denied("its arguments cannot be read".into())),
        }
    }

    /// Has it ended, or is it exiting?
    fn is_ending(&self, id: ProcessId) -> bool {
        has_ended(&self.calls, id) || bsd(&self.calls, id.pid).is_ok_and(|seen| seen.exiting)
    }

    fn send(&self, id: ProcessId, version: Option<u32>, signal: i32) -> Result<(), Refusal> {
        let exactly = version.and_then(|version| self.calls.kill_version(id.pid, version, signal));
        let Some(sent) = exactly else {
            return self.calls.kill(id.pid, signal).map_err(|error| refusal(&error));
        };
        match sent {
            // It is still there with another version, so it has executed another program meanwhile.
            Err(error) if error.raw_os_error() == Some(errno::ESRCH) && !self.is_ending(id) => {
                Err(Refusal::Denied("it runs something else since it was held".into()))
            }
            sent => sent.map_err(|error| refusal(&error)),
        }
    }
}

impl<C: Calls> Kernel for MacKernel<C> {
    type Held = Held;

    fn hold(&mut self, id: ProcessId) -> Result<Held, Refusal> {
        // 0 would mean our whole process group, 1 is launchd.
        if id.pid.0 <= 1 || id.pid == self.me {
            return Err(Refusal::Denied(format!("{} is never signalled", id.pid)));
        }
        Ok(Held { id, argv: self.check_identity(id)? })
    }

    fn signal(&mut self, held: &Held, signal: Signal) -> Result<(), Refusal> {
        let signal = match signal {
            Signal::Term => signal::TERM,
            Signal::Cont => signal::CONT,
            Signal::Kill => signal::KILL,
        };
        // Read before all else is compared. A program that is executed after this gets another version.
        let version = unique(&self.calls, held.id.pid).ok().map(|unique| unique.version);
        if self.check_identity(held.id)? != held.argv {
            return Err(Refusal::Denied("it runs something else since it was held".into()));
        }
        self.send(held.id, version, signal)
    }

    fn wait(&mut self, held: &[&Held], deadline: Duration) -> Vec<bool> {
        // Each wait has a queue of its own, without events left over from the last one.
        let queue = self.calls.kqueue().ok();
        let mut left: BTreeSet<usize> = (0..held.len()).collect();
        if let Some(queue) = &queue {
            for (place, one) in held.iter().enumerate() {
                // A process that cannot be watched is still checked once a slice, like all others.
                let _ = queue.watch(one.id.pid, place);
            }
        }
        loop {
            left.retain(|place| held.get(*place).is_some_and(|one| !has_ended(&self.calls, one.id)));
            let now = self.now();
            if left.is_empty() || now >= deadline || self.interrupted().is_some() {
                return (0..held.len()).map(|place| !left.contains(&place)).collect();
            }
            // Ends that are reported before the next check of all processes are noted at once.
            let look = (now + SLICE).min(deadline);
            while self.now() < look && !left.is_empty() && self.interrupted().is_none() {
                let timeout = look.saturating_sub(self.now());
                match queue.as_ref().map(|queue| queue.wait(timeout)) {
                    Some(Ok(ended)) => ended.iter().for_each(|place| {
                        left.remove(place);
                    }),
                    // Without events only the checks show an end.
                    Some(Err(_)) | None => self.calls.sleep(timeout),
                }
            }
        }
    }

    fn now(&self) -> Duration {
        self.calls.now()
    }

    fn interrupted(&self) -> Option<i32> {
        i32::try_from(self.stop.load(Ordering::Relaxed)).ok().filter(|signal| *signal != 0)
    }
}

/// Has exactly this process ended, collected by its parent or not? A process that cannot be read counts as alive. So does one
/// that is exiting, until the kernel reports its end.
pub(super) fn has_ended(calls: &impl Calls, id: ProcessId) -> bool {
    match bsd(calls, id.pid) {
        Ok(seen) => seen.state == ProcessState::Zombie || seen.start.is_some_and(|start| start != id.start),
        Err(error) => error.raw_os_error() == Some(errno::ESRCH),
    }
}

fn refusal(error: &io::Error) -> Refusal {
    match error.raw_os_error() {
        Some(errno::ESRCH) => Refusal::Gone,
        _ => Refusal::Denied(error.to_string()),
    }
}
