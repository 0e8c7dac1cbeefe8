//! What past runs did, put together from the audit log.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::process::Pid;
use crate::units::serialize_rfc3339;

/// One run of mcp-reap, put together from its lines in the audit log.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Run {
    /// Its name.
    pub run: String,
    /// When it began; of a run whose beginning is lost, the first that is known of it.
    #[serde(serialize_with = "serialize_rfc3339")]
    pub at: DateTime<Utc>,
    /// `hand`, `schedule` or `hook`; `None` where the beginning is lost.
    pub started_by: Option<String>,
    /// Its last line is there. Without it the run goes on, or broke off.
    pub finished: bool,
    /// The signal that stopped it early.
    pub interrupted_by: Option<i32>,
    /// Instances that were ended in full.
    pub instances_ended: u32,
    /// Processes that were ended.
    pub processes_ended: u32,
    /// Processes that survived or were denied.
    pub failed: u32,
    /// Bytes of resident memory that the ended processes had.
    pub rss_reclaimed: u64,
    /// Milliseconds from its beginning to its end; 0 where the end is missing.
    pub duration_ms: u64,
    /// What it ended, or tried to.
    pub instances: Vec<PastInstance>,
    /// What it left alone against the verdict.
    pub withheld: Vec<PastWithheld>,
}

/// One instance that a run signalled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PastInstance {
    /// The server it ran.
    pub server: String,
    /// Its root.
    pub root: Pid,
    /// What the evidence said.
    pub verdict: String,
    /// The evidence in one line.
    pub reason: String,
    /// Bytes of resident memory of the processes that are gone.
    pub rss_reclaimed: u64,
    /// Its processes, in the order in which they were signalled.
    pub processes: Vec<PastProcess>,
}

/// One process that a run signalled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PastProcess {
    /// Its number.
    pub pid: Pid,
    /// `launcher`, `server` or `helper`.
    pub role: String,
    /// The command line, redacted when it was recorded.
    pub command: String,
    /// Resident memory in bytes when it was seen last.
    pub rss: u64,
    /// `exited`, `killed`, `survived`, `denied`, `vanished` or `withheld`; `None` where no line
    /// says so.
    pub outcome: Option<String>,
    /// Milliseconds from the first signal to the outcome.
    pub after_ms: Option<u64>,
}

/// One instance that a run left alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PastWithheld {
    /// The server it runs.
    pub server: String,
    /// Its root.
    pub root: Pid,
    /// What the evidence said.
    pub verdict: String,
    /// Why it was left alone.
    pub reason: String,
}

impl PastProcess {
    /// Is it known to be gone?
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.outcome.as_deref(), Some("exited" | "killed" | "vanished"))
    }
}

impl Run {
    /// There was nothing to do.
    pub(crate) fn was_idle(&self) -> bool {
        self.finished
            && self.interrupted_by.is_none()
            && self.instances.is_empty()
            && self.withheld.is_empty()
    }
}
