//! Install and uninstall, for every manager.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Local;

use super::calendar::Calendar;
use super::cron;
use super::drift::Drift;
use super::error::ScheduleError;
use super::files::{self, FileChange, Found, PlannedFile, Rendered, io};
use super::job::{Job, is_writable};
use super::launchd::Launchd;
use super::manager::{Manager, ManagerKind, ManagerPresence, ManagerView};
use super::report::{Installed, Removed};
use super::runner::{Runner, SystemRunner};
use super::systemd::Systemd;
use super::user_environment::UserEnvironment;
use crate::os::stable_path::settle;

/// The settings of an install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The path of mcp-reap, as it was started.
    pub binary: PathBuf,
    /// When to run.
    pub calendar: Calendar,
    /// The configured time between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// The configuration file of `--config`, which the scheduled runs use too.
    pub config: Option<PathBuf>,
    /// Whether to install a binary that will not stay at its path, and to move files aside that are not ours.
    pub force: bool,
}

/// The schedule of one person.
pub struct Schedule {
    pub(super) kind: ManagerKind,
    user: UserEnvironment,
    runner: Box<dyn Runner>,
}

impl Schedule {
    /// The schedule of this person on this machine.
    ///
    /// # Errors
    /// When there is no home, or it belongs to another user.
    pub fn for_this_os() -> Result<Schedule, ScheduleError> {
        let user = UserEnvironment::here()?;
        let runner = SystemRunner::new(user.for_managers());
        Ok(Schedule::new(ManagerKind::here(), user, Box::new(runner)))
    }

    /// A schedule with any manager, folders and way to run programs.
    pub fn new(kind: ManagerKind, user: UserEnvironment, runner: Box<dyn Runner>) -> Schedule {
        Schedule { kind, user, runner }
    }

    pub(super) fn manager(&self) -> Box<dyn Manager + '_> {
        match self.kind {
            ManagerKind::Launchd => Box::new(Launchd::new(&self.user, &*self.runner)),
            ManagerKind::Systemd => Box::new(Systemd::new(&self.user, &*self.runner)),
        }
    }

    /// The job of a request.
    ///
    /// # Errors
    /// When the binary is not executable, will not stay at its path, or has a path that cannot be written into the
    /// files.
    pub fn job(&self, request: &Request) -> Result<Job, ScheduleError> {
        let binary = self.settled(&request.binary, request.force)?;
        let mut environment = self.user.kept.clone();
        if let Some(config) = &request.config {
            let absolute = std::path::absolute(config).map_err(io("find", config))?;
            let text = absolute
                .to_str()
                .ok_or_else(|| ScheduleError::Unwritable { what: format!("the path {absolute:?}") })?;
            environment.insert("MCP_REAP_CONFIG".to_owned(), text.to_owned());
        }
        // The log files of a launchd agent are below the home, so its path is written too.
        if !self.user.home.to_str().is_some_and(is_writable) {
            return Err(ScheduleError::Unwritable { what: format!("the path {:?}", self.user.home) });
        }
        Job::new(&binary, request.calendar, environment, request.grace)
    }

    /// The path to schedule: absolute, executable and, unless `force` is set, one that stays.
    fn settled(&self, binary: &Path, force: bool) -> Result<PathBuf, ScheduleError> {
        let owned = || binary.to_owned();
        let settled = settle(binary, &self.user.path, &self.user.temporary);
        match (settled.executable, settled.danger) {
            (Err(source), _) => Err(io("find", binary)(source)),
            (Ok(false), _) => Err(ScheduleError::NotExecutable { path: owned() }),
            (Ok(true), Some(why)) if !force => Err(ScheduleError::WillVanish { path: owned(), why }),
            (Ok(true), _) => Ok(settled.path),
        }
    }

    /// The files of a job and the line for crontab(5). Nothing is written.
    pub fn preview(&self, job: &Job) -> (Vec<Rendered>, String) {
        (self.manager().render(job), cron::line(job))
    }

    /// Writes the files, has the manager load them, and checks what it loaded. Files that are right already are not
    /// written. If anything fails, the files and the manager are put back.
    ///
    /// # Errors
    /// See [`ScheduleError`].
    pub fn install(&self, request: &Request) -> Result<Installed, ScheduleError> {
        let job = self.job(request)?;
        let manager = self.manager();
        let presence = manager.presence();
        let here = presence == ManagerPresence::Here;
        if let ManagerPresence::Absent(why) = presence {
            let crontab = cron::line(&job);
            return Err(ScheduleError::NoManager { manager: self.kind.name(), why, crontab });
        }
        if !manager.can_run(&job.binary()) {
            return Err(ScheduleError::Unrunnable { manager: self.kind.name(), path: job.binary });
        }
        let files = manager.render(&job).into_iter().map(PlannedFile::look).collect::<Result<Vec<_>, _>>()?;
        for file in files.iter().filter(|_| !request.force) {
            if let Found::Theirs(why) = file.found {
                return Err(ScheduleError::NotOurs { path: file.rendered.path.clone(), why });
            }
        }
        for folder in manager.folders() {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.map_err(io("create", &folder))?;
        }
        // If the timer of a package was on, it is switched on again when this fails.
        let had_none = files.iter().all(|file| file.found == Found::Nothing);
        let mut before = if had_none && here { manager.see(None)? } else { ManagerView::default() };
        let package_on = before.loaded && !before.take_provided().is_empty();
        let mut moved = Vec::new();
        let loaded = write_changed(&files, &mut moved).and_then(|()| {
            if here { self.load(&*manager, &job, &files) } else { Ok(ManagerView::default()) }
        });
        let seen = loaded.inspect_err(|_| put_back(&*manager, &files, &moved, here, package_on))?;
        let next = seen.next.unwrap_or_else(|| job.calendar.next_after(&Local::now()));
        let files = files.iter().map(|file| (file.rendered.path.clone(), file.change())).collect();
        let moved = moved.into_iter().map(|(_, aside)| aside).collect();
        Ok(Installed { job, files, moved, loaded: seen.loaded, next: Some(next) })
    }

    /// Has the manager load the files, unless it has loaded them already, and checks that it did.
    fn load(
        &self,
        manager: &dyn Manager,
        job: &Job,
        files: &[PlannedFile],
    ) -> Result<ManagerView, ScheduleError> {
        let is_right = |seen: &ManagerView| seen.loaded && Drift::unwanted(&seen.drift).is_empty();
        let unchanged = files.iter().all(|file| file.change() == FileChange::Unchanged);
        let before = if unchanged { Some(manager.see(Some(job))?) } else { None };
        if let Some(seen) = before.filter(is_right) {
            return Ok(seen);
        }
        manager.load()?;
        let seen = manager.see(Some(job))?;
        if is_right(&seen) {
            return Ok(seen);
        }
        let mut drift: Vec<Drift> = Drift::unwanted(&seen.drift).into_iter().cloned().collect();
        if drift.is_empty() {
            drift.push(Drift::NotLoaded);
        }
        Err(ScheduleError::NotTakenUp { manager: self.kind.name(), drift })
    }

    /// Has the manager unload the job and removes the files, if all files are ours. With `force`, files that are not
    /// ours are moved aside.
    ///
    /// # Errors
    /// [`ScheduleError::NotOurs`] before anything was changed, and errors of the file system and the manager.
    pub fn uninstall(&self, force: bool) -> Result<Removed, ScheduleError> {
        let manager = self.manager();
        let paths = manager.paths();
        let mut all = Vec::new();
        for path in &paths {
            match files::look(path)? {
                Found::Theirs(why) if !force => {
                    return Err(ScheduleError::NotOurs { path: path.clone(), why });
                }
                found => all.push((path, found)),
            }
        }
        let here = manager.presence() == ManagerPresence::Here;
        let mut seen = if here { manager.see(None)? } else { ManagerView::default() };
        // These are units of the same name that we did not write, mostly those of a package.
        let provided = seen.take_provided();
        let theirs = !provided.is_empty();
        let mut removed = Removed { unloaded: seen.loaded && !theirs, ..Removed::default() };
        if !theirs {
            manager.unload()?;
        }
        for (path, found) in all {
            if matches!(found, Found::Theirs(_)) {
                removed.moved.push(files::move_aside(path)?);
            } else if files::remove(path)? {
                removed.files.push(path.clone());
            }
        }
        if removed != Removed::default() {
            removed.files.extend(manager.forget()?);
        }
        removed.provided = if seen.loaded { provided } else { Vec::new() };
        Ok(removed)
    }
}

/// Writes the files that change. Files that are not ours are moved aside; `moved` gets the old and new path of each,
/// also if a later step fails.
fn write_changed(files: &[PlannedFile], moved: &mut Vec<(PathBuf, PathBuf)>) -> Result<(), ScheduleError> {
    for file in files {
        let path = &file.rendered.path;
        if matches!(file.found, Found::Theirs(_)) {
            moved.push((path.clone(), files::move_aside(path)?));
        }
        if file.change() != FileChange::Unchanged {
            files::write(path, &file.rendered.text)?;
        }
    }
    Ok(())
}

/// Puts everything back after a failure. Further failures are not reported, because the first error explains them.
fn put_back(
    manager: &dyn Manager,
    files: &[PlannedFile],
    moved: &[(PathBuf, PathBuf)],
    here: bool,
    package_on: bool,
) {
    let had_none = files.iter().all(|file| file.found == Found::Nothing);
    if here && had_none {
        let _ = manager.unload();
    }
    for PlannedFile { rendered, found } in files {
        let _ = match found {
            Found::Ours { text, .. } => files::write(&rendered.path, text),
            Found::Nothing => files::remove(&rendered.path).map(drop),
            // It is renamed below, over the new file.
            Found::Theirs(_) => Ok(()),
        };
    }
    for (path, aside) in moved {
        let _ = fs::rename(aside, path);
    }
    if here && had_none {
        let _ = manager.forget();
    }
    if here && (package_on || !had_none) {
        let _ = manager.load();
    }
}
