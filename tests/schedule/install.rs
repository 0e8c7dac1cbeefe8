//! Install and uninstall, against simulated managers.

use std::fs;
use std::os::unix::fs::symlink;

use mcp_reap::schedule::{Calendar, FileChange, ManagerKind, Request, ScheduleError};

use crate::home::{Home, KINDS, program};

const SYSTEMD_ORDERS: [&str; 3] = ["daemon-reload", "enable mcp-reap.timer", "restart mcp-reap.timer"];
const LAUNCHD_ORDERS: [&str; 2] =
    ["enable gui/501/com.mcp-reap", "bootstrap gui/501 ~/Library/LaunchAgents/com.mcp-reap.plist"];

#[test]
fn an_install_writes_loads_and_looks() {
    for kind in KINDS {
        let home = Home::new(kind);
        let installed = home.install().unwrap();
        assert!(installed.loaded);
        assert_eq!(installed.job.binary, home.binary);
        assert!(installed.files.iter().all(|(path, change)| path.exists() && *change == FileChange::Created));
        let status = home.status();
        assert!(status.installed && status.loaded, "{status:?}");
        assert_eq!((status.drift, status.job), (Vec::new(), Some(installed.job)));
        assert_eq!(
            home.orders(),
            if kind == ManagerKind::Systemd { &SYSTEMD_ORDERS[..] } else { &LAUNCHD_ORDERS }
        );
    }
}

#[test]
fn a_second_install_changes_nothing_and_orders_nothing() {
    for kind in KINDS {
        let home = Home::new(kind);
        home.install().unwrap();
        let (before, _) = (home.files(), home.orders());
        let again = home.install().unwrap();
        assert!(again.loaded && again.files.iter().all(|(_, change)| *change == FileChange::Unchanged));
        assert_eq!((home.files(), home.orders()), (before, Vec::new()));
    }
}

#[test]
fn an_install_mends_what_the_manager_has_lost() {
    for kind in KINDS {
        let home = Home::new(kind);
        home.install().unwrap();
        home.systemctl.borrow_mut().active = false;
        home.launchctl.borrow_mut().loaded = None;
        home.launchctl.borrow_mut().disabled = true;
        assert_ne!(home.drift(), Vec::<String>::new());
        assert!(home.install().unwrap().loaded);
        assert_eq!(home.drift(), Vec::<String>::new());
    }
}

#[test]
fn a_moved_binary_and_another_calendar_are_taken_up() {
    for kind in KINDS {
        let mut home = Home::new(kind);
        home.install().unwrap();
        home.orders();
        home.binary = program(&home.user.home.join("other bin/mcp-reap"));
        fs::remove_file(home.user.home.join("bin/mcp-reap")).unwrap();
        assert_eq!(home.drift(), ["~/bin/mcp-reap is gone: every run will fail"]);
        let request = Request { calendar: Calendar::hourly("15").unwrap(), ..home.request() };
        let installed = home.schedule().install(&request).unwrap();
        assert!(installed.files.iter().all(|(_, change)| *change == FileChange::Updated));
        assert_eq!(home.drift(), Vec::<String>::new());
        if kind == ManagerKind::Launchd {
            let orders = ["enable gui/501/com.mcp-reap", "bootout gui/501/com.mcp-reap", "(pause)"];
            assert_eq!(home.orders()[..3], orders);
        }
    }
}

#[test]
fn an_uninstall_leaves_nothing() {
    for kind in KINDS {
        let home = Home::new(kind);
        assert_eq!(home.schedule().uninstall(false).unwrap(), Default::default(), "nothing to remove");
        home.orders();
        home.install().unwrap();
        for name in ["schedule.out.log", "schedule.err.log"] {
            fs::create_dir_all(home.user.home.join("Library/Logs/mcp-reap")).unwrap();
            fs::write(home.user.home.join("Library/Logs/mcp-reap").join(name), "").unwrap();
        }
        if kind == ManagerKind::Systemd {
            fs::remove_dir_all(home.user.home.join("Library")).unwrap();
        }
        let removed = home.schedule().uninstall(false).unwrap();
        assert!(removed.unloaded && removed.files.contains(&home.main_file()), "{removed:?}");
        assert!(home.files().is_empty(), "{:?}", home.files());
        let status = home.status();
        assert!(!status.installed && !status.loaded && status.drift.is_empty(), "{status:?}");
    }
}

#[test]
fn an_uninstall_keeps_what_a_run_has_written() {
    let home = Home::new(ManagerKind::Launchd);
    home.install().unwrap();
    let text = home.user.home.join("Library/Logs/mcp-reap/schedule.err.log");
    fs::write(&text, "mcp-reap: no\n").unwrap();
    home.schedule().uninstall(false).unwrap();
    assert_eq!(fs::read_to_string(text).unwrap(), "mcp-reap: no\n");
}

#[test]
fn what_a_person_changed_or_wrote_is_left_alone_unless_forced() {
    for kind in KINDS {
        for (content, why) in [
            ("edited", "it was changed after mcp-reap wrote it"),
            ("foreign", "mcp-reap did not write it"),
            ("link", "it is a symbolic link"),
        ] {
            let home = Home::new(kind);
            home.install().unwrap();
            let path = home.main_file();
            match content {
                "edited" => fs::write(&path, fs::read_to_string(&path).unwrap() + "\n# mine\n").unwrap(),
                "foreign" => fs::write(&path, "[Service]\nExecStart=/bin/true\n").unwrap(),
                _ => {
                    let kept = home.user.home.join("dotfile");
                    fs::rename(&path, &kept).unwrap();
                    symlink(kept, &path).unwrap();
                }
            }
            let (before, _) = (home.files(), home.orders());
            let expected = format!("{} is left alone: {why}", path.display());
            assert_eq!(home.install().unwrap_err().to_string(), expected);
            assert_eq!(home.schedule().uninstall(false).unwrap_err().to_string(), expected);
            assert_eq!((home.files(), home.orders()), (before, Vec::new()), "{content}");
            let home_name = home.user.home.to_str().unwrap().to_owned();
            let expected = format!("{}: {why}", path.display()).replace(&home_name, "~");
            assert!(home.drift().contains(&expected), "{:?}", home.drift());
            // Forced, it goes beside; and back, when that comes to nothing.
            let forced = Request { force: true, ..home.request() };
            let before = home.files();
            let order = if kind == ManagerKind::Systemd { "restart" } else { "bootstrap" };
            home.broken.borrow_mut().push(order);
            home.launchctl.borrow_mut().loaded = None;
            home.schedule().install(&forced).unwrap_err();
            assert_eq!(home.files(), before, "{content}");
            home.broken.borrow_mut().clear();
            let moved = home.schedule().install(&forced).unwrap().moved;
            let aside = format!("{}.before-mcp-reap", path.display());
            assert_eq!(moved, [std::path::PathBuf::from(&aside)]);
            assert_eq!(home.drift(), Vec::<String>::new());
            let aside = aside.strip_prefix(&format!("{home_name}/")).unwrap();
            let name = path.strip_prefix(&home_name).unwrap().to_str().unwrap();
            assert_eq!(home.files()[aside], before[name], "{content}");
        }
    }
}

#[test]
fn a_failed_install_leaves_everything_as_it_was() {
    for (kind, orders) in
        [(ManagerKind::Systemd, &SYSTEMD_ORDERS[..]), (ManagerKind::Launchd, &["bootstrap"])]
    {
        for order in orders {
            // On a home without a schedule.
            let home = Home::new(kind);
            home.broken.borrow_mut().push(order);
            let error = home.install().unwrap_err();
            assert!(error.to_string().contains("broken for this test"), "{error}");
            assert!(home.files().is_empty(), "{order}: {:?}", home.files());
            // Over another schedule, which goes on.
            home.broken.borrow_mut().clear();
            let before = home.install().unwrap();
            let files = home.files();
            home.broken.borrow_mut().push(order);
            let request = Request { calendar: Calendar::daily("12:00").unwrap(), ..home.request() };
            assert!(matches!(home.schedule().install(&request), Err(ScheduleError::Refused { .. })));
            assert_eq!(home.files(), files, "{order}");
            assert_eq!(home.status().job, Some(before.job));
        }
    }
}

#[test]
fn a_manager_that_reports_success_and_does_nothing_is_not_believed() {
    let home = Home::new(ManagerKind::Systemd);
    home.systemctl.borrow_mut().deaf = true;
    let error = home.install().unwrap_err();
    assert_eq!(error.to_string(), "systemd has not taken it up: installed, but not loaded");
    assert!(home.files().is_empty());
}

#[test]
fn units_of_others_that_come_first_are_found_out() {
    let home = Home::new(ManagerKind::Systemd);
    let other = home.user.home.join("run/user.control");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("mcp-reap.timer"), "[Timer]\nOnCalendar=daily\n").unwrap();
    home.systemctl.borrow_mut().override_folder = Some(other.clone());
    let error = home.install().unwrap_err().to_string();
    assert!(
        error.contains(&format!("the manager reads {}", other.join("mcp-reap.timer").display())),
        "{error}"
    );
    assert_eq!(home.files().keys().collect::<Vec<_>>(), ["run/user.control/mcp-reap.timer"]);
}

#[test]
fn launchd_is_given_the_time_it_needs() {
    let home = Home::new(ManagerKind::Launchd);
    home.launchctl.borrow_mut().not_yet = 3;
    home.install().unwrap();
    home.launchctl.borrow_mut().slow = 20;
    home.schedule().uninstall(false).unwrap();
    home.install().unwrap();
    home.launchctl.borrow_mut().slow = 1_000_000;
    let error = home.schedule().uninstall(false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`launchctl bootout gui/501/com.mcp-reap` failed: Boot-out failed: 36: Operation now in progress"
    );
    assert!(home.main_file().exists(), "what is still loaded is still installed");
}

#[test]
fn without_a_login_at_the_screen_launchd_takes_it_up_later() {
    let home = Home::new(ManagerKind::Launchd);
    home.launchctl.borrow_mut().logged_in = false;
    let installed = home.install().unwrap();
    assert!(!installed.loaded && home.main_file().exists());
    let status = home.status();
    assert_eq!(status.absent.as_deref(), Some("nobody is logged in at the screen"));
    assert!(status.installed && !status.loaded && status.drift.is_empty(), "{status:?}");
    assert_eq!(home.schedule().uninstall(false).unwrap().files, [home.main_file()]);
}

#[test]
fn without_a_manager_there_is_a_line_for_cron_and_nothing_is_written() {
    for kind in KINDS {
        let home = Home { absent: true, ..Home::new(kind) };
        let ScheduleError::NoManager { manager, why, crontab } = home.install().unwrap_err() else {
            panic!()
        };
        assert_eq!(manager, kind.name());
        assert!(why.ends_with("is not on this machine"), "{why}");
        assert_eq!(
            crontab,
            format!("0 3 * * 0 {} --yes --quiet --wait --started-by schedule", home.binary.display())
        );
        assert!(home.files().is_empty());
        assert_eq!(home.status().absent, Some(why));
    }
    let home = Home::new(ManagerKind::Systemd);
    home.broken.borrow_mut().push("--no-pager show --property=Version");
    assert!(
        matches!(home.install(), Err(ScheduleError::NoManager { why, .. }) if why == "broken for this test")
    );
}

#[test]
fn an_uninstall_without_a_manager_removes_the_files_and_the_link() {
    for (kind, files) in [(ManagerKind::Systemd, 3), (ManagerKind::Launchd, 1)] {
        let mut home = Home::new(kind);
        home.install().unwrap();
        home.absent = true;
        assert_eq!(
            home.schedule().uninstall(false).unwrap().files.len(),
            files,
            "units and a stamp, or an agent"
        );
        assert!(home.files().is_empty(), "{:?}", home.files());
    }
}

#[test]
fn a_forced_uninstall_moves_aside_what_a_person_wrote() {
    for kind in KINDS {
        let home = Home::new(kind);
        home.install().unwrap();
        let edited = fs::read_to_string(home.main_file()).unwrap() + "\n";
        fs::write(home.main_file(), &edited).unwrap();
        let removed = home.schedule().uninstall(true).unwrap();
        assert!(removed.unloaded && !home.main_file().exists(), "{removed:?}");
        assert_eq!(fs::read_to_string(&removed.moved[0]).unwrap(), edited);
        assert_eq!(home.files().len(), 1);
        // And a second one does not go over the first.
        home.install().unwrap();
        fs::write(home.main_file(), "other").unwrap();
        let moved = home.schedule().uninstall(true).unwrap().moved;
        assert!(moved[0].to_str().unwrap().ends_with(".before-mcp-reap-2"), "{moved:?}");
        assert_eq!(fs::read_to_string(&removed.moved[0]).unwrap(), edited);
    }
}

#[test]
fn the_units_go_where_the_manager_looks() {
    let mut home = Home::new(ManagerKind::Systemd);
    // Set in the person's shell, unknown to their manager.
    home.user.config_home = home.user.home.join("elsewhere");
    home.install().unwrap();
    assert!(home.main_file().exists() && !home.user.config_home.exists());
    assert_eq!(home.drift(), Vec::<String>::new());
}

#[test]
fn a_binary_that_will_vanish_is_refused_unless_forced() {
    let mut home = Home::new(ManagerKind::Systemd);
    home.binary = program(&home.user.home.join("src/target/release/mcp-reap"));
    let error = home.install().unwrap_err().to_string();
    assert!(error.contains("a build folder") && error.contains("--force"), "{error}");
    assert!(home.files().keys().all(|name| name.starts_with("src/")));
    // Also under a name that stays: what it leads to does not.
    let link = home.user.home.join("bin/linked");
    symlink(&home.binary, &link).unwrap();
    assert!(home.schedule().install(&Request { binary: link.clone(), ..home.request() }).is_err());
    home.schedule().install(&Request { binary: link, force: true, ..home.request() }).unwrap();
    home.user.temporary = vec![home.user.home.join("bin")];
    home.binary = home.user.home.join("bin/mcp-reap");
    assert!(matches!(home.install(), Err(ScheduleError::WillVanish { .. })));
}

#[test]
fn a_name_that_outlives_an_upgrade_is_preferred() {
    let mut home = Home::new(ManagerKind::Launchd);
    let versioned = program(&home.user.home.join("Cellar/mcp-reap/0.1.0/bin/mcp-reap"));
    home.binary = versioned.clone();
    let error = home.install().unwrap_err().to_string();
    assert!(error.contains("that the next upgrade removes"), "{error}");
    let other = home.user.home.join("other");
    let stable = home.user.home.join("homebrew/bin");
    fs::create_dir_all(&stable).unwrap();
    symlink(&versioned, stable.join("mcp-reap")).unwrap();
    program(&other.join("mcp-reap"));
    home.user.path = vec!["relative".into(), other, stable.clone()];
    assert_eq!(home.install().unwrap().job.binary, stable.join("mcp-reap"));
    assert_eq!(home.drift(), Vec::<String>::new());
}

#[test]
fn what_is_no_program_is_refused() {
    let home = Home::new(ManagerKind::Systemd);
    let request = |name: &str| Request { binary: home.user.home.join(name), force: true, ..home.request() };
    fs::write(home.user.home.join("text"), "").unwrap();
    assert!(matches!(home.schedule().install(&request("text")), Err(ScheduleError::NotExecutable { .. })));
    assert!(matches!(home.schedule().install(&request("bin")), Err(ScheduleError::NotExecutable { .. })));
    assert!(matches!(home.schedule().install(&request("none")), Err(ScheduleError::Io { .. })));
}

#[test]
fn a_path_that_systemd_does_not_run_is_refused_before_anything_is_written() {
    for name in ["it's", "a\"b", "a\\b"] {
        let mut home = Home::new(ManagerKind::Systemd);
        home.binary = program(&home.user.home.join("bin").join(name));
        let error = home.install().unwrap_err().to_string();
        assert!(error.starts_with("systemd runs no program with such a path: "), "{error}");
        assert!(home.files().is_empty());
        home.kind = ManagerKind::Launchd;
        assert!(home.install().unwrap().loaded);
    }
}

#[test]
fn scheduled_runs_read_the_configuration_that_the_person_uses() {
    let mut home = Home::new(ManagerKind::Systemd);
    home.user.kept = [
        ("MCP_REAP_CONFIG".to_owned(), "/of/the/shell.toml".to_owned()),
        ("XDG_STATE_HOME".to_owned(), "/data/state".to_owned()),
    ]
    .into();
    let request = Request { config: Some("/by/hand.toml".into()), ..home.request() };
    home.schedule().install(&request).unwrap();
    let text = fs::read_to_string(home.main_file()).unwrap();
    assert!(
        text.contains(
            "\nEnvironment=MCP_REAP_CONFIG=/by/hand.toml\nEnvironment=XDG_STATE_HOME=/data/state\n"
        )
    );
    assert_eq!(home.drift(), Vec::<String>::new(), "another shell's variables are no drift");
    home.user.kept.clear();
    assert_eq!(home.drift(), Vec::<String>::new());
}
