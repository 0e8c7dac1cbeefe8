//! Each client's file as its own documentation writes it.

use std::collections::BTreeMap;

use mcp_reap::clients::{Os, Transport};
use proptest::prelude::*;

use crate::home::Home;

/// (systems, path in the home, content, lines)
type Case = (&'static [Os], &'static str, &'static str, &'static [&'static str]);

const BOTH: &[Os] = &[Os::Linux, Os::MacOs];
const LINUX: &[Os] = &[Os::Linux];
const MAC: &[Os] = &[Os::MacOs];

const CASES: &[Case] = &[
    (
        BOTH,
        ".claude.json",
        r#"{"numStartups": 12, "mcpServers": {
            "notes": {"type": "stdio", "command": "npx", "args": ["-y", "@ada/notes-mcp"], "env": {"NOTES_KEY": "k"}},
            "tickets": {"type": "http", "url": "https://mcp.tickets.example/v1?key=k", "headers": {"Authorization": "k"}}},
          "projects": {"/srv/shop": {"history": [{"display": "hello"}],
            "mcpServers": {"db": {"command": "uvx", "args": ["postgres-mcp", "--access-mode=restricted"]}}}}}"#,
        &[
            "claude-code user notes: npx | -y | @ada/notes-mcp",
            "claude-code user tickets: at mcp.tickets.example",
            "claude-code local /srv/shop db: uvx | postgres-mcp | --access-mode=restricted",
        ],
    ),
    (
        LINUX,
        ".config/Claude/claude_desktop_config.json",
        r#"{"globalShortcut": "", "mcpServers": {"files": {"command": "node", "args": ["/srv/files/index.js", "/data"]}}}"#,
        &["claude-desktop user files: node | /srv/files/index.js | /data"],
    ),
    (
        MAC,
        "Library/Application Support/Claude/claude_desktop_config.json",
        r#"{"mcpServers": {"files": {"command": "/opt/homebrew/bin/uv", "args": ["--directory", "/srv/f", "run", "f.py"]}}}"#,
        &["claude-desktop user files: /opt/homebrew/bin/uv | --directory | /srv/f | run | f.py"],
    ),
    (
        MAC,
        "Library/Application Support/Claude/Claude Extensions/ant.dir.ada.notes/manifest.json",
        r#"{"dxt_version": "0.1", "name": "notes", "server": {"type": "node", "entry_point": "dist/index.js",
            "mcp_config": {"command": "node", "args": ["${__dirname}/dist/index.js", "${user_config.dir}"],
            "env": {"KEY": "${user_config.key}"},
            "platform_overrides": {"darwin": {"command": "/usr/local/bin/node"}, "win32": {"command": "node.exe"}}}}}"#,
        &[
            "claude-desktop extension ~/Library/Application Support/Claude/Claude Extensions/ant.dir.ada.notes \
             ant.dir.ada.notes: node | HOME/Library/Application Support/Claude/Claude Extensions/ant.dir.ada.notes/dist/index.js \
             | ${user_config.dir}",
            "claude-desktop extension ~/Library/Application Support/Claude/Claude Extensions/ant.dir.ada.notes \
             ant.dir.ada.notes: /usr/local/bin/node | HOME/Library/Application Support/Claude/Claude Extensions/ant.dir.ada.notes/dist/index.js \
             | ${user_config.dir}",
        ],
    ),
    (
        BOTH,
        ".cursor/mcp.json",
        r#"{"mcpServers": {"a": {"command": "${userHome}/bin/a", "args": ["${workspaceFolder}", "${env:KEY}"]}}}"#,
        &["cursor user a: HOME/bin/a | ${workspaceFolder} | ${env:KEY}"],
    ),
    (
        LINUX,
        ".config/Code/User/mcp.json",
        "{\n  // mine\n  \"inputs\": [{\"type\": \"promptString\", \"id\": \"key\", \"password\": true}],\n  \"servers\": {\n    \
         /* the slow one */ \"db\": {\"type\": \"stdio\", \"command\": \"docker\", \"args\": [\"run\", \"-i\", \"--rm\", \"-e\", \
         \"KEY=${input:key}\", \"db/mcp\",],},\n    \"web\": {\"type\": \"http\", \"url\": \"http://localhost:3000/mcp\"},\n  },\n}\n",
        &[
            "vscode user db: docker | run | -i | --rm | -e | KEY=${input:key} | db/mcp",
            "vscode user web: at localhost:3000",
        ],
    ),
    (
        MAC,
        "Library/Application Support/Code - Insiders/User/settings.json",
        r#"{"editor.fontSize": 13, // small
            "mcp": {"inputs": [], "servers": {"old": {"command": "old-mcp"}}},
            "amp.mcpServers": {"play": {"command": "npx", "args": ["@playwright/mcp@latest"]}},}"#,
        &["vscode user old: old-mcp", "amp user play: npx | @playwright/mcp@latest"],
    ),
    (
        LINUX,
        ".vscode-server/data/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
        r#"{"mcpServers": {"x": {"command": "x-mcp", "disabled": true, "autoApprove": []}}}"#,
        &["cline user x: x-mcp (off)"],
    ),
    (
        BOTH,
        ".codex/config.toml",
        "model = \"m\"\n[mcp_servers.docs]\ncommand = \"npx\"\nargs = [\"-y\", \"docs-mcp\"]\nstartup_timeout_sec = 20\n\
         env = { \"DOCS_KEY\" = \"k\" }\n[mcp_servers.docs.tools.search]\napproval_mode = \"prompt\"\n\
         [mcp_servers.\"far.away\"]\nurl = \"https://far.example/mcp\"\nbearer_token_env_var = \"T\"\nenabled = false\n\
         [projects.\"/nowhere\"]\ntrust_level = \"trusted\"\n",
        &["codex user docs: npx | -y | docs-mcp", "codex user far.away: at far.example (off)"],
    ),
    (
        BOTH,
        ".gemini/settings.json",
        r#"{"mcp": {"allowed": ["s"]}, "mcpServers": {"s": {"command": "$BIN/s", "args": ["--stdio"], "trust": false},
            "h": {"httpUrl": "https://h.example/mcp", "timeout": 5000}}}"#,
        &["gemini-cli user s: $BIN/s | --stdio", "gemini-cli user h: at h.example"],
    ),
    (
        BOTH,
        ".gemini/extensions/weather/gemini-extension.json",
        r#"{"name": "weather", "version": "1.0.0",
            "mcpServers": {"sky": {"command": "node", "args": ["${extensionPath}${/}dist${/}sky.js"], "cwd": "${extensionPath}"}}}"#,
        &[
            "gemini-cli extension ~/.gemini/extensions/weather sky: node | HOME/.gemini/extensions/weather/dist/sky.js",
        ],
    ),
    (
        BOTH,
        ".codeium/windsurf/mcp_config.json",
        r#"{"mcpServers": {"r": {"serverUrl": "https://r.example/sse"}, "l": {"command": "l", "args": [], "disabled": false}}}"#,
        &["windsurf user r: at r.example", "windsurf user l: l"],
    ),
    (
        BOTH,
        ".config/zed/settings.json",
        r#"// Zed settings
        {"theme": "One Dark", "lsp": {"x": {"binary": {"path": "/x"}}},
         "context_servers": {
           "new": {"source": "custom", "command": "new-mcp", "args": ["-v"], "env": {}, "enabled": true},
           "old": {"command": {"path": "/opt/old-mcp", "args": ["serve"], "env": {"K": "k"}}, "settings": {}},
           "by-extension": {"source": "extension", "settings": {"command": "no"}},
         },
        }"#,
        &["zed user new: new-mcp | -v", "zed user old: /opt/old-mcp | serve"],
    ),
    (
        BOTH,
        ".continue/config.yaml",
        "name: Mine\nversion: 1.0.0\nmodels:\n  - name: m\n    apiKey: k\nmcpServers:\n  - name: SQLite\n    command: npx\n    args:\n\
         \x20     - -y\n      - mcp-sqlite\n      - /tmp/x.db\n    env:\n      K: k\n  - command: plain\n  - name: Far\n    type: sse\n    url: https://f.example/sse\n",
        &[
            "continue user SQLite: npx | -y | mcp-sqlite | /tmp/x.db",
            "continue user 1: plain",
            "continue user Far: at f.example",
        ],
    ),
    (
        BOTH,
        ".continue/config.json",
        r#"{"experimental": {"modelContextProtocolServers": [{"transport": {"type": "stdio", "command": "uvx", "args": ["a"]}}]}}"#,
        &["continue user 0: uvx | a"],
    ),
    (
        BOTH,
        ".config/goose/config.yaml",
        "GOOSE_PROVIDER: openai\nextensions:\n  developer:\n    enabled: true\n    type: builtin\n    name: developer\n\
         \x20 tavily:\n    type: stdio\n    cmd: npx\n    args: [-y, tavily-mcp, --port, 8080]\n    enabled: false\n    envs:\n      K: k\n\
         \x20 far:\n    type: streamable_http\n    uri: https://g.example/mcp\n    enabled: true\n",
        &["goose user tavily: npx | -y | tavily-mcp | --port | 8080 (off)", "goose user far: at g.example"],
    ),
    (
        BOTH,
        ".config/opencode/opencode.jsonc",
        r#"{"$schema": "https://opencode.ai/config.json", // schema
            "mcp": {"l": {"type": "local", "command": ["bun", "x", "l-mcp"], "environment": {"K": "k"}, "enabled": true},
                    "r": {"type": "remote", "url": "https://o.example"}}}"#,
        &["opencode user l: bun | x | l-mcp", "opencode user r: at o.example"],
    ),
    (
        BOTH,
        ".aws/amazonq/cli-agents/helper.json",
        r#"{"name": "helper", "tools": ["*"], "mcpServers": {"fetch": {"command": "uvx", "args": ["mcp-server-fetch"], "timeout": 1}}}"#,
        &["amazon-q user fetch: uvx | mcp-server-fetch"],
    ),
    (
        BOTH,
        ".copilot/mcp-config.json",
        r#"{"mcpServers": {"p": {"type": "local", "command": "p-mcp", "args": ["--isolated"], "tools": ["*"]}}}"#,
        &["copilot-cli user p: p-mcp | --isolated"],
    ),
    (
        BOTH,
        ".config/amp/settings.json",
        r#"{"amp.mcpServers": {"a": {"command": "a"}}, "amp": {"mcpServers": {"b": {"command": "b"}}}}"#,
        &["amp user a: a", "amp user b: b"],
    ),
    (
        BOTH,
        ".openclaw/openclaw.json",
        "{ // JSON5\n  agents: { defaults: { workspace: '~/w' } },\n  mcp: { servers: { notes: { command: 'gnotes', args: ['serve'], }, }, },\n}\n",
        &["openclaw user notes: gnotes | serve"],
    ),
    (
        BOTH,
        ".hermes/config.yaml",
        "mcp_servers:\n  time:\n    command: \"uvx\"\n    args: [\"mcp-server-time\", \"--local-timezone=UTC\"]\n",
        &["hermes user time: uvx | mcp-server-time | --local-timezone=UTC"],
    ),
];

#[test]
fn every_client_s_own_way_of_writing_is_read() {
    for (systems, path, content, lines) in CASES {
        for os in *systems {
            let home = Home::new(*os).with(path, content);
            assert_eq!(home.lines(), *lines, "{os:?} {path}");
        }
    }
}

#[test]
fn the_home_in_arguments_is_listed_filled_in_and_as_it_is_written() {
    let config = r#"{"mcpServers": {"s": {"command": "~/bin/s", "args": ["~/notes", "$HOME/x"]}}}"#;
    let home = Home::new(Os::Linux).with(".cursor/mcp.json", config);
    assert_eq!(
        home.lines(),
        ["cursor user s: HOME/bin/s | HOME/notes | HOME/x", "cursor user s: HOME/bin/s | ~/notes | $HOME/x",]
    );
}

#[test]
fn a_byte_order_mark_and_an_empty_file_are_no_trouble() {
    let home = Home::new(Os::Linux)
        .with(".cursor/mcp.json", "\u{feff}{\"mcpServers\": {\"s\": {\"command\": \"s\"}}}")
        .with(".codex/config.toml", "\u{feff}[mcp_servers.c]\ncommand = \"c\"\n")
        .with(".lmstudio/mcp.json", "")
        .with(".junie/mcp/mcp.json", " \n\t\n")
        .with(".hermes/config.yaml", "# nothing yet\n")
        .with(".factory/mcp.json", "// nothing yet\n")
        .with(".qwen/settings.json", "null");
    assert_eq!(home.lines(), ["cursor user s: s", "codex user c: c"]);
}

#[test]
fn what_is_not_where_servers_stand_is_not_a_server() {
    let home = Home::new(Os::Linux)
        .with(
            ".cursor/mcp.json",
            r#"{"servers": {"a": {"command": "a"}}, "deep": {"mcpServers": {"b": {"command": "b"}}}}"#,
        )
        .with(
            ".gemini/settings.json",
            r#"{"mcp": {"c": {"command": "c"}}, "extensions": {"d": {"command": "d"}}}"#,
        )
        .with(
            ".config/opencode/opencode.json",
            r#"{"lsp": {"e": {"command": ["e"]}}, "formatter": {"f": {"command": ["f"]}}}"#,
        )
        .with(".config/zed/settings.json", r#"{"context_servers": ["g"], "terminal": {"command": "g"}}"#)
        .with(".claude.json", r#"{"mcpServers": [], "projects": [{"mcpServers": {"h": {"command": "h"}}}]}"#);
    assert_eq!(home.lines(), [""; 0]);
}

proptest! {
    /// Whatever a client's own writer puts into a file comes out of it again, in every language.
    #[test]
    fn what_was_written_is_what_is_read(
        servers in prop::collection::btree_map("[^$~\\x00-\\x1f\\x7f-\\u{9f}\\u{fffe}]{1,12}", prop::collection::vec("[^$~\\x00]{1,12}", 1..5), 0..5)
    ) {
        // In YAML it takes in the keys of another mapping, and is no name (yaml.org/type/merge.html).
        prop_assume!(!servers.contains_key("<<"));
        let entries: BTreeMap<_, _> = servers
            .iter()
            .map(|(name, argv)| (name, serde_json::json!({"command": argv[0], "args": argv[1..], "env": {"K": "k"}})))
            .collect();
        let json = serde_json::to_string(&serde_json::json!({"mcpServers": entries})).unwrap();
        let snake = serde_json::json!({"mcp_servers": entries});
        let home = Home::new(Os::Linux)
            .with(".claude.json", &json)
            .with(".cursor/mcp.json", format!("/* mine */ {json} // and no other's"))
            .with(".codex/config.toml", toml::to_string(&snake).unwrap())
            .with(".hermes/config.yaml", snake.to_string());
        let found = home.read();
        prop_assert_eq!(&found.warnings, &[]);
        for client in ["claude-code", "cursor", "codex", "hermes"] {
            let read: BTreeMap<_, _> = found
                .servers
                .iter()
                .filter(|server| server.client == client)
                .map(|server| match &server.transport {
                    Transport::Stdio { argv } => (server.entry.clone(), argv.clone()),
                    Transport::Remote { host } => (server.entry.clone(), vec![host.clone()]),
                })
                .collect();
            prop_assert_eq!(&read, &servers, "{}", client);
        }
    }
}
