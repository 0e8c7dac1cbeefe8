//! Our entry in Claude Code's settings: what it runs, and how it is known again.

use std::path::Path;

use serde_json::{Value, json};

use super::error::SettingsError;

/// The events an install listens to: the end of a session leaves servers behind, and at its start
/// those are found that a crash left (no hook runs then).
pub const EVENTS: [&str; 2] = ["SessionEnd", "SessionStart"];

/// What makes an entry ours, besides the arguments.
const PROGRAM: &str = "mcp-reap";
const ARGS: [&str; 2] = ["hook", "run"];

/// In seconds. All SessionEnd hooks together have 1.5 s unless an entry has a longer timeout.
const TIMEOUT: u32 = 10;

/// The program a hook runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookCommand {
    pub(super) program: String,
}

impl HookCommand {
    /// The program at this path, with the arguments `hook run`.
    ///
    /// # Errors
    /// When the path is not absolute, is not Unicode (JSON cannot say it), or ends in another name
    /// than `mcp-reap` (then the entry would not be found again).
    pub fn new(program: &Path) -> Result<HookCommand, SettingsError> {
        let text = program.to_str().filter(|_| program.is_absolute());
        match text {
            Some(text) if is_our_program(text) => Ok(HookCommand { program: text.to_owned() }),
            _ => Err(SettingsError::Program { program: program.to_string_lossy().into_owned() }),
        }
    }

    /// The path.
    #[must_use]
    pub fn program(&self) -> &Path {
        Path::new(&self.program)
    }

    /// The group of one entry that an event's array gets.
    pub(super) fn group(&self) -> Value {
        json!({
            "matcher": "",
            "hooks": [{"type": "command", "command": self.program, "args": ARGS, "timeout": TIMEOUT}],
        })
    }
}

/// Whether an entry with these values is ours: a program of our name with the arguments of a hook.
pub(super) fn is_ours(kind: &str, program: &str, args: &[String]) -> bool {
    kind == "command" && is_our_program(program) && args == ARGS
}

fn is_our_program(path: &str) -> bool {
    path.rsplit('/').next() == Some(PROGRAM)
}
