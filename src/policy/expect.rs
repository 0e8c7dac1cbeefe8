//! `[[expect]]`: servers that should be running, for `check`. They change nothing about ending.

use crate::pattern::Pattern;

/// One `[[expect]]` entry.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// As it stands in the file, for messages.
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
