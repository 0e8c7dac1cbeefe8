//! argv in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use mcp_reap::cli::{Audience, Cli};
use mcp_reap::commands;

fn main() -> ExitCode {
    let exit = match Cli::try_parse() {
        Ok(cli) => commands::run(&cli),
        Err(mistake) => commands::misspelt(Audience::of_args(std::env::args_os()), &mistake),
    };
    exit.into()
}
