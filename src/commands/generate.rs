//! `mcp-reap completions` and `mcp-reap man`, generated from the definition of the command line.

use std::path::Path;

use anyhow::{Context as _, bail};
use clap_complete::Shell;

use super::output::{answer, notice};
use super::{Session, look};
use crate::cli::documented;
use crate::clients::{self, ConfiguredServer, Places, Scope, Transport, wrap};
use crate::render::clean::clean;

/// Prints completions for a shell, or for the one in `$SHELL`.
pub(super) fn completions(shell: Option<Shell>) -> anyhow::Result<()> {
    let Some(shell) = shell.or_else(Shell::from_env) else {
        bail!(
            "$SHELL names no shell that is known: `mcp-reap completions bash`, or elvish, fish, powershell, zsh"
        )
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut documented(), "mcp-reap", &mut text);
    let text = String::from_utf8(text).context("completions are not UTF-8")?;
    // clap_complete 4.6 writes the hyphen of the program's name in two ways. Without this bash completes nothing after
    // a subcommand.
    let text = text.replace("mcp__subcmd__reap", "mcp__reap");
    answer(&with_instances(shell, text))
}

/// Adds completions for `explain`, `kill` and the options of `wrap`: the program itself prints the candidates each time
/// the person presses Tab.
fn with_instances(shell: Shell, text: String) -> String {
    const BASH: &str = include_str!("generate/instances.bash");
    const ZSH: &str = include_str!("generate/instances.zsh");
    const FISH: &str = include_str!("generate/instances.fish");
    match shell {
        Shell::Bash => text + BASH,
        Shell::Fish => text + FISH,
        Shell::Zsh => {
            let text = completed_in_zsh(&text);
            // Insert before the last lines, which call or register the functions above them.
            match text.rfind("\nif [ \"$funcstack[1]\"") {
                Some(at) => format!("{}{ZSH}{}", &text[..at], &text[at..]),
                None => text + ZSH,
            }
        }
        _ => text,
    }
}

/// The definition for zsh, with our functions instead of file names for a pid or a name.
fn completed_in_zsh(text: &str) -> String {
    let mut in_wrap = false;
    let mut line = |line: &str| {
        // A line `(install)` begins the part for that command.
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

/// Prints the candidates for `wrap install` and `wrap uninstall`: action, client and name of each entry that can be
/// written.
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

/// Prints the candidates for `explain` and `kill`: each instance by pid and by name, with a description.
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

/// The sections of the man page that the definition of the command line does not contain, as man(7) source.
const MORE: &str = include_str!("generate/man.roff");

/// The page of the program itself.
fn main_page() -> anyhow::Result<String> {
    let mut text = Vec::new();
    // `help` has no page, as in a folder of pages.
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

/// Corrects the section with the examples of a command, which clap_mangen calls EXTRA and sets as one paragraph.
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

/// Prints the man page, or writes the pages of all commands into a folder.
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
