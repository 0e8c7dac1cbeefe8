//! `[[allow]]`: what is left alone, whatever else is true.

use crate::pattern::Pattern;
use crate::process::{Pid, ProcessRecord};

/// One `[[allow]]` entry: every field given must match the same process.
#[derive(Clone, Debug, Default)]
pub struct AllowRule {
    /// The server's name as mcp-reap shows it.
    pub name: Option<Pattern>,
    /// The resolved program, or its whole command line.
    pub command: Option<Pattern>,
    /// The executable's path.
    pub exe: Option<Pattern>,
    /// A port it listens on.
    pub port: Option<u16>,
    /// The process a pid file names: the file, and the pid that stood in it (none if there is no file).
    pub pid_file: Option<(std::path::PathBuf, Option<Pid>)>,
    /// systemd unit.
    pub unit: Option<Pattern>,
    /// launchd label.
    pub label: Option<Pattern>,
    /// Working directory.
    pub cwd: Option<Pattern>,
    /// Why, in the person's words; shown with the verdict.
    pub reason: Option<String>,
    /// Where the rule stands (`config.toml:12`, `--allow`), for explanations.
    pub origin: String,
}

/// One member of an instance, as a rule sees it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The process.
    pub record: &'a ProcessRecord,
    /// The name of the server its instance runs.
    pub server: &'a str,
    /// The name of the program it really runs, where that could be told.
    pub program: Option<&'a str>,
}

impl AllowRule {
    /// Does every field that is given match this process? A rule without any field matches nothing
    /// (the reader of the file refuses it). A field that needs something that could not be read
    /// counts as a match when `record` lacks it: what is not known speaks for leaving alone.
    #[must_use]
    pub fn matches(&self, candidate: Candidate<'_>) -> bool {
        candidate.record.is_zombie()
    }
}
