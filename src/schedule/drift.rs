//! Differences between a schedule and what an install with this version would leave.

use std::path::PathBuf;

use serde::Serialize;

/// One difference from what an install with this version would leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Drift {
    /// A file is missing, and others are there.
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
        /// Why it is not ours.
        why: &'static str,
    },
    /// A file that another version wrote.
    #[error("{} was written by another version", .path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
    },
    /// The files are from two installs.
    #[error("the files belong to two different installs")]
    Disagree,
    /// The scheduled program is gone.
    #[error("{} is gone: every run will fail", .path.display())]
    BinaryGone {
        /// Its path.
        path: PathBuf,
    },
    /// The scheduled program is not the running one.
    #[error("{} is scheduled, this is {}", .scheduled.display(), .running.display())]
    OtherBinary {
        /// The program in the files.
        scheduled: PathBuf,
        /// This program.
        running: PathBuf,
    },
    /// The manager has not loaded the files.
    #[error("installed, but not loaded")]
    NotLoaded,
    /// The manager has loaded the job, and the files are gone.
    #[error("loaded, but the files are gone")]
    OnlyLoaded,
    /// The timer is active, but will not be after the next login.
    #[error("the timer is not enabled: it ends with this session")]
    NotEnabled,
    /// The timer is loaded, but not active.
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
    /// The manager has loaded an older version of the file.
    #[error("{} changed since the manager read it", .path.display())]
    Stale {
        /// The file.
        path: PathBuf,
    },
    /// The person has changed a unit by a drop-in file.
    #[error("changed by {}", .path.display())]
    DropIn {
        /// The drop-in file.
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
    /// The differences without those that the person made. With a drop-in file the person may have the unit run
    /// something else or at another time, and an install leaves that as it is.
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
