//! Programs that belong to the person at the machine, whatever started them: editors, shells, tools, and browsers that
//! are not automated.

use std::borrow::Cow;

use super::data::{DATA, Data, Person};
use super::{Catalog, browser};
use crate::bytes::{Argv, to_text};
use crate::process::ProcessRecord;
use crate::program::{self, Kind, LayerKind, Resolution, Word};
use crate::word_list::WordList;

const PERSON: &Person = &DATA.person;

impl Catalog {
    /// Is it a program that a person works in: an editor, a terminal, or a browser without any sign of automation?
    pub fn is_persons_program(&self, record: &ProcessRecord) -> bool {
        self.is_persons_program_by(record, || Cow::Owned(Resolution::of(record)))
    }

    /// As [`Catalog::is_persons_program`], with a resolution that the caller may have already. `runs` is called only
    /// where the process's own program is a tool.
    pub(crate) fn is_persons_program_by<'r>(
        &self,
        record: &ProcessRecord,
        runs: impl FnOnce() -> Cow<'r, Resolution>,
    ) -> bool {
        let data = match (KnownAs::of(self.data, &names(record, runs)), self.data) {
            (KnownAs::WorkedIn, _) => return true,
            (KnownAs::Browser, Some(data)) => data,
            _ => return false,
        };
        let given: Vec<Word<'_>> = options(record).collect();
        let given = || given.iter().map(|word| &**word);
        record.argv.is_some()
            && !browser::is_driven(given())
            && !browser::is_part_of_one(given())
            && data.profile(given()).is_none()
    }

    /// Is it a browser that a program controls, or a process that a browser started for itself? `runs` resolves it.
    pub(crate) fn is_of_an_automated_browser<'r>(
        &self,
        record: &ProcessRecord,
        runs: impl Fn() -> Cow<'r, Resolution>,
    ) -> bool {
        let is_browser = || KnownAs::of(self.data, &names(record, &runs)) == KnownAs::Browser;
        record.argv.is_some() && is_browser() && !self.is_persons_program_by(record, &runs)
    }

    /// Is it a browser without a window? A program controls it then.
    pub fn is_headless(&self, record: &ProcessRecord) -> bool {
        let is_it = |word: Word<'_>| matches!(word.split('=').next(), Some("--headless" | "-headless"));
        own_name(record).contains("headless") || options(record).any(is_it)
    }

    /// Is it a person's session, or a tool that goes on when one of its commands has ended? Such a process is no
    /// launcher, whatever it runs and whatever pipes it holds.
    pub fn has_more_to_do(&self, record: &ProcessRecord, seen: &Resolution) -> bool {
        let name = own_name(record);
        PERSON.goes_on.contains(&name) || self.is_session(record, seen)
    }

    /// Is it a terminal multiplexer? Processes that run in one, or are attached to one, belong to a person.
    pub fn is_multiplexer(&self, record: &ProcessRecord) -> bool {
        PERSON.multiplexers.contains(&own_name(record))
    }

    /// Is it a tool for other work: a build tool, version control, an editor, a shell, a database, a web server, a
    /// compiler, a media tool, or a runner that runs nothing (`npm install`, `uv sync`)? The environment of a client
    /// alone does not make such a process a server.
    pub fn is_known_tool(&self, record: &ProcessRecord) -> bool {
        let Some(data) = self.data else { return false };
        let name = own_name(record);
        let name = name.trim_start_matches('-');
        if builds_of(name).any(|name| is_browser(data, name) || is_one_of(&[PERSON.desktop], name))
            || self.is_multiplexer(record)
            || self.is_persons_program(record)
        {
            return true;
        }
        if passes_stdin_on(name) {
            return false;
        }
        let seen = program::resolve(record.argv.as_ref(), record.details.exe.as_ref(), &record.comm);
        let Some(program) = &seen.program else { return !seen.opaque };
        let given = seen.opaque || !seen.line.is_empty() || program.text.contains('/');
        let launcher = data.known.contains(name) || PERSON.sessions.contains(name);
        let own = seen.layers.is_empty() && data.tool_names.contains(name);
        own || launcher && !given || data.is_tool(program)
    }

    /// Does it run a project's own build or tests, as `npm run build` or `bash -c "cd x && cargo test"`?
    pub(crate) fn is_development(&self, record: &ProcessRecord) -> bool {
        !passes_stdin_on(&own_name(record))
            && self.data.is_some_and(|data| data.is_development(&Resolution::of(record)))
    }

    /// Is it a person's session: a shell that runs no command line and no script, a multiplexer, or a login?
    pub fn is_session(&self, record: &ProcessRecord, seen: &Resolution) -> bool {
        let name = own_name(record);
        let known = PERSON.sessions.contains(name.trim_start_matches('-'));
        known && !seen.opaque && (seen.layers.is_empty() || seen.program.is_none())
    }
}

/// Programs that may stand in the pipeline of a launcher and pass on the output of its server.
fn passes_stdin_on(name: &str) -> bool {
    matches!(name, "cat" | "tee")
}

/// The arguments of a program. A program that rewrote its title has all of them in its first argument, after its name.
fn options(record: &ProcessRecord) -> impl Iterator<Item = Word<'_>> {
    let first = record.argv.as_ref().and_then(Argv::first).map(to_text).unwrap_or_default();
    let title = if first.contains(".app/") {
        Vec::new()
    } else {
        first.split(' ').skip(1).map(str::to_owned).collect()
    };
    let rest = record.argv.iter().flat_map(Argv::iter).skip(1).map(to_text);
    title.into_iter().map(Word::from).chain(rest)
}

/// The name of the program itself, not of a script that it runs.
fn own_name(record: &ProcessRecord) -> String {
    let argv = record.argv.as_ref();
    let first = argv.and_then(|argv| argv.first()).map(to_text).unwrap_or_default();
    // A program that rewrote its title has all its words in the first argument. Programs of macOS have spaces in their
    // paths.
    let title = !first.contains(".app/");
    let path = if title { first.split(' ').next().unwrap_or_default() } else { &*first };
    let name = program::base(path).trim_end_matches(':').to_owned();
    if name.is_empty() { record.comm.to_string() } else { name }
}

/// The name of the program itself, and the name of a script or module that it runs: many desktop programs are scripts
/// for Python or a shell (`/usr/bin/python3 /usr/bin/terminator`). A script with an extension is not counted: `idea.py`
/// is not the IDE.
fn names<'r>(record: &ProcessRecord, runs: impl FnOnce() -> Cow<'r, Resolution>) -> Vec<String> {
    let own = own_name(record);
    let mut names = vec![own];
    if program::is_tool(&names[0]) {
        let seen = runs();
        let only_interpreted =
            seen.layers.iter().all(|layer| matches!(layer.kind, LayerKind::Interpreter | LayerKind::Shell));
        let program = seen.program.as_ref().filter(|_| only_interpreted && seen.line.is_empty());
        if let Some(program) = program {
            let file = program::base(&program.text);
            let extended = program::stem(file) != file && !file.ends_with(".sh");
            match program.kind {
                Kind::Script | Kind::Binary if !extended => names.push(file.to_owned()),
                Kind::Module => names.extend(program.names.first().cloned()),
                _ => {}
            }
        }
    }
    names
}

/// What a program is by the lists. It is looked up by its names, and by these without the marks of a build
/// (`firefox.real`, `vivaldi-bin`, `emacs-29.1`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum KnownAs {
    /// An editor or a terminal.
    WorkedIn,
    Browser,
    Other,
}

impl KnownAs {
    fn of(data: Option<&Data>, names: &[String]) -> KnownAs {
        let mut known = KnownAs::Other;
        for name in names.iter().flat_map(|name| builds_of(name)) {
            if is_one_of(&[PERSON.editors, PERSON.terminals], name) {
                return KnownAs::WorkedIn;
            }
            if data.is_some_and(|data| is_browser(data, name)) {
                known = KnownAs::Browser;
            }
        }
        known
    }
}

fn is_one_of(lists: &[WordList], name: &str) -> bool {
    let listed = |name: &str| lists.iter().any(|list| list.contains(name));
    let has_capitals = || name.bytes().any(|byte| byte.is_ascii_uppercase());
    listed(name) || has_capitals() && listed(&name.to_ascii_lowercase())
}

fn is_browser(data: &Data, name: &str) -> bool {
    is_one_of(&[PERSON.browsers], name) || data.is_browser(name)
}

/// The name, then the name without its last mark of a build or version, then without the last two, and so on.
fn builds_of(name: &str) -> impl Iterator<Item = &str> {
    // Nix calls the program behind its wrapper .firefox-wrapped.
    let plain = name.strip_prefix('.').unwrap_or(name);
    std::iter::successors(Some(plain), |name| {
        let versioned = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '_'));
        let next = if versioned.len() < name.len() { versioned } else { without_mark(name) };
        (!next.is_empty() && next.len() < name.len()).then_some(next)
    })
}

/// The name without the mark of a build at its end. A mark begins with the only dot or dash in it.
fn without_mark(name: &str) -> &str {
    let Some(at) = name.rfind(['.', '-']) else { return name };
    if PERSON.builds.iter().any(|mark| mark.eq_ignore_ascii_case(&name[at..])) { &name[..at] } else { name }
}

#[cfg(test)]
mod tests;
