//! Every dialect is written and restored to the byte.

use std::path::Path;

use super::super::*;
use super::{Home, PROGRAM};
use crate::clients::read;

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
