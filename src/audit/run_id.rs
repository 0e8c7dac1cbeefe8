//! The name of one run.

use std::fmt;
use std::hash::{BuildHasher, Hasher};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::process::Pid;

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn run_ids_sort_by_time_and_differ() {
        let early = RunId::new(at("2026-11-20T13:59:59.999Z"), Pid(4242));
        let late = RunId::new(at("2026-11-20T14:00:00Z"), Pid(17));
        assert!(early < late, "{early} {late}");
        assert!(early.as_str().starts_with("20261120T135959Z-4242-"));
        let ids: std::collections::HashSet<_> =
            (0..8).map(|_| RunId::new(at("2026-11-20T14:00:00Z"), Pid(1))).collect();
        assert!(ids.len() > 4, "{ids:?}");
    }
}
