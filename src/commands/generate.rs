//! `mcp-reap completions` and `mcp-reap man`: written from the command line's own description.

use std::path::Path;

use anyhow::{Context as _, bail};
use clap_complete::Shell;

use super::output::{answer, notice};
use super::{Session, look};
use crate::cli::documented;
use crate::render::clean::clean;

/// Completions for a shell, or for the one in `$SHELL`, on stdout.
pub(super) fn completions(shell: Option<Shell>) -> anyhow::Result<()> {
    let Some(shell) = shell.or_else(Shell::from_env) else {
        bail!(
            "$SHELL names no shell that is known: `mcp-reap completions bash`, or elvish, fish, powershell, zsh"
        )
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut documented(), "mcp-reap", &mut text);
    let text = String::from_utf8(text).context("completions are not UTF-8")?;
    // clap_complete 4.6 writes a hyphen in the program's name in two ways, and bash then completes
    // nothing behind a subcommand.
    let text = text.replace("mcp__subcmd__reap", "mcp__reap");
    answer(&with_instances(shell, text))
}

/// What follows `explain` and `kill` comes from the program itself, each time a person presses Tab.
fn with_instances(shell: Shell, text: String) -> String {
    const BASH: &str = include_str!("generate/instances.bash");
    const ZSH: &str = include_str!("generate/instances.zsh");
    const FISH: &str = include_str!("generate/instances.fish");
    match shell {
        Shell::Bash => text + BASH,
        Shell::Fish => text + FISH,
        Shell::Zsh => {
            let line = |line: &str| match line.strip_suffix(":_default' \\") {
                Some(start) if line.starts_with("'*::targets") => {
                    format!("{start}:_mcp-reap-instances' \\\n")
                }
                Some(start) if line.starts_with("'*::names") => format!("{start}:_mcp-reap-names' \\\n"),
                _ => format!("{line}\n"),
            };
            let text: String = text.lines().map(line).collect();
            // Before the last lines, which call or register what stands above them.
            match text.rfind("\nif [ \"$funcstack[1]\"") {
                Some(at) => format!("{}{ZSH}{}", &text[..at], &text[at..]),
                None => text + ZSH,
            }
        }
        _ => text,
    }
}

/// What completes `explain` and `kill`: each instance by pid and by name, with what it is.
pub(super) fn instances(session: &Session) -> anyhow::Result<()> {
    let (snapshot, scout) = look::take(session)?;
    let judgement = look::judge(session, &snapshot, scout).judgement;
    let mut lines = Vec::new();
    for finding in &judgement.findings {
        let (server, verdict) = (clean(&finding.instance.server), finding.verdict.as_str());
        lines.push(format!("{}\t{server}, {verdict}", finding.instance.root.pid()));
        lines.push(format!("{server}\tall of this server"));
    }
    lines.sort_unstable();
    lines.dedup();
    answer(&lines.join("\n"))
}

/// What the definition of the command line does not hold, in the form of man(7).
const MORE: &str = include_str!("generate/man.roff");

/// The page of the program itself.
fn main_page() -> anyhow::Result<String> {
    let mut text = Vec::new();
    // As in a folder, where `help` has no page of its own.
    let command = documented().disable_help_subcommand(true);
    clap_mangen::Man::new(command).render(&mut text).context("failed to write the man page")?;
    let text = String::from_utf8(text).context("the man page is not UTF-8")?;
    let text = match text.split_once(".SH EXTRA\n") {
        Some((before, extra)) => {
            let exit = extra.split_once("Exit codes: ").map_or(extra, |(_, exit)| exit);
            format!("{before}.SH \"EXIT STATUS\"\n{exit}")
        }
        None => text,
    };
    Ok(match text.split_once(".SH VERSION") {
        Some((before, version)) => format!("{before}{MORE}.SH VERSION{version}"),
        None => text + MORE,
    })
}

/// What follows the options of a command are its examples, which clap_mangen calls EXTRA and sets as one paragraph.
fn name_the_examples(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path)?;
        if let Some((before, after)) = text.split_once(".SH EXTRA\nExamples:\n") {
            let (examples, rest) =
                after.split_once(".SH").map_or((after, String::new()), |(e, r)| (e, format!(".SH{r}")));
            std::fs::write(
                &path,
                format!("{before}.SH EXAMPLES\n.nf\n{}\n.fi\n{rest}", examples.trim_end()),
            )?;
        }
    }
    Ok(())
}

/// The man page on stdout, or the pages of all commands in a folder.
pub(super) fn man(folder: Option<&Path>) -> anyhow::Result<()> {
    let Some(folder) = folder else { return answer(&main_page()?) };
    std::fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    clap_mangen::generate_to(documented(), folder)
        .map_err(anyhow::Error::from)
        .and_then(|()| Ok(name_the_examples(folder)?))
        .and_then(|()| Ok(std::fs::write(folder.join("mcp-reap.1"), main_page()?)?))
        .with_context(|| format!("failed to write man pages into {}", folder.display()))?;
    notice(&format!("wrote the man pages into {}", folder.display()));
    Ok(())
}
