//! The units, read by systemd itself.

use std::fs;
use std::process::Command;
use std::time::Duration;

use mcp_reap::schedule::{Calendar, Job, ManagerKind, Schedule, SystemRunner, UserEnvironment};

use crate::home::{not_tested, program};
use crate::limit::Limited as _;
use crate::rendered::{HOSTILE, systemd_can_run};

/// `systemd-analyze`, or the reason why this test cannot say anything here.
fn analyze() -> Option<Command> {
    let command = Command::new("systemd-analyze").arg("--version").output();
    if command.is_ok_and(|output| output.status.success()) {
        return Some(Command::new("systemd-analyze"));
    }
    not_tested("there is no systemd-analyze on this machine");
    None
}

#[test]
fn systemd_has_no_complaint_about_the_units_of_any_path() {
    let Some(_) = analyze() else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    // systemd 252 wants no unit file to have an executable that is not there, nor a runtime folder.
    fs::create_dir(root.join("run")).unwrap();
    for (at, path) in ["/o/mcp-reap"].iter().chain(&HOSTILE).enumerate() {
        let home = root.join(format!("home{at}"));
        let binary = program(&root.join(&path[1..]));
        let environment = [("XDG_STATE_HOME".to_owned(), (*path).to_owned())].into();
        let job = Job::new(&binary, Calendar::default(), environment, Duration::from_secs(5)).unwrap();
        let runner = SystemRunner::new(Vec::new());
        let files = Schedule::new(ManagerKind::Systemd, UserEnvironment::new(&home), Box::new(runner))
            .preview(&job)
            .0;
        for file in &files {
            fs::create_dir_all(file.path.parent().unwrap()).unwrap();
            fs::write(&file.path, &file.text).unwrap();
        }
        let output = analyze()
            .unwrap()
            .args(["--user", "--man=no", "verify"])
            .args(files.iter().map(|file| &file.path))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &home)
            .env("XDG_RUNTIME_DIR", root.join("run"))
            .output_soon();
        // Unknown keys and bad values are words on stderr and exit code 0.
        let text = String::from_utf8_lossy(&output.stderr);
        if systemd_can_run(path) {
            assert!(output.status.success() && text.is_empty(), "{path}: {text}");
        } else {
            assert!(text.contains("Executable name contains special characters"), "{path}: {text}");
        }
    }
}

#[test]
fn systemd_complains_where_there_is_reason() {
    let Some(mut analyze) = analyze() else { return };
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("bad.service");
    fs::write(&unit, "[Service]\nType=oneshot\nExecStart=/bin/true\nNoSuchKey=yes\n").unwrap();
    let runtime = ("XDG_RUNTIME_DIR", folder.path());
    let output =
        analyze.args(["--user", "--man=no", "verify"]).arg(&unit).env(runtime.0, runtime.1).output_soon();
    assert!(String::from_utf8_lossy(&output.stderr).contains("NoSuchKey"));
}

#[test]
fn systemd_reads_every_calendar_and_prints_it_as_we_write_it() {
    for text in ["weekly", "weekly fri@18:30", "daily 00:05", "hourly :59"] {
        let Some(mut analyze) = analyze() else { return };
        let calendar: Calendar = text.parse().unwrap();
        let output =
            analyze.args(["calendar", &calendar.systemd()]).env("TZ", "UTC").env("LC_ALL", "C").output_soon();
        let shown = String::from_utf8(output.stdout).unwrap();
        let normal = shown.lines().find_map(|line| line.trim().strip_prefix("Normalized form: "));
        assert_eq!(normal, Some(&*calendar.systemd()), "{text}: {shown}");
        // And it means the same: both clocks agree on the next time.
        let next = shown.lines().find_map(|line| line.trim().strip_prefix("Next elapse: ")).unwrap();
        let ours = calendar.next_after(&chrono::Utc::now()).format("%a %Y-%m-%d %H:%M:%S UTC").to_string();
        assert_eq!(next, ours, "{text}");
    }
}
