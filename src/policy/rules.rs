//! `[[server]]`: servers the catalog does not know, and limits for single servers.

use super::limits::Limits;
use crate::pattern::Pattern;

/// One `[[server]]` entry.
#[derive(Clone, Debug)]
pub struct ServerRule {
    /// The name it is shown under, and by which limits and allow rules find it.
    pub name: String,
    /// Matched against the resolved program's names (package, module, script, bin, image); `None`
    /// when the entry only sets limits for a server that is known already.
    pub program: Option<Pattern>,
    /// Override the global limits for this server.
    pub limits: Limits,
}
