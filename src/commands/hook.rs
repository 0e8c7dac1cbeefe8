//! `mcp-reap hook`: installs, removes and shows the hook, and handles a call of it.

mod call;
mod install;
mod status;
pub(in crate::commands) mod watch;

pub(in crate::commands) use self::status::Hooks;
use crate::cli::{Cli, HookAction};
use crate::exit::Exit;
use crate::render::clean::clean;

pub(super) fn run(action: &HookAction, cli: &Cli) -> anyhow::Result<Exit> {
    let global = &cli.global;
    match action {
        HookAction::Status { target } => return status::status(global, *target),
        HookAction::Run { watch: false } => call::run()?,
        // The process that goes on after the call has returned to the client.
        HookAction::Run { watch: true } => watch::run(cli)?,
        HookAction::Install { target, force, dry_run } => {
            install::install(global, *target, *force, *dry_run)?;
        }
        HookAction::Uninstall { target } => install::uninstall(global, *target)?,
    }
    Ok(Exit::Fine)
}

/// Handles a call that cannot be parsed. A mistake in the settings must not stop a session.
pub(super) fn misspelt(mistake: &clap::Error) -> Exit {
    super::output::print_mistake(mistake);
    log_error(&mistake.to_string())
}

/// Writes an error only into the log file. The exit code is 0, because 2 means "block" to Claude Code, and it shows any
/// other code to the person as an error.
pub(super) fn log_error(message: &str) -> Exit {
    super::output::log_to_file();
    tracing::warn!("{}", clean(&format!("hook: {message}")));
    Exit::Fine
}
