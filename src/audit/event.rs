//! What is written down: one event, one line of JSON.

use std::fmt;
use std::hash::{BuildHasher, Hasher};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::bytes::Argv;
use crate::process::{Pid, ProcessId, StartTime, Uid};
use crate::reap::Signal;
use crate::redact;

/// The version of the line format.
pub const SCHEMA: u32 = 1;

/// Names one run: the moment, the process, and four random digits, so that ids sort by time and two
/// runs never share one (`20261120T140000Z-4242-9f3a`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// A new id for a run of this process that began `now`.
    #[must_use]
    pub fn new(now: DateTime<Utc>, pid: Pid) -> RunId {
        // The standard library seeds its hash maps from the system's random source: enough for
        // telling two runs apart, and no further crate.
        let random = std::hash::RandomState::new().build_hasher().finish() & 0xffff;
        RunId(format!("{}-{pid}-{random:04x}", now.format("%Y%m%dT%H%M%SZ")))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StartedBy {
    /// A person, or a script of theirs.
    Hand,
    /// The installed timer or agent.
    Schedule,
    /// A hook of a client.
    Hook,
    /// The guardian of a server under `exec`.
    Exec,
}

impl StartedBy {
    /// As it is written down.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            StartedBy::Hand => "hand",
            StartedBy::Schedule => "schedule",
            StartedBy::Hook => "hook",
            StartedBy::Exec => "exec",
        }
    }

    /// What was written down so.
    #[must_use]
    pub fn named(word: &str) -> Option<StartedBy> {
        [Self::Hand, Self::Schedule, Self::Hook, Self::Exec].into_iter().find(|by| by.as_str() == word)
    }
}

/// The process an event is about, and the instance it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// Its number.
    pub pid: Pid,
    /// Its start as the OS counts it: with the number its identity.
    pub start: StartTime,
    /// Its start for people.
    #[serde(with = "millis")]
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
    #[must_use]
    pub fn new(id: ProcessId, started_at: f64, server: &str, root: Pid, role: &str) -> Subject {
        // `as` saturates: an absurd start becomes an absurd date, not a panic.
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

/// What happened. Verdicts and reasons are text here, as the report shows them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A run begins.
    RunStarted {
        /// By what.
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
    /// A signal is about to be sent; on disk before it is.
    Intent {
        /// To whom.
        #[serde(flatten)]
        subject: Subject,
        /// Which.
        #[serde(with = "signal_name")]
        signal: Signal,
        /// The command line, redacted.
        argv: Vec<String>,
        /// Resident memory in bytes.
        rss: u64,
        /// What the evidence says of its instance.
        verdict: String,
        /// The evidence in one line.
        reason: String,
    },
    /// A signal was sent.
    Signalled {
        /// To whom.
        #[serde(flatten)]
        subject: Subject,
        /// Which.
        #[serde(with = "signal_name")]
        signal: Signal,
    },
    /// It ended after being asked.
    Exited {
        /// Who.
        #[serde(flatten)]
        subject: Subject,
        /// Milliseconds from the first signal.
        after_ms: u64,
    },
    /// It ended after SIGKILL.
    Killed {
        /// Who.
        #[serde(flatten)]
        subject: Subject,
        /// Milliseconds from the first signal.
        after_ms: u64,
    },
    /// It was still there at the end of the run.
    Survived {
        /// Who.
        #[serde(flatten)]
        subject: Subject,
        /// Milliseconds from the first signal.
        after_ms: u64,
    },
    /// The system did not allow it.
    Denied {
        /// Who.
        #[serde(flatten)]
        subject: Subject,
        /// What the system said.
        error: String,
    },
    /// It ended by itself before it was signalled.
    Vanished {
        /// Who.
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
        /// What the evidence says of it.
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

impl Event {
    /// The intent to signal a process. Its argv is redacted here and cut at 16 KiB: it may have two megabytes.
    #[must_use]
    pub fn intent(
        subject: Subject,
        signal: Signal,
        argv: &Argv,
        rss: u64,
        verdict: &str,
        reason: &str,
    ) -> Event {
        Event::Intent {
            subject,
            signal,
            argv: cut(redact::argv(argv)),
            rss,
            verdict: verdict.to_owned(),
            reason: redact::text(reason),
        }
    }
}

/// The most of an argv that is recorded, in bytes.
const MAX_ARGV: usize = 16 << 10;

/// Cuts a command line that is too long for a record, and says by how much.
fn cut(mut argv: Vec<String>) -> Vec<String> {
    let mut room = MAX_ARGV;
    let Some(at) = argv.iter().position(|argument| {
        let fits = argument.len() <= room;
        room = room.saturating_sub(argument.len());
        !fits
    }) else {
        return argv;
    };
    let lost: usize = argv[at..].iter().map(String::len).sum();
    argv.truncate(at);
    argv.push(format!("<{lost} bytes more>"));
    argv
}

/// One line: an event, when, and in which run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// When, to the millisecond.
    #[serde(with = "millis")]
    pub at: DateTime<Utc>,
    /// In which run.
    pub run: RunId,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// RFC 3339 in UTC with milliseconds, as every time in our JSON.
mod millis {
    use super::{DateTime, Deserialize, SecondsFormat, Utc};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        DateTime::deserialize(deserializer)
    }
}

/// Signals by their short names.
mod signal_name {
    use super::{Deserialize, Signal};
    use serde::de::Error;
    use serde::{Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(signal: &Signal, serializer: S) -> Result<S::Ok, S::Error> {
        signal.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Signal, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "TERM" => Ok(Signal::Term),
            "CONT" => Ok(Signal::Cont),
            "KILL" => Ok(Signal::Kill),
            other => Err(D::Error::unknown_variant(other, &["TERM", "CONT", "KILL"])),
        }
    }
}

#[cfg(test)]
mod tests;
