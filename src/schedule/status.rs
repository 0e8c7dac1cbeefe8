//! Compares the files of a schedule with what its manager has loaded.

use std::path::Path;

use chrono::{DateTime, Local, TimeZone};

use super::drift::Drift;
use super::error::ScheduleError;
use super::files::{self, Found};
use super::install::Schedule;
use super::manager::{Manager, ManagerPresence, ManagerView};
use super::report::ScheduleStatus;

impl Schedule {
    /// The state of the schedule. `running` is the path of this program.
    ///
    /// # Errors
    /// When files cannot be read, or a manager that is there gives no answer.
    pub fn status(&self, running: &Path) -> Result<ScheduleStatus, ScheduleError> {
        self.status_at(running, &Local::now())
    }

    /// [`Schedule::status`] at a given time.
    ///
    /// # Errors
    /// As of [`Schedule::status`].
    pub fn status_at<Z: TimeZone>(
        &self,
        running: &Path,
        now: &DateTime<Z>,
    ) -> Result<ScheduleStatus, ScheduleError> {
        let manager = self.manager();
        let mut status = read_files(&*manager)?;
        status.manager = self.kind.name();
        let job = status.job.as_ref();
        let none = status.files.iter().all(|(_, there)| !there);
        status.drift.extend(job.and_then(|job| drift_of_binary(&job.binary, running)));
        let mut seen = ManagerView::default();
        match manager.presence() {
            ManagerPresence::Here => seen = manager.see(job)?,
            ManagerPresence::AtNextLogin => {
                status.absent = Some("nobody is logged in at the screen".to_owned());
            }
            ManagerPresence::Absent(why) => status.absent = Some(why),
        }
        status.provided = if none { seen.take_provided() } else { Vec::new() };
        if !status.provided.is_empty() && seen.loaded {
            status
                .drift
                .extend(seen.program.as_deref().and_then(|program| drift_of_binary(program, running)));
        }
        status.drift.extend(seen.drift);
        let unexplained =
            !status.drift.iter().any(|drift| matches!(drift, Drift::NotStarted | Drift::Masked { .. }));
        if status.absent.is_none() && status.installed && !seen.loaded && unexplained {
            status.drift.push(Drift::NotLoaded);
        }
        if seen.loaded && none && status.provided.is_empty() {
            status.drift.push(Drift::OnlyLoaded);
        }
        let worked_out = || job.filter(|_| seen.loaded).map(|job| job.calendar.next_after(now));
        status.next = seen.next.or_else(worked_out);
        (status.loaded, status.last) = (seen.loaded, seen.last);
        Ok(status)
    }
}

/// The state by the files alone, with their differences from what an install with this version would leave.
fn read_files(manager: &dyn Manager) -> Result<ScheduleStatus, ScheduleError> {
    let (mut files, mut jobs, mut drift) = (Vec::new(), Vec::new(), Vec::new());
    for (at, path) in manager.paths().into_iter().enumerate() {
        let found = files::look(&path)?;
        files.push((path.clone(), found != Found::Nothing));
        match found {
            Found::Nothing => drift.push(Drift::Missing { path }),
            Found::Theirs(why) => drift.push(Drift::NotOurs { path, why }),
            Found::Ours { job, text } => {
                let now = job.as_ref().map(|job| manager.render(job).swap_remove(at).text);
                if now.as_ref() != Some(&text) {
                    drift.push(Drift::OtherVersion { path });
                }
                jobs.push(job);
            }
        }
    }
    if files.iter().all(|(_, there)| !there) {
        drift.clear();
    }
    if jobs.windows(2).any(|two| two[0] != two[1]) {
        drift.push(Drift::Disagree);
    }
    let installed = files.iter().all(|(_, there)| *there);
    let job = jobs.into_iter().flatten().next();
    Ok(ScheduleStatus { files, installed, job, drift, ..ScheduleStatus::default() })
}

/// Is the scheduled program there, and is it this one?
fn drift_of_binary(scheduled: &Path, running: &Path) -> Option<Drift> {
    let Ok(real) = scheduled.canonicalize() else {
        return Some(Drift::BinaryGone { path: scheduled.to_owned() });
    };
    let us = running.canonicalize().unwrap_or_else(|_| running.to_owned());
    (real != us).then(|| Drift::OtherBinary { scheduled: scheduled.to_owned(), running: running.to_owned() })
}
