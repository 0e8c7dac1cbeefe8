//! The kinds of known programs that run other programs, and how each finds the other one among its words.

use super::LayerKind;
use super::options::Grammar;
use crate::word_list::WordList;

/// A program that runs the command after its own words.
#[derive(Debug)]
pub(super) struct Wrapper {
    /// Options that take the next word.
    pub valued: WordList,
    /// Options that take the next two words: `bwrap --bind SRC DEST`.
    pub pairs: WordList,
    /// Short options are not joined: `-arch` is not `-a -r -c -h`.
    pub long: bool,
    /// One of these must come first: `exec` in `direnv exec DIR CMD`. An empty list means that nothing must.
    pub verbs: WordList,
    /// The verb may be left out.
    pub verb_optional: bool,
    /// The number of words between the options and the command (`timeout 5 cmd` has one).
    pub skip: usize,
    /// The command comes only after `--`; without it no command is known.
    pub dashes: bool,
    /// Words such as `A=b` may come before the command.
    pub assigns: bool,
    /// It runs a command only with one of these options. An empty list means always.
    pub only_with: WordList,
    /// Options whose value is a whole command line for a shell.
    pub command: WordList,
    /// The last word is a command line for a shell: `sops exec-env secrets.yaml 'npx -y x'`.
    pub line: bool,
}

impl Wrapper {
    pub(super) fn grammar(&self) -> Grammar {
        Grammar { valued: self.valued, pairs: self.pairs, clusters: !self.long }
    }
}

/// How a known program finds the program that it runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tool {
    Node,
    Python,
    Bun,
    Bunx,
    Deno,
    Java,
    Dotnet,
    /// Runs a script file. The first list has the options that take code, the second all options with values.
    Plain(WordList, WordList),
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
    Wrapper(&'static Wrapper),
}

impl Tool {
    /// How it runs the other program.
    pub(super) fn layer(self) -> LayerKind {
        match self {
            Tool::Shell | Tool::Cmd => LayerKind::Shell,
            Tool::Wrapper(_) | Tool::Nodemon | Tool::Env | Tool::Flatpak | Tool::Proto => LayerKind::Wrapper,
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
