#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::clients::{Os, read};
use crate::os::stable_path::Vanishing;

const PROGRAM: &str = "/usr/local/bin/mcp-reap";

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

    fn install(&self, client: &str, name: &str) -> Result<Done, Refusal> {
        install(&self.places, &read(&self.places), (client, name), &program(), &|_| None)
    }

    fn uninstall(&self) -> Vec<Result<Done, Refusal>> {
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

/// (client, file, before, after); the entry is called `notes`.
const DIALECTS: &[(&str, &str, &str, &str)] = &[
    (
        "claude-code",
        ".claude.json",
        r#"{
  "numStartups": 12,
  "mcpServers": {
    "notes": {
      "type": "stdio",
      "command": "npx",
      "args": [
        "-y",
        "@ada/notes"
      ],
      "env": {
        "KEY": "${KEY}"
      }
    }
  },
  "projects": {"/srv/x": {"mcpServers": {"notes": {"command": "npx", "args": ["-y"]}}}}
}
"#,
        r#"{
  "numStartups": 12,
  "mcpServers": {
    "notes": {
      "type": "stdio",
      "command": "/usr/local/bin/mcp-reap",
      "args": [
        "exec",
        "--",
        "npx",
        "-y",
        "@ada/notes"
      ],
      "env": {
        "KEY": "${KEY}"
      }
    }
  },
  "projects": {"/srv/x": {"mcpServers": {"notes": {"command": "npx", "args": ["-y"]}}}}
}
"#,
    ),
    (
        "claude-desktop",
        ".config/Claude/claude_desktop_config.json",
        "{\"mcpServers\":{\"a\":{\"command\":\"x\"},\"notes\":{\"args\":[\"/s.js\",\"${HOME}/n\"],\"command\":\"node\"}}}",
        "{\"mcpServers\":{\"a\":{\"command\":\"x\"},\"notes\":{\"args\":[\"exec\",\"--\",\"node\",\"/s.js\",\"${HOME}/n\"],\
         \"command\":\"/usr/local/bin/mcp-reap\"}}}",
    ),
    // Comments, a byte order mark, foreign line ends, no arguments at all.
    (
        "gemini-cli",
        ".gemini/settings.json",
        "\u{feff}{ // mine\r\n  \"mcpServers\": {\r\n    \"notes\": {\r\n      \"command\": \"/opt/notes\", // here\r\n      \"cwd\": \"/srv\",\r\n    },\r\n  },\r\n}\r\n",
        "\u{feff}{ // mine\r\n  \"mcpServers\": {\r\n    \"notes\": {\r\n      \"command\": \"/usr/local/bin/mcp-reap\",\r\n      \"args\": [\"exec\", \"--\", \"/opt/notes\"], // here\r\n      \"cwd\": \"/srv\",\r\n    },\r\n  },\r\n}\r\n",
    ),
    (
        "opencode",
        ".config/opencode/opencode.jsonc",
        "{ mcp: { notes: { type: 'local', command: ['bun', \"x\", 'notes'], enabled: true } } }",
        "{ mcp: { notes: { type: 'local', command: [\"/usr/local/bin/mcp-reap\", \"exec\", \"--\", 'bun', \"x\", 'notes'], enabled: true } } }",
    ),
    (
        "zed",
        ".config/zed/settings.json",
        r#"{"context_servers": {"notes": {"command": {"path": "uvx", "args": ["notes"], "env": {"K": "v"}}, "settings": {}}}}"#,
        r#"{"context_servers": {"notes": {"command": {"path": "/usr/local/bin/mcp-reap", "args": ["exec", "--", "uvx", "notes"], "env": {"K": "v"}}, "settings": {}}}}"#,
    ),
    (
        "zed",
        ".config/zed/settings.json",
        "{\"context_servers\": {\"notes\": {\"source\": \"custom\", \"command\": \"uvx\", \"args\": [ ]}}}",
        "{\"context_servers\": {\"notes\": {\"source\": \"custom\", \"command\": \"/usr/local/bin/mcp-reap\", \"args\": [\"exec\", \"--\", \"uvx\" ]}}}",
    ),
    (
        "codex",
        ".codex/config.toml",
        "model = \"x\" # mine\n\n[mcp_servers.notes]\ncommand = 'npx'   # by hand\nargs = [\"-y\", 'notes', 80]\nenv = { K = \"v\" }\n\n[projects.\"/srv/x\"]\ntrust_level = \"trusted\"\n",
        "model = \"x\" # mine\n\n[mcp_servers.notes]\ncommand = \"/usr/local/bin/mcp-reap\"   # by hand\nargs = [\"exec\", \"--\", 'npx', \"-y\", 'notes', 80]\nenv = { K = \"v\" }\n\n[projects.\"/srv/x\"]\ntrust_level = \"trusted\"\n",
    ),
    (
        "codex",
        ".codex/config.toml",
        "[mcp_servers.notes]\ncommand = \"/opt/notes\" # by hand\n\n[mcp_servers.notes.env]\nK = \"v\"\n",
        "[mcp_servers.notes]\ncommand = \"/usr/local/bin/mcp-reap\" # by hand\nargs = [\"exec\", \"--\", \"/opt/notes\"]\n\n[mcp_servers.notes.env]\nK = \"v\"\n",
    ),
    (
        "codex",
        ".codex/config.toml",
        "[mcp_servers]\nnotes = { command = \"npx\" }\nother = { url = \"http://x\" }",
        "[mcp_servers]\nnotes = { command = \"/usr/local/bin/mcp-reap\", args = [\"exec\", \"--\", \"npx\"] }\nother = { url = \"http://x\" }",
    ),
    (
        "codex",
        ".codex/config.toml",
        "mcp_servers.notes.command = \"npx\"",
        "mcp_servers.notes.command = \"/usr/local/bin/mcp-reap\"\nmcp_servers.notes.args = [\"exec\", \"--\", \"npx\"]",
    ),
    (
        "codex",
        ".codex/config.toml",
        "[mcp_servers.notes]\nargs = [\n  # first\n  \"-y\",\n  \"notes\", # second\n]\ncommand = \"npx\"\n",
        "[mcp_servers.notes]\nargs = [\n  # first\n  \"exec\",\n  \"--\",\n  \"npx\",\n  \"-y\",\n  \"notes\", # second\n]\ncommand = \"/usr/local/bin/mcp-reap\"\n",
    ),
];

#[test]
fn every_dialect_is_written_and_restored_to_the_byte() {
    for (client, file, before, after) in DIALECTS {
        let home = Home::new().with(file, before);
        let folder = Path::new(file).parent().unwrap().to_str().unwrap();
        let names = home.names(folder);
        let done = home.install(client, "notes").unwrap();
        assert!(done.changed && done.backup.is_some(), "{done:?}");
        assert_eq!(home.text(file), *after, "{client}");
        assert!(!home.install(client, "notes").unwrap().changed, "a second time changes nothing");
        assert_eq!(home.text(file), *after);
        let [done] = &home.uninstall()[..] else { panic!("{client}") };
        assert!(done.as_ref().unwrap().changed);
        assert_eq!(home.text(file), *before, "{client}");
        assert_eq!(home.names(folder), names, "the backup has served");
        assert!(home.uninstall().is_empty());
    }
}

#[test]
fn what_is_read_of_a_wrapped_entry_is_the_server_behind_exec() {
    for (client, file, before, _) in DIALECTS {
        let home = Home::new().with(file, before);
        let argv = |home: &Home| {
            let found = read(&home.places);
            let servers = found.servers.into_iter();
            let notes =
                |s: &ConfiguredServer| s.client == *client && s.entry == "notes" && s.scope == Scope::User;
            match servers.filter(notes).map(|s| s.transport).next().unwrap() {
                Transport::Stdio { argv } => argv,
                Transport::Remote { .. } => panic!("{client}"),
            }
        };
        let bare = argv(&home);
        home.install(client, "notes").unwrap();
        let wrapped = argv(&home);
        assert_eq!(program_of(&wrapped), Some(PROGRAM));
        assert_eq!(wrapped[..3], [PROGRAM, "exec", "--"]);
        assert_eq!(wrapped[3..], bare);
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

/// Why `notes` of Gemini CLI is not written when its entry is this; the file must stay as it is.
fn refusal(home: &Home, client: &str, file: &str) -> String {
    let before = fs::read(home.path(file)).unwrap();
    let why = home.install(client, "notes").unwrap_err().to_string();
    assert_eq!(fs::read(home.path(file)).unwrap(), before, "{why}");
    let folder = Path::new(file).parent().unwrap().to_str().unwrap();
    assert!(!home.names(folder).iter().any(|name| name.contains("mcp-reap")), "{why}");
    assert!(!why.contains('\n'), "one line: {why}");
    why
}

#[test]
fn an_entry_that_is_not_understood_in_full_is_left_with_its_reason() {
    for (entry, why) in [
        (r#""url": "http://x/""#, "runs elsewhere"),
        (r#""command": "npx", "url": "http://x/""#, "not written as one word"),
        (r#""command": "./notes""#, "relative path"),
        (r#""command": "bin/notes", "cwd": "/srv""#, "relative path"),
        (r#""command": "${HOME}/notes""#, "placeholder"),
        (r#""command": "$NOTES""#, "placeholder"),
        (r#""command": "~/notes""#, "placeholder"),
        (r#""command": "${env:X}""#, "placeholder"),
        (r#""command": "npx -y notes""#, "line for a shell"),
        (r#""command": "/no/such notes""#, "line for a shell"),
        (r#""command": "npx", "args": "-y notes""#, "not written as one word"),
        (r#""command": "npx", "command": "uvx""#, "not written as one word"),
        (r#""command": "npx", "args": [], "args": ["x"]"#, "not written as one word"),
        (r#""command": "npx", "cmd": "x""#, "not written as one word"),
        (r#""transport": {"command": "npx"}"#, "not written as one word"),
        (r#""command": ["npx", "-y"], "args": ["x"]"#, "not written as one word"),
        (r#""command": "npx", "platform_overrides": {}"#, "not written as one word"),
    ] {
        let file = ".gemini/settings.json";
        let home = Home::new().with(file, &format!(r#"{{"mcpServers": {{"notes": {{{entry}}}}}}}"#));
        let said = refusal(&home, "gemini-cli", file);
        assert!(said.contains(why), "{entry}: {said}");
    }
}

#[test]
fn a_hostile_file_is_left_with_its_reason() {
    let entry = r#"{"mcpServers": {"notes": {"command": "npx"}}}"#;
    let file = ".gemini/settings.json";
    for (text, why) in [
        (
            r#"{"mcpServers": {"notes": {"command": "npx"}, "notes": {"command": "uvx"}}}"#,
            "more than one place",
        ),
        (r#"{"mcpServers": {"notes": {"command": "npx"}}, "mcpServers": {}}"#, "more than one place"),
    ] {
        let home = Home::new().with(file, text);
        let said = refusal(&home, "gemini-cli", file);
        assert!(said.contains(why), "{text}: {said}");
    }
    let home = Home::new().with(file, entry);
    fs::set_permissions(home.path(file), fs::Permissions::from_mode(0o444)).unwrap();
    assert!(refusal(&home, "gemini-cli", file).contains("read-only"));
    let home = Home::new().with(file, entry);
    fs::hard_link(home.path(file), home.path("twin")).unwrap();
    assert!(refusal(&home, "gemini-cli", file).contains("hard-linked"));
    for (text, why) in [
        (&b"{\"mcpServers\": {\"notes\": {\"command\": \"npx\"}}"[..], "no server named"),
        (b"\xff{}", "no server named"),
    ] {
        let home = Home::new().with(file, "");
        fs::write(home.path(file), text).unwrap();
        let said = refusal(&home, "gemini-cli", file);
        assert!(said.contains(why), "{said}");
    }
    // A comment where words are to go.
    let commented = r#"{"mcpServers": {"notes": {"command": "mcp-reap", "args": ["exec", /* why */ "--", "npx", "-y"]}}}"#;
    let home = Home::new().with(file, commented);
    assert!(matches!(&home.uninstall()[..], [Err(Refusal::Comment)]));
    assert_eq!(home.text(file), commented);
    // A link stays one, and what it leads to is written with its mode.
    let home = Home::new().with("dotfiles/gemini.json", entry);
    fs::create_dir(home.path(".gemini")).unwrap();
    fs::set_permissions(home.path("dotfiles/gemini.json"), fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("../dotfiles/gemini.json", home.path(file)).unwrap();
    home.install("gemini-cli", "notes").unwrap();
    assert!(fs::symlink_metadata(home.path(file)).unwrap().is_symlink());
    assert_eq!(fs::metadata(home.path(file)).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(home.text("dotfiles/gemini.json").contains(PROGRAM));
    assert_eq!(home.names("dotfiles"), ["gemini.json"]);
}

#[test]
fn only_the_persons_own_entries_for_all_projects_are_written() {
    let entry = r#"{"mcpServers": {"notes": {"command": "npx"}}}"#;
    let local = r#"{"projects": {"/srv/x": {"mcpServers": {"notes": {"command": "npx"}}}}}"#;
    for (client, file, text, why) in [
        ("claude-code", ".claude.json", local, "for a project"),
        ("claude-code", "work/.mcp.json", entry, "for a project"),
        ("claude-code", ".claude/plugins/cache/m/p/1/.mcp.json", entry, "plugin or extension"),
        ("gemini-cli", ".gemini/extensions/x/gemini-extension.json", entry, "plugin or extension"),
        ("gemini-cli", "/etc/gemini-cli/settings.json", entry, "administrator"),
        ("codex", "/etc/codex/config.toml", "[mcp_servers.notes]\ncommand = \"npx\"", "administrator"),
        ("cursor", ".cursor/mcp.json", entry, "asks for approval again"),
        ("windsurf", ".codeium/windsurf/mcp_config.json", entry, "is not known"),
        ("goose", ".config/goose/config.yaml", "extensions:\n  notes:\n    cmd: npx\n", "is not known"),
    ] {
        let mut home = Home::new().with(file, text);
        home.places.projects.push(home.path("work"));
        let said = refusal(&home, client, file);
        assert!(said.contains(why), "{client} {file}: {said}");
    }
    let home = Home::new().with(".gemini/settings.json", entry);
    let why = home.install("gemini-cli", "maps").unwrap_err().to_string();
    assert_eq!(why, "gemini-cli has no server named maps; it has notes");
}

#[test]
fn a_policy_that_goes_by_commands_is_not_gone_around() {
    let claude = (".claude.json", r#"{"mcpServers": {"notes": {"command": "npx"}}}"#);
    let codex = (".codex/config.toml", "[mcp_servers.notes]\ncommand = \"npx\"\n");
    let by = |list: &str, key: &str| {
        format!("{{\"{list}\": [{{\"serverName\": \"x\"}}, {{\"{key}\": [\"npx\"]}}]}}")
    };
    for (client, (file, text), policy, rules, why) in [
        (
            "claude-code",
            claude,
            "/etc/claude-code/managed-settings.json",
            by("allowedMcpServers", "serverCommand"),
            "by their command",
        ),
        (
            "claude-code",
            claude,
            "/etc/claude-code/managed-settings.json",
            by("deniedMcpServers", "serverCommand"),
            "by their command",
        ),
        (
            "claude-code",
            claude,
            "/etc/claude-code/managed-settings.d/10.json",
            by("allowedMcpServers", "serverCommand"),
            "by their command",
        ),
        (
            "claude-code",
            claude,
            ".claude/settings.json",
            by("allowedMcpServers", "serverCommand"),
            "by their command",
        ),
        (
            "claude-code",
            claude,
            ".claude/remote-settings.json",
            by("allowedMcpServers", "serverCommand"),
            "by their command",
        ),
        ("claude-code", claude, "/etc/claude-code/managed-settings.json", "{".into(), "cannot be read"),
        ("claude-code", claude, "/etc/claude-code/managed-mcp.json", "{}".into(), "by their command"),
        (
            "codex",
            codex,
            "/etc/codex/requirements.toml",
            "[mcp_servers.docs.identity]\ncommand = \"npx\"".into(),
            "by their command",
        ),
        (
            "codex",
            codex,
            ".codex/cloud-requirements-cache.json",
            "{\"mcp_servers\": {}}".into(),
            "by their command",
        ),
    ] {
        let home = Home::new().with(file, text).with(policy, &rules);
        let before = home.text(file);
        let said = home.install(client, "notes").unwrap_err().to_string();
        assert!(said.contains(why), "{policy}: {said}");
        assert_eq!(home.text(file), before);
    }
    // The twins: a policy that goes by names or is about something else.
    for (client, (file, text), policy, rules) in [
        (
            "claude-code",
            claude,
            "/etc/claude-code/managed-settings.json",
            by("allowedMcpServers", "serverUrl"),
        ),
        ("claude-code", claude, ".claude/settings.json", String::new()),
        ("codex", codex, "/etc/codex/requirements.toml", "allowed_approval_policies = [\"never\"]".into()),
    ] {
        let home = Home::new().with(file, text).with(policy, &rules);
        assert!(home.install(client, "notes").unwrap().changed, "{policy}");
    }
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
    let home = Home::new().with(".gemini/settings.json", r#"{"mcpServers": {"notes": {"command": "npx"}}}"#);
    let settled =
        |path: &str, danger, executable| Settled { path: path.into(), danger, executable: Ok(executable) };
    for (program, why) in [
        (settled("/tmp/mcp-reap", Some(Vanishing::Temporary), true), "may be emptied"),
        (
            settled("/opt/homebrew/Cellar/mcp-reap/1/bin/mcp-reap", Some(Vanishing::Versioned), true),
            "goes with this version",
        ),
        (settled("/usr/bin/mcp-reap", None, false), "not an executable"),
        (settled("/usr/bin/reaper", None, true), "not an executable"),
        (settled("bin/mcp-reap", None, true), "not an executable"),
    ] {
        let found = read(&home.places);
        let said = install(&home.places, &found, ("gemini-cli", "notes"), &program, &|_| None).unwrap_err();
        assert!(said.to_string().contains(why), "{said}");
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
    let offers = offers(&home.places, &read(&home.places), &program(), &|_| None);
    let lines: Vec<_> = offers
        .iter()
        .map(|offer| {
            let why = offer.refusal.as_ref().map_or_else(String::new, ToString::to_string);
            format!(
                "{} {} {} {} {}",
                offer.client,
                offer.entry,
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
