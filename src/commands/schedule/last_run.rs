//! The last run of a schedule, and whether a run is overdue.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::audit::{StartedBy, history};
use crate::config;
use crate::history::Run;
use crate::render::figures::{count, minute_with_weekday};
use crate::schedule::ScheduleStatus;
use crate::units::show_size;

/// The last run of the schedule in the audit log. The manager knows only how a run ended, and forgets that when the
/// machine restarts.
pub(super) fn last_recorded() -> anyhow::Result<Option<Run>> {
    let (runs, _) = history::runs(&config::state_dir()?, None)?;
    Ok(runs.into_iter().rev().find(|run| run.started_by.as_deref() == Some(StartedBy::Schedule.as_str())))
}

/// A run for programs. `totals` are missing if the run has not finished.
pub(super) fn recorded_json(run: &Run) -> Value {
    let mut recorded = json!({"run": run.run, "at": run.at});
    if run.finished {
        recorded["totals"] = json!({
            "instances": run.instances_ended, "processes": run.processes_ended,
            "rss_reclaimed": run.rss_reclaimed, "failed": run.failed, "interrupted_by": run.interrupted_by,
        });
    }
    recorded
}

pub(super) fn recorded_text(run: &Run) -> String {
    let at = minute_with_weekday(run.at);
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

/// After this time without a run, one was missed: the longest interval of a schedule is a week.
const OVERDUE: TimeDelta = TimeDelta::days(8);

/// For how many whole days an active schedule has not run; `None` if a run is not overdue. `recorded` is its last run in
/// the audit log. Before the first run the time of the install counts.
pub(super) fn overdue(
    status: &ScheduleStatus,
    recorded: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<i64> {
    let by_manager = status.last.as_ref().and_then(|last| last.at);
    let written = |path: &Path| path.metadata().ok()?.modified().ok().map(DateTime::<Utc>::from);
    let installed = status.files.iter().filter_map(|(path, _)| written(path));
    let last = installed.chain(by_manager).chain(recorded).max()?;
    let passed = now - last;
    (status.loaded && passed >= OVERDUE).then(|| passed.num_days())
}

/// A sentence for people if a run is overdue.
///
/// # Errors
/// When the audit log cannot be read.
pub(in crate::commands) fn overdue_note(status: &ScheduleStatus) -> anyhow::Result<Option<String>> {
    let recorded = last_recorded()?.map(|run| run.at);
    Ok(overdue(status, recorded, Utc::now()).map(overdue_text))
}

pub(super) fn overdue_text(days: i64) -> String {
    format!("no run for {days} days: was the machine off at that time? another time may suit it better")
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
