//! The program that a hook runs.

use std::path::Path;

use serde_json::Value;

use super::client::{HookClient, is_our_program};
use super::error::SettingsError;

/// The program a client's hook runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookCommand {
    pub(super) client: HookClient,
    pub(super) program: String,
}

impl HookCommand {
    /// The program at this path, with the arguments `hook run`.
    ///
    /// # Errors
    /// When the path is not absolute, is not Unicode (JSON cannot say it), or ends in another name
    /// than `mcp-reap` (then the entry would not be found again).
    pub fn new(client: HookClient, program: &Path) -> Result<HookCommand, SettingsError> {
        let text = program.to_str().filter(|_| program.is_absolute());
        match text {
            Some(text) if is_our_program(text) => Ok(HookCommand { client, program: text.to_owned() }),
            _ => Err(SettingsError::Program { program: program.to_string_lossy().into_owned() }),
        }
    }

    /// The path.
    #[must_use]
    pub fn program(&self) -> &Path {
        Path::new(&self.program)
    }

    /// Whose hook.
    #[must_use]
    pub fn client(&self) -> HookClient {
        self.client
    }

    /// The entry's `command`.
    pub(super) fn line(&self) -> String {
        self.client.command(&self.program)
    }

    /// What an event's array gets.
    pub(super) fn item(&self, event: &str) -> Value {
        self.client.item(event, &self.line())
    }
}
