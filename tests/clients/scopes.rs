//! Who an entry is for: projects, plugins, the machine, and the folders the environment names.

use std::os::unix::fs::symlink;

use mcp_reap::clients::Os;

use crate::home::Home;

const ONE: &str = r#"{"mcpServers": {"one": {"command": "one"}}}"#;

#[test]
fn projects_that_a_client_remembers_are_looked_into_once() {
    let home = Home::new(Os::Linux);
    let (a, b) = (home.path("src/a"), home.path("src/b"));
    let remembered =
        format!(r#"{{"projects": {{"{}": {{}}, "/gone": {{}}, "relative": {{}}}}}}"#, a.display());
    let trusted = format!(
        "[projects.\"{}\"]\ntrust_level = \"trusted\"\n[projects.\"{}\"]\n",
        a.display(),
        b.display()
    );
    let home = home
        .with(".claude.json", remembered)
        .with(".codex/config.toml", trusted)
        .with("src/a/.mcp.json", ONE)
        .with("src/b/.vscode/mcp.json", r#"{"servers": {"two": {"command": "two"}}}"#)
        .with("src/c/.kiro/settings/mcp.json", ONE)
        .project("src/c");
    assert_eq!(
        home.lines(),
        [
            "kiro project ~/src/c one: one",
            "claude-code project ~/src/a one: one",
            "vscode project ~/src/b two: two",
        ]
    );
}

#[test]
fn a_remembered_project_without_a_whole_path_is_nobody_s() {
    let home = Home::new(Os::Linux).with("w/.mcp.json", ONE);
    let up = "../".repeat(std::env::current_dir().unwrap().components().count() - 1);
    let relative = format!("{up}{}", home.path("w").display().to_string().trim_start_matches('/'));
    assert!(std::path::Path::new(&relative).is_dir(), "{relative}");
    let home = home.with(".claude.json", format!(r#"{{"projects": {{"{relative}": {{}}}}}}"#));
    assert_eq!(home.lines(), [""; 0]);
}

#[test]
fn hidden_folders_and_files_in_the_place_of_folders_are_passed_over() {
    let home = Home::new(Os::Linux)
        .with(".claude/plugins/cache/.staging/p/1/.mcp.json", ONE)
        .with(".claude/plugins/cache/market", "a file")
        .with(".codex", "a file")
        .with("w/.vscode", "a file")
        .project("w");
    assert_eq!(home.lines(), [""; 0]);
}

#[test]
fn a_home_that_is_a_project_too_is_read_once() {
    let home = Home::new(Os::Linux).with(".cursor/mcp.json", ONE).with(".mcp.json", ONE).project("");
    assert_eq!(home.lines(), ["cursor user one: one", "claude-code project ~/ one: one"]);
}

#[test]
fn the_same_server_in_several_scopes_is_listed_in_each() {
    let home = Home::new(Os::MacOs)
        .with(".claude.json", ONE)
        .with(".cursor/mcp.json", ONE)
        .with("w/.mcp.json", ONE)
        .project("w");
    assert_eq!(
        home.lines(),
        ["claude-code user one: one", "cursor user one: one", "claude-code project ~/w one: one"]
    );
}

#[test]
fn folders_the_environment_names_are_read_besides_the_usual_ones() {
    let mut home = Home::new(Os::Linux)
        .with("cc/.claude.json", ONE)
        .with("cc/plugins/cache/m/p/1/.mcp.json", ONE)
        .with(".claude.json", ONE)
        .with("cx/config.toml", "[mcp_servers.one]\ncommand = \"one\"\n")
        .with("xdg/zed/settings.json", r#"{"context_servers": {"one": {"command": "one"}}}"#)
        .with(".config/zed/settings.json", r#"{"context_servers": {"usual": {"command": "usual"}}}"#);
    home.places.claude_config_dir = Some(home.path("cc"));
    home.places.codex_home = Some(home.path("cx"));
    home.places.xdg_config_home = Some(home.path("xdg"));
    assert_eq!(
        home.lines(),
        [
            "claude-code user one: one",
            "claude-code user one: one",
            "claude-code plugin ~/cc/plugins/cache/m/p/1 one: one",
            "codex user one: one",
            "zed user one: one",
            "zed user usual: usual",
        ]
    );
}

#[test]
fn a_plugin_s_list_may_have_no_outer_key_stand_in_its_manifest_or_in_a_file_that_names() {
    let plugins = ".claude/plugins/cache/market";
    let home = Home::new(Os::Linux)
        .with(
            &format!("{plugins}/bare/1.0/.mcp.json"),
            r#"{"$schema": "x", "db": {"command": "${CLAUDE_PLUGIN_ROOT}/db", "args": ["-c", "${CLAUDE_PLUGIN_ROOT}/c.json"]}}"#,
        )
        .with(
            &format!("{plugins}/inline/2.0/.claude-plugin/plugin.json"),
            r#"{"name": "inline", "mcpServers": {"api": {"command": "node", "args": ["${CLAUDE_PLUGIN_ROOT}/api.js"]}}}"#,
        )
        .with(&format!("{plugins}/named/3.0/.claude-plugin/plugin.json"), r#"{"mcpServers": ["./more.json", "${CLAUDE_PLUGIN_ROOT}/conf/x.json"]}"#)
        .with(&format!("{plugins}/named/3.0/more.json"), r#"{"more": {"command": "more"}}"#)
        .with(&format!("{plugins}/named/3.0/conf/x.json"), r#"{"mcpServers": {"x": {"command": "x"}}}"#);
    assert_eq!(
        home.lines(),
        [
            "claude-code plugin ~/.claude/plugins/cache/market/bare/1.0 db: HOME/.claude/plugins/cache/market/bare/1.0/db \
         | -c | HOME/.claude/plugins/cache/market/bare/1.0/c.json",
            "claude-code plugin ~/.claude/plugins/cache/market/inline/2.0 api: node | HOME/.claude/plugins/cache/market/inline/2.0/api.js",
            "claude-code plugin ~/.claude/plugins/cache/market/named/3.0 more: more",
            "claude-code plugin ~/.claude/plugins/cache/market/named/3.0 x: x",
        ]
    );
}

#[test]
fn a_plugin_s_manifest_names_only_files_of_its_own() {
    let plugin = ".claude/plugins/cache/m/p/1";
    let home = Home::new(Os::Linux).with("outside.json", ONE);
    let outside = home.path("outside.json").display().to_string();
    let home = home
        .with(
            &format!("{plugin}/.claude-plugin/plugin.json"),
            format!(r#"{{"mcpServers": ["../../../../../../outside.json", "{outside}", "./pack.mcpb", "./loop.json", ""]}}"#),
        )
        .with(&format!("{plugin}/pack.mcpb"), "PK")
        .with(&format!("{plugin}/loop.json"), r#"{"mcpServers": "./loop.json"}"#);
    assert_eq!(home.lines(), [""; 0]);
}

#[test]
fn links_that_lead_in_circles_end() {
    let home = Home::new(Os::Linux).with(".claude/plugins/cache/m/p/1/.mcp.json", ONE);
    symlink(home.path(".claude/plugins/cache"), home.path(".claude/plugins/cache/m/up")).unwrap();
    symlink("self", home.path(".claude/plugins/cache/self")).unwrap();
    let found = home.read();
    assert!(found.servers.iter().any(|server| server.entry == "one"));
    assert!(found.servers.len() < 10, "{}", found.servers.len());
}

#[test]
fn what_the_administrator_set_is_marked_as_such() {
    for (os, path) in [
        (Os::Linux, "etc/claude-code/managed-mcp.json"),
        (Os::MacOs, "Library/Application Support/ClaudeCode/managed-mcp.json"),
    ] {
        let home = Home::new(os).with(&format!("../{path}"), ONE);
        assert_eq!(home.lines(), ["claude-code managed one: one"]);
    }
}

#[test]
fn unattended_on_a_mac_no_project_is_read_for_which_the_system_would_ask() {
    let asked =
        ["Documents/a", "DESKTOP", "Downloads/x/y", "Library/Mobile Documents/b", "Library/CloudStorage/c"];
    let free = ["src/a", "Documents2/a", "work/Documents"];
    let lines = |os, unattended| {
        let mut home = Home::new(os);
        home.places.unattended = unattended;
        let stick = home.places.root.join("Volumes/stick");
        std::fs::create_dir_all(&stick).unwrap();
        std::fs::write(stick.join(".mcp.json"), ONE).unwrap();
        let paths: Vec<String> =
            asked.iter().chain(&free).map(|path| home.path(path).display().to_string()).collect();
        let stick = stick.display().to_string();
        let projects = paths.iter().chain([&stick]).map(|path| format!("\"{path}\": {{}}"));
        let remembered = format!("{{\"projects\": {{{}}}}}", projects.collect::<Vec<_>>().join(","));
        let mut home = home.with(".claude.json", remembered);
        for path in asked.iter().chain(&free) {
            home = home.with(&format!("{path}/.mcp.json"), ONE);
        }
        // The working directory is a project too.
        home.project("Documents/a").lines().len()
    };
    assert_eq!(lines(Os::MacOs, true), free.len());
    let all = asked.len() + free.len() + 1;
    assert_eq!((lines(Os::MacOs, false), lines(Os::Linux, true)), (all, all));
}
