//! `mcp-reap schedule install|status|uninstall`.

mod last_run;

use chrono::Utc;
use serde::Serialize;
use serde_json::{Value, json};

use super::output::{self, answer, notice, shown};
use super::session::own_program;
use crate::cli::{Global, ScheduleAction, ScheduleArgs};
use crate::config;
use crate::exit::Exit;
use crate::render::clean::clean;
use crate::render::figures::minute_with_weekday;
use crate::schedule::{FileChange, Installed, Rendered, Request, Schedule, ScheduleError, ScheduleStatus};
pub(super) use last_run::overdue_note;
use last_run::{last_recorded, overdue, overdue_text, recorded_json, recorded_text};

/// The commands that switch the timer of a package on and off. Only the person may do that.
const ON: &str = "systemctl --user enable --now mcp-reap.timer";
const OFF: &str = "systemctl --user disable --now mcp-reap.timer";

pub(super) fn run(action: &ScheduleAction, global: &Global) -> anyhow::Result<Exit> {
    let schedule = Schedule::for_this_os()?;
    match action {
        ScheduleAction::Install(args) => install(&schedule, args, global),
        ScheduleAction::Status => status(&schedule, global),
        ScheduleAction::Uninstall { force } => uninstall(&schedule, *force, global),
    }
}

fn install(schedule: &Schedule, args: &ScheduleArgs, global: &Global) -> anyhow::Result<Exit> {
    // The configuration is read now, so that a mistake in it is shown to the person, and not only in the log of a run.
    let grace = config::load(global.config.as_deref())?.policy.grace;
    let calendar = args.weekly.or(args.daily).or(args.hourly).unwrap_or_default();
    let (binary, config, force) = (own_program()?, global.config.clone(), args.force);
    let request = Request { binary, calendar, grace, config, force };
    if args.dry_run {
        return preview(schedule, &request, global);
    }
    let installed = match schedule.install(&request) {
        Ok(installed) => installed,
        Err(error) => {
            if let ScheduleError::NoManager { crontab, .. } = &error {
                notice(&format!("nothing was installed; for `crontab -e`:\n{}", clean(crontab)));
            }
            return Err(error.into());
        }
    };
    if global.json {
        answer_json(&installed)?;
    } else if !global.quiet {
        answer(&installed_text(&installed))?;
    }
    Ok(Exit::Fine)
}

/// Prints the files that an install would write. Nothing is written.
fn preview(schedule: &Schedule, request: &Request, global: &Global) -> anyhow::Result<Exit> {
    let (files, crontab) = schedule.preview(&schedule.job(request)?);
    if global.json {
        let files: Vec<_> = files.iter().map(|file| json!({"path": file.path, "text": file.text})).collect();
        answer_json(&json!({"dry_run": true, "files": files, "crontab": crontab}))?;
        return Ok(Exit::Fine);
    }
    let file = |file: &Rendered| format!("# {}\n{}", shown(&file.path), file.text.trim_end());
    answer(&files.iter().map(file).collect::<Vec<_>>().join("\n\n"))?;
    if !global.quiet {
        notice("this was a dry run: nothing was written; the same without --dry-run writes and loads them");
    }
    Ok(Exit::Fine)
}

fn installed_text(installed: &Installed) -> String {
    let mut lines = vec![format!("{}: {}", installed.job.calendar, shown(&installed.job.binary))];
    lines.extend(installed.files.iter().map(|(path, change)| {
        let change = match change {
            FileChange::Created => "created",
            FileChange::Updated => "updated",
            FileChange::Unchanged => "unchanged",
        };
        format!("  {} {change}", shown(path))
    }));
    lines.extend(installed.moved.iter().map(|path| format!("  {} has what was there before", shown(path))));
    lines.extend(installed.next.map(|next| format!("first run {}", minute_with_weekday(next))));
    if !installed.loaded {
        lines.push("it is taken up at the next login at the screen".to_owned());
    }
    lines.join("\n")
}

/// Prints the state of the schedule. It is fine if it will run as this version would install it.
fn status(schedule: &Schedule, global: &Global) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct ScheduleReport {
        #[serde(flatten)]
        status: ScheduleStatus,
        recorded: Option<Value>,
        /// Whole days without a run, if one is overdue.
        overdue_days: Option<i64>,
        fine: bool,
    }
    let status = schedule.status(&own_program()?)?;
    let recorded = last_recorded()?;
    let overdue_days = overdue(&status, recorded.as_ref().map(|run| run.at), Utc::now());
    let fine = status.is_fine();
    if global.json {
        let recorded = recorded.as_ref().map(recorded_json);
        answer_json(&ScheduleReport { status, recorded, overdue_days, fine })?;
    } else if !(global.quiet && fine && overdue_days.is_none()) {
        let mut lines = status_lines(&status);
        lines.extend(recorded.as_ref().map(recorded_text));
        lines.extend(overdue_days.map(|days| format!("note: {}", overdue_text(days))));
        answer(&lines.join("\n"))?;
    }
    Ok(Exit::fine_if(fine))
}

fn status_lines(status: &ScheduleStatus) -> Vec<String> {
    let mut lines = vec![match &status.job {
        Some(job) => format!("{}: {}", job.calendar, shown(&job.binary)),
        None if !status.provided.is_empty() && status.loaded => "on, by a package's timer".to_owned(),
        None if !status.provided.is_empty() => "not installed; a package's timer is here and off".to_owned(),
        None if status.files.iter().any(|(_, there)| *there) => "installed, but not readable".to_owned(),
        None => "not installed".to_owned(),
    }];
    let there = status.files.iter().filter(|(_, there)| *there).map(|(path, _)| path);
    lines.extend(there.chain(&status.provided).map(|path| format!("  {}", shown(path))));
    if !status.provided.is_empty() && !status.loaded {
        lines.push(format!("on: {ON}; at another time: mcp-reap schedule install"));
    }
    let manager = status.manager;
    match (&status.absent, status.loaded) {
        (Some(why), _) => lines.push(format!("{manager} gave no answer: {}", clean(why))),
        (None, true) => lines.push(format!("loaded by {manager}")),
        (None, false) if status.installed => lines.push(format!("not loaded by {manager}")),
        (None, false) => {}
    }
    lines.extend(status.next.map(|next| format!("next run {}", minute_with_weekday(next))));
    lines.extend(status.last.as_ref().map(|last| match &last.at {
        Some(at) => format!("last run {}: {}", minute_with_weekday(*at), last.result),
        None => format!("last run: {}", last.result),
    }));
    lines.extend(status.drift.iter().map(|drift| format!("note: {}", clean(&drift.to_string()))));
    lines
}

fn uninstall(schedule: &Schedule, force: bool, global: &Global) -> anyhow::Result<Exit> {
    let removed = schedule.uninstall(force)?;
    if global.json {
        answer_json(&removed)?;
    } else if !global.quiet {
        let mut lines: Vec<String> =
            removed.files.iter().map(|path| format!("removed {}", shown(path))).collect();
        lines.extend(removed.moved.iter().map(|path| format!("{} has what was there before", shown(path))));
        if lines.is_empty() && !removed.unloaded {
            lines.push("not installed, nothing changed".to_owned());
        }
        if !removed.provided.is_empty() {
            lines.push(format!("a package's timer is on; off: {OFF}"));
            lines.extend(removed.provided.iter().map(|path| format!("  {}", shown(path))));
        }
        answer(&lines.join("\n"))?;
    }
    Ok(Exit::Fine)
}

/// Prints an answer as JSON, with the version of the schema.
fn answer_json(answer: &impl Serialize) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Versioned<'a, T> {
        schema: u32,
        #[serde(flatten)]
        answer: &'a T,
    }
    output::answer(&serde_json::to_string_pretty(&Versioned { schema: 1, answer })?)
}
