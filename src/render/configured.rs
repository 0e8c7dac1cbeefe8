//! The servers that the person's clients are configured to start, with their running instances.

use serde::Serialize;

use super::clean::{below_home, clean};
use super::grid::{Column, Grid};
use super::style::{self, Screen};
use crate::process::{Pid, SCHEMA};

/// The place of an entry in the configurations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ConfigEntry {
    /// The client.
    pub(crate) client: String,
    /// Where it applies: `user`, `local`, `project`, `plugin`, `extension`, `managed`.
    pub(crate) scope: &'static str,
    /// The entry's name.
    pub(crate) name: String,
    /// Its file.
    pub(crate) file: String,
}

/// A configured server and its running instances. Its argv is not here: it may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ConfiguredRow {
    /// The place of its entry.
    #[serde(flatten)]
    pub(crate) entry: ConfigEntry,
    /// The host, for a server that is not on this machine.
    pub(crate) remote: Option<String>,
    /// Whether the entry is switched off by its own flag.
    pub(crate) disabled: bool,
    /// The roots of its running instances.
    pub(crate) running: Vec<Pid>,
    /// Its running instances with their verdicts.
    pub(crate) instances: Vec<Running>,
}

/// A running instance of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Running {
    /// Its root.
    pub(crate) root: Pid,
    /// Its verdict.
    pub(crate) verdict: &'static str,
}

/// A running instance that no configuration names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Stray {
    /// The server's short name.
    pub(crate) server: String,
    /// Its root.
    pub(crate) root: Pid,
    /// Its verdict.
    pub(crate) verdict: &'static str,
}

/// Both lists for people, with paths below `home` as `~/...`.
pub(crate) fn text(
    configured: &[ConfiguredRow],
    strays: &[Stray],
    home: Option<&str>,
    screen: Screen,
) -> String {
    let row = |row: &ConfiguredRow| {
        let ConfigEntry { client, scope, name, file } = &row.entry;
        let file = clean(&below_home(file, home));
        vec![client.clone(), (*scope).to_owned(), clean(name), running(row), file]
    };
    let mut lines = if configured.is_empty() {
        vec!["no configuration that was found names an MCP server".to_owned()]
    } else {
        let columns =
            ["CLIENT", "SCOPE", "ENTRY", "RUNNING", "FILE"].map(|title| Column { title, right: false });
        Grid::new(columns.to_vec(), configured.iter().map(row).collect()).lines(2, screen)
    };
    if !strays.is_empty() {
        lines.push(String::new());
        lines.push(screen.paint(style::TITLE, "running, and in no configuration that was found"));
        lines.extend(strays.iter().map(|s| format!("  {} ({}) {}", clean(&s.server), s.root, s.verdict)));
    }
    lines.join("\n")
}

/// The roots of its instances, with the verdict of each that is not `in-use`.
fn running(row: &ConfiguredRow) -> String {
    let shown = |instance: &Running| match instance.verdict {
        "in-use" => instance.root.to_string(),
        verdict => format!("{} {verdict}", instance.root),
    };
    let instances: Vec<String> = row.instances.iter().map(shown).collect();
    match (&row.remote, row.disabled) {
        (Some(host), _) => clean(host),
        (None, _) if !instances.is_empty() => instances.join(", "),
        (None, true) => "disabled".to_owned(),
        (None, false) => "-".to_owned(),
    }
}

/// Both lists as one JSON object.
pub(crate) fn json(configured: &[ConfiguredRow], strays: &[Stray]) -> String {
    serde_json::json!({ "schema": SCHEMA, "configured": configured, "unconfigured": strays }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::style::Color;

    #[test]
    fn an_orphan_of_an_entry_is_marked() {
        let instance = |pid, verdict| Running { root: Pid(pid), verdict };
        let entry = ConfigEntry {
            client: "codex".to_owned(),
            scope: "user",
            name: "notes".to_owned(),
            file: "/home/kim/.codex/config.toml".to_owned(),
        };
        let row = ConfiguredRow {
            entry,
            remote: None,
            disabled: false,
            running: vec![Pid(7), Pid(9)],
            instances: vec![instance(7, "in-use"), instance(9, "orphaned")],
        };
        let screen = Screen { color: false, ..Screen::of_stdout(Color::Never) };
        let text = text(std::slice::from_ref(&row), &[], Some("/home/kim"), Screen { width: None, ..screen });
        assert!(text.contains("  7, 9 orphaned  ~/.codex/config.toml"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&json(&[row], &[])).expect("JSON");
        assert_eq!(json["configured"][0]["running"], serde_json::json!([7, 9]));
        assert_eq!(json["configured"][0]["instances"][1]["verdict"], "orphaned");
    }
}
