//! Status: what the files say, what the manager says, and where the two differ.

use std::path::Path;

use chrono::{DateTime, Local, TimeZone};

use super::ScheduleError;
use super::files::{self, Found};
use super::install::Schedule;
use super::job::Job;
use super::manager::{Presence, Seen};
use super::report::{Drift, Status};

impl Schedule {
    /// How things are, for a version of mcp-reap that is this file.
    ///
    /// # Errors
    /// When files cannot be read, or a manager that is there gives no answer.
    pub fn status(&self, running: &Path) -> Result<Status, ScheduleError> {
        self.status_at(running, &Local::now())
    }

    /// [`Schedule::status`] at a given time.
    ///
    /// # Errors
    /// As there.
    pub fn status_at<Z: TimeZone>(&self, running: &Path, now: &DateTime<Z>) -> Result<Status, ScheduleError> {
        let manager = self.manager();
        let mut drift = Vec::new();
        let mut jobs: Vec<Option<Job>> = Vec::new();
        let mut there = Vec::new();
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
        let installed = there.iter().all(|(_, there)| *there);
        if there.iter().all(|(_, there)| !there) {
            drift.clear();
        }
        if jobs.windows(2).any(|two| two[0] != two[1]) {
            drift.push(Drift::Disagree);
        }
        let job = jobs.into_iter().flatten().next();
        if let Some(job) = &job {
            drift.extend(drift_of_binary(&job.binary, running));
        }
        let (absent, seen) = match manager.presence() {
            Presence::Here => (None, manager.see(job.as_ref())?),
            Presence::AtNextLogin => (Some("nobody is logged in at the screen".to_owned()), Seen::default()),
            Presence::Absent(why) => (Some(why), Seen::default()),
        };
        drift.extend(seen.drift);
        let unsaid = !drift.iter().any(|drift| matches!(drift, Drift::NotStarted | Drift::Masked { .. }));
        if absent.is_none() && installed && !seen.loaded && unsaid {
            drift.push(Drift::NotLoaded);
        }
        if seen.loaded && there.iter().all(|(_, there)| !there) {
            drift.push(Drift::OnlyLoaded);
        }
        let reckoned = || job.as_ref().filter(|_| seen.loaded).map(|job| job.calendar.next_after(now));
        let next = seen.next.or_else(reckoned);
        let manager = self.kind.name();
        Ok(Status {
            manager,
            absent,
            files: there,
            installed,
            loaded: seen.loaded,
            job,
            next,
            last: seen.last,
            drift,
        })
    }
}

/// Is what is scheduled there, and is it us?
fn drift_of_binary(scheduled: &Path, running: &Path) -> Option<Drift> {
    let Ok(real) = scheduled.canonicalize() else {
        return Some(Drift::BinaryGone { path: scheduled.to_owned() });
    };
    let us = running.canonicalize().unwrap_or_else(|_| running.to_owned());
    (real != us).then(|| Drift::OtherBinary { scheduled: scheduled.to_owned(), running: running.to_owned() })
}
