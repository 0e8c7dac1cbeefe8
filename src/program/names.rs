//! Takes names from paths and package specs.

use crate::word_list::{WordList, list};

/// File stems that many programs have. Such a program is named by the folder of its project.
pub(super) const PLAIN_STEMS: WordList = list!(
    "__main__ app bin bundle cli entry entrypoint index index.bundle init launch main main.bundle mod
    program quarkus-run run run_server serve server server-stdio start start-server start_server
    stdio stdio-server stdio_server"
);

/// Folders inside a project, such as `dist`. The project's own folder is above them.
const SHAPE_FOLDERS: WordList = list!(
    ".build app apps bin build bundle bundled cjs cli cmd compiled current debug dist esm js lib libs
    node node_modules out output packages publish python release server src stdio target ts
    typescript"
);

/// The last segment of a path.
pub(crate) fn base(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

/// A file name without the extension of a script or executable.
pub(crate) fn stem(file: &str) -> &str {
    const EXTENSIONS: WordList = list!(
        "R bash bat bin cjs cmd cts dart dll exe go jar js jsx kts lua mjs mts phar php pl ps1 py pyc
        pyz r rb sh ts tsx zsh"
    );
    match file.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && EXTENSIONS.contains(extension) => stem,
        _ => file,
    }
}

/// Is the path in a folder of installed programs? Then a file without an extension is a console script.
pub(crate) fn is_tool_dir(path: &str) -> bool {
    path.rsplit('/')
        .nth(1)
        .is_some_and(|folder| matches!(folder, "bin" | ".bin" | "sbin" | "Scripts" | "shims"))
}

/// How many folders above a file may name its project, not counting folders such as `dist`.
const REACH: usize = 3;

/// The folders that may name a file such as `/srv/notes-mcp/dist/index.js`, the innermost first.
/// Empty where the file's own name tells enough.
pub(crate) fn folders_of(path: &str) -> Vec<String> {
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let Some(file) = segments.pop() else { return Vec::new() };
    let stem = stem(file).to_ascii_lowercase();
    let folders = || {
        segments.iter().enumerate().rev().take_while(|(at, folder)| {
            // A home folder is a user's name, not a project's.
            let home = matches!(**folder, "home" | "Users" | "root" | "~" | "..");
            let parent = at.checked_sub(1).and_then(|at| segments.get(at));
            !home && !matches!(parent, Some(&"home" | &"Users"))
        })
    };
    let named = || folders().map(|(_, folder)| *folder).filter(|folder| !gives_shape(folder));
    // The main file of a project often has its name: weather-mcp/weather.py.
    let called_after = |folder: &str| {
        stem.len() >= 3 && folder.to_ascii_lowercase().split(['-', '_', '.']).any(|part| part == stem)
    };
    let plain = PLAIN_STEMS.contains(&stem) || serves(&stem) || named().next().is_some_and(called_after);
    if plain { named().take(REACH).map(str::to_owned).collect() } else { Vec::new() }
}

/// Does the name of a file say only that it serves, as `github_server` and `run-stdio` do, but not `dev-server`?
pub(crate) fn serves(stem: &str) -> bool {
    const OTHERS: WordList = list!("dev doc docs fake file mock preview static test vite web webpack");
    let mut words = stem.split(['-', '_', '.']);
    let first = words.next().unwrap_or_default();
    let last = words.next_back().unwrap_or_default();
    matches!(last, "server" | "stdio") && !OTHERS.contains(first)
}

/// Is it a folder inside a project, such as `dist` or .NET's `net8.0`?
fn gives_shape(folder: &str) -> bool {
    let lower = folder.to_ascii_lowercase();
    SHAPE_FOLDERS.contains(&lower)
        || lower.strip_prefix("net").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// A path without `.`, `..` and doubled slashes, as far as the text shows it.
pub(crate) fn tidy(path: &str) -> String {
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

/// Is a word a path or a file of code, rather than the name of a package or command?
pub(super) fn looks_like_file(word: &str) -> bool {
    word.starts_with(['/', '.', '~'])
        || (word.contains('/') && !word.starts_with('@'))
        || (stem(base(word)) != base(word))
}

/// The package of a spec, without version, extras, protocol and address.
/// `@a/b@1.2` is `@a/b`, `x[cli]==1` is `x`, `git+https://host/u/x.git@main` is `x`.
pub(super) fn package_name(spec: &str) -> &str {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_tidied_as_far_as_its_text_tells() {
        for (path, tidied) in [
            ("/srv/./notes//dist/../x.js", "/srv/notes/x.js"),
            ("a/../../b/../c", "../c"),
            ("../../x.js", "../../x.js"),
            ("./x.js", "x.js"),
        ] {
            assert_eq!(tidy(path), tidied, "{path}");
        }
    }

    #[test]
    fn a_file_is_distinguished_from_the_name_of_something() {
        for word in ["/x", "./x", "~/x", "src/x", "x.js", "@a/b/x.js"] {
            assert!(looks_like_file(word), "{word}");
        }
        for word in ["x", "@a/b", "x@1.2", "start:dev"] {
            assert!(!looks_like_file(word), "{word}");
        }
    }

    #[test]
    fn a_file_that_only_says_that_it_serves_is_named_by_its_folders() {
        for (path, folders) in [
            ("/home/u/notes/src/github_server.py", "notes"),
            ("/srv/a/notes/dist/run-stdio.js", "notes a srv"),
            ("/srv/notes/dev-server.js", ""),
            ("/srv/my-notes/notes.py", "my-notes srv"),
            ("/srv/notes/client.py", ""),
        ] {
            assert_eq!(folders_of(path).join(" "), folders, "{path}");
        }
    }

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
            ("@", ""),
            ("", ""),
        ] {
            assert_eq!(package_name(spec), name, "{spec}");
        }
    }
}
