//! Resolves node, deno, bun, tsx and nodemon to the script, package or task that they run.

use super::names::looks_like_file;
use super::options::{self, Grammar};
use super::resolve::Resolver;
use super::{LayerKind, Program, Word};
use crate::word_list::list;

// node --help; -e, -p and -pe take code, `--run` a task.
const NODE: Grammar = Grammar::long(list!(
    "--conditions --diagnostic-dir --dns-result-order --env-file --env-file-if-exists --eval
    --experimental-loader --icu-data-dir --import --input-type --inspect-port --loader
    --localstorage-file --max-old-space-size --openssl-config --print --redirect-warnings
    --report-dir --require --run --stack-trace-limit --test-reporter --title --tls-cipher-list
    --trace-event-categories --unhandled-rejections --watch-path -C -e -p -pe -r"
));
// tsx --help, ts-node --help: their own, and node's before the script.
const TS: Grammar = Grammar::long(list!(
    "--compiler --compilerOptions --conditions --config --cwd --env-file --eval --exclude --ignore
    --import --include --loader --print --project --require --tsconfig -C -I -O -P -c -e -p -r"
));
impl Resolver {
    pub(super) fn node(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed = options::parse(words, NODE);
        if parsed.has(&["-e", "--eval", "-p", "--print", "-pe"]) {
            return Some(Program::inline(parsed.rest));
        }
        // A test run or a syntax check does not run the file as a program.
        if parsed.has(&["--test", "-c", "--check"]) {
            return None;
        }
        if let Some(task) = parsed.value(&["--run"]) {
            return Some(Program::task(task, None, parsed.rest));
        }
        let (script, args) = parsed.rest.split_first()?;
        if parsed.has(&["--watch"]) {
            self.through("node --watch", LayerKind::Runner);
        }
        match &**script {
            "inspect" => self.node(args),
            "-" => None,
            // A bare word may also come from a short title, "node notes-mcp".
            word => self.file(word, args),
        }
    }

    pub(super) fn deno(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(list!(
            "--cert --config --cwd --env-file --ext --host --import-map --location --lock --log-level
            --port --seed --v8-flags -L -c"
        ));
        let before = options::parse(words, VALUED);
        let (verb, rest) = before.rest.split_first()?;
        let parsed = match &**verb {
            "run" | "serve" | "x" => self.options(rest, VALUED, list!("--cwd")),
            "task" => {
                let parsed = self.options(rest, VALUED, list!("--cwd"));
                let (task, args) = parsed.rest.split_first()?;
                self.through("deno task", LayerKind::Runner);
                return Some(Program::task(task, self.dir.as_deref(), args));
            }
            // `deno eval [OPTIONS] CODE [ARGS]`
            "eval" => {
                let parsed = options::parse(rest, VALUED);
                return Some(Program::inline(parsed.rest.get(1..).unwrap_or_default()));
            }
            // `deno main.ts` is `deno run main.ts` since 2.0; other words are subcommands.
            word if looks_like_file(word) || word.contains(':') => before,
            _ => return None,
        };
        let (what, args) = parsed.rest.split_first()?;
        if what.starts_with("npm:") || what.starts_with("jsr:") || verb == "x" {
            return Some(Program::package(&[what], args));
        }
        if let Some((_, address)) = what.split_once("://").filter(|(scheme, _)| *scheme != "file") {
            return Some(Program::script(
                &format!("/{}", address.split(['?', '#']).next().unwrap_or(address)),
                None,
                args,
            ));
        }
        self.file(what, args)
    }

    pub(super) fn bun(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(list!(
            "--conditions --config --cwd --define --env-file --eval --filter --import --loader --port
            --preload --print --shell --tsconfig-override -F -c -d -e -l -p -r"
        ));
        let before = self.options(words, VALUED, list!("--cwd"));
        if before.has(&["-e", "--eval", "-p", "--print"]) {
            return Some(Program::inline(before.rest));
        }
        let (verb, rest) = before.rest.split_first()?;
        match &**verb {
            "x" => {
                self.through("bunx", LayerKind::Runner);
                self.npx(rest)
            }
            "run" => {
                let parsed = self.options(rest, VALUED, list!("--cwd"));
                let (what, args) = parsed.rest.split_first()?;
                if looks_like_file(what) {
                    return self.file(what, args);
                }
                self.through("bun run", LayerKind::Runner);
                Some(Program::task(what, self.dir.as_deref(), args))
            }
            file if looks_like_file(file) => self.file(file, rest),
            // `bun start` is short for `bun run start`; other bare words are bun's own.
            "start" => {
                self.through("bun run", LayerKind::Runner);
                Some(Program::task("start", self.dir.as_deref(), rest))
            }
            _ => None,
        }
    }

    /// tsx, ts-node and vite-node, which run the script in a child.
    pub(super) fn ts_runner(&mut self, words: &[Word<'_>]) -> Option<Program> {
        self.through("typescript", LayerKind::Runner);
        let words = match words.first().map(|word| &**word) {
            Some("watch") => words.get(1..)?,
            _ => words,
        };
        let parsed = options::parse(words, TS);
        if parsed.has(&["-e", "--eval", "-p", "--print"]) {
            return Some(Program::inline(parsed.rest));
        }
        if parsed.has(&["--test"]) {
            return None;
        }
        self.first_file(parsed.rest)
    }

    /// `nodemon --exec "tsx src/x.ts"`, `nodemon -w src dist/x.js`.
    pub(super) fn nodemon(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(list!(
            "--config --cwd --delay --exec --ext --ignore --signal --watch -C -d -e -i -s -w -x"
        ));
        let parsed = self.options(words, VALUED, list!("--cwd"));
        if let Some(line) = parsed.value(&["-x", "--exec"]) {
            let script: String = parsed.rest.first().map(|word| format!(" {word}")).unwrap_or_default();
            return self.command(&format!("{line}{script}"), &[]);
        }
        let (script, args) = parsed.rest.split_first()?;
        if looks_like_file(script) { self.file(script, args) } else { self.resolve(parsed.rest) }
    }
}
