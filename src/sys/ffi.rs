//! The one file with `unsafe` in it: what no safe crate calls on macOS, behind safe functions.
//!
//! Every function fills bytes that the caller owns, or hands over copies; no pointer leaves.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_int};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::macos::calls::Kevent;
use crate::process::Pid;

/// `proc_pidinfo(3)`: fills the buffer, answers how many bytes of it.
///
/// # Errors
/// From the kernel: `ESRCH` gone, `EPERM` another user's.
pub(super) fn pid_info(pid: Pid, flavor: c_int, arg: u64, buffer: &mut [u8]) -> io::Result<usize> {
    forget_error();
    // SAFETY: the pointer and the length are those of one live, exclusively borrowed slice, and
    // the kernel writes at most that many bytes, of any value, which all bytes may have.
    let length = unsafe {
        libc::proc_pidinfo(number(pid), flavor, arg, buffer.as_mut_ptr().cast(), size_of_slice(buffer))
    };
    filled(length)
}

/// `proc_pidfdinfo(3)`: as `proc_pidinfo`, for one descriptor of a process.
///
/// # Errors
/// From the kernel: `EBADF` closed meanwhile, `ESRCH` gone, `EPERM` another user's.
pub(super) fn fd_info(pid: Pid, fd: c_int, flavor: c_int, buffer: &mut [u8]) -> io::Result<usize> {
    forget_error();
    // SAFETY: as in `pid_info`.
    let length = unsafe {
        libc::proc_pidfdinfo(number(pid), fd, flavor, buffer.as_mut_ptr().cast(), size_of_slice(buffer))
    };
    filled(length)
}

/// All process numbers there are, zombies' too.
///
/// # Errors
/// When the kernel does not answer.
pub(super) fn pids() -> io::Result<Vec<Pid>> {
    let mut room = 1024_usize;
    loop {
        let mut numbers: Vec<c_int> = vec![0; room];
        let bytes = c_int::try_from(room * size_of::<c_int>()).unwrap_or(c_int::MAX);
        forget_error();
        // SAFETY: the pointer and the byte count are those of the vector, whose elements may have
        // any value; the call answers how many numbers it wrote, not how many bytes.
        let count = unsafe { libc::proc_listallpids(numbers.as_mut_ptr().cast(), bytes) };
        let count = filled(count)?;
        if count < room {
            numbers.truncate(count);
            return Ok(numbers.into_iter().filter_map(|n| u32::try_from(n).ok()).map(Pid).collect());
        }
        // It was full, so there may be more.
        room *= 2;
    }
}

/// `sysctl(KERN_PROCARGS2)`: fills the buffer, answers how many bytes of it.
///
/// # Errors
/// `EINVAL` for a process that is gone, a zombie or another user's.
pub(super) fn proc_args(pid: Pid, buffer: &mut [u8]) -> io::Result<usize> {
    let mut name = [libc::CTL_KERN, libc::KERN_PROCARGS2, number(pid)];
    let mut length = buffer.len();
    // SAFETY: name has the 3 elements it is said to have; length holds the size of the exclusively
    // borrowed buffer and is set to what was written; nothing is set, so the new value is null.
    let answer = unsafe {
        libc::sysctl(
            name.as_mut_ptr(),
            3,
            buffer.as_mut_ptr().cast(),
            &raw mut length,
            std::ptr::null_mut(),
            0,
        )
    };
    if answer == 0 { Ok(length.min(buffer.len())) } else { Err(io::Error::last_os_error()) }
}

/// `proc_pidpath(3)`: the resolved path of the program; answers its length.
///
/// # Errors
/// From the kernel: `ESRCH` gone, `ENOENT` the file was removed.
pub(super) fn path(pid: Pid, buffer: &mut [u8]) -> io::Result<usize> {
    forget_error();
    let room = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
    // SAFETY: the pointer and the length are those of one live, exclusively borrowed slice; the kernel writes a
    // zero-terminated path that fits, or nothing.
    let length = unsafe { libc::proc_pidpath(number(pid), buffer.as_mut_ptr().cast(), room) };
    match filled(length)? {
        0 => Err(io::ErrorKind::NotFound.into()),
        length => Ok(length.min(buffer.len())),
    }
}

/// `proc_pid_rusage(3)`: fills a `struct rusage_info_v2`.
///
/// # Errors
/// From the kernel: `ESRCH` gone, `EPERM` another user's.
pub(super) fn usage(pid: Pid, buffer: &mut [u8; size_of::<libc::rusage_info_v2>()]) -> io::Result<()> {
    // SAFETY: the pointer is that of a live, exclusively borrowed array as large as the struct of the flavor that is
    // asked for, which the kernel copies out byte by byte; the call's type says a pointer to a pointer, but the struct
    // itself is filled (libproc.h).
    let answer =
        unsafe { libc::proc_pid_rusage(number(pid), libc::RUSAGE_INFO_V2, buffer.as_mut_ptr().cast()) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// `mach_timebase_info`: a tick of the kernel's times is numer/denom nanoseconds.
pub(super) fn timebase() -> (u32, u32) {
    let mut scale = MachTimebase { numer: 0, denom: 0 };
    // SAFETY: the pointer is that of a live, exclusively borrowed struct of two 32-bit numbers, as declared in
    // mach/mach_time.h.
    let answer = unsafe { mach_timebase_info(&raw mut scale) };
    if answer == 0 && scale.denom > 0 { (scale.numer, scale.denom) } else { (1, 1) }
}

/// bsm/audit.h: `audit_token_t`. Of its eight numbers the kernel reads the sixth, the pid, and the eighth, the pid
/// version (xnu, kern_proc.c: `proc_find_audit_token`).
type AuditToken = [u32; 8];

/// libproc.h, from macOS 14.4: answers 0 or the errno itself.
type SignalWithAuditToken = unsafe extern "C" fn(*const AuditToken, c_int) -> c_int;

/// `proc_signal_with_audittoken`: signals a process only if it still has this pid version. `None` where this macOS has
/// no such call.
///
/// # Errors
/// From the kernel: `ESRCH` gone or of another version, `EPERM` not allowed.
pub(super) fn signal_version(pid: Pid, version: u32, signal: c_int) -> Option<io::Result<()>> {
    static CALL: OnceLock<Option<SignalWithAuditToken>> = OnceLock::new();
    let call = CALL.get_or_init(|| {
        // SAFETY: the name is a zero-terminated string that lives for ever; the call looks it up in the libraries that
        // are loaded, libSystem among them.
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

/// mach/mach_time.h: `struct mach_timebase_info`. The libc crate calls its own deprecated.
#[repr(C)]
struct MachTimebase {
    numer: u32,
    denom: u32,
}

// SAFETY: as declared in mach/mach_time.h.
unsafe extern "C" {
    fn mach_timebase_info(info: *mut MachTimebase) -> c_int;
}

/// `devname(3)`: the name under `/dev` of a character device, such as `ttys003`.
pub(super) fn device_name(device: u32) -> Option<String> {
    // devname answers in a buffer of its own that the next call writes over.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the call takes numbers only. It answers null or a zero-terminated string that stays
    // as it is until the next call, which waits for the lock; it is copied before that.
    let name = unsafe {
        let name = libc::devname(device.cast_signed(), libc::S_IFCHR);
        (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned())
    };
    // "??" means that there is none.
    name.filter(|name| !name.starts_with('?'))
}

/// A kqueue.
#[derive(Debug)]
pub(super) struct Kqueue {
    queue: OwnedFd,
}

impl Kqueue {
    /// # Errors
    /// When the kernel has no descriptor left.
    pub(super) fn new() -> io::Result<Kqueue> {
        Ok(Kqueue { queue: rustix::event::kqueue::kqueue()? })
    }

    /// One change.
    ///
    /// # Errors
    /// From the kernel: `ESRCH` the process is gone, `EBADF` no such descriptor.
    pub(super) fn add(&self, change: Kevent) -> io::Result<()> {
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

    /// What happened, as soon as something does or after the timeout. A signal to us ends the wait with nothing.
    ///
    /// # Errors
    /// From the kernel.
    pub(super) fn next(&self, timeout: Option<Duration>) -> io::Result<Vec<Kevent>> {
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
        // SAFETY: the changes are a live slice of the length it is said to have, the room behind `events` is that of its
        // capacity, and the timeout is null or points at a struct that lives through the call. A descriptor that is watched
        // may be closed: the kernel forgets it then (kqueue(2)).
        let filled = unsafe {
            libc::kevent(
                self.queue.as_raw_fd(),
                changes.as_ptr(),
                count(changes.len()),
                events.as_mut_ptr(),
                count(room),
                timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref),
            )
        };
        let filled = usize::try_from(filled).map_err(|_| io::Error::last_os_error())?;
        // SAFETY: the kernel has written so many events, no more than there was room for.
        unsafe { events.set_len(filled.min(room)) };
        Ok(events)
    }
}

/// The kernel's calls take the number signed; one that does not fit belongs to no process.
fn number(pid: Pid) -> c_int {
    c_int::try_from(pid.0).unwrap_or(c_int::MAX)
}

fn size_of_slice(buffer: &[u8]) -> c_int {
    c_int::try_from(buffer.len()).unwrap_or(c_int::MAX)
}

/// libproc answers 0 for an error and for an empty list alike: only errno differs, which no call that succeeds
/// touches.
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
