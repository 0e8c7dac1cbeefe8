//! Acting on Linux: a pidfd is opened first and judged afterwards, so what was judged is what gets
//! the signal, whatever happens to the number meanwhile.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use rustix::io::Errno;
use rustix::process::{self, PidfdFlags, Resource, Rlimit};

use super::super::SysError;
use super::proc::Proc;
use super::table::{Units, gone};
use crate::process::{Pid, ProcessId, Uid};
use crate::reap::{Kernel, Refusal, Signal};
use crate::sys::procfs::Stat;

#[cfg(test)]
#[path = "../kernel_tests.rs"]
mod kernel_tests;
mod lookout;
#[cfg(test)]
#[path = "../real_stage_tests.rs"]
mod real_stage_tests;
mod row;
#[cfg(test)]
mod tests;

/// No wait sleeps longer than this without looking at the stop flag: half of the 100 ms after which
/// a person at the keyboard begins to wonder. A signal that reaches our own thread ends the sleep
/// at once; the slice is for signals that another thread took.
const SLICE: Duration = Duration::from_millis(50);

/// Linux itself, through `/proc` and pidfds (`pidfd_open` needs kernel 5.3).
///
/// It refuses by itself, whatever it is called with: pids 0 and 1, kernel threads, its own process, processes of other
/// PID namespaces (but for one that a held process made, as a sandbox does) and, unless made for all users, of other
/// users. The plan has refused them long before; this is the last line, directly in front of the signal.
#[derive(Debug)]
pub struct OsKernel {
    proc: Proc,
    all_users: bool,
    uid: Uid,
    me: Pid,
    stop: Arc<AtomicUsize>,
    epoll: OwnedFd,
    origin: Instant,
    units: Units,
    /// All that was ever held.
    held: HashSet<ProcessId>,
}

/// A process that cannot be confused with any other: a pidfd that was open, on a process still
/// alive, when number, start, user and namespace were compared.
#[derive(Debug)]
pub struct Held {
    id: ProcessId,
    fd: OwnedFd,
}

impl OsKernel {
    /// Gets ready to hold, signal and wait; raises the soft limit on open files to the hard one,
    /// because each held process costs one.
    ///
    /// `stop` is set to the number of a signal by a handler installed elsewhere; [`Kernel::wait`]
    /// returns when it is not 0.
    ///
    /// # Errors
    /// When there are no pidfds (Linux before 5.3, or a seccomp filter), or `/proc` is missing or
    /// shows another PID namespace than ours: then nothing may be ended.
    pub fn new(all_users: bool, stop: Arc<AtomicUsize>) -> Result<OsKernel, SysError> {
        let own = process::getpid();
        let proc = Proc::open()?;
        process::pidfd_open(own, PidfdFlags::empty())
            .map_err(|errno| failed("open a pidfd (Linux 5.3 or later is needed)", errno.into()))?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)
            .map_err(|errno| failed("prepare to wait for processes", errno.into()))?;
        let nofile = process::getrlimit(Resource::Nofile);
        // Where it is refused, the old limit holds, and `hold` reports it when it runs out.
        let _ = process::setrlimit(Resource::Nofile, Rlimit { current: nofile.maximum, ..nofile });
        Ok(OsKernel {
            proc,
            all_users,
            uid: Uid(process::geteuid().as_raw()),
            me: Pid(own.as_raw_nonzero().get().unsigned_abs()),
            stop,
            epoll,
            origin: Instant::now(),
            units: Units::get(),
            held: HashSet::new(),
        })
    }

    /// What must hold of a process whose pidfd is already open.
    fn check_identity(&mut self, id: ProcessId) -> Result<(), Refusal> {
        let row = self.proc.row(id.pid).map_err(refusal)?;
        same_start(&row, id)?;
        if row.kernel_thread {
            return Err(Refusal::Denied("is a thread of the kernel".into()));
        }
        if !self.all_users {
            let uid = self.proc.uid_of(id.pid).map_err(refusal)?;
            if Uid(uid) != self.uid {
                return Err(Refusal::Denied(format!("belongs to user {uid}")));
            }
        }
        match self.proc.same_namespace(id.pid) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let maker = self.proc.maker_of_namespace(id.pid).map_err(refusal)?;
                if maker.is_some_and(|maker| self.held.contains(&maker)) {
                    Ok(())
                } else {
                    Err(Refusal::Denied("lives in another PID namespace".into()))
                }
            }
            Err(error) if gone(&error) => Err(Refusal::Gone),
            Err(error) => Err(Refusal::Denied(format!("its PID namespace cannot be read: {error}"))),
        }
    }

    /// Sleeps until one of the watched ends, `until` on our clock has passed, or a signal came.
    /// Ended ones are no longer watched. Answers how many these were.
    fn sleep(&self, held: &[&Held], events: &mut Vec<epoll::Event>, until: Duration) -> usize {
        events.clear();
        let timeout = Timespec::try_from(until.saturating_sub(self.now()).min(SLICE)).unwrap_or_default();
        // An error here is EINTR, which the caller's look at the flag and the clock answers.
        let _ = epoll::wait(&self.epoll, rustix::buffer::spare_capacity(events), Some(&timeout));
        for event in events.iter() {
            let place = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
            if let Some(one) = held.get(place) {
                let _ = epoll::delete(&self.epoll, &one.fd);
            }
        }
        events.len()
    }
}

impl Kernel for OsKernel {
    type Held = Held;

    fn hold(&mut self, id: ProcessId) -> Result<Held, Refusal> {
        // 0 would mean our whole process group, 1 the system or the container.
        if id.pid.0 <= 1 || id.pid == self.me {
            return Err(Refusal::Denied(format!("{} is never signalled", id.pid)));
        }
        let Some(pid) = i32::try_from(id.pid.0).ok().and_then(process::Pid::from_raw) else {
            return Err(Refusal::Gone);
        };
        let fd = process::pidfd_open(pid, PidfdFlags::empty()).map_err(|errno| match errno {
            // The number is in use, but by a thread of some other process (EINVAL, since 6.9 ENOENT).
            Errno::INVAL | Errno::NOENT => Refusal::Reused,
            errno => refusal(errno),
        })?;
        self.check_identity(id)?;
        // Alive after the comparison, so it was alive during it, and the number was its own.
        if has_ended(&fd) {
            return Err(Refusal::Gone);
        }
        self.held.insert(id);
        Ok(Held { id, fd })
    }

    fn signal(&mut self, held: &Held, signal: Signal) -> Result<(), Refusal> {
        same_start(&self.proc.row(held.id.pid).map_err(refusal)?, held.id)?;
        let signal = match signal {
            Signal::Term => process::Signal::TERM,
            Signal::Cont => process::Signal::CONT,
            Signal::Kill => process::Signal::KILL,
        };
        process::pidfd_send_signal(&held.fd, signal).map_err(refusal)
    }

    fn wait(&mut self, held: &[&Held], deadline: Duration) -> Vec<bool> {
        if self.now() >= deadline {
            return held.iter().map(|one| has_ended(&one.fd)).collect();
        }
        // epoll, not poll: each end costs one event, and not one more look at all the others.
        let mut watched = 0;
        let mut unwatched = Vec::new();
        for (place, one) in held.iter().enumerate() {
            let data = epoll::EventData::new_u64(place as u64);
            match epoll::add(&self.epoll, &one.fd, data, epoll::EventFlags::IN) {
                Ok(()) => watched += 1,
                // No memory or no watch left for this one: it is looked at once a slice instead.
                Err(_) => unwatched.push(*one),
            }
        }
        let mut events = Vec::with_capacity(watched.clamp(1, 1024));
        while self.now() < deadline && self.interrupted().is_none() {
            if watched == 0 && unwatched.iter().all(|one| has_ended(&one.fd)) {
                break;
            }
            watched = watched.saturating_sub(self.sleep(held, &mut events, deadline));
        }
        for one in held {
            let _ = epoll::delete(&self.epoll, &one.fd);
        }
        held.iter().map(|one| has_ended(&one.fd)).collect()
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn interrupted(&self) -> Option<i32> {
        i32::try_from(self.stop.load(Ordering::Relaxed)).ok().filter(|signal| *signal != 0)
    }
}

/// Whether the whole process behind a pidfd has ended, collected by its parent or not; threads
/// that outlive the first one keep it alive.
fn has_ended(fd: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    loop {
        match poll(&mut fds, Some(&Timespec::default())) {
            Err(Errno::INTR) => {}
            answer => return answer.is_ok_and(|ready| ready > 0),
        }
    }
}

fn same_start(row: &Stat, id: ProcessId) -> Result<(), Refusal> {
    if row.start_ticks == id.start.0 { Ok(()) } else { Err(Refusal::Reused) }
}

/// What an error of the kernel's means for one process. `ENOENT` and `ESRCH` are how `/proc` and
/// pidfds show that it is gone; running out of descriptors gets a message of its own.
fn refusal(error: impl Into<std::io::Error>) -> Refusal {
    let error = error.into();
    match Errno::from_io_error(&error) {
        _ if gone(&error) => Refusal::Gone,
        Some(Errno::MFILE | Errno::NFILE) => {
            Refusal::Denied(format!("no file descriptor left to hold it with: {error}"))
        }
        _ => Refusal::Denied(error.to_string()),
    }
}

fn failed(what: &str, source: std::io::Error) -> SysError {
    SysError::Io { what: what.into(), source }
}
