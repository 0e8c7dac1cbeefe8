//! `mcp-reap schedule install|status|uninstall`.

use std::fmt::Display;
use std::path::Path;

use chrono::{DateTime, Local, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::output::{self, answer, notice, shown};
use super::session::own_program;
use crate::audit::{StartedBy, history};
use crate::cli::{Global, ScheduleAction, ScheduleArgs};
use crate::config;
use crate::exit::Exit;
use crate::history::Run;
use crate::render::clean::clean;
use crate::render::figures::count;
use crate::schedule::{FileChange, Installed, Rendered, Request, Schedule, ScheduleError, ScheduleStatus};
use crate::units::show_size;

/// A package's timer is the person's to switch, by the person's own manager.
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
    // Read now, so that a mistake in it is shown to a person and not to a log on Sunday at three.
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

/// The files that an install would write, and nothing is written.
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
    lines.extend(installed.next.map(|next| format!("first run {}", local(&next))));
    if !installed.loaded {
        lines.push("it is taken up at the next login at the screen".to_owned());
    }
    lines.join("\n")
}

/// The last run of the schedule, by the audit log. The manager knows only how a run ended, and forgets it when the machine
/// starts again.
fn last_recorded() -> anyhow::Result<Option<Run>> {
    let (runs, _) = history::runs(&config::state_dir()?, None)?;
    Ok(runs.into_iter().rev().find(|run| run.started_by.as_deref() == Some(StartedBy::Schedule.as_str())))
}

/// `totals` are absent when the run never came to its end.
fn recorded_json(run: &Run) -> Value {
    let mut recorded = json!({"run": run.run, "at": run.at});
    if run.finished {
        recorded["totals"] = json!({
            "instances": run.instances_ended, "processes": run.processes_ended,
            "rss_reclaimed": run.rss_reclaimed, "failed": run.failed, "interrupted_by": run.interrupted_by,
        });
    }
    recorded
}

fn recorded_text(run: &Run) -> String {
    let at = local(&run.at);
    if !run.finished {
        return format!("last recorded run {at}: it has not come to its end");
    }
    let mut text = format!(
        "last recorded run {at}: ended {}, {}, {} reclaimed",
        count(run.instances_ended as usize, "instance"),
        count(run.processes_ended as usize, "process"),
        show_size(run.rss_reclaimed)
    );
    if run.failed > 0 {
        text += &format!("; {} could not be ended", count(run.failed as usize, "process"));
    }
    if let Some(signal) = run.interrupted_by {
        text += &format!("; stopped by signal {signal}");
    }
    text
}

/// The longest interval of a schedule is a week; a day more, and a run was missed.
const OVERDUE: TimeDelta = TimeDelta::days(8);

/// For how many whole days an active schedule has not run, where that is too long. `recorded` is its
/// last run in the audit log; before the first one, the time of the install counts.
fn overdue(status: &ScheduleStatus, recorded: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<i64> {
    let by_manager = status.last.as_ref().and_then(|last| last.at);
    let written = |path: &Path| path.metadata().ok()?.modified().ok().map(DateTime::<Utc>::from);
    let installed = status.files.iter().filter_map(|(path, _)| written(path));
    let last = installed.chain(by_manager).chain(recorded).max()?;
    let passed = now - last;
    (status.loaded && passed >= OVERDUE).then(|| passed.num_days())
}

/// A sentence for people when the schedule has not run for too long.
///
/// # Errors
/// When the audit log cannot be read.
pub(super) fn overdue_note(status: &ScheduleStatus) -> anyhow::Result<Option<String>> {
    let recorded = last_recorded()?.map(|run| run.at);
    Ok(overdue(status, recorded, Utc::now()).map(overdue_text))
}

fn overdue_text(days: i64) -> String {
    format!("no run for {days} days: was the machine off at that time? another time may suit it better")
}

/// Fine means: it will run as this version would install it.
fn status(schedule: &Schedule, global: &Global) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct ScheduleReport {
        #[serde(flatten)]
        status: ScheduleStatus,
        recorded: Option<Value>,
        /// Whole days without a run, where there should have been one.
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
    lines.extend(status.next.map(|next| format!("next run {}", local(&next))));
    lines.extend(status.last.as_ref().map(|last| match &last.at {
        Some(at) => format!("last run {}: {}", local(at), last.result),
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

/// Prints an answer as JSON, with the version of its form.
fn answer_json(answer: &impl Serialize) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Versioned<'a, T> {
        schema: u32,
        #[serde(flatten)]
        answer: &'a T,
    }
    output::answer(&serde_json::to_string_pretty(&Versioned { schema: 1, answer })?)
}

/// A time on the person's own clock, to the minute.
fn local(at: &DateTime<Utc>) -> impl Display {
    at.with_timezone(&Local).format("%a %Y-%m-%d %H:%M")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::schedule::{LastRun, RunResult};

    fn status(files: Vec<(std::path::PathBuf, bool)>, last: Option<DateTime<Utc>>) -> ScheduleStatus {
        ScheduleStatus {
            manager: "systemd",
            absent: None,
            installed: !files.is_empty(),
            files,
            provided: Vec::new(),
            loaded: true,
            job: None,
            next: None,
            last: last.map(|at| LastRun { at: Some(at), result: RunResult::Exit(0) }),
            drift: Vec::new(),
        }
    }

    #[test]
    fn eight_days_without_a_run_are_too_long_and_an_install_or_any_run_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mcp-reap.timer");
        std::fs::write(&file, "").unwrap();
        let written: DateTime<Utc> = file.metadata().unwrap().modified().unwrap().into();
        let day = |days| written + TimeDelta::days(days);
        let files = || vec![(file.clone(), true)];
        for (last, recorded, now, expected) in [
            (None, None, day(7), None),
            (None, None, day(8), Some(8)),
            (None, Some(day(5)), day(12), None),
            (None, Some(day(5)), day(14), Some(9)),
            (Some(day(6)), Some(day(5)), day(13), None),
            (Some(day(6)), Some(day(5)), day(30), Some(24)),
            // A clock that was set back.
            (None, Some(day(40)), day(9), None),
        ] {
            assert_eq!(
                overdue(&status(files(), last), recorded, now),
                expected,
                "{last:?} {recorded:?} {now}"
            );
        }
        assert_eq!(overdue(&status(Vec::new(), None), None, day(99)), None, "a package's, never run");
        let off = ScheduleStatus { loaded: false, ..status(files(), None) };
        assert_eq!(overdue(&off, None, day(99)), None, "that it is off is shown anyway");
    }
}
