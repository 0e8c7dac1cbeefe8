//! The results of install, status and uninstall.

use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::files::FileChange;
use super::job::Job;

/// What an install did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Installed {
    /// What is now scheduled.
    pub job: Job,
    /// The files, and what became of each.
    pub files: Vec<(PathBuf, FileChange)>,
    /// Where files are now that were not ours and in the way, which only a forced install moves.
    pub moved: Vec<PathBuf>,
    /// False where launchd takes it up at the next login at the screen only.
    pub loaded: bool,
    /// The first run.
    pub next: Option<DateTime<Utc>>,
}

/// The state of the schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScheduleStatus {
    /// `launchd` or `systemd`.
    pub manager: &'static str,
    /// Why the manager gave no answer; `None` when it did.
    pub absent: Option<String>,
    /// The files, and whether each is there.
    pub files: Vec<(PathBuf, bool)>,
    /// All files are there.
    pub installed: bool,
    /// Where the person has no files: those of a package that the manager has read instead.
    pub provided: Vec<PathBuf>,
    /// The manager will start it.
    pub loaded: bool,
    /// What is scheduled by the files.
    pub job: Option<Job>,
    /// The next run. Under launchd worked out from the job; it may come later when the machine
    /// sleeps.
    pub next: Option<DateTime<Utc>>,
    /// The run before, since the manager started.
    pub last: Option<LastRun>,
    /// Everything that is not as an install with this version would leave it.
    pub drift: Vec<Drift>,
}

impl ScheduleStatus {
    /// Whether it will run, as this version would have it: by the person's own files or a package's.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        let there = self.installed || !self.provided.is_empty();
        there && self.loaded && Drift::unwanted(&self.drift).is_empty()
    }
}

/// A run that the manager started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastRun {
    /// When; launchd does not show it.
    pub at: Option<DateTime<Utc>>,
    /// How it ended.
    pub result: RunResult,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunResult {
    /// It has not.
    Running,
    /// With this exit code.
    Exit(i32),
    /// Otherwise, in the manager's words: `timeout`, `signal`, `core-dump`.
    Failed(String),
    /// The manager does not show it.
    NotKnown,
}

impl RunResult {
    /// From systemd's `Result` and `ExecMainStatus`.
    pub(super) fn of_systemd(result: Option<&str>, status: Option<&str>) -> RunResult {
        match (result, status.and_then(|status| status.parse().ok())) {
            (Some("success" | "exit-code"), Some(code)) => RunResult::Exit(code),
            (Some(other), _) => RunResult::Failed(other.to_owned()),
            (None, _) => RunResult::NotKnown,
        }
    }

    /// From launchd's `last exit code`: `0`, `78: EX_CONFIG`, `(never exited)`.
    pub(super) fn of_launchd(text: &str) -> Option<RunResult> {
        text.split(':').next()?.trim().parse().ok().map(RunResult::Exit)
    }
}

impl fmt::Display for RunResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunResult::Running => f.write_str("running"),
            RunResult::Exit(code) => write!(f, "exit {code}"),
            RunResult::Failed(how) => write!(f, "failed: {how}"),
            RunResult::NotKnown => f.write_str("result not known"),
        }
    }
}

/// One thing that is not as an install with this version would leave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Drift {
    /// One file of several.
    #[error("{} is missing", .path.display())]
    Missing {
        /// Which.
        path: PathBuf,
    },
    /// A file that is not ours.
    #[error("{}: {why}", .path.display())]
    NotOurs {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// A file that another version wrote.
    #[error("{} was written by another version", .path.display())]
    OtherVersion {
        /// Which.
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
        /// Us.
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
        /// Which.
        unit: String,
    },
    /// The manager reads another file.
    #[error("the manager reads {} instead", .path.display())]
    LoadedFromElsewhere {
        /// Which.
        path: PathBuf,
    },
    /// The manager has an older state of the file.
    #[error("{} changed since the manager read it", .path.display())]
    Stale {
        /// Which.
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
    #[must_use]
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

/// What an uninstall did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Nothing, where this is empty.
    pub files: Vec<PathBuf>,
    /// Where files are now that were not ours, which only a forced uninstall moves.
    pub moved: Vec<PathBuf>,
    /// The manager had it.
    pub unloaded: bool,
    /// The files of a package whose timer goes on: switching that off is the person's.
    pub provided: Vec<PathBuf>,
}
