//! The birth of a guardian: a double fork, this program once more, and its word that it watches.

use std::ffi::{CString, OsString};
use std::io::Read as _;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::execve;
use rustix::process;

use super::args::{GuardArgs, ProcessHandle};
use super::command::{environment, words};
use super::{ffi, stdin};
use crate::marker::{Marker, VARIABLE, WireId};
use crate::process::{Pid, ProcessId};

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
    /// What it has as stdin; `None` for what never hangs up.
    pub stdin: Option<WireId>,
    /// The number that macOS gives to one process only; never asked on Linux.
    pub unique: fn(Pid) -> Option<u64>,
}

/// Starts the guardian and returns when it watches.
///
/// # Errors
/// When there can be none, in words for people.
pub(super) fn begin(start: &Start, identity: ProcessId, marker: &Marker) -> Result<(), Refused> {
    let stdin = start.stdin.map(|_| stdin::watchable(std::io::stdin())).transpose();
    let stdin = stdin.map_err(|errno| refused("watch stdin", errno.into()))?;
    let both = Both::of(start, identity)?;
    let (mut ready, tells) = std::io::pipe().map_err(|error| refused("make a pipe", error))?;
    let tells = above_stdio(tells.into()).map_err(|error| refused("make a pipe", error))?;
    let args = GuardArgs {
        root: identity,
        root_by: both.root,
        client: both.client_pid,
        client_by: both.client,
        stdin_fd: stdin.as_ref().map(AsRawFd::as_raw_fd),
        ready_fd: tells.as_raw_fd(),
        marker: marker.id.clone(),
        linger: start.linger,
        engine: super::container::engine(&start.command),
    };
    let passed: Vec<&OwnedFd> = both.pidfds.iter().chain(stdin.as_ref()).chain([&tells]).collect();
    double_fork(&args, &passed)?;
    drop(tells);
    let mut said = Vec::new();
    ready.read_to_end(&mut said).map_err(|error| refused("hear from the guardian", error))?;
    word(&said)
}

/// The guardian's word: nothing but a line that ends says that it watches.
fn word(said: &[u8]) -> Result<(), Refused> {
    match said.strip_suffix(b"\n") {
        Some(b"") => Ok(()),
        Some(why) => Err(Refused(String::from_utf8_lossy(why).into_owned())),
        None => Err(Refused("the guardian could not be started".to_owned())),
    }
}

/// This process and its parent, so that neither can be confused with a later process of the same number.
struct Both {
    root: ProcessHandle,
    client: Option<ProcessHandle>,
    /// 0 for a parent outside this PID namespace.
    client_pid: u32,
    /// What is to be handed to the guardian, above 2.
    pidfds: Vec<OwnedFd>,
}

#[cfg(target_os = "linux")]
impl Both {
    fn of(_: &Start, _: ProcessId) -> Result<Both, Refused> {
        let open = |pid: process::Pid| {
            let fd = process::pidfd_open(pid, process::PidfdFlags::empty())?;
            above_stdio(fd)
        };
        let failed = |error| refused("open a pidfd", error);
        let root = open(process::getpid()).map_err(failed)?;
        let known = |fd: &OwnedFd| ProcessHandle::Pidfd(fd.as_raw_fd());
        // A parent outside this PID namespace has number 0 and cannot be watched, which is the same as one that never
        // ends.
        let Some(parent) = process::getppid() else {
            return Ok(Both { root: known(&root), client: None, client_pid: 0, pidfds: vec![root] });
        };
        let client = match open(parent) {
            // Compared after the pidfd was opened: the parent was alive then, so the number was its own.
            Ok(fd) => (process::getppid() == Some(parent)).then_some(fd),
            Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => None,
            Err(error) => return Err(failed(error)),
        };
        let client_pid = parent.as_raw_nonzero().get().unsigned_abs();
        let (root_by, client_by) = (known(&root), client.as_ref().map(known));
        Ok(Both {
            root: root_by,
            client: client_by,
            client_pid,
            pidfds: std::iter::once(root).chain(client).collect(),
        })
    }
}

/// There are no pidfds here. The guardian watches by number and compares the unique numbers afterwards.
#[cfg(target_os = "macos")]
impl Both {
    fn of(start: &Start, identity: ProcessId) -> Result<Both, Refused> {
        let root = (start.unique)(identity.pid).map(ProcessHandle::Unique);
        let root =
            root.ok_or_else(|| Refused("the kernel does not tell this process's number".to_owned()))?;
        let parent = process::getppid();
        let client_pid = parent.map_or(0, |parent| parent.as_raw_nonzero().get().unsigned_abs());
        let client = (start.unique)(Pid(client_pid)).map(ProcessHandle::Unique);
        // Compared after it was asked: the parent was alive then, so the number was its own.
        let client = client.filter(|_| process::getppid() == parent);
        Ok(Both { root, client, client_pid, pidfds: Vec::new() })
    }
}

/// Where 0 to 2 are closed, a new descriptor takes their place, and the guardian has another use for it.
fn above_stdio(fd: OwnedFd) -> std::io::Result<OwnedFd> {
    if fd.as_raw_fd() > 2 { Ok(fd) } else { Ok(rustix::io::fcntl_dupfd_cloexec(fd, 3)?) }
}

/// The guardian is nobody's child: its parent ends at once, and is collected here without a signal.
/// A subreaper keeps its orphans, and `exec` keeps that flag: it is off until the guardian has gone to
/// the next one above.
fn double_fork(args: &GuardArgs, passed: &[&OwnedFd]) -> Result<(), Refused> {
    #[cfg(target_os = "linux")]
    let subreaper = process::child_subreaper().ok().flatten();
    #[cfg(target_os = "linux")]
    if subreaper.is_some() {
        let _ = process::set_child_subreaper(None);
    }
    #[cfg(target_os = "macos")]
    let before = ffi::default_child_signal();
    let outcome = match ffi::fork_silently() {
        Ok(0) => match ffi::fork_silently() {
            Ok(0) => become_guardian(args, passed),
            Ok(_) => ffi::exit_now(0),
            Err(errno) => ffi::exit_now(errno as i32),
        },
        Ok(middle) => collect(middle),
        Err(errno) => Err(errno),
    };
    #[cfg(target_os = "macos")]
    ffi::restore_child_signal(&before);
    #[cfg(target_os = "linux")]
    if subreaper.is_some() {
        let _ = process::set_child_subreaper(subreaper);
    }
    outcome.map_err(|errno| Refused(format!("could not fork: {}", errno.desc())))
}

/// What the process between said with its exit code.
fn collect(middle: i32) -> nix::Result<()> {
    #[cfg(target_os = "linux")]
    let how = WaitPidFlag::__WALL;
    #[cfg(not(target_os = "linux"))]
    let how = WaitPidFlag::empty();
    loop {
        match waitpid(nix::unistd::Pid::from_raw(middle), Some(how)) {
            Ok(WaitStatus::Exited(_, 0)) => return Ok(()),
            Ok(WaitStatus::Exited(_, code)) => return Err(Errno::from_raw(code)),
            Ok(_) => return Err(Errno::ECHILD),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// In the guardian: a session of its own, no signal of the server's, and this program once more under
/// a command line that names no server.
fn become_guardian(args: &GuardArgs, passed: &[&OwnedFd]) -> ! {
    let _ = nix::unistd::setsid();
    ffi::reset_signals();
    for fd in passed {
        let _ = rustix::io::fcntl_setfd(fd.as_fd(), rustix::io::FdFlags::empty());
    }
    let line = words(args.command_line());
    // Without the marker: it would be a candidate itself.
    let environment: Vec<CString> = environment(std::env::vars_os(), VARIABLE, None);
    for program in programs() {
        let _ = execve(&program, &line, &environment);
    }
    ffi::exit_now(1)
}

/// This very executable: by its path where that still leads to it, for the name in `ps`; by the kernel's
/// link otherwise, as after an upgrade.
#[cfg(target_os = "linux")]
fn programs() -> Vec<CString> {
    use std::os::unix::ffi::OsStringExt as _;
    use std::os::unix::fs::MetadataExt as _;
    let file = |path: &std::path::Path| path.metadata().map(|m| (m.dev(), m.ino())).ok();
    let link = std::path::Path::new("/proc/self/exe");
    let path = std::env::current_exe().ok().filter(|path| file(path).is_some() && file(path) == file(link));
    let path = path.and_then(|path| CString::new(path.into_os_string().into_vec()).ok());
    path.into_iter().chain([c"/proc/self/exe".to_owned()]).collect()
}

/// This executable, by the path it was started by a moment ago: macOS has no other way to it.
#[cfg(not(target_os = "linux"))]
fn programs() -> Vec<CString> {
    use std::os::unix::ffi::OsStringExt as _;
    let path = std::env::current_exe().ok();
    path.and_then(|path| CString::new(path.into_os_string().into_vec()).ok()).into_iter().collect()
}

fn refused(what: &str, error: std::io::Error) -> Refused {
    let why = match error.raw_os_error() {
        Some(errno) => Errno::from_raw(errno).desc().to_owned(),
        None => error.to_string(),
    };
    Refused(format!("could not {what}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_line_that_ends_says_that_the_guardian_watches() {
        assert_eq!(word(b"\n"), Ok(()));
        assert_eq!(word(b"could not poll\n"), Err(Refused("could not poll".into())));
        for cut in [&b""[..], b"could not"] {
            assert_eq!(word(cut), Err(Refused("the guardian could not be started".into())));
        }
    }
}
