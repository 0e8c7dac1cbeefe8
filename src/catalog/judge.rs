//! Finds the role of a process by the program that really runs.

use super::browser::{self, Profile};
use super::data::Data;
use super::identification::{Basis, Identification, Role, Rule};
use crate::bytes::to_text;
use crate::pattern::Pattern;
use crate::process::ProcessRecord;
use crate::program::{self, Beside, Kind, LayerKind, Program, Resolution, Word};

/// What is needed to judge a program.
#[derive(Clone, Copy)]
pub(super) struct Judge<'c> {
    pub(super) data: &'c Data,
    /// Patterns and names of the person's `[[server]]` entries.
    pub(super) rules: &'c [(Pattern, String)],
}

impl Judge<'_> {
    /// The role of the program that really runs. Modes come first, then clients, then the person's rules, then the
    /// servers of the catalog.
    pub(super) fn resolved(&self, seen: &Resolution) -> Option<Identification> {
        if seen.line.len() > 1
            || seen.line.iter().any(|command| command.opaque || command.beside != Beside::Nothing)
        {
            return self.line(seen);
        }
        let data = self.data;
        let Some(program) = &seen.program else { return wrapper(seen) };
        let serving = if seen.is_launched() { Role::Launcher } else { Role::Server };
        if let Some(found) = seen.layers.is_empty().then(|| standing(data, program)).flatten() {
            return Some(found);
        }
        if let Some(found) = helper(data, program) {
            return Some(found);
        }
        if let Some(found) = data.mode(program) {
            return Some(by_catalog(serving, found.name, program, found.rule));
        }
        if let Some(client) = client(data, program) {
            return Some(client);
        }
        if let Some((name, basis)) = self.taught(program) {
            return Some(Identification { role: serving, name, basis });
        }
        // Other arguments of a browser are pages to show.
        if seen.layers.is_empty()
            && program.names.last().is_some_and(|name| data.helper.browsers.contains(&name.as_str()))
        {
            return None;
        }
        if let Some(found) = supervisor(data, program) {
            return Some(found);
        }
        if let Some(found) = data.subcommand(program) {
            return Some(by_catalog(serving, found.name, program, found.rule));
        }
        // A package or image is named by its publisher too: mcp/git is not git.
        let published = matches!(program.kind, Kind::Package | Kind::Image);
        if data.is_tool(program) && !(published && data.server(program).is_some()) {
            return wrapper(seen);
        }
        // A person's own wrapper script starts a server after `--`.
        if program.kind == Kind::Script
            && program::stem(program::base(&program.text)) != program::base(&program.text)
            && let Some(found) = self.behind_dashes(program)
        {
            return Some(Identification { role: Role::Launcher, ..found });
        }
        if let Some(found) = data.server(program).or_else(|| data.command(program)) {
            return Some(by_catalog(serving, found.name, program, found.rule));
        }
        match data.clients.at(&program.text) {
            Some(name) if !is_idle(data, program) => {
                Some(by_catalog(Role::Client, name.to_owned(), program, Rule::ClientPath(name.to_owned())))
            }
            _ => wrapper(seen),
        }
    }

    /// By the person's own rules.
    fn taught(&self, program: &Program) -> Option<(String, Basis)> {
        let matches = |pattern: &Pattern| program.names.iter().any(|name| pattern.matches(name));
        let (pattern, name) = self.rules.iter().find(|(pattern, _)| matches(pattern))?;
        let basis = Basis::Taught { program: shown(program), pattern: pattern.as_str().to_owned() };
        Some((name.clone(), basis))
    }

    /// A shell with a line of several commands. The shell is a launcher if the line runs a server, nothing beside it,
    /// and no program before it that may be running now. Otherwise the shell is an owner.
    fn line(&self, seen: &Resolution) -> Option<Identification> {
        let mut before = false;
        for command in &seen.line {
            let one = Resolution {
                layers: command.layers.clone(),
                program: command.program.clone(),
                ..Resolution::default()
            };
            match self.resolved(&one) {
                Some(found) if found.role == Role::Client => return Some(found),
                Some(found) if matches!(found.role, Role::Server | Role::Launcher) => {
                    return (command.beside == Beside::Nothing && !before).then_some(found);
                }
                _ => before |= command.program.is_some(),
            }
        }
        None
    }

    fn behind_dashes(&self, program: &Program) -> Option<Identification> {
        let at = program.args.iter().position(|arg| arg == "--")?;
        let words: Vec<Word<'_>> =
            program.args.get(at + 1..)?.iter().map(|arg| Word::from(arg.as_str())).collect();
        // The words are a command only if they begin with a program that runs commands.
        if !words.first().is_some_and(|word| program::is_tool(word)) {
            return None;
        }
        self.resolved(&program::resolve_words(&words))
            .filter(|found| matches!(found.role, Role::Server | Role::Launcher))
    }
}

/// The role of pid 1, by its own name.
pub(super) fn init(data: &Data, record: &ProcessRecord) -> Option<Identification> {
    let first = to_text(record.argv.as_ref()?.first()?);
    let program = Program::named(first.split(' ').next().unwrap_or_default());
    by_init(data, &program)
}

fn by_init(data: &Data, program: &Program) -> Option<Identification> {
    let name = program.names.iter().find(|name| data.init.contains(name.as_str()))?;
    Some(by_catalog(Role::Init, name.clone(), program, Rule::Init(name.clone())))
}

/// A helper, recognised by its path: a file of a server's package, or a program in a server's own folder.
fn helper(data: &Data, program: &Program) -> Option<Identification> {
    if let Some((folder, server)) = data.helper.folder(&program.text) {
        return Some(by_catalog(Role::Helper, server.to_owned(), program, Rule::Folder(folder.to_owned())));
    }
    let (end, server) = data.helper.scripts.iter().find(|(end, _)| program.text.ends_with(end))?;
    Some(by_catalog(Role::Helper, server.to_owned(), program, Rule::Script(end.to_owned())))
}

/// Inits, and browsers with a server's profile that a program controls.
fn standing(data: &Data, program: &Program) -> Option<Identification> {
    if let Some(init) = by_init(data, program) {
        return Some(init);
    }
    let name = program.names.last()?;
    let words = || program.args.iter().map(String::as_str);
    // A browser that a person started with a server's profile, to log in once, belongs to the person.
    if !data.is_browser(name) || !browser::is_left_to_programs(words()) {
        return None;
    }
    let (name, profile) = match data.profile(words())? {
        Profile::Servers(part, server) if data.helper.profiles.get(part).is_some() => {
            let rule = Rule::Profile(part.to_owned());
            return Some(by_catalog(Role::Helper, server.to_owned(), program, rule));
        }
        Profile::Servers(part, server) => (server.to_owned(), part),
        Profile::Temporary(folder) => (name.clone(), folder),
    };
    let basis = Basis::SharedProfile { profile: profile.to_owned() };
    Some(Identification { role: Role::Helper, name, basis })
}

fn supervisor(data: &Data, program: &Program) -> Option<Identification> {
    let own = program.kind == Kind::Binary || program.kind == Kind::Script && program.names.len() == 1;
    let name = program.names.iter().find(|name| data.supervisor.contains(name.as_str())).filter(|_| own)?;
    Some(by_catalog(Role::Supervisor, name.clone(), program, Rule::Supervisor(name.clone())))
}

fn client(data: &Data, program: &Program) -> Option<Identification> {
    let own_script =
        program.kind == Kind::Script && program.names.len() > 1 && !program.text.contains("node_modules/");
    if own_script || matches!(program.kind, Kind::Task | Kind::Inline | Kind::Image) {
        return None;
    }
    let first = program.args.first().map_or("", String::as_str);
    let name = program
        .names
        .iter()
        .find_map(|name| data.clients.named(name).or_else(|| data.clients.called(name, first)))?;
    (!is_idle(data, program))
        .then(|| by_catalog(Role::Client, name.to_owned(), program, Rule::Client(name.to_owned())))
}

/// Is it a renderer or GPU process of an application?
fn is_idle(data: &Data, program: &Program) -> bool {
    let crash = program.names.last().is_some_and(|name| data.helper.browsers.contains(&name.as_str()));
    crash || program.args.iter().any(|arg| data.electron.idle.contains(&arg.as_str()))
}

/// A wrapper: it runs a program that is no server.
fn wrapper(seen: &Resolution) -> Option<Identification> {
    let passes = |kind: LayerKind| kind != LayerKind::Interpreter;
    let layer = seen.layers.iter().find(|layer| passes(layer.kind))?;
    let container = matches!(layer.tool.as_str(), "docker" | "podman" | "nerdctl" | "finch");
    let runs = seen.program.is_some() || seen.opaque;
    let program = seen.program.as_ref().map(shown).unwrap_or_default();
    (runs && !container).then(|| Identification {
        role: Role::Wrapper,
        name: layer.tool.clone(),
        basis: Basis::Catalog { program, rule: Rule::Wrapper(layer.tool.clone()) },
    })
}

fn by_catalog(role: Role, name: String, program: &Program, rule: Rule) -> Identification {
    Identification { role, name, basis: Basis::Catalog { program: shown(program), rule } }
}

/// The program, as it is shown in evidence.
fn shown(program: &Program) -> String {
    if program.text.is_empty() {
        program.names.first().cloned().unwrap_or_default()
    } else {
        program.text.clone()
    }
}
