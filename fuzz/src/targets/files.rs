//! Files: the configuration, clients' configurations, the audit log.

use mcp_reap::audit;
use mcp_reap::clients::{self, Os, Places};
use mcp_reap::config::{self, Surroundings};
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use super::*;

pub(super) static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
    tempfile::tempdir_in(base).expect("a folder")
});

pub(super) fn load(bytes: &[u8]) -> Result<config::Loaded, config::ConfigError> {
    let file = FOLDER.path().join("config.toml");
    fs::write(&file, bytes).expect("a file");
    let around = Surroundings { home: Some(FOLDER.path().into()), ..Surroundings::current() };
    config::load_in(&around, Some(&file))
}

pub(super) fn config_file(bytes: &[u8]) {
    let loaded = match load(bytes) {
        Ok(loaded) => loaded,
        Err(error) => {
            assert!(error.to_string().contains("config.toml"), "{error}");
            return;
        }
    };
    // An allow rule that asks nothing would protect everything or nothing: it has to be a mistake.
    assert!(loaded.policy.allow.iter().all(|rule| rule.has_condition()));
    let text = std::str::from_utf8(bytes).expect("what was read is text");
    let written: toml::Table = toml::from_str(text.trim_start_matches('\u{feff}')).expect("TOML");
    let rules = written.get("allow").and_then(toml::Value::as_array).map_or(0, Vec::len);
    assert_eq!(rules, loaded.policy.allow.len(), "an allow rule was lost");
    let again = load(toml::to_string(&written).expect("text").as_bytes()).expect("the same, written anew");
    assert_eq!(meaning(again), meaning(loaded), "the same means something else when it is written anew");
    let unknown = [bytes, b"\n[no-such-section]\nkey = 1\n"].concat();
    assert!(load(&unknown).is_err(), "an unknown key was passed over");
}

/// What a configuration says, without the lines it says it in.
pub(super) fn meaning(mut loaded: config::Loaded) -> String {
    loaded.policy.allow.iter_mut().for_each(|rule| rule.origin.clear());
    loaded.policy.servers.iter_mut().for_each(|rule| rule.origin.clear());
    loaded.policy.expect.iter_mut().for_each(|expected| expected.origin.clear());
    format!("{:?} {:?}", loaded.policy, loaded.retention)
}

pub(super) fn config_shape(bytes: &[u8]) -> u64 {
    match load(bytes) {
        Ok(loaded) => digest((loaded.policy.allow.len(), loaded.policy.servers.len(), loaded.policy.grace)),
        Err(error) => {
            digest(error.to_string().chars().filter(|c| c.is_alphabetic()).take(120).collect::<String>())
        }
    }
}

pub(super) fn config_seeds() -> Vec<Vec<u8>> {
    let mut seeds = owned(&[
        config::init_text(),
        "[reap]\ngrace = \"5s\"\nmin_age = \"60s\"\ndetached = false\n[limits]\nmax_count = 2\ncount_per = \"client\"\nmax_rss = \"500MB\"\n",
        "[[allow]]\nname = \"x\"\nport = 8080\ncommand = \"re:^a.*$\"\nreason = \"shared\"\n[[server]]\nname = \"n\"\nprogram = \"p.py\"\nlimits = { max_rss = \"2GB\" }\n[audit]\nkeep_days = 90\nmax_size = \"50MB\"\n",
    ]);
    // The example with everything switched on.
    seeds.push(config::init_text().replace("\n#", "\n").into_bytes());
    seeds.extend(owned(&[
        "[limits]\nmax_age = \"24h\"\ncount_per = \"user\"\n[[expect]]\nname = \"notes\"\nmin = 1\nmax = 2\n[[expect]]\nname = \"re:^m\"\n",
        "[[allow]]\nexe = \"/opt/*\"\ncwd = \"/srv/?\"\nunit = \"x.service\"\n[[allow]]\nlabel = \"com.x\"\npid_file = \"/run/x.pid\"\n",
        "reap = { grace = \"1500ms\", clients = true }\nallow = [{ name = 'a' }, { port = 1 }]\n",
        "\u{feff}[reap]\r\nmin_age = \"1d\"\r\n",
        "[reap]\ngrase = \"5s\"\n",
        "[[allow]]\n[[server]]\nname = \"\"\n",
    ]));
    seeds
}

/// Stands where servers get their keys from; nothing of it is ever read.
pub(super) const KEY: &str = "zq81klmn0pqr77";

pub(super) fn write_home(file: &str, bytes: &[u8]) -> Places {
    let home = FOLDER.path().join("home");
    let path = home.join(file);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, bytes).expect("a file");
    Places { root: FOLDER.path().join("none"), ..Places::new(&home, Os::Linux) }
}

pub(super) fn client_configs(bytes: &[u8]) {
    let files = [
        ".claude.json",
        ".codex/config.toml",
        ".config/goose/config.yaml",
        ".config/zed/settings.json",
        ".config/opencode/opencode.json",
        ".continue/config.yaml",
    ];
    for file in files {
        write_home(file, bytes);
    }
    let places = write_home(files[0], bytes);
    let found = clients::read(&places);
    assert_eq!(found, clients::read(&places), "the same answer on every look");
    for server in &found.servers {
        if let clients::Transport::Stdio { argv } = &server.transport {
            assert!(!argv.is_empty(), "a command has a first word");
        }
    }
    let text = String::from_utf8_lossy(bytes);
    for (file, dialect) in DIALECTS {
        let word = text.replace(['~', '$'], "").replace(KEY, "");
        // JSON leaves DEL as it is; TOML wants it said. A line end of Unicode is one to YAML.
        let quoted = serde_json::to_string(&word).expect("a string").replace('\u{7f}', "\\u007f");
        let quoted = quoted.replace('\u{85}', "\\u0085").replace('\u{feff}', "\\ufeff");
        let found = clients::read(&write_home(file, dialect.replace("WORD", &quoted).as_bytes()));
        let ours = found.servers.iter().filter(|server| server.file.ends_with(file));
        let argv: Vec<&[String]> = ours
            .filter_map(|server| match &server.transport {
                clients::Transport::Stdio { argv } => Some(argv.as_slice()),
                clients::Transport::Remote { .. } => None,
            })
            .collect();
        assert_eq!(argv, [&["run".to_owned(), word][..]], "{file} says something else");
        assert!(!format!("{found:?}{argv:?}").contains(KEY), "{file}: the environment was read");
    }
}

/// One server in the language of each client, with any word as its argument and a key beside it.
pub(super) const DIALECTS: [(&str, &str); 5] = [
    (
        ".claude.json",
        "{\"mcpServers\":{\"a\":{\"command\":\"run\",\"args\":[WORD],\"env\":{\"K\":\"zq81klmn0pqr77\"}}}}",
    ),
    (
        ".config/zed/settings.json",
        "// mine\n{\"context_servers\":{\"a\":{\"command\":{\"path\":\"run\",\"args\":[WORD,],\"env\":{\"K\":\"zq81klmn0pqr77\"}},},},}",
    ),
    (
        ".codex/config.toml",
        "[mcp_servers.a]\ncommand = \"run\"\nargs = [WORD]\n[mcp_servers.a.env]\nK = \"zq81klmn0pqr77\"\n",
    ),
    (
        ".config/goose/config.yaml",
        "extensions:\n  a:\n    type: stdio\n    cmd: run\n    args:\n      - WORD\n    envs: {K: zq81klmn0pqr77}\n",
    ),
    (
        ".config/opencode/opencode.json",
        "{\"mcp\":{\"a\":{\"type\":\"local\",\"command\":[\"run\",WORD],\"environment\":{\"K\":\"zq81klmn0pqr77\"}}}}",
    ),
];

pub(super) fn client_shape(bytes: &[u8]) -> u64 {
    let found = clients::read(&write_home(".claude.json", bytes));
    let servers: Vec<(String, bool)> =
        found.servers.iter().take(16).map(|server| (server.client.clone(), server.disabled)).collect();
    let warnings: Vec<String> =
        found.warnings.iter().map(|warning| format!("{:?}", warning.trouble)).collect();
    digest((servers, warnings))
}

pub(super) fn client_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "{\"mcpServers\":{\"a\":{\"command\":\"npx\",\"args\":[\"-y\",\"x\",\"${HOME}/y\"],\"env\":{\"K\":\"v\"}}},\"projects\":{\"/srv\":{\"mcpServers\":{}}}}",
        "// c\n{\"context_servers\":{\"a\":{\"command\":{\"path\":\"x\",\"args\":[1]}},},}",
        "{\"mcp\":{\"a\":{\"type\":\"local\",\"command\":[\"bun\",\"server.ts\"]},\"b\":{\"type\":\"remote\",\"url\":\"https://h\"}}}",
        "[mcp_servers.x]\ncommand = \"node\"\nargs = [\"a\"]\n[mcp_servers.y]\nurl = \"https://h\"\n",
        "extensions:\n  a: &a\n    cmd: uvx\n    args: [mcp-x]\n    type: stdio\n  b: *a\nmcpServers:\n  - name: c\n    command: node\n",
        "# c\nextensions:\n  a:\n    cmd: |\n      uvx\n    args: ['x', \"y\\u0041\", ? z]\n    enabled: no\n    platform_overrides: {linux: {command: a}}\n---\nb: !!str c\n...\n",
        "{\"mcpServers\":{\"a\":{\"transport\":{\"type\":\"stdio\",\"command\":\"a\"},\"disabled\":true},\"b\":{\"command\":[\"bun\",\"x\"],\"args\":[8080,true,1.5,null,{\"x\":1}]},\"c\":{\"serverUrl\":\"https://u:p@[::1]:3000/x\"}}}",
        "{\"projects\":{\"/\":{\"history\":[{\"display\":\"x\"}],\"mcpServers\":{\"db\":{\"command\":\"uvx\",\"args\":[\"${userHome}/a\",\"~/b\",\"$HOME\",\"${env:HOME}\"]}}}}}",
        "model = \"m\"\n[mcp_servers.\"far.away\"]\nurl = 'https://far.example/mcp'\nenabled = false\n[mcp_servers.docs]\ncommand = \"\"\"npx\"\"\"\nargs = [\"-y\",\n 'docs-mcp', # c\n]\nenv = { \"K\" = \"k\" }\n[projects.\"/nowhere\"]\ntrust_level = \"trusted\"\n",
        "\u{feff}{\n  /* a */ \"mcp\": {\"servers\": {\"old\": {\"command\": \"old-mcp\",},},}, // b\n}",
    ])
}

pub(super) fn audit_log(bytes: &[u8]) {
    let dir = FOLDER.path().join("state");
    if !dir.exists() {
        drop(audit::RunLock::try_acquire(&dir).expect("a state folder"));
    }
    let path = dir.join("audit.jsonl");
    fs::write(&path, bytes).expect("a file");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&path, private).expect("a mode");
    let lines = audit::read::lines(&dir).expect("a log").filter_map(Result::ok).count();
    assert!(lines <= bytes.split(|byte| *byte == b'\n').count(), "no line is made up");
}

pub(super) fn audit_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "{\"schema\":1,\"at\":\"2026-11-20T14:00:00.000Z\",\"run\":\"r\",\"event\":\"intent\",\"pid\":42,\"start\":1,\"started_at\":\"2026-11-20T13:00:00.000Z\",\"server\":\"s\",\"root\":42,\"role\":\"server\",\"signal\":\"TERM\",\"argv\":[\"node\"],\"rss\":1,\"verdict\":\"orphaned\",\"reason\":\"x\"}\n",
        "{\"schema\":1,\"at\":\"2026-11-20T14:00:00.000Z\",\"run\":\"r\",\"event\":\"run-finished\",\"instances\":1,\"processes\":1,\"rss_reclaimed\":1,\"duration_ms\":1,\"failed\":0}\n{\"schema\":1",
    ])
}
