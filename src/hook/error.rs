//! Why a client's settings are not changed.

use thiserror::Error;

/// Why a text is not touched.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// Not JSON. Comments are none: Claude Code ignores a settings file that has one.
    #[error("not valid JSON at line {line}, column {column}: {reason}")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// What the parser reports.
        reason: String,
    },
    /// JSON, but not of the shape the client reads.
    #[error("{what} at line {line}, column {column} is not {expected}")]
    Shape {
        /// What was looked at.
        what: String,
        /// What it should be.
        expected: &'static str,
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
    },
    /// The program's path cannot stand in a hook.
    #[error("hook program `{program}` is not an absolute Unicode path to a file named mcp-reap")]
    Program {
        /// The path.
        program: String,
    },
}
