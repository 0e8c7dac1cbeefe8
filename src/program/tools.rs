//! The programs that stand before a program: what each kind does with its words.

use super::names::{base, stem};
use super::options::Grammar;
use super::table::TOOLS;
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
    /// Words such as `A=b` may stand before the command.
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

/// The known program behind a file name, and its plain name. Versions do not matter
/// (`python3.12`, `node22`, `yarn-4.1.0.cjs`), nor a login shell's dash.
pub(super) fn find(file: &str) -> Option<(&'static str, Tool)> {
    let name = stem(file.strip_prefix('-').unwrap_or(file));
    let exact = |name: &str| {
        TOOLS.binary_search_by(|(known, _)| (*known).cmp(name)).ok().and_then(|at| TOOLS.get(at)).copied()
    };
    exact(name).or_else(|| {
        let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | 't'));
        // What was trimmed begins so; "t" alone is a part of the name.
        if name.as_bytes().get(plain.len()).is_some_and(|b| b.is_ascii_digit() || *b == b'-') {
            return exact(plain);
        }
        // A framework build of Python calls itself Python; a placeholder for it ends so.
        (name == "Python" || name.ends_with("-python") && !name.contains('/'))
            .then(|| exact("python"))
            .flatten()
    })
}

/// Whether a path or name is one of them.
pub(crate) fn is_tool(path: &str) -> bool {
    find(base(path)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_for_its_search() {
        assert!(TOOLS.windows(2).all(|pair| pair[0].0 < pair[1].0), "out of order or twice");
    }

    #[test]
    fn a_tool_is_known_under_its_versioned_names() {
        for (file, tool) in [
            ("python3.12", Some("python")),
            ("python3", Some("python")),
            ("python3.13t", Some("python")),
            ("Python", Some("python")),
            ("node22", Some("node")),
            ("yarn-4.1.0.cjs", Some("yarn")),
            ("npx-cli.js", Some("npx-cli")),
            ("bun.exe", Some("bun")),
            ("-bash", Some("bash")),
            ("nodeenv", None),
            ("pythonista", None),
            ("mcp-server", None),
            ("", None),
        ] {
            assert_eq!(find(file).map(|(name, _)| name), tool, "{file}");
        }
    }
}
