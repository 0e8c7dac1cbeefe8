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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
