//! The events of the audit log. Each is one line of JSON.

mod intent;

use std::hash::{BuildHasher, Hasher, RandomState};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::classify::ClientRef;
use crate::process::{Pid, ProcessId, StartTime, Uid};
use crate::reap::Signal;
use crate::units::serialize_rfc3339;

/// The version of the line format.
pub const SCHEMA: u32 = 1;

/// What started a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum StartedBy {
    /// A person.
    #[default]
    Hand,
    /// A timer.
    Schedule,
    /// A client's session hook.
    Hook,
    /// The guardian of a server under `exec`. It cannot be given on the command line.
    #[value(skip)]
    Exec,
}

impl StartedBy {
    /// The word in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            StartedBy::Hand => "hand",
            StartedBy::Schedule => "schedule",
            StartedBy::Hook => "hook",
            StartedBy::Exec => "exec",
        }
    }

    /// The value for a word in the log.
    pub(crate) fn named(word: &str) -> Option<StartedBy> {
        [Self::Hand, Self::Schedule, Self::Hook, Self::Exec].into_iter().find(|by| by.as_str() == word)
    }
}

/// The process an event is about, and the instance it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// Its pid.
    pub pid: Pid,
    /// Its start as the OS counts it. Pid and start identify the process.
    pub start: StartTime,
    /// Its start as a time.
    #[serde(serialize_with = "serialize_rfc3339")]
    pub started_at: DateTime<Utc>,
    /// The server its instance runs.
    pub server: String,
    /// The root of its instance.
    pub root: Pid,
    /// `launcher`, `server`, `helper`, ...
    pub role: String,
}

impl Subject {
    /// The process with this identity, which started at this many seconds since the epoch.
    pub fn new(id: ProcessId, started_at: f64, server: &str, root: Pid, role: &str) -> Subject {
        // `as` saturates, so an absurd start causes no panic.
        let started_at = DateTime::from_timestamp_micros((started_at * 1e6).round() as i64);
        Subject {
            pid: id.pid,
            start: id.start,
            started_at: started_at.unwrap_or_default(),
            server: server.to_owned(),
            root,
            role: role.to_owned(),
        }
    }
}

/// An event. Verdicts and reasons are text, as in the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum AuditEvent {
    /// A run begins.
    RunStarted {
        /// What started the run.
        started_by: StartedBy,
        /// mcp-reap's version.
        version: String,
        /// Its process.
        pid: Pid,
        /// Its effective user.
        uid: Uid,
        /// How many processes it is about to end.
        targets: u32,
    },
    /// A signal is about to be sent. This is on disk before the signal, and contains why the process is ended.
    Intent {
        /// The process.
        #[serde(flatten)]
        subject: Subject,
        /// Its parent, by the last look.
        #[serde(default)]
        ppid: Option<Pid>,
        /// Its effective user; `None` where it could not be read.
        #[serde(default)]
        uid: Option<Uid>,
        /// The signal.
        signal: Signal,
        /// The command line, redacted.
        argv: Vec<String>,
        /// Resident memory in bytes; 0 for a process that was started during the run.
        rss: u64,
        /// The client of its instance; `None` where none is known.
        #[serde(default)]
        client: Option<ClientRef>,
        /// The verdict on its instance.
        verdict: String,
        /// The evidence in one line.
        reason: String,
        /// The evidence as in the report, as objects with a `kind`: that of the instance, and what identifies this process
        /// and the topmost server.
        #[serde(default)]
        evidence: Vec<serde_json::Value>,
    },
    /// A signal was sent.
    Signalled {
        /// The process.
        #[serde(flatten)]
        subject: Subject,
        /// The signal.
        signal: Signal,
    },
    /// It ended on SIGTERM.
    Exited {
        /// The process.
        #[serde(flatten)]
        subject: Subject,
        /// Milliseconds from the first signal.
        after_ms: u64,
    },
    /// It ended after SIGKILL.
    Killed {
        /// The process.
        #[serde(flatten)]
        subject: Subject,
        /// Milliseconds from the first signal.
        after_ms: u64,
    },
    /// It was still there at the end of the run.
    Survived {
        /// The process.
        #[serde(flatten)]
        subject: Subject,
        /// Milliseconds from the first signal.
        after_ms: u64,
    },
    /// The system did not allow it.
    Denied {
        /// The process.
        #[serde(flatten)]
        subject: Subject,
        /// The system's error.
        error: String,
    },
    /// It ended by itself before it was signalled.
    Vanished {
        /// The process.
        #[serde(flatten)]
        subject: Subject,
    },
    /// An instance that was to be ended and was left alone after all.
    Withheld {
        /// Its root.
        #[serde(flatten)]
        subject: Subject,
        /// All its processes.
        pids: Vec<Pid>,
        /// The verdict on it.
        verdict: String,
        /// Why it was left alone.
        reason: String,
    },
    /// A run ends.
    RunFinished {
        /// Instances that were ended in full.
        instances: u32,
        /// Processes that were ended.
        processes: u32,
        /// Bytes of resident memory they had.
        rss_reclaimed: u64,
        /// Milliseconds from the run's start.
        duration_ms: u64,
        /// Processes that survived or were denied.
        #[serde(default)]
        failed: u32,
        /// The signal that stopped the run early.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interrupted_by: Option<i32>,
    },
    /// An event that a later version writes and this one does not know.
    #[serde(other)]
    Unknown,
}

/// The id of a run: its time, its process and four random digits (`20261120T140000Z-4242-9f3a`). Ids sort by time, and no
/// two runs have the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// A new id for a run of this process that began `now`.
    pub fn new(now: DateTime<Utc>, pid: Pid) -> RunId {
        // std seeds its hash maps from the system's random source. That suffices to tell two runs apart, without another
        // crate.
        let random = RandomState::new().build_hasher().finish() & 0xffff;
        RunId(format!("{}-{pid}-{random:04x}", now.format("%Y%m%dT%H%M%SZ")))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One line of the log: an event with its time and run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// When, to the millisecond.
    #[serde(serialize_with = "serialize_rfc3339")]
    pub at: DateTime<Utc>,
    /// In which run.
    pub run: RunId,
    /// The event.
    #[serde(flatten)]
    pub event: AuditEvent,
}

#[cfg(test)]
mod tests;
