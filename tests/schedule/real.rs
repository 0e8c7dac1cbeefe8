//! A real user manager, where there is one that may be used: `tests/with_user_systemd.sh` starts one
//! in namespaces of its own and sets the variable.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use mcp_reap::schedule::{
    Calendar, FileChange, ManagerKind, Request, Schedule, SystemRunner, UserEnvironment,
};

use tempfile::TempDir;

use crate::home::{not_tested, program};
use crate::limit::Limited as _;
use crate::rendered::{HOSTILE, systemd_can_run};

/// A stand-in for mcp-reap: it does what mcp-reap must be able to do inside the unit, and reports how
/// it went. `sleep` is a process of the same user that is not its child.
const PROBE: &str = r#"#!/bin/sh
exec >"$XDG_STATE_HOME/seen" 2>&1
echo "arguments: $*"
sleeper=$(cat "$XDG_STATE_HOME/sleeper")
echo "fd 0: $(readlink /proc/$sleeper/fd/0)"
echo "exe: $(readlink /proc/$sleeper/exe)"
echo "environ: $(tr '\0' '\n' </proc/$sleeper/environ | grep ^PROBE=)"
kill -0 "$sleeper" && echo "signal 0: sent"
systemctl --user show --property=MainPID mcp-reap.service
touch "$XDG_STATE_HOME/written" && echo "state: written"
"#;

#[test]
fn a_real_manager_takes_it_up_runs_it_and_forgets_it() {
    if env::var_os("MCP_REAP_USER_SYSTEMD").is_none() {
        return not_tested("no user manager of our own here; run under tests/with_user_systemd.sh");
    }
    let _alone = ONE_AT_A_TIME.lock();
    for path in ["/o/mcp-reap"].iter().chain(&HOSTILE).filter(|path| systemd_can_run(path)) {
        full_circle(path);
    }
}

/// There is one manager, and one name for the units.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A binary that reports what it can do, and a process to do it to.
struct Stage {
    user: UserEnvironment,
    binary: PathBuf,
    state: PathBuf,
    sleeper: Child,
    _folder: TempDir,
}

impl Stage {
    fn new(path: &str) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let state = root.join("state");
        fs::create_dir(&state).unwrap();
        let mut user = UserEnvironment::here().unwrap();
        user.kept = [("XDG_STATE_HOME".to_owned(), state.to_str().unwrap().to_owned())].into();
        let binary = program(&root.join(&path[1..]));
        fs::write(&binary, PROBE).unwrap();
        let mut sleeper = Command::new("sleep");
        let sleeper = sleeper.arg("60").env("PROBE", "seen").stdin(Stdio::piped()).spawn().unwrap();
        fs::write(state.join("sleeper"), sleeper.id().to_string()).unwrap();
        Stage { user, binary, state, sleeper, _folder: folder }
    }

    fn schedule(&self) -> Schedule {
        let runner = SystemRunner::new(self.user.for_managers());
        Schedule::new(ManagerKind::Systemd, self.user.clone(), Box::new(runner))
    }

    fn request(&self) -> Request {
        Request {
            binary: self.binary.clone(),
            calendar: Calendar::weekly("mon@04:05").unwrap(),
            grace: Duration::from_secs(5),
            config: None,
            force: true,
        }
    }

    fn seen(&self) -> String {
        fs::read_to_string(self.state.join("seen")).unwrap_or_default()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.sleeper.kill();
        let _ = self.sleeper.wait();
    }
}

fn full_circle(path: &str) {
    let stage = Stage::new(path);
    let installed = stage.schedule().install(&stage.request()).unwrap();
    assert!(installed.loaded, "{path}");
    let again = stage.schedule().install(&stage.request()).unwrap();
    assert!(again.files.iter().all(|(_, change)| *change == FileChange::Unchanged), "{path}");
    assert!(systemctl(&["list-timers", "--all"]).contains("mcp-reap.timer"), "{path}");
    let daily = Request { calendar: Calendar::daily("05:06").unwrap(), ..stage.request() };
    stage.schedule().install(&daily).unwrap();
    let status = stage.schedule().status(&stage.binary).unwrap();
    assert_eq!((status.drift, status.loaded, status.last), (Vec::new(), true, None), "{path}");
    let timer = systemctl(&["show", "--property=TimersCalendar", "mcp-reap.timer"]);
    assert!(timer.contains("OnCalendar=*-*-* 05:06:00 "), "{timer}");

    systemctl(&["start", "mcp-reap.service"]);
    let seen = stage.seen();
    for line in [
        "arguments: --yes --quiet --wait --started-by schedule",
        "environ: PROBE=seen",
        "signal 0: sent",
        "state: written",
    ] {
        assert!(seen.lines().any(|text| text == line), "{path}: {line} is not in\n{seen}");
    }
    for part in ["fd 0: pipe:[", "/sleep\n", "MainPID="] {
        assert!(seen.contains(part), "{path}: {part} is not in\n{seen}");
    }
    let last = stage.schedule().status(&stage.binary).unwrap().last.unwrap();
    assert_eq!(last.result.to_string(), "exit 0", "{path}");

    assert!(stage.schedule().uninstall(false).unwrap().unloaded);
    let left = systemctl(&["list-units", "--all", "--no-legend", "mcp-reap*"]);
    assert_eq!(left.trim(), "", "{path}");
    assert_eq!(names_below(&stage.user.home), Vec::<String>::new(), "{path}");
}

#[test]
fn a_user_namespace_would_blind_it() {
    // Why the service has no ProtectSystem= and the like; and that the test above would notice.
    if env::var_os("MCP_REAP_USER_SYSTEMD").is_none() {
        return not_tested("no user manager of our own here; run under tests/with_user_systemd.sh");
    }
    let _alone = ONE_AT_A_TIME.lock();
    let stage = Stage::new("/o/mcp-reap");
    stage.schedule().install(&stage.request()).unwrap();
    let drop_in = stage.user.config_home.join("systemd/user/mcp-reap.service.d");
    fs::create_dir(&drop_in).unwrap();
    fs::write(drop_in.join("x.conf"), "[Service]\nPrivateUsers=yes\n").unwrap();
    systemctl(&["daemon-reload"]);
    systemctl(&["start", "mcp-reap.service"]);
    let seen = stage.seen();
    assert!(
        seen.contains("fd 0: \n") && !seen.contains("PROBE=") && seen.contains("signal 0: sent"),
        "{seen}"
    );
    fs::remove_dir_all(drop_in).unwrap();
    stage.schedule().uninstall(false).unwrap();
}

fn systemctl(args: &[&str]) -> String {
    let output = Command::new("systemctl").arg("--user").args(args).output_soon();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Everything below a folder that has mcp-reap in its name.
fn names_below(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.to_string_lossy().contains("mcp-reap") {
            names.push(path.display().to_string());
        } else if path.is_dir() && !path.is_symlink() {
            names.extend(names_below(&path));
        }
    }
    names
}
