//! What belongs to the person at the machine, wherever it was started: editors, shells, browsers that are not automated.

use std::borrow::Cow;

use super::data::{DATA, Data, Person};
use super::{Catalog, browser};
use crate::bytes::{Argv, to_text};
use crate::list::List;
use crate::process::ProcessRecord;
use crate::program::{self, Kind, LayerKind, Resolution, Word};

const PERSON: &Person = &DATA.person;

impl Catalog {
    /// A program that a person works in, whatever started it: an editor, a terminal, or a browser without any sign of
    /// automation.
    pub fn is_persons_program(&self, record: &ProcessRecord) -> bool {
        self.is_persons(record, || Cow::Owned(Resolution::of(record)))
    }

    /// The same of a process that may be resolved already: `runs` is only called where its program is a tool.
    pub(crate) fn is_persons<'r>(
        &self,
        record: &ProcessRecord,
        runs: impl FnOnce() -> Cow<'r, Resolution>,
    ) -> bool {
        let names = names(record, runs);
        if names.iter().any(|name| is_one_of(&[PERSON.editors, PERSON.terminals], name)) {
            return true;
        }
        let Some(data) = self.data.filter(|data| names.iter().any(|name| is_browser(data, name))) else {
            return false;
        };
        let given: Vec<Word<'_>> = options(record).collect();
        let given = || given.iter().map(|word| &**word);
        record.argv.is_some()
            && !browser::is_driven(given())
            && !browser::is_part_of_one(given())
            && data.profile(given()).is_none()
    }

    /// A browser that programs drive, or a process that a browser started for itself. `runs` as in [`Catalog::is_persons`].
    pub(crate) fn is_of_an_automated_browser<'r>(
        &self,
        record: &ProcessRecord,
        runs: impl Fn() -> Cow<'r, Resolution>,
    ) -> bool {
        let named = |data| names(record, &runs).iter().any(|name| is_browser(data, name));
        record.argv.is_some() && self.data.is_some_and(named) && !self.is_persons(record, &runs)
    }

    /// A browser without a window: a program drives it.
    pub fn is_headless(&self, record: &ProcessRecord) -> bool {
        let is_it = |word: Word<'_>| matches!(word.split('=').next(), Some("--headless" | "-headless"));
        own_name(record).contains("headless") || options(record).any(is_it)
    }

    /// A process that is no launcher, whatever it runs and whatever pipes it holds: a person's session, or a tool that
    /// goes on with something else when one of its commands has ended.
    pub fn has_more_to_do(&self, record: &ProcessRecord, seen: &Resolution) -> bool {
        let name = own_name(record);
        PERSON.goes_on.contains(&name) || self.is_session(record, seen)
    }

    /// A terminal multiplexer: what runs in it, and what is attached to it, is a person's.
    pub fn is_multiplexer(&self, record: &ProcessRecord) -> bool {
        PERSON.multiplexers.contains(&own_name(record))
    }

    /// A tool that people and programs use for other work, whatever started it: build tools, version control, editors,
    /// shells, databases, web servers, compilers, media; or a runner that runs nothing (`npm install`, `uv sync`). The
    /// environment of a client alone makes no server of it.
    pub fn is_known_tool(&self, record: &ProcessRecord) -> bool {
        let Some(data) = self.data else { return false };
        let name = own_name(record);
        let name = name.trim_start_matches('-');
        if is_browser(data, name)
            || is_one_of(&[PERSON.desktop], name)
            || self.is_multiplexer(record)
            || self.is_persons_program(record)
        {
            return true;
        }
        if hands_on(name) {
            return false;
        }
        let seen = program::resolve(record.argv.as_ref(), record.details.exe.as_ref(), &record.comm);
        let Some(program) = &seen.program else { return !seen.opaque };
        let given = seen.opaque || !seen.line.is_empty() || program.text.contains('/');
        let launcher = data.known.contains(name) || PERSON.sessions.contains(name);
        let own = seen.layers.is_empty() && data.tool_names.contains(name);
        own || launcher && !given || data.is_tool(program)
    }

    /// Runs a project's own build or tests, whatever its environment says: `npm run build`, `bash -c "cd x && cargo test"`.
    pub(crate) fn is_development(&self, record: &ProcessRecord) -> bool {
        !hands_on(&own_name(record))
            && self.data.is_some_and(|data| data.is_development(&Resolution::of(record)))
    }

    /// A shell that runs no command line and no script, a multiplexer, a login: a person's session.
    pub fn is_session(&self, record: &ProcessRecord, seen: &Resolution) -> bool {
        let name = own_name(record);
        let known = PERSON.sessions.contains(name.trim_start_matches('-'));
        known && !seen.opaque && (seen.layers.is_empty() || seen.program.is_none())
    }
}

/// In the pipeline of a launcher these hand on what its server writes.
fn hands_on(name: &str) -> bool {
    matches!(name, "cat" | "tee")
}

/// The arguments of a program, each by itself; of one that rewrote its title they are in one text, behind its name.
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

/// The name of the program itself, not of what it runs.
fn own_name(record: &ProcessRecord) -> String {
    let argv = record.argv.as_ref();
    let first = argv.and_then(|argv| argv.first()).map(to_text).unwrap_or_default();
    // A program that rewrote its title has all its words in one; a Mac's programs have spaces in their paths.
    let title = !first.contains(".app/");
    let path = if title { first.split(' ').next().unwrap_or_default() } else { &*first };
    let name = program::base(path).trim_end_matches(':').to_owned();
    if name.is_empty() { record.comm.to_string() } else { name }
}

/// The name of the program itself, and that of the script or module that is one: many programs of a desktop are a script
/// for Python or a shell (`/usr/bin/python3 /usr/bin/terminator`). A file with an extension is somebody's own:
/// `idea.py` is no IDE.
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

/// Is this, or what is left of it without the marks of a build (`firefox.real`, `vivaldi-bin`, `emacs-29.1`), in a list?
fn is_one_of(lists: &[List], name: &str) -> bool {
    let listed = |name: &str| lists.iter().any(|list| list.contains(name));
    let has_capitals = |name: &str| name.bytes().any(|byte| byte.is_ascii_uppercase());
    builds_of(name).any(|name| listed(name) || has_capitals(name) && listed(&name.to_ascii_lowercase()))
}

fn is_browser(data: &Data, name: &str) -> bool {
    is_one_of(&[PERSON.browsers], name) || builds_of(name).any(|name| data.is_browser(name))
}

/// A name, and what it is without one mark after another of a build or a version.
fn builds_of(name: &str) -> impl Iterator<Item = &str> {
    // Nix keeps the program behind its wrapper as .firefox-wrapped.
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
mod tests {
    use super::*;
    use crate::bytes::Argv;
    use crate::process::{Pid, StartTime};

    fn record(line: &str) -> ProcessRecord {
        let mut record = ProcessRecord::new(Pid(7), StartTime(1));
        record.argv = Some(line.split(' ').collect::<Argv>());
        record
    }

    #[test]
    fn editors_and_browsers_without_automation_are_the_persons() {
        let catalog = Catalog::builtin();
        for line in [
            "/opt/google/chrome/chrome",
            "/opt/google/chrome/chrome https://example.com/",
            "/usr/lib/firefox/firefox -P work",
            "/usr/bin/xterm -e vim /srv/notes.md",
            "kitty",
            "vim /srv/notes.md",
            "/usr/bin/nvim",
            "/usr/share/code/code /srv",
        ] {
            assert!(catalog.is_persons_program(&record(line)), "{line}");
        }
        for line in [
            "/opt/google/chrome/chrome --headless=new",
            "/opt/google/chrome/chrome --remote-debugging-port=9222 about:blank",
            "/opt/google/chrome/chrome --remote-debugging-pipe",
            "/opt/google/chrome/chrome --type=renderer --enable-crashpad",
            "/opt/google/chrome/chrome --user-data-dir=/tmp/puppeteer_dev_chrome_profile-x",
            "/opt/google/chrome/chrome --user-data-dir=/home/u/.cache/ms-playwright/mcp-chrome-3f2a",
            "/usr/lib/firefox/firefox -juggler-pipe -profile /tmp/playwright_firefoxdev_profile-x",
            "node /srv/vim/server.js",
            "sleep 5",
        ] {
            assert!(!catalog.is_persons_program(&record(line)), "{line}");
            let record = record(line);
            let automated =
                catalog.is_of_an_automated_browser(&record, || Cow::Owned(Resolution::of(&record)));
            assert_eq!(automated, line.contains("chrome") || line.contains("firefox"), "{line}");
        }
    }

    #[test]
    fn a_tool_is_known_by_its_own_name_or_by_what_it_resolves_to() {
        let catalog = Catalog::builtin();
        for line in [
            "make x",
            "/usr/bin/make -C /srv all",
            "cargo x",
            "rsync -a x y",
            "ffmpeg -i x",
            "gcc x.c",
            "pg_dump x",
            "ssh host",
            "git fetch",
            "nginx -g x",
            "nginx: worker process",
            "docker x",
            "vim x",
            "less x",
            "bash x",
            "-bash",
            "python3 -m pytest x",
            "npx webpack",
            "node /srv/x/node_modules/.bin/vite",
            "npm install x",
            "uv sync",
            "bash -c git",
        ] {
            assert!(catalog.is_known_tool(&record(line)), "{line}");
        }
        for line in [
            "node /srv/notes/index.js",
            "python3 /srv/notes/make.py",
            "npx -y notes",
            "uvx notes",
            "/opt/notes/notes",
            // What a client is given to start, and what is in its pipeline.
            "bash /srv/notes/start.sh",
            "tee /srv/notes/log",
            "timeout 9 node /srv/notes/index.js",
        ] {
            assert!(!catalog.is_known_tool(&record(line)), "{line}");
        }
    }

    #[test]
    fn a_shell_with_a_command_or_a_script_is_no_session() {
        let session = |line| {
            let record = record(line);
            Catalog::builtin().is_session(&record, &Resolution::of(&record))
        };
        for line in [
            "-bash",
            "zsh",
            "/bin/bash -i",
            "bash -l",
            "tmux new -s x",
            "tmux: server (/tmp/tmux-0/default)",
            "sshd: u@pts/0",
        ] {
            assert!(session(line), "{line}");
        }
        for line in ["bash start.sh", "sh -c mcp-server-git", "bash -lc npx", "node x.js", "tmuxinator"] {
            assert!(!session(line), "{line}");
        }
    }
}
