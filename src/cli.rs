//! The command line: what was typed, before it means anything. Doc comments here are the help.

mod fitting;
mod named;
mod trial;
mod unattended;
mod wrap;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use named::Named;
pub use trial::{Ending, TestArgs};
pub use unattended::{HookAction, HookScope, ScheduleAction, ScheduleArgs};
pub use wrap::WrapAction;

use crate::render::Order;
use crate::render::style::Color;
use crate::units::since::{Since, parse_since};
use crate::units::{parse_duration, parse_size};

/// Finds MCP servers that nobody uses any more and ends them; never one that is in use.
///
/// Without a command it looks, shows what it would end, asks (on a terminal), sends SIGTERM, waits
/// out the grace, sends SIGKILL to what is left, and writes the audit log.
#[derive(Debug, Parser)]
#[command(name = "mcp-reap", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done (check: healthy), 1 not fine (check: findings; otherwise a \
target survived or was denied), 2 usage, configuration or environment error and nothing was ended, \
128+n stopped by signal n.")]
pub struct Cli {
    /// What to do; without one: find and end.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Show what would be ended and why; send nothing, write no audit events.
    #[arg(long, short = 'n')]
    pub dry_run: bool,

    /// Do not ask.
    #[arg(long, short = 'y')]
    pub yes: bool,

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

/// Options of every command.
#[derive(Args, Debug, Default)]
pub struct Global {
    /// Configuration file (default: $MCP_REAP_CONFIG, else ~/.config/mcp-reap/config.toml).
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// Print one JSON object.
    #[arg(long, global = true)]
    pub json: bool,

    /// Print nothing that is not asked for or wrong.
    #[arg(long, short, global = true)]
    pub quiet: bool,

    /// Say on stderr what is looked at and how long it takes.
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub verbose: bool,

    /// When to colour.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, global = true)]
    pub color: Color,

    /// Judge a recorded process table instead of this machine. Never ends anything.
    #[arg(long, value_name = "FILE", global = true)]
    pub snapshot: Option<PathBuf>,

    /// Leave alone what is younger, such as 90s or 15m (default 60s).
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, global = true)]
    pub min_age: Option<Duration>,

    /// Between SIGTERM and SIGKILL (default 5s).
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, global = true)]
    pub grace: Option<Duration>,

    /// How long a server that is still at work may go on before it is ended (default 10s, at most 30s).
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, global = true)]
    pub settle: Option<Duration>,

    /// Keep only the newest N copies of each server (with the same arguments) under each client.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), global = true)]
    pub max_count: Option<u32>,

    /// Also end what is older, in use or not, such as 24h or 7d.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, global = true)]
    pub max_age: Option<Duration>,

    /// Also end what is larger, in use or not, such as 500MB or 1GiB.
    #[arg(long, value_name = "SIZE", value_parser = parse_size, global = true)]
    pub max_rss: Option<u64>,

    /// Leave alone what matches by server name or command; `*` and `?` match, `re:` begins a
    /// regular expression. May be given again.
    #[arg(long, value_name = "PATTERN", global = true)]
    pub allow: Vec<String>,

    /// As root: judge and end the instances of all users.
    #[arg(long, global = true)]
    pub all_users: bool,
}

/// What started a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum StartedBy {
    /// A person.
    #[default]
    Hand,
    /// A timer.
    Schedule,
    /// A client's session hook.
    Hook,
}

impl From<StartedBy> for crate::audit::StartedBy {
    fn from(by: StartedBy) -> Self {
        match by {
            StartedBy::Hand => crate::audit::StartedBy::Hand,
            StartedBy::Schedule => crate::audit::StartedBy::Schedule,
            StartedBy::Hook => crate::audit::StartedBy::Hook,
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show every instance with client, verdict, age and memory.
    List(ListArgs),
    /// Show all evidence for and against a process, with what is above it and where it works.
    Explain {
        /// Which: a process (4242), all instances of a server (context7-mcp, a pattern), or who listens on a port (:3000).
        #[arg(required = true, value_name = "PID|NAME|:PORT", value_parser = Named::parse)]
        targets: Vec<Named>,
    },
    /// Start a server that cannot leak: written in front of its command in a client's configuration.
    Exec {
        /// How long the client may read on after it closed the server's input (default 60s).
        #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
        linger: Option<Duration>,
        /// The server's own command and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Show the servers of your clients' configurations under exec; `install` writes one, `uninstall` takes it out.
    Wrap {
        /// What to do; without one: show.
        #[command(subcommand)]
        action: Option<WrapAction>,
    },
    /// Tell server authors whether a server leaks: 0 nothing left, 1 something, 2 could not be told.
    Test(TestArgs),
    /// Tell by exit code whether anything is wrong: 0 healthy, 1 not, 2 could not tell.
    Check(CheckArgs),
    /// Show what past runs ended, why, and what it brought.
    Log(LogArgs),
    /// Write the process table as JSON, without secrets: for bug reports and tests.
    Record {
        /// Where to (default: stdout).
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Have it run by itself, once a week, a day or an hour.
    Schedule {
        /// What to do.
        #[command(subcommand)]
        action: ScheduleAction,
    },
    /// Have Claude Code run it when a session begins or ends.
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
    /// Tell what mcp-reap can see and may do here, what is missing and how to mend it.
    Doctor,
    /// Print completions for a shell.
    Completions {
        /// Which.
        shell: clap_complete::Shell,
    },
    /// Print the man page.
    Man {
        /// Write the pages of all commands into this folder instead.
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
}

/// How much of each instance to show.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Show the processes of each instance.
    #[arg(long, short)]
    pub tree: bool,

    /// Show swap, CPU (the average over its life), ports, terminal and conversation too, as a terminal of 140 columns
    /// does by itself.
    #[arg(long, short)]
    pub wide: bool,

    /// What stands on top: the verdict that matters most, the oldest, the largest, or the busiest over its life.
    #[arg(long, value_enum, value_name = "BY", default_value_t)]
    pub sort: Order,

    /// Ask docker and podman, too, by a local socket and for three seconds at most: containers of MCP images whose
    /// `docker run` is gone. They are shown, never ended.
    #[arg(long, conflicts_with_all = ["watch", "snapshot", "configured"])]
    pub containers: bool,

    /// Show what your clients are configured to start, each with its running instances, and the
    /// instances that no configuration names.
    #[arg(long, conflicts_with_all = ["tree", "wide", "watch", "snapshot", "sort"])]
    pub configured: bool,

    /// Look again every two seconds, until Ctrl-C.
    #[arg(long, conflicts_with_all = ["json", "snapshot"])]
    pub watch: bool,
}

/// What is wrong, and how to say it.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// How to answer. Nagios takes the exit code as 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    pub format: Format,

    /// Tolerate so many orphans.
    #[arg(long, value_name = "N", default_value_t = 0)]
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
    /// For Nagios, Icinga, Checkmk: one line with performance data.
    Nagios,
    /// For Prometheus: metrics for node_exporter's textfile collector.
    Prometheus,
}

/// Which runs to show.
#[derive(Args, Debug)]
pub struct LogArgs {
    /// Only runs since then: so long ago (7d), a day (2026-11-20) or an RFC 3339 time.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub since: Option<Since>,

    /// Go on and show each run when it is over; with --json, one object a line.
    #[arg(long, short)]
    pub follow: bool,
}

/// To whom an error speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A person: stderr and exit code 2.
    Person,
    /// A client that called its hook: the log file and exit code 0, because 2 means "block" to Claude Code.
    Hook,
    /// A monitoring system: one line on stdout and exit code 3, because 2 means CRITICAL to Nagios.
    Monitoring,
}

impl Audience {
    /// Of a command line that could be parsed.
    #[must_use]
    pub fn of(cli: &Cli) -> Audience {
        match &cli.command {
            Some(Command::Hook { action: HookAction::Run { .. } }) => Audience::Hook,
            Some(Command::Check(CheckArgs { format: Format::Nagios, .. })) => Audience::Monitoring,
            _ => Audience::Person,
        }
    }

    /// Of one that could not, by the few words that are needed for it.
    #[must_use]
    pub fn of_args(args: impl Iterator<Item = OsString>) -> Audience {
        let args: Vec<OsString> = args.collect();
        let at = |word: &str| args.iter().position(|arg| arg == word);
        let nagios = |pair: &[OsString]| pair[0] == "--format" && pair[1] == "nagios";
        if at("hook").is_some_and(|hook| args[hook..].iter().any(|arg| arg == "run")) {
            Audience::Hook
        } else if at("check").is_some() && (at("--format=nagios").is_some() || args.windows(2).any(nagios)) {
            Audience::Monitoring
        } else {
            Audience::Person
        }
    }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_call_of_the_hook_or_of_a_plugin_is_still_known_as_one() {
        for (line, audience) in [
            ("mcp-reap hook run", Audience::Hook),
            ("mcp-reap --config /x hook --oops run now", Audience::Hook),
            ("mcp-reap check --format nagios --oops", Audience::Monitoring),
            ("mcp-reap --oops check --format=nagios", Audience::Monitoring),
            ("mcp-reap", Audience::Person),
            ("mcp-reap hook install --oops", Audience::Person),
            ("mcp-reap run hook", Audience::Person),
            ("mcp-reap run", Audience::Person),
            ("mcp-reap check --format text", Audience::Person),
            ("mcp-reap list --format nagios", Audience::Person),
            ("mcp-reap check nagios", Audience::Person),
        ] {
            assert_eq!(Audience::of_args(line.split(' ').map(OsString::from)), audience, "{line}");
        }
    }
}
