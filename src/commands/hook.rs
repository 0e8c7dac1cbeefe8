//! `mcp-reap hook`: installs, removes and shows the hook, and carries out a call of it.

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
        // The part of a call that stays behind when the client has its answer.
        HookAction::Run { watch: true } => watch::run(cli)?,
        HookAction::Install { target, force, dry_run } => {
            install::install(global, *target, *force, *dry_run)?;
        }
        HookAction::Uninstall { target } => install::uninstall(global, *target)?,
    }
    Ok(Exit::Fine)
}

/// A call that cannot be parsed: a mistake in the settings is no reason to stop a session.
pub(super) fn misspelt(mistake: &clap::Error) -> Exit {
    super::output::print_mistake(mistake);
    log_error(&mistake.to_string())
}

/// Writes what went wrong into the log file, and nowhere else. The exit code is 0: Claude Code takes 2 for "block", and
/// shows the person anything else as an error of theirs.
pub(super) fn log_error(message: &str) -> Exit {
    super::output::log_to_file();
    tracing::warn!("{}", clean(&format!("hook: {message}")));
    Exit::Fine
}
