//! The real calls. This is the only file of this folder that needs a Mac, and the only one with `unsafe` in it.
//!
//! Every call fills bytes that the caller owns, or returns copies. No pointer leaves this file.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_int};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::calls::{Calls, Kevent, Kqueue, USAGE_SIZE};
use crate::process::{Pid, Uid, Viewer};

/// The running system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mac;

impl Calls for Mac {
    type Kqueue = MacKqueue;

    fn pids(&self) -> io::Result<Vec<Pid>> {
        let mut room = 1024_usize;
        loop {
            let mut numbers: Vec<c_int> = vec![0; room];
            let bytes = c_int::try_from(room * size_of::<c_int>()).unwrap_or(c_int::MAX);
            forget_error();
            // SAFETY: the pointer and the byte count are those of the vector, whose elements may have
            // any value; the call answers how many numbers it wrote, not how many bytes.
            let count = filled(unsafe { libc::proc_listallpids(numbers.as_mut_ptr().cast(), bytes) })?;
            if count < room {
                numbers.truncate(count);
                return Ok(numbers.into_iter().filter_map(|n| u32::try_from(n).ok()).map(Pid).collect());
            }
            // The buffer was full, so there may be more.
            room *= 2;
        }
    }

    fn pid_info(&self, pid: Pid, flavor: i32, arg: u64, buffer: &mut [u8]) -> io::Result<usize> {
        forget_error();
        // SAFETY: the pointer and the length are those of one live, exclusively borrowed slice, and
        // the kernel writes at most that many bytes, of any value, which all bytes may have.
        filled(unsafe {
            libc::proc_pidinfo(number(pid), flavor, arg, buffer.as_mut_ptr().cast(), size_of_slice(buffer))
        })
    }

    fn fd_info(&self, pid: Pid, fd: i32, flavor: i32, buffer: &mut [u8]) -> io::Result<usize> {
        forget_error();
        // SAFETY: as in `pid_info`.
        filled(unsafe {
            libc::proc_pidfdinfo(number(pid), fd, flavor, buffer.as_mut_ptr().cast(), size_of_slice(buffer))
        })
    }

    fn path(&self, pid: Pid, buffer: &mut [u8]) -> io::Result<usize> {
        forget_error();
        let room = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        // SAFETY: the pointer and the length are those of one live, exclusively borrowed slice; the kernel writes a
        // zero-terminated path that fits, or nothing.
        match filled(unsafe { libc::proc_pidpath(number(pid), buffer.as_mut_ptr().cast(), room) })? {
            0 => Err(io::ErrorKind::NotFound.into()),
            length => Ok(length.min(buffer.len())),
        }
    }

    fn arguments(&self, pid: Pid, buffer: &mut [u8]) -> io::Result<usize> {
        let mut name = [libc::CTL_KERN, libc::KERN_PROCARGS2, number(pid)];
        let mut length = buffer.len();
        let (value, null) = (buffer.as_mut_ptr().cast(), std::ptr::null_mut());
        // SAFETY: name has the 3 elements it is said to have; length holds the size of the exclusively
        // borrowed buffer and is set to what was written; nothing is set, so the new value is null.
        let answer = unsafe { libc::sysctl(name.as_mut_ptr(), 3, value, &raw mut length, null, 0) };
        if answer == 0 { Ok(length.min(buffer.len())) } else { Err(io::Error::last_os_error()) }
    }

    fn usage(&self, pid: Pid, buffer: &mut [u8; USAGE_SIZE]) -> io::Result<()> {
        const { assert!(USAGE_SIZE == size_of::<libc::rusage_info_v2>()) };
        // SAFETY: the pointer is that of a live, exclusively borrowed array as large as the struct of the flavor that is
        // asked for, which the kernel copies out byte by byte; the call's type says a pointer to a pointer, but the struct
        // itself is filled (libproc.h).
        let answer =
            unsafe { libc::proc_pid_rusage(number(pid), libc::RUSAGE_INFO_V2, buffer.as_mut_ptr().cast()) };
        if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    fn timebase(&self) -> (u32, u32) {
        let mut scale = MachTimebase { numer: 0, denom: 0 };
        // SAFETY: the pointer is that of a live, exclusively borrowed struct of two 32-bit numbers, as declared in
        // mach/mach_time.h.
        let answer = unsafe { mach_timebase_info(&raw mut scale) };
        if answer == 0 && scale.denom > 0 { (scale.numer, scale.denom) } else { (1, 1) }
    }

    fn device_name(&self, device: u32) -> Option<String> {
        // devname returns a static buffer, which the next call overwrites.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the call takes numbers only. It answers null or a zero-terminated string that stays
        // as it is until the next call, which waits for the lock; it is copied before that.
        let name = unsafe {
            let name = libc::devname(device.cast_signed(), libc::S_IFCHR);
            (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned())
        };
        // "??" means that the device has no name.
        name.filter(|name| !name.starts_with('?'))
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
        static CALL: OnceLock<Option<SignalWithAuditToken>> = OnceLock::new();
        let call = CALL.get_or_init(|| {
            // SAFETY: the name is a zero-terminated string that lives for ever; the call looks it up in the libraries
            // that are loaded, libSystem among them.
            let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"proc_signal_with_audittoken".as_ptr()) };
            // SAFETY: a symbol of this name is the function that libproc.h declares, and libSystem is never unloaded.
            (!found.is_null())
                .then(|| unsafe { std::mem::transmute::<*mut libc::c_void, SignalWithAuditToken>(found) })
        });
        let token: AuditToken = [0, 0, 0, 0, 0, number(pid).unsigned_abs(), 0, version];
        // SAFETY: the pointer is that of a live array of the size the kernel copies in; it is only read.
        let answer = unsafe { (*call)?(&raw const token, signal) };
        Some(if answer == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(answer)) })
    }

    fn kqueue(&self) -> io::Result<MacKqueue> {
        Ok(MacKqueue(rustix::event::kqueue::kqueue()?))
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

/// bsm/audit.h: `audit_token_t`. Of its eight numbers the kernel reads only the sixth (the pid) and the eighth (the pid
/// version) (xnu, kern_proc.c: `proc_find_audit_token`).
type AuditToken = [u32; 8];

/// libproc.h, since macOS 14.4. Returns 0 or the errno.
type SignalWithAuditToken = unsafe extern "C" fn(*const AuditToken, c_int) -> c_int;

/// mach/mach_time.h: `struct mach_timebase_info`. The one of the libc crate is deprecated.
#[repr(C)]
struct MachTimebase {
    numer: u32,
    denom: u32,
}

// SAFETY: as declared in mach/mach_time.h.
unsafe extern "C" {
    fn mach_timebase_info(info: *mut MachTimebase) -> c_int;
}

/// A kqueue.
#[derive(Debug)]
pub struct MacKqueue(OwnedFd);

impl Kqueue for MacKqueue {
    fn add(&self, change: Kevent) -> io::Result<()> {
        let change = libc::kevent {
            ident: usize::try_from(change.ident).unwrap_or(usize::MAX),
            filter: change.filter,
            flags: change.flags | libc::EV_RECEIPT,
            fflags: change.fflags,
            data: isize::try_from(change.data).unwrap_or(isize::MAX),
            udata: std::ptr::without_provenance_mut(change.place),
        };
        let receipt = self.kevent(&[change], 1, Some(Duration::ZERO))?;
        match receipt.first().map(|receipt| receipt.data) {
            None | Some(0) => Ok(()),
            Some(errno) => Err(io::Error::from_raw_os_error(c_int::try_from(errno).unwrap_or(libc::EIO))),
        }
    }

    fn next(&self, timeout: Option<Duration>) -> io::Result<Vec<Kevent>> {
        let happened = match self.kevent(&[], 256, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Vec::new(),
            happened => happened?,
        };
        let event = |event: &libc::kevent| Kevent {
            ident: event.ident as u64,
            filter: event.filter,
            flags: event.flags,
            fflags: event.fflags,
            data: event.data as i64,
            place: event.udata.addr(),
        };
        Ok(happened.iter().map(event).collect())
    }
}

impl MacKqueue {
    fn kevent(
        &self,
        changes: &[libc::kevent],
        room: usize,
        timeout: Option<Duration>,
    ) -> io::Result<Vec<libc::kevent>> {
        let timeout = timeout.map(|time| libc::timespec {
            tv_sec: time.as_secs().try_into().unwrap_or(libc::time_t::MAX),
            tv_nsec: time.subsec_nanos().into(),
        });
        let count = |length: usize| c_int::try_from(length).unwrap_or(c_int::MAX);
        let mut events: Vec<libc::kevent> = Vec::with_capacity(room);
        // SAFETY: the changes are a live slice of the given length, `events` has the given capacity, and the timeout is null
        // or points at a struct that outlives the call. A watched descriptor may be closed: the kernel then drops its
        // events (kqueue(2)).
        let filled = unsafe {
            libc::kevent(
                self.0.as_raw_fd(),
                changes.as_ptr(),
                count(changes.len()),
                events.as_mut_ptr(),
                count(room),
                timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref),
            )
        };
        let filled = usize::try_from(filled).map_err(|_| io::Error::last_os_error())?;
        // SAFETY: the kernel has written this many events, which is at most the capacity.
        unsafe { events.set_len(filled.min(room)) };
        Ok(events)
    }
}

/// The pid for rustix. 0 would mean ourselves or our group, so 0 and numbers that do not fit are no process.
fn raw(pid: Pid) -> io::Result<rustix::process::Pid> {
    let pid = i32::try_from(pid.0).ok().and_then(rustix::process::Pid::from_raw);
    pid.ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))
}

/// The pid as the signed number of the kernel's calls. A pid that does not fit is no process.
fn number(pid: Pid) -> c_int {
    c_int::try_from(pid.0).unwrap_or(c_int::MAX)
}

fn size_of_slice(buffer: &[u8]) -> c_int {
    c_int::try_from(buffer.len()).unwrap_or(c_int::MAX)
}

/// Sets errno to 0. libproc returns 0 for an error and for an empty list. Only errno tells these apart, because a call that
/// succeeds does not change it.
fn forget_error() {
    // SAFETY: the call answers the address of this thread's errno, which lives as long as the thread.
    unsafe { *libc::__error() = 0 };
}

fn filled(length: c_int) -> io::Result<usize> {
    match usize::try_from(length) {
        Ok(0) | Err(_) => match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(0) => Ok(0),
            error => Err(error),
        },
        Ok(length) => Ok(length),
    }
}
