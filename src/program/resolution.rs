//! The result of resolving an argv: the program, the layers before it, and what a shell runs beside it.

use std::borrow::Cow;

/// One word of a command line. Borrowed from an argv, or owned where it was taken from a quoted string.
pub(crate) type Word<'a> = Cow<'a, str>;

/// The kind of a program.
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

/// The program that is left after all layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its kind.
    pub kind: Kind,
    /// As it was written: a path, a package with its version, an image with its tag.
    pub text: String,
    /// All its names, the fullest first: package with scope, package without scope, module, file
    /// stem, file name. Empty for inline code without a name.
    pub names: Vec<String>,
    /// Folders that may name the project, the innermost first, where the file has a name that many programs have
    /// (`dist/index.js`). At most three.
    pub folders: Vec<String>,
    /// The words that follow it.
    pub args: Vec<String>,
}

/// How a layer runs the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LayerKind {
    /// Runs it in its own process: node, python, java.
    Interpreter,
    /// Fetches or builds it, then starts it as a child: npx, uvx, docker run.
    Runner,
    /// A shell with `-c` or a script file.
    Shell,
    /// Runs the command in its last words: env, timeout, sudo, mise exec.
    Wrapper,
}

/// One layer before the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its plain name, such as `npx`.
    pub tool: String,
    /// How it runs the next layer or the program.
    pub kind: LayerKind,
}

/// The result of resolving an argv.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// The layers before the program, outermost first.
    pub layers: Vec<Layer>,
    /// The program; `None` where nothing is run (an interactive shell, `npm install`) or nothing
    /// is known.
    pub program: Option<Program>,
    /// A command runs, but it is not known which (`sh -c 'eval ...'`).
    pub opaque: bool,
    /// The commands that a shell's command line runs (`sh -c 'a & b'`), without builtins. Empty without such a line.
    /// `program` and `layers` are those of the first command that is known.
    pub line: Vec<LineCommand>,
    /// The line runs code that is not in it: `. file`, `eval "$(x)"`, `A=$(x)`. A child of the shell that is none of its
    /// commands may come from there.
    pub hidden_code: bool,
}

/// One command of a shell's command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineCommand {
    /// The layers before its program, the shell included.
    pub layers: Vec<Layer>,
    /// Its program, where that is known.
    pub program: Option<Program>,
    /// It is `eval` or the like, so its program is not known.
    pub opaque: bool,
    /// What the line runs beside and after it.
    pub beside: Beside,
}

/// What a shell's command line runs beside and after one of its commands. Later variants are stronger reasons to leave the
/// command alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Beside {
    /// Nothing but `exit $?`, `wait` and the like runs after it, and all that ran before it is over. The shell is only
    /// its launcher.
    #[default]
    Nothing,
    /// More commands run: `s & b`, `s; b`, `s | jq .`. Or the command is not on the shell's wire (`s < file`). The shell
    /// is an owner.
    More,
    /// More commands run, depending on its exit status: `s && b`, `s || b`, `set -e; s; b`, `s; [ $? = 0 ] && b`. Ending
    /// the command would prevent them, or start them.
    DependsOnStatus,
    /// The line was not understood, or the command is in a condition, a loop or a function.
    Unread,
}

impl Resolution {
    /// The name of the program that really runs.
    pub fn name(&self) -> Option<&str> {
        let program = self.program.as_ref()?;
        Some(program.names.first().unwrap_or(&program.text).as_str()).filter(|name| !name.is_empty())
    }

    /// What this shell runs beside one of its children, by its `-c` line. If the child is none of the line's commands, the
    /// answer is the strongest of all commands. `None` without such a line; script files are not read.
    ///
    /// Only [`Beside::Nothing`] makes the shell a launcher. With [`Beside::DependsOnStatus`] and [`Beside::Unread`] the
    /// child must be left alone too, because its end may prevent or start other commands.
    pub fn beside_child(&self, child: &Resolution) -> Option<Beside> {
        let names = child.program.as_ref().map(|program| program.names.as_slice()).unwrap_or_default();
        let is_child = |command: &&LineCommand| {
            let known = command.program.as_ref().map(|program| program.names.as_slice()).unwrap_or_default();
            names.iter().any(|name| known.contains(name))
        };
        self.line.iter().filter(is_child).map(|command| command.beside).max().or_else(|| self.beside())
    }

    /// The strongest [`Beside`] of all commands of a shell's line; `None` without such a line.
    pub fn beside(&self) -> Option<Beside> {
        let unknown = self.hidden_code || self.line.iter().any(|command| command.opaque);
        // No command was found in a shell's line.
        let unknown = (unknown || self.line.is_empty() && self.opaque).then_some(Beside::Unread);
        self.line.iter().map(|command| command.beside).chain(unknown).max()
    }

    /// Is it a script file that a shell runs? What else the script does is not known.
    pub fn runs_shell_script(&self) -> bool {
        let shell = self.layers.last().is_some_and(|layer| layer.kind == LayerKind::Shell);
        shell && self.program.as_ref().is_some_and(|program| program.kind == Kind::Script)
    }

    /// Does it run exactly one known program, or code on the command line?
    pub fn runs_one_program(&self) -> bool {
        let alone = self.line.iter().all(|command| !command.opaque && command.beside == Beside::Nothing);
        alone && self.line.len() <= 1 && !self.hidden_code && (self.name().is_some() || self.is_inline())
    }

    /// Is it code on the command line: `python3 -c`, `node -e`?
    pub fn is_inline(&self) -> bool {
        self.program.as_ref().is_some_and(|program| program.kind == Kind::Inline)
    }

    /// Does a layer other than an interpreter come before the program, so that this process is not the program itself?
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
