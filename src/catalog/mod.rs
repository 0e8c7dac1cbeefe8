//! What is known about programs: servers, launchers, clients, helpers; and what a process is by it.

mod basis;
mod batch;
mod configured;
mod data;
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

pub use basis::{Basis, Rule};
pub use configured::Configured;

use crate::bytes::{Argv, RawText, to_text};
use crate::pattern::Pattern;
use crate::policy::ServerRule;
use crate::process::{Pid, ProcessRecord};
use crate::program::{self, Beside, LineCommand, Resolution};
use data::Data;

/// What part a process plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Starts MCP servers and talks to them. Never a target by default.
    Client,
    /// Speaks MCP.
    Server,
    /// Stands between client and server, and its own argv names the server it launches.
    Launcher,
    /// Passes on to another program without naming a server itself (`sh script`, `npm run x`,
    /// `env`, `timeout`): part of an instance only when all it runs is.
    Wrapper,
    /// Something a server starts that can be told as such on its own: a browser with a server's
    /// profile folder.
    Helper,
    /// Starts and watches processes of others (pm2, supervisord, a container shim): as a parent it
    /// is an owner, even as pid 1.
    Supervisor,
    /// Adopts orphans (systemd, launchd, tini): as a parent it says that the owner is gone.
    Init,
}

/// What a process is, and by what that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identification {
    /// The part it plays.
    pub role: Role,
    /// For servers, launchers and helpers the server's short name (`server-filesystem`,
    /// `chrome-devtools-mcp`); for clients the client's (`claude-code`); for wrappers, supervisors and inits
    /// the program's.
    pub name: String,
    /// By what.
    pub basis: Basis,
}

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
        let mut found = self.recognise(record)?;
        // An entry of a configuration may have no name; what is shown must have one.
        if found.name.is_empty() {
            found.name = self.program(record).unwrap_or_else(|| record.comm.to_string());
        }
        Some(found)
    }

    fn recognise(&self, record: &ProcessRecord) -> Option<Identification> {
        let data = self.data.as_deref()?;
        // tini and dumb-init are inits as pid 1 only; elsewhere they are launchers.
        if record.pid() == Pid(1)
            && let Some(init) = judge::init(data, record)
        {
            return Some(init);
        }
        let first = record.argv.as_ref().and_then(Argv::first);
        let configured =
            self.configured.as_ref().filter(|index| first.is_some_and(|first| index.may_hold(first)));
        if configured.is_none() && !self.worth_a_look(data, record) {
            return None;
        }
        let seen = program::resolve(record.argv.as_ref(), record.details.exe.as_ref(), &record.comm);
        let judged = self.judge(data, &seen);
        if let Some(entry) = configured.and_then(|index| index.find(record, &seen)) {
            return Some(from_entry(entry, &seen, judged));
        }
        match judged {
            None | Some(Identification { role: Role::Wrapper, .. }) => {
                plugins::script(data, record, &seen).or(judged)
            }
            known => known,
        }
    }

    /// What a shell runs beside one of its children, by the line in its `-c`: the answer for the
    /// command of the line that the child is, or the worst of all where none is. `None` where the
    /// parent is no shell with such a line (what a script file runs is not read).
    ///
    /// Only [`Beside::Nothing`] makes the shell a launcher. Behind [`Beside::RunsIfItEndsWell`] and
    /// [`Beside::Unread`] the child must be left alone, too: its end would take away what follows.
    #[must_use]
    pub fn beside(&self, shell: &ProcessRecord, child: &ProcessRecord) -> Option<Beside> {
        let resolve = |record: &ProcessRecord| {
            program::resolve(record.argv.as_ref(), record.details.exe.as_ref(), &record.comm)
        };
        let line = resolve(shell);
        let names = resolve(child).program.map(|program| program.names).unwrap_or_default();
        let is_child = |command: &&LineCommand| {
            let known = command.program.as_ref().map(|program| program.names.as_slice()).unwrap_or_default();
            names.iter().any(|name| known.contains(name))
        };
        line.line.iter().filter(is_child).map(|command| command.beside).max().or_else(|| line.beside())
    }

    /// The name of the program that really runs, for rules of the person's own.
    #[must_use]
    pub fn program(&self, record: &ProcessRecord) -> Option<String> {
        let seen = program::resolve(record.argv.as_ref(), record.details.exe.as_ref(), &record.comm);
        let program = seen.program?;
        Some(program.names.into_iter().next().unwrap_or(program.text)).filter(|name| !name.is_empty())
    }

    /// How many entries of the person's client configurations start what this process runs.
    #[must_use]
    pub fn entries_for(&self, record: &ProcessRecord) -> usize {
        let Some(configured) = &self.configured else { return 0 };
        let seen = program::resolve(record.argv.as_ref(), record.details.exe.as_ref(), &record.comm);
        let Some(entry) = configured.find(record, &seen) else { return 0 };
        self.entries.iter().filter(|argv| **argv == entry.argv).count()
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
            return !browser || judge::profile(data, text.split(' ').map(Into::into)).is_some();
        }
        let Ok(name) = std::str::from_utf8(head) else { return true };
        if data.helper.browsers.contains(name) {
            return judge::profile(data, argv.iter().map(to_text)).is_some();
        }
        program::is_tool(name) || self.is_known(data, first) || argv.iter().any(words::says_mcp)
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
