//! What is left alone, each with its reason.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::super::*;
use super::{ENTRY, Home, PROGRAM};

/// Why `notes` of a client is not written; the file must stay as it is.
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
        let message = refusal(&home, "gemini-cli", file);
        assert!(message.contains(why), "{entry}: {message}");
    }
}

#[test]
fn a_hostile_file_is_left_with_its_reason() {
    let file = ".gemini/settings.json";
    for (text, why) in [
        (
            r#"{"mcpServers": {"notes": {"command": "npx"}, "notes": {"command": "uvx"}}}"#,
            "more than one place",
        ),
        (r#"{"mcpServers": {"notes": {"command": "npx"}}, "mcpServers": {}}"#, "more than one place"),
    ] {
        let home = Home::new().with(file, text);
        let message = refusal(&home, "gemini-cli", file);
        assert!(message.contains(why), "{text}: {message}");
    }
    let home = Home::new().with(file, ENTRY);
    fs::set_permissions(home.path(file), fs::Permissions::from_mode(0o444)).unwrap();
    assert!(refusal(&home, "gemini-cli", file).contains("read-only"));
    let home = Home::new().with(file, ENTRY);
    fs::hard_link(home.path(file), home.path("twin")).unwrap();
    assert!(refusal(&home, "gemini-cli", file).contains("hard-linked"));
    for (text, why) in [
        (&b"{\"mcpServers\": {\"notes\": {\"command\": \"npx\"}}"[..], "no server named"),
        (b"\xff{}", "no server named"),
    ] {
        let home = Home::new().with(file, "");
        fs::write(home.path(file), text).unwrap();
        let message = refusal(&home, "gemini-cli", file);
        assert!(message.contains(why), "{message}");
    }
    // A comment where words are to go.
    let commented = r#"{"mcpServers": {"notes": {"command": "mcp-reap", "args": ["exec", /* why */ "--", "npx", "-y"]}}}"#;
    let home = Home::new().with(file, commented);
    assert!(matches!(&home.uninstall()[..], [Err(Refusal::Comment)]));
    assert_eq!(home.text(file), commented);
    // A link stays one, and what it leads to is written with its mode.
    let home = Home::new().with("dotfiles/gemini.json", ENTRY);
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
    let local = r#"{"projects": {"/srv/x": {"mcpServers": {"notes": {"command": "npx"}}}}}"#;
    for (client, file, text, why) in [
        ("claude-code", ".claude.json", local, "for a project"),
        ("claude-code", "work/.mcp.json", ENTRY, "for a project"),
        ("claude-code", ".claude/plugins/cache/m/p/1/.mcp.json", ENTRY, "plugin or extension"),
        ("gemini-cli", ".gemini/extensions/x/gemini-extension.json", ENTRY, "plugin or extension"),
        ("gemini-cli", "/etc/gemini-cli/settings.json", ENTRY, "administrator"),
        ("codex", "/etc/codex/config.toml", "[mcp_servers.notes]\ncommand = \"npx\"", "administrator"),
        ("cursor", ".cursor/mcp.json", ENTRY, "asks for approval again"),
        ("windsurf", ".codeium/windsurf/mcp_config.json", ENTRY, "is not known"),
        ("goose", ".config/goose/config.yaml", "extensions:\n  notes:\n    cmd: npx\n", "is not known"),
    ] {
        let mut home = Home::new().with(file, text);
        home.places.projects.push(home.path("work"));
        let message = refusal(&home, client, file);
        assert!(message.contains(why), "{client} {file}: {message}");
    }
    let home = Home::new().with(".gemini/settings.json", ENTRY);
    let why = home.install("gemini-cli", "maps").unwrap_err().to_string();
    assert_eq!(why, "gemini-cli has no server named maps; it has notes");
}

#[test]
fn a_policy_that_goes_by_commands_is_not_gone_around() {
    let claude = ("claude-code", ".claude.json", ENTRY);
    let codex = ("codex", ".codex/config.toml", "[mcp_servers.notes]\ncommand = \"npx\"\n");
    let allowed = r#"{"allowedMcpServers": [{"serverName": "x"}, {"serverCommand": ["npx"]}]}"#;
    let denied = r#"{"deniedMcpServers": [{"serverName": "x"}, {"serverCommand": ["npx"]}]}"#;
    let identity = "[mcp_servers.docs.identity]\ncommand = \"npx\"";
    for ((client, file, text), policy, rules, why) in [
        (claude, "/etc/claude-code/managed-settings.json", allowed, "by their command"),
        (claude, "/etc/claude-code/managed-settings.json", denied, "by their command"),
        (claude, "/etc/claude-code/managed-settings.d/10.json", allowed, "by their command"),
        (claude, ".claude/settings.json", allowed, "by their command"),
        (claude, ".claude/remote-settings.json", allowed, "by their command"),
        (claude, "/etc/claude-code/managed-settings.json", "{", "cannot be read"),
        (claude, "/etc/claude-code/managed-mcp.json", "{}", "by their command"),
        (codex, "/etc/codex/requirements.toml", identity, "by their command"),
        (codex, ".codex/cloud-requirements-cache.json", "{\"mcp_servers\": {}}", "by their command"),
    ] {
        let home = Home::new().with(file, text).with(policy, rules);
        let before = home.text(file);
        let message = home.install(client, "notes").unwrap_err().to_string();
        assert!(message.contains(why), "{policy}: {message}");
        assert_eq!(home.text(file), before);
    }
    // The twins: a policy that goes by names or is about something else.
    let by_url = r#"{"allowedMcpServers": [{"serverName": "x"}, {"serverUrl": ["npx"]}]}"#;
    for ((client, file, text), policy, rules) in [
        (claude, "/etc/claude-code/managed-settings.json", by_url),
        (claude, ".claude/settings.json", ""),
        (codex, "/etc/codex/requirements.toml", "allowed_approval_policies = [\"never\"]"),
    ] {
        let home = Home::new().with(file, text).with(policy, rules);
        assert!(home.install(client, "notes").unwrap().changed, "{policy}");
    }
}
