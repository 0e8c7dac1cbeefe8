//! The identity of a process: its pid, which may be reused, and its start, which makes it unique.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A pid. It may be reused, so it does not identify a process by itself; see [`ProcessId`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pid(pub u32);

impl Pid {
    /// init, launchd, or the first process of a container.
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

/// The start of a process, in the finest unit of its OS. It is only for comparing.
///
/// Linux: clock ticks since boot (field 22 of `/proc/PID/stat`, 10 ms). macOS: microseconds since
/// the epoch (`pbi_start_tvsec`, `pbi_start_tvusec`). Recorded tables: microseconds since the epoch.
/// Whole seconds are not enough: a pid can be reused within one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StartTime(pub u64);

/// The identity of a process: its pid and its start. If both are equal in two looks, it is the same process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// The pid.
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
