//! `[[expect]]`: servers that should be running, for `check`. They change nothing about ending.

use crate::pattern::Pattern;

/// One `[[expect]]` entry.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// As it stands in the file, for what is said about it.
    pub name: String,
    /// Matched against the names of the running servers.
    pub pattern: Pattern,
    /// At least so many instances.
    pub min: u32,
    /// At most so many; `None` is any number.
    pub max: Option<u32>,
    /// Where the entry stands, such as `config.toml:12`.
    pub origin: String,
}
