//! Resolves npx, npm, pnpm and yarn to the package that they fetch and start, or to a script of the project.

use super::names::base;
use super::options::{self, Grammar, Parsed};
use super::resolve::Resolver;
use super::{Program, Word, stem};
use crate::word_list::{WordList, list};

// From `npm help npx`; the folder options are also those of `npm --prefix D start`.
const NPM: Grammar = Grammar::clustered(list!(
    "--add-source --cache --call --configfile --loglevel --node-options --package --prefix --registry
    --script-shell --shell --source --userconfig --version --workspace -C -c -p -w"
));
// pnpm help dlx, yarn help dlx.
const PNPM: Grammar =
    Grammar::clustered(list!("--allow-build --cwd --dir --filter --package --reporter -C -F -p"));
/// Options that name the project: its folder, or its name in a workspace.
const PROJECT: WordList = list!("--cwd --dir --filter --prefix --workspace -C -F -w");

/// What a verb of a package manager runs.
#[derive(Clone, Copy)]
enum Runs {
    /// A package, as npx does.
    Npx,
    /// A package, whose options may come before the verb.
    Dlx,
    /// The named script of the project.
    Task,
    /// The project's script `start`.
    Start,
    /// A file, by node.
    Node,
}

/// The verbs of npm, pnpm and yarn that run a program.
#[rustfmt::skip] // one verb, one line
const VERBS: &[(&str, WordList, Runs)] = &[
    ("npm", list!("exec x"), Runs::Npx),
    ("npm", list!("rum run run-script urn"), Runs::Task),
    ("npm", list!("restart start"), Runs::Start),
    ("pnpm", list!("dlx exec x"), Runs::Dlx),
    ("pnpm", list!("run"), Runs::Task),
    ("pnpm", list!("start"), Runs::Start),
    ("yarn", list!("dlx exec"), Runs::Dlx),
    ("yarn", list!("node"), Runs::Node),
    ("yarn", list!("run"), Runs::Task),
    ("yarn", list!("start"), Runs::Start),
];

impl Resolver {
    /// npx and the like: `-p` packages and a bin, or one package.
    pub(super) fn npx(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed = self.options(words, NPM, PROJECT);
        if let Some(line) = parsed.value(&["-c", "--call"]) {
            return self.command(line, &[]);
        }
        let packages: Vec<&str> = parsed.values(&["-p", "--package"]).collect();
        let Some((what, mut args)) = parsed.rest.split_first() else {
            return (!packages.is_empty()).then(|| Program::package(&packages, &[]));
        };
        // npm exec PKG -- ARGS
        if args.first().is_some_and(|word| word == "--") {
            args = args.get(1..)?;
        }
        if packages.is_empty() && what.starts_with(['.', '/']) && stem(base(what)) != base(what) {
            return self.file(what, args);
        }
        // npx -y node@22 script.js: a package that is itself an interpreter.
        self.packaged(&packages, what, args)
    }

    /// npm, pnpm and yarn: the verb decides what runs.
    pub(super) fn package_manager(&mut self, tool: &str, words: &[Word<'_>]) -> Option<Program> {
        let grammar = if tool.starts_with("npm") { NPM } else { PNPM };
        let before = self.options(words, grammar, PROJECT);
        let (verb, rest) = before.rest.split_first()?;
        let runs_verb =
            |(of, verbs, _): &&(&str, WordList, Runs)| tool.starts_with(of) && verbs.contains(verb);
        match VERBS.iter().find(runs_verb)?.2 {
            Runs::Npx => self.npx(rest),
            Runs::Dlx => self.dlx(&before, rest),
            Runs::Task => self.task(rest),
            Runs::Start => {
                self.options(rest, grammar, PROJECT);
                Some(Program::task("start", self.dir.as_deref(), rest))
            }
            Runs::Node => self.node(rest),
        }
    }

    /// A script of a package.json: `run [OPTIONS] NAME ARGS`. The folder may be named before or after the script.
    fn task(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed = self.options(words, NPM, PROJECT);
        let (task, args) = parsed.rest.split_first()?;
        self.options(args, NPM, PROJECT);
        Some(Program::task(task, self.dir.as_deref(), args))
    }

    /// `--package` may come before or after the verb.
    fn dlx(&mut self, before: &Parsed<'_>, words: &[Word<'_>]) -> Option<Program> {
        let parsed = options::parse(words, PNPM);
        let packages: Vec<&str> =
            before.values(&["-p", "--package"]).chain(parsed.values(&["-p", "--package"])).collect();
        let (what, args) = parsed.rest.split_first()?;
        self.packaged(&packages, what, args)
    }
}
