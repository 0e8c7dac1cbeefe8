//! The service manager, launchd or systemd, as install, status and uninstall use it.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::drift::Drift;
use super::error::ScheduleError;
use super::files::Rendered;
use super::job::Job;
use super::report::LastRun;
use super::runner::{Output, Runner};

/// The kind of manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagerKind {
    /// macOS.
    Launchd,
    /// Linux.
    Systemd,
}

impl ManagerKind {
    /// The kind on this machine.
    pub const fn here() -> ManagerKind {
        if cfg!(target_os = "macos") { ManagerKind::Launchd } else { ManagerKind::Systemd }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            ManagerKind::Launchd => "launchd",
            ManagerKind::Systemd => "systemd",
        }
    }
}

/// What the manager reports about the job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ManagerView {
    /// Whether it has loaded the job and will start it.
    pub(super) loaded: bool,
    /// The next run.
    pub(super) next: Option<DateTime<Utc>>,
    /// The last run.
    pub(super) last: Option<LastRun>,
    /// The program that it would start.
    pub(super) program: Option<PathBuf>,
    /// The differences from the files.
    pub(super) drift: Vec<Drift>,
}

impl ManagerView {
    /// Removes and returns the files that the manager has loaded from elsewhere. If the person has no files, these
    /// belong to a package. Then it is no fault that they are elsewhere or that their timer is off.
    pub(super) fn take_provided(&mut self) -> Vec<PathBuf> {
        let mut provided = Vec::new();
        for drift in std::mem::take(&mut self.drift) {
            match drift {
                Drift::LoadedFromElsewhere { path } => provided.push(path),
                other => self.drift.push(other),
            }
        }
        if !provided.is_empty() {
            self.drift.retain(|drift| !matches!(drift, Drift::NotStarted));
        }
        provided
    }
}

/// Whether there is a manager that loads the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ManagerPresence {
    /// It answers.
    Here,
    /// There is no graphical session. launchd reads the file at the next login.
    AtNextLogin,
    /// It does not answer, and why.
    Absent(String),
}

/// One kind of manager.
pub(super) trait Manager {
    /// Does it answer?
    fn presence(&self) -> ManagerPresence;
    /// The paths of its files, in the order of [`Manager::render`].
    fn paths(&self) -> Vec<PathBuf>;
    /// Can it run a program with this path? Its files can contain any path that [`Job::new`] accepts.
    fn can_run(&self, binary: &str) -> bool;
    /// The files of a job.
    fn render(&self, job: &Job) -> Vec<Rendered>;
    /// Folders that must exist before a run.
    fn folders(&self) -> Vec<PathBuf>;
    /// What the manager has loaded, compared with `job` if one is given.
    fn see(&self, job: Option<&Job>) -> Result<ManagerView, ScheduleError>;
    /// Loads the files.
    fn load(&self) -> Result<(), ScheduleError>;
    /// Unloads the job while the files are still there. It is no error if the job is not loaded.
    fn unload(&self) -> Result<(), ScheduleError>;
    /// Cleans up after the files were removed. Returns the further files that it removed.
    fn forget(&self) -> Result<Vec<PathBuf>, ScheduleError>;
}

/// Do two paths lead to the same file? The manager may use another path for the home than the person's shell.
pub(super) fn same_file(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Runs a manager's tool. Every exit code but 0 is an error.
pub(super) fn must(runner: &dyn Runner, program: &str, args: &[&str]) -> Result<Output, ScheduleError> {
    let output = may(runner, program, args)?;
    if output.is_success() { Ok(output) } else { Err(refused(program, args, output.complaint())) }
}

/// Runs a manager's tool. An exit code other than 0 is no error.
pub(super) fn may(runner: &dyn Runner, program: &str, args: &[&str]) -> Result<Output, ScheduleError> {
    runner.run(program, args).map_err(|error| refused(program, args, error.to_string()))
}

/// The error of a tool that failed.
pub(super) fn refused(program: &str, args: &[&str], why: String) -> ScheduleError {
    ScheduleError::Refused { command: format!("{program} {}", args.join(" ")), why }
}
