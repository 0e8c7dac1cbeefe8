//! `mcp-reap hook`: installs, removes and shows the hook, and carries out a call of it.

mod call;
mod install;
mod watch;

pub(super) use install::run;

use serde::{Deserialize, Serialize};

use super::told;
use crate::cli::Cli;
use crate::diagnostics::Diagnostics;
use crate::exit::Exit;
use crate::hook::watch::Session;
use crate::process::ProcessId;
use crate::render::clean::clean;

/// What a call hands to the process that it leaves behind, as JSON through a pipe: other users can read a
/// command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Task {
    /// Look at everything once.
    Sweep,
    /// Wait for the end of the client, then look at what this session left.
    Session {
        /// Which.
        session: Session,
        /// The client with its start time; `None` when it was gone already.
        client: Option<ProcessId>,
    },
}

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
        log_to_file();
        tracing::warn!("{}", clean(&format!("hook: {}", told(&error))));
    }
    Exit::Fine
}

/// Sends diagnostics to the log file in the state directory. A second time
/// changes nothing, and no log file is no reason to fail.
fn log_to_file() {
    if let Ok(directory) = crate::config::state_dir() {
        let _ = Diagnostics { verbose: false, quiet: true, directory: Some(directory) }.start();
    }
}
