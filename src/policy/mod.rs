//! What the owner of the machine decided: what may stay, which limits hold, how to end.

mod allowlist;
mod limits;

pub use allowlist::{AllowRule, Candidate};
pub use limits::{CountPer, Limits, ServerRule};

use std::time::Duration;

use crate::pattern::Pattern;

/// Everything decided before the first look, from defaults, file, environment and flags.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Between SIGTERM and SIGKILL. Default 5 s.
    pub grace: Duration,
    /// Anything younger is never a target. Default 60 s.
    pub min_age: Duration,
    /// Between the two looks; less than a second counts as one. Default 1 s.
    pub confirm_after: Duration,
    /// How long targets that are still finishing their work are waited for, all together, from the first look.
    /// Default 10 s.
    pub settle: Duration,
    /// How long a client may read on after it closed its server's input, before a guardian judges the server as if it
    /// did not. Default 60 s.
    pub linger: Duration,
    /// Also end `detached` instances. Default no.
    pub detached: bool,
    /// Also end orphaned clients. Default no.
    pub clients: bool,
    /// As root, also judge and end other users' instances. Default no.
    pub all_users: bool,
    /// What is left alone, whatever else is true.
    pub allow: Vec<AllowRule>,
    /// Bounds that also end what is in use; each off until set.
    pub limits: Limits,
    /// Servers the catalog does not know, and limits for single servers.
    pub servers: Vec<ServerRule>,
    /// Servers that should run, for `check`.
    pub expect: Vec<Expectation>,
}

impl Policy {
    /// How long a run waits for another one, where it waits: five minutes, and for as long as a run
    /// of a longer grace may take. A run that takes longer hangs, and to wait on would miss this run
    /// silently.
    pub(crate) fn patience(grace: Duration) -> Duration {
        Duration::from_mins(5).saturating_add(grace.saturating_mul(2))
    }
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            grace: Duration::from_secs(5),
            min_age: Duration::from_mins(1),
            confirm_after: Duration::from_secs(1),
            settle: Duration::from_secs(10),
            linger: Duration::from_mins(1),
            detached: false,
            clients: false,
            all_users: false,
            allow: Vec::new(),
            limits: Limits::default(),
            servers: Vec::new(),
            expect: Vec::new(),
        }
    }
}

/// One `[[expect]]` entry: a server that should be running, for `check`. It changes nothing about ending.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// As written in the file, for messages.
    pub name: String,
    /// Matched against the names of the running servers.
    pub pattern: Pattern,
    /// The least number of instances.
    pub min: u32,
    /// The greatest; `None` is any number.
    pub max: Option<u32>,
    /// Where the entry stands, such as `config.toml:12`.
    pub origin: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_longer_than_a_run_of_that_grace_can_take() {
        let waits = |grace| Policy::patience(Duration::from_secs(grace)).as_secs();
        assert_eq!((waits(0), waits(5), waits(3600)), (300, 310, 7500));
        assert_eq!(Policy::patience(Duration::MAX), Duration::MAX);
    }
}

/// How long and how much of the audit log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days for which files that were put aside are kept. Default 90.
    pub keep_days: u32,
    /// Bytes at which the current file is put aside and a new one begun. Default 50 MB. Nothing is deleted for its
    /// size: a record is kept for all its days.
    pub max_size: u64,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention { keep_days: 90, max_size: 50_000_000 }
    }
}
