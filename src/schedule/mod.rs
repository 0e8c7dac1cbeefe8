//! The schedule: a launchd agent or a systemd user timer that runs mcp-reap again and again.
//!
//! Without admin rights, in the person's own session. An install checks afterwards what
//! the manager has loaded, and an uninstall removes only what some version of mcp-reap wrote and is
//! unchanged since. Both managers are compiled everywhere; which one is used is a parameter.

mod calendar;
mod cron;
mod drift;
mod error;
mod files;
mod install;
mod job;
mod launchd;
mod manager;
mod report;
mod runner;
mod seal;
mod status;
mod systemd;
mod user_environment;

pub use calendar::{Calendar, CalendarError};
pub use drift::Drift;
pub use error::ScheduleError;
pub use files::{FileChange, Rendered};
pub use install::{Request, Schedule};
pub use job::{ARGUMENTS, Job};
pub use manager::ManagerKind;
pub use report::{Installed, LastRun, Removed, RunResult, ScheduleStatus};
pub use runner::{CallError, Output, Runner, SystemRunner};
pub use user_environment::UserEnvironment;
