//! Decides whether an entry may be written at all, by the client's own approval and the rules of an administrator.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::refusal::Refusal;
use crate::clients::file;
use crate::clients::places::{Base, Os, Places};
use crate::os;

/// The largest file of rules that is read. Rules are short.
const LARGEST: u64 = 4 << 20;

/// Refuses clients whose approval of a server depends, or may depend, on its command.
///
/// Cursor keeps a hash of each approved entry (`~/.cursor/projects/*/mcp-approvals.json`), and VS Code trusts a server
/// by its definition. The clients whose files are written ask about tools at user level, not about commands. Nothing is
/// known about the others.
pub(super) fn approval(client: &str) -> Result<(), Refusal> {
    match client {
        "claude-code" | "claude-desktop" | "codex" | "gemini-cli" | "opencode" | "zed" => Ok(()),
        "cursor" | "vscode" => Err(Refusal::AsksAgain(client.to_owned())),
        _ => Err(Refusal::NotKnown(client.to_owned())),
    }
}

/// The clients that write this client's files, by their names in the process table.
pub(super) fn writers(client: &str) -> Vec<&str> {
    const EDITORS: [&str; 7] = ["vscode", "vscodium", "cursor", "windsurf", "trae", "void", "antigravity"];
    match client {
        "vscode" => EDITORS.to_vec(),
        // Extensions run in an editor.
        "cline" | "roo-code" | "continue" | "amp" | "amazon-q" => [&[client], &EDITORS[..]].concat(),
        "kilo" => [&["kilo-code"], &EDITORS[..]].concat(),
        "junie" => vec!["jetbrains"],
        "xcode-claude" => vec!["xcode", "claude-code"],
        "xcode-codex" => vec!["xcode", "codex"],
        _ => vec![client],
    }
}

/// Refuses if there is a policy about commands, which a changed command would violate or circumvent.
pub(super) fn check(client: &str, places: &Places) -> Result<(), Refusal> {
    match client {
        "claude-code" => claude(places),
        "codex" => codex(places),
        _ => Ok(()),
    }
}

/// <https://code.claude.com/docs/en/managed-mcp>: `allowedMcpServers` and `deniedMcpServers` may stand in any settings
/// file and name a server by `serverCommand`; with a `managed-mcp.json` only its servers are loaded.
fn claude(places: &Places) -> Result<(), Refusal> {
    let managed = places.root.join(match places.os {
        Os::Linux => "etc/claude-code",
        Os::MacOs => "Library/Application Support/ClaudeCode",
    });
    let alone = managed.join("managed-mcp.json");
    if alone.symlink_metadata().is_ok() {
        return Err(Refusal::Policy(alone));
    }
    let mut files = vec![managed.join("managed-settings.json")];
    let mut hidden = Vec::new();
    files.extend(file::matching(&managed, "managed-settings.d/*.json", &mut hidden));
    if let Some(warning) = hidden.pop() {
        return Err(Refusal::UnreadPolicy(warning.file));
    }
    for folder in Base::ClaudeDir.folders(places) {
        files.extend(["settings.json", "remote-settings.json"].map(|name| folder.join(name)));
    }
    for file in files {
        let Some(text) = read(&file)? else { continue };
        if text.trim().is_empty() {
            continue;
        }
        let Ok(settings) = jsonc_parser::parse_to_serde_value::<Value>(&text, &Default::default()) else {
            return Err(Refusal::UnreadPolicy(file));
        };
        let rules = ["allowedMcpServers", "deniedMcpServers"].map(|key| settings.get(key));
        let rules = rules.into_iter().flatten().filter_map(Value::as_array).flatten();
        if rules.into_iter().any(|rule| rule.get("serverCommand").is_some()) {
            return Err(Refusal::Policy(file));
        }
    }
    Ok(())
}

/// Codex disables servers that are not named in the requirements (`[mcp_servers.NAME.identity] command = "..."`), which
/// come from the machine or from the account; the older managed configuration comes over the person's own.
fn codex(places: &Places) -> Result<(), Refusal> {
    let machine =
        ["requirements.toml", "managed_config.toml"].map(|name| places.root.join("etc/codex").join(name));
    let account =
        Base::CodexDir.folders(places).into_iter().map(|folder| folder.join("cloud-requirements-cache.json"));
    for file in machine.into_iter().chain(account) {
        // The file is not parsed. It is enough that it may name servers.
        if read(&file)?.is_some_and(|text| text.contains("mcp_servers")) {
            return Err(Refusal::Policy(file));
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<Option<String>, Refusal> {
    let unread = || Refusal::UnreadPolicy(PathBuf::from(file));
    let bytes = os::file::read(file, LARGEST).map_err(|_| unread())?;
    bytes.map(|bytes| String::from_utf8(bytes).map_err(|_| unread())).transpose()
}
