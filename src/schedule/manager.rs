//! What an install, a status and an uninstall need of a manager, be it launchd or systemd.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::drift::Drift;
use super::error::ScheduleError;
use super::files::Rendered;
use super::job::Job;
use super::report::LastRun;
use super::runner::{Output, Runner};

/// Which kind of manager starts the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagerKind {
    /// macOS.
    Launchd,
    /// Linux.
    Systemd,
}

impl ManagerKind {
    /// The one of this machine.
    pub const fn here() -> ManagerKind {
        if cfg!(target_os = "macos") { ManagerKind::Launchd } else { ManagerKind::Systemd }
    }

    /// As people call it.
    pub const fn name(self) -> &'static str {
        match self {
            ManagerKind::Launchd => "launchd",
            ManagerKind::Systemd => "systemd",
        }
    }
}

/// What a manager has of the job, by its own account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ManagerView {
    /// It has it and will start it.
    pub(super) loaded: bool,
    /// When it will start it next.
    pub(super) next: Option<DateTime<Utc>>,
    /// The run before.
    pub(super) last: Option<LastRun>,
    /// The program it would start.
    pub(super) program: Option<PathBuf>,
    /// Where it differs from the files.
    pub(super) drift: Vec<Drift>,
}

impl ManagerView {
    /// The files that the manager has read where the person has none: a package's. That they lie elsewhere
    /// is then no fault, nor that their timer is off.
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

/// Whether there is a manager to load anything into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ManagerPresence {
    /// It answers.
    Here,
    /// Nobody is logged in at the screen: launchd reads the file at the next login.
    AtNextLogin,
    /// It does not answer, and why.
    Absent(String),
}

/// One kind of manager.
pub(super) trait Manager {
    /// Whether it answers.
    fn presence(&self) -> ManagerPresence;
    /// Where its files are, in the order of [`Manager::render`].
    fn paths(&self) -> Vec<PathBuf>;
    /// Whether it can run a program at this path. Its files can hold any path that [`Job::new`] lets pass.
    fn can_run(&self, binary: &str) -> bool;
    /// The files of a job.
    fn render(&self, job: &Job) -> Vec<Rendered>;
    /// Folders that must exist before a run.
    fn folders(&self) -> Vec<PathBuf>;
    /// What the manager has, compared with a job where there is one.
    fn see(&self, job: Option<&Job>) -> Result<ManagerView, ScheduleError>;
    /// Makes it load the files.
    fn load(&self) -> Result<(), ScheduleError>;
    /// Makes it forget the job; the files are still there. A job it does not have is no error.
    fn unload(&self) -> Result<(), ScheduleError>;
    /// Tidies up after the files are gone. Returns what else was removed.
    fn forget(&self) -> Result<Vec<PathBuf>, ScheduleError>;
}

/// Whether two paths lead to the same file. A manager may know a home by another name than the person's
/// shell.
pub(super) fn same_file(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Runs a manager's tool, and takes anything but success for an error.
pub(super) fn must(runner: &dyn Runner, program: &str, args: &[&str]) -> Result<Output, ScheduleError> {
    let output = may(runner, program, args)?;
    if output.is_success() { Ok(output) } else { Err(refused(program, args, output.complaint())) }
}

/// Runs a manager's tool whatever comes of it.
pub(super) fn may(runner: &dyn Runner, program: &str, args: &[&str]) -> Result<Output, ScheduleError> {
    runner.run(program, args).map_err(|error| refused(program, args, error.to_string()))
}

/// The error of a tool that failed.
pub(super) fn refused(program: &str, args: &[&str], why: String) -> ScheduleError {
    ScheduleError::Refused { command: format!("{program} {}", args.join(" ")), why }
}
