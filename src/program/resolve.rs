//! Layer after layer: who passes on to whom.

use super::lines;
use super::names::{base, is_tool_dir, stem, tidy};
use super::options::{self, Grammar, Parsed};
use super::tools::{self, Passer, Tool};
use super::{Layer, LayerKind, LineCommand, Program, Word};
use crate::list::{List, list};

/// No real command line nests deeper; a hostile one must end.
const MAX_LAYERS: usize = 16;

/// The layers met so far, and where relative paths count from.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    pub layers: Vec<Layer>,
    /// From `uv --directory D`, `npm --prefix D` and the like.
    pub dir: Option<String>,
    /// A shell was given a command line.
    pub opaque: bool,
    /// The commands of that line.
    pub line: Vec<LineCommand>,
}

impl Resolver {
    /// The program that these words run.
    pub(super) fn resolve(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let (first, rest) = words.split_first()?;
        // An environment lies in its project: /srv/notes-mcp/.venv/bin/python server.py
        if let Some(at) = first.find("/.venv/bin/").or_else(|| first.find("/venv/bin/"))
            && self.dir.is_none()
        {
            self.dir = first.get(..at).map(str::to_owned);
        }
        match tools::find(base(first)) {
            Some((name, tool)) => self.run(name, tool, rest),
            // `./server` after a `cd` lies there.
            None => match self.dir.as_deref().filter(|_| first.starts_with("./")) {
                Some(dir) => Some(Program::binary(&tidy(&format!("{dir}/{first}")), rest)),
                None => Some(Program::binary(first, rest)),
            },
        }
    }

    /// Notes a layer; false when there are too many.
    pub(super) fn through(&mut self, tool: &str, kind: LayerKind) -> bool {
        self.layers.push(Layer { tool: tool.to_owned(), kind });
        self.layers.len() <= MAX_LAYERS
    }

    fn run(&mut self, name: &'static str, tool: Tool, words: &[Word<'_>]) -> Option<Program> {
        let kind = match tool {
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
        };
        if !self.through(name, kind) {
            return None;
        }
        match tool {
            Tool::Node => self.node(words),
            Tool::Python => self.python(words),
            Tool::Bun => self.bun(words),
            Tool::Bunx | Tool::Npx => self.npx(words),
            Tool::Deno => self.deno(words),
            Tool::Java => self.java(words),
            Tool::Dotnet => self.dotnet(words),
            Tool::Plain(code, valued) => self.plain(words, code, valued),
            Tool::TsRunner => self.ts_runner(words),
            Tool::Nodemon => self.nodemon(words),
            Tool::Asgi => self.asgi(words),
            Tool::Npm => self.npm(words),
            Tool::Pnpm => self.pnpm(words),
            Tool::Yarn => self.yarn(words),
            Tool::Uv => self.uv(words),
            Tool::Uvx => self.uvx(words),
            Tool::Pipx => self.pipx(words),
            Tool::Container => self.container(name, words),
            Tool::Shell => self.shell(words),
            Tool::Go => self.go(words),
            Tool::Cargo => self.cargo(words),
            Tool::Dart => self.dart(words),
            Tool::Swift => self.swift(words),
            Tool::Nix => self.nix(words),
            Tool::Jbang => self.jbang(words),
            // A target is built, whatever it is called; it has no name that could speak for it.
            Tool::Make => {
                let parsed = options::parse(words, Grammar::clustered(list!("-C -I -f -j -o")));
                let (task, args) = parsed.rest.split_first()?;
                Some(Program { names: Vec::new(), ..Program::task(task, None, args) })
            }
            // cmd /c npx -y x
            Tool::Cmd => {
                let at = words.iter().position(|word| word.eq_ignore_ascii_case("/c"))?;
                self.resolve(words.get(at + 1..)?)
            }
            Tool::Env => self.env(words),
            Tool::Elixir => self.elixir(words),
            Tool::Flatpak => self.flatpak(words),
            Tool::Proto => self.proto(words),
            Tool::Mix => {
                let (task, args) = words.split_first()?;
                Some(Program::task(task, None, args))
            }
            Tool::Passer(passer) => self.pass(name, passer, words),
        }
    }

    /// A passer: past its verb, options, own words and assignments to the command.
    fn pass(&mut self, name: &str, passer: &Passer, words: &[Word<'_>]) -> Option<Program> {
        const FOLDER: List = list!("--cd --chdir --cwd --directory --working-directory -C");
        let mut words = words;
        if !passer.verbs.is_empty() {
            let before = options::parse(words, passer.grammar());
            match before.rest.split_first() {
                Some((verb, rest)) if passer.verbs.contains(verb) && !before.dashes => {
                    before
                        .options
                        .iter()
                        .filter(|(key, _)| FOLDER.contains(key))
                        .for_each(|(_, dir)| self.enter(dir));
                    words = rest;
                }
                _ if passer.verb_optional => {}
                // Another of its verbs: it passes on nothing and is itself what runs (`mise mcp`).
                _ => {
                    self.layers.pop();
                    return Some(Program::binary(name, words));
                }
            }
        }
        let parsed = options::parse(words, passer.grammar());
        for (key, value) in &parsed.options {
            // env -C D, poetry -C D, conda run --cwd D
            if FOLDER.contains(key) {
                self.enter(value);
            }
            if passer.command.contains(key) && !value.is_empty() {
                return self.command(value, &[]);
            }
        }
        // An option that is not among the valued ones may stand among other words, and its word
        // follows. Behind `--` options are those of the program that is passed on to.
        let mut own = words.iter().take_while(|word| &***word != "--").map(|word| &**word);
        let apart = |word: &str| passer.command.contains(word) && !passer.valued.contains(word);
        if let Some(at) = own.position(apart)
            && let Some(line) = words.get(at + 1)
        {
            return self.command(line, words.get(at + 2..).unwrap_or_default());
        }
        if !passer.only_with.is_empty()
            && !parsed.options.iter().any(|(key, _)| passer.only_with.contains(key))
        {
            return None;
        }
        let mut rest = parsed.rest;
        if !passer.dashes {
            rest = rest.get(passer.skip..)?;
        } else if !parsed.dashes {
            rest = rest.get(rest.iter().position(|word| word == "--")?..)?;
        }
        if rest.first().is_some_and(|word| word == "--") {
            rest = rest.get(1..)?;
        }
        if let (true, [line]) = (passer.line, rest) {
            return self.command(line, &[]);
        }
        self.resolve(if passer.assigns { past_assignments(rest) } else { rest })
    }

    /// `env [-i] [A=b] CMD`, and `env -S 'CMD ARG' ARG`, whose string is cut up in its place
    /// (env(1), "-S/--split-string").
    fn env(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const ENV: Grammar = Grammar::clustered(list!("--chdir --split-string --unset -C -S -u"));
        let own = options::parse(words, ENV);
        let is_split = |(key, _): &&(&str, &str)| matches!(*key, "-S" | "--split-string");
        let Some((_, text)) = own.options.iter().find(is_split) else {
            own.options
                .iter()
                .filter(|(key, _)| key.ends_with(['C', 'r']))
                .for_each(|(_, dir)| self.enter(dir));
            return self.resolve(past_assignments(own.rest));
        };
        let at = words.iter().position(|word| word.ends_with(text) && !text.is_empty())?;
        let line = lines::read(text).commands.into_iter().flat_map(|simple| simple.words).map(Word::from);
        let all: Vec<Word<'_>> = line.chain(words.get(at + 1..)?.iter().cloned()).collect();
        self.resolve(past_assignments(options::parse(&all, ENV).rest))
    }

    /// `elixir -S mix x.mcp`, `elixir x.exs`.
    fn elixir(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed =
            options::parse(words, Grammar::long(list!("--cookie --erl --name --sname -S -e -pa -pz -r")));
        match parsed.value(&["-S"]) {
            Some(name) => {
                let words: Vec<Word<'_>> =
                    std::iter::once(Word::from(name)).chain(parsed.rest.iter().cloned()).collect();
                self.resolve(&words)
            }
            None if parsed.has(&["-e"]) => Some(Program::inline(parsed.rest)),
            None => {
                let (script, args) = parsed.rest.split_first()?;
                self.file(script, args)
            }
        }
    }

    /// `flatpak run [--command=CMD] APP ARGS`.
    fn flatpak(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(list!("--arch --branch --command --cwd --runtime"));
        let before = options::parse(words, VALUED);
        let (verb, rest) = before.rest.split_first()?;
        let parsed = options::parse(rest, VALUED);
        let (app, args) = parsed.rest.split_first().filter(|_| verb == "run")?;
        let Some(command) = parsed.value(&["--command"]) else { return Some(Program::package(&[app], args)) };
        let words: Vec<Word<'_>> = std::iter::once(Word::from(command)).chain(args.iter().cloned()).collect();
        self.resolve(&words)
    }

    /// `proto run TOOL [VERSION] -- ARGS`: the tool with these arguments.
    fn proto(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let (verb, rest) = words.split_first()?;
        let (tool, rest) = rest.split_first().filter(|_| verb == "run")?;
        let args = rest
            .iter()
            .position(|word| word == "--")
            .map_or(rest, |at| rest.get(at + 1..).unwrap_or_default());
        let words: Vec<Word<'_>> = std::iter::once(tool.clone()).chain(args.iter().cloned()).collect();
        self.resolve(&words)
    }

    /// A script file under an interpreter: the program, or one more tool (`node npx-cli.js -y x`,
    /// `python /venv/bin/uvicorn a:app`).
    pub(super) fn file(&mut self, path: &str, args: &[Word<'_>]) -> Option<Program> {
        let program = Program::script(path, self.dir.as_deref(), args);
        let inside = program.text.contains("node_modules/");
        // Where a script may lie that is a tool, whatever else is called so.
        const ANYWHERE: List = list!("mcp_stdio_watchdog");
        let installed = inside
            || is_tool_dir(&program.text)
            || program.text.contains(".yarn/releases/")
            || ANYWHERE.contains(stem(base(&program.text)));
        if installed {
            // A part of npm is told by its file, any other package by its name.
            let package =
                program.names.first().filter(|name| inside && !matches!(name.as_str(), "npm" | "corepack"));
            let tool = package.map(String::as_str).and_then(tools::find).or_else(|| {
                let whole = !inside
                    || program.names.first().is_some_and(|name| matches!(name.as_str(), "npm" | "corepack"));
                whole.then(|| tools::find(base(&program.text))).flatten()
            });
            if let Some((name, tool)) = tool {
                return self.run(name, tool, args);
            }
        }
        Some(program)
    }

    /// The words after a runner's options: a tool, or a package with its arguments.
    pub(super) fn packaged(
        &mut self,
        specs: &[&str],
        bin: Option<&Word<'_>>,
        args: &[Word<'_>],
    ) -> Option<Program> {
        let name = match bin {
            Some(bin) => &**bin,
            None => specs.last().copied().unwrap_or_default(),
        };
        let plain = Program::package(&[name], args);
        if let Some((tool_name, tool)) = plain.names.first().and_then(|name| tools::find(name)) {
            return self.run(tool_name, tool, args);
        }
        let mut all: Vec<&str> = specs.to_vec();
        if let Some(bin) = bin {
            all.push(bin);
        }
        Some(Program::package(&all, args))
    }

    /// Words that are either a script file or a command.
    pub(super) fn file_or_command(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let (first, rest) = words.split_first()?;
        if stem(base(first)) != base(first) && tools::find(base(first)).is_none() {
            return self.file(first, rest);
        }
        self.resolve(words)
    }

    /// From here on relative paths count from `dir`.
    pub(super) fn enter(&mut self, dir: &str) {
        self.dir = Some(match self.dir.take().filter(|_| !dir.starts_with(['/', '~', '$'])) {
            Some(from) => format!("{from}/{dir}"),
            None => dir.to_owned(),
        });
    }

    /// Options of the tool, remembering the folder they set.
    pub(super) fn options<'w>(
        &mut self,
        words: &'w [Word<'w>],
        grammar: Grammar,
        folder: List,
    ) -> Parsed<'w> {
        let parsed = options::parse(words, grammar);
        let last = parsed.options.iter().rev().find(|(key, dir)| folder.contains(key) && !dir.is_empty());
        if let Some((_, dir)) = last {
            self.enter(dir);
        }
        parsed
    }
}

/// Past `A=b` words. Not only names that a shell takes: npm_config_@acme:registry=https://r.example
fn past_assignments<'w, 's>(words: &'s [Word<'w>]) -> &'s [Word<'w>] {
    let assigns = |word: &Word<'_>| word.contains('=') && !word.starts_with('/');
    words.get(words.iter().take_while(|word| assigns(word)).count()..).unwrap_or_default()
}
