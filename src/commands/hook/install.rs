//! `mcp-reap hook install|status|uninstall`.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::json;

use super::super::output::{answer, notice};
use crate::cli::{Global, HookScope};
use crate::exit::Exit;
use crate::hook::install::{self, SettingsReport, SettingsScope};
use crate::hook::settings::{Edit, HookCommand, HookPresence};
use crate::os::home;
use crate::os::stable_path::settle;
use crate::render::clean::clean;

pub(super) fn install(global: &Global, scope: HookScope, force: bool, dry_run: bool) -> anyhow::Result<Exit> {
    if dry_run {
        return preview(global, scope, force);
    }
    let report = install::install(&file(global, scope)?, &command()?, force)?;
    show(global, &report, "already installed")
}

/// What an install would do, and nothing is written.
fn preview(global: &Global, scope: HookScope, force: bool) -> anyhow::Result<Exit> {
    let (report, text) = install::preview(&file(global, scope)?, &command()?, force)?;
    if global.json || global.quiet || report.edits.is_empty() {
        return show(global, &report, "already installed");
    }
    notice("this was a dry run, nothing was written; the file would be:");
    // Settings are a person's own, and may hold anything; their lines stay lines.
    answer(&text.lines().map(|line| clean(line) + "\n").collect::<String>())?;
    Ok(Exit::Fine)
}

pub(super) fn uninstall(global: &Global, scope: HookScope) -> anyhow::Result<Exit> {
    show(global, &install::uninstall(&file(global, scope)?)?, "not installed")
}

/// The settings file, where the flags go with it.
fn file(global: &Global, scope: HookScope) -> anyhow::Result<PathBuf> {
    if let Some(flag) = global.of_judgement() {
        bail!("{flag} does not go with `hook`: write it into the configuration file, which hooks go by");
    }
    if global.config.is_some() {
        bail!("--config does not go with `hook`: hooks read $MCP_REAP_CONFIG or the usual file");
    }
    let scope = match scope {
        HookScope::User => SettingsScope::User,
        HookScope::Project => {
            SettingsScope::Project(env::current_dir().context("failed to find the current folder")?)
        }
    };
    Ok(scope.file(|name| env::var_os(name))?)
}

/// This program, by a name that stays.
fn command() -> anyhow::Result<HookCommand> {
    let program = env::current_exe().context("failed to find this program")?;
    let settled = settle(&program, &home::search_path(), &home::temporary());
    Ok(HookCommand::new(&settled.path)?)
}

fn show(global: &Global, report: &SettingsReport, unchanged: &str) -> anyhow::Result<Exit> {
    let file = shown(&report.file);
    if global.json {
        let value = json!({
            "schema": 1, "file": report.file, "changed": !report.edits.is_empty(), "edits": report.edits,
            "backup": report.backup, "removed": report.removed,
        });
        answer(&format!("{value:#}"))?;
        return Ok(Exit::Fine);
    }
    if global.quiet {
        return Ok(Exit::Fine);
    }
    let mut lines = vec![match (report.edits.is_empty(), report.removed) {
        (true, _) => format!("{file}: {unchanged}, nothing changed"),
        (false, true) => format!("{file}: held nothing else, and is removed"),
        (false, false) => format!("{file}:"),
    }];
    lines.extend(report.edits.iter().map(|edit| format!("  {}", edit_text(edit))));
    if let Some(backup) = &report.backup {
        lines.push(format!("the bytes from before are in {}", shown(backup)));
    }
    answer(&lines.join("\n"))?;
    Ok(Exit::Fine)
}

fn edit_text(edit: &Edit) -> String {
    match edit {
        Edit::Added { event } => format!("{event}: added"),
        Edit::Moved { event, from } => format!("{event}: ran {}, runs this program now", clean(from)),
        Edit::Removed { event } => format!("{}: removed", clean(event)),
    }
}

/// Fine when both events are there, run this program, and are not turned off.
pub(super) fn status(global: &Global, scope: HookScope) -> anyhow::Result<Exit> {
    let file = &file(global, scope)?;
    let status = install::status(file, &command()?)?;
    let events = [("SessionEnd", &status.session_end), ("SessionStart", &status.session_start)];
    let fine = !status.hooks_disabled && events.iter().all(|(_, at)| **at == HookPresence::Installed);
    if global.json {
        let at: serde_json::Map<_, _> =
            events.into_iter().map(|(event, at)| (event.to_owned(), presence_json(at))).collect();
        let value = json!({
            "schema": 1, "file": file, "events": at, "hooks_disabled": status.hooks_disabled, "fine": fine,
        });
        answer(&format!("{value:#}"))?;
    } else if !(global.quiet && fine) {
        let mut lines = vec![format!("{}:", shown(file))];
        lines.extend(events.into_iter().map(|(event, at)| match at {
            HookPresence::Installed => format!("  {event}: installed"),
            HookPresence::Absent => format!("  {event}: not installed"),
            HookPresence::OtherBinary(program) => {
                format!("  {event}: runs {}, which is not this program", clean(program))
            }
        }));
        if status.hooks_disabled {
            lines.push("  disableAllHooks is true: no hook runs".to_owned());
        }
        answer(&lines.join("\n"))?;
    }
    Ok(if fine { Exit::Fine } else { Exit::NotFine })
}

fn presence_json(at: &HookPresence) -> serde_json::Value {
    match at {
        HookPresence::Installed => json!({"installed": true}),
        HookPresence::Absent => json!({"installed": false}),
        HookPresence::OtherBinary(program) => json!({"installed": false, "runs": program}),
    }
}

fn shown(path: &Path) -> String {
    clean(&path.display().to_string())
}
