//! Units that a package laid into `/usr/lib/systemd/user`: the person switches them on and off with
//! `systemctl`, status sees them, an install comes before them, an uninstall leaves them.

use std::fs;
use std::path::PathBuf;

use mcp_reap::schedule::{Calendar, ManagerKind, Request};

use crate::home::{Home, SimulatedManager as _, program};

const UNITS: [&str; 2] = ["mcp-reap.service", "mcp-reap.timer"];

/// A home on a machine with the package, whose timer is off, as packages leave it.
fn packaged() -> (Home, Vec<PathBuf>) {
    let home = Home::new(ManagerKind::Systemd);
    let vendor = home.user.home.join("usr/lib/systemd/user");
    fs::create_dir_all(&vendor).unwrap();
    let service = format!("[Service]\nExecStart={} --yes\n", home.binary.display());
    fs::write(vendor.join(UNITS[0]), service).unwrap();
    fs::write(vendor.join(UNITS[1]), "[Timer]\nOnCalendar=Sun *-*-* 03:00:00\n").unwrap();
    home.systemctl.borrow_mut().vendor_folder = Some(vendor.clone());
    systemctl(&home, &["daemon-reload"]);
    (home, UNITS.map(|unit| vendor.join(unit)).into())
}

fn systemctl(home: &Home, args: &[&str]) {
    let args: Vec<&str> = std::iter::once("--user").chain(args.iter().copied()).collect();
    assert!(home.systemctl.borrow_mut().answer(&args).is_success());
}

fn switch_on(home: &Home) {
    systemctl(home, &["enable", "mcp-reap.timer"]);
    systemctl(home, &["restart", "mcp-reap.timer"]);
}

#[test]
fn a_packages_timer_is_off_until_the_person_switches_it_on() {
    let (home, units) = packaged();
    let off = home.status();
    assert!(!off.is_fine() && !off.installed && !off.loaded, "{off:?}");
    assert_eq!((off.provided, off.drift), (units.clone(), Vec::new()));
    switch_on(&home);
    let on = home.status();
    assert!(on.is_fine() && !on.installed && on.loaded && on.next.is_some(), "{on:?}");
    assert_eq!((on.provided, on.drift), (units, Vec::new()));
}

#[test]
fn a_packages_timer_that_ends_with_the_session_or_starts_another_binary_is_shown() {
    let (mut home, _) = packaged();
    switch_on(&home);
    fs::remove_dir_all(home.user.home.join(".config/systemd/user/timers.target.wants")).unwrap();
    assert_eq!(home.drift(), ["the timer is not enabled: it ends with this session"]);
    switch_on(&home);
    home.binary = program(&home.user.home.join("own/mcp-reap"));
    assert_eq!(home.drift(), ["~/bin/mcp-reap is scheduled, this is ~/own/mcp-reap"]);
    assert!(!home.status().is_fine());
    fs::remove_file(home.user.home.join("bin/mcp-reap")).unwrap();
    assert_eq!(home.drift(), ["~/bin/mcp-reap is gone: every run will fail"]);
}

#[test]
fn an_install_comes_before_the_package_and_an_uninstall_leaves_it() {
    for on in [false, true] {
        let (home, units) = packaged();
        if on {
            switch_on(&home);
        }
        let request = Request { calendar: Calendar::daily("05:00").unwrap(), ..home.request() };
        home.schedule().install(&request).unwrap();
        let status = home.status();
        assert!(status.is_fine() && status.installed && status.provided.is_empty(), "{status:?}");
        let removed = home.schedule().uninstall(false).unwrap();
        assert!(removed.unloaded && removed.provided.is_empty(), "{removed:?}");
        assert!(units.iter().all(|unit| unit.exists()), "the package's own");
        let left = home.status();
        assert!(!left.loaded && left.provided == units && left.drift.is_empty(), "{left:?}");
    }
}

#[test]
fn an_uninstall_names_a_packages_timer_that_is_on_and_leaves_it_on() {
    let (home, units) = packaged();
    assert_eq!(home.schedule().uninstall(false).unwrap(), Default::default(), "off: nothing to say");
    switch_on(&home);
    home.orders();
    let removed = home.schedule().uninstall(false).unwrap();
    assert_eq!((removed.provided, removed.files, removed.unloaded), (units, Vec::new(), false));
    assert_eq!(home.orders(), Vec::<String>::new());
    assert!(home.status().is_fine());
}

#[test]
fn an_install_that_fails_leaves_a_packages_timer_as_it_was() {
    for on in [false, true] {
        let (home, _) = packaged();
        if on {
            switch_on(&home);
        }
        let before = home.files();
        let active = home.systemctl.borrow().active;
        // Enabled, and then the manager runs something else than was written.
        let mine = home.user.home.join(".config/systemd/user/mcp-reap.service");
        home.systemctl.borrow_mut().override_folder = Some(overriding(&home));
        home.install().unwrap_err();
        home.systemctl.borrow_mut().override_folder = None;
        systemctl(&home, &["daemon-reload"]);
        assert!(!mine.exists());
        assert_eq!(home.systemctl.borrow().active, active, "on before: {on}");
        let mut after = home.files();
        after.retain(|name, _| !name.starts_with("run/"));
        assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    }
}

/// A folder that wins over the person's, with a service of the same name.
fn overriding(home: &Home) -> PathBuf {
    let folder = home.user.home.join("run/systemd/user.control");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(UNITS[0]), "[Service]\nExecStart=/bin/true --yes\n").unwrap();
    folder
}
