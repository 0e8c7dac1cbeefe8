//! Knowledge about programs (servers, launchers, clients, helpers), and the identification of processes by it.

mod batch;
mod browser;
mod configured;
mod data;
mod identification;
mod judge;
mod modes;
mod person;
mod placeholders;
mod plugins;
mod prefilter;
mod servers;
mod short;
#[cfg(test)]
mod tests;
mod transport;
mod words;

use std::fmt;

pub use configured::Configured;
pub use identification::{Basis, Identification, Role, Rule};
pub(crate) use prefilter::Names;

use crate::bytes::Argv;
use crate::pattern::Pattern;
use crate::policy::ServerRule;
use crate::process::{Pid, ProcessRecord};
use crate::program::Resolution;
use data::Data;
use judge::Judge;

/// The knowledge about programs: the built-in catalog, the person's rules, and the entries of configurations.
///
/// ```
/// use mcp_reap::catalog::{Catalog, Role};
/// use mcp_reap::process::{Pid, ProcessRecord, StartTime};
/// let catalog = Catalog::builtin();
/// let mut record = ProcessRecord::new(Pid(4242), StartTime(1));
/// record.argv = Some(["node", "/srv/notes-mcp/dist/index.js"].into());
/// let seen = catalog.identify(&record).expect("a server");
/// assert_eq!((seen.role, seen.name.as_str()), (Role::Server, "notes-mcp"));
/// record.argv = Some(["vim", "/srv/notes-mcp/dist/index.js"].into());
/// assert_eq!(catalog.identify(&record), None);
/// ```
#[derive(Default)]
pub struct Catalog {
    /// The built-in catalog; `None` identifies nothing.
    data: Option<&'static Data>,
    rules: Vec<(Pattern, String)>,
    configured: Option<configured::Index>,
    /// The command lines of all configuration entries.
    entries: Vec<Vec<String>>,
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.rules.iter().map(|(pattern, _)| pattern.as_str()).collect::<Vec<_>>();
        f.debug_struct("Catalog").field("rules", &rules).finish_non_exhaustive()
    }
}

impl Catalog {
    /// The built-in catalog.
    pub fn builtin() -> Catalog {
        Catalog { data: Some(&data::DATA), ..Catalog::default() }
    }

    /// Adds a person's `[[server]]` rules. A rule without a program only sets limits.
    pub fn with_rules(mut self, rules: &[ServerRule]) -> Catalog {
        let taught = rules.iter().filter_map(|rule| Some((rule.program.clone()?, rule.name.clone())));
        self.rules.extend(taught);
        self
    }

    /// Adds the entries in the configurations of the person's clients.
    pub fn with_configured(mut self, entries: Vec<Configured>) -> Catalog {
        self.entries = entries.iter().map(|entry| entry.argv.clone()).collect();
        self.configured = (!entries.is_empty()).then(|| configured::Index::new(entries));
        self
    }

    /// Does it have entries of configurations?
    pub(crate) fn has_entries(&self) -> bool {
        self.configured.is_some()
    }

    /// The catalog's text (TOML), as it was compiled in.
    pub fn source() -> &'static str {
        data::SOURCE
    }

    /// Identifies a process, by argv, exe and comm, and for configurations and plugins by whether it is on a wire.
    /// `None` if it has no role.
    pub fn identify(&self, record: &ProcessRecord) -> Option<Identification> {
        let worth = self.may_identify(record, &mut Names::default());
        worth.then(|| self.identify_and_resolve(record)).flatten().map(|(identification, _)| identification)
    }

    /// [`Catalog::identify`], with the program that really runs. Only for processes for which [`Catalog::may_identify`]
    /// is true.
    pub(crate) fn identify_and_resolve(
        &self,
        record: &ProcessRecord,
    ) -> Option<(Identification, Resolution)> {
        let (mut found, seen) = self.recognise(record)?;
        // An entry of a configuration may have an empty name, but an instance must have a name.
        if found.name.is_empty() {
            found.name = seen.name().map_or_else(|| record.comm.to_string(), str::to_owned);
        }
        Some((found, seen))
    }

    /// May [`Catalog::identify`] return a role? This check takes a twentieth of the time, and is false for most
    /// processes.
    pub(crate) fn may_identify<'r>(&self, record: &'r ProcessRecord, names: &mut Names<'r>) -> bool {
        let Some(data) = self.data else { return false };
        // The person's rules may name any program, and pid 1 is identified only by its own name.
        record.pid() == Pid::INIT
            || !self.rules.is_empty()
            || prefilter::is_worth_a_look(data, record, names)
            || self.index_for(record).is_some()
    }

    /// May it have been started from an entry of a configuration?
    pub(crate) fn may_be_configured(&self, record: &ProcessRecord) -> bool {
        self.index_for(record).is_some()
    }

    /// The entries of configurations, if this process may have been started from one.
    fn index_for(&self, record: &ProcessRecord) -> Option<&configured::Index> {
        let index = self.configured.as_ref()?;
        record.argv.as_ref().and_then(Argv::first).filter(|first| index.may_hold(first)).map(|_| index)
    }

    fn recognise(&self, record: &ProcessRecord) -> Option<(Identification, Resolution)> {
        let data = self.data?;
        // tini and dumb-init are inits only as pid 1. Otherwise they are launchers.
        if record.pid() == Pid(1)
            && let Some(init) = judge::init(data, record)
        {
            return Some((init, Resolution::of(record)));
        }
        let configured = self.index_for(record);
        let seen = Resolution::of(record);
        let judged = self.judge(data).resolved(&seen);
        // Entries of configurations and plugin folders identify only a process on a wire. For others they must not
        // replace the role that the command line gives.
        let may_confirm = record.is_wired() || judged.is_none();
        let found = match configured.and_then(|index| index.find(record, &seen)) {
            Some(entry) if may_confirm => Some(from_entry(entry, &seen, judged)),
            None if may_confirm && judged.as_ref().is_none_or(|found| found.role == Role::Wrapper) => {
                plugins::script(data, record, &seen).or(judged)
            }
            Some(_) | None => judged,
        };
        found.map(|found| (found, seen))
    }

    /// The number of entries in the person's client configurations that start what this process runs.
    pub(crate) fn entries_for(&self, record: &ProcessRecord, seen: &Resolution) -> usize {
        let Some(entry) = self.entry(record, seen) else { return 0 };
        self.entries.iter().filter(|argv| **argv == entry.argv).count()
    }

    /// The entry of the person's client configurations that this process was started from.
    pub(crate) fn entry(&self, record: &ProcessRecord, seen: &Resolution) -> Option<&Configured> {
        self.configured.as_ref()?.find(record, seen)
    }

    fn judge<'c>(&'c self, data: &'c Data) -> Judge<'c> {
        Judge { data, rules: &self.rules }
    }
}

fn from_entry(entry: &Configured, seen: &Resolution, judged: Option<Identification>) -> Identification {
    // If the catalog knows a name, that is used, because other processes of the server have it too.
    let known = judged.filter(|found| matches!(found.role, Role::Server | Role::Launcher));
    Identification {
        role: if seen.is_launched() { Role::Launcher } else { Role::Server },
        name: known.map_or_else(|| entry.entry.clone(), |known| known.name),
        basis: Basis::Configured { client: entry.client.clone(), entry: entry.entry.clone() },
    }
}
