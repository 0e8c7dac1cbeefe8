//! The results of install, status and uninstall.

use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::drift::Drift;
use super::files::FileChange;
use super::job::Job;

/// What an install did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Installed {
    /// The scheduled job.
    pub job: Job,
    /// The files, and what was done to each.
    pub files: Vec<(PathBuf, FileChange)>,
    /// The new paths of files that were not ours. Only a forced install moves them.
    pub moved: Vec<PathBuf>,
    /// Whether the manager has loaded it. launchd may load it only at the next graphical login.
    pub loaded: bool,
    /// The first run.
    pub next: Option<DateTime<Utc>>,
}

/// The state of the schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ScheduleStatus {
    /// `launchd` or `systemd`.
    pub manager: &'static str,
    /// Why the manager gave no answer; `None` if it did.
    pub absent: Option<String>,
    /// The files, and whether each is there.
    pub files: Vec<(PathBuf, bool)>,
    /// Whether all files are there.
    pub installed: bool,
    /// The files of a package that the manager has loaded, if the person has none.
    pub provided: Vec<PathBuf>,
    /// The manager will start it.
    pub loaded: bool,
    /// The job in the files.
    pub job: Option<Job>,
    /// The next run. For launchd it is computed from the job; it may come later if the machine sleeps.
    pub next: Option<DateTime<Utc>>,
    /// The last run since the manager started.
    pub last: Option<LastRun>,
    /// All differences from what an install with this version would leave.
    pub drift: Vec<Drift>,
}

impl ScheduleStatus {
    /// Will it run as this version would install it, by the person's own files or those of a package?
    pub fn is_fine(&self) -> bool {
        let there = self.installed || !self.provided.is_empty();
        there && self.loaded && Drift::unwanted(&self.drift).is_empty()
    }
}

/// A run that the manager started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastRun {
    /// When it ran; `None` under launchd, which does not show it.
    pub at: Option<DateTime<Utc>>,
    /// How it ended.
    pub result: RunResult,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunResult {
    /// It is still running.
    Running,
    /// It ended with this exit code.
    Exit(i32),
    /// It ended in another way, in the manager's words: `timeout`, `signal`, `core-dump`.
    Failed(String),
    /// The manager does not show it.
    NotKnown,
}

impl RunResult {
    /// The result by systemd's `Result` and `ExecMainStatus`.
    pub(super) fn of_systemd(result: Option<&str>, status: Option<&str>) -> RunResult {
        match (result, status.and_then(|status| status.parse().ok())) {
            (Some("success" | "exit-code"), Some(code)) => RunResult::Exit(code),
            (Some(other), _) => RunResult::Failed(other.to_owned()),
            (None, _) => RunResult::NotKnown,
        }
    }

    /// The result by launchd's `last exit code`: `0`, `78: EX_CONFIG`, `(never exited)`.
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

/// What an uninstall did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// The files that were removed.
    pub files: Vec<PathBuf>,
    /// The new paths of files that were not ours. Only a forced uninstall moves them.
    pub moved: Vec<PathBuf>,
    /// Whether the manager had loaded the job.
    pub unloaded: bool,
    /// The files of a package whose timer stays on. The person can switch it off.
    pub provided: Vec<PathBuf>,
}
