//! The names a program goes by: from a package spec, a path, a module or an image reference.

use super::{Kind, Program, Word};

/// File stems that say nothing: the folder of the project names such a program.
const PLAIN_STEMS: &[&str] = &[
    "__main__",
    "app",
    "bin",
    "bundle",
    "cli",
    "entry",
    "entrypoint",
    "index",
    "init",
    "launch",
    "main",
    "mod",
    "program",
    "run",
    "run_server",
    "server",
    "serve",
    "start",
    "start-server",
    "start_server",
    "stdio",
    "quarkus-run",
    "server-stdio",
    "stdio-server",
    "stdio_server",
    "index.bundle",
    "main.bundle",
];

/// Folders that only give a project its shape: the project is above them.
const SHAPE_FOLDERS: &[&str] = &[
    "app",
    "bin",
    "build",
    "bundle",
    "cjs",
    "cli",
    "cmd",
    "compiled",
    "debug",
    "dist",
    "esm",
    "js",
    "lib",
    "libs",
    "node",
    "out",
    "output",
    "publish",
    "python",
    "release",
    "server",
    "src",
    "stdio",
    "target",
    "ts",
    "typescript",
    "scripts",
    "node_modules",
    "bundled",
    ".build",
    "current",
];

/// The last segment of a path.
pub(crate) fn base(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

/// A file name without the extension of a script or executable.
pub(crate) fn stem(file: &str) -> &str {
    const EXTENSIONS: &[&str] = &[
        "bash", "bat", "bin", "cjs", "cmd", "cts", "dart", "dll", "exe", "go", "jar", "js", "jsx", "kts",
        "lua", "mjs", "mts", "php", "phar", "pl", "ps1", "py", "pyc", "pyz", "r", "R", "rb", "sh", "ts",
        "tsx", "zsh",
    ];
    match file.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && EXTENSIONS.contains(&extension) => stem,
        _ => file,
    }
}

/// Whether the path lies in a folder where installed programs lie, so that an extensionless file
/// there is a console script.
pub(crate) fn is_tool_dir(path: &str) -> bool {
    path.rsplit('/')
        .nth(1)
        .is_some_and(|folder| matches!(folder, "bin" | ".bin" | "sbin" | "Scripts" | "shims"))
}

/// The folder that names a script such as `/srv/notes-mcp/dist/index.js`; `None` where the file has
/// a telling name of its own, or no folder does.
pub(crate) fn folder_of_script(path: &str) -> Option<&str> {
    let mut segments = path.rsplit('/').filter(|segment| !segment.is_empty());
    let stem = stem(segments.next()?);
    let mut folders = segments.skip_while(|folder| {
        SHAPE_FOLDERS.contains(&folder.to_ascii_lowercase().as_str()) || is_framework(folder)
    });
    let folder = folders.next()?;
    let parent = folders.next();
    // A home folder is a user's name, not a project's.
    if matches!(parent, Some("home" | "Users")) || matches!(folder, "home" | "Users" | "." | ".." | "~") {
        return None;
    }
    let lower = stem.to_ascii_lowercase();
    // The main file of a project is often called after it: weather-mcp/weather.py.
    let called_after_it = lower.len() >= 3
        && folder.to_ascii_lowercase().replace('_', "-").split('-').any(|part| part == lower);
    (PLAIN_STEMS.contains(&lower.as_str()) || called_after_it).then_some(folder)
}

/// `net8.0`, the folder that the .NET SDK builds into.
fn is_framework(folder: &str) -> bool {
    folder.strip_prefix("net").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// A path without `.`, `..` and doubled slashes, as far as that can be told from the text.
pub(super) fn tidy(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    format!("{}{}", if path.starts_with('/') { "/" } else { "" }, kept.join("/"))
}

/// Whether a word is a path or a file of code rather than the name of something.
pub(super) fn looks_like_file(word: &str) -> bool {
    word.starts_with(['/', '.', '~'])
        || (word.contains('/') && !word.starts_with('@'))
        || (stem(base(word)) != base(word))
}

/// The package behind a spec: without version, extras, protocol and address.
/// `@a/b@1.2` is `@a/b`, `x[cli]==1` is `x`, `git+https://host/u/x.git@main` is `x`.
fn package_name(spec: &str) -> &str {
    let spec = spec.trim_matches(['\'', '"']);
    let spec = ["npm:", "jsr:", "pypi:", "file:"]
        .iter()
        .find_map(|scheme| spec.strip_prefix(scheme))
        .unwrap_or(spec);
    if spec.contains("://") || spec.starts_with("github:") || spec.starts_with("git@") {
        let spec = spec.split(['#', '?']).next().unwrap_or(spec);
        // The ref of a Python requirement follows the last segment: x.git@main.
        let name = base(spec.strip_prefix("github:").unwrap_or(spec));
        let name = name.split('@').next().unwrap_or(name);
        return [".git", ".tgz", ".tar.gz", ".whl"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(name);
    }
    if spec.starts_with(['/', '.', '~']) {
        return base(spec);
    }
    let (scope, rest) = match spec.strip_prefix('@').and_then(|rest| rest.split_once('/')) {
        Some((scope, rest)) => (scope.len() + 2, rest),
        None => (0, spec),
    };
    let end = rest.find(['@', '=', '<', '>', '!', '~', '[', ' ', '/', ';', '?', ',']).unwrap_or(rest.len());
    spec.get(..scope + end).unwrap_or(spec)
}

/// Adds a name that is not there yet.
fn add(names: &mut Vec<String>, name: &str) {
    if !name.is_empty() && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

fn owned(words: &[Word<'_>]) -> Vec<String> {
    words.iter().map(|word| word.to_string()).collect()
}

impl Program {
    /// A package, by what a runner was given: one spec, or `--package` specs and a bin.
    pub(super) fn package(specs: &[&str], args: &[Word<'_>]) -> Program {
        let mut names = Vec::new();
        for spec in specs {
            let name = package_name(spec);
            add(&mut names, name);
            add(&mut names, base(name));
        }
        Program { kind: Kind::Package, text: specs.join(" "), names, folder: None, args: owned(args) }
    }

    /// A script file. `dir` is where a relative path counts from, when the line says so.
    pub(super) fn script(path: &str, dir: Option<&str>, args: &[Word<'_>]) -> Program {
        let path = path.strip_prefix("file://").unwrap_or(path);
        let full = match dir {
            Some(dir) if !path.starts_with('/') => tidy(&format!("{dir}/{path}")),
            _ => tidy(path),
        };
        let file = base(&full);
        let mut names = Vec::new();
        let mut folder = None;
        if let Some(inside) = full.rsplit_once("node_modules/").map(|(_, inside)| inside) {
            let scoped = inside.starts_with('@');
            let mut parts = inside.splitn(if scoped { 3 } else { 2 }, '/');
            let package = match (parts.next(), scoped.then(|| parts.next()).flatten()) {
                (Some(scope), Some(name)) => format!("{scope}/{name}"),
                (Some(name), None) => name.to_owned(),
                (None, _) => String::new(),
            };
            if package != ".bin" {
                add(&mut names, &package);
                add(&mut names, base(&package));
            }
            // A file with a plain name is the package itself; any other is a part of it.
            if package == ".bin" || !PLAIN_STEMS.contains(&stem(file)) {
                add(&mut names, stem(file));
            }
        } else {
            add(&mut names, stem(file));
            folder = folder_of_script(&full).map(str::to_owned);
        }
        add(&mut names, file);
        Program { kind: Kind::Script, text: full, names, folder, args: owned(args) }
    }

    /// A module by its dotted name.
    pub(super) fn module(name: &str, args: &[Word<'_>]) -> Program {
        let name = name.split(':').next().unwrap_or(name);
        let mut names = vec![name.to_owned()];
        add(&mut names, name.split('.').next().unwrap_or(name));
        Program { kind: Kind::Module, text: name.to_owned(), names, folder: None, args: owned(args) }
    }

    /// A program of its own.
    pub(super) fn binary(path: &str, args: &[Word<'_>]) -> Program {
        let path = path.strip_prefix('-').unwrap_or(path);
        let mut names = Vec::new();
        add(&mut names, stem(base(path)));
        add(&mut names, base(path));
        Program { kind: Kind::Binary, text: path.to_owned(), names, folder: None, args: owned(args) }
    }

    /// A container image, by its reference.
    pub(super) fn image(reference: &str, args: &[Word<'_>]) -> Program {
        let name = reference.split('@').next().unwrap_or(reference);
        // A colon behind the last slash begins a tag, one before it a port.
        let name = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => name,
            _ => name,
        };
        let mut names = vec![name.to_owned()];
        add(&mut names, base(name));
        Program { kind: Kind::Image, text: reference.to_owned(), names, folder: None, args: owned(args) }
    }

    /// Code on the command line. A bare word behind it is the name its author gave it; a path is
    /// an argument.
    pub(super) fn inline(args: &[Word<'_>]) -> Program {
        let name = args
            .first()
            .filter(|word| !word.contains(['/', ' ']) && !word.starts_with('-') && stem(word) == &***word);
        Program {
            kind: Kind::Inline,
            text: String::new(),
            names: name.map(|name| vec![name.to_string()]).unwrap_or_default(),
            folder: None,
            args: owned(args),
        }
    }

    /// A task of a project; `dir` is the project's folder where the line names it.
    pub(super) fn task(name: &str, dir: Option<&str>, args: &[Word<'_>]) -> Program {
        let folder = dir.filter(|_| PLAIN_STEMS.contains(&name)).map(|dir| base(dir).to_owned());
        Program {
            kind: Kind::Task,
            text: name.to_owned(),
            names: vec![name.to_owned()],
            folder,
            args: owned(args),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_named_without_version_extras_and_address() {
        for (spec, name) in [
            ("notes", "notes"),
            ("notes@latest", "notes"),
            ("@a/notes", "@a/notes"),
            ("@a/notes@1.2.3", "@a/notes"),
            ("notes[cli]==1.0", "notes"),
            ("notes>=2", "notes"),
            ("npm:@a/notes@1/bin", "@a/notes"),
            ("jsr:@a/notes", "@a/notes"),
            ("git+https://host/u/notes.git@main", "notes"),
            ("github:u/notes#v1", "notes"),
            ("https://host/notes.tgz", "notes"),
            ("./tools/notes", "notes"),
            ("@", "@"),
            ("", ""),
        ] {
            assert_eq!(package_name(spec), name, "{spec}");
        }
    }

    #[test]
    fn a_script_is_named_by_its_package_its_file_or_its_folder() {
        for (path, first, folder) in [
            ("/n/node_modules/@a/notes/dist/index.js", "@a/notes", None),
            ("/n/node_modules/.bin/notes", "notes", None),
            ("/n/node_modules/.bin/../vite/bin/vite.js", "vite", None),
            ("/n/node_modules/.pnpm/x@1/node_modules/vite/bin/vite.js", "vite", None),
            ("/home/u/notes/dist/index.js", "index", Some("notes")),
            ("/home/u/notes/bin/Debug/net8.0/server.dll", "server", Some("notes")),
            ("/home/u/notes/notes.py", "notes", Some("notes")),
            ("/home/u/notes/seed.py", "seed", None),
            ("/home/notes/server.js", "server", None),
            ("dist/index.js", "index", None),
        ] {
            let program = Program::script(path, None, &[]);
            assert_eq!((program.names[0].as_str(), program.folder.as_deref()), (first, folder), "{path}");
        }
    }

    #[test]
    fn an_image_is_named_without_registry_port_tag_and_digest() {
        for (reference, full, short) in [
            ("notes", "notes", "notes"),
            ("a/notes:1", "a/notes", "notes"),
            ("host:5000/a/notes", "host:5000/a/notes", "notes"),
            ("ghcr.io/a/notes:1@sha256:00", "ghcr.io/a/notes", "notes"),
        ] {
            let program = Program::image(reference, &[]);
            assert_eq!(
                (program.names[0].as_str(), program.names.last().unwrap().as_str()),
                (full, short),
                "{reference}"
            );
        }
    }

    #[test]
    fn a_bare_word_behind_inline_code_is_its_name_and_a_path_is_not() {
        for (word, name) in [
            ("mcp-worker", Some("mcp-worker")),
            ("/opt/mcp-x/worker.js", None),
            ("mcp.js", None),
            ("-x", None),
        ] {
            assert_eq!(Program::inline(&[Word::from(word)]).names.first().map(String::as_str), name);
        }
    }
}
