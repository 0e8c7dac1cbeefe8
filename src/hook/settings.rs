//! Inserts our entries into the text of a client's settings, and removes them. No other byte changes.
//!
//! An entry is ours if it runs a program called `mcp-reap` with exactly the arguments `hook run`. [`HookClient`] has
//! the form that each client reads.
//!
//! ```
//! use std::path::Path;
//! use mcp_reap::hook::settings::{HookClient, HookCommand, install, uninstall};
//!
//! let client = HookClient::ClaudeCode;
//! let command = HookCommand::new(client, Path::new("/usr/local/bin/mcp-reap"))?;
//! let before = "{\n  \"model\": \"opus\"\n}\n";
//! let installed = install(before, &command)?.text;
//! assert!(installed.contains("SessionEnd"));
//! assert_eq!(uninstall(client, &installed, before)?.text, before);
//! # Ok::<(), mcp_reap::hook::settings::SettingsError>(())
//! ```

use serde::Serialize;
use serde_json::Value;

pub use super::client::{HookClient, HookCommand};
pub use super::error::SettingsError;
use super::text::Settings;

/// A text after an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The whole text.
    pub text: String,
    /// The changes; empty if there are none.
    pub edits: Vec<Edit>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "edit")]
pub enum Edit {
    /// An entry for an event was inserted.
    Added {
        /// The event.
        event: &'static str,
    },
    /// An entry ran the program at another path, which is now this one's.
    Moved {
        /// The event.
        event: &'static str,
        /// The other path.
        from: String,
    },
    /// The entries of an event were removed.
    Removed {
        /// The event. It may be any, because the person may have moved the entry.
        event: String,
    },
}

/// Our entries in a settings text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookStatus {
    /// Each event that calls our hook, and whether it has our entry.
    pub events: Vec<(&'static str, HookPresence)>,
    /// Whether the text switches all hooks or ours off. Then nothing runs, whatever is installed.
    pub hooks_disabled: bool,
}

/// Whether an event has our entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookPresence {
    /// No.
    Absent,
    /// Yes, and it runs this program.
    Installed,
    /// Yes, but it runs the program at this path.
    OtherBinary(String),
}

/// Inserts our entries, or corrects their path. A second call changes nothing.
///
/// # Errors
/// When the text is not JSON or not of the shape of settings. It is not repaired.
pub fn install(text: &str, command: &HookCommand) -> Result<Edited, SettingsError> {
    let mut change = Edited { text: text.to_owned(), edits: Vec::new() };
    for event in command.client.events() {
        let next = install_event(&change.text, event, command)?;
        change.edits.extend(next.edits);
        change.text = next.text;
    }
    Ok(change)
}

/// Removes our entries. `before` is the text from before the install; empty if there was no file. If nothing but an
/// install has changed it since, it is restored to the byte. Otherwise the entries and the containers that an install
/// makes are removed, and all other bytes stay.
///
/// # Errors
/// When the text is not JSON. A text of another shape contains nothing of ours and is no error.
pub fn uninstall(client: HookClient, text: &str, before: &str) -> Result<Edited, SettingsError> {
    let settings = Settings::parse(client, text)?;
    let edits: Vec<Edit> =
        settings.events_of_ours().into_iter().map(|event| Edit::Removed { event }).collect();
    let restored = settings.entries(client.events()[0]).ok().and_then(|ours| {
        let (_, program) = ours.into_iter().next()?;
        let untouched =
            Settings::parse(client, before).is_ok_and(|before| before.events_of_ours().is_empty());
        let again = install(before, &HookCommand { client, program }).ok()?;
        (untouched && again.text == text).then(|| before.to_owned())
    });
    let text = restored.unwrap_or_else(|| settings.without());
    Ok(Edited { text, edits })
}

/// Finds our entries in the text.
///
/// # Errors
/// When the text is not JSON or not of the shape of settings.
pub fn status(text: &str, command: &HookCommand) -> Result<HookStatus, SettingsError> {
    let settings = Settings::parse(command.client, text)?;
    let presence = |event: &&'static str| {
        let ours = settings.entries(event)?;
        let other = ours.first().map(|(_, program)| HookPresence::OtherBinary(program.clone()));
        let here = ours.iter().any(|(_, program)| *program == command.program);
        Ok((*event, if here { HookPresence::Installed } else { other.unwrap_or(HookPresence::Absent) }))
    };
    Ok(HookStatus {
        events: command.client.events().iter().map(presence).collect::<Result<_, SettingsError>>()?,
        hooks_disabled: settings.disabled()?,
    })
}

/// The positions of our entries of an event: the index of the group and of the entry in it. None in a text that is no
/// settings.
pub(crate) fn positions(client: HookClient, text: &str, event: &str) -> Vec<(usize, usize)> {
    Settings::parse(client, text).and_then(|settings| settings.positions(event)).unwrap_or_default()
}

fn install_event(text: &str, event: &'static str, command: &HookCommand) -> Result<Edited, SettingsError> {
    let settings = Settings::parse(command.client, text)?;
    let entries = settings.entries(event)?;
    if entries.is_empty() {
        let text = settings.with(event, command.item(event))?;
        return Ok(Edited { text, edits: vec![Edit::Added { event }] });
    }
    let mut change = Edited { text: text.to_owned(), edits: Vec::new() };
    // The entries are changed from the last to the first, so that the positions of the others stay valid.
    for (program, from) in entries.into_iter().rev().filter(|(_, program)| *program != command.program) {
        let value = Value::from(command.line()).to_string();
        change.text.replace_range(program, &value);
        change.edits.push(Edit::Moved { event, from });
    }
    Ok(change)
}
