//! `mcp-reap hook install|uninstall`.

use std::env;
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;

use super::super::output::{answer, notice, shown};
use super::super::session::settled_program;
use crate::cli::{Global, HookScope, HookTarget};
use crate::hook::install::{self, SettingsReport, SettingsScope};
use crate::hook::settings::{Edit, HookClient, HookCommand};
use crate::render::clean::clean;

pub(super) fn install(global: &Global, target: HookTarget, force: bool, dry_run: bool) -> anyhow::Result<()> {
    let command = HookCommand::new(target.client, &settled_program()?.path)?;
    let file = file(target)?;
    if !dry_run {
        return show(global, target, &install::install(&file, &command, force)?, "already installed");
    }
    let (report, text) = install::preview(&file, &command, force)?;
    if global.json || global.quiet || report.edits.is_empty() {
        return show(global, target, &report, "already installed");
    }
    notice("this was a dry run, nothing was written; the file would be:");
    // The person's settings may contain any text, so each line is cleaned.
    answer(&text.lines().map(|line| clean(line) + "\n").collect::<String>())
}

pub(super) fn uninstall(global: &Global, target: HookTarget) -> anyhow::Result<()> {
    show(global, target, &install::uninstall(target.client, &file(target)?)?, "not installed")
}

/// What the person must do before the client calls the hook; `None` if nothing.
fn next(target: HookTarget) -> Option<&'static str> {
    match (target.client, target.scope) {
        (HookClient::Codex, _) => Some(
            "now trust it: Codex passes over a hook that it was not told to trust, without a word. Start codex, type \
             /hooks and trust mcp-reap's; again after each change of the entry",
        ),
        (HookClient::GeminiCli, HookScope::Project) => Some(
            "Gemini CLI runs a project's hooks only in a folder that you trust, and warns when they are new",
        ),
        (HookClient::Cursor, HookScope::Project) => {
            Some("Cursor runs a project's hooks only in a workspace that you trust")
        }
        _ => None,
    }
}

/// The path of the settings file.
pub(super) fn file(target: HookTarget) -> anyhow::Result<PathBuf> {
    let scope = match target.scope {
        HookScope::User => SettingsScope::User,
        HookScope::Project => {
            SettingsScope::Project(env::current_dir().context("failed to find the current folder")?)
        }
    };
    Ok(scope.file(target.client, |name| env::var_os(name))?)
}

fn show(global: &Global, target: HookTarget, report: &SettingsReport, unchanged: &str) -> anyhow::Result<()> {
    let written = report.edits.iter().any(|edit| !matches!(edit, Edit::Removed { .. }));
    let next = next(target).filter(|_| written);
    if global.json {
        let value = json!({
            "schema": 1, "client": target.client.id(), "file": report.file,
            "changed": !report.edits.is_empty(), "edits": report.edits, "backup": report.backup,
            "removed": report.removed, "next": next,
        });
        return answer(&format!("{value:#}"));
    }
    if global.quiet {
        return Ok(());
    }
    let file = shown(&report.file);
    let mut lines = vec![match (report.edits.is_empty(), report.removed) {
        (true, _) => format!("{file}: {unchanged}, nothing changed"),
        (false, true) => format!("{file}: held nothing else, and is removed"),
        (false, false) => format!("{file}:"),
    }];
    lines.extend(report.edits.iter().map(|edit| format!("  {}", edit_text(edit))));
    if let Some(backup) = &report.backup {
        lines.push(format!("the bytes from before are in {}", shown(backup)));
    }
    lines.extend(next.map(str::to_owned));
    answer(&lines.join("\n"))
}

fn edit_text(edit: &Edit) -> String {
    match edit {
        Edit::Added { event } => format!("{event}: added"),
        Edit::Moved { event, from } => format!("{event}: ran {}, runs this program now", clean(from)),
        Edit::Removed { event } => format!("{}: removed", clean(event)),
    }
}
