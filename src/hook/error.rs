//! Why a client's settings are not changed.

use std::path::PathBuf;

use thiserror::Error;

use crate::os::own_file::DiskError;
use crate::os::stable_path::Vanishing;

/// Why a settings text is not edited.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// The text is not JSON. With comments it is no JSON either, and Claude Code ignores such a file.
    #[error("not valid JSON at line {line}, column {column}: {reason}")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// What the parser reports.
        reason: String,
    },
    /// The text is JSON, but not of the shape that the client reads.
    #[error("{what} at line {line}, column {column} is not {expected}")]
    Shape {
        /// The value.
        what: String,
        /// What it should be.
        expected: &'static str,
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
    },
    /// The program's path cannot be written in a hook.
    #[error("hook program `{program}` is not an absolute Unicode path to a file named mcp-reap")]
    Program {
        /// The path.
        program: String,
    },
}

/// Why nothing was changed.
#[derive(Debug, Error)]
pub(crate) enum InstallError {
    /// Neither `HOME` nor the client's own variable.
    #[error("no home directory: HOME is not set")]
    NoHome,
    /// A relative folder, which depends on the working folder.
    #[error("{folder} is not an absolute path")]
    Relative {
        /// The folder.
        folder: PathBuf,
    },
    /// The program will not stay at its path. Later every session would begin with an error.
    #[error("{}", .reason.refusal(.program))]
    Vanishing {
        /// The program.
        program: PathBuf,
        /// Why.
        reason: Vanishing,
    },
    /// There is no such program.
    #[error("{program} is not an executable file")]
    NotExecutable {
        /// The program.
        program: PathBuf,
    },
    /// The file cannot be changed.
    #[error("{file}: {why}")]
    Disk {
        /// The file.
        file: PathBuf,
        /// Why.
        why: DiskError,
    },
    /// The file is not Unicode.
    #[error("{file}: not UTF-8 from byte {valid} on")]
    NotUnicode {
        /// The file.
        file: PathBuf,
        /// How many bytes at the beginning are.
        valid: usize,
    },
    /// A file that is only read cannot be parsed.
    #[error("{file}: {why}")]
    Unparsed {
        /// The file.
        file: PathBuf,
        /// What the parser reports.
        why: String,
    },
    /// The content is no settings text.
    #[error("{file}: {why}")]
    Settings {
        /// The file.
        file: PathBuf,
        /// Why.
        why: SettingsError,
    },
}
