//! The audit log: what was ended, when, why, on what evidence; on disk before the signal goes out.
//!
//! `audit.jsonl` in the state directory, one JSON object a line; older files beside it as
//! `audit.2026-11-20.jsonl`. All files 0600 in a directory 0700; one run at a time writes.

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

/// The file that is written to.
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
    /// The file or directory is there, but others could have made or could change it.
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
    /// What to make of the system's error, for `map_err`.
    fn io(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> AuditError {
        move |source| AuditError::Io { doing, path: path.to_owned(), source }
    }
}
