//! Makes the [`Program`] of each kind, with its names.

use super::names::{PLAIN_STEMS, base, folders_of, package_name, stem, tidy};
use super::{Kind, Program, Word};

/// Adds a name that is not there yet.
fn add(names: &mut Vec<String>, name: &str) {
    if !name.is_empty() && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

fn owned(words: &[Word<'_>]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
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
        Program { kind: Kind::Package, text: specs.join(" "), names, folders: Vec::new(), args: owned(args) }
    }

    /// A script file. `dir` is the folder to which a relative path is relative, where it is known.
    pub(super) fn script(path: &str, dir: Option<&str>, args: &[Word<'_>]) -> Program {
        let path = path.strip_prefix("file://").unwrap_or(path);
        let full = match dir {
            Some(dir) if !path.starts_with('/') => tidy(&format!("{dir}/{path}")),
            _ => tidy(path),
        };
        let file = base(&full);
        let mut names = Vec::new();
        let mut folders = Vec::new();
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
            // A file with a plain name is named by its package alone. Any other name says which part of the package it is.
            if package == ".bin" || !PLAIN_STEMS.contains(stem(file)) {
                add(&mut names, stem(file));
            }
        } else {
            add(&mut names, stem(file));
            folders = folders_of(&full);
        }
        add(&mut names, file);
        Program { kind: Kind::Script, text: full, names, folders, args: owned(args) }
    }

    /// A module, by its dotted name. `dir` is the project's folder where it is known; it names modules such as `src.server`.
    pub(super) fn module(name: &str, dir: Option<&str>, args: &[Word<'_>]) -> Program {
        let name = name.split(':').next().unwrap_or(name);
        let mut names = vec![name.to_owned()];
        add(&mut names, name.split('.').next().unwrap_or(name));
        let folders = dir
            .map(|dir| folders_of(&tidy(&format!("{dir}/{}", name.replace('.', "/")))))
            .unwrap_or_default();
        Program { kind: Kind::Module, text: name.to_owned(), names, folders, args: owned(args) }
    }

    /// A binary without arguments, for comparing names.
    pub(crate) fn named(path: &str) -> Program {
        Program::binary(path, &[])
    }

    /// A binary, or a console script in a bin folder.
    pub(super) fn binary(path: &str, args: &[Word<'_>]) -> Program {
        let path = path.strip_prefix('-').unwrap_or(path);
        let mut names = Vec::new();
        add(&mut names, stem(base(path)));
        add(&mut names, base(path));
        let folders = if path.contains("node_modules/") { Vec::new() } else { folders_of(path) };
        Program { kind: Kind::Binary, text: path.to_owned(), names, folders, args: owned(args) }
    }

    /// A container image, by its reference.
    pub(super) fn image(reference: &str, args: &[Word<'_>]) -> Program {
        let name = reference.split('@').next().unwrap_or(reference);
        // A colon after the last slash begins a tag, one before it a port.
        let name = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => name,
            _ => name,
        };
        let mut names = vec![name.to_owned()];
        add(&mut names, base(name));
        Program {
            kind: Kind::Image,
            text: reference.to_owned(),
            names,
            folders: Vec::new(),
            args: owned(args),
        }
    }

    /// Code on the command line. A bare word after it is taken as the name that its author gave it, a path as an argument.
    pub(super) fn inline(args: &[Word<'_>]) -> Program {
        let name = args
            .first()
            .filter(|word| !word.contains(['/', ' ']) && !word.starts_with('-') && stem(word) == &***word);
        Program {
            kind: Kind::Inline,
            text: String::new(),
            names: name.map(|name| vec![name.to_string()]).unwrap_or_default(),
            folders: Vec::new(),
            args: owned(args),
        }
    }

    /// A task of a project. `dir` is the project's folder where it is known.
    pub(super) fn task(name: &str, dir: Option<&str>, args: &[Word<'_>]) -> Program {
        let folders = dir.map(|dir| folders_of(&tidy(&format!("{dir}/{name}")))).unwrap_or_default();
        Program {
            kind: Kind::Task,
            text: name.to_owned(),
            names: vec![name.to_owned()],
            folders,
            args: owned(args),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
            assert_eq!(
                (program.names[0].as_str(), program.folders.first().map(String::as_str)),
                (first, folder),
                "{path}"
            );
        }
    }

    #[test]
    fn a_file_of_a_package_goes_by_the_package_and_by_its_own_name_if_that_says_something() {
        for (path, names) in [
            ("/n/node_modules/@a/notes/dist/index.js", "@a/notes notes index.js"),
            ("/n/node_modules/notes/bin/worker.js", "notes worker worker.js"),
            ("/n/node_modules/.bin/cli", "cli"),
            ("/n/node_modules/.bin/notes.cmd", "notes notes.cmd"),
            ("/home/u/notes/dist/index.js", "index index.js"),
        ] {
            assert_eq!(Program::script(path, None, &[]).names.join(" "), names, "{path}");
        }
    }

    #[test]
    fn a_relative_script_counts_from_the_folder_of_the_line() {
        for (path, text) in [
            ("dist/x.js", "/srv/b/dist/x.js"),
            ("../c/x.js", "/srv/c/x.js"),
            ("/opt/x.js", "/opt/x.js"),
            ("file:///opt/x.js", "/opt/x.js"),
        ] {
            assert_eq!(Program::script(path, Some("/srv/b"), &[]).text, text, "{path}");
        }
    }

    #[test]
    fn a_binary_is_named_by_its_folder_only_where_that_is_a_project() {
        for (path, folders) in [
            ("/srv/notes/target/release/server", "notes srv"),
            ("/srv/notes/node_modules/.bin/server", ""),
            ("server", ""),
        ] {
            assert_eq!(Program::binary(path, &[]).folders.join(" "), folders, "{path}");
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
