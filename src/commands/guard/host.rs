//! The machine as a guardian sees it: the running one, or in tests a model of macOS. All that a guardian decides is
//! above this.

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

/// What a guardian asks of a machine, and by what it acts on it.
pub trait Host {
    /// Ends processes.
    type Kernel: Kernel + Lookout;

    /// The process table, closely where `interest` says so.
    ///
    /// # Errors
    /// When it cannot be read.
    fn snapshot(&self, interest: &mut dyn FnMut(&Snapshot) -> Interest) -> Result<Snapshot, SysError>;

    /// Writes into the records of `pids` which service each is in.
    fn services(&self, snapshot: &mut Snapshot, pids: &[Pid]);

    /// The environment of a process, each variable ended by a zero. `None` where it is not shown: another user's, a
    /// process in the middle of its exec, on macOS a program of the system's.
    fn environment(&self, pid: Pid) -> Option<Vec<u8>>;

    /// The command line of a process; empty where it is not shown.
    fn command(&self, pid: Pid) -> Argv;

    /// The session of a process.
    fn session(&self, pid: Pid) -> Option<Pid>;

    /// Which process it is and which one forked it, where the system has numbers for that (macOS).
    fn lineage(&self, pid: Pid) -> Option<Lineage>;

    /// Beside pid 1, the process that takes in the orphans of this place.
    fn adopter(&self) -> Pid;

    /// Gets ready to end processes.
    ///
    /// # Errors
    /// When the system refuses; nothing is ended then.
    fn kernel(&self, all_users: bool, stop: Arc<AtomicUsize>) -> Result<Self::Kernel, SysError>;

    /// From now on a signal that would end this process leaves its number in the answer.
    ///
    /// # Errors
    /// When the system refuses to be listened to.
    fn stop(&self) -> anyhow::Result<Arc<AtomicUsize>>;

    /// The person's settings as they are now.
    ///
    /// # Errors
    /// When the configuration cannot be read: it may hold the allowlist, so nothing is ended then.
    fn settings(&self) -> anyhow::Result<Settings>;

    /// Where the record is, whatever the configuration.
    ///
    /// # Errors
    /// When there is no home.
    fn directory(&self) -> anyhow::Result<PathBuf>;

    /// A clock that only goes forward.
    fn now(&self) -> Duration;

    /// Waits.
    fn sleep(&self, time: Duration);
}

/// What of the person's settings is a guardian's business.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What may be ended, and how.
    pub policy: Policy,
    /// How long the record is kept.
    pub retention: Retention,
    /// How long a client may read on after it closed stdin.
    pub linger: Duration,
    /// Where the record is.
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
