//! Does mcp-reap run by itself? The state of the schedule and of the hooks.

use std::path::PathBuf;

use super::super::hook::Hooks;
use super::super::schedule::overdue_note;
use crate::hook::install::SettingsScope;
use crate::hook::settings::{HookClient, HookCommand};
use crate::render::doctor::DoctorLine;
use crate::render::figures::minute;
use crate::schedule;

pub(super) fn scheduled() -> DoctorLine {
    const INSTALL: &str = "`mcp-reap schedule install` has it run every week";
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("mcp-reap"));
    let status = match schedule::Schedule::for_this_os().and_then(|schedule| schedule.status(&program)) {
        Ok(status) => status,
        Err(error) => return DoctorLine::note("schedule", error.to_string(), ""),
    };
    let drift: Vec<String> = status.drift.iter().map(ToString::to_string).collect();
    match &status.absent {
        _ if !drift.is_empty() => {
            DoctorLine::note("schedule", drift.join("\n"), "`mcp-reap schedule install` sets it right")
        }
        Some(why) if !status.installed => {
            DoctorLine::note("schedule", format!("none; {} gives no answer: {why}", status.manager), "")
        }
        Some(why) => DoctorLine::broken("schedule", format!("{}: {why}", status.manager), "it will not run"),
        None if !status.installed && !status.is_fine() => DoctorLine::note("schedule", "none", INSTALL),
        None if !status.loaded => DoctorLine::broken(
            "schedule",
            "installed, but not loaded",
            "`mcp-reap schedule install` loads it",
        ),
        None => match overdue_note(&status) {
            Ok(Some(overdue)) => DoctorLine::note(
                "schedule",
                overdue,
                "`mcp-reap schedule install --daily` runs it more often",
            ),
            _ => {
                let next = status.next.map(|next| format!(", next run {}", minute(next)));
                DoctorLine::fine("schedule", format!("by {}{}", status.manager, next.unwrap_or_default()))
            }
        },
    }
}

/// One line for Claude Code, and one for each other client that has an entry of ours.
pub(super) fn hooked() -> Vec<DoctorLine> {
    HookClient::ALL.into_iter().filter_map(hooked_by).collect()
}

fn hooked_by(client: HookClient) -> Option<DoctorLine> {
    const INSTALL: &str = "`mcp-reap hook install` has Claude Code clean up when a session ends";
    let what = format!("{} hook", client.title());
    let look = || -> anyhow::Result<Hooks> {
        let program = std::env::current_exe()?;
        let file = SettingsScope::User.file(client, |name| std::env::var_os(name))?;
        Hooks::look(file, &HookCommand::new(client, &program)?, None)
    };
    let hooks = match look() {
        Ok(hooks) => hooks,
        // For other clients this is no error, because the person may not want a hook there. (The settings of Gemini CLI
        // may have comments, which cannot be read.)
        Err(error) => {
            return (client == HookClient::ClaudeCode)
                .then(|| DoctorLine::note(what, format!("{error:#}"), ""));
        }
    };
    Some(match (hooks.has_entries(), hooks.running_plugin()) {
        (false, None) if client != HookClient::ClaudeCode => return None,
        _ if hooks.is_off() => {
            let status = format!("`mcp-reap hook status --client {}` shows where", client.id());
            DoctorLine::note(what, "all hooks are disabled", status)
        }
        (false, None) => DoctorLine::note(what, "none", INSTALL),
        (_, Some(plugin)) => DoctorLine::fine(what, format!("as the plugin {}", plugin.id)),
        (true, None) => match hooks.other_program() {
            Some(program) => {
                let again = format!("`mcp-reap hook install --client {}` sets it right", client.id());
                DoctorLine::note(what, format!("runs another program: {program}"), again)
            }
            None if hooks.is_untrusted() => {
                let trust = "type /hooks in codex and trust it";
                DoctorLine::note(what, "installed, but Codex passes over it", trust)
            }
            None => DoctorLine::fine(what, "installed"),
        },
    })
}
