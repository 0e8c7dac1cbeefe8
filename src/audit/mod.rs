//! The audit log records what was ended, when, why and by what evidence. It is on disk before a signal is sent.
//!
//! It is `audit.jsonl` in the state directory, with one JSON object on each line. Older files are beside it, such as
//! `audit.2026-11-20.jsonl`. Files have the mode 0600 and the directory 0700. Only one run writes at a time.

mod directory;
mod event;
pub mod history;
mod lock;
mod log;
pub mod read;
mod rotate;
mod sink;
mod unguarded;
mod usable;

use std::io;
use std::path::{Path, PathBuf};

pub use event::{AuditEvent, Record, RunId, SCHEMA, StartedBy, Subject};
pub use lock::{Holder, RunLock};
pub use log::AuditLog;
pub use sink::Sink;
pub use unguarded::Unguarded;
pub use usable::{Usable, usable};

/// The name of the file that is written.
pub const CURRENT: &str = "audit.jsonl";

/// Why there is no audit log, and so no reaping.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The system refused.
    #[error("failed to {doing} {}: {source}", path.display())]
    Io {
        /// `open`, `write`, ...
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file or directory is there, but other users may have made it or can change it.
    #[error("{}: {problem}", path.display())]
    NotTrusted {
        /// The file or directory.
        path: PathBuf,
        /// Why it is not trusted, and what to do.
        problem: String,
    },
    /// An earlier fsync failed. The kernel then drops what it could not write and reports that once, so
    /// a later fsync that succeeds proves nothing (<https://lwn.net/Articles/752063/>).
    #[error("{}: an earlier record did not reach the disk, nothing more is written", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
    },
}

impl AuditError {
    /// Turns a system error into an [`AuditError`], for `map_err`.
    fn io(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> AuditError {
        move |source| AuditError::Io { doing, path: path.to_owned(), source }
    }
}
