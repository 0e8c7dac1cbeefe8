//! Bounds on count, age and memory; each is off until the person sets it.

use std::time::Duration;

/// Whose copies `max_count` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CountPer {
    /// Copies under one client: three sessions with one copy each break nothing.
    #[default]
    Client,
    /// All copies of one user.
    User,
}

/// The bounds. `None` is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Limits {
    /// Keep the newest N of each server.
    pub max_count: Option<u32>,
    /// Whose copies are counted together.
    pub count_per: Option<CountPer>,
    /// Oldest allowed age of an instance's root.
    pub max_age: Option<Duration>,
    /// Largest allowed resident memory of an instance, in bytes.
    pub max_rss: Option<u64>,
}

impl Limits {
    /// These limits where set, else the others'.
    #[must_use]
    pub fn or(self, other: Limits) -> Limits {
        Limits {
            max_count: self.max_count.or(other.max_count),
            count_per: self.count_per.or(other.count_per),
            max_age: self.max_age.or(other.max_age),
            max_rss: self.max_rss.or(other.max_rss),
        }
    }
}
