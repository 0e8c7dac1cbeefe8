//! What no safe crate calls on Linux.
#![allow(unsafe_code)]

use std::io;

use nix::libc;

/// `kcmp(2)`: do two threads have one table of descriptors?
///
/// # Errors
/// From the kernel: `ESRCH` gone, `EPERM` not to be asked about (a seccomp filter too), `ENOSYS` built without it.
pub(super) fn share_descriptors(one: u32, other: u32) -> io::Result<bool> {
    /// `KCMP_FILES` of linux/kcmp.h: the third of its kinds.
    const FILES: libc::c_long = 2;
    let (one, other) = (libc::c_long::from(one), libc::c_long::from(other));
    // SAFETY: five numbers; the kernel compares what it has itself and touches no memory of ours.
    let order =
        unsafe { libc::syscall(libc::SYS_kcmp, one, other, FILES, 0 as libc::c_long, 0 as libc::c_long) };
    if order < 0 { Err(io::Error::last_os_error()) } else { Ok(order == 0) }
}
