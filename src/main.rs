//! argv in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use mcp_reap::cli::{self, Cli};
use mcp_reap::commands;
use mcp_reap::exit::Exit;

fn main() -> ExitCode {
    if let Some(exit) = commands::without_clap(std::env::args_os()) {
        return exit.into();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(mistake) if mistake.use_stderr() && cli::is_hook_call(std::env::args_os()) => {
            return commands::misspelt_hook(&mistake).into();
        }
        Err(mistake) if mistake.use_stderr() && cli::is_plugin_call(std::env::args_os()) => {
            return commands::misspelt_plugin(&mistake).into();
        }
        Err(mistake) => mistake.exit(),
    };
    match commands::dispatch(cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            use std::io::Write as _;
            // Nobody is left to tell when stderr is gone too.
            let _ = writeln!(std::io::stderr().lock(), "mcp-reap: {}", commands::told(&error));
            Exit::Refused.into()
        }
    }
}
