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

/// What is on descriptor 0, on Linux; `None` for what never hangs up: `/dev/null`, a file, a terminal, nothing at
/// all, and a FIFO with a name, which can get a writer again at any time.
#[cfg(target_os = "linux")]
pub fn of_this_process() -> Option<WireId> {
    let stdin = std::io::stdin();
    let fd = stdin.as_fd();
    let stat = fstat(fd).ok()?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Socket => Some(WireId::Socket(stat.st_ino)),
        // The link of a FIFO with a name is its path.
        FileType::Fifo => readlink(format!("/proc/self/fd/{}", fd.as_raw_fd()), Vec::new())
            .is_ok_and(|link| link.as_bytes().starts_with(b"pipe:["))
            .then_some(WireId::Pipe(stat.st_ino)),
        _ => None,
    }
}

/// What tells of a hang-up of stdin: an epoll instance in which its open file description is registered, above 2 and
/// closed on exec. It is no second descriptor of stdin. A registration goes with the last descriptor of what it is about
/// (epoll(7), question 6), so the server's own close stays one: the client sees at once that nobody reads any more.
///
/// # Errors
/// `EMFILE` when no descriptor is left, `ENOSPC` at the limit of registrations, `EPERM` or `ENOSYS` for a seccomp filter.
#[cfg(target_os = "linux")]
pub fn watchable(stdin: impl AsFd) -> Result<OwnedFd, Errno> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let epoll = if epoll.as_raw_fd() > 2 { epoll } else { fcntl_dupfd_cloexec(epoll, 3)? };
    // Never for its data: only a hang-up or an error makes it ready, both of which cannot be masked.
    epoll::add(&epoll, stdin, epoll::EventData::new_u64(0), epoll::EventFlags::empty())?;
    Ok(epoll)
}

/// Is anything registered in this epoll instance of our own? What cannot be read is taken for registered.
#[cfg(target_os = "linux")]
pub fn is_registered(epoll: BorrowedFd<'_>) -> bool {
    // tfd:        0 events:       18 data: 0  pos:0 ino:2f5a2 sdev:e (proc_pid_fdinfo(5))
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", epoll.as_raw_fd()));
    info.map_or(true, |info| info.lines().any(|line| line.starts_with("tfd:")))
}

/// A second descriptor for stdin, above 2 and closed on exec: a kqueue forgets what is closed.
///
/// # Errors
/// `EMFILE` when there is none left.
#[cfg(target_os = "macos")]
pub fn watchable(stdin: impl AsFd) -> Result<OwnedFd, Errno> {
    fcntl_dupfd_cloexec(stdin, 3)
}

/// Points 0, 1 and 2 at `/dev/null` and closes every other descriptor but these: an end of somebody's wire
/// that a careless client left open would keep it alive for as long as a guardian has it.
///
/// # Errors
/// When `/dev/null` cannot be opened or descriptors cannot be listed; then the guardian must not stay.
pub fn close_all_but(keep: &[i32]) -> std::io::Result<()> {
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
