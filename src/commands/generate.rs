//! `mcp-reap completions` and `mcp-reap man`: written from the command line's own description.

use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory;

use super::output::{answer, notice};
use crate::cli::Cli;
use crate::exit::Exit;

/// Completions for a shell, on stdout.
pub(super) fn completions(shell: clap_complete::Shell) -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mcp-reap", &mut text);
    let text = String::from_utf8(text).context("completions are not UTF-8")?;
    // clap_complete 4.6 writes a hyphen in the program's name in two ways, and bash then completes
    // nothing behind a subcommand.
    let text = text.replace("mcp__subcmd__reap", "mcp__reap");
    answer(&text)?;
    Ok(Exit::Fine)
}

/// What a command line does not say of itself, in the form of man(7).
const MORE: &str = r#".SH FILES
.TP
\fI~/.config/mcp\-reap/config.toml\fR
Configuration; \fBmcp\-reap config init\fR writes one with comments.
.TP
\fI~/.local/state/mcp\-reap/audit.jsonl\fR
Audit log; on macOS in \fI~/Library/Logs/mcp\-reap\fR.
.SH ENVIRONMENT
.TP
\fBMCP_REAP_CONFIG\fR
Configuration file, where \fB\-\-config\fR names none.
.TP
\fBXDG_CONFIG_HOME\fR, \fBXDG_STATE_HOME\fR
Take the place of \fI~/.config\fR and, on Linux, \fI~/.local/state\fR.
.TP
\fBNO_COLOR\fR
No colour.
.SH EXAMPLES
.TP
\fBmcp\-reap \-\-dry\-run\fR
Shows what would be ended, and why.
.TP
\fBmcp\-reap explain 4242\fR
Shows all evidence for and against one process.
.TP
\fBmcp\-reap schedule install \-\-daily 03:00\fR
Has it run every night.
"#;

/// The page of the program itself.
fn main_page() -> anyhow::Result<String> {
    let mut text = Vec::new();
    // As in a folder, where `help` has no page of its own.
    let command = Cli::command().disable_help_subcommand(true);
    clap_mangen::Man::new(command).render(&mut text).context("failed to write the man page")?;
    let text = String::from_utf8(text).context("the man page is not UTF-8")?;
    let text = text.replace(".SH EXTRA\nExit codes: ", ".SH \"EXIT STATUS\"\n");
    Ok(match text.split_once(".SH VERSION") {
        Some((before, version)) => format!("{before}{MORE}.SH VERSION{version}"),
        None => text + MORE,
    })
}

/// The man page on stdout, or the pages of all commands in a folder.
pub(super) fn man(folder: Option<&Path>) -> anyhow::Result<Exit> {
    let Some(folder) = folder else {
        answer(&main_page()?)?;
        return Ok(Exit::Fine);
    };
    std::fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    clap_mangen::generate_to(Cli::command(), folder)
        .map_err(anyhow::Error::from)
        .and_then(|()| Ok(std::fs::write(folder.join("mcp-reap.1"), main_page()?)?))
        .with_context(|| format!("failed to write man pages into {}", folder.display()))?;
    notice(&format!("wrote the man pages into {}", folder.display()));
    Ok(Exit::Fine)
}
