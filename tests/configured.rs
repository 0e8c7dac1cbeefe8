//! `mcp-reap list --configured` through the real binary, in a home of its own.
#![allow(clippy::unwrap_used)]

mod limit;

use std::fs;
use std::process::Command;

use limit::Limited as _;
use serde_json::Value;
use tempfile::TempDir;

const SETTINGS: &str = r#"{"mcpServers": {
  "notes-of-kim": {"command": "/opt/kim/serve-notes", "args": ["--token", "sk-very-secret-value-0123456789"],
    "env": {"KEY": "sk-another-secret-0123456789"}},
  "far": {"type": "http", "url": "https://user:secret@mcp.example.com/x?key=s3cret"},
  "off": {"command": "npx", "args": ["-y", "off-mcp"], "disabled": true}
}}"#;

fn run(home: &TempDir, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-reap"));
    command.env_clear().env("HOME", home.path()).env("PATH", "/usr/bin:/bin").current_dir(home.path());
    let output = command.args(args).output_soon();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_entry_is_shown_with_its_file_and_without_its_secrets() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join(".claude.json"), SETTINGS).unwrap();
    let text = run(&home, &["list", "--configured"]);
    for part in ["claude-code", "notes-of-kim", "mcp.example.com", "disabled", ".claude.json"] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let json = run(&home, &["list", "--configured", "--json"]);
    let answer: Value = serde_json::from_str(&json).unwrap();
    let entries = answer["configured"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    assert!(entries.iter().all(|entry| entry["running"].as_array().unwrap().is_empty()));
    for secret in ["secret", "s3cret", "sk-"] {
        assert!(!text.contains(secret) && !json.contains(secret), "{secret} is shown");
    }
}

#[test]
fn a_home_without_configurations_is_no_error() {
    let home = TempDir::new().unwrap();
    let answer: Value = serde_json::from_str(&run(&home, &["list", "--configured", "--json"])).unwrap();
    assert!(answer["configured"].as_array().unwrap().is_empty());
}
