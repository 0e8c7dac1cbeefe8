//! A simulated `systemctl --user`. It reads the real unit files of its home at a reload, keeps what it has
//! read until the next, and forgets nothing by itself, as the real one
//! (systemd 252) does; what it prints has the form of that one.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use mcp_reap::schedule::{Output, UserEnvironment};

use crate::home::{SimulatedManager, failed, success};

pub(crate) struct Systemctl {
    pub(crate) folder: PathBuf,
    stamp: PathBuf,
    /// Units as they were read.
    loaded: BTreeMap<String, (PathBuf, String)>,
    pub(crate) active: bool,
    /// A folder that comes before the person's.
    pub(crate) override_folder: Option<PathBuf>,
    /// A package's, which comes after the person's.
    pub(crate) vendor_folder: Option<PathBuf>,
    /// Reports success and does nothing.
    pub(crate) deaf: bool,
    /// Result, status and start of a run.
    pub(crate) ran: Option<(&'static str, i32)>,
}

impl Systemctl {
    pub(crate) fn new(user: &UserEnvironment) -> Systemctl {
        Systemctl {
            folder: user.home.join(".config/systemd/user"),
            stamp: user.home.join(".local/share/systemd/timers/stamp-mcp-reap.timer"),
            loaded: BTreeMap::new(),
            active: false,
            override_folder: None,
            vendor_folder: None,
            deaf: false,
            ran: None,
        }
    }

    fn link(&self) -> PathBuf {
        self.folder.join("timers.target.wants/mcp-reap.timer")
    }

    fn reload(&mut self) {
        self.loaded.clear();
        let folders = self.override_folder.iter().chain([&self.folder]).chain(&self.vendor_folder);
        for folder in folders {
            for unit in ["mcp-reap.service", "mcp-reap.timer"] {
                let path = folder.join(unit);
                if let Ok(mut text) = fs::read_to_string(&path) {
                    for more in drop_ins(&path) {
                        text += &fs::read_to_string(more).unwrap();
                    }
                    self.loaded.entry(unit.to_owned()).or_insert((path, text));
                }
            }
        }
    }

    /// The last value of a key in the unit as it was loaded.
    fn value(&self, unit: &str, key: &str) -> String {
        let text = self.loaded.get(unit).map_or("", |(_, text)| text);
        let begin = format!("{key}=");
        text.lines().filter_map(|line| line.strip_prefix(&begin)).next_back().unwrap_or_default().to_owned()
    }

    fn show(&self, unit: &str) -> String {
        let Some((path, text)) = self.loaded.get(unit) else {
            return "LoadState=not-found\nActiveState=inactive\nFragmentPath=\nUnitFileState=\n".to_owned();
        };
        let stale = fs::read_to_string(path).is_ok_and(|now| !text.starts_with(&now));
        let mut answer = format!(
            "LoadState=loaded\nFragmentPath={}\nDropInPaths={}\nNeedDaemonReload={}\n",
            path.display(),
            [vec!["/usr/lib/systemd/user/service.d/10-timeout-abort.conf".to_owned()], drop_ins(path)]
                .concat()
                .join(" "),
            if stale { "yes" } else { "no" }
        );
        if unit == "mcp-reap.timer" {
            let (active, enabled) = (self.active, self.link().is_symlink());
            answer += &format!(
                "ActiveState={}\nUnitFileState={}\nTimersCalendar={{ OnCalendar={} ; next_elapse=x }}\n\
                 NextElapseUSecRealtime={}\n",
                if active { "active" } else { "inactive" },
                if enabled { "enabled" } else { "disabled" },
                self.value(unit, "OnCalendar"),
                if active { "Sun 2026-11-22 03:03:45 UTC" } else { "" },
            );
        } else {
            // Enough of systemd.syntax(7) for the paths of these tests.
            let command = self.value(unit, "ExecStart");
            let path = command.split(" --yes").next().unwrap().trim_matches('"').replace("%%", "%");
            let (result, status, time) = match self.ran {
                Some((result, status)) => (result, status, "Sun 2026-11-15 03:01:00 UTC"),
                None => ("success", 0, ""),
            };
            answer += &format!(
                "ActiveState=inactive\nExecStart={{ path={path} ; argv[]={path} --yes ; pid=0 }}\nResult={result}\n\
                 ExecMainStatus={status}\nExecMainStartTimestamp={time}\nExecMainExitTimestamp={time}\n"
            );
        }
        answer
    }
}

fn drop_ins(unit: &Path) -> Vec<String> {
    let folder = PathBuf::from(format!("{}.d", unit.display()));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path().display().to_string()).collect()
}

impl SimulatedManager for Systemctl {
    fn answer(&mut self, args: &[&str]) -> Output {
        assert_eq!(args[0], "--user", "never the system's manager");
        match &args[1..] {
            ["--no-pager", "show", "--property=Version,UnitPath"] => success(format!(
                "Version=252\nUnitPath=/etc/systemd/user {} /usr/lib/systemd/user\n",
                self.folder.display()
            )),
            ["--no-pager", "show", _, unit] => success(self.show(unit)),
            _ if self.deaf => success(""),
            ["daemon-reload"] => {
                self.reload();
                success("")
            }
            ["enable", "mcp-reap.timer"] => {
                fs::create_dir_all(self.link().parent().unwrap()).unwrap();
                let _ = fs::remove_file(self.link());
                let unit = self.loaded.get("mcp-reap.timer").map(|(path, _)| path);
                symlink(unit.unwrap(), self.link()).unwrap();
                success("")
            }
            ["restart", "mcp-reap.timer"] => {
                if !self.loaded.contains_key("mcp-reap.timer") {
                    return failed(5, "Failed to restart mcp-reap.timer: Unit mcp-reap.timer not found.");
                }
                self.active = true;
                fs::create_dir_all(self.stamp.parent().unwrap()).unwrap();
                fs::write(&self.stamp, "").unwrap();
                success("")
            }
            ["disable", "--now", "mcp-reap.timer"] => {
                self.active = false;
                let _ = fs::remove_file(self.link());
                success("")
            }
            ["clean", "--what=state", "mcp-reap.timer"] => {
                assert!(!self.active, "the real one refuses to clean an active unit");
                let _ = fs::remove_file(&self.stamp);
                success("")
            }
            ["reset-failed", "mcp-reap.service"] => failed(1, "Unit mcp-reap.service not loaded."),
            other => panic!("a call of systemctl that is not simulated: {other:?}"),
        }
    }
}
