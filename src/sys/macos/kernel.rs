//! Acting on macOS. There is no handle on a process here, so identity, user and arguments are
//! compared again directly in front of `kill(2)`; the few microseconds between are the smallest
//! gap this system allows (numbers are given out in a circle of 99,998).

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process;

use super::super::{SysError, ffi};
use super::table::{args, bsd};
use crate::bytes::Argv;
use crate::process::{Pid, ProcessId, ProcessState, Uid};
use crate::reap::{Kernel, Refusal, Signal};

#[cfg(test)]
#[path = "../kernel_tests.rs"]
mod kernel_tests;
mod lookout;

/// No wait sleeps longer than this without looking at the stop flag.
const SLICE: Duration = Duration::from_millis(50);

/// sys/syslimits.h: ARG_MAX.
const ARG_MAX: usize = 1024 * 1024;

/// macOS itself, through libproc, `kill(2)` and kqueue.
///
/// It refuses by itself, whatever it is asked for: pids 0 and 1, its own process and, unless made
/// for all users, processes of other users.
#[derive(Debug)]
pub struct OsKernel {
    all_users: bool,
    uid: Uid,
    me: Pid,
    stop: Arc<AtomicUsize>,
    origin: Instant,
    buffer: Vec<u8>,
}

/// A process as it was when it was held: number, start and arguments.
#[derive(Debug)]
pub struct Held {
    id: ProcessId,
    argv: Argv,
}

impl OsKernel {
    /// Gets ready to hold, signal and wait. `stop` is set to the number of a signal by a handler
    /// installed elsewhere; [`Kernel::wait`] returns when it is not 0.
    ///
    /// # Errors
    /// When there is no kqueue to wait with: then nothing may be ended.
    pub fn new(all_users: bool, stop: Arc<AtomicUsize>) -> Result<OsKernel, SysError> {
        let what = || "prepare to wait for processes".to_owned();
        ffi::Exits::new().map_err(|source| SysError::Io { what: what(), source })?;
        Ok(OsKernel {
            all_users,
            uid: Uid(process::geteuid().as_raw()),
            me: Pid(std::process::id()),
            stop,
            origin: Instant::now(),
            buffer: vec![0; ARG_MAX],
        })
    }

    /// What must hold of a process, and its arguments.
    fn judge(&mut self, id: ProcessId) -> Result<Argv, Refusal> {
        let seen = bsd(id.pid).map_err(|error| refusal(&error))?;
        if !self.all_users && seen.uid != self.uid {
            return Err(Refusal::Denied(format!("belongs to user {}", seen.uid.0)));
        }
        match seen.start {
            None => return Err(Refusal::Denied("its start cannot be read".into())),
            Some(start) if start != id.start => return Err(Refusal::Reused),
            Some(_) if seen.state == ProcessState::Zombie => return Err(Refusal::Gone),
            Some(_) => {}
        }
        match args(id.pid, &mut self.buffer) {
            Some(args) => Ok(args.argv),
            // Between its last instruction and its end it has none any more.
            None if has_ended(id) => Err(Refusal::Gone),
            None => Err(Refusal::Denied("its arguments cannot be read".into())),
        }
    }
}

impl Kernel for OsKernel {
    type Held = Held;

    fn hold(&mut self, id: ProcessId) -> Result<Held, Refusal> {
        // 0 would mean our whole process group, 1 is launchd.
        if id.pid.0 <= 1 || id.pid == self.me {
            return Err(Refusal::Denied(format!("{} is never signalled", id.pid)));
        }
        Ok(Held { id, argv: self.judge(id)? })
    }

    fn signal(&mut self, held: &Held, signal: Signal) -> Result<(), Refusal> {
        let signal = match signal {
            Signal::Term => process::Signal::TERM,
            Signal::Cont => process::Signal::CONT,
            Signal::Kill => process::Signal::KILL,
        };
        let Some(pid) = i32::try_from(held.id.pid.0).ok().and_then(process::Pid::from_raw) else {
            return Err(Refusal::Gone);
        };
        if self.judge(held.id)? != held.argv {
            return Err(Refusal::Denied("it runs something else since it was held".into()));
        }
        process::kill_process(pid, signal).map_err(|errno| refusal(&errno.into()))
    }

    fn wait(&mut self, held: &[&Held], deadline: Duration) -> Vec<bool> {
        // A queue of its own for each wait: nothing is left over from the one before.
        let exits = ffi::Exits::new().ok();
        let mut left: BTreeSet<usize> = (0..held.len()).collect();
        if let Some(exits) = &exits {
            for (place, one) in held.iter().enumerate() {
                // One that cannot be watched is looked at once a slice, as all are.
                let _ = exits.watch(one.id.pid, place);
            }
        }
        loop {
            left.retain(|place| held.get(*place).is_some_and(|one| !has_ended(one.id)));
            let now = self.now();
            if left.is_empty() || now >= deadline || self.interrupted().is_some() {
                return (0..held.len()).map(|place| !left.contains(&place)).collect();
            }
            // Until the next look at all of them: whoever tells by himself is taken at once.
            let look = (now + SLICE).min(deadline);
            while self.now() < look && !left.is_empty() && self.interrupted().is_none() {
                let timeout = look.saturating_sub(self.now());
                match &exits {
                    Some(exits) => exits.wait(timeout).iter().for_each(|place| {
                        left.remove(place);
                    }),
                    None => std::thread::sleep(timeout),
                }
            }
        }
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn interrupted(&self) -> Option<i32> {
        i32::try_from(self.stop.load(Ordering::Relaxed)).ok().filter(|signal| *signal != 0)
    }
}

/// Whether exactly this process has ended, collected by its parent or not. What cannot be read is
/// taken to live.
pub(super) fn has_ended(id: ProcessId) -> bool {
    match bsd(id.pid) {
        Ok(seen) => seen.state == ProcessState::Zombie || seen.start.is_some_and(|start| start != id.start),
        Err(error) => error.raw_os_error() == Some(libc::ESRCH),
    }
}

fn refusal(error: &io::Error) -> Refusal {
    match error.raw_os_error() {
        Some(libc::ESRCH) => Refusal::Gone,
        _ => Refusal::Denied(error.to_string()),
    }
}
