//! The decisions of the machine's owner: what must be left alone, which limits apply, and how processes are ended.

mod allowlist;
mod limits;

pub use allowlist::{AllowRule, Candidate};
pub use limits::{CountPer, Limits, ServerRule};

use std::time::Duration;

use crate::pattern::Pattern;

/// All settings that a run needs, merged from defaults, file, environment and flags.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The time from SIGTERM to SIGKILL. Default 5 s.
    pub grace: Duration,
    /// A younger instance is never a target. Default 60 s.
    pub min_age: Duration,
    /// The time between the two looks; less than a second counts as one. Default 1 s.
    pub confirm_after: Duration,
    /// How long a run waits, from the first look and for all targets together, for those that are still finishing their
    /// work. Default 10 s.
    pub settle: Duration,
    /// How long a client may still read after it closed its server's stdin. Then a guardian judges the server as if the
    /// client no longer read. Default 60 s.
    pub linger: Duration,
    /// Also end `detached` instances. Default no.
    pub detached: bool,
    /// Also end orphaned clients. Default no.
    pub clients: bool,
    /// As root, also judge and end other users' instances. Default no.
    pub all_users: bool,
    /// Instances that match one of these rules are left alone.
    pub allow: Vec<AllowRule>,
    /// Limits that also end instances in use; each is off until set.
    pub limits: Limits,
    /// Servers that the catalog does not know, and limits for single servers.
    pub servers: Vec<ServerRule>,
    /// Servers that should run, for `check`.
    pub expect: Vec<Expectation>,
}

impl Policy {
    /// How long a run waits for the lock of another run: five minutes plus two graces, which is longer than an
    /// ordinary run of that grace. A run that takes longer hangs, and waiting on would silently skip this run.
    pub(crate) fn run_lock_wait(grace: Duration) -> Duration {
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

/// One `[[expect]]` entry: a server that should be running. Only `check` uses it.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// As written in the file, for messages.
    pub name: String,
    /// Matched against the names of the running servers.
    pub pattern: Pattern,
    /// The least number of instances.
    pub min: u32,
    /// The greatest number of instances; `None` for any number.
    pub max: Option<u32>,
    /// Where the entry stands, such as `config.toml:12`.
    pub origin: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_for_the_run_lock_is_longer_than_a_run_of_that_grace_can_take() {
        let waits = |grace| Policy::run_lock_wait(Duration::from_secs(grace)).as_secs();
        assert_eq!((waits(0), waits(5), waits(3600)), (300, 310, 7500));
        assert_eq!(Policy::run_lock_wait(Duration::MAX), Duration::MAX);
    }
}

/// How long the audit log is kept, and when its file is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days for which rotated files are kept. Default 90.
    pub keep_days: u32,
    /// Size in bytes at which the current file is rotated. Default 50 MB. No file is deleted because of its size.
    pub max_size: u64,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention { keep_days: 90, max_size: 50_000_000 }
    }
}
