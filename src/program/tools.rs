//! The programs that come before a program: what each kind does with its words.

use super::LayerKind;
use super::options::Grammar;
use crate::list::List;

/// A program that passes on to the words behind its own.
#[derive(Debug)]
pub(super) struct Passer {
    /// Options that take the next word.
    pub valued: List,
    /// Options that take the next two: `bwrap --bind SRC DEST`.
    pub pairs: List,
    /// Its options are words of their own: `-arch` is not `-a -r -c -h`.
    pub long: bool,
    /// One of these must come first: `exec` in `direnv exec DIR CMD`. None at all: nothing must.
    pub verbs: List,
    /// The verb may be left out.
    pub verb_optional: bool,
    /// Words between the options and the command (`timeout 5 cmd` has one).
    pub skip: usize,
    /// The command comes only after `--`; without it nothing is known to run.
    pub dashes: bool,
    /// Words such as `A=b` may come before the command.
    pub assigns: bool,
    /// It passes words on only with one of these options; none: always.
    pub only_with: List,
    /// Options whose value is a whole command line for a shell.
    pub command: List,
    /// So is the last word: `sops exec-env secrets.yaml 'npx -y x'`.
    pub line: bool,
}

impl Passer {
    pub(super) fn grammar(&self) -> Grammar {
        Grammar { valued: self.valued, pairs: self.pairs, clusters: !self.long }
    }
}

/// What a known program does with the words behind it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tool {
    Node,
    Python,
    Bun,
    Bunx,
    Deno,
    Java,
    Dotnet,
    /// Runs a script file; the string is the option that takes code, the rest options with values.
    Plain(List, List),
    /// tsx, ts-node and the like: a script, run by a child.
    TsRunner,
    Nodemon,
    /// uvicorn and the like: `module:app`.
    Asgi,
    Npx,
    Npm,
    Pnpm,
    Yarn,
    Uv,
    Uvx,
    Pipx,
    Container,
    Shell,
    Go,
    Cargo,
    Dart,
    Swift,
    Make,
    Nix,
    Jbang,
    Cmd,
    Env,
    Elixir,
    /// A task of a project: `mix x.mcp`.
    Mix,
    Flatpak,
    Proto,
    Passer(&'static Passer),
}

impl Tool {
    /// How it stands to the program that it runs.
    pub(super) fn layer(self) -> LayerKind {
        match self {
            Tool::Shell | Tool::Cmd => LayerKind::Shell,
            Tool::Passer(_) | Tool::Nodemon | Tool::Env | Tool::Flatpak | Tool::Proto => LayerKind::Passer,
            Tool::Node
            | Tool::Python
            | Tool::Deno
            | Tool::Java
            | Tool::Plain(..)
            | Tool::Asgi
            | Tool::Dart
            | Tool::Bun
            | Tool::Elixir
            | Tool::Mix
            | Tool::Dotnet => LayerKind::Interpreter,
            _ => LayerKind::Runner,
        }
    }
}
