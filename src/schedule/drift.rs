//! Where a schedule is not as an install with this version would leave it.

use std::path::PathBuf;

use serde::Serialize;

/// One thing that is not as an install with this version would leave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Drift {
    /// One file of several.
    #[error("{} is missing", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file that is not ours.
    #[error("{}: {why}", .path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// A file that another version wrote.
    #[error("{} was written by another version", .path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
    },
    /// The files are of two installs.
    #[error("the files belong to two different installs")]
    Disagree,
    /// What is scheduled is gone.
    #[error("{} is gone: every run will fail", .path.display())]
    BinaryGone {
        /// Where it was.
        path: PathBuf,
    },
    /// What is scheduled is not what is running now.
    #[error("{} is scheduled, this is {}", .scheduled.display(), .running.display())]
    OtherBinary {
        /// In the files.
        scheduled: PathBuf,
        /// This program.
        running: PathBuf,
    },
    /// The manager does not know of the files.
    #[error("installed, but not loaded")]
    NotLoaded,
    /// The manager has it, the files are gone.
    #[error("loaded, but the files are gone")]
    OnlyLoaded,
    /// The timer waits now, and will not after the next login.
    #[error("the timer is not enabled: it ends with this session")]
    NotEnabled,
    /// The timer is known, and does not wait.
    #[error("the timer is not started")]
    NotStarted,
    /// A unit was masked.
    #[error("{unit} is masked")]
    Masked {
        /// The unit.
        unit: String,
    },
    /// The manager reads another file.
    #[error("the manager reads {} instead", .path.display())]
    LoadedFromElsewhere {
        /// The file.
        path: PathBuf,
    },
    /// The manager has an older state of the file.
    #[error("{} changed since the manager read it", .path.display())]
    Stale {
        /// The file.
        path: PathBuf,
    },
    /// The person's own changes beside a unit.
    #[error("changed by {}", .path.display())]
    DropIn {
        /// Where.
        path: PathBuf,
    },
    /// The manager runs something else than what is in the file.
    #[error("the manager runs something else: {found}")]
    RunsOther {
        /// In its words.
        found: String,
    },
    /// The manager runs it with another setting than that of the file.
    #[error("the manager has another {what}: {found}")]
    OtherSetting {
        /// Which setting.
        what: &'static str,
        /// In its words.
        found: String,
    },
    /// The manager runs it at another time than that of the file.
    #[error("the manager runs it at another time: {found}")]
    OtherTime {
        /// In its words.
        found: String,
    },
}

impl Drift {
    /// Without what the person did: with a drop-in beside a unit, that it runs something else or at
    /// another time is what they wanted, and an install leaves it so.
    pub fn unwanted(drift: &[Drift]) -> Vec<&Drift> {
        let chosen = drift.iter().any(|drift| matches!(drift, Drift::DropIn { .. }));
        let wanted = |drift: &&Drift| match drift {
            Drift::DropIn { .. } => true,
            Drift::RunsOther { .. } | Drift::OtherTime { .. } => chosen,
            _ => false,
        };
        drift.iter().filter(|drift| !wanted(drift)).collect()
    }
}
