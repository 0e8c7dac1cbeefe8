//! What can go wrong with a schedule.

use std::path::PathBuf;

use super::drift::Drift;
use crate::os::stable_path::Vanishing;

/// Why an install, a status or an uninstall failed. When an install fails with one of these, files and manager
/// are as they were before.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// Neither `HOME` nor the user database names a folder.
    #[error("no home directory: HOME names no folder")]
    NoHome,
    /// `sudo` keeps `HOME`.
    #[error("{} belongs to user {owner}: a schedule is installed by its user, without sudo", .home.display())]
    NotYourHome {
        /// The home.
        home: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// A file could not be read or written.
    #[error("failed to {doing} {}: {source}", .path.display())]
    Io {
        /// The operation that failed, as a verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not a program.
    #[error("{} is not an executable file", .path.display())]
    NotExecutable {
        /// What is not.
        path: PathBuf,
    },
    /// Every run after it is gone would fail, and nobody would see it.
    #[error("{}", .why.refusal(.path))]
    WillVanish {
        /// The binary.
        path: PathBuf,
        /// Why.
        why: Vanishing,
    },
    /// Bytes that a unit file or property list has no way to write.
    #[error("{what} cannot be written into a job's file")]
    Unwritable {
        /// The name of the value.
        what: String,
    },
    /// A path that cannot be written so that the manager runs it.
    #[error("{manager} runs no program with such a path: {}", .path.display())]
    Unrunnable {
        /// The service manager.
        manager: &'static str,
        /// The binary.
        path: PathBuf,
    },
    /// A file that is in the way.
    #[error("{} is left alone: {why}", .path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// Why it is not ours.
        why: &'static str,
    },
    /// No manager to install into; nothing was written.
    #[error("no {manager} user manager answers here ({why})")]
    NoManager {
        /// The service manager.
        manager: &'static str,
        /// In its words.
        why: String,
        /// What to put into `crontab -e` instead.
        crontab: String,
    },
    /// The manager's tool failed.
    #[error("`{command}` failed: {why}")]
    Refused {
        /// What was run.
        command: String,
        /// In its words.
        why: String,
    },
    /// The manager's tool succeeded, and the manager has something else.
    #[error("{manager} has not taken it up: {}", .drift.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NotTakenUp {
        /// The service manager.
        manager: &'static str,
        /// What differs.
        drift: Vec<Drift>,
    },
}
