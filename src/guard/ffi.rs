//! Calls that no safe function offers: a fork without SIGCHLD, the reset of all signals, and descriptors by number.
#![allow(unsafe_code)]

use nix::libc;

/// Sets all signals to their default dispositions and unblocks them. Otherwise the guardian would keep what the server
/// was started with, which may be anything.
pub fn reset_signals() {
    // SAFETY: the default disposition calls no function; a signal that has none (SIGKILL, a number that
    // is not used) answers with an error. The set is filled before it is used.
    unsafe {
        for signal in 1..=64 {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// fork(2), but the child sends no signal when it ends, so that no SIGCHLD is left pending for the
/// program that this process becomes. Returns 0 in the child, otherwise the child's pid. Such a child is
/// collected with `__WALL` (clone(2)).
///
/// # Errors
/// `EAGAIN` at the limit of processes for this user, `ENOSYS` or `EPERM` for a seccomp filter.
#[cfg(target_os = "linux")]
pub fn fork_silently() -> nix::Result<i32> {
    // SAFETY: no flag and no stack of its own is what fork(2) does, with 0 as the signal at its end. All
    // arguments are 0, so their order, which differs between machines, does not matter. This process has
    // one thread, so the child finds no lock taken.
    let pid = unsafe { libc::syscall(libc::SYS_clone, 0, 0, 0, 0, 0) };
    nix::errno::Errno::result(pid).map(|pid| i32::try_from(pid).unwrap_or_default())
}

/// fork(2). Returns 0 in the child, otherwise the child's pid. No SIGCHLD is left pending while the signal has its default,
/// which ignores it: such a signal is dropped (xnu, kern_sig.c: `setsigvec` and `siginit` put it into `p_sigignore`).
///
/// # Errors
/// `EAGAIN` at the limit of processes for this user.
#[cfg(target_os = "macos")]
pub fn fork_silently() -> nix::Result<i32> {
    // SAFETY: this process has one thread, so the child finds no lock taken.
    nix::errno::Errno::result(unsafe { libc::fork() })
}

/// Sets SIGCHLD to its default and returns the old disposition. While SIGCHLD is ignored, the kernel collects children and
/// their exit codes are lost.
#[cfg(target_os = "macos")]
pub fn default_child_signal() -> libc::sigaction {
    // SAFETY: the struct is plain numbers, of which all zeros are the default disposition without flags; both pointers
    // are those of live structs of the size the call knows.
    unsafe {
        let (default, mut before): (libc::sigaction, libc::sigaction) =
            (std::mem::zeroed(), std::mem::zeroed());
        libc::sigaction(libc::SIGCHLD, &raw const default, &raw mut before);
        before
    }
}

/// Restores the disposition of SIGCHLD.
#[cfg(target_os = "macos")]
pub fn restore_child_signal(before: &libc::sigaction) {
    // SAFETY: the pointer is that of a live struct, which the kernel itself filled; a program that was just started has
    // no handlers, so no function is named in it.
    unsafe { libc::sigaction(libc::SIGCHLD, std::ptr::from_ref(before), std::ptr::null_mut()) };
}

/// Ends this process without destructors or flushing, as a forked child must, which shares its parent's buffers.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: the call never returns and touches no memory.
    unsafe { libc::_exit(code) }
}

/// Takes ownership of a descriptor that was passed through exec; `None` if it is not open.
pub fn adopt(fd: i32) -> Option<std::os::fd::OwnedFd> {
    use std::os::fd::FromRawFd as _;
    // SAFETY: F_GETFD only asks. An open descriptor above 2 that came through exec is owned by nothing in
    // this process; the caller adopts each number once.
    unsafe { (fd > 2 && libc::fcntl(fd, libc::F_GETFD) != -1).then(|| std::os::fd::OwnedFd::from_raw_fd(fd)) }
}

/// Drops the pages of executable code from this process. Code that was needed only to start makes up most of the memory of
/// a sleeping guardian. The kernel maps the pages again when they are executed.
#[cfg(target_os = "linux")]
pub fn release_code_pages() {
    // 55e0a1c3d000-55e0a1fca000 r-xp 000b7000 00:1f 1234  /usr/bin/mcp-reap
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    let code = maps.lines().filter(|line| line.contains(" r-xp ") && line.contains(" /"));
    let number = |text: &str| usize::from_str_radix(text, 16).ok();
    for (from, to) in code.filter_map(|line| line.split(' ').next()?.split_once('-')) {
        let (Some(from), Some(to)) = (number(from), number(to)) else { continue };
        // SAFETY: this is a private mapping of a file, which is not and never was writable, so the kernel reads the
        // same bytes again at the next use (madvise(2)). Nothing in it is owned by this program's code.
        unsafe { libc::madvise(std::ptr::without_provenance_mut(from), to - from, libc::MADV_DONTNEED) };
    }
}
