//! The errors of a schedule.

use std::path::PathBuf;

use super::drift::Drift;
use crate::os::stable_path::Vanishing;

/// Why an install, a status or an uninstall failed. After a failed install the files and the manager are as they were
/// before.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// Neither `HOME` nor the user database names a folder.
    #[error("no home directory: HOME names no folder")]
    NoHome,
    /// The home belongs to another user, as under a `sudo` that keeps `HOME`.
    #[error("{} belongs to user {owner}: a schedule is installed by its user, without sudo", .home.display())]
    NotYourHome {
        /// The home.
        home: PathBuf,
        /// Its owner.
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
    /// The file cannot be executed.
    #[error("{} is not an executable file", .path.display())]
    NotExecutable {
        /// The file.
        path: PathBuf,
    },
    /// The binary will not stay at its path. Later every run would fail, and nobody would see that.
    #[error("{}", .why.refusal(.path))]
    WillVanish {
        /// The binary.
        path: PathBuf,
        /// Why.
        why: Vanishing,
    },
    /// A value has bytes that cannot be written in a unit file or property list.
    #[error("{what} cannot be written into a job's file")]
    Unwritable {
        /// The name of the value.
        what: String,
    },
    /// The manager runs no program with this path, however it is written.
    #[error("{manager} runs no program with such a path: {}", .path.display())]
    Unrunnable {
        /// The service manager.
        manager: &'static str,
        /// The binary.
        path: PathBuf,
    },
    /// A file at this path is not ours.
    #[error("{} is left alone: {why}", .path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// Why it is not ours.
        why: &'static str,
    },
    /// There is no manager to install into. Nothing was written.
    #[error("no {manager} user manager answers here ({why})")]
    NoManager {
        /// The service manager.
        manager: &'static str,
        /// In its words.
        why: String,
        /// The line for `crontab -e` instead.
        crontab: String,
    },
    /// The manager's tool failed.
    #[error("`{command}` failed: {why}")]
    Refused {
        /// The command line.
        command: String,
        /// In its words.
        why: String,
    },
    /// The manager's tool succeeded, but the manager has loaded something else.
    #[error("{manager} has not taken it up: {}", .drift.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NotTakenUp {
        /// The service manager.
        manager: &'static str,
        /// What differs.
        drift: Vec<Drift>,
    },
}
