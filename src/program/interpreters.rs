//! node, python, java and the like: which of their words is the program.

use super::names::{base, folder_of_script, looks_like_file, tidy};
use super::options::{self, Grammar};
use super::peel::Peeler;
use super::{LayerKind, Program, Word, stem, tools};

// node --help; -e, -p and -pe take code, `--run` a task.
const NODE: Grammar = Grammar::long(&[
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "-C",
    "--conditions",
    "-e",
    "--eval",
    "-p",
    "--print",
    "-pe",
    "--inspect-port",
    "--icu-data-dir",
    "--openssl-config",
    "--watch-path",
    "--env-file",
    "--env-file-if-exists",
    "--max-old-space-size",
    "--stack-trace-limit",
    "--title",
    "--input-type",
    "--run",
    "--test-reporter",
    "--redirect-warnings",
    "--diagnostic-dir",
    "--report-dir",
    "--tls-cipher-list",
    "--unhandled-rejections",
    "--trace-event-categories",
    "--dns-result-order",
    "--localstorage-file",
]);
// tsx --help, ts-node --help: their own, and node's before the script.
const TS: Grammar = Grammar::long(&[
    "-r",
    "--require",
    "--import",
    "--loader",
    "-e",
    "--eval",
    "-p",
    "--print",
    "-P",
    "--project",
    "--tsconfig",
    "--env-file",
    "--cwd",
    "-O",
    "--compilerOptions",
    "-C",
    "--compiler",
    "--ignore",
    "-I",
    "--include",
    "--exclude",
    "--conditions",
    "-c",
    "--config",
]);
// java(1): the options that take the next word.
const JAVA: Grammar = Grammar::long(&[
    "-cp",
    "-classpath",
    "--class-path",
    "-p",
    "--module-path",
    "--upgrade-module-path",
    "--add-modules",
    "--add-opens",
    "--add-exports",
    "--add-reads",
    "--limit-modules",
    "--patch-module",
    "--enable-native-access",
    "-jar",
    "-m",
    "--module",
    "--source",
]);

impl Peeler {
    pub(super) fn node(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed = options::parse(words, NODE);
        if parsed.has(&["-e", "--eval", "-p", "--print", "-pe"]) {
            return Some(Program::inline(parsed.rest));
        }
        // A test run, a syntax check: the file is their material.
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
            // A bare word that is no file: a title in its short form, "node notes-mcp".
            word if !looks_like_file(word) && tools::find(word).is_none() => {
                Some(Program::script(word, self.dir.as_deref(), args))
            }
            word => self.file(word, args),
        }
    }

    pub(super) fn python(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let mut at = 0;
        while let Some(word) = words.get(at).map(|word| &**word) {
            at += 1;
            let rest = words.get(at..).unwrap_or_default();
            let Some(flags) = word.strip_prefix('-').filter(|flags| !flags.is_empty()) else {
                return if word == "-" { None } else { self.file(word, rest) };
            };
            if let Some(long) = flags.strip_prefix('-') {
                at += usize::from(long == "check-hash-based-pycs");
                continue;
            }
            // Flags join (-um, -Im); the first of m, c, W, X takes what is left of the word or the next.
            let Some((taking, value)) = flags
                .char_indices()
                .find(|(_, c)| matches!(c, 'm' | 'c' | 'W' | 'X'))
                .map(|(i, c)| (c, &flags[i + 1..]))
            else {
                continue;
            };
            let (value, rest) = match (value, rest.split_first()) {
                ("", Some((next, rest))) => (&**next, rest),
                (value, _) => (value, rest),
            };
            match taking {
                'm' => return self.module(value, rest),
                'c' => return Some(Program::inline(rest)),
                _ => at = words.len() - rest.len(),
            }
        }
        None
    }

    /// `python -m x`: a program, or one that runs another.
    fn module(&mut self, name: &str, args: &[Word<'_>]) -> Option<Program> {
        match name {
            "debugpy" => {
                let parsed =
                    options::parse(args, Grammar::long(&["--listen", "--connect", "--log-to", "--pid"]));
                self.python(parsed.rest).filter(|_| !parsed.has(&["--pid"]))
            }
            "coverage" | "pdb" | "cProfile" | "trace" | "pytest" | "unittest" => {
                Some(Program::module(name, args))
            }
            _ => match tools::find(name) {
                Some((_, tools::Tool::Uv | tools::Tool::Uvx | tools::Tool::Pipx | tools::Tool::Asgi)) => {
                    let words: Vec<Word<'_>> =
                        std::iter::once(Word::from(name)).chain(args.iter().cloned()).collect();
                    self.peel(&words)
                }
                _ => Some(Program::module(name, args)),
            },
        }
    }

    /// `uvicorn notes.main:app`: the module behind the options is what runs.
    pub(super) fn asgi(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(&[
            "--host",
            "--port",
            "-p",
            "--uds",
            "--fd",
            "--reload-dir",
            "--workers",
            "-w",
            "--env-file",
            "--log-config",
            "--log-level",
            "--app-dir",
            "-b",
            "--bind",
            "-k",
            "--worker-class",
            "-c",
            "--config",
            "-t",
            "--timeout",
            "--root-path",
            "--loop",
            "--http",
            "--factory-dir",
        ]);
        let parsed = options::parse(words, VALUED);
        let (app, args) = parsed.rest.split_first()?;
        Some(Program::module(app, args))
    }

    pub(super) fn deno(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(&[
            "-c",
            "--config",
            "--import-map",
            "--lock",
            "--cert",
            "--seed",
            "--location",
            "-L",
            "--log-level",
            "--env-file",
            "--port",
            "--host",
            "--cwd",
            "--v8-flags",
        ]);
        let before = options::parse(words, VALUED);
        let (verb, rest) = before.rest.split_first()?;
        let parsed = match &**verb {
            "run" | "serve" | "x" => self.options(rest, VALUED, &["--cwd"]),
            "task" => {
                let parsed = self.options(rest, VALUED, &["--cwd"]);
                let (task, args) = parsed.rest.split_first()?;
                self.through("deno task", LayerKind::Runner);
                return Some(Program::task(task, self.dir.as_deref(), args));
            }
            "eval" => return Some(Program::inline(rest.get(1..).unwrap_or_default())),
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

    pub(super) fn java(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed = options::parse(words, JAVA);
        if let Some(jar) = parsed.value(&["-jar"]) {
            let mut program = Program::script(jar, self.dir.as_deref(), parsed.rest);
            // notes-mcp-0.1.0-all.jar goes by notes-mcp.
            let stem = stem(base(jar));
            let version = stem
                .char_indices()
                .zip(stem.chars().skip(1))
                .find(|((_, c), next)| *c == '-' && next.is_ascii_digit());
            if let Some(((at, _), _)) = version {
                program.names.insert(0, stem[..at].to_owned());
            }
            return Some(program);
        }
        match parsed.value(&["-m", "--module"]) {
            Some(module) => Some(Program::module(module.split('/').next().unwrap_or(module), parsed.rest)),
            None => {
                let (class, args) = parsed.rest.split_first()?;
                if stem(base(class)) != &**class {
                    self.file(class, args)
                } else {
                    Some(Program::module(class, args))
                }
            }
        }
    }

    pub(super) fn dotnet(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(&[
            "--project",
            "-p",
            "-c",
            "--configuration",
            "-f",
            "--framework",
            "-r",
            "--runtime",
            "--launch-profile",
            "-v",
            "--verbosity",
            "-a",
            "--arch",
            "--depsfile",
            "--runtimeconfig",
            "--additionalprobingpath",
            "--fx-version",
            "--roll-forward",
        ]);
        let before = options::parse(words, VALUED);
        let (verb, rest) = before.rest.split_first()?;
        match &**verb {
            "run" | "watch" => {
                self.through("dotnet run", LayerKind::Runner);
                let rest = if rest.first().is_some_and(|word| verb == "watch" && word == "run") {
                    rest.get(1..)?
                } else {
                    rest
                };
                // Without `--`, words that are no options of it go to the program too.
                let parsed = options::parse(rest, VALUED);
                let project = parsed.value(&["--project", "-p"]).or(before.value(&["--project"]))?;
                let project = tidy(project);
                let name = base(&project);
                let name = name.strip_suffix(".csproj").or(name.strip_suffix(".fsproj")).unwrap_or(name);
                let mut program = Program::binary(name, parsed.rest);
                program.folder = folder_of_script(&format!("{project}/main")).map(str::to_owned);
                Some(program)
            }
            "exec" => self.file(rest.first()?, rest.get(1..)?),
            "tool" => match rest.first().map(|word| &**word) {
                Some("run" | "exec") => {
                    self.through("dotnet tool", LayerKind::Runner);
                    self.packaged(&[], Some(rest.get(1)?), rest.get(2..)?)
                }
                _ => None,
            },
            file if file.ends_with(".dll") || file.ends_with(".exe") => self.file(file, rest),
            file if file.ends_with(".cs") => {
                self.through("dotnet run", LayerKind::Runner);
                self.file(file, rest)
            }
            _ => None,
        }
    }

    /// ruby, perl, php, lua: options, then a script; code is inline.
    pub(super) fn plain(
        &mut self,
        words: &[Word<'_>],
        code: &[&str],
        valued: &'static [&'static str],
    ) -> Option<Program> {
        let parsed = options::parse(words, Grammar::long(valued));
        if let Some(at) = parsed.options.iter().position(|(key, _)| code.contains(key)) {
            let _ = at;
            // The code is the first word that is left, as it is not among the valued options.
            return Some(Program::inline(parsed.rest.get(1..).unwrap_or_default()));
        }
        if let Some(file) = parsed.value(&["-f"]) {
            return self.file(file, parsed.rest);
        }
        let (script, args) = parsed.rest.split_first()?;
        self.file(script, args)
    }

    /// tsx, ts-node, vite-node: a child runs the script.
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
        let (script, args) = parsed.rest.split_first()?;
        self.file(script, args)
    }

    /// `nodemon --exec "tsx src/x.ts"`, `nodemon -w src dist/x.js`.
    pub(super) fn nodemon(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(&[
            "-x", "--exec", "-w", "--watch", "-e", "--ext", "-i", "--ignore", "-d", "--delay", "-s",
            "--signal", "-C", "--cwd", "--config",
        ]);
        let parsed = self.options(words, VALUED, &["--cwd"]);
        if let Some(line) = parsed.value(&["-x", "--exec"]) {
            let script: String = parsed.rest.first().map(|word| format!(" {word}")).unwrap_or_default();
            return self.command(&format!("{line}{script}"), &[]);
        }
        let (script, args) = parsed.rest.split_first()?;
        if stem(base(script)) == base(script) && !looks_like_file(script) {
            self.peel(parsed.rest)
        } else {
            self.file(script, args)
        }
    }
}
