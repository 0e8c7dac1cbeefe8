//! `mcp-reap schedule` through the real binary, where no user manager answers: a home of its own, and an
//! `XDG_RUNTIME_DIR` without a bus. What a manager makes of it is for `tests/schedule` and
//! `tests/user_systemd`.
#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod stable_path;

mod limit;

mod schema;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use limit::Limited as _;
use serde_json::{Value, json};
use tempfile::TempDir;

struct Home(TempDir);

impl Home {
    fn new() -> Home {
        let home = Home(stable_path::folder());
        fs::create_dir(home.0.path().join("run")).unwrap();
        stable_path::install_in(home.0.path());
        home
    }

    fn program(&self) -> PathBuf {
        self.0.path().join("bin/mcp-reap")
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(self.program());
        command.env_clear().env("HOME", self.0.path()).env("PATH", "/usr/bin:/bin").env("TZ", "UTC");
        command.env("XDG_RUNTIME_DIR", self.0.path().join("run")).args(args).output_soon()
    }

    /// Lines of an audit log, as a run of the schedule and one by hand would have written them.
    fn audit(&self, lines: &[Value]) {
        let dir = self.0.path().join(".local/state/mcp-reap");
        fs::create_dir_all(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        let file = dir.join("audit.jsonl");
        fs::write(&file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn started(run: &str, at: &str, by: &str) -> Value {
    json!({"schema": 1, "at": at, "run": run, "event": "run-started", "started_by": by,
        "version": "0.1.0", "pid": 7, "uid": 1000, "targets": 3})
}

fn finished(run: &str, at: &str, processes: u32) -> Value {
    json!({"schema": 1, "at": at, "run": run, "event": "run-finished", "instances": 1,
        "processes": processes, "rss_reclaimed": 92_000_000, "duration_ms": 812, "failed": 0})
}

#[test]
fn without_a_manager_nothing_is_written_and_the_crontab_line_is_shown() {
    let home = Home::new();
    let output = home.run(&["schedule", "install", "--daily", "04:30"]);
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(message.contains("30 4 * * *") && message.contains("--started-by schedule"), "{message}");
    assert!(message.contains("no systemd user manager"), "{message}");
    assert!(!home.0.path().join(".config").exists());
}

#[test]
fn a_mistake_in_the_configuration_is_shown_at_the_install() {
    let home = Home::new();
    let config = home.0.path().join("mine.toml");
    fs::write(&config, "[reap]\ngrace = 5\n").unwrap();
    let output = home.run(&["schedule", "install", "--config", config.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(message.contains("mine.toml:2") && !message.contains("* * *"), "{message}");
    assert_eq!(message.matches("mine.toml").count(), 1, "an error is shown once: {message}");
}

#[test]
fn status_tells_what_the_last_run_of_the_schedule_did() {
    let home = Home::new();
    let output = home.run(&["schedule", "status"]);
    assert_eq!(output.status.code(), Some(1), "it will not run");
    let message = text(&output.stdout);
    assert!(message.contains("not installed") && !message.contains("recorded"), "{message}");
    home.audit(&[
        started("a", "2026-11-08T03:00:00.000Z", "schedule"),
        finished("a", "2026-11-08T03:00:01.000Z", 9),
        started("b", "2026-11-15T03:00:00.000Z", "schedule"),
        finished("b", "2026-11-15T03:00:01.000Z", 3),
        started("c", "2026-11-16T10:00:00.000Z", "hand"),
        finished("c", "2026-11-16T10:00:01.000Z", 1),
    ]);
    let message = text(&home.run(&["schedule", "status"]).stdout);
    let last = "last recorded run Sun 2026-11-15 03:00: ended 1 instance, 3 processes, 92 MB reclaimed";
    assert!(message.contains(last), "{message}");
    let answer: Value = serde_json::from_slice(&home.run(&["schedule", "status", "--json"]).stdout).unwrap();
    assert_eq!(schema::problems("schedule-status", &answer), [""; 0], "{answer}");
    let preview = home.run(&["schedule", "install", "--dry-run", "--json", "--force"]).stdout;
    let preview: Value = serde_json::from_slice(&preview).unwrap();
    assert_eq!(schema::problems("schedule-change", &preview), [""; 0], "{preview}");
    let removed: Value =
        serde_json::from_slice(&home.run(&["schedule", "uninstall", "--json"]).stdout).unwrap();
    assert_eq!(schema::problems("schedule-change", &removed), [""; 0], "{removed}");
    assert_eq!(
        (&answer["schema"], &answer["fine"], &answer["installed"]),
        (&json!(1), &json!(false), &json!(false))
    );
    assert_eq!(
        (&answer["recorded"]["run"], &answer["recorded"]["totals"]["processes"]),
        (&json!("b"), &json!(3))
    );
    home.audit(&[started("d", "2026-11-15T03:00:00.000Z", "schedule")]);
    assert!(text(&home.run(&["schedule", "status"]).stdout).contains("not come to its end"));
}

#[test]
fn an_uninstall_of_nothing_changes_nothing() {
    let home = Home::new();
    let output = home.run(&["schedule", "uninstall"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("nothing changed"));
}
