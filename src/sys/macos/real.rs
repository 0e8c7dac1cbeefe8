//! macOS itself: the only part of this folder that needs a Mac.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::super::ffi;
use super::calls::{Calls, Kevent, Kqueue, USAGE_SIZE};
use crate::process::{Pid, Uid, Viewer};

/// The running system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mac;

impl Calls for Mac {
    type Kqueue = MacKqueue;

    fn pids(&self) -> io::Result<Vec<Pid>> {
        ffi::pids()
    }

    fn pid_info(&self, pid: Pid, flavor: i32, arg: u64, buffer: &mut [u8]) -> io::Result<usize> {
        ffi::pid_info(pid, flavor, arg, buffer)
    }

    fn fd_info(&self, pid: Pid, fd: i32, flavor: i32, buffer: &mut [u8]) -> io::Result<usize> {
        ffi::fd_info(pid, fd, flavor, buffer)
    }

    fn path(&self, pid: Pid, buffer: &mut [u8]) -> io::Result<usize> {
        ffi::path(pid, buffer)
    }

    fn arguments(&self, pid: Pid, buffer: &mut [u8]) -> io::Result<usize> {
        ffi::proc_args(pid, buffer)
    }

    fn usage(&self, pid: Pid, buffer: &mut [u8; USAGE_SIZE]) -> io::Result<()> {
        ffi::usage(pid, buffer)
    }

    fn timebase(&self) -> (u32, u32) {
        ffi::timebase()
    }

    fn device_name(&self, device: u32) -> Option<String> {
        ffi::device_name(device)
    }

    fn null_device(&self) -> Option<u32> {
        std::fs::metadata("/dev/null").ok().and_then(|null| u32::try_from(null.rdev()).ok())
    }

    fn session(&self, pid: Pid) -> io::Result<Pid> {
        let session = rustix::process::getsid(Some(raw(pid)?))?;
        Ok(Pid(session.as_raw_nonzero().get().unsigned_abs()))
    }

    fn kill(&self, pid: Pid, signal: i32) -> io::Result<()> {
        let Some(signal) = rustix::process::Signal::from_named_raw(signal) else {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        };
        Ok(rustix::process::kill_process(raw(pid)?, signal)?)
    }

    fn kill_version(&self, pid: Pid, version: u32, signal: i32) -> Option<io::Result<()>> {
        ffi::signal_version(pid, version, signal)
    }

    fn kqueue(&self) -> io::Result<MacKqueue> {
        Ok(MacKqueue(ffi::Kqueue::new()?))
    }

    fn close(&self, fd: i32) -> io::Result<()> {
        Ok(nix::unistd::close(fd)?)
    }

    fn viewer(&self) -> Viewer {
        Viewer { pid: Pid(std::process::id()), uid: Uid(rustix::process::geteuid().as_raw()) }
    }

    fn time_of_day(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn now(&self) -> Duration {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        ORIGIN.get_or_init(Instant::now).elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// A kqueue.
#[derive(Debug)]
pub struct MacKqueue(ffi::Kqueue);

impl Kqueue for MacKqueue {
    fn add(&self, change: Kevent) -> io::Result<()> {
        self.0.add(change)
    }

    fn next(&self, timeout: Option<Duration>) -> io::Result<Vec<Kevent>> {
        self.0.next(timeout)
    }
}

/// 0 would mean ourselves or our group; it and what does not fit belong to nobody.
fn raw(pid: Pid) -> io::Result<rustix::process::Pid> {
    let pid = i32::try_from(pid.0).ok().and_then(rustix::process::Pid::from_raw);
    pid.ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))
}
