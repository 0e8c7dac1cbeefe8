//! What is known about programs: servers, launchers, clients, helpers; and what a process is by it.

mod configured;
mod data;
mod servers;
mod words;

use std::collections::HashSet;
use std::fmt;

pub use configured::Configured;

use crate::bytes::RawText;
use crate::pattern::Pattern;
use crate::policy::ServerRule;
use crate::process::ProcessRecord;
use crate::program::{self, Kind, LayerKind, Program, Resolution, Word};
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

/// By what a process was identified, strongest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Its argv is an entry of one of the person's MCP client configs.
    Configured {
        /// Which client's configuration, such as `claude-code`.
        client: String,
        /// The entry's name there.
        entry: String,
    },
    /// The resolved program matches a rule of the catalog.
    Catalog {
        /// What really runs: package, module, script, bin or image.
        program: String,
        /// The rule, as the catalog writes it.
        rule: String,
    },
    /// The resolved program matches a `[[server]]` rule.
    Rule {
        /// What really runs.
        program: String,
        /// The rule's name.
        rule: String,
    },
    /// Its environment says that Claude Code started it as a stdio server.
    Environment,
    /// It is a child of a client, on a wire to it.
    Ancestry,
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
/// record.argv = Some(["node", "/srv/notes-mcp/dist/index.js"].map(Into::into).into());
/// let seen = catalog.identify(&record).expect("a server");
/// assert_eq!((seen.role, seen.name.as_str()), (Role::Server, "notes-mcp"));
/// record.argv = Some(["vim", "/srv/notes-mcp/dist/index.js"].map(Into::into).into());
/// assert_eq!(catalog.identify(&record), None);
/// ```
#[derive(Default)]
pub struct Catalog {
    data: Option<Box<Data>>,
    /// Every name by which a program without layers is more than a mere program.
    heads: HashSet<&'static str>,
    rules: Vec<(Pattern, String)>,
    configured: configured::Index,
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
        heads.extend(data.clients.names());
        heads.extend(data.init.names.iter().copied());
        heads.extend(data.supervisor.names.iter().copied());
        heads.extend(data.server.names.iter().copied());
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
        self.configured = configured::Index::new(entries);
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
        let data = self.data.as_deref()?;
        let argv = record.argv.as_deref().unwrap_or_default();
        if let Some(found) = self.configured_entry(data, record, argv) {
            return Some(found);
        }
        if !self.worth_a_look(data, argv, record) || is_disguised(data, argv, record) {
            return None;
        }
        let seen = program::resolve(record.argv.as_deref(), record.exe.as_ref(), &record.comm);
        self.judge(data, &seen)
    }

    /// The name of the program that really runs, for rules of the person's own.
    #[must_use]
    pub fn program(&self, record: &ProcessRecord) -> Option<String> {
        let seen = program::resolve(record.argv.as_deref(), record.exe.as_ref(), &record.comm);
        let program = seen.program?;
        Some(program.names.into_iter().next().unwrap_or(program.text)).filter(|name| !name.is_empty())
    }

    fn judge(&self, data: &Data, seen: &Resolution) -> Option<Identification> {
        let Some(program) = &seen.program else { return wrapper(seen) };
        let serving = if seen.is_launched() { Role::Launcher } else { Role::Server };
        if seen.layers.is_empty()
            && let Some(found) = standing(data, program)
        {
            return Some(found);
        }
        if let Some(found) = data.mode(program) {
            return Some(by_catalog(serving, found.name, program, found.rule));
        }
        if let Some(client) = client(data, program) {
            return Some(client);
        }
        if let Some((pattern, name)) =
            self.rules.iter().find(|(pattern, _)| program.names.iter().any(|name| pattern.matches(name)))
        {
            let basis = Basis::Rule { program: shown(program), rule: pattern.as_str().to_owned() };
            return Some(Identification { role: serving, name: name.clone(), basis });
        }
        if let Some(found) = supervisor(data, program) {
            return Some(found);
        }
        // A package or image is named by its publisher too: mcp/git is not git.
        let published = matches!(program.kind, Kind::Package | Kind::Image);
        if data.is_tool(program) && !(published && data.server(program).is_some()) {
            return wrapper(seen);
        }
        if let Some((part, name)) =
            data.helper.scripts.iter().find(|(part, _)| program.text.ends_with(**part))
        {
            return Some(by_catalog(Role::Helper, (*name).to_owned(), program, (*part).to_owned()));
        }
        // A wrapper of one's own that starts a server behind `--`.
        if program.kind == Kind::Script
            && program::stem(program::base(&program.text)) != program::base(&program.text)
            && let Some(found) = self.behind_dashes(data, program)
        {
            return Some(Identification { role: Role::Launcher, ..found });
        }
        if let Some(found) = data.server(program).or_else(|| data.command(program)) {
            return Some(by_catalog(serving, found.name, program, found.rule));
        }
        match data.clients.at(&program.text) {
            Some(name) if !is_idle(data, program) => {
                Some(by_catalog(Role::Client, name.to_owned(), program, format!("path of {name}")))
            }
            _ => wrapper(seen),
        }
    }

    fn behind_dashes(&self, data: &Data, program: &Program) -> Option<Identification> {
        let at = program.args.iter().position(|arg| arg == "--")?;
        let words: Vec<Word<'_>> =
            program.args.get(at + 1..)?.iter().map(|arg| Word::from(arg.as_str())).collect();
        // The words are a command only when they begin with something that runs commands.
        if !words.first().is_some_and(|word| program::is_tool(word)) {
            return None;
        }
        self.judge(data, &program::resolve_words(&words))
            .filter(|found| matches!(found.role, Role::Server | Role::Launcher))
    }

    fn configured_entry(
        &self,
        data: &Data,
        record: &ProcessRecord,
        argv: &[RawText],
    ) -> Option<Identification> {
        if self.configured.is_empty() {
            return None;
        }
        let words: Vec<_> = argv.iter().map(RawText::to_text).collect();
        let end = words.iter().rposition(|word| !word.is_empty())? + 1;
        let plain: Vec<&str> = words.get(..end)?.iter().map(|word| &**word).collect();
        let (entry, launches) = self.configured.find(&plain)?;
        let seen = program::resolve(record.argv.as_deref(), record.exe.as_ref(), &record.comm);
        // A name that the catalog knows is the one its other processes have.
        let known =
            self.judge(data, &seen).filter(|found| matches!(found.role, Role::Server | Role::Launcher));
        Some(Identification {
            role: if launches || seen.is_launched() { Role::Launcher } else { Role::Server },
            name: known.map_or_else(|| entry.entry.clone(), |known| known.name),
            basis: Basis::Configured { client: entry.client.clone(), entry: entry.entry.clone() },
        })
    }

    /// The fast way out, for the many processes that are nothing here: no launcher or interpreter,
    /// no known name, no "mcp" anywhere. It only ever leaves out what `judge` would answer with
    /// `None`; a test holds it to that.
    fn worth_a_look(&self, data: &Data, argv: &[RawText], record: &ProcessRecord) -> bool {
        let Some(first) = argv.first().filter(|first| !first.is_empty()) else {
            let exe = record.exe.as_ref().map(RawText::as_bytes).unwrap_or_default();
            return words::says_mcp(exe)
                || words::says_mcp(record.comm.as_bytes())
                || self.is_head(record.comm.as_bytes())
                || self.is_head(program::head(record.exe.as_slice()));
        };
        let title = first.as_bytes().contains(&b' ');
        let head = program::head(argv);
        if title || !self.rules.is_empty() || self.is_head(head) {
            return true;
        }
        let text = std::str::from_utf8(head).unwrap_or_default();
        let stem = program::stem(text);
        if data.helper.browsers.contains(text) {
            return profile(data, argv.iter().map(RawText::to_text)).is_some();
        }
        program::is_tool(text)
            || self.is_head(stem.as_bytes())
            || argv.iter().any(|word| words::says_mcp(word.as_bytes()))
            || data.clients.named(text).or_else(|| data.clients.named(stem)).is_some()
            || std::str::from_utf8(first.as_bytes()).is_ok_and(|path| data.clients.at(path).is_some())
    }

    fn is_head(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| self.heads.contains(name))
    }
}

/// A program that names itself something it is not: `exec -a mcp-server sleep 60`.
fn is_disguised(data: &Data, argv: &[RawText], record: &ProcessRecord) -> bool {
    let Some(exe) = &record.exe else { return false };
    let exe = exe.to_text();
    let name = program::base(&exe);
    !argv.is_empty() && data.not.tools.contains(name) && program::head(argv) != name.as_bytes()
}

/// Inits, and browsers with a server's profile.
fn standing(data: &Data, program: &Program) -> Option<Identification> {
    let name = program.names.last()?;
    if data.init.names.contains(name.as_str()) {
        return Some(by_catalog(Role::Init, name.clone(), program, format!("init {name}")));
    }
    let browser = data.helper.browsers.contains(name.as_str())
        || data.helper.browser_helpers.iter().any(|known| name.starts_with(known));
    if !browser {
        return None;
    }
    let (part, server) = profile(data, program.args.iter().map(|arg| Word::from(arg.as_str())))?;
    Some(by_catalog(Role::Helper, server.to_owned(), program, format!("profile {part}")))
}

/// A profile folder that only a server makes, in the options of a browser.
fn profile<'a>(data: &Data, args: impl Iterator<Item = Word<'a>>) -> Option<(&'static str, &'static str)> {
    args.into_iter().find_map(|arg| {
        let about = ["--user-data-dir", "--database", "-profile", "--profile", "--disk-cache-dir", "/"]
            .iter()
            .any(|option| arg.starts_with(option));
        let found = || {
            data.helper
                .profiles
                .iter()
                .find(|(part, _)| arg.contains(**part))
                .map(|(part, server)| (*part, *server))
        };
        about.then(found).flatten()
    })
}

fn supervisor(data: &Data, program: &Program) -> Option<Identification> {
    let own = program.kind == Kind::Binary || program.kind == Kind::Script && program.names.len() == 1;
    let name =
        program.names.iter().find(|name| data.supervisor.names.contains(name.as_str())).filter(|_| own)?;
    Some(by_catalog(Role::Supervisor, name.clone(), program, format!("supervisor {name}")))
}

fn client(data: &Data, program: &Program) -> Option<Identification> {
    let own_script =
        program.kind == Kind::Script && program.names.len() > 1 && !program.text.contains("node_modules/");
    if own_script || matches!(program.kind, Kind::Task | Kind::Inline | Kind::Image) {
        return None;
    }
    let name = program.names.iter().find_map(|name| data.clients.named(name))?;
    (!is_idle(data, program))
        .then(|| by_catalog(Role::Client, name.to_owned(), program, format!("client {name}")))
}

/// A renderer or GPU process of an application.
fn is_idle(data: &Data, program: &Program) -> bool {
    let crash = program.names.last().is_some_and(|name| data.helper.browsers.contains(name.as_str()));
    crash || program.args.iter().any(|arg| data.electron.idle.contains(&arg.as_str()))
}

/// What passes on to something that is no server.
fn wrapper(seen: &Resolution) -> Option<Identification> {
    let passes = |kind: LayerKind| kind != LayerKind::Interpreter;
    let layer = seen.layers.iter().find(|layer| passes(layer.kind))?;
    let container = matches!(layer.tool.as_str(), "docker" | "podman" | "nerdctl" | "finch");
    let runs = seen.program.is_some() || seen.opaque;
    let program = seen.program.as_ref().map(shown).unwrap_or_default();
    (runs && !container).then(|| Identification {
        role: Role::Wrapper,
        name: layer.tool.clone(),
        basis: Basis::Catalog { program, rule: format!("wrapper {}", layer.tool) },
    })
}

fn by_catalog(role: Role, name: String, program: &Program, rule: String) -> Identification {
    Identification { role, name, basis: Basis::Catalog { program: shown(program), rule } }
}

/// The program as evidence shows it.
fn shown(program: &Program) -> String {
    if program.text.is_empty() {
        program.names.first().cloned().unwrap_or_default()
    } else {
        program.text.clone()
    }
}
