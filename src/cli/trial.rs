//! `test`: which server, and how its conversations end.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::units::parse_duration;

/// Which server, and how its conversations end.
#[derive(Args, Debug)]
pub struct TestArgs {
    /// Only this way of ending; may be given again (default: all).
    #[arg(long, value_enum, value_name = "ENDING")]
    pub ending: Vec<Ending>,

    /// How long a server has to go by itself.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "5s")]
    pub wait: Duration,

    /// Also under `mcp-reap exec`.
    #[arg(long)]
    pub under_exec: bool,

    /// Be the client of one trial.
    #[arg(long, value_enum, hide = true)]
    pub play_client: Option<Ending>,

    /// The server's command and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// How a conversation between client and server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The client is killed with SIGKILL.
    ClientKilled,
    /// The client closes both ends and lives on.
    WireClosed,
    /// The client sends SIGINT, SIGTERM and SIGKILL, half a second apart, then closes both ends.
    Signals,
    /// The process that the client started is killed with SIGKILL.
    ServerKilled,
    /// The client closes the server's input, reads on and lives on.
    StdinClosed,
    /// The client's terminal closes.
    TerminalGone,
}
