//! npx, uvx, pnpm dlx, cargo run: what fetches or builds a program and starts it as a child.

use super::names::{base, looks_like_file, tidy};
use super::options::{self, Grammar, Parsed};
use super::peel::Peeler;
use super::{LayerKind, Program, Word, folder_of_script, stem, tools};

// npm help npx; the folder options count for `npm --prefix D start` too.
const NPM: Grammar = Grammar::clustered(&[
    "-p",
    "--package",
    "-c",
    "--call",
    "-w",
    "--workspace",
    "--prefix",
    "-C",
    "--registry",
    "--cache",
    "--userconfig",
    "--loglevel",
    "--script-shell",
    "--node-options",
    "--shell",
    "--version",
    "--source",
    "--configfile",
    "--add-source",
]);
// pnpm help dlx, yarn help dlx.
const PNPM: Grammar = Grammar::clustered(&[
    "-p",
    "--package",
    "-C",
    "--dir",
    "--filter",
    "-F",
    "--cwd",
    "--reporter",
    "--allow-build",
]);
// uv help tool run, uv help run; the same lists, and the global ones before the subcommand.
const UV: Grammar = Grammar::clustered(&[
    "--from",
    "--with",
    "-w",
    "--with-editable",
    "--with-requirements",
    "-p",
    "--python",
    "--index",
    "--default-index",
    "--index-url",
    "-i",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--directory",
    "--project",
    "--config-file",
    "--cache-dir",
    "--env-file",
    "-P",
    "--upgrade-package",
    "--refresh-package",
    "--reinstall-package",
    "--index-strategy",
    "--keyring-provider",
    "--resolution",
    "--prerelease",
    "--exclude-newer",
    "--link-mode",
    "-C",
    "--config-setting",
    "--no-binary-package",
    "--no-build-package",
    "--no-build-isolation-package",
    "-b",
    "--build-constraints",
    "-c",
    "--constraints",
    "--overrides",
    "--color",
    "--python-platform",
    "--torch-backend",
    "--allow-insecure-host",
    "--extra",
    "--group",
    "--no-group",
    "--only-group",
    "--package",
    "--no-extra",
    "--fork-strategy",
    "--python-preference",
]);

impl Peeler {
    /// npx and its like: `-p` packages and a bin, or one package.
    pub(super) fn npx(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed = self.options(words, NPM, &["--prefix", "-C"]);
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
        let before = self.options(words, NPM, &["--prefix", "-C"]);
        let (verb, rest) = before.rest.split_first()?;
        match &**verb {
            "exec" | "x" => self.npx(rest),
            "run" | "run-script" | "rum" | "urn" => self.task(rest),
            "start" | "restart" => {
                self.options(rest, NPM, &["--prefix", "-C"]);
                Some(Program::task("start", self.dir.as_deref(), rest))
            }
            _ => None,
        }
    }

    /// The script of a package.json: `run [options] name args`, the folder before or behind it.
    fn task(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed = self.options(words, NPM, &["--prefix", "-C", "--dir", "--cwd"]);
        let (task, args) = parsed.rest.split_first()?;
        self.options(args, NPM, &["--prefix", "-C", "--dir", "--cwd"]);
        Some(Program::task(task, self.dir.as_deref(), args))
    }

    pub(super) fn pnpm(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let before = self.options(words, PNPM, &["--dir", "-C"]);
        let (verb, rest) = before.rest.split_first()?;
        match &**verb {
            "dlx" | "exec" | "x" => self.dlx(&before, rest),
            "run" => self.task(rest),
            "start" => Some(Program::task("start", self.dir.as_deref(), rest)),
            _ => None,
        }
    }

    pub(super) fn yarn(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let before = self.options(words, PNPM, &["--cwd"]);
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

    pub(super) fn bun(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(&[
            "--cwd",
            "-r",
            "--preload",
            "--import",
            "--filter",
            "-F",
            "--env-file",
            "-c",
            "--config",
            "--tsconfig-override",
            "-d",
            "--define",
            "--shell",
            "-e",
            "--eval",
            "-p",
            "--print",
            "--port",
            "-l",
            "--loader",
            "--conditions",
        ]);
        let before = self.options(words, VALUED, &["--cwd"]);
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
                let parsed = self.options(rest, VALUED, &["--cwd"]);
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

    pub(super) fn uv(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let before = self.options(words, UV, &["--directory", "--project"]);
        let (verb, rest) = before.rest.split_first()?;
        match (&**verb, rest.first().map(|word| &**word)) {
            ("tool", Some("run" | "uvx")) => self.uvx(rest.get(1..)?),
            ("x", _) => self.uvx(rest),
            ("run", _) => {
                let parsed = self.options(rest, UV, &["--directory", "--project"]);
                if parsed.has(&["-m", "--module"]) {
                    let (module, args) = parsed.rest.split_first()?;
                    return Some(Program::module(module, args));
                }
                let (what, args) = parsed.rest.split_first()?;
                if stem(base(what)) != base(what) && tools::find(base(what)).is_none() {
                    return self.file(what, args);
                }
                let mut program = self.peel(parsed.rest)?;
                // A console script of the project with a plain name: the project names it.
                if let Some(dir) =
                    self.dir.as_deref().filter(|_| !what.contains('/') && program.folder.is_none())
                {
                    program.folder = folder_of_script(&format!("{}/{what}", tidy(dir))).map(str::to_owned);
                }
                Some(program)
            }
            _ => None,
        }
    }

    pub(super) fn uvx(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed = self.options(words, UV, &["--directory"]);
        let from: Vec<&str> = parsed.value(&["--from"]).into_iter().collect();
        let (what, args) = parsed.rest.split_first()?;
        if from.is_empty() {
            self.packaged(&[what], None, args)
        } else {
            self.packaged(&from, Some(what), args)
        }
    }

    pub(super) fn pipx(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar =
            Grammar::clustered(&["--spec", "--python", "--pip-args", "-i", "--index-url", "--with"]);
        let before = options::parse(words, VALUED);
        let (verb, rest) = before.rest.split_first()?;
        if verb != "run" {
            return None;
        }
        let parsed = options::parse(rest, VALUED);
        let spec: Vec<&str> = parsed.value(&["--spec"]).into_iter().collect();
        let (what, args) = parsed.rest.split_first()?;
        if spec.is_empty() {
            self.packaged(&[what], None, args)
        } else {
            self.packaged(&spec, Some(what), args)
        }
    }

    /// `go run ./cmd/notes`: the folder, file or module path names the program.
    pub(super) fn go(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar =
            Grammar::long(&["-C", "-exec", "-tags", "-ldflags", "-gcflags", "-mod", "-modfile", "-overlay"]);
        let before = options::parse(words, VALUED);
        let (verb, rest) = before.rest.split_first()?;
        if verb != "run" {
            return None;
        }
        let parsed = options::parse(rest, VALUED);
        let (what, args) = parsed.rest.split_first()?;
        let path = what.split('@').next().unwrap_or(what);
        if path.ends_with(".go") { self.file(path, args) } else { Some(Program::binary(&tidy(path), args)) }
    }

    /// `cargo run`: only what --bin, --package or the manifest's folder name.
    pub(super) fn cargo(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(&[
            "--bin",
            "--example",
            "-p",
            "--package",
            "--manifest-path",
            "-F",
            "--features",
            "--profile",
            "--target",
            "--target-dir",
            "-j",
            "-C",
            "--config",
            "-Z",
        ]);
        let words =
            if words.first().is_some_and(|word| word.starts_with('+')) { words.get(1..)? } else { words };
        let before = options::parse(words, VALUED);
        let (verb, rest) = before.rest.split_first()?;
        if verb != "run" && verb != "r" {
            return None;
        }
        let parsed = options::parse(rest, VALUED);
        if let Some(name) =
            parsed.value(&["--bin"]).or(parsed.value(&["--example"])).or(parsed.value(&["-p", "--package"]))
        {
            return Some(Program::binary(name, parsed.rest));
        }
        let manifest = tidy(parsed.value(&["--manifest-path"])?);
        let mut program = Program::binary("main", parsed.rest);
        program.folder = folder_of_script(&manifest.replace("Cargo.toml", "main")).map(str::to_owned);
        Some(program)
    }

    /// `swift run notes`, `swift run --package-path D notes`.
    pub(super) fn swift(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar =
            Grammar::long(&["--package-path", "-c", "--configuration", "--build-path", "--scratch-path"]);
        let (verb, rest) = words.split_first()?;
        let parsed = options::parse(rest, VALUED);
        let (what, args) = parsed.rest.split_first()?;
        (verb == "run").then(|| Program::binary(what, args))
    }

    /// `dart x.dart`, `dart run pkg:bin`, `dart pub global run pkg`, `dart mcp-server`.
    pub(super) fn dart(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed = options::parse(words, Grammar::long(&[]));
        let (verb, rest) = parsed.rest.split_first()?;
        let rest = match (&**verb, rest) {
            ("run", rest) => rest,
            ("pub", [global, run, rest @ ..]) if global == "global" && run == "run" => rest,
            (file, rest) if file.ends_with(".dart") || file.ends_with(".snapshot") => {
                return self.file(file, rest);
            }
            _ => return Some(Program::binary("dart", parsed.rest)),
        };
        self.through("dart run", LayerKind::Runner);
        let parsed = options::parse(rest, Grammar::long(&[]));
        let (what, args) = parsed.rest.split_first()?;
        if what.ends_with(".dart") {
            return self.file(what, args);
        }
        let (package, bin) = what.split_once(':').unwrap_or((what, ""));
        let specs = [package, bin];
        Some(Program::package(specs.get(..1 + usize::from(!bin.is_empty()))?, args))
    }

    /// `nix run flake#notes -- args`, `nix shell flake#notes -c notes args`.
    pub(super) fn nix(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(&[
            "--extra-experimental-features",
            "--experimental-features",
            "-f",
            "--file",
            "--expr",
        ]);
        let before = options::parse(words, VALUED);
        let (verb, rest) = before.rest.split_first()?;
        match &**verb {
            "run" => {
                let parsed = options::parse(rest, VALUED);
                let (flake, args) = parsed.rest.split_first()?;
                let name = match flake.split_once('#') {
                    Some((_, attribute)) => attribute.rsplit('.').next().unwrap_or(attribute),
                    None => base(flake.split('?').next().unwrap_or(flake)),
                };
                Some(Program::package(
                    &[name],
                    if args.first().is_some_and(|word| word == "--") { args.get(1..)? } else { args },
                ))
            }
            "shell" | "develop" => {
                let at = rest.iter().position(|word| matches!(&**word, "-c" | "--command"))?;
                self.peel(rest.get(at + 1..)?)
            }
            _ => None,
        }
    }
}
