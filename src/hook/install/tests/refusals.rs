//! Files and programs that are left alone, with the reason.

use super::*;

#[test]
fn what_is_not_a_plain_file_of_ours_is_refused() {
    let home = Home::new();
    fs::create_dir_all(home.settings()).unwrap();
    assert!(matches!(refused(&home, home.install()), DiskError::NotRegular), "a folder");

    let home = Home::with(BEFORE);
    fs::remove_file(home.settings()).unwrap();
    nix::unistd::mkfifo(&home.settings(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(matches!(refused(&home, home.install()), DiskError::NotRegular), "a FIFO, without waiting");
    assert!(status(&home.settings(), &command("/opt/mcp-reap")).is_err());

    let home = Home::with(BEFORE);
    fs::remove_file(home.settings()).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(home.settings()).unwrap();
    assert!(matches!(refused(&home, home.install()), DiskError::NotRegular), "a socket");

    let home = Home::with(BEFORE);
    fs::remove_file(home.settings()).unwrap();
    symlink("nowhere", home.settings()).unwrap();
    assert!(matches!(refused(&home, home.install()), DiskError::Dangling));
    assert!(matches!(refused(&home, home.uninstall()), DiskError::Dangling));

    let home = Home::with(BEFORE);
    symlink("/dev/null", home.backup()).unwrap();
    let error = home.install().unwrap_err().to_string();
    assert!(error.ends_with("settings.json.mcp-reap-backup: not a regular file"), "{error}");
    assert_eq!(home.text(), BEFORE);

    let home = Home::with(BEFORE);
    fs::hard_link(home.settings(), home.path("second")).unwrap();
    assert!(matches!(refused(&home, home.install()), DiskError::HardLinked));

    let home = Home::with(BEFORE);
    fs::set_permissions(home.settings(), fs::Permissions::from_mode(0o444)).unwrap();
    assert!(matches!(refused(&home, home.install()), DiskError::ReadOnly));

    let large = format!("{{\"x\": \"{}\"}}", "x".repeat(4 << 20));
    let home = Home::with(&large);
    assert!(matches!(refused(&home, home.install()), DiskError::TooLarge(_)));
    assert!(status(&home.settings(), &command("/opt/mcp-reap")).is_err());
}

#[test]
fn files_of_others_are_refused() {
    // Root's own, as everywhere; where the tests run as root it is ours.
    let passwd = Path::new("/etc/passwd");
    let us = rustix::process::geteuid();
    let read = disk::read(&passwd.canonicalize().unwrap(), LARGEST);
    assert_eq!(matches!(read, Err(DiskError::NotOwner(0))), !us.is_root());
}

#[test]
fn what_is_not_settings_stays_as_it_is() {
    for (content, message) in [
        (&b"{ // comment\n}"[..], "settings.json: not valid JSON at line 1, column 3"),
        (b"{\"a\": \"\xff\"}", "settings.json: not UTF-8 from byte 7 on"),
        (b"[]", "settings.json: the value at line 1, column 1 is not an object"),
    ] {
        let home = Home::with("");
        fs::write(home.settings(), content).unwrap();
        let error = home.install().unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
        assert_eq!(fs::read(home.settings()).unwrap(), content);
        assert_eq!(home.names(), [".claude", ".claude/settings.json"]);
    }
}

#[test]
fn a_change_by_another_program_is_seen_and_wins() {
    let write = |home: &Home, held: &SettingsFile| {
        let done = disk::replace(&held.file, held.seen.as_ref(), None, b"ours");
        assert!(matches!(done, Err(DiskError::Changed)), "{done:?}");
        assert!(!home.names().iter().any(|name| name.starts_with(".claude/.")), "{:?}", home.names());
    };
    // Written in place, even with the old time and size.
    let home = Home::with(BEFORE);
    let held = SettingsFile::open(&home.settings()).unwrap();
    let time = fs::metadata(home.settings()).unwrap().modified().unwrap();
    fs::write(home.settings(), BEFORE.replace("opus", "supo")).unwrap();
    fs::File::options().write(true).open(home.settings()).unwrap().set_modified(time).unwrap();
    write(&home, &held);
    assert_eq!(home.text(), BEFORE.replace("opus", "supo"));

    // Replaced by a file of the same bytes: another program is changing it.
    let home = Home::with(BEFORE);
    let held = SettingsFile::open(&home.settings()).unwrap();
    fs::write(home.path("new"), BEFORE).unwrap();
    fs::rename(home.path("new"), home.settings()).unwrap();
    write(&home, &held);

    // Removed, or made where there was none.
    let home = Home::with(BEFORE);
    let held = SettingsFile::open(&home.settings()).unwrap();
    fs::remove_file(home.settings()).unwrap();
    write(&home, &held);
    let held = SettingsFile::open(&home.settings()).unwrap();
    fs::write(home.settings(), "theirs").unwrap();
    write(&home, &held);
    assert_eq!(home.text(), "theirs");

    // And nobody removes what somebody just wrote.
    let home = Home::with(BEFORE);
    let held = SettingsFile::open(&home.settings()).unwrap();
    fs::write(home.settings(), "theirs").unwrap();
    assert!(matches!(disk::remove(&held.file, held.seen.as_ref().unwrap()), Err(DiskError::Changed)));
    assert_eq!(home.text(), "theirs");
}

#[test]
fn a_folder_that_cannot_be_written_leaves_the_file_whole() {
    if rustix::process::geteuid().is_root() {
        return; // root writes everywhere
    }
    let home = Home::with(BEFORE);
    let folder = home.path(".claude");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    let done = home.install();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(matches!(refused(&home, done), DiskError::Io(_)));
    assert_eq!(home.text(), BEFORE);
}

#[test]
fn a_program_that_will_be_gone_or_is_none_is_refused_unless_forced() {
    let home = Home::with(BEFORE);
    let refused =
        |program: &str| install(&home.settings(), &command(program), false).unwrap_err().to_string();
    assert!(refused("/tmp/mcp-reap").contains("is in a folder that may be emptied at any time"));
    assert!(refused("/x/target/debug/mcp-reap").contains("is in a build folder"));
    assert_eq!(refused("/nowhere/mcp-reap"), "/nowhere/mcp-reap is not an executable file");
    assert_eq!(home.text(), BEFORE);
    assert_eq!(home.names(), [".claude", ".claude/settings.json"]);
    install(&home.settings(), &command("/tmp/mcp-reap"), true).unwrap();
    assert!(home.text().contains("/tmp/mcp-reap"));
}
