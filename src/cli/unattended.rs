//! The commands that make mcp-reap run without a person.

use clap::{Args, Subcommand, ValueEnum};

use crate::hook::settings::HookClient;
use crate::schedule::Calendar;

/// What to do with the schedule.
#[derive(Debug, Subcommand)]
pub enum ScheduleAction {
    /// Install it, or change its time (default: weekly, Sunday 03:00).
    Install(ScheduleArgs),
    /// Show whether it will run, when, and what the last run did.
    Status,
    /// Remove it.
    Uninstall {
        /// Also when its files were changed by hand: they are moved aside.
        #[arg(long)]
        force: bool,
    },
}

/// When the schedule runs.
#[derive(Args, Debug)]
pub struct ScheduleArgs {
    /// Once a week.
    #[arg(long, value_name = "DAY@HH:MM", value_parser = Calendar::weekly)]
    #[arg(conflicts_with_all = ["daily", "hourly"])]
    pub weekly: Option<Calendar>,

    /// Once a day.
    #[arg(long, value_name = "HH:MM", value_parser = Calendar::daily, conflicts_with = "hourly")]
    pub daily: Option<Calendar>,

    /// Once an hour, at this minute.
    #[arg(long, value_name = "MM", value_parser = Calendar::hourly)]
    #[arg(num_args = 0..=1, default_missing_value = "0")]
    pub hourly: Option<Calendar>,

    /// Also from a folder that may vanish, and over files changed by hand, which are moved aside.
    #[arg(long)]
    pub force: bool,

    /// Show the files that would be written, and write nothing.
    #[arg(long, short = 'n')]
    pub dry_run: bool,
}

/// What to do with the session hooks.
#[derive(Debug, Subcommand)]
pub enum HookAction {
    /// Put them into the settings of a client.
    Install {
        /// What calls them.
        #[command(flatten)]
        target: HookTarget,
        /// Also from a folder that may vanish.
        #[arg(long)]
        force: bool,
        /// Show what would be put into the file, and write nothing.
        #[arg(long, short = 'n')]
        dry_run: bool,
    },
    /// Show whether they are installed.
    Status {
        /// What calls them.
        #[command(flatten)]
        target: HookTarget,
    },
    /// Take them out again.
    Uninstall {
        /// What calls them.
        #[command(flatten)]
        target: HookTarget,
    },
    /// What the client calls: reads an event on stdin, returns at once, never exits with 2.
    Run {
        /// The part that stays: reads what to do on stdin.
        #[arg(long, hide = true)]
        watch: bool,
    },
}

/// Which settings.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct HookTarget {
    /// Which client.
    #[arg(long, value_enum, value_name = "CLIENT", default_value_t)]
    pub client: HookClient,
    /// Whose settings.
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
