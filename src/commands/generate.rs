//! `mcp-reap completions` and `mcp-reap man`: written from the command line's own description.

use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory;

use super::{answer, say};
use crate::cli::Cli;
use crate::exit::Exit;

/// Completions for a shell, on stdout.
pub(super) fn completions(shell: clap_complete::Shell) -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mcp-reap", &mut text);
    answer(&String::from_utf8(text).context("completions are not UTF-8")?)?;
    Ok(Exit::Fine)
}

/// The man page on stdout, or the pages of all commands in a folder.
pub(super) fn man(folder: Option<&Path>) -> anyhow::Result<Exit> {
    let Some(folder) = folder else {
        let mut text = Vec::new();
        // As in a folder, where `help` has no page of its own.
        let command = Cli::command().disable_help_subcommand(true);
        clap_mangen::Man::new(command).render(&mut text).context("failed to write the man page")?;
        answer(&String::from_utf8(text).context("the man page is not UTF-8")?)?;
        return Ok(Exit::Fine);
    };
    std::fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    clap_mangen::generate_to(Cli::command(), folder)
        .with_context(|| format!("failed to write man pages into {}", folder.display()))?;
    say(&format!("wrote the man pages into {}", folder.display()));
    Ok(Exit::Fine)
}
