//! mcp-reap as a plugin of Claude Code, whose hooks run without an entry in the settings.
//!
//! Claude Code lists installed plugins in `plugins/installed_plugins.json` of its folder, by `name@marketplace` and
//! with one record for each scope. It lists plugins that are switched on in `enabledPlugins` of the settings files. A
//! plugin runs if the last of these files that names it has the value `true`.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::error::InstallError;
use super::install::text;

/// The plugin's name in every marketplace.
const NAME: &str = "mcp-reap";

/// The plugin in the files of Claude Code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PluginStatus {
    /// `mcp-reap@MARKETPLACE`.
    pub(crate) id: String,
    /// Whether it is switched on.
    pub(crate) enabled: bool,
    /// Whether it was fetched for this person or project. If it is only switched on, it is fetched at the next start.
    pub(crate) installed: bool,
    /// The settings file that switches it on or off; `None` if none names it.
    pub(crate) file: Option<PathBuf>,
}

impl PluginStatus {
    /// Do its hooks run?
    pub(crate) fn runs(&self) -> bool {
        self.enabled && self.installed
    }
}

/// The state of the plugin for a person and a project, if one is given. `folder` has the settings of Claude Code.
/// `None` if no file names the plugin.
///
/// # Errors
/// When a settings file cannot be read or is not JSON.
pub(crate) fn status(folder: &Path, project: Option<&Path>) -> Result<Option<PluginStatus>, InstallError> {
    let mut files = vec![folder.join("settings.json")];
    files.extend(project.iter().flat_map(|project| {
        ["settings.json", "settings.local.json"].map(|name| project.join(".claude").join(name))
    }));
    let mut found: Vec<PluginStatus> = Vec::new();
    let mut note = |id: &str| match found.iter().position(|plugin| plugin.id == id) {
        Some(at) => at,
        None => {
            let id = id.to_owned();
            found.push(PluginStatus { id, enabled: false, installed: false, file: None });
            found.len() - 1
        }
    };
    let mut switches = Vec::new();
    for file in files {
        let settings = value(&file)?;
        let named = settings.get("enabledPlugins").and_then(Value::as_object).into_iter().flatten();
        for (id, on) in named.filter(|(id, _)| is_ours(id)) {
            switches.push((note(id), on == &Value::Bool(true), file.clone()));
        }
    }
    let records = value(&folder.join("plugins/installed_plugins.json"))?;
    let records = records.get("plugins").and_then(Value::as_object).into_iter().flatten();
    let here: Vec<usize> = records
        .filter(|(id, records)| is_ours(id) && is_for(records, project))
        .map(|(id, _)| note(id))
        .collect();
    for (at, on, file) in switches {
        (found[at].enabled, found[at].file) = (on, Some(file));
    }
    for at in here {
        found[at].installed = true;
    }
    // If it comes from several marketplaces, the one that runs is reported.
    found.sort_by_key(|plugin| (!plugin.runs(), !plugin.enabled));
    Ok(found.into_iter().next())
}

fn is_ours(id: &str) -> bool {
    id.split('@').next() == Some(NAME)
}

/// Is one of the records for all projects or for this one? The first version of the file had one record instead of a
/// list.
fn is_for(records: &Value, project: Option<&Path>) -> bool {
    let one = std::slice::from_ref(records);
    let records = records.as_array().map_or(one, Vec::as_slice);
    records.iter().filter(|record| record.is_object()).any(|record| match record.get("projectPath") {
        Some(Value::String(path)) => project.is_some_and(|project| Path::new(path) == project),
        _ => true,
    })
}

/// The JSON of a file; null if there is no file.
fn value(file: &Path) -> Result<Value, InstallError> {
    let text = text(file)?;
    let json = text.trim_start_matches('\u{feff}');
    if json.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(json)
        .map_err(|error| InstallError::Unparsed { file: file.to_owned(), why: error.to_string() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use serde_json::json;

    use super::*;

    /// A home with these files in it, and a project beside them.
    fn seen(files: &[(&str, Value)], in_project: bool) -> Option<PluginStatus> {
        let home = tempfile::tempdir().unwrap();
        let project = home.path().join("project");
        for (name, content) in files {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let content = content.to_string().replace("PROJECT", project.to_str().unwrap());
            fs::write(path, content).unwrap();
        }
        let folder = home.path().join(".claude");
        let mut seen = status(&folder, in_project.then_some(project.as_path())).unwrap()?;
        let file = |file: PathBuf| file.strip_prefix(home.path()).unwrap().to_owned();
        seen.file = seen.file.map(file);
        Some(seen)
    }

    const USER: &str = ".claude/settings.json";
    const PROJECT: &str = "project/.claude/settings.json";
    const LOCAL: &str = "project/.claude/settings.local.json";
    const RECORDS: &str = ".claude/plugins/installed_plugins.json";

    fn switch(on: bool) -> Value {
        json!({"enabledPlugins": {"mcp-reaper@x": true, "mcp-reap@mcp-reap": on}})
    }

    fn records(scopes: &[&str]) -> Value {
        let record = |scope: &&str| match *scope {
            "user" => json!({"scope": "user", "installPath": "/c", "version": "0.1.0"}),
            other => json!({"scope": other, "installPath": "/c", "projectPath": "PROJECT"}),
        };
        json!({"version": 2, "plugins": {"other@x": [], "mcp-reap@mcp-reap": scopes.iter().map(record).collect::<Vec<_>>()}})
    }

    #[test]
    fn a_plugin_runs_where_it_is_installed_and_the_last_settings_file_says_so() {
        let user = (RECORDS, records(&["user"]));
        for (files, in_project, enabled, installed, file) in [
            // As `claude plugin install` leaves it, in the user scope and in the local one.
            (vec![(USER, switch(true)), user.clone()], false, true, true, Some(USER)),
            (vec![(LOCAL, switch(true)), (RECORDS, records(&["local"]))], true, true, true, Some(LOCAL)),
            // `claude plugin disable`, for everything and for the project alone.
            (vec![(USER, switch(false)), user.clone()], false, false, true, Some(USER)),
            (
                vec![(USER, switch(true)), (LOCAL, switch(false)), user.clone()],
                true,
                false,
                true,
                Some(LOCAL),
            ),
            (
                vec![(USER, switch(false)), (PROJECT, switch(true)), user.clone()],
                true,
                true,
                true,
                Some(PROJECT),
            ),
            // Not asked about the project.
            (vec![(USER, switch(true)), (LOCAL, switch(false)), user.clone()], false, true, true, Some(USER)),
            // A project that asks for it before anybody fetched it; one that is fetched and switched on nowhere.
            (vec![(PROJECT, switch(true))], true, true, false, Some(PROJECT)),
            (vec![user.clone()], false, false, true, None),
            // For another project only.
            (vec![(USER, switch(true)), (RECORDS, records(&["project"]))], false, true, false, Some(USER)),
            // The first version of the records.
            (
                vec![
                    (USER, switch(true)),
                    (RECORDS, json!({"plugins": {"mcp-reap@mcp-reap": {"version": "0.1.0"}}})),
                ],
                false,
                true,
                true,
                Some(USER),
            ),
        ] {
            let expected = PluginStatus {
                id: "mcp-reap@mcp-reap".into(),
                enabled,
                installed,
                file: file.map(PathBuf::from),
            };
            assert_eq!(seen(&files, in_project), Some(expected), "{files:?}");
        }
    }

    #[test]
    fn of_two_marketplaces_the_one_that_runs_is_shown() {
        let on = json!({"enabledPlugins": {"mcp-reap@a": false, "mcp-reap@b": true}});
        let records = json!({"version": 2, "plugins": {"mcp-reap@a": [{}], "mcp-reap@b": [{}]}});
        let plugin = seen(&[(USER, on), (RECORDS, records)], false).unwrap();
        assert_eq!((plugin.id.as_str(), plugin.runs()), ("mcp-reap@b", true));
    }

    #[test]
    fn no_plugin_is_none_and_odd_files_are_no_plugin() {
        assert_eq!(seen(&[], true), None);
        for odd in [
            json!([]),
            json!({"enabledPlugins": ["mcp-reap@x"]}),
            json!({"enabledPlugins": {"x@mcp-reap": true}}),
        ] {
            assert_eq!(seen(&[(USER, odd.clone()), (RECORDS, odd.clone())], true), None, "{odd}");
        }
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("settings.json"), "{ // mine\n}").unwrap();
        let error = status(home.path(), None).unwrap_err().to_string();
        assert!(error.contains("settings.json: key must be a string at line 1"), "{error}");
    }
}
