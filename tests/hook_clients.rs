//! The hooks of Codex, Gemini CLI and Cursor: what is written into whose file, and what comes out again; and Claude
//! Code's plugin, where that is in the place of entries. Through the real binary, in a home of their own.
#![allow(clippy::unwrap_used)]

mod limit;
mod stable_path;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use limit::Limited as _;
use mcp_reap::hook::settings::{self, HookClient, HookCommand, HookPresence};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use tempfile::TempDir;

const OTHERS: [HookClient; 3] = [HookClient::Codex, HookClient::GeminiCli, HookClient::Cursor];

fn command(client: HookClient, program: &str) -> HookCommand {
    HookCommand::new(client, Path::new(program)).unwrap()
}

/// The JSON blocks of the page, in the order of [`HookClient::ALL`].
fn documented() -> Vec<Value> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/hooks.md")).unwrap();
    let blocks = page.split("```json\n").skip(1);
    blocks.map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap()).collect()
}

#[test]
fn the_page_shows_what_an_install_writes() {
    let blocks = documented();
    assert_eq!(blocks.len(), HookClient::ALL.len());
    for (client, block) in HookClient::ALL.into_iter().zip(blocks).skip(1) {
        let written = settings::install("", &command(client, "/usr/local/bin/mcp-reap")).unwrap().text;
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), block, "{client:?}");
    }
}

#[test]
fn what_a_person_wrote_by_hand_is_known_and_followed() {
    for (client, text) in [
        (
            HookClient::Codex,
            r#"{"hooks": {"SessionEnd": [{"hooks": [{"type": "command", "command": "\"/x y/mcp-reap\" hook run"}]}]}}"#,
        ),
        (
            HookClient::GeminiCli,
            r#"{"hooks": {"SessionEnd": [{"hooks": [{"type": "command", "command": "'/x y/mcp-reap' hook run", "timeout": 9}]}]}}"#,
        ),
        (
            HookClient::Cursor,
            r#"{"version": 1, "hooks": {"sessionEnd": [{"command": "/x\\ y/mcp-reap hook run", "timeout": 9}]}}"#,
        ),
    ] {
        let here = command(client, "/usr/bin/mcp-reap");
        let found = settings::status(text, &here).unwrap();
        assert_eq!(found.events[0].1, HookPresence::OtherBinary("/x y/mcp-reap".into()), "{client:?}");
        let change = settings::install(text, &here).unwrap();
        let moved = settings::Edit::Moved { event: client.events()[0], from: "/x y/mcp-reap".into() };
        assert_eq!(change.edits[0], moved);
        assert!(change.text.contains("\"/usr/bin/mcp-reap hook run\"") && !change.text.contains("x y"));
        // What the person set beside it stays.
        assert_eq!(change.text.contains("\"timeout\": 9"), text.contains("\"timeout\": 9"));
    }
}

#[test]
fn another_programs_entries_stay_and_so_does_a_matcher_of_the_persons_own() {
    let theirs = json!({"type": "command", "command": "notify-send bye"});
    for client in OTHERS {
        let entry = |command: &str| match client {
            HookClient::Cursor => json!({"command": command}),
            _ => json!({"hooks": [{"type": "command", "command": command}]}),
        };
        let event = client.events()[0];
        let before = json!({"version": 1, "hooks": {event: [entry("notify-send bye"), entry("/x/mcp-reap hook run --quiet")]}});
        let installed = settings::install(&before.to_string(), &command(client, "/x/mcp-reap")).unwrap().text;
        let left = settings::uninstall(client, &installed, "[\"not these\"]").unwrap().text;
        assert_eq!(left, before.to_string(), "{client:?}");
    }
    let own = json!({"hooks": {"SessionStart": [{"matcher": "resume", "hooks": [
        {"type": "command", "command": "/x/mcp-reap hook run"}, theirs]}]}});
    let left = settings::uninstall(HookClient::Codex, &own.to_string(), "").unwrap().text;
    assert_eq!(
        serde_json::from_str::<Value>(&left).unwrap(),
        json!({"hooks": {"SessionStart": [{"matcher": "resume", "hooks": [theirs]}]}})
    );
}

#[test]
fn cursors_file_gets_its_version_once() {
    let here = command(HookClient::Cursor, "/x/mcp-reap");
    for (before, version) in [("", 1), ("{}", 1), (r#"{"hooks": {}}"#, 1), (r#"{"version": 2}"#, 2)] {
        let text = settings::install(before, &here).unwrap().text;
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&value["version"], text.matches("version").count()), (&version.into(), 1), "{text}");
        assert_eq!(settings::uninstall(HookClient::Cursor, &text, before).unwrap().text, before);
    }
}

#[test]
fn gemini_clis_own_switches_are_seen() {
    let here = command(HookClient::GeminiCli, "/x/mcp-reap");
    for (text, off) in [
        (r#"{"hooksConfig": {"enabled": false}}"#, true),
        (r#"{"hooksConfig": {"disabled": ["other", "mcp-reap"]}}"#, true),
        (r#"{"hooksConfig": {"enabled": true, "disabled": ["other"]}}"#, false),
        (r#"{"disableAllHooks": true}"#, false),
    ] {
        assert_eq!(settings::status(text, &here).unwrap().hooks_disabled, off, "{text}");
    }
}

/// Files as they may be: other entries around ours, on one line or many, with or without what is needed.
fn file() -> impl Strategy<Value = String> {
    let theirs = select(vec![
        "",
        r#""sessionEnd": [], "SessionEnd": [ ]"#,
        r#""sessionEnd": [{"command": "bye"}], "SessionStart": [{"matcher": "startup", "hooks": [{"type": "command", "command": "hi"}]}]"#,
        "\"Stop\":\r\n\t[7]",
    ]);
    let hooks = (theirs, select(vec!["", " ", "\n  "]))
        .prop_map(|(events, blank)| format!("{{{blank}{events}{blank}}}"));
    let first = select(vec!["", "\"version\": 1,", "\"a\": 1e400,", "\n\t\"b\" : {},"]);
    let blank = select(vec!["", "\n", "\n  ", " "]);
    (first, hooks, blank)
        .prop_map(|(first, hooks, blank)| format!("{{{first}{blank}\"hooks\":{hooks}{blank}}}"))
}

proptest! {
    #[test]
    fn what_goes_in_comes_out_to_the_byte(before in file(), client in select(OTHERS.to_vec())) {
        let here = command(client, "/opt/o'neil $HOME/mcp-reap");
        let change = settings::install(&before, &here).unwrap();
        prop_assert_eq!(change.edits.len(), client.events().len());
        let found = settings::status(&change.text, &here).unwrap();
        prop_assert!(found.events.iter().all(|(_, at)| *at == HookPresence::Installed));
        prop_assert_eq!(settings::install(&change.text, &here).unwrap().edits, vec![]);
        prop_assert_eq!(settings::uninstall(client, &change.text, &before).unwrap().text, before.clone());
        prop_assert_eq!(settings::uninstall(client, &before, "").unwrap().edits, vec![]);
        // A program that moves there and back leaves nothing behind.
        let moved = settings::install(&change.text, &command(client, "/new/mcp-reap")).unwrap().text;
        prop_assert_eq!(settings::install(&moved, &here).unwrap().text, change.text);
    }
}

/// A home, and a program in it that stays where it is.
struct Home {
    dir: TempDir,
    program: PathBuf,
}

impl Home {
    fn new() -> Home {
        let dir = stable_path::folder();
        let program = stable_path::install_in(dir.path());
        Home { dir, program }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    fn run(&self, program: &Path, args: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", self.dir.path()).env("PATH", "/usr/bin:/bin");
        command.current_dir(self.dir.path()).args(args).output_soon()
    }

    /// Runs it, and holds it to its exit code.
    fn output_of(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(&self.program, args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{said}");
        said
    }

    fn json(&self, code: i32, args: &[&str]) -> Value {
        serde_json::from_str(&self.output_of(code, args)).unwrap()
    }
}

/// The flag's word, the file, and how many entries an install writes.
const FILES: [(&str, &str, usize); 3] = [
    ("codex", ".codex/hooks.json", 2),
    ("gemini", ".gemini/settings.json", 2),
    ("cursor", ".cursor/hooks.json", 1),
];

#[test]
fn each_client_has_its_own_file_and_gets_it_back_as_it_was() {
    for (client, name, entries) in FILES {
        let home = Home::new();
        let before = "{\r\n\t\"theirs\": [1.0, \"\\u00fc\"]\r\n}";
        let file = home.write(name, before);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let hook = |verb: &'static str| ["hook", verb, "--client", client];
        assert!(home.output_of(1, &hook("status")).contains("not installed"));
        // A dry run shows the file and leaves it.
        let shown = home.output_of(0, &["hook", "install", "--client", client, "--dry-run"]);
        assert!(shown.contains("mcp-reap hook run") && shown.contains("\"theirs\""), "{shown}");
        assert_eq!(fs::read_to_string(&file).unwrap(), before);

        let said = home.output_of(0, &hook("install"));
        assert_eq!(said.matches(": added").count(), entries, "{said}");
        let text = fs::read_to_string(&file).unwrap();
        let line = format!("{} hook run", home.program.display());
        assert_eq!(text.matches(&line).count(), entries, "{text}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        let backup = home.path(&format!("{name}.mcp-reap-backup"));
        assert_eq!(fs::read_to_string(&backup).unwrap(), before);
        assert!(home.output_of(0, &hook("install")).contains("already installed"));
        assert!(!home.path(".claude").exists(), "Claude Code's settings are not meant");

        assert_eq!(home.output_of(0, &hook("uninstall")).matches(": removed").count(), entries);
        assert_eq!(fs::read_to_string(&file).unwrap(), before);
        assert!(!backup.exists());
        assert!(home.output_of(0, &hook("uninstall")).contains("nothing changed"));
    }
}

#[test]
fn a_link_stays_one_and_a_file_that_was_not_there_goes_again() {
    for (client, name, _) in FILES {
        let home = Home::new();
        home.output_of(0, &["hook", "install", "--client", client]);
        assert!(home.path(name).exists());
        home.output_of(0, &["hook", "uninstall", "--client", client]);
        assert!(!home.path(name).exists());
        let target = home.write("dotfiles/hooks", "{}\n");
        symlink(&target, home.path(name)).unwrap();
        home.output_of(0, &["hook", "install", "--client", client]);
        assert!(home.path(name).is_symlink() && fs::read_to_string(&target).unwrap().contains("hook run"));
        home.output_of(0, &["hook", "uninstall", "--client", client]);
        assert!(home.path(name).is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "{}\n");
    }
}

#[test]
fn what_is_no_settings_or_a_program_that_will_be_gone_is_refused() {
    for (client, name, _) in FILES {
        let home = Home::new();
        for (content, message) in [
            ("{ // mine\n}", "not valid JSON at line 1, column 3"),
            ("[]", "the value at line 1, column 1 is not an object"),
            ("{\"hooks\": 7}", "`hooks` at line 1, column 11 is not an object"),
        ] {
            let file = home.write(name, content);
            let said = home.output_of(2, &["hook", "install", "--client", client]);
            assert!(said.contains(message) && said.contains(name), "{said}");
            assert_eq!(fs::read_to_string(&file).unwrap(), content);
        }
        fs::remove_file(home.path(name)).unwrap();
        let built = Path::new(env!("CARGO_BIN_EXE_mcp-reap"));
        let refused = home.run(built, &["hook", "install", "--client", client]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("build folder"));
        assert!(!home.path(name).exists());
    }
    assert!(Home::new().output_of(2, &["hook", "status", "--client", "vim"]).contains("vim"));
}

#[test]
fn codex_is_said_to_want_trust_and_status_knows_whether_it_was_given() {
    let home = Home::new();
    let said = home.output_of(0, &["hook", "install", "--client", "codex"]);
    assert!(said.contains("now trust it") && said.contains("/hooks"), "{said}");
    let said = home.output_of(1, &["hook", "status", "--client", "codex"]);
    assert_eq!(said.matches("but Codex passes over it").count(), 2, "{said}");
    assert!(home.output_of(0, &["doctor"]).contains("Codex passes over it"));
    let hooks = home.path(".codex/hooks.json");
    let trusted = |events: &[&str]| {
        let state = |event: &&str| {
            format!("[hooks.state.\"{}:{event}:0:0\"]\ntrusted_hash = \"sha256:0\"\n", hooks.display())
        };
        events.iter().map(state).collect::<String>()
    };
    home.write(".codex/config.toml", &trusted(&["session_end"]));
    let status = home.json(1, &["hook", "status", "--client", "codex", "--json"]);
    assert_eq!(status["client"], "codex");
    assert_eq!(status["events"]["SessionEnd"], json!({"installed": true, "trust": "recorded"}));
    assert_eq!(status["events"]["SessionStart"], json!({"installed": true, "trust": "not-asked"}));
    home.write(".codex/config.toml", &trusted(&["session_end", "session_start"]));
    assert!(home.output_of(0, &["hook", "status", "--client", "codex"]).contains("told to trust it"));
    home.write(
        ".codex/config.toml",
        &format!("[features]\nhooks = false\n{}", trusted(&["session_end", "session_start"])),
    );
    assert!(home.output_of(1, &["hook", "status", "--client", "codex"]).contains("no hook runs"));
    home.write(".codex/config.toml", "model = ");
    assert!(home.output_of(2, &["hook", "status", "--client", "codex"]).contains("config.toml"));
    // An uninstall says nothing of trust.
    assert!(!home.output_of(0, &["hook", "uninstall", "--client", "codex"]).contains("trust"));
}

#[test]
fn a_folder_that_the_client_was_given_is_the_one_that_is_written() {
    let home = Home::new();
    for (client, variable, name) in [
        ("codex", "CODEX_HOME", "elsewhere/hooks.json"),
        ("gemini", "GEMINI_CLI_HOME", "elsewhere/.gemini/settings.json"),
    ] {
        let mut command = Command::new(&home.program);
        command.env_clear().env("HOME", home.dir.path()).env(variable, home.path("elsewhere"));
        let output = command.args(["hook", "install", "--client", client]).output_soon();
        assert!(output.status.success());
        assert!(home.path(name).exists() && !home.path(&format!(".{client}")).exists());
    }
}

#[test]
fn status_sees_an_enabled_plugin_and_what_both_together_mean() {
    let home = Home::new();
    let settings = |on: bool| json!({"enabledPlugins": {"mcp-reap@mcp-reap": on}}).to_string();
    home.write(".claude/settings.json", &settings(true));
    assert!(home.output_of(1, &["hook", "status"]).contains("enabled by"), "but fetched by nobody");
    home.write(
        ".claude/plugins/installed_plugins.json",
        r#"{"version": 2, "plugins": {"mcp-reap@mcp-reap": [{"scope": "user", "installPath": "/x", "version": "0.1.0"}]}}"#,
    );
    let status = home.json(0, &["hook", "status", "--json"]);
    assert_eq!(status["plugin"]["id"], "mcp-reap@mcp-reap");
    assert_eq!((&status["plugin"]["enabled"], &status["plugin"]["installed"]), (&true.into(), &true.into()));
    assert_eq!(status["events"]["SessionEnd"]["installed"], false);
    assert!(home.output_of(0, &["doctor"]).contains("as the plugin mcp-reap@mcp-reap"));
    home.output_of(0, &["hook", "install"]);
    assert!(home.output_of(0, &["hook", "status"]).contains("one of both is enough"));
    home.output_of(0, &["hook", "uninstall"]);
    home.write(".claude/settings.json", &settings(false));
    assert!(home.output_of(1, &["hook", "status"]).contains("installed, not enabled"));
    // A project of its own says otherwise, and only it is told so.
    home.write(".claude/settings.local.json", &settings(true));
    home.output_of(1, &["hook", "status"]);
    let off = json!({"disableAllHooks": true, "enabledPlugins": {"mcp-reap@mcp-reap": true}}).to_string();
    home.write(".claude/settings.json", &off);
    assert!(home.output_of(1, &["hook", "status"]).contains("no hook runs"), "the plugin's neither");
}
