//! The stdin that a guardian watches: anonymous pipes and sockets, which hang up.

#[cfg(target_os = "linux")]
use std::os::fd::{AsFd, BorrowedFd};
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

#[cfg(target_os = "linux")]
use rustix::fs::{FileType, fstat, readlink};
use rustix::io::{Errno, fcntl_dupfd_cloexec};

#[cfg(target_os = "linux")]
use crate::marker::Wire;

/// What is on descriptor 0, on Linux; `None` for what never hangs up: `/dev/null`, a file, a terminal, nothing at
/// all, and a FIFO with a name, which can get a writer again at any time.
#[cfg(target_os = "linux")]
#[must_use]
pub fn of_this_process() -> Option<Wire> {
    wire(std::io::stdin().as_fd())
}

/// The same of any descriptor.
#[cfg(target_os = "linux")]
#[must_use]
pub fn wire(fd: BorrowedFd<'_>) -> Option<Wire> {
    let stat = fstat(fd).ok()?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Socket => Some(Wire::Socket(stat.st_ino)),
        // The link of a FIFO with a name is its path.
        FileType::Fifo => readlink(format!("/proc/self/fd/{}", fd.as_raw_fd()), Vec::new())
            .is_ok_and(|link| link.as_bytes().starts_with(b"pipe:["))
            .then_some(Wire::Pipe(stat.st_ino)),
        _ => None,
    }
}

/// A second descriptor for stdin, above 2 and closed on exec.
///
/// # Errors
/// `EMFILE` when there is none left.
pub fn duplicate() -> Result<OwnedFd, Errno> {
    fcntl_dupfd_cloexec(std::io::stdin(), 3)
}

/// Points 0, 1 and 2 at `/dev/null` and closes every other descriptor but these: an end of somebody's wire
/// that a careless client left open would keep it alive for as long as a guardian has it.
///
/// # Errors
/// When `/dev/null` cannot be opened or descriptors cannot be listed; then the guardian must not stay.
pub fn let_go_of_all_but(keep: &[i32]) -> std::io::Result<()> {
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    if null.as_raw_fd() <= 2 {
        // It took the place of one that was closed, and is to stay there.
        let _ = null.into_raw_fd();
    } else {
        drop(null);
    }
    let numbers = std::fs::read_dir("/dev/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let open: Vec<i32> = numbers.filter(|fd| *fd > 2 && !keep.contains(fd)).collect();
    for fd in open {
        // The one that listed them is among them, and closed by now.
        let _ = nix::unistd::close(fd);
    }
    Ok(())
}
