//! argv, exe and comm -> what really runs.
//!
//! An argv is peeled like an onion: an interpreter runs a script, a runner a package, a shell its
//! first command, a passer (`env`, `timeout`, `sudo`) the words behind its own options. What is
//! left is the program, and only its name counts. Words that are data to a program never come up.
//!
//! ```
//! use mcp_reap::bytes::{Argv, RawText};
//! use mcp_reap::program::resolve;
//! let argv = Argv::from(["sh", "-c", "cd /srv && npx -y @acme/notes-mcp@2 --fast"]);
//! let seen = resolve(Some(&argv), None, &RawText::from("sh"));
//! let program = seen.program.expect("a package");
//! assert_eq!(program.names[0], "@acme/notes-mcp");
//! assert_eq!(program.args, ["--fast"]);
//! assert_eq!(seen.layers.len(), 2, "a shell and a runner");
//! ```

mod containers;
mod forms;
mod interpreters;
mod javascript;
mod lines;
mod names;
mod options;
mod packages;
mod passers;
mod resolve;
mod runners;
mod sequence;
mod shell;
mod table;
mod title;
mod tools;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::bytes::{Argv, RawText};

pub(crate) use names::{base, is_tool_dir, serves, stem, tidy};
pub(crate) use title::head;
pub(crate) use tools::is_tool;

/// One word of a command line. Borrowed where it stands in an argv, owned where it was put
/// together from a quoted string.
pub(crate) type Word<'a> = Cow<'a, str>;

/// What kind of thing runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A package that a runner fetches and starts: `npx @acme/x`, `uvx x`, `deno run npm:x`.
    Package,
    /// A module by its dotted name: `python -m a.b`, `java ... a.b.Main`, `uvicorn a.b:app`.
    Module,
    /// A file that an interpreter or a shell runs.
    Script,
    /// A program of its own, or a console script in a bin folder.
    Binary,
    /// A container image.
    Image,
    /// Code on the command line; the name is the bare word that follows it, where there is one.
    Inline,
    /// A named task of a project: `npm run x`, `make x`.
    Task,
}

/// The program that is left when every layer is peeled off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// What kind of thing it is.
    pub kind: Kind,
    /// As it was written: a path, a package with its version, an image with its tag.
    pub text: String,
    /// Every name it goes by, the fullest first: package with scope, package without, module, file
    /// stem, file name. Empty for inline code without a name.
    pub names: Vec<String>,
    /// The folders that may name the project, the innermost first, where the file has a name that
    /// says nothing (`dist/index.js`). At most three.
    pub folders: Vec<String>,
    /// The words that follow it.
    pub args: Vec<String>,
}

/// How a layer stands to what is below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LayerKind {
    /// Becomes the program: node, python, java.
    Interpreter,
    /// Fetches or builds and then starts it as a child: npx, uvx, docker run.
    Runner,
    /// sh -c, or a script file of a shell.
    Shell,
    /// Passes on as it is: env, timeout, sudo, mise exec.
    Passer,
}

/// One thing that stands before the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its plain name, such as `npx`.
    pub tool: String,
    /// How it passes on.
    pub kind: LayerKind,
}

/// What an argv comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// What stands before the program, outermost first.
    pub layers: Vec<Layer>,
    /// The program; `None` where nothing is run (an interactive shell, `npm install`) or nothing
    /// can be told.
    pub program: Option<Program>,
    /// A command is run, though it cannot be told which (`sh -c 'eval ...'`).
    pub opaque: bool,
    /// The commands that a line for a shell runs (`sh -c 'a & b'`), builtins left out. Empty where
    /// the words hold no such line. `program` and `layers` are those of the first that is known.
    pub line: Vec<LineCommand>,
    /// The line runs code that does not stand in it: `. file`, `eval "$(x)"`, `A=$(x)`. A child that
    /// none of its commands names may come from there.
    pub hides: bool,
}

/// One command of a line for a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineCommand {
    /// What stands before its program, the shell among it.
    pub layers: Vec<Layer>,
    /// Its program, where that can be told.
    pub program: Option<Program>,
    /// It is `eval` or the like.
    pub opaque: bool,
    /// What the line runs beside and after it.
    pub beside: Beside,
}

/// What a line for a shell runs beside and after one of its commands. Later ones speak more for
/// leaving alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Beside {
    /// Nothing that goes on after it but `exit $?`, `wait` and the like, and only builtins and what is
    /// over came before it: the shell is nothing but its launcher.
    #[default]
    Nothing,
    /// More: `s & b`, `s; b`, `s | jq .`, or it is not on the wire of the shell (`s < file`). The shell
    /// is an owner of both.
    Runs,
    /// More, by how it ends: `s && b`, `s || b`, `set -e; s; b`, `s; [ $? = 0 ] && b`. Who ends it takes
    /// the rest away, or starts it.
    RunsIfItEndsWell,
    /// The line was not understood, or the command stands in a condition, a loop or a function.
    Unread,
}

impl Resolution {
    /// What a line for a shell runs beside and after the program, at the worst of all its commands:
    /// for a child that none of its commands names. `None` where the words hold no such line.
    #[must_use]
    pub fn beside(&self) -> Option<Beside> {
        let unknown = self.hides || self.line.iter().any(|command| command.opaque);
        // A shell with a line in which nothing was found that runs.
        let unknown = (unknown || self.line.is_empty() && self.opaque).then_some(Beside::Unread);
        self.line.iter().map(|command| command.beside).chain(unknown).max()
    }

    /// True when something other than an interpreter stands before the program, so that this
    /// process is not the program itself.
    #[must_use]
    pub fn is_launched(&self) -> bool {
        self.layers.iter().any(|layer| layer.kind != LayerKind::Interpreter)
    }
}

/// What really runs. Never fails: what cannot be told is a `Resolution` without a program.
///
/// An empty argv falls back to the executable, and to a comm that was not cut (shorter than the
/// kernel's 15 bytes, `TASK_COMM_LEN` in proc(5)).
#[must_use]
pub fn resolve(argv: Option<&Argv>, exe: Option<&RawText>, comm: &RawText) -> Resolution {
    let words = argv.map(|argv| title::words(argv, exe)).unwrap_or_default();
    if words.is_empty() {
        let name = match exe {
            Some(exe) if !exe.is_empty() => exe.to_text(),
            _ if !comm.is_empty() && comm.as_bytes().len() < 15 => comm.to_text(),
            _ => return Resolution::default(),
        };
        // An interpreter without its arguments says nothing about what it runs.
        let known = tools::find(base(&name)).is_some();
        return Resolution {
            program: (!known).then(|| Program::binary(&name, &[])),
            ..Resolution::default()
        };
    }
    resolve_words(&words)
}

/// The same, of words that are known already: a command line inside another.
pub(crate) fn resolve_words(words: &[Word<'_>]) -> Resolution {
    let mut resolver = resolve::Resolver::default();
    let program = resolver.resolve(words);
    Resolution {
        opaque: resolver.opaque && program.is_none(),
        layers: resolver.layers,
        program,
        line: resolver.line,
        hides: resolver.hides,
    }
}
