//! Resolves runners (uvx, pipx, go run, cargo run and the like), which fetch or build a program and start it as a
//! child.

use super::names::{base, folders_of, tidy};
use super::options::{self, Grammar};
use super::resolve::Resolver;
use super::{LayerKind, Program, Word, stem, table};
use crate::word_list::list;

// From `uv help tool run` and `uv help run`; the global options before the subcommand are among them.
const UV: Grammar = Grammar::clustered(list!(
    "--allow-insecure-host --build-constraints --cache-dir --color --config-file --config-setting
    --constraints --default-index --directory --env-file --exclude-newer --extra --extra-index-url
    --find-links --fork-strategy --from --group --index --index-strategy --index-url
    --keyring-provider --link-mode --no-binary-package --no-build-isolation-package
    --no-build-package --no-extra --no-group --only-group --overrides --package --prerelease
    --project --python --python-platform --python-preference --refresh-package --reinstall-package
    --resolution --torch-backend --upgrade-package --with --with-editable --with-requirements -C -P
    -b -c -f -i -p -w"
));

impl Resolver {
    pub(super) fn uv(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let before = self.options(words, UV, list!("--directory --project"));
        let (verb, rest) = before.rest.split_first()?;
        match (&**verb, rest.first().map(|word| &**word)) {
            ("tool", Some("run" | "uvx")) => self.uvx(rest.get(1..)?),
            ("x", _) => self.uvx(rest),
            ("run", _) => {
                let parsed = self.options(rest, UV, list!("--directory --project"));
                if parsed.has(&["-m", "--module"]) {
                    let (module, args) = parsed.rest.split_first()?;
                    return Some(Program::module(module, self.dir.as_deref(), args));
                }
                let (what, args) = parsed.rest.split_first()?;
                if stem(base(what)) != base(what) && table::find(base(what)).is_none() {
                    return self.file(what, args);
                }
                let mut program = self.resolve(parsed.rest)?;
                // A console script with a plain name is named by its project.
                if let Some(dir) =
                    self.dir.as_deref().filter(|_| !what.contains('/') && program.folders.is_empty())
                {
                    program.folders = folders_of(&format!("{}/{what}", tidy(dir)));
                }
                Some(program)
            }
            _ => None,
        }
    }

    pub(super) fn uvx(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed = self.options(words, UV, list!("--directory"));
        let from: Vec<&str> = parsed.value(&["--from"]).into_iter().collect();
        let (what, args) = parsed.rest.split_first()?;
        self.packaged(&from, what, args)
    }

    pub(super) fn pipx(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::clustered(list!("--index-url --pip-args --python --spec --with -i"));
        let parsed = options::parse_after_verb(words, VALUED, &["run"])?;
        let spec: Vec<&str> = parsed.value(&["--spec"]).into_iter().collect();
        let (what, args) = parsed.rest.split_first()?;
        self.packaged(&spec, what, args)
    }

    /// `go run ./cmd/notes`: the folder, file or module path names the program.
    pub(super) fn go(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar =
            Grammar::long(list!("-C -exec -gcflags -ldflags -mod -modfile -overlay -tags"));
        let parsed = options::parse_after_verb(words, VALUED, &["run"])?;
        let (what, args) = parsed.rest.split_first()?;
        let path = what.split('@').next().unwrap_or(what);
        if path.ends_with(".go") { self.file(path, args) } else { Some(Program::binary(&tidy(path), args)) }
    }

    /// `cargo run`: the program is named by --bin, --package or the folder of the manifest.
    pub(super) fn cargo(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(list!(
            "--bin --config --example --features --manifest-path --package --profile --target
            --target-dir -C -F -Z -j -p"
        ));
        let words =
            if words.first().is_some_and(|word| word.starts_with('+')) { words.get(1..)? } else { words };
        let parsed = options::parse_after_verb(words, VALUED, &["run", "r"])?;
        if let Some(name) =
            parsed.value(&["--bin"]).or(parsed.value(&["--example"])).or(parsed.value(&["-p", "--package"]))
        {
            return Some(Program::binary(name, parsed.rest));
        }
        let manifest = tidy(parsed.value(&["--manifest-path"])?);
        let mut program = Program::binary("main", parsed.rest);
        program.folders = folders_of(&manifest.replace("Cargo.toml", "main"));
        Some(program)
    }

    /// `swift run notes`, `swift run --package-path D notes`.
    pub(super) fn swift(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar =
            Grammar::long(list!("--build-path --configuration --package-path --scratch-path -c"));
        let (verb, rest) = words.split_first()?;
        let parsed = options::parse(rest, VALUED);
        if verb != "run" {
            return None;
        }
        if let Some((what, args)) = parsed.rest.split_first() {
            return Some(Program::binary(what, args));
        }
        // The one program of a package is named after the package's folder.
        let mut program = Program::binary("main", &[]);
        program.folders = folders_of(&format!("{}/main", tidy(parsed.value(&["--package-path"])?)));
        Some(program)
    }

    /// `dart x.dart`, `dart run pkg:bin`, `dart pub global run pkg`, `dart mcp-server`.
    pub(super) fn dart(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed = options::parse(words, Grammar::long(list!("")));
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
        let parsed = options::parse(rest, Grammar::long(list!("")));
        let (what, args) = parsed.rest.split_first()?;
        if what.ends_with(".dart") {
            return self.file(what, args);
        }
        let specs: Vec<&str> = what.split(':').collect();
        Some(Program::package(&specs, args))
    }

    /// `jbang org.acme:notes:1.0`, `jbang alias@catalog`, `jbang notes.java`.
    pub(super) fn jbang(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar =
            Grammar::long(list!("--cp --deps --java --main --repos --runtime-option -R -j -m"));
        let before = options::parse(words, VALUED);
        let rest = match before.rest {
            [run, rest @ ..] if run == "run" => rest,
            rest => rest,
        };
        let parsed = options::parse(rest, VALUED);
        let (what, args) = parsed.rest.split_first()?;
        let specs: Vec<&str> = what.split('@').map(base).collect();
        Some(Program::package(&specs, args))
    }

    /// `nix run flake#notes -- args`, `nix shell flake#notes -c notes args`.
    pub(super) fn nix(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar =
            Grammar::long(list!("--experimental-features --expr --extra-experimental-features --file -f"));
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
                self.resolve(rest.get(at + 1..)?)
            }
            _ => None,
        }
    }
}
