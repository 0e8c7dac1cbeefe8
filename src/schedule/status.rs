//! Compares the files of a schedule with what its manager has loaded.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Local, TimeZone};

use super::drift::Drift;
use super::error::ScheduleError;
use super::files::{self, Found};
use super::install::Schedule;
use super::job::Job;
use super::manager::{Manager, ManagerPresence, ManagerView};
use super::report::ScheduleStatus;

impl Schedule {
    /// How things are, for a version of mcp-reap that is this file.
    ///
    /// # Errors
    /// When files cannot be read, or a manager that is there gives no answer.
    pub fn status(&self, running: &Path) -> Result<ScheduleStatus, ScheduleError> {
        self.status_at(running, &Local::now())
    }

    /// [`Schedule::status`] at a given time.
    ///
    /// # Errors
    /// As there.
    pub fn status_at<Z: TimeZone>(
        &self,
        running: &Path,
        now: &DateTime<Z>,
    ) -> Result<ScheduleStatus, ScheduleError> {
        let manager = self.manager();
        let Files { there, job, mut drift } = read_files(&*manager)?;
        let installed = there.iter().all(|(_, there)| *there);
        let none = there.iter().all(|(_, there)| !there);
        drift.extend(job.as_ref().and_then(|job| drift_of_binary(&job.binary, running)));
        let (absent, mut seen) = match manager.presence() {
            ManagerPresence::Here => (None, manager.see(job.as_ref())?),
            ManagerPresence::AtNextLogin => {
                (Some("nobody is logged in at the screen".to_owned()), ManagerView::default())
            }
            ManagerPresence::Absent(why) => (Some(why), ManagerView::default()),
        };
        let provided = if none { seen.take_provided() } else { Vec::new() };
        if !provided.is_empty() && seen.loaded {
            drift.extend(seen.program.as_deref().and_then(|program| drift_of_binary(program, running)));
        }
        drift.extend(seen.drift);
        let unexplained =
            !drift.iter().any(|drift| matches!(drift, Drift::NotStarted | Drift::Masked { .. }));
        if absent.is_none() && installed && !seen.loaded && unexplained {
            drift.push(Drift::NotLoaded);
        }
        if seen.loaded && none && provided.is_empty() {
            drift.push(Drift::OnlyLoaded);
        }
        let worked_out = || job.as_ref().filter(|_| seen.loaded).map(|job| job.calendar.next_after(now));
        let next = seen.next.or_else(worked_out);
        let manager = self.kind.name();
        Ok(ScheduleStatus {
            manager,
            absent,
            files: there,
            installed,
            provided,
            loaded: seen.loaded,
            job,
            next,
            last: seen.last,
            drift,
        })
    }
}

/// The files of a schedule.
struct Files {
    /// Each, and whether it is there.
    there: Vec<(PathBuf, bool)>,
    /// What they were made for.
    job: Option<Job>,
    /// Where they are not as an install with this version would leave them.
    drift: Vec<Drift>,
}

fn read_files(manager: &dyn Manager) -> Result<Files, ScheduleError> {
    let (mut there, mut jobs, mut drift) = (Vec::new(), Vec::new(), Vec::new());
    for (at, path) in manager.paths().into_iter().enumerate() {
        let found = files::look(&path)?;
        there.push((path.clone(), found != Found::Nothing));
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
    if there.iter().all(|(_, there)| !there) {
        drift.clear();
    }
    if jobs.windows(2).any(|two| two[0] != two[1]) {
        drift.push(Drift::Disagree);
    }
    Ok(Files { there, job: jobs.into_iter().flatten().next(), drift })
}

/// Is what is scheduled there, and is it us?
fn drift_of_binary(scheduled: &Path, running: &Path) -> Option<Drift> {
    let Ok(real) = scheduled.canonicalize() else {
        return Some(Drift::BinaryGone { path: scheduled.to_owned() });
    };
    let us = running.canonicalize().unwrap_or_else(|_| running.to_owned());
    (real != us).then(|| Drift::OtherBinary { scheduled: scheduled.to_owned(), running: running.to_owned() })
}
