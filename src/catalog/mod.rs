//! What is known about programs (servers, launchers, clients, helpers), and what a process is by that.

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
mod servers;
mod short;
#[cfg(test)]
mod tests;
mod transport;
mod words;

use std::collections::HashSet;
use std::fmt;

pub use configured::Configured;
pub use identification::{Basis, Identification, Role, Rule};

use crate::bytes::{Argv, RawText, to_text};
use crate::pattern::Pattern;
use crate::policy::ServerRule;
use crate::process::{Pid, ProcessRecord};
use crate::program::{self, Resolution};
use data::Data;
use judge::Judge;

/// All that is known, compiled once.
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
    data: Option<Box<Data>>,
    /// The names by which a program without layers may be more than a mere program, but for those of
    /// clients.
    heads: HashSet<&'static str>,
    rules: Vec<(Pattern, String)>,
    configured: Option<configured::Index>,
    /// The command lines of all configuration entries.
    entries: Vec<Vec<String>>,
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.rules.iter().map(|(pattern, _)| pattern.as_str()).collect::<Vec<_>>();
        f.debug_struct("Catalog")
            .field("heads", &self.heads.len())
            .field("rules", &rules)
            .finish_non_exhaustive()
    }
}

impl Catalog {
    /// What the project knows, from the catalog it was built with.
    #[must_use]
    pub fn builtin() -> Catalog {
        // The text is part of the program and a test reads it: no catalog is a broken build. It
        // then identifies nothing, which errs on the careful side.
        let Ok(data) = Data::parse() else { return Catalog::default() };
        let mut heads = HashSet::with_capacity(512);
        heads.extend(data.clients.with_commands());
        heads.extend(data.init.names.iter());
        heads.extend(data.supervisor.names.iter());
        heads.extend(data.server.names.iter());
        heads.extend(data.server.modes_of.keys().copied());
        Catalog { data: Some(Box::new(data)), heads, ..Catalog::default() }
    }

    /// And what a person's `[[server]]` entries teach. An entry without a program only sets limits.
    #[must_use]
    pub fn with_rules(mut self, rules: &[ServerRule]) -> Catalog {
        let taught = rules.iter().filter_map(|rule| Some((rule.program.clone()?, rule.name.clone())));
        self.rules.extend(taught);
        self
    }

    /// And what the person's clients are configured to start.
    #[must_use]
    pub fn with_configured(mut self, entries: Vec<Configured>) -> Catalog {
        self.entries = entries.iter().map(|entry| entry.argv.clone()).collect();
        self.configured = (!entries.is_empty()).then(|| configured::Index::new(entries));
        self
    }

    /// The catalog's text (TOML), as it was compiled in.
    #[must_use]
    pub fn source() -> &'static str {
        data::SOURCE
    }

    /// What a process is, if anything that matters here. Looks at argv, exe and comm only.
    #[must_use]
    pub fn identify(&self, record: &ProcessRecord) -> Option<Identification> {
        self.identify_and_resolve(record).map(|(identification, _)| identification)
    }

    /// The same, with what the process really runs.
    pub(crate) fn identify_and_resolve(
        &self,
        record: &ProcessRecord,
    ) -> Option<(Identification, Resolution)> {
        let (mut found, seen) = self.recognise(record)?;
        // An entry of a configuration may have no name; what is shown must have one.
        if found.name.is_empty() {
            found.name = seen.name().map_or_else(|| record.comm.to_string(), str::to_owned);
        }
        Some((found, seen))
    }

    fn recognise(&self, record: &ProcessRecord) -> Option<(Identification, Resolution)> {
        let data = self.data.as_deref()?;
        // tini and dumb-init are inits as pid 1 only; elsewhere they are launchers.
        if record.pid() == Pid(1)
            && let Some(init) = judge::init(data, record)
        {
            return Some((init, Resolution::of(record)));
        }
        let first = record.argv.as_ref().and_then(Argv::first);
        let configured =
            self.configured.as_ref().filter(|index| first.is_some_and(|first| index.may_hold(first)));
        if configured.is_none() && !self.worth_a_look(data, record) {
            return None;
        }
        let seen = Resolution::of(record);
        let judged = self.judge(data).resolved(&seen);
        let found = match configured.and_then(|index| index.find(record, &seen)) {
            Some(entry) => Some(from_entry(entry, &seen, judged)),
            None if judged.as_ref().is_none_or(|found| found.role == Role::Wrapper) => {
                plugins::script(data, record, &seen).or(judged)
            }
            None => judged,
        };
        found.map(|found| (found, seen))
    }

    /// How many entries of the person's client configurations start what this process runs.
    #[must_use]
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

    /// The fast way out, for the many processes that are nothing here: no launcher or interpreter,
    /// no known name, no "mcp" anywhere. It only ever leaves out what `judge` would answer with
    /// `None`; a test holds it to that.
    fn worth_a_look(&self, data: &Data, record: &ProcessRecord) -> bool {
        if !self.rules.is_empty() {
            return true;
        }
        let written = record.argv.as_ref().and_then(|argv| Some((argv, argv.first()?)));
        let Some((argv, first)) = written.filter(|(_, first)| !first.is_empty()) else {
            let exe = record.details.exe.as_ref().map(RawText::as_bytes).unwrap_or_default();
            return [exe, record.comm.as_bytes()]
                .into_iter()
                .any(|name| words::says_mcp(name) || self.is_known(data, name));
        };
        let head = program::head(first);
        if first.contains(&b' ') {
            // A title, or a path with spaces. Browsers have many of them, one for each page.
            let text = to_text(first);
            let name = program::base(text.split(' ').next().unwrap_or_default());
            let browser = data.helper.browsers.contains(name) && argv.len() == 1;
            return !browser || browser::profile(data, text.split(' ').map(Into::into)).is_some();
        }
        let Ok(name) = std::str::from_utf8(head) else { return true };
        if data.helper.browsers.contains(name) {
            return browser::profile(data, argv.iter().map(to_text)).is_some()
                || browser::temporary_profile(argv.iter().map(to_text)).is_some();
        }
        data.helper.folder(&to_text(first)).is_some()
            || program::is_tool(name)
            || self.is_known(data, first)
            || argv.iter().any(words::says_mcp)
    }

    /// By its name, with or without its extension, or by where it lies.
    fn is_known(&self, data: &Data, path: &[u8]) -> bool {
        let known = |name: &str| self.heads.contains(name) || data.clients.named(name).is_some();
        std::str::from_utf8(path).is_ok_and(|path| {
            let name = program::base(path);
            let stem = program::stem(name);
            known(name) || (stem != name && known(stem)) || data.clients.at(path).is_some()
        })
    }
}

fn from_entry(entry: &Configured, seen: &Resolution, judged: Option<Identification>) -> Identification {
    // A name that the catalog knows is the one its other processes have.
    let known = judged.filter(|found| matches!(found.role, Role::Server | Role::Launcher));
    Identification {
        role: if seen.is_launched() { Role::Launcher } else { Role::Server },
        name: known.map_or_else(|| entry.entry.clone(), |known| known.name),
        basis: Basis::Configured { client: entry.client.clone(), entry: entry.entry.clone() },
    }
}
