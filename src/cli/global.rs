//! Options of every command. A command refuses those that it does not use, and they are not in its help
//! ([`super::fitting`]).

use std::path::PathBuf;

use clap::Args;

use crate::config::Overrides;
use crate::render::style::Color;

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

    /// Say on stderr what was read, how long each part took, and why a process is not taken for a server; twice: name
    /// every process that was read closely.
    #[arg(long, short, global = true, conflicts_with = "quiet", action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// When to colour.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, global = true)]
    pub color: Color,

    /// Judge a recorded process table instead of this machine. Never ends anything.
    #[arg(long, value_name = "FILE", global = true)]
    pub snapshot: Option<PathBuf>,

    /// What changes the policy for this run.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Parses a number that may be 0.
pub(super) fn whole_number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("`{text}` is not a whole number"))
}
