//! The stdin that a guardian watches: anonymous pipes and sockets, which hang up.

#[cfg(target_os = "linux")]
use std::os::fd::BorrowedFd;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};

#[cfg(target_os = "linux")]
use rustix::event::epoll;
#[cfg(target_os = "linux")]
use rustix::fs::{FileType, fstat, readlink};
use rustix::io::{Errno, fcntl_dupfd_cloexec};

#[cfg(target_os = "linux")]
use crate::marker::WireId;

/// The wire on descriptor 0 (Linux). `None` for a stdin that never hangs up: `/dev/null`, a file, a terminal, a closed
/// descriptor, or a named FIFO, which can get a writer again at any time.
#[cfg(target_os = "linux")]
pub fn of_this_process() -> Option<WireId> {
    let stdin = std::io::stdin();
    let fd = stdin.as_fd();
    let stat = fstat(fd).ok()?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Socket => Some(WireId::Socket(stat.st_ino)),
        // The link of a named FIFO is its path.
        FileType::Fifo => readlink(format!("/proc/self/fd/{}", fd.as_raw_fd()), Vec::new())
            .is_ok_and(|link| link.as_bytes().starts_with(b"pipe:["))
            .then_some(WireId::Pipe(stat.st_ino)),
        _ => None,
    }
}

/// An epoll instance that becomes ready when stdin hangs up. Its descriptor is above 2 and closed on exec.
///
/// It registers the open file description of stdin without being a descriptor of it. A registration ends with the last
/// descriptor of its description (epoll(7), question 6). So when the server closes its stdin, the client sees at once
/// that nobody reads any more.
///
/// # Errors
/// `EMFILE` when no descriptor is left, `ENOSPC` at the limit of registrations, `EPERM` or `ENOSYS` for a seccomp filter.
#[cfg(target_os = "linux")]
pub fn watchable(stdin: impl AsFd) -> Result<OwnedFd, Errno> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let epoll = if epoll.as_raw_fd() > 2 { epoll } else { fcntl_dupfd_cloexec(epoll, 3)? };
    // No data makes it ready, only a hang-up or an error, which cannot be masked.
    epoll::add(&epoll, stdin, epoll::EventData::new_u64(0), epoll::EventFlags::empty())?;
    Ok(epoll)
}

/// Is anything registered in this epoll instance? If that cannot be read, the answer is yes.
#[cfg(target_os = "linux")]
pub fn is_registered(epoll: BorrowedFd<'_>) -> bool {
    // tfd:        0 events:       18 data: 0  pos:0 ino:2f5a2 sdev:e (proc_pid_fdinfo(5))
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", epoll.as_raw_fd()));
    info.map_or(true, |info| info.lines().any(|line| line.starts_with("tfd:")))
}

/// A second descriptor for stdin, above 2 and closed on exec, because a kqueue drops the events of a closed descriptor.
///
/// # Errors
/// `EMFILE` when there is none left.
#[cfg(target_os = "macos")]
pub fn watchable(stdin: impl AsFd) -> Result<OwnedFd, Errno> {
    fcntl_dupfd_cloexec(stdin, 3)
}

/// Points 0, 1 and 2 at `/dev/null` and closes every other descriptor except these. A client may leave an end of another
/// wire open without close-on-exec, and the guardian would keep that wire alive.
///
/// # Errors
/// When `/dev/null` cannot be opened or descriptors cannot be listed. The guardian must not stay then.
pub fn close_all_but(keep: &[i32]) -> std::io::Result<()> {
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    if null.as_raw_fd() <= 2 {
        // It got the number of a closed descriptor, and must stay open there.
        let _ = null.into_raw_fd();
    } else {
        drop(null);
    }
    let numbers = std::fs::read_dir("/dev/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let open: Vec<i32> = numbers.filter(|fd| *fd > 2 && !keep.contains(fd)).collect();
    for fd in open {
        // The descriptor of the listing itself is among them; it is closed already.
        let _ = nix::unistd::close(fd);
    }
    Ok(())
}
