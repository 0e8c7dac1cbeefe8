//! Ends processes on Linux. A pidfd is opened first and its process is checked afterwards. So the process that was
//! checked gets the signal, also if its pid is reused.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use rustix::io::Errno;
use rustix::process::{self, PidfdFlags, Resource, Rlimit};

use super::super::SysError;
use super::errors::gone;
use super::proc::Proc;
use super::table::KernelUnits;
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

/// A wait checks the stop flag at least this often. A signal that reaches our own thread interrupts the sleep, but
/// another thread may handle it. 50 ms is half of the 100 ms after which a person notices a delay.
const SLICE: Duration = Duration::from_millis(50);

/// Linux itself, through `/proc` and pidfds (`pidfd_open` needs kernel 5.3).
///
/// It refuses pids 0 and 1, kernel threads, its own process, processes of other PID namespaces (except a namespace that
/// a held process made, as a sandbox does) and processes of other users (unless made for all users). The plan contains
/// no such process; this is a second check directly before the signal.
#[derive(Debug)]
pub struct OsKernel {
    proc: Proc,
    all_users: bool,
    uid: Uid,
    me: Pid,
    stop: Arc<AtomicUsize>,
    epoll: OwnedFd,
    origin: Instant,
    units: KernelUnits,
    /// All processes that were ever held.
    held: HashSet<ProcessId>,
}

/// A process that cannot be confused with another one. Its pidfd was open and it was still alive when its pid, start,
/// user and namespace were compared.
#[derive(Debug)]
pub struct Held {
    id: ProcessId,
    fd: OwnedFd,
}

impl OsKernel {
    /// Prepares to hold, signal and wait. Raises the soft limit on open files to the hard limit, because each held
    /// process takes one descriptor.
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
        // If this is refused, the old limit stays, and `hold` returns an error when it is reached.
        let _ = process::setrlimit(Resource::Nofile, Rlimit { current: nofile.maximum, ..nofile });
        Ok(OsKernel {
            proc,
            all_users,
            uid: Uid(process::geteuid().as_raw()),
            me: Pid(own.as_raw_nonzero().get().unsigned_abs()),
            stop,
            epoll,
            origin: Instant::now(),
            units: KernelUnits::get(),
            held: HashSet::new(),
        })
    }

    /// Checks the identity of a process whose pidfd is already open.
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

    /// Sleeps until a watched process ends, `until` on our clock has passed, or a signal arrives. Stops watching
    /// processes that have ended, and returns their number.
    fn sleep(&self, held: &[&Held], events: &mut Vec<epoll::Event>, until: Duration) -> usize {
        events.clear();
        let timeout = Timespec::try_from(until.saturating_sub(self.now()).min(SLICE)).unwrap_or_default();
        // An error here is EINTR. The caller checks the flag and the clock.
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
        // pid 0 means our whole process group, and pid 1 is the init of the system or container.
        if id.pid.0 <= 1 || id.pid == self.me {
            return Err(Refusal::Denied(format!("{} is never signalled", id.pid)));
        }
        let Some(pid) = i32::try_from(id.pid.0).ok().and_then(process::Pid::from_raw) else {
            return Err(Refusal::Gone);
        };
        let fd = process::pidfd_open(pid, PidfdFlags::empty()).map_err(|errno| match errno {
            // The number belongs to a thread of another process (EINVAL, since 6.9 ENOENT).
            Errno::INVAL | Errno::NOENT => Refusal::Reused,
            errno => refusal(errno),
        })?;
        self.check_identity(id)?;
        // The process is alive after the comparison, so it had this pid during the comparison.
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
        // With epoll each end costs one event; poll would check all processes again after each.
        let mut watched = 0;
        let mut unwatched = Vec::new();
        for (place, one) in held.iter().enumerate() {
            let data = epoll::EventData::new_u64(place as u64);
            match epoll::add(&self.epoll, &one.fd, data, epoll::EventFlags::IN) {
                Ok(()) => watched += 1,
                // The kernel has no memory or no watch left: the process is checked once per slice instead.
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

/// Has the whole process behind a pidfd ended? It may be a zombie. It has not ended while any of its threads runs.
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

/// What an error from the kernel means for one process. `ENOENT` and `ESRCH`, of a file in `/proc` or a pidfd, mean that
/// it is gone. If no descriptors are left, the error has its own message.
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
