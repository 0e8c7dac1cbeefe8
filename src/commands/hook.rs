//! `mcp-reap hook`: installs, removes and shows the hook, and carries out a call of it.

mod call;
mod install;
pub(in crate::commands) mod watch;

pub(super) use install::run;

use super::told;
use crate::cli::Cli;
use crate::exit::Exit;
use crate::render::clean::clean;

/// A call by the client. Whatever happens, it ends with 0: Claude Code takes 2 for "block", and shows
/// the person anything else as an error of theirs.
pub(super) fn call(cli: &Cli) -> Exit {
    never_in_the_way(call::run(cli))
}

/// The part of a call that stays behind when the client has its answer.
pub(super) fn watch(cli: &Cli) -> Exit {
    // Before anything here opens a file of its own.
    watch::close_what_was_inherited();
    never_in_the_way(watch::run(cli))
}

pub(super) fn misspelt(mistake: &clap::Error) -> Exit {
    let _ = mistake.print();
    never_in_the_way(Err(anyhow::anyhow!("{}", clean(&mistake.to_string()))))
}

/// Writes what went wrong where it can be found afterwards, and nowhere else.
fn never_in_the_way(outcome: anyhow::Result<()>) -> Exit {
    if let Err(error) = outcome {
        watch::log_to_file();
        tracing::warn!("{}", clean(&format!("hook: {}", told(&error))));
    }
    Exit::Fine
}
