//! The schedule: a launchd agent or a systemd user timer that runs mcp-reap again and again.
//!
//! Without admin rights, in the person's own session. An install checks afterwards what
//! the manager has loaded, and an uninstall removes only what some version of mcp-reap wrote and is
//! unchanged since. Both managers are compiled everywhere; which one is used is a parameter.

mod calendar;
mod cron;
mod error;
mod files;
mod install;
mod job;
mod launchd;
mod manager;
mod places;
mod report;
mod runner;
mod seal;
mod status;
mod systemd;

pub use calendar::{Calendar, CalendarError};
pub use error::ScheduleError;
pub use files::{FileChange, Rendered};
pub use install::{Request, Schedule};
pub use job::{ARGUMENTS, Job};
pub use places::Places;
pub use report::{Drift, Installed, LastRun, Removed, RunResult, ScheduleStatus};
pub use runner::{CallError, Output, Runner, SystemRunner};

/// Who starts the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// macOS.
    Launchd,
    /// Linux.
    Systemd,
}

impl Kind {
    /// The one of this machine.
    #[must_use]
    pub const fn here() -> Kind {
        if cfg!(target_os = "macos") { Kind::Launchd } else { Kind::Systemd }
    }

    /// As people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Launchd => "launchd",
            Kind::Systemd => "systemd",
        }
    }
}
