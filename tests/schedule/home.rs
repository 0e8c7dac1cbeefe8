//! A home with a simulated manager in it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use mcp_reap::schedule::{
    Calendar, CallError, Installed, ManagerKind, Output, Request, Runner, Schedule, ScheduleError,
    ScheduleStatus, UserEnvironment,
};
use tempfile::TempDir;

use crate::launchctl::Launchctl;
use crate::systemctl::Systemctl;

/// What a simulated manager answers.
pub(crate) trait SimulatedManager {
    fn answer(&mut self, args: &[&str]) -> Output;
}

/// Success, with this on stdout.
pub(crate) fn success(stdout: impl Into<String>) -> Output {
    Output { code: Some(0), stdout: stdout.into(), stderr: String::new() }
}

/// Failure, with this on stderr.
pub(crate) fn failed(code: i32, stderr: &str) -> Output {
    Output { code: Some(code), stdout: String::new(), stderr: format!("{stderr}\n") }
}

/// Records what is run, and breaks what a test breaks.
pub(crate) struct SimulatedRunner {
    pub(crate) program: &'static str,
    pub(crate) manager: Rc<RefCell<dyn SimulatedManager>>,
    pub(crate) calls: Rc<RefCell<Vec<String>>>,
    /// Commands that begin so fail.
    pub(crate) broken: Rc<RefCell<Vec<&'static str>>>,
    pub(crate) absent: bool,
}

impl Runner for SimulatedRunner {
    fn run(&self, program: &str, args: &[&str]) -> Result<Output, CallError> {
        assert_eq!(program, self.program);
        if self.absent {
            return Err(CallError::Missing(program.to_owned()));
        }
        let command = args.iter().filter(|arg| **arg != "--user").copied().collect::<Vec<_>>().join(" ");
        self.calls.borrow_mut().push(command.clone());
        if self.broken.borrow().iter().any(|broken| command.starts_with(broken)) {
            return Ok(failed(1, "broken for this test"));
        }
        Ok(self.manager.borrow_mut().answer(args))
    }

    fn pause(&self, _: Duration) {
        self.calls.borrow_mut().push("(pause)".to_owned());
    }
}

/// One person's home, with mcp-reap in `~/bin`.
pub(crate) struct Home {
    pub(crate) _folder: TempDir,
    pub(crate) user: UserEnvironment,
    pub(crate) kind: ManagerKind,
    pub(crate) binary: PathBuf,
    pub(crate) systemctl: Rc<RefCell<Systemctl>>,
    pub(crate) launchctl: Rc<RefCell<Launchctl>>,
    pub(crate) calls: Rc<RefCell<Vec<String>>>,
    pub(crate) broken: Rc<RefCell<Vec<&'static str>>>,
    pub(crate) absent: bool,
}

pub(crate) const KINDS: [ManagerKind; 2] = [ManagerKind::Launchd, ManagerKind::Systemd];

impl Home {
    pub(crate) fn new(kind: ManagerKind) -> Home {
        // Not below /tmp, where no binary may be scheduled from.
        let folder = crate::stable_path::folder();
        let home = folder.path().canonicalize().unwrap().join("u");
        let user = UserEnvironment { uid: 501, ..UserEnvironment::new(&home) };
        let binary = program(&home.join("bin/mcp-reap"));
        Home {
            systemctl: Rc::new(RefCell::new(Systemctl::new(&user))),
            launchctl: Rc::new(RefCell::new(Launchctl::new(&user))),
            _folder: folder,
            user,
            kind,
            binary,
            calls: Rc::default(),
            broken: Rc::default(),
            absent: false,
        }
    }

    pub(crate) fn schedule(&self) -> Schedule {
        let (program, manager): (_, Rc<RefCell<dyn SimulatedManager>>) = match self.kind {
            ManagerKind::Systemd => ("systemctl", self.systemctl.clone()),
            ManagerKind::Launchd => ("launchctl", self.launchctl.clone()),
        };
        let runner = SimulatedRunner {
            program,
            manager,
            calls: self.calls.clone(),
            broken: self.broken.clone(),
            absent: self.absent,
        };
        Schedule::new(self.kind, self.user.clone(), Box::new(runner))
    }

    pub(crate) fn request(&self) -> Request {
        Request {
            binary: self.binary.clone(),
            calendar: Calendar::default(),
            grace: Duration::from_secs(5),
            config: None,
            force: false,
        }
    }

    pub(crate) fn install(&self) -> Result<Installed, ScheduleError> {
        self.schedule().install(&self.request())
    }

    pub(crate) fn status(&self) -> ScheduleStatus {
        // Friday.
        let now = "2026-11-20T14:00:00+02:00".parse::<chrono::DateTime<chrono::FixedOffset>>().unwrap();
        self.schedule().status_at(&self.binary, &now).unwrap()
    }

    /// What `status` finds wrong, as sentences with the home as `~`.
    pub(crate) fn drift(&self) -> Vec<String> {
        let home = self.user.home.to_str().unwrap();
        self.status().drift.iter().map(|drift| drift.to_string().replace(home, "~")).collect()
    }

    /// What was run since the last time, without the queries that change nothing.
    pub(crate) fn orders(&self) -> Vec<String> {
        let calls = std::mem::take(&mut *self.calls.borrow_mut());
        let home = self.user.home.to_str().unwrap();
        let order = |command: &String| !command.contains("show ") && !command.starts_with("print ");
        calls.iter().filter(|command| order(command)).map(|command| command.replace(home, "~")).collect()
    }

    /// Every file and link below the home with its content, but for the binary.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.user.home.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&self.user.home).unwrap().to_str().unwrap().to_owned();
                if path.is_symlink() {
                    files.insert(name, format!("-> {}", fs::read_link(&path).unwrap().display()));
                } else if path.is_dir() {
                    folders.push(path);
                } else if !name.starts_with("bin/") {
                    files.insert(name, fs::read_to_string(&path).unwrap());
                }
            }
        }
        files
    }

    /// The first file of the schedule.
    pub(crate) fn main_file(&self) -> PathBuf {
        self.user.home.join(match self.kind {
            ManagerKind::Systemd => ".config/systemd/user/mcp-reap.service",
            ManagerKind::Launchd => "Library/LaunchAgents/com.mcp-reap.plist",
        })
    }
}

/// Reports a test that can show nothing here. Not through `eprintln!`, which is kept quiet in a test that
/// passes.
pub(crate) fn not_tested(why: &str) {
    std::io::stderr().write_all(format!("\nNOT TESTED: {why}\n").as_bytes()).unwrap();
}

/// Something executable.
pub(crate) fn program(path: &Path) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "#!/bin/sh\n").unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_owned()
}
