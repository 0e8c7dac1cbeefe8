//! `mcp-reap completions` and `mcp-reap man`: written from the command line's own description.

use std::path::Path;

use anyhow::{Context as _, bail};
use clap_complete::Shell;

use super::output::{answer, notice};
use super::{Session, look};
use crate::cli::documented;
use crate::clients::{self, ConfiguredServer, Places, Scope, Transport, wrap};
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

/// What follows `explain`, `kill` and the options of `wrap` comes from the program itself, each time a person presses Tab.
fn with_instances(shell: Shell, text: String) -> String {
    const BASH: &str = include_str!("generate/instances.bash");
    const ZSH: &str = include_str!("generate/instances.zsh");
    const FISH: &str = include_str!("generate/instances.fish");
    match shell {
        Shell::Bash => text + BASH,
        Shell::Fish => text + FISH,
        Shell::Zsh => {
            let text = completed_in_zsh(&text);
            // Before the last lines, which call or register what stands above them.
            match text.rfind("\nif [ \"$funcstack[1]\"") {
                Some(at) => format!("{}{ZSH}{}", &text[..at], &text[at..]),
                None => text + ZSH,
            }
        }
        _ => text,
    }
}

/// The definition for zsh, with our functions in place of file names where a pid or a name is wanted.
fn completed_in_zsh(text: &str) -> String {
    let mut in_wrap = false;
    let mut line = |line: &str| {
        // `(install)`: here begins what follows that command.
        let command = line.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        match command.filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase())) {
            Some("wrap") => in_wrap = true,
            Some("install" | "uninstall") | None => {}
            Some(_) => in_wrap = false,
        }
        let Some(start) = line.strip_suffix(":_default' \\") else { return format!("{line}\n") };
        let function = match start {
            _ if start.starts_with("'*::targets") => "instances",
            _ if start.starts_with("'*::names") => "names",
            _ if in_wrap && start.starts_with("'--client=") => "clients",
            _ if in_wrap && start.starts_with("'--server=") => "servers",
            _ => return format!("{line}\n"),
        };
        format!("{start}:_mcp-reap-{function}' \\\n")
    };
    text.lines().map(&mut line).collect()
}

/// What completes `wrap install` and `wrap uninstall`: for each entry that can be written the action, client and name.
pub(super) fn configured() -> anyhow::Result<()> {
    let places = Places::from_env().context("no home directory is known: set $HOME")?;
    let line = |server: &ConfiguredServer| {
        let Transport::Stdio { argv } = &server.transport else { return None };
        let own = server.scope == Scope::User && !server.entry.contains(char::is_control);
        let action = if wrap::program_of(argv).is_some() { "uninstall" } else { "install" };
        own.then(|| format!("{action}\t{}\t{}", server.client, server.entry))
    };
    let mut lines: Vec<String> = clients::read(&places).servers.iter().filter_map(line).collect();
    lines.sort_unstable();
    lines.dedup();
    answer(&lines.join("\n"))
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
