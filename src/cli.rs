//! The definition of the command line. The doc comments here are the help.

mod audience;
mod fitting;
mod global;
mod help;
mod listing;
mod named;
mod tips;
mod trial;
mod unattended;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use audience::Audience;
pub use fitting::misfit;
pub use global::Global;
use global::whole_number;
pub use help::command;
pub(crate) use help::documented;
pub use listing::{ListArgs, Wanted};
pub use named::Named;
pub(crate) use tips::tip;
pub use trial::{Ending, TestArgs};
pub use unattended::{HookAction, HookScope, HookTarget, ScheduleAction, ScheduleArgs};

use crate::audit::StartedBy;
use crate::units::parse_duration;
use crate::units::since::{Since, parse_since};

/// Finds MCP servers that nobody uses any more and ends them; never one that is in use.
///
/// Without a command it looks, shows what it would end, asks, sends SIGTERM, waits out the grace, sends
/// SIGKILL to what is left, and writes the audit log. Where nobody can be asked (a pipe, a script), it
/// ends nothing without --yes.
#[derive(Debug, Parser)]
#[command(name = "mcp-reap", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What to do; without one: find and end.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Show what would be ended and why; send nothing, write no audit events.
    #[arg(long, short = 'n')]
    pub dry_run: bool,

    /// Do not ask. Needed where nobody can be asked: a pipe, a script, a timer.
    #[arg(long, short = 'y')]
    pub yes: bool,

    /// Choose from a list what to end; what nobody uses is marked already.
    #[arg(long, short, conflicts_with_all = ["dry_run", "yes", "json", "quiet"])]
    pub interactive: bool,

    /// Wait for another run of mcp-reap to end (five minutes at most) instead of leaving the work to it.
    #[arg(long)]
    pub wait: bool,

    /// What started this run, for the audit log.
    #[arg(long, value_enum, default_value_t, hide = true)]
    pub started_by: StartedBy,

    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show every instance with client, verdict, age and memory.
    #[command(visible_alias = "ls", aliases = ["ps", "status"])]
    List(ListArgs),
    /// Show all evidence for and against a process, with what is above it and where it works.
    #[command(alias = "why")]
    Explain {
        /// A process (4242), all instances of a server (context7-mcp, a pattern), or what listens on a port (:3000).
        #[arg(required = true, value_name = "PID|NAME|:PORT", value_parser = Named::parse)]
        targets: Vec<Named>,
    },
    /// End chosen instances, whatever their verdict; what is allowed or managed stays.
    Kill(KillArgs),
    /// Start a server that cannot leak: written in front of its command in a client's configuration.
    Exec {
        /// How long the client may read on after it closed the server's input (default 60s).
        #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
        linger: Option<Duration>,
        /// The server's own command and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Show how your clients' servers would start through exec; `install` writes one, `uninstall` takes it out.
    Wrap {
        /// What to do; without one: show.
        #[command(subcommand)]
        action: Option<WrapAction>,
    },
    /// Test whether a server leaks, for its authors. Exit code 0: nothing is left, 1: something is, 2: not known.
    Test(TestArgs),
    /// Report by exit code whether anything is wrong: 0 healthy, 1 not, 2 not known.
    Check(CheckArgs),
    /// Show what past runs ended, why, and how much memory that freed.
    #[command(alias = "history")]
    Log(LogArgs),
    /// Write the process table as JSON, without secrets: for bug reports and tests.
    Record {
        /// The file to write (default: stdout).
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Install, remove or show the weekly, daily or hourly schedule.
    Schedule {
        /// What to do.
        #[command(subcommand)]
        action: ScheduleAction,
    },
    /// Install, remove or show the hooks that run mcp-reap when a session begins or ends.
    Hook {
        /// What to do.
        #[command(subcommand)]
        action: HookAction,
    },
    /// Make, find, show and check the configuration file.
    Config {
        /// Which of them.
        #[command(subcommand)]
        action: ConfigAction,
    },
    /// Show what mcp-reap can see and may do here, what is missing and how to fix it.
    Doctor,
    /// Print completions for a shell.
    Completions {
        /// The shell (default: the one in $SHELL).
        shell: Option<clap_complete::Shell>,
        /// What completes the pids and names of instances: one a line, with what it is.
        #[arg(long, hide = true)]
        instances: bool,
        /// What completes the options of `wrap`: action, client and server of each configured server.
        #[arg(long, hide = true, conflicts_with = "instances")]
        configured: bool,
    },
    /// Print the version.
    #[command(hide = true)]
    Version,
    /// Print the man page.
    Man {
        /// Write the pages of all commands into this folder instead.
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
}

/// Which instances to end, and with whose yes.
#[derive(Args, Debug, Default)]
pub struct KillArgs {
    /// Any process of an instance (4242), all instances of a server (context7-mcp, a pattern), or what listens on
    /// a port (:3000).
    #[arg(required = true, value_name = "PID|NAME|:PORT", value_parser = Named::parse)]
    pub targets: Vec<Named>,

    /// Also end what is in use, or may be, without asking: a session loses its tools.
    #[arg(long)]
    pub in_use: bool,

    /// Show what would be ended and why; send nothing, write no audit events.
    #[arg(long, short = 'n')]
    pub dry_run: bool,

    /// Do not ask. Needed where nobody can be asked: a pipe, a script, a timer.
    #[arg(long, short = 'y')]
    pub yes: bool,

    /// Wait for another run of mcp-reap to end (five minutes at most) instead of leaving the work to it.
    #[arg(long)]
    pub wait: bool,
}

/// What to do with the clients' configurations.
#[derive(Debug, Subcommand)]
pub enum WrapAction {
    /// Put one server under exec: in your own configuration, for all projects. Its client must not run.
    Install {
        /// Whose configuration, as `mcp-reap wrap` names it.
        #[arg(long, value_name = "CLIENT")]
        client: String,
        /// The server, by the name it has there.
        #[arg(long, value_name = "NAME")]
        server: String,
    },
    /// Take exec out again, of every server in your own configurations that has it.
    Uninstall {
        /// Only in this client's configuration.
        #[arg(long, value_name = "CLIENT")]
        client: Option<String>,
        /// Only of servers of this name.
        #[arg(long, value_name = "NAME")]
        server: Option<String>,
    },
}

/// What is wrong, and how to say it.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// How to answer. Nagios takes the exit code as 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    pub format: Format,

    /// The number of orphans to tolerate.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole_number)]
    pub max_orphans: usize,

    /// Ask docker and podman, too, by a local socket and for three seconds at most: a container of an MCP image whose
    /// `docker run` is gone is a finding.
    #[arg(long, conflicts_with = "snapshot")]
    pub containers: bool,
}

/// A form of the answer of `check`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: the same as --json.
    Json,
    /// For Nagios, Icinga, Checkmk: one line with performance data.
    Nagios,
    /// For Prometheus: metrics for node_exporter's textfile collector.
    Prometheus,
}

/// Which runs to show.
#[derive(Args, Debug)]
pub struct LogArgs {
    /// Only runs since then: a duration ago (7d), a day (yesterday, 2026-11-20) or an RFC 3339 time.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub since: Option<Since>,

    /// Only the last N runs.
    #[arg(long, short = 'n', value_name = "N", value_parser = whole_number)]
    pub last: Option<usize>,

    /// Go on and show each run when it is over; with --json, one object a line.
    #[arg(long, short)]
    pub follow: bool,
}

/// What to do with the configuration file.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Write a commented file with the defaults, unless there is one.
    Init,
    /// Print where the file is looked for.
    Path,
    /// Print what is in force, and where it comes from.
    Show {
        /// Print the built-in catalog of servers, launchers and clients instead.
        #[arg(long)]
        catalog: bool,
    },
    /// Read the file and say what is wrong with it.
    Check,
    /// Open the file in your editor ($VISUAL, $EDITOR), made first if there is none, and check it afterwards.
    Edit,
}
