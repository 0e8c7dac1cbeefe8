//! What can go wrong with a look, and what it may read of an environment.

use crate::process::SnapshotError;

/// Why there is nothing to judge. A process that vanished or denied us is never among these: it is
/// left out, or a field of it stays `None`.
#[derive(Debug, thiserror::Error)]
pub enum SysError {
    /// The system did not answer.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried, as a verb and its object: `read /proc`.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// `/proc` belongs to another PID namespace than ours: each number in it would name another
    /// process when signalled.
    #[error("cannot trust /proc: it shows another PID namespace than the one we live in")]
    ForeignProc,
    /// A recorded table that no machine could have written.
    #[error("cannot read {file}: larger than {max} bytes")]
    TooLarge {
        /// Its path.
        file: String,
        /// The most that is taken, in bytes.
        max: u64,
    },
    /// A file that is not a recorded table.
    #[error("cannot read {file}: {source}")]
    Recorded {
        /// Its path.
        file: String,
        /// What is wrong with it.
        source: SnapshotError,
    },
}

/// The only environment variables that are ever kept; all others are passed over unseen.
///
/// - `CLAUDECODE`, `CLAUDE_CODE_SESSION_ID`: set by Claude Code in its stdio servers (since 2.1.154)
///   and in all else it starts; `CLAUDE_CODE_CHILD_SESSION` only in the jobs of its Bash tool, its
///   hooks and its status line. Together they tell a server from a job.
/// - `CLAUDE_PROJECT_DIR`, `CLAUDE_PLUGIN_ROOT`: which project or plugin a server belongs to, and
///   what the placeholders of its configured command stood for.
/// - `GEMINI_CLI`: started by Gemini CLI.
/// - `SYSTEMD_EXEC_PID`: equal to the own pid in the main process of a systemd unit, and only there
///   (systemd.exec(5)); `MANAGERPID`: the user manager above it.
/// - `OPENCODE_PID`, `CLAUDE_PID`: set by opencode (1.18) and Claude Code (2.1.332) in what they start.
/// - `DISPLAY`: the X display on which it shows windows: with a connection to that display's port it belongs to a person.
/// - `MCP_REAP_EXEC`: the mark of what was started by `mcp-reap exec`; `TERM`, `TMUX`, `STY`, `ZELLIJ_SESSION_NAME`: in
///   which terminal it was ([`TERMINAL_VARIABLES`](crate::instance::exec_server::TERMINAL_VARIABLES)).
pub const EVIDENCE_VARIABLES: [&str; 16] = [
    "CLAUDECODE",
    "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_CODE_CHILD_SESSION",
    "CLAUDE_PROJECT_DIR",
    "CLAUDE_PLUGIN_ROOT",
    "GEMINI_CLI",
    "SYSTEMD_EXEC_PID",
    "MANAGERPID",
    "OPENCODE_PID",
    "CLAUDE_PID",
    "MCP_REAP_EXEC",
    "DISPLAY",
    "TERM",
    "TMUX",
    "STY",
    "ZELLIJ_SESSION_NAME",
];
