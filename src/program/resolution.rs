//! What an argv comes to: the program, what comes before it, and what a shell runs beside it.

use std::borrow::Cow;

/// One word of a command line. Borrowed where it is in an argv, owned where it was put
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

/// The program that is left behind all layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// What kind of thing it is.
    pub kind: Kind,
    /// As it was written: a path, a package with its version, an image with its tag.
    pub text: String,
    /// All its names, the fullest first: package with scope, package without, module, file
    /// stem, file name. Empty for inline code without a name.
    pub names: Vec<String>,
    /// The folders that may name the project, the innermost first, where the file has a name that
    /// is one of many (`dist/index.js`). At most three.
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

/// One thing that comes before the program.
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
    /// What comes before the program, outermost first.
    pub layers: Vec<Layer>,
    /// The program; `None` where nothing is run (an interactive shell, `npm install`) or nothing
    /// is known.
    pub program: Option<Program>,
    /// A command is run, though it is not known which (`sh -c 'eval ...'`).
    pub opaque: bool,
    /// The commands that a line for a shell runs (`sh -c 'a & b'`), builtins left out. Empty where
    /// the words hold no such line. `program` and `layers` are those of the first that is known.
    pub line: Vec<LineCommand>,
    /// The line runs code that is not in it: `. file`, `eval "$(x)"`, `A=$(x)`. A child that
    /// none of its commands names may come from there.
    pub hides: bool,
}

/// One command of a line for a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineCommand {
    /// What comes before its program, the shell among it.
    pub layers: Vec<Layer>,
    /// Its program, where that is known.
    pub program: Option<Program>,
    /// It is `eval` or the like.
    pub opaque: bool,
    /// What the line runs beside and after it.
    pub beside: Beside,
}

/// What a line for a shell runs beside and after one of its commands. Later ones are stronger reasons for
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
    /// The line was not understood, or the command is in a condition, a loop or a function.
    Unread,
}

impl Resolution {
    /// The name of the program that really runs, for rules of the person's own.
    pub fn name(&self) -> Option<&str> {
        let program = self.program.as_ref()?;
        Some(program.names.first().unwrap_or(&program.text).as_str()).filter(|name| !name.is_empty())
    }

    /// What this shell runs beside one of its children, by the line in its `-c`: the answer for the command of the
    /// line that the child is, or the worst of all where none is. `None` where this is no shell with such a line (what
    /// a script file runs is not read).
    ///
    /// Only [`Beside::Nothing`] makes the shell a launcher. Behind [`Beside::RunsIfItEndsWell`] and [`Beside::Unread`]
    /// the child must be left alone, too: its end would take away what follows.
    pub fn beside_child(&self, child: &Resolution) -> Option<Beside> {
        let names = child.program.as_ref().map(|program| program.names.as_slice()).unwrap_or_default();
        let is_child = |command: &&LineCommand| {
            let known = command.program.as_ref().map(|program| program.names.as_slice()).unwrap_or_default();
            names.iter().any(|name| known.contains(name))
        };
        self.line.iter().filter(is_child).map(|command| command.beside).max().or_else(|| self.beside())
    }

    /// What a line for a shell runs beside and after the program, at the worst of all its commands:
    /// for a line whose commands are not known. `None` where the words hold no such line.
    pub fn beside(&self) -> Option<Beside> {
        let unknown = self.hides || self.line.iter().any(|command| command.opaque);
        // A shell with a line in which nothing was found that runs.
        let unknown = (unknown || self.line.is_empty() && self.opaque).then_some(Beside::Unread);
        self.line.iter().map(|command| command.beside).chain(unknown).max()
    }

    /// A script file that a shell runs: what else it does, and will do, is in the file.
    pub fn runs_shell_script(&self) -> bool {
        let shell = self.layers.last().is_some_and(|layer| layer.kind == LayerKind::Shell);
        shell && self.program.as_ref().is_some_and(|program| program.kind == Kind::Script)
    }

    /// It runs one known program, or code that is on the command line; a line of several commands for a shell does not
    /// count.
    pub fn runs_one_program(&self) -> bool {
        let alone = self.line.iter().all(|command| !command.opaque && command.beside == Beside::Nothing);
        alone && self.line.len() <= 1 && !self.hides && (self.name().is_some() || self.is_inline())
    }

    /// Code on the command line: `python3 -c`, `node -e`.
    pub fn is_inline(&self) -> bool {
        self.program.as_ref().is_some_and(|program| program.kind == Kind::Inline)
    }

    /// True when something other than an interpreter comes before the program, so that this
    /// process is not the program itself.
    pub fn is_launched(&self) -> bool {
        self.layers.iter().any(|layer| layer.kind != LayerKind::Interpreter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Argv;
    use crate::process::{Pid, ProcessRecord, StartTime};

    #[test]
    fn one_program_or_code_on_the_command_line_is_one_thing_and_a_line_for_a_shell_not() {
        for (line, expected) in [
            (&["python3", "-c", "serve()"][..], true),
            (&["node", "-e", "serve()"], true),
            (&["/opt/notes/notes"], true),
            (&["sh", "-c", "exec notes"], true),
            (&["sh", "start.sh"], true),
            (&["bash", "-c", "notes; backup"], false),
            (&["bash", "-c", "eval $X"], false),
        ] {
            let mut record = ProcessRecord::new(Pid(7), StartTime(1));
            record.argv = Some(line.iter().copied().collect::<Argv>());
            assert_eq!(Resolution::of(&record).runs_one_program(), expected, "{line:?}");
        }
    }
}
