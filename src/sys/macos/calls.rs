//! The system calls of this folder, as one trait: what is above it runs on every system, against a model of xnu on Linux
//! (`tests/mac_model`). Only `sys/macos/ffi.rs` needs a Mac.

use std::io;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::process::{Pid, Viewer};

/// Flavors of `proc_pidinfo` (sys/proc_info.h).
pub mod flavor {
    /// `struct proc_fdinfo` for each descriptor.
    pub const LIST_FDS: i32 = 1;
    /// `struct proc_bsdinfo`.
    pub const BSD: i32 = 3;
    /// `struct proc_taskinfo`.
    pub const TASK: i32 = 4;
    /// `struct proc_vnodepathinfo`: the working directory.
    pub const DIRECTORY: i32 = 9;
    /// `struct proc_bsdshortinfo`, which is answered about every user's processes.
    pub const SHORT_BSD: i32 = 13;
    /// `struct proc_uniqidentifierinfo`, likewise.
    pub const UNIQUE: i32 = 17;
    /// Of `proc_pidfdinfo`: `struct vnode_fdinfo`.
    pub const FD_VNODE: i32 = 1;
    /// Of `proc_pidfdinfo`: `struct socket_fdinfo`.
    pub const FD_SOCKET: i32 = 3;
    /// Of `proc_pidfdinfo`: `struct pipe_fdinfo`.
    pub const FD_PIPE: i32 = 6;
}

/// Error numbers that decide something here; the same on every system.
pub mod errno {
    /// Not allowed.
    pub const EPERM: i32 = 1;
    /// No such process.
    pub const ESRCH: i32 = 3;
    /// Bad file descriptor; also of a vnode that was revoked.
    pub const EBADF: i32 = 9;
}

/// Signals by their numbers on macOS: SIGCONT has another one on Linux.
pub mod signal {
    /// SIGKILL.
    pub const KILL: i32 = 9;
    /// SIGTERM.
    pub const TERM: i32 = 15;
    /// SIGCONT.
    pub const CONT: i32 = 19;
}

/// `struct rusage_info_v2` in bytes.
pub const USAGE_SIZE: usize = 160;

/// What this program asks of macOS. Every failure is the kernel's errno.
pub trait Calls {
    /// A queue of events.
    type Kqueue: Kqueue;

    /// `proc_listallpids`: every number, zombies' too.
    ///
    /// # Errors
    /// When the kernel does not answer.
    fn pids(&self) -> io::Result<Vec<Pid>>;

    /// `proc_pidinfo`: fills the buffer, answers how many bytes of it; 0 for an empty list.
    ///
    /// # Errors
    /// `ESRCH` gone, `EPERM` another user's, `ENOMEM` the buffer is smaller than the struct.
    fn pid_info(&self, pid: Pid, flavor: i32, arg: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// `proc_pidfdinfo`: the same for one descriptor.
    ///
    /// # Errors
    /// As [`Calls::pid_info`]; `EBADF` closed, of another type, or revoked.
    fn fd_info(&self, pid: Pid, fd: i32, flavor: i32, buffer: &mut [u8]) -> io::Result<usize>;

    /// `proc_pidpath`: the resolved path of the program; answers its length.
    ///
    /// # Errors
    /// `ESRCH` gone, `ENOENT` the file was removed.
    fn path(&self, pid: Pid, buffer: &mut [u8]) -> io::Result<usize>;

    /// `sysctl(KERN_PROCARGS2)`: fills the buffer, answers how many bytes of it.
    ///
    /// # Errors
    /// `EINVAL` gone, ending, a zombie or another user's.
    fn arguments(&self, pid: Pid, buffer: &mut [u8]) -> io::Result<usize>;

    /// `proc_pid_rusage(RUSAGE_INFO_V2)`.
    ///
    /// # Errors
    /// `ESRCH` gone, `EPERM` another user's.
    fn usage(&self, pid: Pid, buffer: &mut [u8; USAGE_SIZE]) -> io::Result<()>;

    /// `mach_timebase_info`: a tick of the times in there is numer/denom nanoseconds.
    fn timebase(&self) -> (u32, u32);

    /// `devname`: the name below `/dev` of a character device; `None` where it has no name.
    fn device_name(&self, device: u32) -> Option<String>;

    /// The device number of `/dev/null`.
    fn null_device(&self) -> Option<u32>;

    /// `getsid`.
    ///
    /// # Errors
    /// `ESRCH` gone, ending or a zombie.
    fn session(&self, pid: Pid) -> io::Result<Pid>;

    /// `kill`.
    ///
    /// # Errors
    /// `ESRCH` gone, `EPERM` not allowed.
    fn kill(&self, pid: Pid, signal: i32) -> io::Result<()>;

    /// `proc_signal_with_audittoken`: reaches only the process that has this pid version; `None` before macOS 14.4, which
    /// has no such call.
    ///
    /// # Errors
    /// `ESRCH` gone, ending, or of another version; `EPERM` not allowed.
    fn kill_version(&self, pid: Pid, version: u32, signal: i32) -> Option<io::Result<()>>;

    /// `kqueue`.
    ///
    /// # Errors
    /// When there is no descriptor left.
    fn kqueue(&self) -> io::Result<Self::Kqueue>;

    /// `close`, of a descriptor of our own.
    ///
    /// # Errors
    /// `EBADF` there is none.
    fn close(&self, fd: i32) -> io::Result<()>;

    /// Our own number and effective user.
    fn viewer(&self) -> Viewer;

    /// The time of day.
    fn time_of_day(&self) -> DateTime<Utc>;

    /// A clock that only goes forward.
    fn now(&self) -> Duration;

    /// Waits.
    fn sleep(&self, time: Duration);
}

/// What is watched, or what happened: `struct kevent` (sys/event.h).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kevent {
    /// A process or a descriptor.
    pub ident: u64,
    /// Which kind of event; [`kevent::PROC`] and its like.
    pub filter: i16,
    /// [`kevent::ADD`] and its like.
    pub flags: u16,
    /// Of the filter.
    pub fflags: u32,
    /// Of the filter.
    pub data: i64,
    /// A number of the caller's choice.
    pub place: usize,
}

/// Numbers of sys/event.h.
pub mod kevent {
    /// Filter: something can be read.
    pub const READ: i16 = -1;
    /// Filter: something can be written.
    pub const WRITE: i16 = -2;
    /// Filter: a process.
    pub const PROC: i16 = -5;
    /// Flag: watch from now on.
    pub const ADD: u16 = 0x1;
    /// Flag: tell it once.
    pub const ONESHOT: u16 = 0x10;
    /// Flag: tell each change once, not as long as it lasts.
    pub const CLEAR: u16 = 0x20;
    /// Flag of an answer: the other end is gone, or the process.
    pub const EOF: u16 = 0x8000;
    /// Of READ and WRITE: not for less than `data` bytes.
    pub const LOWAT: u32 = 0x1;
    /// Of PROC: its end.
    pub const EXIT: u32 = 0x8000_0000;
}

/// A kqueue. fork(2) does not hand it on, and exec(2) closes it (kern_event.c, `kqueue_internal`: FG_CONFINED).
pub trait Kqueue {
    /// `kevent` with one change.
    ///
    /// # Errors
    /// `ESRCH` the process is gone or ending, `EBADF` no such descriptor, `ENOMEM`.
    fn add(&self, change: Kevent) -> io::Result<()>;

    /// `kevent` without changes: what happened, as soon as something does or after the timeout. A signal to us ends the wait
    /// with nothing.
    ///
    /// # Errors
    /// As the kernel says.
    fn next(&self, timeout: Option<Duration>) -> io::Result<Vec<Kevent>>;

    /// Watches for the end of a process.
    ///
    /// # Errors
    /// As [`Kqueue::add`].
    fn watch(&self, pid: Pid, place: usize) -> io::Result<()> {
        self.add(Kevent {
            ident: pid.0.into(),
            filter: kevent::PROC,
            flags: kevent::ADD | kevent::ONESHOT,
            fflags: kevent::EXIT,
            data: 0,
            place,
        })
    }

    /// The places of those that ended, as soon as there is one or after the timeout.
    ///
    /// # Errors
    /// As [`Kqueue::next`].
    fn wait(&self, timeout: Duration) -> io::Result<Vec<usize>> {
        Ok(self.next(Some(timeout))?.iter().map(|event| event.place).collect())
    }
}
