//! What the person's clients are configured to start, beside what runs.

use serde::Serialize;

use super::clean::clean;
use super::grid::{self, Column};
use super::style::{self, Screen};
use crate::process::{Pid, SCHEMA};

/// Where a configured server stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigEntry {
    /// Whose configuration.
    pub client: String,
    /// Where it applies: `user`, `local`, `project`, `plugin`, `extension`, `managed`.
    pub scope: &'static str,
    /// The entry's name.
    pub name: String,
    /// The file it stands in.
    pub file: String,
}

/// A configured server and its running instances. Its argv is not here: it may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfiguredRow {
    /// Where it stands.
    #[serde(flatten)]
    pub entry: ConfigEntry,
    /// The host, where the server is not on this machine.
    pub remote: Option<String>,
    /// Switched off by its own flag.
    pub disabled: bool,
    /// The roots of its running instances.
    pub running: Vec<Pid>,
}

/// A running instance that no configuration names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stray {
    /// The server's short name.
    pub server: String,
    /// Its root.
    pub root: Pid,
    /// Its verdict.
    pub verdict: &'static str,
}

const COLUMNS: [Column; 5] = [
    Column { title: "CLIENT", right: false },
    Column { title: "SCOPE", right: false },
    Column { title: "ENTRY", right: false },
    Column { title: "RUNNING", right: false },
    Column { title: "FILE", right: false },
];

/// Both lists for people.
#[must_use]
pub fn text(configured: &[ConfiguredRow], strays: &[Stray], screen: Screen) -> String {
    let rows: Vec<Vec<String>> = configured
        .iter()
        .map(|row| {
            let ConfigEntry { client, scope, name, file } = &row.entry;
            vec![client.clone(), (*scope).to_owned(), clean(name), running(row), clean(file)]
        })
        .collect();
    let mut lines = match rows.as_slice() {
        [] => vec!["no configuration that was found names an MCP server".to_owned()],
        rows => grid::lines(&COLUMNS, rows, 2, screen.width),
    };
    if let Some(titles) = lines.first_mut().filter(|_| !rows.is_empty()) {
        *titles = screen.paint(style::title(), titles);
    }
    if !strays.is_empty() {
        lines.push(String::new());
        lines.push(screen.paint(style::title(), "running, and in no configuration that was found"));
        lines.extend(strays.iter().map(|s| format!("  {} ({}) {}", clean(&s.server), s.root, s.verdict)));
    }
    lines.join("\n")
}

fn running(row: &ConfiguredRow) -> String {
    let pids: Vec<String> = row.running.iter().map(ToString::to_string).collect();
    match (&row.remote, row.disabled) {
        (Some(host), _) => clean(host),
        (None, _) if !pids.is_empty() => pids.join(" "),
        (None, true) => "disabled".to_owned(),
        (None, false) => "-".to_owned(),
    }
}

/// Both lists as one JSON object.
#[must_use]
pub fn json(configured: &[ConfiguredRow], strays: &[Stray]) -> String {
    serde_json::json!({ "schema": SCHEMA, "configured": configured, "unconfigured": strays }).to_string()
}
