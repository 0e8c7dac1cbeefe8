//! The machine that a guardian runs on: the real one, or in tests a model of macOS. The code above this is the same.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use crate::bytes::Argv;
use crate::config;
use crate::policy::{Policy, Retention};
use crate::process::{Interest, Pid, Snapshot};
use crate::reap::{Kernel, Lineage, Lookout};
use crate::sys::{self, SysError};

/// The queries and actions of a guardian on a machine.
pub trait Host {
    /// Ends processes.
    type Kernel: Kernel + Lookout;

    /// The process table, with the details of the processes that `interest` names.
    ///
    /// # Errors
    /// When it cannot be read.
    fn snapshot(&self, interest: &mut dyn FnMut(&Snapshot) -> Interest) -> Result<Snapshot, SysError>;

    /// Writes the service of each of `pids` into its record.
    fn services(&self, snapshot: &mut Snapshot, pids: &[Pid]);

    /// The environment of a process, each variable ended by a zero byte. `None` if it cannot be read: the process
    /// belongs to another user, is in the middle of its exec, or on macOS runs a program of the system.
    fn environment(&self, pid: Pid) -> Option<Vec<u8>>;

    /// The command line of a process; empty if it cannot be read.
    fn command(&self, pid: Pid) -> Argv;

    /// The session of a process.
    fn session(&self, pid: Pid) -> Option<Pid>;

    /// The numbers of a process and of the process that forked it, which are never reused. Only macOS has them.
    fn lineage(&self, pid: Pid) -> Option<Lineage>;

    /// The process that adopts orphans here, besides pid 1.
    fn adopter(&self) -> Pid;

    /// Prepares to end processes.
    ///
    /// # Errors
    /// When the system refuses; nothing is ended then.
    fn kernel(&self, all_users: bool, stop: Arc<AtomicUsize>) -> Result<Self::Kernel, SysError>;

    /// Catches signals from now on: a signal that would end this process stores its number in the returned value.
    ///
    /// # Errors
    /// When the system refuses a handler.
    fn stop(&self) -> anyhow::Result<Arc<AtomicUsize>>;

    /// The person's settings as they are now.
    ///
    /// # Errors
    /// When the configuration cannot be read: it may hold the allowlist, so nothing is ended then.
    fn settings(&self) -> anyhow::Result<Settings>;

    /// The folder of the audit log. It does not depend on the configuration.
    ///
    /// # Errors
    /// When there is no home.
    fn directory(&self) -> anyhow::Result<PathBuf>;

    /// A clock that only goes forward.
    fn now(&self) -> Duration;

    /// Sleeps.
    fn sleep(&self, time: Duration);
}

/// The person's settings that a guardian uses.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The policy.
    pub policy: Policy,
    /// How long the audit log is kept.
    pub retention: Retention,
    /// How long a client may read on after it closed stdin.
    pub linger: Duration,
    /// The folder of the audit log.
    pub directory: PathBuf,
}

/// The running system.
#[derive(Clone, Copy, Debug)]
pub(super) struct Here {
    origin: Instant,
}

impl Here {
    pub(super) fn new() -> Here {
        Here { origin: Instant::now() }
    }
}

impl Host for Here {
    type Kernel = sys::OsKernel;

    fn snapshot(&self, interest: &mut dyn FnMut(&Snapshot) -> Interest) -> Result<Snapshot, SysError> {
        sys::snapshot(interest)
    }

    fn services(&self, snapshot: &mut Snapshot, pids: &[Pid]) {
        crate::services::fill(snapshot, pids);
    }

    fn environment(&self, pid: Pid) -> Option<Vec<u8>> {
        sys::environment(pid)
    }

    fn command(&self, pid: Pid) -> Argv {
        sys::command(pid)
    }

    fn session(&self, pid: Pid) -> Option<Pid> {
        let raw = i32::try_from(pid.0).ok().map(nix::unistd::Pid::from_raw);
        let session = nix::unistd::getsid(Some(raw?)).ok()?;
        u32::try_from(session.as_raw()).ok().map(Pid)
    }

    fn lineage(&self, pid: Pid) -> Option<Lineage> {
        sys::lineage(pid)
    }

    fn adopter(&self) -> Pid {
        Pid(std::os::unix::process::parent_id())
    }

    fn kernel(&self, all_users: bool, stop: Arc<AtomicUsize>) -> Result<sys::OsKernel, SysError> {
        sys::OsKernel::new(all_users, stop)
    }

    fn stop(&self) -> anyhow::Result<Arc<AtomicUsize>> {
        let stop = Arc::new(AtomicUsize::new(0));
        super::super::stop::listen(&stop)?;
        Ok(stop)
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        let (loaded, directory) = (config::load(None)?, self.directory()?);
        let (linger, policy) = (loaded.policy.linger, loaded.policy);
        Ok(Settings { policy, retention: loaded.retention, linger, directory })
    }

    fn directory(&self) -> anyhow::Result<PathBuf> {
        Ok(config::state_dir()?)
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
