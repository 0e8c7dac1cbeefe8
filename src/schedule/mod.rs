//! The schedule: a launchd agent or a systemd user timer that runs mcp-reap repeatedly.
//!
//! It runs in the person's own session and needs no admin rights. An install checks afterwards what the manager has
//! loaded. An uninstall removes only files that a version of mcp-reap wrote and that are unchanged since. Both managers
//! are compiled on every system, and a parameter selects one.

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
