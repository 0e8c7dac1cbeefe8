//! The system calls of Linux for which no crate has a safe function.
#![allow(unsafe_code)]

use std::io;

use nix::libc;

/// `kcmp(2)`: do two threads have one table of descriptors?
///
/// # Errors
/// `ESRCH` if a thread is gone, `EPERM` if the call is not permitted (also by a seccomp filter), `ENOSYS` if the kernel
/// was built without it.
pub(super) fn share_descriptors(one: u32, other: u32) -> io::Result<bool> {
    /// `KCMP_FILES` of linux/kcmp.h.
    const FILES: libc::c_long = 2;
    let (one, other) = (libc::c_long::from(one), libc::c_long::from(other));
    // SAFETY: all five arguments are numbers. The kernel compares its own tables and touches no memory of this process.
    let order =
        unsafe { libc::syscall(libc::SYS_kcmp, one, other, FILES, 0 as libc::c_long, 0 as libc::c_long) };
    if order < 0 { Err(io::Error::last_os_error()) } else { Ok(order == 0) }
}
