//! Resolves a command line layer by layer.

use super::names::{base, is_tool_dir, stem, tidy};
use super::options::{self, Grammar, Parsed};
use super::table;
use super::tools::Tool;
use super::{Layer, LayerKind, LineCommand, Program, Word};
use crate::word_list::{WordList, list};

/// The limit for hostile command lines. No real one nests deeper.
const MAX_LAYERS: usize = 16;

/// The state of a resolution.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    pub layers: Vec<Layer>,
    /// The folder to which relative paths are relative, from `uv --directory D`, `npm --prefix D` and the like.
    pub dir: Option<String>,
    /// A shell was given a command line.
    pub opaque: bool,
    /// The commands of that line.
    pub line: Vec<LineCommand>,
    /// The line runs code that is not in it.
    pub hidden_code: bool,
}

impl Resolver {
    /// The program that these words run.
    pub(super) fn resolve(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let (first, rest) = words.split_first()?;
        // The folder of a virtual environment is the project's: /srv/notes-mcp/.venv/bin/python server.py
        if let Some(at) = first.find("/.venv/bin/").or_else(|| first.find("/venv/bin/"))
            && self.dir.is_none()
        {
            self.dir = first.get(..at).map(str::to_owned);
        }
        match table::find(base(first)) {
            Some((name, tool)) => self.run(name, tool, rest),
            // `./server` is relative to the folder of a `cd`.
            None => match self.dir.as_deref().filter(|_| first.starts_with("./")) {
                Some(dir) => Some(Program::binary(&tidy(&format!("{dir}/{first}")), rest)),
                None => Some(Program::binary(first, rest)),
            },
        }
    }

    /// [`resolve`](Self::resolve) for a program and its arguments.
    pub(super) fn resolve_as(&mut self, program: &str, args: &[Word<'_>]) -> Option<Program> {
        let words: Vec<Word<'_>> = std::iter::once(Word::from(program)).chain(args.iter().cloned()).collect();
        self.resolve(&words)
    }

    /// Adds a layer; false when there are too many.
    pub(super) fn through(&mut self, tool: &str, kind: LayerKind) -> bool {
        self.layers.push(Layer { tool: tool.to_owned(), kind });
        self.layers.len() <= MAX_LAYERS
    }

    fn run(&mut self, name: &'static str, tool: Tool, words: &[Word<'_>]) -> Option<Program> {
        if !self.through(name, tool.layer()) {
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
            Tool::Npm | Tool::Pnpm | Tool::Yarn => self.package_manager(name, words),
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
            // A make target has no name, because it is built, not a server of that name.
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
            Tool::Wrapper(wrapper) => self.wrapper(name, wrapper, words),
        }
    }

    /// A script file under an interpreter: the program, or one more tool (`node npx-cli.js -y x`,
    /// `python /venv/bin/uvicorn a:app`).
    pub(super) fn file(&mut self, path: &str, args: &[Word<'_>]) -> Option<Program> {
        let program = Program::script(path, self.dir.as_deref(), args);
        let inside = program.text.contains("node_modules/");
        // Tools that are known by their file name, wherever the file is.
        const ANYWHERE: WordList = list!("mcp_stdio_watchdog");
        let installed = inside
            || is_tool_dir(&program.text)
            || program.text.contains(".yarn/releases/")
            || ANYWHERE.contains(stem(base(&program.text)));
        if installed {
            // npm's programs are known by their files, those of any other package by the package's name.
            let package =
                program.names.first().filter(|name| inside && !matches!(name.as_str(), "npm" | "corepack"));
            let tool = package.map(String::as_str).and_then(table::find).or_else(|| {
                let whole = !inside
                    || program.names.first().is_some_and(|name| matches!(name.as_str(), "npm" | "corepack"));
                whole.then(|| table::find(base(&program.text))).flatten()
            });
            if let Some((name, tool)) = tool {
                return self.run(name, tool, args);
            }
        }
        Some(program)
    }

    /// A script file with its arguments.
    pub(super) fn first_file(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let (file, args) = words.split_first()?;
        self.file(file, args)
    }

    /// The words after a runner's options: a tool, or a program of these packages; without packages, `what` is a
    /// package.
    pub(super) fn packaged(
        &mut self,
        packages: &[&str],
        what: &Word<'_>,
        args: &[Word<'_>],
    ) -> Option<Program> {
        let plain = Program::package(&[what], args);
        if let Some((tool_name, tool)) = plain.names.first().and_then(|name| table::find(name)) {
            return self.run(tool_name, tool, args);
        }
        Some(Program::package(&[packages, &[&**what]].concat(), args))
    }

    /// Words that are either a script file or a command.
    pub(super) fn file_or_command(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let (first, rest) = words.split_first()?;
        if stem(base(first)) != base(first) && table::find(base(first)).is_none() {
            return self.file(first, rest);
        }
        self.resolve(words)
    }

    /// Makes `dir` the folder to which relative paths are relative.
    pub(super) fn enter(&mut self, dir: &str) {
        self.dir = Some(match self.dir.take().filter(|_| !dir.starts_with(['/', '~', '$'])) {
            Some(from) => format!("{from}/{dir}"),
            None => dir.to_owned(),
        });
    }

    /// Parses the options of a tool, and enters the folder that one of them names.
    pub(super) fn options<'w>(
        &mut self,
        words: &'w [Word<'w>],
        grammar: Grammar,
        folder: WordList,
    ) -> Parsed<'w> {
        let parsed = options::parse(words, grammar);
        let last = parsed.options.iter().rev().find(|(key, dir)| folder.contains(key) && !dir.is_empty());
        if let Some((_, dir)) = last {
            self.enter(dir);
        }
        parsed
    }
}
