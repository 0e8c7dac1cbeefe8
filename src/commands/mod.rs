//! The commands: one file per subcommand. Here is which runs, and to whom its errors go.

mod check;
mod config;
mod configured;
mod confirm;
mod doctor;
mod explain;
mod generate;
mod history;
mod hook;
mod list;
mod log;
mod look;
mod output;
mod reap;
mod record;
mod recorder;
mod run_lock;
mod schedule;
mod session;
mod stop;

use crate::cli::{Audience, Cli, Command};
use crate::diagnostics::Diagnostics;
use crate::exit::Exit;
use session::Session;

/// Runs the command and reports its error to whom it concerns.
#[must_use]
pub fn run(cli: &Cli) -> Exit {
    let audience = Audience::of(cli);
    dispatch(cli, audience).unwrap_or_else(|error| report(audience, &error))
}

/// Reports a command line that cannot be parsed; prints the help where that was asked for.
#[must_use]
pub fn misspelt(audience: Audience, mistake: &clap::Error) -> Exit {
    match audience {
        _ if !mistake.use_stderr() => mistake.exit(),
        Audience::Person => mistake.exit(),
        Audience::Hook => hook::misspelt(mistake),
        Audience::Monitoring => check::misspelt(mistake),
    }
}

/// # Errors
/// Everything that ends in exit code 2: usage, configuration, environment. Nothing was ended then.
fn dispatch(cli: &Cli, audience: Audience) -> anyhow::Result<Exit> {
    stop::outlive_full_files()?;
    let global = &cli.global;
    // A call of the hook logs into a file, and only when something went wrong.
    if audience != Audience::Hook {
        Diagnostics { verbose: global.verbose, quiet: global.quiet, directory: None }.start()?;
    }
    if let Some(misfit) = cli.misfit() {
        anyhow::bail!(misfit);
    }
    let session = || Session::new(global);
    match &cli.command {
        None if cli.dry_run => reap::dry_run(&session()?),
        None => reap::run(&session()?, cli),
        Some(Command::List(args)) => list::run(&session()?, args),
        Some(Command::Explain { pid }) => explain::run(&session()?, *pid),
        Some(Command::Check(args)) => check::run(&session()?, args),
        Some(Command::Record { output }) => record::run(&session()?, output.as_deref()),
        Some(Command::Config { action }) => config::run(action, global),
        Some(Command::Log(args)) => log::run(args, global),
        Some(Command::Doctor) => doctor::run(global),
        Some(Command::Completions { shell }) => generate::completions(*shell),
        Some(Command::Man { folder }) => generate::man(folder.as_deref()),
        Some(Command::Schedule { action }) => schedule::run(action, global),
        Some(Command::Hook { action }) => hook::run(action, cli),
    }
}

fn report(audience: Audience, error: &anyhow::Error) -> Exit {
    let text = output::with_causes(error);
    match audience {
        Audience::Person => {
            output::notice(&format!("mcp-reap: {text}"));
            Exit::Refused
        }
        Audience::Hook => hook::log_error(&text),
        Audience::Monitoring => check::unknown(&text),
    }
}
