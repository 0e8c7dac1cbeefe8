//! The architecture: arrows between layers point down only, no files form a circle, and no file or function is too large.
//!
//! `crate::x` in a file under src/ is an arrow to module x. Each edge stands before one outside thing;
//! edges share `os` and do not know each other.

#![allow(clippy::unwrap_used)]

mod modules;

use std::fs;
use std::path::{Path, PathBuf};

use modules::Graph;

/// Top-level modules by layer, lowest first.
const LAYERS: [&[&str]; 9] = [
    &["bytes", "exit", "process", "redact", "units", "word_list"],
    &["marker", "pattern", "tree"],
    &["program", "catalog", "policy", "roles", "look"],
    &["instance", "classify", "containers"],
    &["health", "history", "plan", "reap"],
    &["os"],
    &["audit", "clients", "config", "diagnostics", "guard", "hook", "render", "schedule", "services", "sys"],
    &["commands"],
    &["cli"],
];

/// The edges, each of which stands before one outside thing.
const EDGES: usize = 6;

/// `commands` takes what was typed, the layer above it, as its input, and `main` calls it.
const ALLOWED_UP: [(&str, &str); 1] = [("commands", "cli")];

/// About 300 lines is one file; tests inside a file do not count.
const LARGEST_FILE: usize = 320;

/// A function is read on one screen.
const LONGEST_FUNCTION: usize = 60;

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn all_files() -> Vec<(String, String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&src, &mut paths);
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
            let module = name.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
            (name, module, text)
        })
        .collect()
}

/// A file up to the tests inside it. `mod tests;` only names a file of its own, and may stand first.
fn without_tests(text: &str) -> &str {
    let mut marks = text.match_indices("#[cfg(test)]");
    let inside = |(at, _): &(usize, &str)| {
        let item = text[*at..].lines().find(|line| !line.trim_start().starts_with("#["));
        item.is_some_and(|item| item.ends_with('{'))
    };
    marks.find(inside).map_or(text, |(at, _)| &text[..at])
}

/// The code of a file without its tests and comments.
fn code(text: &str) -> String {
    without_tests(text)
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Every `crate::x` and `crate::{x, y}` in some code.
fn arrows(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for part in code.split("crate::").skip(1) {
        match part.strip_prefix('{') {
            None => found.push(word(part)),
            Some(list) => {
                found.extend(list.split('}').next().unwrap().split(',').map(|item| word(item.trim())));
            }
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn every_module_has_a_layer() {
    for (name, module, _) in all_files() {
        if !matches!(module.as_str(), "main" | "lib") {
            assert!(layer(&module).is_some(), "{name}: module `{module}` stands on no layer");
        }
    }
}

#[test]
fn arrows_point_down_only() {
    for (name, module, text) in all_files() {
        let Some(from) = layer(&module) else { continue };
        for to in arrows(&code(&text)) {
            let Some(below) = layer(&to) else { continue };
            let inside = to == module;
            let allowed = ALLOWED_UP.contains(&(module.as_str(), to.as_str()));
            assert!(
                inside || allowed || below <= from,
                "{name} (layer {from}) points up at {to} (layer {below})"
            );
            // Edges share `os` and do not know each other.
            assert!(inside || from != EDGES || below != EDGES, "{name} knows its neighbour {to}");
            assert!(inside || module != "os" || below == 0, "{name} knows {to}: os is to know data only");
        }
    }
}

#[test]
fn no_file_is_too_large() {
    for (name, _, text) in all_files() {
        if name.ends_with("tests.rs") {
            continue;
        }
        let lines = without_tests(&text).lines().count();
        assert!(lines <= LARGEST_FILE, "{name} has {lines} lines: is it two files?");
    }
}

/// Every function with its first line and how many lines it has. rustfmt puts the end of each under its beginning.
fn functions(text: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let item = line.trim_start();
        let begins = item.starts_with("fn ") || item.starts_with("pub") && item.contains(" fn ");
        if begins && !item.ends_with(';') && !item.ends_with('}') {
            let ends = |end: &&str| end.trim() == "}" && indent(end) == indent(line);
            let length = lines[at..].iter().position(ends).unwrap_or(lines.len());
            found.push((item, length + 1));
        }
    }
    found
}

#[test]
fn no_function_is_longer_than_a_screen() {
    for (name, _, text) in all_files() {
        if name.contains("tests") {
            continue;
        }
        for (first, lines) in functions(without_tests(&text)) {
            assert!(lines <= LONGEST_FUNCTION, "{name}: {lines} lines in `{first}`");
        }
    }
}

#[test]
fn no_files_lead_to_each_other() {
    let sources = all_files().into_iter().filter(|(name, ..)| name != "main.rs" && !name.contains("tests"));
    let circles = Graph::new(sources.map(|(name, _, text)| (name, code(&text)))).circles();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn a_circle_is_found_through_what_is_passed_on_and_passing_on_is_none() {
    let circles = |files: &[(&str, &str)]| {
        Graph::new(files.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned()))).circles().len()
    };
    let facade =
        ("a/mod.rs", "mod b;\nmod c;\npub use b::Type;\npub(super) use self::c::{call, Other as More};");
    let lib = ("lib.rs", "pub mod a;\npub mod d;");
    let d = ("d.rs", "use crate::a::{self, More};\nfn f() { a::call(\"crate::a\") }");
    let below = ("a/c.rs", "use super::b::Type;\npub fn call() {}\npub struct Other;");
    assert_eq!(circles(&[lib, facade, d, below, ("a/b.rs", "pub struct Type;")]), 0);
    for back in ["use super::More;", "fn f() { super::c::call() }", "fn f() { crate::d::f() }"] {
        assert_eq!(circles(&[lib, facade, d, below, ("a/b.rs", back)]), 1, "{back}");
    }
    let parent = ("a/mod.rs", "mod b;\npub struct Type;\nfn f() { b::f() }");
    assert_eq!(circles(&[lib, parent, ("d.rs", ""), ("a/b.rs", "pub fn f() {}")]), 0);
    assert_eq!(circles(&[lib, parent, ("d.rs", ""), ("a/b.rs", "use super::Type;")]), 1);
}

#[test]
fn unsafe_code_stands_in_few_files() {
    for (name, _, text) in all_files() {
        if !matches!(name.as_str(), "sys/macos/ffi.rs" | "sys/linux/ffi.rs" | "guard/ffi.rs" | "main.rs") {
            let code = code(&text);
            assert!(!code.contains("unsafe {") && !code.contains("allow(unsafe_code)"), "{name} is unsafe");
        }
    }
}

#[test]
fn signals_are_sent_in_one_place() {
    for (name, _, text) in all_files() {
        let code = code(&text);
        let sends = ["pidfd_send_signal(", "kill_process(", "libc::kill(", "signal::kill(", "killpg("];
        for call in sends {
            assert!(
                !code.contains(call) || name.starts_with("sys/"),
                "{name} calls {call}...) outside src/sys"
            );
        }
    }
}

#[test]
fn nothing_goes_over_a_network() {
    for (name, _, text) in all_files() {
        if name.contains("tests") {
            continue;
        }
        let code = code(&text);
        for call in
            ["TcpStream", "TcpListener", "UdpSocket", "ToSocketAddrs", "connect(", "AddressFamily::Inet"]
        {
            assert!(!code.contains(call), "{name} uses {call}");
        }
        // The kernel's own list of sockets, sock_diag(7), is asked over a socket that reaches nothing else.
        let families = code.matches("AddressFamily::").count();
        assert_eq!(
            families,
            code.matches("AddressFamily::Netlink").count(),
            "{name}: a socket of another family"
        );
    }
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    for package in ["hyper", "reqwest", "ureq", "curl", "rustls", "native-tls", "openssl", "tokio", "socket2"]
    {
        assert!(!lock.contains(&format!("name = \"{package}\"")), "{package} would bring a network client");
    }
}

#[test]
fn judgement_reads_neither_clock_nor_files() {
    for (name, module, text) in all_files() {
        if layer(&module).is_none_or(|layer| layer >= EDGES - 1) || name.ends_with("tests.rs") {
            continue;
        }
        let code = code(&text);
        for outside in
            ["std::fs", "std::env", "std::net", "process::Command", "SystemTime", "Instant::now", "Utc::now"]
        {
            assert!(!code.contains(outside), "{name} (below the edges) uses {outside}");
        }
    }
}

#[test]
fn the_reader_of_arrows_sees_them() {
    assert_eq!(arrows("use crate::{sys, audit::AuditEvent};\ncrate::plan::Plan"), ["sys", "audit", "plan"]);
    assert_eq!(layer("plan"), Some(4));
    let file = "mod a;\n#[cfg(test)]\nmod tests;\nuse crate::sys;\n#[cfg(test)]\n#[allow(x)]\nmod more {\nuse crate::cli;";
    assert_eq!(arrows(&code(file)), ["sys"]);
}
