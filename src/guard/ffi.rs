//! What no safe call does: a fork of which nobody hears, signals as in a fresh process, descriptors by their
//! number.
#![allow(unsafe_code)]

use nix::libc;

/// All signals as in a fresh process: default dispositions, none blocked. A guardian inherits the
/// server's otherwise, and a server may have been started with anything.
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

/// `fork(2)` whose child sends no signal when it ends, so that no SIGCHLD is left pending for the
/// program that this process becomes. 0 in the child, otherwise the child's number; such a child is
/// collected with `__WALL` (clone(2)).
///
/// # Errors
/// As the kernel says: `EAGAIN` no more processes for this user, `ENOSYS` or `EPERM` a seccomp filter.
#[cfg(target_os = "linux")]
pub fn fork_silently() -> nix::Result<i32> {
    // SAFETY: no flag and no stack of its own is what fork(2) does, with 0 as the signal at its end. All
    // arguments are 0, so their order, which differs between machines, does not matter. This process has
    // one thread, so the child finds no lock taken.
    let pid = unsafe { libc::syscall(libc::SYS_clone, 0, 0, 0, 0, 0) };
    nix::errno::Errno::result(pid).map(|pid| i32::try_from(pid).unwrap_or_default())
}

/// fork(2). 0 in the child, otherwise the child's number. No SIGCHLD is left pending while the signal has its default,
/// which ignores it: such a signal is dropped (xnu, kern_sig.c: `setsigvec` and `siginit` put it into `p_sigignore`).
///
/// # Errors
/// `EAGAIN` no more processes for this user.
#[cfg(target_os = "macos")]
pub fn fork_silently() -> nix::Result<i32> {
    // SAFETY: this process has one thread, so the child finds no lock taken.
    nix::errno::Errno::result(unsafe { libc::fork() })
}

/// Sets SIGCHLD to its default and answers what it was: where it is ignored, children are collected by the kernel and
/// their exit codes lost.
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

/// Sets SIGCHLD back to what it was.
#[cfg(target_os = "macos")]
pub fn restore_child_signal(before: &libc::sigaction) {
    // SAFETY: the pointer is that of a live struct, which the kernel itself filled; a program that was just started has
    // no handlers, so no function is named in it.
    unsafe { libc::sigaction(libc::SIGCHLD, std::ptr::from_ref(before), std::ptr::null_mut()) };
}

/// Ends this process at once: no destructor, no flush, as a child must that shares its parent's buffers.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: the call never returns and touches no memory.
    unsafe { libc::_exit(code) }
}

/// Adopts a descriptor by its number, as it came through exec.
///
/// `None` where no such descriptor is open.
pub fn adopt(fd: i32) -> Option<std::os::fd::OwnedFd> {
    use std::os::fd::FromRawFd as _;
    // SAFETY: F_GETFD only asks. An open descriptor above 2 that came through exec is owned by nothing in
    // this process; the caller adopts each number once.
    unsafe { (fd > 2 && libc::fcntl(fd, libc::F_GETFD) != -1).then(|| std::os::fd::OwnedFd::from_raw_fd(fd)) }
}

/// Gives the pages of executable code back to the page cache: what was needed once, to start, makes up
/// most of what a sleeping guardian would hold. They come back by themselves when they are run again.
#[cfg(target_os = "linux")]
pub fn release_code_pages() {
    // 55e0a1c3d000-55e0a1fca000 r-xp 000b7000 00:1f 1234  /usr/bin/mcp-reap
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    let code = maps.lines().filter(|line| line.contains(" r-xp ") && line.contains(" /"));
    let number = |text: &str| usize::from_str_radix(text, 16).ok();
    for (from, to) in code.filter_map(|line| line.split(' ').next()?.split_once('-')) {
        let (Some(from), Some(to)) = (number(from), number(to)) else { continue };
        // SAFETY: a private mapping of a file that cannot be written to and never was: the kernel reads the
        // same bytes again at the next use (madvise(2)). Nothing in it is owned by this program's code.
        unsafe { libc::madvise(std::ptr::without_provenance_mut(from), to - from, libc::MADV_DONTNEED) };
    }
}
