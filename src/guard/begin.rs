//! Starts a guardian: forks twice, executes this program again, and waits until the guardian reports that it watches.

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
    /// How long the client may still read after it closed stdin; `None` for the time in the configuration.
    pub linger: Option<Duration>,
    /// This process.
    pub identity: Option<ProcessId>,
    /// The wire on its stdin; `None` for a stdin that never hangs up.
    pub stdin: Option<WireId>,
    /// Returns the unique number of a process (macOS). Not called on Linux.
    pub unique: fn(Pid) -> Option<u64>,
}

/// Starts the guardian and returns when it watches.
///
/// # Errors
/// When no guardian could be started; the message is for people.
pub(super) fn begin(start: &Start, identity: ProcessId, marker: &Marker) -> Result<(), Refused> {
    let stdin = start.stdin.map(|_| stdin::watchable(std::io::stdin())).transpose();
    let stdin = stdin.map_err(|errno| refused("watch stdin", errno.into()))?;
    let watched = Watched::of(start, identity)?;
    let (mut ready, ready_writer) = std::io::pipe().map_err(|error| refused("make a pipe", error))?;
    let ready_writer = above_stdio(ready_writer.into()).map_err(|error| refused("make a pipe", error))?;
    let args = GuardArgs {
        root: identity,
        root_handle: watched.root,
        client: watched.client_pid,
        client_handle: watched.client,
        stdin_fd: stdin.as_ref().map(AsRawFd::as_raw_fd),
        ready_fd: ready_writer.as_raw_fd(),
        marker: marker.id.clone(),
        linger: start.linger,
        engine: super::container::engine(&start.command),
    };
    let passed: Vec<&OwnedFd> = watched.pidfds.iter().chain(stdin.as_ref()).chain([&ready_writer]).collect();
    double_fork(&args, &passed)?;
    drop(ready_writer);
    let mut message = Vec::new();
    ready.read_to_end(&mut message).map_err(|error| refused("hear from the guardian", error))?;
    parse_ready(&message)
}

/// The guardian's message is an empty line when it watches, and otherwise a line that says why not. A message without a
/// line end was cut off.
fn parse_ready(message: &[u8]) -> Result<(), Refused> {
    match message.strip_suffix(b"\n") {
        Some(b"") => Ok(()),
        Some(why) => Err(Refused(String::from_utf8_lossy(why).into_owned())),
        None => Err(Refused("the guardian could not be started".to_owned())),
    }
}

/// The two processes that a guardian watches: this one and its parent. The handles tell them from later processes with
/// the same pid.
struct Watched {
    root: ProcessHandle,
    client: Option<ProcessHandle>,
    /// 0 for a parent outside this PID namespace.
    client_pid: u32,
    /// The descriptors of the handles, for the guardian. All are above 2.
    pidfds: Vec<OwnedFd>,
}

#[cfg(target_os = "linux")]
impl Watched {
    fn of(_: &Start, _: ProcessId) -> Result<Watched, Refused> {
        let open = |pid: process::Pid| {
            let fd = process::pidfd_open(pid, process::PidfdFlags::empty())?;
            above_stdio(fd)
        };
        let failed = |error| refused("open a pidfd", error);
        let root = open(process::getpid()).map_err(failed)?;
        let known = |fd: &OwnedFd| ProcessHandle::Pidfd(fd.as_raw_fd());
        // A parent outside this PID namespace has pid 0 here and cannot be watched; it counts as one that never ends.
        let Some(parent) = process::getppid() else {
            return Ok(Watched { root: known(&root), client: None, client_pid: 0, pidfds: vec![root] });
        };
        let client = match open(parent) {
            // If this is still the parent after the pidfd was opened, it was alive then, so the pidfd is the parent's.
            Ok(fd) => (process::getppid() == Some(parent)).then_some(fd),
            Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => None,
            Err(error) => return Err(failed(error)),
        };
        Ok(Watched {
            root: known(&root),
            client: client.as_ref().map(known),
            client_pid: parent.as_raw_nonzero().get().unsigned_abs(),
            pidfds: std::iter::once(root).chain(client).collect(),
        })
    }
}

/// macOS has no pidfds. The guardian watches by pid and compares the unique numbers afterwards.
#[cfg(target_os = "macos")]
impl Watched {
    fn of(start: &Start, identity: ProcessId) -> Result<Watched, Refused> {
        let root = (start.unique)(identity.pid).map(ProcessHandle::Unique);
        let root =
            root.ok_or_else(|| Refused("the kernel does not tell this process's number".to_owned()))?;
        let parent = process::getppid();
        let client_pid = parent.map_or(0, |parent| parent.as_raw_nonzero().get().unsigned_abs());
        let client = (start.unique)(Pid(client_pid)).map(ProcessHandle::Unique);
        // If this is still the parent after the call, it was alive then, so the number is the parent's.
        let client = client.filter(|_| process::getppid() == parent);
        Ok(Watched { root, client, client_pid, pidfds: Vec::new() })
    }
}

/// Moves a descriptor above 2. A new descriptor is 0 to 2 where one of these is closed, and the guardian reopens these.
fn above_stdio(fd: OwnedFd) -> std::io::Result<OwnedFd> {
    if fd.as_raw_fd() > 2 { Ok(fd) } else { Ok(rustix::io::fcntl_dupfd_cloexec(fd, 3)?) }
}

/// Starts the guardian as an orphan: the process between ends at once and is collected here, without a SIGCHLD. If this
/// process is a subreaper, it would adopt the guardian, so the flag is off until the guardian has another parent.
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

/// Waits for the process between. Its exit code is 0 or an errno.
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

/// Runs in the guardian. Opens a session, resets the signals that it inherited, and executes this program again under a
/// command line that names no server.
fn become_guardian(args: &GuardArgs, passed: &[&OwnedFd]) -> ! {
    let _ = nix::unistd::setsid();
    ffi::reset_signals();
    for fd in passed {
        let _ = rustix::io::fcntl_setfd(fd.as_fd(), rustix::io::FdFlags::empty());
    }
    let line = words(args.command_line());
    // With the marker the guardian itself would look like a part of the server.
    let environment: Vec<CString> = environment(std::env::vars_os(), VARIABLE, None);
    for program in programs() {
        let _ = execve(&program, &line, &environment);
    }
    ffi::exit_now(1)
}

/// The paths of this executable, in the order in which to try them. Its own path comes first, for the name in `ps`, if it
/// still leads to this file. After an upgrade only the kernel's link does.
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

/// The path by which this executable was started a moment ago; macOS has no other one.
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
        assert_eq!(parse_ready(b"\n"), Ok(()));
        assert_eq!(parse_ready(b"could not poll\n"), Err(Refused("could not poll".into())));
        for cut in [&b""[..], b"could not"] {
            assert_eq!(parse_ready(cut), Err(Refused("the guardian could not be started".into())));
        }
    }
}
