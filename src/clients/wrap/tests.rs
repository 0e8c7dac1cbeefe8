#![allow(clippy::unwrap_used)]

mod dialects;
mod refusals;

use std::fs;

use super::*;
use crate::clients::{Os, read};
use crate::os::stable_path::Vanishing;

const PROGRAM: &str = "/usr/local/bin/mcp-reap";

/// A configuration with one server, called `notes`.
const ENTRY: &str = r#"{"mcpServers": {"notes": {"command": "npx"}}}"#;

fn program() -> Settled {
    Settled { path: PROGRAM.into(), danger: None, executable: Ok(true) }
}

/// A machine with one person: a root, and in it a home.
struct Home {
    _folder: tempfile::TempDir,
    places: Places,
}

impl Home {
    fn new() -> Home {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let home = root.join("home");
        fs::create_dir(&home).unwrap();
        Home { _folder: folder, places: Places { root, ..Places::new(home, Os::Linux) } }
    }

    fn with(self, path: &str, content: &str) -> Home {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// In the home, or from the root.
    fn path(&self, path: &str) -> PathBuf {
        path.strip_prefix('/').map_or_else(|| self.places.home.join(path), |rest| self.places.root.join(rest))
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn install(&self, client: &str, name: &str) -> Result<WrapChange, Refusal> {
        install(&self.places, &read(&self.places), (client, name), &program(), &|_| None)
    }

    fn uninstall(&self) -> Vec<Result<WrapChange, Refusal>> {
        uninstall(&read(&self.places), None, None, &|_| None).into_iter().map(|(_, done)| done).collect()
    }

    /// Every name in a folder of the home, in order.
    fn names(&self, folder: &str) -> Vec<String> {
        let names = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> = names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn an_uninstall_goes_by_content_whoever_wrote_the_entry() {
    for (written, restored) in [
        (r#""command": "mcp-reap", "args": ["exec", "npx", "-y"]"#, r#""command": "npx", "args": ["-y"]"#),
        (
            r#""command": "/o/mcp-reap", "args": ["exec", "--linger", "5s", "--", "npx", "-y"]"#,
            r#""command": "npx", "args": ["-y"]"#,
        ),
        // Nobody knows any more whether there were arguments; none and an empty list mean the same.
        (r#""command": "/o/mcp-reap", "args": ["exec", "--", "npx"]"#, r#""command": "npx""#),
        (r#""args": ["exec", "--", "npx"], "command": "/o/mcp-reap""#, r#""args": [], "command": "npx""#),
    ] {
        let file = |entry: &str| format!(r#"{{"mcpServers": {{"a": {{{entry}}}}}}}"#);
        // Cursor's approval is no reason to leave a server behind that will not start.
        let home = Home::new().with(".cursor/mcp.json", &file(written));
        let done = home.uninstall();
        assert!(matches!(&done[..], [Ok(done)] if done.changed), "{done:?}");
        assert_eq!(home.text(".cursor/mcp.json"), file(restored));
    }
}

#[test]
fn what_is_not_ours_is_never_taken_out() {
    for entry in [
        r#""command": "mcp-reap", "args": ["list"]"#,
        r#""command": "mcp-reaper", "args": ["exec", "--", "npx"]"#,
        r#""command": "npx", "args": ["mcp-reap", "list", "exec"]"#,
        r#""command": "docker", "args": ["exec", "--", "npx"]"#,
    ] {
        let file = format!(r#"{{"mcpServers": {{"a": {{{entry}}}}}}}"#);
        let home = Home::new().with(".gemini/settings.json", &file);
        assert!(home.uninstall().is_empty(), "{entry}");
        assert_eq!(home.text(".gemini/settings.json"), file);
    }
}

#[test]
fn what_goes_through_exec_in_another_way_is_said_and_left() {
    for entry in [
        r#""command": "mcp-reap", "args": ["exec"]"#,
        r#""command": "mcp-reap", "args": ["exec", "--"]"#,
        r#""command": "npx", "args": ["-y", "mcp-reap", "exec", "--", "npx"]"#,
        r#""command": "npx", "args": ["mcp-reap@0.1", "exec", "--", "npx"]"#,
    ] {
        let file = format!(r#"{{"mcpServers": {{"notes": {{{entry}}}}}}}"#);
        let home = Home::new().with(".gemini/settings.json", &file);
        let left = home.uninstall();
        assert!(matches!(&left[..], [Err(Refusal::ByHand)]), "{entry}: {left:?}");
        assert!(!home.install("gemini-cli", "notes").unwrap().changed, "{entry}: it is there already");
        assert_eq!(home.text(".gemini/settings.json"), file);
    }
}

#[test]
fn a_file_that_cannot_be_read_may_hold_an_entry_of_ours() {
    let broken = r#"{"mcpServers": {"a": {"command": "/o/mcp-reap", "args": ["exec", "--", "npx"]}"#;
    let home = Home::new().with(".gemini/settings.json", broken).with(".cursor/mcp.json", "{");
    let unread = super::unread(&read(&home.places));
    assert_eq!(unread.len(), 1, "{unread:?}");
    assert!(unread[0].0.ends_with(".gemini/settings.json"));
}

#[test]
fn a_client_that_runs_keeps_its_file() {
    let text = r#"{"mcpServers": {"notes": {"command": "mcp-reap", "args": ["exec", "npx"]}, "maps": {"command": "x"}}}"#;
    let home = Home::new().with(".claude.json", text);
    let runs = |client: &str| (client == "claude-code").then_some(77);
    let found = read(&home.places);
    let why = install(&home.places, &found, ("claude-code", "maps"), &program(), &runs).unwrap_err();
    assert!(why.to_string().starts_with("claude-code runs (pid 77)"), "{why}");
    let left = uninstall(&found, None, None, &runs);
    assert!(matches!(&left[..], [(_, Err(Refusal::Running { pid: 77, .. }))]), "{left:?}");
    assert_eq!(home.text(".claude.json"), text);
    // The twin: another client runs.
    let other = |client: &str| (client == "codex").then_some(77);
    assert!(install(&home.places, &found, ("claude-code", "maps"), &program(), &other).unwrap().changed);
}

#[test]
fn only_a_path_of_ours_that_stays_is_written() {
    let home = Home::new().with(".gemini/settings.json", ENTRY);
    let settled =
        |path: &str, danger, executable| Settled { path: path.into(), danger, executable: Ok(executable) };
    for (program, why) in [
        (settled("/tmp/mcp-reap", Some(Vanishing::Temporary), true), "may be emptied"),
        (
            settled("/opt/homebrew/Cellar/mcp-reap/1/bin/mcp-reap", Some(Vanishing::Versioned), true),
            "that the next upgrade removes",
        ),
        (settled("/usr/bin/mcp-reap", None, false), "not an executable"),
        (settled("/usr/bin/reaper", None, true), "not an executable"),
        (settled("bin/mcp-reap", None, true), "not an executable"),
    ] {
        let found = read(&home.places);
        let message =
            install(&home.places, &found, ("gemini-cli", "notes"), &program, &|_| None).unwrap_err();
        assert!(message.to_string().contains(why), "{message}");
    }
}

#[test]
fn several_servers_of_a_file_keep_the_bytes_from_before_the_first() {
    let file = ".gemini/settings.json";
    let before = "{\"mcpServers\": {\n  \"a\": {\"command\": \"x\", \"args\": []},\n  \"notes\": {\"command\": \"y\"}\n}}\n";
    let home = Home::new().with(file, before);
    home.install("gemini-cli", "notes").unwrap();
    home.install("gemini-cli", "a").unwrap();
    let backup = format!("{file}.mcp-reap-wrap-backup");
    assert_eq!(home.text(&backup), before);
    assert_eq!(home.uninstall().iter().filter(|done| done.is_ok()).count(), 2);
    assert_eq!(home.text(file), before);
    assert_eq!(home.names(".gemini"), ["settings.json"]);
    // An old copy gives way to the bytes from before a new first change.
    fs::write(home.path(&backup), "stale").unwrap();
    home.install("gemini-cli", "a").unwrap();
    assert_eq!(home.text(&backup), before);
}

#[test]
fn every_configured_server_is_offered_with_its_line_or_its_reason() {
    let home = Home::new()
        .with(".claude.json", r#"{"mcpServers": {"notes": {"command": "npx", "args": ["~/x"], "type": "stdio", "env": {}}, "r": {"url": "http://x"}}}"#)
        .with(".cursor/mcp.json", r#"{"mcpServers": {"maps": {"command": "${X}/m", "env": {"K": "v"}}}}"#)
        .with(".config/goose/config.yaml", "extensions:\n  git:\n    cmd: uvx\n    args: [git]\n");
    let found = read(&home.places);
    let offers = offers(&home.places, &found, &program(), &|_| None);
    let lines: Vec<_> = offers
        .iter()
        .map(|offer| {
            let why = offer.refusal.as_ref().map_or_else(String::new, ToString::to_string);
            format!(
                "{} {} {} {} {}",
                offer.server.client,
                offer.server.entry,
                offer.bare,
                offer.after.as_ref().map_or_else(|| "-".to_owned(), |after| after.join(" ")),
                why
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            format!("claude-code notes true {PROGRAM} exec -- npx ~/x "),
            "cursor maps false - its command has a placeholder, which the client may fill in only there"
                .to_owned(),
            format!(
                "goose git false {PROGRAM} exec -- uvx git whether goose takes a changed command without asking is not known; change it by hand, as shown"
            ),
        ]
    );
}
