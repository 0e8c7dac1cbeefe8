//! Is it run by itself: the schedule and the hook.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::render::doctor::DoctorLine;
use crate::render::figures::MINUTE;
use crate::{hook, schedule};

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
        None => {
            if let Ok(Some(overdue)) = crate::commands::schedule::overdue_note(&status) {
                return DoctorLine::note(
                    "schedule",
                    overdue,
                    "`mcp-reap schedule install --daily` runs it more often",
                );
            }
            let next = status
                .next
                .map(|next| format!(", next run {}", next.with_timezone(&chrono::Local).format(MINUTE)));
            DoctorLine::fine("schedule", format!("by {}{}", status.manager, next.unwrap_or_default()))
        }
    }
}

pub(super) fn hooked() -> DoctorLine {
    const INSTALL: &str = "`mcp-reap hook install` has Claude Code clean up when a session ends";
    let status = || -> anyhow::Result<_> {
        let program = std::env::current_exe()?;
        let file =
            hook::install::SettingsScope::User.file(|name| std::env::var_os(name) as Option<OsString>)?;
        Ok(hook::install::status(&file, &hook::settings::HookCommand::new(&program)?)?)
    };
    use hook::settings::HookPresence::{Absent, Installed, OtherBinary};
    match status() {
        Err(error) => DoctorLine::note("Claude Code hook", format!("{error:#}"), ""),
        Ok(status) if status.hooks_disabled => {
            DoctorLine::note("Claude Code hook", "all hooks are disabled (disableAllHooks)", "")
        }
        Ok(status) => match (&status.session_end, &status.session_start) {
            (Absent, Absent) => DoctorLine::note("Claude Code hook", "none", INSTALL),
            (OtherBinary(program), _) | (_, OtherBinary(program)) => DoctorLine::note(
                "Claude Code hook",
                format!("runs another program: {program}"),
                "`mcp-reap hook install` sets it right",
            ),
            (Installed, _) | (_, Installed) => DoctorLine::fine("Claude Code hook", "installed"),
        },
    }
}
