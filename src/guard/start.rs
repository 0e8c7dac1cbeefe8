//! `exec`: starts a guardian beside this process, then becomes the command.
//!
//! Everything that the command can see of itself stays as it was: number, parent, signals, limits,
//! descriptors. Whatever is in the way of a guardian is no reason not to start the server.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use super::command::{NotStarted, become_command, environment};
use super::marker::{Marker, VARIABLE};
#[cfg(target_os = "linux")]
use super::stdin;
use crate::process::ProcessId;

/// Why a server runs without a guardian.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// What to start, and how its guardian is to behave.
#[derive(Clone, Debug)]
pub struct Start {
    /// The command and its arguments, as they were typed.
    pub command: Vec<OsString>,
    /// How long the client may read on after it closed stdin; `None`: as the configuration says.
    pub linger: Option<Duration>,
    /// This process.
    pub identity: Option<ProcessId>,
}

/// Starts the guardian and becomes the command.
///
/// `refused` is told why there is no guardian, where there is none; a server that has one already, and
/// pid 1, need none.
///
/// # Errors
/// When the command cannot be started. A guardian that was started sees this process end.
pub fn exec(start: &Start, refused: impl FnOnce(&Refused)) -> Result<Infallible, NotStarted> {
    let inherited = std::env::var(VARIABLE).ok();
    let (marker, command) = match guardian(start, inherited.as_deref().and_then(Marker::parse)) {
        Ok(Guarded::Here(marker)) => {
            (Some(marker.to_string()), super::container::labelled(&start.command, &marker.id))
        }
        Ok(Guarded::Already | Guarded::Needless) => (inherited, start.command.clone()),
        Err(why) => {
            refused(&why);
            (inherited, start.command.clone())
        }
    };
    let environment = environment(std::env::vars_os(), VARIABLE, marker.as_deref());
    let path = std::env::var_os("PATH");
    become_command(&command, path.as_deref().map(OsStr::new), &environment)
}

/// Whether this process has a guardian.
enum Guarded {
    /// One was started for it.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code))]
    Here(Marker),
    /// An outer `exec` watches this very stdin.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code))]
    Already,
    /// pid 1: everything in its namespace ends with it.
    Needless,
}

#[cfg(not(target_os = "linux"))]
fn guardian(_: &Start, _: Option<Marker>) -> Result<Guarded, Refused> {
    if std::process::id() == 1 {
        return Ok(Guarded::Needless);
    }
    Err(Refused("guardians are not there for this system yet".to_owned()))
}

#[cfg(target_os = "linux")]
fn guardian(start: &Start, outer: Option<Marker>) -> Result<Guarded, Refused> {
    use rustix::process::getpid;

    if getpid().is_init() {
        return Ok(Guarded::Needless);
    }
    let stdin = stdin::of_this_process();
    if outer.is_some_and(|outer| outer.names(stdin)) {
        return Ok(Guarded::Already);
    }
    let identity = start.identity.ok_or_else(|| Refused("/proc does not show this process".to_owned()))?;
    let marker = Marker::new(identity, stdin, salt(identity));
    linux::begin(start, identity, &marker, stdin.is_some())?;
    Ok(Guarded::Here(marker))
}

/// Tells two starts with the same stdin apart; no secret.
#[cfg(target_os = "linux")]
fn salt(identity: ProcessId) -> u32 {
    use std::hash::{BuildHasher as _, RandomState};
    // Keyed by the operating system's randomness.
    RandomState::new().hash_one(identity) as u32
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::CString;
    use std::os::fd::{AsFd, AsRawFd, OwnedFd};

    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    use nix::unistd::execve;
    use rustix::io::Errno;
    use rustix::process::{self, Pid, PidfdFlags};

    use super::super::command::{environment, words};
    use super::super::marker::{Marker, VARIABLE};
    use super::super::ticket::{CLIENT_GONE, Ticket};
    use super::super::{ffi, stdin};
    use super::{Refused, Start};
    use crate::process::ProcessId;

    /// Starts the guardian and returns when it watches.
    pub(super) fn begin(
        start: &Start,
        identity: ProcessId,
        marker: &Marker,
        hangs_up: bool,
    ) -> Result<(), Refused> {
        let stdin = hangs_up.then(stdin::duplicate).transpose();
        let stdin = stdin.map_err(|errno| refused("duplicate stdin", errno))?;
        let root = pidfd(process::getpid()).map_err(|errno| refused("open a pidfd", errno))?;
        let (client, client_pid) = client().map_err(|errno| refused("open a pidfd", errno))?;
        let (ready, tells) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
            .map_err(|errno| refused("make a pipe", errno))?;
        let tells = above_stdio(tells).map_err(|errno| refused("make a pipe", errno))?;
        let ticket = Ticket {
            root: identity,
            root_fd: root.as_raw_fd(),
            client: client_pid,
            client_fd: client.as_ref().map_or(CLIENT_GONE, AsRawFd::as_raw_fd),
            stdin_fd: stdin.as_ref().map(AsRawFd::as_raw_fd),
            ready_fd: tells.as_raw_fd(),
            marker: marker.id.clone(),
            linger: start.linger,
            engine: super::super::container::engine(&start.command),
        };
        let passed: Vec<&OwnedFd> =
            [Some(&root), client.as_ref(), stdin.as_ref(), Some(&tells)].into_iter().flatten().collect();
        double_fork(&ticket, &passed)?;
        drop(tells);
        word(&ready)
    }

    /// A pidfd of the parent and its number. `None` when it is gone: then getppid(2) says another. A
    /// parent outside this PID namespace has number 0 and cannot be watched, which is the same as one
    /// that never ends.
    fn client() -> Result<(Option<OwnedFd>, u32), Errno> {
        let Some(parent) = process::getppid() else { return Ok((None, 0)) };
        let number = parent.as_raw_nonzero().get().unsigned_abs();
        match pidfd(parent) {
            // Compared after the pidfd was opened: the parent was alive then, so the number was its own.
            Ok(fd) if process::getppid() == Some(parent) => Ok((Some(fd), number)),
            Ok(_) | Err(Errno::SRCH) => Ok((None, number)),
            Err(errno) => Err(errno),
        }
    }

    fn pidfd(pid: Pid) -> Result<OwnedFd, Errno> {
        above_stdio(process::pidfd_open(pid, PidfdFlags::empty())?)
    }

    /// Where 0 to 2 are closed, a new descriptor takes their place, and the guardian has another use for it.
    fn above_stdio(fd: OwnedFd) -> Result<OwnedFd, Errno> {
        if fd.as_raw_fd() > 2 { Ok(fd) } else { rustix::io::fcntl_dupfd_cloexec(fd, 3) }
    }

    /// The guardian is nobody's child: its parent ends at once, and is collected here without a signal.
    /// A subreaper keeps its orphans, and `exec` keeps that flag: it is off until the guardian has gone to
    /// the next one above.
    fn double_fork(ticket: &Ticket, passed: &[&OwnedFd]) -> Result<(), Refused> {
        let subreaper = process::child_subreaper().ok().flatten();
        if subreaper.is_some() {
            let _ = process::set_child_subreaper(None);
        }
        let outcome = match ffi::fork_silently() {
            Ok(0) => match ffi::fork_silently() {
                Ok(0) => become_guardian(ticket, passed),
                Ok(_) => ffi::exit_now(0),
                Err(errno) => ffi::exit_now(errno as i32),
            },
            Ok(middle) => collect(middle),
            Err(errno) => Err(errno),
        };
        if subreaper.is_some() {
            let _ = process::set_child_subreaper(subreaper);
        }
        outcome.map_err(|errno| Refused(format!("could not fork: {}", errno.desc())))
    }

    /// What the process between said with its exit code.
    fn collect(middle: i32) -> nix::Result<()> {
        loop {
            match waitpid(nix::unistd::Pid::from_raw(middle), Some(WaitPidFlag::__WALL)) {
                Ok(WaitStatus::Exited(_, 0)) => return Ok(()),
                Ok(WaitStatus::Exited(_, code)) => return Err(nix::errno::Errno::from_raw(code)),
                Ok(_) => return Err(nix::errno::Errno::ECHILD),
                Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    /// In the guardian: a session of its own, no signal of the server's, and this program once more under
    /// a command line that names no server.
    fn become_guardian(ticket: &Ticket, passed: &[&OwnedFd]) -> ! {
        let _ = nix::unistd::setsid();
        ffi::reset_signals();
        for fd in passed {
            let _ = rustix::io::fcntl_setfd(fd.as_fd(), rustix::io::FdFlags::empty());
        }
        let line = words(ticket.command_line());
        // Without the marker: it would be a candidate itself.
        let environment: Vec<CString> = environment(std::env::vars_os(), VARIABLE, None);
        for program in programs() {
            let _ = execve(&program, &line, &environment);
        }
        ffi::exit_now(1)
    }

    /// This very executable: by its path where that still leads to it, for the name in `ps`; by the kernel's
    /// link otherwise, as after an upgrade.
    fn programs() -> Vec<CString> {
        use std::os::unix::ffi::OsStringExt as _;
        use std::os::unix::fs::MetadataExt as _;
        let file = |path: &std::path::Path| path.metadata().map(|m| (m.dev(), m.ino())).ok();
        let link = std::path::Path::new("/proc/self/exe");
        let path =
            std::env::current_exe().ok().filter(|path| file(path).is_some() && file(path) == file(link));
        let path = path.and_then(|path| CString::new(path.into_os_string().into_vec()).ok());
        path.into_iter().chain([c"/proc/self/exe".to_owned()]).collect()
    }

    /// The guardian's word: nothing but a line that ends says that it watches.
    fn word(ready: &OwnedFd) -> Result<(), Refused> {
        let mut said = Vec::new();
        let mut buffer = [0; 512];
        loop {
            match rustix::io::read(ready, &mut buffer) {
                Ok(0) => break,
                Ok(count) => said.extend_from_slice(&buffer[..count]),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(refused("hear from the guardian", errno)),
            }
        }
        match said.strip_suffix(b"\n") {
            Some(b"") => Ok(()),
            Some(why) => Err(Refused(String::from_utf8_lossy(why).into_owned())),
            None => Err(Refused("the guardian could not be started".to_owned())),
        }
    }

    fn refused(what: &str, errno: Errno) -> Refused {
        Refused(format!("could not {what}: {}", nix::errno::Errno::from_raw(errno.raw_os_error()).desc()))
    }
}
