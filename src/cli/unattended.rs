//! The options of `schedule` and `hook`, which make mcp-reap run without a person.

use clap::{Args, Subcommand, ValueEnum};

use crate::hook::settings::HookClient;
use crate::schedule::Calendar;

/// What to do with the schedule.
#[derive(Debug, Subcommand)]
pub enum ScheduleAction {
    /// Install the schedule, or change its time (default: weekly, Sunday 03:00).
    Install(ScheduleArgs),
    /// Show whether the schedule will run, when, and what its last run did.
    Status,
    /// Remove the schedule.
    Uninstall {
        /// Also when the schedule's files were changed by hand: they are moved aside.
        #[arg(long)]
        force: bool,
    },
}

/// When the schedule runs.
#[derive(Args, Debug)]
pub struct ScheduleArgs {
    /// Run once a week.
    #[arg(long, value_name = "DAY@HH:MM", value_parser = Calendar::weekly)]
    #[arg(conflicts_with_all = ["daily", "hourly"])]
    pub weekly: Option<Calendar>,

    /// Run once a day.
    #[arg(long, value_name = "HH:MM", value_parser = Calendar::daily, conflicts_with = "hourly")]
    pub daily: Option<Calendar>,

    /// Run once an hour, at this minute.
    #[arg(long, value_name = "MM", value_parser = Calendar::hourly)]
    #[arg(num_args = 0..=1, default_missing_value = "0")]
    pub hourly: Option<Calendar>,

    /// Install also when mcp-reap lies in a folder that may be emptied, and over files changed by hand, which are moved
    /// aside.
    #[arg(long)]
    pub force: bool,

    /// Show the files that would be written, and write nothing.
    #[arg(long, short = 'n')]
    pub dry_run: bool,
}

/// What to do with the session hooks.
#[derive(Debug, Subcommand)]
pub enum HookAction {
    /// Put the hooks into the settings of a client.
    Install {
        /// Whose hooks.
        #[command(flatten)]
        target: HookTarget,
        /// Install also when mcp-reap lies in a folder that may be emptied.
        #[arg(long)]
        force: bool,
        /// Show what would be put into the settings, and write nothing.
        #[arg(long, short = 'n')]
        dry_run: bool,
    },
    /// Show whether the hooks are installed.
    Status {
        /// Whose hooks.
        #[command(flatten)]
        target: HookTarget,
    },
    /// Take the hooks out of the settings of a client.
    Uninstall {
        /// Whose hooks.
        #[command(flatten)]
        target: HookTarget,
    },
    /// Called by the client, not by hand: reads an event on stdin, returns at once, never exits with 2.
    Run {
        /// The part that stays: reads what to do on stdin.
        #[arg(long, hide = true)]
        watch: bool,
    },
}

/// Which settings.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct HookTarget {
    /// The client whose sessions call mcp-reap.
    #[arg(long, value_enum, value_name = "CLIENT", default_value_t)]
    pub client: HookClient,
    /// Whose settings: yours or the project's.
    #[arg(long, value_enum, default_value_t)]
    pub scope: HookScope,
}

/// Whose settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum HookScope {
    /// Your own, for all projects.
    #[default]
    User,
    /// Those of the project in this folder.
    Project,
}
