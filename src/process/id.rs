//! Which process: a number that is used again, and the moment that makes it unique.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A process number. It is reused, so it never identifies a process on its own: see [`ProcessId`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pid(pub u32);

impl Pid {
    /// init, launchd, or whatever a container runs first.
    pub const INIT: Pid = Pid(1);
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A user number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uid(pub u32);

/// When a process started, in the finest unit its OS gives, and only good for comparing.
///
/// Linux: clock ticks since boot (field 22 of `/proc/PID/stat`, 10 ms). macOS: microseconds since
/// the epoch (`pbi_start_tvsec`, `pbi_start_tvusec`). Recorded tables: microseconds since the epoch.
/// Whole seconds are not enough: a pid can be reused within one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StartTime(pub u64);

/// The identity of a process: its number and its start. Two looks that agree on both saw the same
/// process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// The number.
    pub pid: Pid,
    /// The start, which differs from that of every other process with the same number.
    pub start: StartTime,
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.pid, self.start.0)
    }
}

impl fmt::Debug for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
