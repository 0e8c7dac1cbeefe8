//! Options of every command. What a command does not look at is refused and not in its help ([`super::fitting`]).

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::render::style::Color;
use crate::units::{parse_duration, parse_size};

/// Options of every command.
#[derive(Args, Debug, Default)]
pub struct Global {
    /// Configuration file (default: $MCP_REAP_CONFIG, else ~/.config/mcp-reap/config.toml).
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// Print one JSON object.
    #[arg(long, global = true)]
    pub json: bool,

    /// Print only what was asked for, and errors.
    #[arg(long, short, global = true)]
    pub quiet: bool,

    /// Say on stderr what was read, how long each part took, and why a process is not taken for a server; twice: name every
    /// process that was read closely.
    #[arg(long, short, global = true, conflicts_with = "quiet", action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// When to colour.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, global = true)]
    pub color: Color,

    /// Judge a recorded process table instead of this machine. Never ends anything.
    #[arg(long, value_name = "FILE", global = true)]
    pub snapshot: Option<PathBuf>,

    /// Leave alone what is younger, such as 90s or 15m (default 60s).
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, global = true)]
    pub min_age: Option<Duration>,

    /// How long to wait between SIGTERM and SIGKILL (default 5s).
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, global = true)]
    pub grace: Option<Duration>,

    /// How long a server that is still at work may go on before it is ended (default 10s, at most 30s).
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, global = true)]
    pub settle: Option<Duration>,

    /// Keep only the newest N copies of each server (with the same arguments) under each client.
    #[arg(long, value_name = "N", value_parser = at_least_one, global = true)]
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

    /// Also end what is detached: its owner is gone and nobody is seen to use it, but nothing proves that.
    #[arg(long, global = true)]
    pub detached: bool,

    /// As root: judge and end the instances of all users.
    #[arg(long, global = true)]
    pub all_users: bool,
}

/// How many, where none is an answer too.
pub(super) fn whole_number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("`{text}` is not a whole number"))
}

/// How many, where none would be a mistake.
fn at_least_one(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("`{text}` is not a whole number above 0"))
}
