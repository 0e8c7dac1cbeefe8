//! The process table at one moment, as plain data that can be written down and judged elsewhere.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::id::{Pid, Uid};
use super::record::ProcessRecord;

/// The version of the recorded-table format, of the JSON report and of the audit log.
pub const SCHEMA: u32 = 1;

/// The viewer: its process and user. Its process and all above it are never targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    /// The looking process.
    pub pid: Pid,
    /// Its effective user.
    pub uid: Uid,
}

/// Every process that could be seen at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Format version, [`SCHEMA`].
    pub schema: u32,
    /// `linux` or `macos`.
    pub os: String,
    /// When it was taken.
    pub taken_at: DateTime<Utc>,
    /// The process that took it.
    pub viewer: Viewer,
    /// pid 1 is known to be systemd although it cannot be seen (hidepid): `/run/systemd/system` is there, and the
    /// viewer lives in the machine's first PID namespace.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub systemd: bool,
    /// Processes of the viewer's user whose descriptors could not be read, where those of every process were read: one
    /// of them may hold a wire whose other end no process was seen to hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Pid>,
    /// The rows, in no particular order.
    pub processes: Vec<ProcessRecord>,
}

/// Why a recorded table cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Not the JSON of a recorded table.
    #[error("not a recorded process table: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by a version this one does not know.
    #[error("recorded with schema {found}, this version reads schema {SCHEMA}")]
    Schema {
        /// The version in the file.
        found: u32,
    },
    /// The same process number twice: the table contradicts itself.
    #[error("process {0} stands in the table twice")]
    Twice(Pid),
}

impl Snapshot {
    /// Reads a recorded table.
    ///
    /// # Errors
    /// When it is not JSON of this form, has another schema, or names a process twice.
    pub fn from_json(bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
        // Checked for valid UTF-8 once as a whole; otherwise each string in it would be checked.
        let snapshot: Snapshot = match std::str::from_utf8(bytes) {
            Ok(text) => serde_json::from_str(text)?,
            Err(_) => serde_json::from_slice(bytes)?,
        };
        if snapshot.schema != SCHEMA {
            return Err(SnapshotError::Schema { found: snapshot.schema });
        }
        let mut pids: Vec<Pid> = snapshot.processes.iter().map(ProcessRecord::pid).collect();
        pids.sort_unstable();
        match pids.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(SnapshotError::Twice(pair[0])),
            None => Ok(snapshot),
        }
    }

    /// Seconds since the epoch at which it was taken.
    pub fn taken_at_epoch(&self) -> f64 {
        self.taken_at.timestamp_micros() as f64 / 1e6
    }

    /// Age of a process in seconds; never negative, even when clocks disagree.
    pub fn age(&self, record: &ProcessRecord) -> f64 {
        (self.taken_at_epoch() - record.started_at).max(0.0)
    }
}
