//! What `status` shows of a schedule that is not as it was left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use mcp_reap::schedule::{Calendar, Drift, ManagerKind, Request, RunResult};

use crate::home::{Home, KINDS, program};
use crate::schema;

const NONE: [&str; 0] = [];

#[test]
fn the_next_run_is_by_the_manager_or_worked_out() {
    let home = Home::new(ManagerKind::Systemd);
    home.install().unwrap();
    assert_eq!(home.status().next.unwrap().to_rfc3339(), "2026-11-22T03:03:45+00:00");
    let home = Home::new(ManagerKind::Launchd);
    home.install().unwrap();
    // Sunday, three o'clock, two hours east.
    assert_eq!(home.status().next.unwrap().to_rfc3339(), "2026-11-22T01:00:00+00:00");
}

#[test]
fn the_run_before_is_shown_as_the_manager_knows_it() {
    let home = Home::new(ManagerKind::Systemd);
    home.install().unwrap();
    assert_eq!(home.status().last, None);
    for (result, status, found) in
        [("success", 0, "exit 0"), ("exit-code", 1, "exit 1"), ("timeout", 15, "failed: timeout")]
    {
        home.systemctl.borrow_mut().ran = Some((result, status));
        let last = home.status().last.unwrap();
        assert_eq!(last.result.to_string(), found);
        assert_eq!(last.at.unwrap().to_rfc3339(), "2026-11-15T03:01:00+00:00");
    }
    let home = Home::new(ManagerKind::Launchd);
    home.install().unwrap();
    assert_eq!(home.status().last, None);
    for (printed, found) in [("0", 0), ("78: EX_CONFIG", 78)] {
        home.launchctl.borrow_mut().last_exit = printed;
        let last = home.status().last.unwrap();
        assert_eq!((last.at, last.result), (None, RunResult::Exit(found)));
    }
}

#[test]
fn a_file_that_is_missing_is_named() {
    let home = Home::new(ManagerKind::Systemd);
    home.install().unwrap();
    fs::remove_file(home.main_file()).unwrap();
    assert_eq!(home.drift(), ["~/.config/systemd/user/mcp-reap.service is missing"]);
    for kind in KINDS {
        let home = Home::new(kind);
        home.install().unwrap();
        for path in home.status().files {
            fs::remove_file(path.0).unwrap();
        }
        assert_eq!(home.drift(), ["loaded, but the files are gone"]);
        assert!(home.schedule().uninstall(false).unwrap().unloaded);
        assert_eq!(home.drift(), NONE);
    }
}

#[test]
fn files_that_the_manager_has_not_read_are_shown() {
    for kind in KINDS {
        // Copied from another machine, say.
        let (home, other) = (Home::new(kind), Home::new(kind));
        let job = home.schedule().job(&home.request()).unwrap();
        for file in home.schedule().preview(&job).0 {
            fs::create_dir_all(file.path.parent().unwrap()).unwrap();
            fs::write(file.path, file.text).unwrap();
        }
        assert_eq!(home.drift(), ["installed, but not loaded"]);
        assert_eq!(other.drift(), NONE);
    }
}

#[test]
fn what_is_loaded_is_compared_with_what_is_written() {
    for kind in KINDS {
        let home = Home::new(kind);
        home.install().unwrap();
        let request = Request { calendar: Calendar::daily("12:00").unwrap(), ..home.request() };
        let job = home.schedule().job(&request).unwrap();
        for file in home.schedule().preview(&job).0 {
            fs::write(file.path, file.text).unwrap();
        }
        let expected = match kind {
            ManagerKind::Systemd => vec![
                "~/.config/systemd/user/mcp-reap.service changed since the manager read it",
                "~/.config/systemd/user/mcp-reap.timer changed since the manager read it",
                "the manager runs it at another time: { OnCalendar=Sun *-*-* 03:00:00 ; next_elapse=x }",
            ],
            ManagerKind::Launchd => vec!["the manager runs it at another time: Hour 3, Minute 0, Weekday 0"],
        };
        assert_eq!(home.drift(), expected);
        assert!(home.install().unwrap().loaded);
        assert_eq!(home.drift(), NONE);
    }
}

#[test]
fn an_agent_with_other_variables_or_patience_is_loaded_anew() {
    let mut home = Home::new(ManagerKind::Launchd);
    home.install().unwrap();
    home.user.kept = [("CODEX_HOME".to_owned(), "/c d".to_owned())].into();
    let request = Request { grace: std::time::Duration::from_mins(1), ..home.request() };
    // Written, and then something went wrong before it was loaded.
    for file in home.schedule().preview(&home.schedule().job(&request).unwrap()).0 {
        fs::write(file.path, file.text).unwrap();
    }
    let found = [
        "the manager has another environment: XPC_SERVICE_NAME => com.mcp-reap",
        "the manager has another exit timeout: 20",
    ];
    assert_eq!(home.drift(), found);
    home.schedule().install(&request).unwrap();
    assert_eq!(home.drift(), NONE);
}

#[test]
fn a_home_with_two_names_is_one_home() {
    for kind in KINDS {
        let mut home = Home::new(kind);
        home.install().unwrap();
        let link = home.user.home.with_file_name("link");
        std::os::unix::fs::symlink(&home.user.home, &link).unwrap();
        home.user = mcp_reap::schedule::UserEnvironment {
            home: link.clone(),
            config_home: link.join(".config"),
            ..home.user
        };
        let drift = home.drift();
        // launchd's log files have the home in their names.
        let expected: &[&str] = match kind {
            ManagerKind::Systemd => &[],
            ManagerKind::Launchd => {
                &["~/Library/LaunchAgents/com.mcp-reap.plist was written by another version"]
            }
        };
        assert_eq!(drift, expected);
    }
}

#[test]
fn files_of_two_installs_are_shown() {
    let home = Home::new(ManagerKind::Systemd);
    home.install().unwrap();
    let request = Request { calendar: Calendar::daily("12:00").unwrap(), ..home.request() };
    let files = home.schedule().preview(&home.schedule().job(&request).unwrap()).0;
    fs::write(&files[0].path, &files[0].text).unwrap();
    assert!(home.drift().contains(&"the files belong to two different installs".to_owned()));
}

#[test]
fn a_schedule_of_another_binary_is_shown() {
    for kind in KINDS {
        let mut home = Home::new(kind);
        home.install().unwrap();
        home.binary = program(&home.user.home.join("new/mcp-reap"));
        assert_eq!(home.drift(), ["~/bin/mcp-reap is scheduled, this is ~/new/mcp-reap"]);
    }
}

#[test]
fn a_persons_drop_in_is_shown_and_survives_everything() {
    let home = Home::new(ManagerKind::Systemd);
    home.install().unwrap();
    let drop_in = home.user.home.join(".config/systemd/user/mcp-reap.service.d/mine.conf");
    fs::create_dir_all(drop_in.parent().unwrap()).unwrap();
    fs::write(&drop_in, "[Service]\nNice=19\n").unwrap();
    let found = ["changed by ~/.config/systemd/user/mcp-reap.service.d/mine.conf"];
    assert_eq!(home.drift(), found);
    let other = home.user.home.join(".config/systemd/user/mcp-reap.timer.d/time.conf");
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    fs::write(&other, "[Timer]\nOnCalendar=monthly\n").unwrap();
    let request = Request { calendar: Calendar::daily("12:00").unwrap(), ..home.request() };
    home.schedule().install(&request).unwrap();
    let both = [
        found[0],
        "changed by ~/.config/systemd/user/mcp-reap.timer.d/time.conf",
        "the manager runs it at another time: { OnCalendar=monthly ; next_elapse=x }",
    ];
    assert_eq!(home.drift(), both);
    fs::remove_file(other).unwrap();
    home.install().unwrap();
    assert_eq!(home.drift(), found);
    home.schedule().uninstall(false).unwrap();
    assert!(drop_in.exists());
}

#[test]
fn a_status_is_json_with_everything_in_it() {
    let home = Home::new(ManagerKind::Systemd);
    let versioned = |answer: serde_json::Value| {
        let mut all = serde_json::json!({"schema": 1});
        all.as_object_mut().unwrap().extend(answer.as_object().unwrap().clone());
        all
    };
    let installed = versioned(serde_json::to_value(home.install().unwrap()).unwrap());
    assert_eq!(schema::problems("schedule-change", &installed), [""; 0], "{installed}");
    fs::remove_file(home.main_file()).unwrap();
    let json = serde_json::to_value(home.status()).unwrap();
    assert_eq!(json["manager"], "systemd");
    assert_eq!(json["job"]["calendar"], "weekly sun@03:00");
    assert_eq!(json["drift"][0]["kind"], "missing");
    assert_eq!(json["next"], "2026-11-22T03:03:45Z");
    let mut whole = versioned(json);
    whole["recorded"] = serde_json::Value::Null;
    whole["overdue_days"] = 9.into();
    whole["fine"] = false.into();
    assert_eq!(schema::problems("schedule-status", &whole), [""; 0], "{whole}");
    let removed = versioned(serde_json::to_value(home.schedule().uninstall(false).unwrap()).unwrap());
    assert_eq!(schema::problems("schedule-change", &removed), [""; 0], "{removed}");
}

/// One of each drift. A new kind does not compile here until it is one of them, and so in the schema.
#[test]
fn every_drift_is_described() {
    use Drift as D;
    let (path, unit, found) = (PathBuf::from("/x"), "x.timer".to_owned(), "x".to_owned());
    let all = [
        D::Missing { path: path.clone() },
        D::NotOurs { path: path.clone(), why: "a link" },
        D::OtherVersion { path: path.clone() },
        D::Disagree,
        D::BinaryGone { path: path.clone() },
        D::OtherBinary { scheduled: path.clone(), running: path.clone() },
        D::NotLoaded,
        D::OnlyLoaded,
        D::NotEnabled,
        D::NotStarted,
        D::Masked { unit },
        D::LoadedFromElsewhere { path: path.clone() },
        D::Stale { path: path.clone() },
        D::DropIn { path },
        D::RunsOther { found: found.clone() },
        D::OtherSetting { what: "grace", found: found.clone() },
        D::OtherTime { found },
    ];
    let known = |drift: &Drift| match drift {
        D::Missing { .. }
        | D::NotOurs { .. }
        | D::OtherVersion { .. }
        | D::Disagree
        | D::BinaryGone { .. } => true,
        D::OtherBinary { .. } | D::NotLoaded | D::OnlyLoaded | D::NotEnabled | D::NotStarted => true,
        D::Masked { .. } | D::LoadedFromElsewhere { .. } | D::Stale { .. } | D::DropIn { .. } => true,
        D::RunsOther { .. } | D::OtherSetting { .. } | D::OtherTime { .. } => true,
    };
    assert!(all.iter().all(known));
    let branches = &schema::SCHEMAS["schedule-status"]["$defs"]["drift"]["oneOf"];
    let described = branches.as_array().unwrap().iter().map(|branch| {
        let fields: BTreeSet<&String> = branch["properties"].as_object().unwrap().keys().collect();
        (branch["title"].as_str().unwrap().to_owned(), fields)
    });
    let values: Vec<serde_json::Value> =
        all.iter().map(|drift| serde_json::to_value(drift).unwrap()).collect();
    let printed = values.iter().map(|value| {
        (value["kind"].as_str().unwrap().to_owned(), value.as_object().unwrap().keys().collect())
    });
    let printed: BTreeMap<String, BTreeSet<&String>> = printed.collect();
    assert_eq!(printed, described.collect());
}
