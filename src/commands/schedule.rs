//! `mcp-reap schedule install|status|uninstall`.

use std::env;
use std::fmt::Display;
use std::path::Path;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Local, TimeDelta, Utc};
use serde::Serialize;
use serde_json::json;

use super::output::{answer, notice};
use crate::audit::{AuditEvent, RunId, StartedBy, read};
use crate::cli::{Global, ScheduleAction, ScheduleArgs};
use crate::config;
use crate::exit::Exit;
use crate::render::clean::clean;
use crate::render::figures::count;
use crate::schedule::{FileChange, Installed, Rendered, Request, Schedule, ScheduleError, ScheduleStatus};
use crate::units::show_size;

/// A package's timer is the person's to switch, by the person's own manager.
const ON: &str = "systemctl --user enable --now mcp-reap.timer";
const OFF: &str = "systemctl --user disable --now mcp-reap.timer";

pub(super) fn run(action: &ScheduleAction, global: &Global) -> anyhow::Result<Exit> {
    if let Some(flag) = global.of_judgement() {
        bail!("{flag} does not go with `schedule`: write it into the configuration file, which runs go by");
    }
    if global.config.is_some() && !matches!(action, ScheduleAction::Install(_)) {
        bail!("--config goes with `schedule install` only");
    }
    let schedule = Schedule::for_this_os()?;
    match action {
        ScheduleAction::Install(args) => install(&schedule, args, global),
        ScheduleAction::Status => status(&schedule, global),
        ScheduleAction::Uninstall { force } => uninstall(&schedule, *force, global),
    }
}

fn program() -> anyhow::Result<std::path::PathBuf> {
    env::current_exe().context("failed to find this program")
}

fn install(schedule: &Schedule, args: &ScheduleArgs, global: &Global) -> anyhow::Result<Exit> {
    // Read now, so that a mistake in it is shown to a person and not to a log on Sunday at three.
    let grace = config::load(global.config.as_deref())?.policy.grace;
    let calendar = args.weekly.or(args.daily).or(args.hourly).unwrap_or_default();
    let (binary, config, force) = (program()?, global.config.clone(), args.force);
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
        answer(&pretty(&Versioned { schema: 1, answer: &installed })?)?;
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
        answer(&pretty(&json!({"schema": 1, "dry_run": true, "files": files, "crontab": crontab}))?)?;
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

/// The audit log's record of the last run of the schedule. The manager knows only how a run ended, and
/// forgets it when the machine starts again.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Recorded {
    run: RunId,
    at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    totals: Option<Totals>,
}

/// Absent when the run never came to its end.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Totals {
    instances: u32,
    processes: u32,
    rss_reclaimed: u64,
    failed: u32,
    interrupted_by: Option<i32>,
}

impl Recorded {
    fn text(&self) -> String {
        let at = local(&self.at);
        let Some(totals) = &self.totals else {
            return format!("last recorded run {at}: it has not come to its end");
        };
        let mut text = format!(
            "last recorded run {at}: ended {}, {}, {} reclaimed",
            count(totals.instances as usize, "instance"),
            count(totals.processes as usize, "process"),
            show_size(totals.rss_reclaimed)
        );
        if totals.failed > 0 {
            text += &format!("; {} could not be ended", count(totals.failed as usize, "process"));
        }
        if let Some(signal) = totals.interrupted_by {
            text += &format!("; stopped by signal {signal}");
        }
        text
    }
}

fn last_recorded(directory: &Path) -> anyhow::Result<Option<Recorded>> {
    let mut last: Option<Recorded> = None;
    for line in read::lines(directory)? {
        let read::Line::Record(record) = line? else { continue };
        match record.event {
            AuditEvent::RunStarted { started_by: StartedBy::Schedule, .. } => {
                last = Some(Recorded { run: record.run, at: record.at, totals: None });
            }
            AuditEvent::RunFinished {
                instances, processes, rss_reclaimed, failed, interrupted_by, ..
            } => {
                if let Some(last) = last.as_mut().filter(|last| last.run == record.run) {
                    last.totals =
                        Some(Totals { instances, processes, rss_reclaimed, failed, interrupted_by });
                }
            }
            _ => {}
        }
    }
    Ok(last)
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
    let recorded = last_recorded(&config::state_dir()?)?.map(|run| run.at);
    Ok(overdue(status, recorded, Utc::now()).map(overdue_text))
}

fn overdue_text(days: i64) -> String {
    format!("no run for {days} days: was the machine off at that time? another time may suit it better")
}

#[derive(Serialize)]
struct ScheduleReport {
    schema: u32,
    #[serde(flatten)]
    status: ScheduleStatus,
    recorded: Option<Recorded>,
    /// Whole days without a run, where there should have been one.
    overdue_days: Option<i64>,
    fine: bool,
}

/// Fine means: it will run as this version would install it.
fn status(schedule: &Schedule, global: &Global) -> anyhow::Result<Exit> {
    let status = schedule.status(&program()?)?;
    let recorded = last_recorded(&config::state_dir()?)?;
    let overdue_days = overdue(&status, recorded.as_ref().map(|run| run.at), Utc::now());
    let fine = status.is_fine();
    if global.json {
        answer(&pretty(&ScheduleReport { schema: 1, status, recorded, overdue_days, fine })?)?;
    } else if !(global.quiet && fine && overdue_days.is_none()) {
        let mut lines = status_lines(&status);
        lines.extend(recorded.map(|recorded| recorded.text()));
        lines.extend(overdue_days.map(|days| format!("note: {}", overdue_text(days))));
        answer(&lines.join("\n"))?;
    }
    Ok(if fine { Exit::Fine } else { Exit::NotFine })
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
        answer(&pretty(&Versioned { schema: 1, answer: &removed })?)?;
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

/// An answer of the manager's edge, with the version of its JSON.
#[derive(Serialize)]
struct Versioned<'a, T> {
    schema: u32,
    #[serde(flatten)]
    answer: &'a T,
}

fn pretty(value: &impl Serialize) -> anyhow::Result<String> {
    serde_json::to_string_pretty(value).context("failed to write the answer as JSON")
}

fn shown(path: &Path) -> String {
    clean(&path.display().to_string())
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
