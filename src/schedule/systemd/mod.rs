//! systemd: a oneshot service and a timer of the person's own manager.

mod show;
mod unit;

use std::path::{Path, PathBuf};

use super::drift::Drift;
use super::error::ScheduleError;
use super::files::{Rendered, remove};
use super::job::Job;
use super::manager::{Manager, ManagerPresence, ManagerView, may, must, same_file};
use super::report::{LastRun, RunResult};
use super::runner::Runner;
use super::seal::sealed;
use super::user_environment::UserEnvironment;
use show::Properties;

const SERVICE: &str = "mcp-reap.service";
const TIMER: &str = "mcp-reap.timer";

/// The person's `systemd --user`.
pub(super) struct Systemd<'a> {
    runner: &'a dyn Runner,
    folder: PathBuf,
    stamp: PathBuf,
    presence: ManagerPresence,
}

impl<'a> Systemd<'a> {
    /// Finds out whether the manager is there and in which folder it looks for units. It may have been started without
    /// the `XDG_CONFIG_HOME` of the person's shell.
    pub(super) fn new(user: &UserEnvironment, runner: &'a dyn Runner) -> Systemd<'a> {
        let usual = user.config_home.join("systemd/user");
        let shown = show(runner, None, "Version,UnitPath");
        let unit_path = shown.as_ref().ok().and_then(|properties| properties.get("UnitPath"));
        let looked_in = format!(" {} ", unit_path.unwrap_or_default());
        let presence = match &shown {
            Ok(_) if unit_path.is_some() => ManagerPresence::Here,
            // In a chroot, systemctl ignores its arguments and exits with 0.
            Ok(_) => ManagerPresence::Absent("systemctl shows no user manager".to_owned()),
            Err(ScheduleError::Refused { why, .. }) => ManagerPresence::Absent(why.clone()),
            Err(error) => ManagerPresence::Absent(error.to_string()),
        };
        let fallback = user.home.join(".config/systemd/user");
        // The folders are separated by spaces and may contain spaces, so the list cannot be split.
        let looks_in = |folder: &Path| looked_in.contains(&format!(" {} ", folder.display()));
        let folder = if !looks_in(&usual) && looks_in(&fallback) { fallback } else { usual };
        let stamp = user.data_home.join("systemd/timers/stamp-mcp-reap.timer");
        Systemd { runner, folder, stamp, presence }
    }

    fn systemctl(&self, args: &[&str]) -> Result<(), ScheduleError> {
        let args: Vec<&str> = std::iter::once("--user").chain(args.iter().copied()).collect();
        must(self.runner, "systemctl", &args).map(drop)
    }

    fn path(&self, unit: &str) -> PathBuf {
        self.folder.join(unit)
    }

    /// The link that `enable` makes, so that the timer starts with the manager.
    fn wanted_by(&self) -> PathBuf {
        self.folder.join("timers.target.wants").join(TIMER)
    }
}

/// Runs `systemctl --user show`, for a unit or for the manager itself.
fn show(runner: &dyn Runner, unit: Option<&str>, names: &str) -> Result<Properties, ScheduleError> {
    let wanted = format!("--property={names}");
    let args: Vec<&str> = ["--user", "--no-pager", "show", &wanted].into_iter().chain(unit).collect();
    must(runner, "systemctl", &args).map(|output| Properties::parse(&output.stdout))
}

impl Manager for Systemd<'_> {
    fn presence(&self) -> ManagerPresence {
        self.presence.clone()
    }

    fn paths(&self) -> Vec<PathBuf> {
        vec![self.path(SERVICE), self.path(TIMER)]
    }

    fn can_run(&self, binary: &str) -> bool {
        // systemd 252 refuses these however they are escaped: "Executable name contains special characters".
        !binary.contains(['"', '\'', '\\'])
    }

    fn render(&self, job: &Job) -> Vec<Rendered> {
        [(SERVICE, unit::service(job)), (TIMER, unit::timer(job))]
            .map(|(unit, text)| Rendered { path: self.path(unit), text: sealed(&text) })
            .into()
    }

    fn folders(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn see(&self, job: Option<&Job>) -> Result<ManagerView, ScheduleError> {
        let timer = show(self.runner, Some(TIMER), show::TIMER)?;
        let service = show(self.runner, Some(SERVICE), show::SERVICE)?;
        let mut drift = Vec::new();
        for (name, unit) in [(SERVICE, &service), (TIMER, &timer)] {
            let path = self.path(name);
            match unit.get("FragmentPath") {
                Some(other) if unit.is("LoadState", "loaded") && !same_file(Path::new(other), &path) => {
                    drift.push(Drift::LoadedFromElsewhere { path: other.into() });
                }
                _ if unit.is("LoadState", "masked") => drift.push(Drift::Masked { unit: name.to_owned() }),
                _ => {}
            }
            if unit.is("NeedDaemonReload", "yes") {
                drift.push(Drift::Stale { path });
            }
            drift.extend(unit.drop_ins().into_iter().map(|path| Drift::DropIn { path: path.into() }));
        }
        let enabled = timer.is("UnitFileState", "enabled");
        let waiting = timer.is("ActiveState", "active");
        if timer.is("LoadState", "loaded") && !(enabled && waiting) {
            drift.push(if waiting { Drift::NotEnabled } else { Drift::NotStarted });
        }
        if let Some(job) = job.filter(|_| timer.is("LoadState", "loaded")) {
            let runs = service.get("ExecStart").unwrap_or_default();
            if !runs.starts_with(&format!("{{ path={} ; argv[]=", job.binary())) {
                drift.push(Drift::RunsOther { found: runs.to_owned() });
            }
            let when = timer.get("TimersCalendar").unwrap_or_default();
            if !when.contains(&format!("OnCalendar={} ;", job.calendar.systemd())) {
                drift.push(Drift::OtherTime { found: when.to_owned() });
            }
        }
        Ok(ManagerView {
            loaded: timer.is("LoadState", "loaded") && waiting,
            next: timer.time("NextElapseUSecRealtime"),
            program: service.program(),
            last: service.time("ExecMainStartTimestamp").map(|at| LastRun {
                at: Some(at),
                result: match (service.is("ActiveState", "activating"), service.time("ExecMainExitTimestamp"))
                {
                    (true, _) => RunResult::Running,
                    (false, None) => RunResult::NotKnown,
                    (false, Some(_)) => {
                        RunResult::of_systemd(service.get("Result"), service.get("ExecMainStatus"))
                    }
                },
            }),
            drift,
        })
    }

    fn load(&self) -> Result<(), ScheduleError> {
        self.systemctl(&["daemon-reload"])?;
        self.systemctl(&["enable", TIMER])?;
        // An active timer keeps the next time that it has computed. A restart makes it compute the time anew.
        self.systemctl(&["restart", TIMER])
    }

    fn unload(&self) -> Result<(), ScheduleError> {
        if self.presence != ManagerPresence::Here {
            // `disable` needs the manager. Without it the one link is removed here.
            let link = self.wanted_by();
            let ours = std::fs::read_link(&link).is_ok_and(|target| target.ends_with(TIMER));
            return if ours { remove(&link).map(drop) } else { Ok(()) };
        }
        let timer = show(self.runner, Some(TIMER), "LoadState")?;
        if timer.is("LoadState", "loaded") {
            self.systemctl(&["disable", "--now", TIMER])?;
            // This removes the stamp of Persistent=. A failure is ignored, because systemctl before 243 has no `clean`.
            let clean = ["--user", "clean", "--what=state", TIMER];
            may(self.runner, "systemctl", &clean)?;
        }
        Ok(())
    }

    fn forget(&self) -> Result<Vec<PathBuf>, ScheduleError> {
        if self.presence == ManagerPresence::Here {
            self.systemctl(&["daemon-reload"])?;
            // A failed run would stay in the list of failed units. If there was none, the command fails, which is
            // ignored.
            may(self.runner, "systemctl", &["--user", "reset-failed", SERVICE])?;
        }
        Ok(if remove(&self.stamp)? { vec![self.stamp.clone()] } else { Vec::new() })
    }
}
