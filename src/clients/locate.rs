//! The table of the clients' files: the file with the list of servers of each client, and the keys that lead to it.
//!
//! It is based on the clients' documentation and, where that says nothing, on their sources. `docs/clients.md` is
//! generated from it.

use std::path::Path;

use super::found::Scope;
use super::places::{Base, Os};
use super::shapes::Shape;

/// The scope of the entries of a file. For plugins and extensions the number says how many folders above the file
/// theirs is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    User,
    Project,
    Plugin(u8),
    Extension(u8),
    Managed,
}

impl FileKind {
    /// The scope of the entries of `file`, which was found below `base`.
    pub(super) fn scope(self, base: &Path, file: &Path) -> Scope {
        let above = |up: u8| file.ancestors().nth(usize::from(up) + 1).unwrap_or(base).to_path_buf();
        match self {
            FileKind::User => Scope::User,
            FileKind::Project => Scope::Project { project: base.to_path_buf() },
            FileKind::Plugin(up) => Scope::Plugin { folder: above(up) },
            FileKind::Extension(up) => Scope::Extension { folder: above(up) },
            FileKind::Managed => Scope::Managed,
        }
    }
}

/// One file of one client.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientFile {
    pub(super) client: &'static str,
    pub(super) kind: FileKind,
    pub(super) base: Base,
    pub(super) path: &'static str,
    pub(super) shape: &'static Shape,
}

const fn lists(lists: &'static [&'static [&'static str]]) -> Shape {
    Shape { lists, single: None, bare: false }
}

/// The shape that nearly all clients use.
const SERVERS: &Shape = &lists(&[&["mcpServers"]]);
/// `~/.claude.json`: the person's servers, and per project.
const CLAUDE: &Shape = &lists(&[&["mcpServers"], &["projects", "*", "mcpServers"]]);
/// A plugin's `.mcp.json`, with or without the outer key.
pub(super) const PLUGIN: &Shape = &Shape { bare: true, ..lists(&[&["mcpServers"]]) };
/// An extension's manifest: <https://github.com/anthropics/mcpb/blob/main/MANIFEST.md>.
const MANIFEST: &Shape = &Shape { single: Some(&["server", "mcp_config"]), ..lists(&[]) };
/// VS Code's `mcp.json`.
const VSCODE: &Shape = &lists(&[&["servers"]]);
/// VS Code's `settings.json`, before it had `mcp.json`.
const VSCODE_SETTINGS: &Shape = &lists(&[&["mcp", "servers"], &["mcp.servers"]]);
/// Codex in a project or for a machine, and Hermes.
const MCP_SERVERS: &Shape = &lists(&[&["mcp_servers"]]);
/// Codex for one person. The projects that the person trusts are tables of `projects`.
const CODEX: &Shape = &lists(&[&["mcp_servers"], &["projects", "*", "mcp_servers"]]);
const ZED: &Shape = &lists(&[&["context_servers"]]);
const CONTINUE: &Shape = &lists(&[&["mcpServers"], &["experimental", "modelContextProtocolServers"]]);
const GOOSE: &Shape = &lists(&[&["extensions"]]);
const MCP: &Shape = &lists(&[&["mcp"]]);
const AMP: &Shape = &lists(&[&["amp.mcpServers"], &["amp", "mcpServers"]]);
const OPENCLAW: &Shape = &lists(&[&["mcp", "servers"], &["mcpServers"]]);

const fn row(
    client: &'static str,
    kind: FileKind,
    base: Base,
    path: &'static str,
    shape: &'static Shape,
) -> ClientFile {
    ClientFile { client, kind, base, path, shape }
}

use Base::{
    AppData, ClaudeDir, ClaudeState, CodexDir, Config, Editors, Home, LinuxRoot, MacHome, MacRoot,
    Project as Here, Root,
};
use FileKind::{Extension, Managed, Plugin, Project, User};

/// The whole table.
#[rustfmt::skip] // a table looks like a table
pub(super) const TABLE: &[ClientFile] = &[
    // https://code.claude.com/docs/en/mcp and .../plugins-reference
    row("claude-code", User, ClaudeState, ".claude.json", CLAUDE),
    row("claude-code", Project, Here, ".mcp.json", SERVERS),
    row("claude-code", Plugin(0), ClaudeDir, "plugins/cache/*/*/*/.mcp.json", PLUGIN),
    row("claude-code", Plugin(1), ClaudeDir, "plugins/cache/*/*/*/.claude-plugin/plugin.json", SERVERS),
    row("claude-code", Managed, LinuxRoot, "etc/claude-code/managed-mcp.json", SERVERS),
    row("claude-code", Managed, MacRoot, "Library/Application Support/ClaudeCode/managed-mcp.json", SERVERS),
    // https://modelcontextprotocol.io/docs/develop/connect-local-servers
    row("claude-desktop", User, AppData, "Claude/claude_desktop_config.json", SERVERS),
    row("claude-desktop", Extension(0), AppData, "Claude/Claude Extensions/*/manifest.json", MANIFEST),
    // https://cursor.com/docs/context/mcp
    row("cursor", User, Home, ".cursor/mcp.json", SERVERS),
    row("cursor", Project, Here, ".cursor/mcp.json", SERVERS),
    // https://code.visualstudio.com/docs/agents/reference/mcp-configuration
    row("vscode", User, Editors, "User/mcp.json", VSCODE),
    row("vscode", User, Editors, "User/profiles/*/mcp.json", VSCODE),
    row("vscode", User, Editors, "User/settings.json", VSCODE_SETTINGS),
    row("vscode", Project, Here, ".vscode/mcp.json", VSCODE),
    row("vscode", Project, Here, ".vscode/settings.json", VSCODE_SETTINGS),
    // https://developers.openai.com/codex/config-basic
    row("codex", User, CodexDir, "config.toml", CODEX),
    row("codex", Project, Here, ".codex/config.toml", MCP_SERVERS),
    row("codex", Plugin(0), CodexDir, "plugins/cache/*/*/*/.mcp.json", PLUGIN),
    row("codex", Managed, Root, "etc/codex/config.toml", MCP_SERVERS),
    // https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md
    row("gemini-cli", User, Home, ".gemini/settings.json", SERVERS),
    row("gemini-cli", Project, Here, ".gemini/settings.json", SERVERS),
    row("gemini-cli", Extension(0), Home, ".gemini/extensions/*/gemini-extension.json", SERVERS),
    row("gemini-cli", Managed, LinuxRoot, "etc/gemini-cli/settings.json", SERVERS),
    row("gemini-cli", Managed, MacRoot, "Library/Application Support/GeminiCli/settings.json", SERVERS),
    row("antigravity", User, Home, ".gemini/config/mcp_config.json", SERVERS),
    row("antigravity", User, Home, ".gemini/antigravity/mcp_config.json", SERVERS),
    row("windsurf", User, Home, ".codeium/windsurf/mcp_config.json", SERVERS),
    // https://zed.dev/docs/ai/mcp
    row("zed", User, Config, "zed/settings.json", ZED),
    row("zed", Project, Here, ".zed/settings.json", ZED),
    row("cline", User, Home, ".cline/data/settings/cline_mcp_settings.json", SERVERS),
    row("cline", User, Editors, "User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json", SERVERS),
    row("roo-code", User, Editors, "User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json", SERVERS),
    row("roo-code", Project, Here, ".roo/mcp.json", SERVERS),
    // https://docs.continue.dev/customize/deep-dives/mcp
    row("continue", User, Home, ".continue/config.yaml", CONTINUE),
    row("continue", User, Home, ".continue/config.json", CONTINUE),
    row("continue", Project, Here, ".continue/mcpServers/*.yaml", CONTINUE),
    row("continue", Project, Here, ".continue/mcpServers/*.json", CONTINUE),
    row("goose", User, Config, "goose/config.yaml", GOOSE),
    row("goose", User, MacHome, "Library/Application Support/Block/goose/config/config.yaml", GOOSE),
    // https://opencode.ai/docs/mcp-servers
    row("opencode", User, Config, "opencode/opencode.json", MCP),
    row("opencode", User, Config, "opencode/opencode.jsonc", MCP),
    row("opencode", Project, Here, "opencode.json", MCP),
    row("opencode", Project, Here, "opencode.jsonc", MCP),
    row("kilo", User, Config, "kilo/kilo.jsonc", MCP),
    row("kilo", User, Config, "kilo/kilo.json", MCP),
    row("amazon-q", User, Home, ".aws/amazonq/mcp.json", SERVERS),
    row("amazon-q", User, Home, ".aws/amazonq/cli-agents/*.json", SERVERS),
    row("amazon-q", Project, Here, ".amazonq/mcp.json", SERVERS),
    row("kiro", User, Home, ".kiro/settings/mcp.json", SERVERS),
    row("kiro", Project, Here, ".kiro/settings/mcp.json", SERVERS),
    row("lm-studio", User, Home, ".lmstudio/mcp.json", SERVERS),
    row("warp", User, Home, ".warp/.mcp.json", SERVERS),
    row("junie", User, Home, ".junie/mcp/mcp.json", SERVERS),
    row("junie", Project, Here, ".junie/mcp/mcp.json", SERVERS),
    row("copilot-cli", User, Home, ".copilot/mcp-config.json", SERVERS),
    row("xcode-claude", User, MacHome, "Library/Developer/Xcode/CodingAssistant/ClaudeAgentConfig/.claude.json", CLAUDE),
    row("xcode-codex", User, MacHome, "Library/Developer/Xcode/CodingAssistant/codex/config.toml", CODEX),
    row("amp", User, Config, "amp/settings.json", AMP),
    row("amp", User, Editors, "User/settings.json", AMP),
    row("crush", User, Config, "crush/crush.json", MCP),
    row("crush", Project, Here, "crush.json", MCP),
    row("crush", Project, Here, ".crush.json", MCP),
    row("qwen-code", User, Home, ".qwen/settings.json", SERVERS),
    row("qwen-code", Project, Here, ".qwen/settings.json", SERVERS),
    row("factory", User, Home, ".factory/mcp.json", SERVERS),
    row("factory", Project, Here, ".factory/mcp.json", SERVERS),
    row("augment", User, Home, ".augment/settings.json", SERVERS),
    row("openclaw", User, Home, ".openclaw/openclaw.json", OPENCLAW),
    row("hermes", User, Home, ".hermes/config.yaml", MCP_SERVERS),
];

/// One row of the table, for people and for `docs/clients.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The client's id.
    pub client: &'static str,
    /// `user`, `project`, `plugin`, `extension` or `managed`.
    pub scope: &'static str,
    /// The path on Linux, if there is one.
    pub linux: Option<String>,
    /// The path on macOS, if there is one.
    pub macos: Option<String>,
    /// The keys that lead to the servers.
    pub keys: String,
}

/// Every place that is read, in order.
pub fn locations() -> Vec<Location> {
    TABLE.iter().map(Location::from).collect()
}

impl From<&ClientFile> for Location {
    fn from(row: &ClientFile) -> Location {
        let on = |os| row.base.written(os).map(|base| format!("{base}{}", row.path));
        let shape = row.shape;
        let mut keys: Vec<String> =
            shape.lists.iter().chain(&shape.single).map(|steps| steps.join(" > ")).collect();
        if shape.bare {
            keys.push("(top)".to_owned());
        }
        Location {
            client: row.client,
            scope: row.kind.scope(Path::new(""), Path::new("")).as_str(),
            linux: on(Os::Linux),
            macos: on(Os::MacOs),
            keys: keys.join(", "),
        }
    }
}
