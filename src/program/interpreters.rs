//! Resolves interpreters (python, java, dotnet and the like) to the script or module that they run.

use super::names::{base, folders_of, tidy};
use super::options::{self, Grammar};
use super::resolve::Resolver;
use super::tools::Tool;
use super::{LayerKind, Program, Word, stem, table};
use crate::word_list::{WordList, list};

// java(1): the options that take the next word.
const JAVA: Grammar = Grammar::long(list!(
    "--add-exports --add-modules --add-opens --add-reads --class-path --enable-native-access
    --limit-modules --module --module-path --patch-module --source --upgrade-module-path -classpath
    -cp -m -p"
));

impl Resolver {
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
            // Flags may be joined (-um, -Im). The first of m, c, W and X takes the rest of the word, or the next word.
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

    /// `python -m x`, where x is the program or a tool that runs another one.
    fn module(&mut self, name: &str, args: &[Word<'_>]) -> Option<Program> {
        match name {
            // debugpy --listen 5678 -m notes: python's own arguments follow debugpy's options.
            "debugpy" => {
                let mut at = 0;
                while let Some(option) = args.get(at).filter(|word| word.starts_with("--")) {
                    let valued = matches!(
                        &**option,
                        "--listen" | "--connect" | "--log-to" | "--parent-session-pid" | "--pid"
                    ) || option.starts_with("--configure-");
                    at += 1 + usize::from(valued);
                }
                self.python(args.get(at..)?)
            }
            _ => match table::find(name) {
                Some((_, Tool::Uv | Tool::Uvx | Tool::Pipx | Tool::Asgi)) => self.resolve_as(name, args),
                _ => Some(Program::module(name, self.dir.as_deref(), args)),
            },
        }
    }

    /// `uvicorn notes.main:app`: the program is the module after the options.
    pub(super) fn asgi(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(list!(
            "--app-dir --bind --config --env-file --factory-dir --fd --host --http --log-config
            --log-level --loop --port --reload-dir --root-path --timeout --uds --worker-class
            --workers -b -c -k -p -t -w"
        ));
        let parsed = options::parse(words, VALUED);
        let (app, args) = parsed.rest.split_first()?;
        Some(Program::module(app, self.dir.as_deref(), args))
    }

    pub(super) fn java(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed = options::parse(words, JAVA);
        // Options may also stand between -jar and the file.
        if parsed.has(&["-jar"]) {
            let (jar, args) = parsed.rest.split_first()?;
            let mut program = Program::script(jar, self.dir.as_deref(), args);
            // notes-mcp-0.1.0-all.jar is named notes-mcp.
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
            Some(module) => Some(Program::module(
                module.split('/').next().unwrap_or(module),
                self.dir.as_deref(),
                parsed.rest,
            )),
            None => {
                let (class, args) = parsed.rest.split_first()?;
                if stem(base(class)) == &**class {
                    Some(Program::module(class, self.dir.as_deref(), args))
                } else {
                    self.file(class, args)
                }
            }
        }
    }

    pub(super) fn dotnet(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(list!(
            "--additionalprobingpath --arch --configuration --depsfile --framework --fx-version
            --launch-profile --project --roll-forward --runtime --runtimeconfig --verbosity -a -c -f
            -p -r -v"
        ));
        let before = options::parse(words, VALUED);
        let (verb, rest) = before.rest.split_first()?;
        match &**verb {
            "run" | "watch" => {
                self.through("dotnet run", LayerKind::Runner);
                let rest = match rest {
                    [run, rest @ ..] if verb == "watch" && run == "run" => rest,
                    _ => rest,
                };
                // Also without `--`, words that are not options of dotnet go to the program.
                let parsed = options::parse(rest, VALUED);
                // `dotnet watch --project D test` runs no program.
                let other = |word: &Word<'_>| matches!(&**word, "test" | "build" | "publish");
                if verb == "watch" && !parsed.dashes && parsed.rest.first().is_some_and(other) {
                    return None;
                }
                let project = parsed.value(&["--project", "-p"]).or(before.value(&["--project"]))?;
                let project = tidy(project);
                // A project is given by its folder or by its file in the folder.
                let file =
                    ["csproj", "fsproj"].iter().find_map(|end| project.strip_suffix(&format!(".{end}")));
                let mut program = Program::binary(base(file.unwrap_or(&project)), parsed.rest);
                let main = format!("{project}/main");
                program.folders = folders_of(file.unwrap_or(&main));
                Some(program)
            }
            // Options of the host may follow: dotnet exec --depsfile F x.dll
            "exec" => self.first_file(options::parse(rest, VALUED).rest),
            "dnx" => self.npx(rest),
            "tool" => match rest.split_first()? {
                (verb, rest) if verb == "run" || verb == "exec" => {
                    self.through("dotnet tool", LayerKind::Runner);
                    self.npx(rest)
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

    /// ruby, perl, php and lua: options, then a script, or code in an option.
    pub(super) fn plain(&mut self, words: &[Word<'_>], code: WordList, valued: WordList) -> Option<Program> {
        let parsed = options::parse(words, Grammar::long(valued));
        if parsed.options.iter().any(|(key, _)| code.contains(key)) {
            // The option that takes code is not among the valued ones, so the code is the first word that is left.
            return Some(Program::inline(parsed.rest.get(1..).unwrap_or_default()));
        }
        if let Some(file) = parsed.value(&["-f"]) {
            return self.file(file, parsed.rest);
        }
        self.first_file(parsed.rest)
    }
}
