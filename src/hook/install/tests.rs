#![allow(clippy::unwrap_used)]

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::super::settings::HookPresence;
use super::*;

/// A home of its own, with what the tests look at most.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Home {
        Home { folder: tempfile::tempdir().unwrap() }
    }

    fn with(content: &str) -> Home {
        let home = Home::new();
        fs::create_dir(home.path(".claude")).unwrap();
        fs::write(home.settings(), content).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self) -> PathBuf {
        self.path(".claude/settings.json")
    }

    fn backup(&self) -> PathBuf {
        self.path(".claude/settings.json.mcp-reap-backup")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.settings()).unwrap()
    }

    /// Every name below the home, in order.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                names.push(path.strip_prefix(self.folder.path()).unwrap().to_str().unwrap().to_owned());
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                }
            }
        }
        names.sort();
        names
    }

    fn install(&self) -> Result<SettingsReport, InstallError> {
        install(&self.settings(), &command("/opt/mcp-reap"), true)
    }

    fn uninstall(&self) -> Result<SettingsReport, InstallError> {
        uninstall(CLAUDE, &self.settings())
    }
}

const CLAUDE: HookClient = HookClient::ClaudeCode;

fn command(program: &str) -> HookCommand {
    HookCommand::new(CLAUDE, Path::new(program)).unwrap()
}

/// Why the file was left alone, and that it was.
fn refused(home: &Home, done: Result<SettingsReport, InstallError>) -> DiskError {
    assert!(!home.names().iter().any(|name| name.contains(".mcp-reap-")), "{:?}", home.names());
    match done.unwrap_err() {
        InstallError::Disk { why, .. } => why,
        other => panic!("{other}"),
    }
}

const BEFORE: &str = "{\n  \"model\": \"opus\"\n}\n";

#[test]
fn an_install_and_an_uninstall_leave_the_folder_as_it_was() {
    let home = Home::with(BEFORE);
    let before = home.names();
    let report = home.install().unwrap();
    assert_eq!(report.edits.len(), 2);
    assert_eq!(report.file, home.settings().canonicalize().unwrap());
    assert_eq!(report.backup, Some(home.backup()));
    assert_eq!(fs::read_to_string(home.backup()).unwrap(), BEFORE);
    assert!(home.text().contains("/opt/mcp-reap"));
    let here = status(&home.settings(), &command("/opt/mcp-reap")).unwrap();
    let both = ["SessionEnd", "SessionStart"].map(|event| (event, HookPresence::Installed));
    assert_eq!(here.events, both);

    let report = home.uninstall().unwrap();
    assert_eq!((report.edits.len(), report.backup, report.removed), (2, None, false));
    assert_eq!(home.text(), BEFORE);
    assert_eq!(home.names(), before);
}

#[test]
fn a_file_that_was_missing_is_made_and_is_missing_again() {
    let home = Home::new();
    let report = home.install().unwrap();
    assert_eq!(report.backup, None);
    assert_eq!(home.names(), [".claude", ".claude/settings.json"]);
    let report = home.uninstall().unwrap();
    assert!(report.removed);
    assert_eq!(home.names(), [".claude"]);
}

#[test]
fn an_empty_file_is_empty_again() {
    let home = Home::with("");
    home.install().unwrap();
    let report = home.uninstall().unwrap();
    assert!(!report.removed);
    assert_eq!(home.names(), [".claude", ".claude/settings.json"]);
    assert_eq!(home.text(), "");
}

#[test]
fn what_is_installed_already_is_not_written_again() {
    let home = Home::with(BEFORE);
    home.install().unwrap();
    let inode = fs::metadata(home.settings()).unwrap().ino();
    let report = home.install().unwrap();
    assert_eq!(report.edits, []);
    assert_eq!(report.backup, Some(home.backup()));
    assert_eq!(fs::metadata(home.settings()).unwrap().ino(), inode);
}

#[test]
fn nothing_to_uninstall_makes_nothing() {
    let home = Home::new();
    assert_eq!(home.uninstall().unwrap().edits, []);
    assert_eq!(home.names(), Vec::<String>::new());
    let home = Home::with(BEFORE);
    assert_eq!(home.uninstall().unwrap().edits, []);
    assert_eq!(home.names(), [".claude", ".claude/settings.json"]);
}

#[test]
fn a_good_backup_is_replaced_only_by_a_good_one() {
    let backup_after = |kept: &str, now: &str| {
        let home = Home::with(now);
        fs::write(home.backup(), kept).unwrap();
        home.install().unwrap();
        fs::read_to_string(home.backup()).unwrap()
    };
    let old = "{\"old\": true}";
    assert_eq!(backup_after(old, BEFORE), BEFORE, "newer settings");
    assert_eq!(backup_after(old, ""), old, "something emptied the file");
    assert_eq!(backup_after(old, "\n"), old, "something emptied the file");
    let half = settings::install(BEFORE, &command("/elsewhere/mcp-reap")).unwrap().text;
    assert_eq!(backup_after(old, &half), old, "not from before the first change");
    let home = Home::with(&half);
    home.install().unwrap();
    assert_eq!(fs::read_to_string(home.backup()).unwrap(), half, "better than none");
}

#[test]
fn what_the_person_changed_meanwhile_stays_and_so_does_the_backup() {
    let home = Home::with(BEFORE);
    home.install().unwrap();
    fs::write(home.settings(), home.text().replace("opus", "sonnet")).unwrap();
    let report = home.uninstall().unwrap();
    assert_eq!(home.text(), BEFORE.replace("opus", "sonnet"));
    assert_eq!(report.backup, Some(home.backup()));
    assert_eq!(fs::read_to_string(home.backup()).unwrap(), BEFORE);
}

#[test]
fn a_backup_with_our_own_entries_in_it_is_not_restored() {
    let half = settings::install(BEFORE, &command("/elsewhere/mcp-reap")).unwrap().text;
    let home = Home::with(&half);
    home.install().unwrap();
    assert_eq!(fs::read_to_string(home.backup()).unwrap(), half);
    home.uninstall().unwrap();
    assert_eq!(home.text(), BEFORE);
}

#[test]
fn a_link_stays_a_link_and_its_target_is_written() {
    let home = Home::new();
    fs::create_dir_all(home.path("dotfiles/claude")).unwrap();
    fs::create_dir(home.path(".claude")).unwrap();
    let target = home.path("dotfiles/claude/settings.json");
    fs::write(&target, BEFORE).unwrap();
    symlink("../dotfiles/claude/settings.json", home.settings()).unwrap();
    let report = home.install().unwrap();
    assert_eq!(report.file, target.canonicalize().unwrap());
    assert!(home.settings().is_symlink());
    assert!(fs::read_to_string(&target).unwrap().contains("/opt/mcp-reap"));
    assert_eq!(fs::read_dir(home.path("dotfiles/claude")).unwrap().count(), 1, "no backup in the repository");
    home.uninstall().unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), BEFORE);
    assert!(home.settings().is_symlink());
}

#[test]
fn the_mode_stays_for_the_file_and_its_backup() {
    for mode in [0o600, 0o640, 0o644, 0o666, 0o755] {
        let home = Home::with(BEFORE);
        fs::set_permissions(home.settings(), fs::Permissions::from_mode(mode)).unwrap();
        home.install().unwrap();
        let is = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        assert_eq!((is(&home.settings()), is(&home.backup())), (mode, mode));
    }
}

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
fn the_settings_are_where_the_client_looks_for_them() {
    let file_of = |client, scope: &SettingsScope, variables: &[(&str, &str)]| {
        let found =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        scope.file(client, found).map_err(|error| error.to_string())
    };
    let file = |scope: &SettingsScope, variables: &[(&str, &str)]| file_of(CLAUDE, scope, variables);
    let both = [("HOME", "/h"), ("CLAUDE_CONFIG_DIR", "/c")];
    let project = SettingsScope::Project("/p".into());
    for (scope, variables, expected) in [
        (&SettingsScope::User, &both[..1], Ok("/h/.claude/settings.json")),
        (&SettingsScope::User, &both, Ok("/c/settings.json")),
        (&SettingsScope::User, &[("HOME", "/h"), ("CLAUDE_CONFIG_DIR", "")], Ok("/h/.claude/settings.json")),
        (&SettingsScope::User, &[], Err("no home directory: HOME is not set")),
        (&SettingsScope::User, &[("CLAUDE_CONFIG_DIR", "c")], Err("c is not an absolute path")),
        (&project, &both, Ok("/p/.claude/settings.json")),
        (&SettingsScope::Project("p".into()), &both, Err("p/.claude is not an absolute path")),
    ] {
        let expected = expected.map(PathBuf::from).map_err(str::to_owned);
        assert_eq!(file(scope, variables), expected, "{scope:?} {variables:?}");
    }
    for (client, variable, own, moved) in [
        (HookClient::Codex, "CODEX_HOME", ".codex/hooks.json", "hooks.json"),
        (HookClient::GeminiCli, "GEMINI_CLI_HOME", ".gemini/settings.json", ".gemini/settings.json"),
        (HookClient::Cursor, "CURSOR_HOME", ".cursor/hooks.json", "../h/.cursor/hooks.json"),
    ] {
        let user = |variables| file_of(client, &SettingsScope::User, variables);
        let at = |folder: &str, name: &str| Ok(PathBuf::from(format!("{folder}/{name}")));
        assert_eq!(user(&[("HOME", "/h")]), at("/h", own));
        let expected = if moved.starts_with("..") { at("/h", own) } else { at("/c", moved) };
        assert_eq!(user(&[("HOME", "/h"), (variable, "/c")]), expected);
        assert_eq!(file_of(client, &project, &both), at("/p", own));
    }
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
