#![allow(clippy::unwrap_used)]

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::super::settings::HookPresence;
use super::*;

mod refusals;

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
