//! npx, npm, pnpm and yarn: a package that is fetched and started, or a script of the project's.

use super::names::base;
use super::options::{self, Grammar, Parsed};
use super::resolve::Resolver;
use super::{Program, Word, stem};
use crate::list::{List, list};

// npm help npx; the folder options count for `npm --prefix D start` too.
const NPM: Grammar = Grammar::clustered(list!(
    "--add-source --cache --call --configfile --loglevel --node-options --package --prefix --registry
    --script-shell --shell --source --userconfig --version --workspace -C -c -p -w"
));
// pnpm help dlx, yarn help dlx.
const PNPM: Grammar =
    Grammar::clustered(list!("--allow-build --cwd --dir --filter --package --reporter -C -F -p"));
/// Options that say which project: its folder, or its name in a workspace.
const PROJECT: List = list!("--cwd --dir --filter --prefix --workspace -C -F -w");

impl Resolver {
    /// npx and its like: `-p` packages and a bin, or one package.
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
        match packages.is_empty() {
            true => self.packaged(&[what], None, args),
            false => self.packaged(&packages, Some(what), args),
        }
    }

    pub(super) fn npm(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let before = self.options(words, NPM, PROJECT);
        let (verb, rest) = before.rest.split_first()?;
        match &**verb {
            "exec" | "x" => self.npx(rest),
            "run" | "run-script" | "rum" | "urn" => self.task(rest),
            "start" | "restart" => {
                self.options(rest, NPM, PROJECT);
                Some(Program::task("start", self.dir.as_deref(), rest))
            }
            _ => None,
        }
    }

    /// The script of a package.json: `run [options] name args`, the folder before or behind it.
    fn task(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed = self.options(words, NPM, PROJECT);
        let (task, args) = parsed.rest.split_first()?;
        self.options(args, NPM, PROJECT);
        Some(Program::task(task, self.dir.as_deref(), args))
    }

    pub(super) fn pnpm(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let before = self.options(words, PNPM, PROJECT);
        let (verb, rest) = before.rest.split_first()?;
        match &**verb {
            "dlx" | "exec" | "x" => self.dlx(&before, rest),
            "run" => self.task(rest),
            "start" => Some(Program::task("start", self.dir.as_deref(), rest)),
            _ => None,
        }
    }

    pub(super) fn yarn(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let before = self.options(words, PNPM, PROJECT);
        let (verb, rest) = before.rest.split_first()?;
        match &**verb {
            "dlx" | "exec" => self.dlx(&before, rest),
            "run" => self.task(rest),
            "start" => Some(Program::task("start", self.dir.as_deref(), rest)),
            "node" => self.node(rest),
            _ => None,
        }
    }

    /// `--package` may stand before the verb or behind it.
    fn dlx(&mut self, before: &Parsed<'_>, words: &[Word<'_>]) -> Option<Program> {
        let parsed = options::parse(words, PNPM);
        let packages: Vec<&str> =
            before.values(&["-p", "--package"]).chain(parsed.values(&["-p", "--package"])).collect();
        let (what, args) = parsed.rest.split_first()?;
        if packages.is_empty() {
            self.packaged(&[what], None, args)
        } else {
            self.packaged(&packages, Some(what), args)
        }
    }
}
