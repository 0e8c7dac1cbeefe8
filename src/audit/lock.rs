//! The run lock: an advisory lock that lets one run work at a time. The kernel releases it when its holder ends.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::directory::Directory;
use super::{AuditError, StartedBy};
use crate::process::Pid;

pub(super) const NAME: &str = "audit.lock";
/// How often a waiting run tries again. A blocking flock(2) would not return after a Ctrl-C that only sets a flag.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The right to write the audit log, and so to end processes. It is released when this value is dropped or the process ends.
#[derive(Debug)]
pub struct RunLock {
    pub(super) directory: Directory,
    file: Flock<File>,
}

/// The run that has the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub pid: Pid,
    /// What started its run; `None` if that is not written yet.
    pub by: Option<StartedBy>,
}

impl RunLock {
    /// Takes the lock of a state directory, which is created if it is missing. `None` if another run has the lock.
    ///
    /// # Errors
    /// When the directory or the lock file cannot be opened or trusted, or the file system has no locks.
    pub fn try_acquire(dir: &Path) -> Result<Option<RunLock>, AuditError> {
        let directory = Directory::create(dir)?;
        // The file may be deleted after it was opened and before it is locked. Then no other run would find the locked file.
        // So the lock counts only if the locked file is the one with this name.
        loop {
            let (file, _) = directory.append_to(NAME)?;
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(file) if directory.still_names(NAME, &file) => {
                    let mut lock = RunLock { directory, file };
                    lock.write("");
                    return Ok(Some(lock));
                }
                Ok(_) => {}
                Err((_, Errno::EWOULDBLOCK)) => return Ok(None),
                Err((_, Errno::EINTR)) => {}
                Err((_, errno)) => return Err(directory.failed("lock", NAME, errno)),
            }
        }
    }

    /// Writes what started this run into the lock file, for the message of a run that finds the lock taken.
    pub fn sign(&mut self, by: StartedBy) {
        self.write(&format!(" {}", by.as_str()));
    }

    /// Writes pid and `by` into the lock file. An error is ignored, because only messages need them.
    fn write(&mut self, by: &str) {
        if self.file.set_len(0).is_ok() {
            let _ = writeln!(self.file, "{}{by}", std::process::id());
        }
    }

    /// Waits for the lock while `keep_waiting`, which is called every 50 ms, returns true. `None` if it gave up.
    ///
    /// # Errors
    /// As [`RunLock::try_acquire`].
    pub fn acquire_waiting(
        dir: &Path,
        mut keep_waiting: impl FnMut() -> bool,
    ) -> Result<Option<RunLock>, AuditError> {
        loop {
            if let Some(lock) = RunLock::try_acquire(dir)? {
                return Ok(Some(lock));
            }
            if !keep_waiting() {
                return Ok(None);
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// The process that last wrote its pid into the lock file. It has the lock if [`RunLock::try_acquire`] has just found it
    /// taken.
    pub fn holder(dir: &Path) -> Option<Holder> {
        let file = Directory::open(dir).ok()?.read_from(NAME).ok()??;
        let mut text = String::new();
        file.take(32).read_to_string(&mut text).ok()?;
        let mut words = text.split_whitespace();
        let pid = words.next()?.parse().ok().map(Pid)?;
        let by = words.next().and_then(StartedBy::named);
        Some(Holder { pid, by })
    }
}
