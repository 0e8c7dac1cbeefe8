//! Entries of the person's MCP client configs: which process was started from which.
//!
//! Command lines are compared by what they resolve to, so that `npx -y x a`, npm's title
//! `npm exec x a` and `uv tool uvx x a` need no knowledge of their own here.

use std::collections::HashMap;

use super::placeholders::{literal, matches_text};
use crate::bytes::{RawText, to_text};
use crate::process::ProcessRecord;
use crate::program::{
    Beside, Kind, LayerKind, Program, Resolution, Word, base, is_tool, is_tool_dir, resolve_words, stem, tidy,
};

/// One `command` + `args` of a client's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configured {
    /// The client, such as `claude-code`.
    pub client: String,
    /// The entry's name there.
    pub entry: String,
    /// Command and arguments. `${VAR}`, `${VAR:-x}` and `$VAR` stand for any text.
    pub argv: Vec<String>,
    /// The folder that the client starts it in, where the configuration says so: a relative path
    /// counts from there. Without it a relative path belongs to no entry.
    pub cwd: Option<String>,
}

/// The entries with what they run, found by the program's plain name.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: Vec<(Configured, Resolution)>,
    /// Those whose program has a placeholder in its name are under the empty one.
    by_name: HashMap<String, Vec<usize>>,
}

impl Index {
    pub(super) fn new(entries: Vec<Configured>) -> Index {
        let mut index = Index::default();
        for entry in entries {
            let words: Vec<Word<'_>> = entry.argv.iter().map(|word| Word::from(word.as_str())).collect();
            let seen = resolve_words(&words);
            // `node`, `bash -l`, `${X}`: any of them would match.
            let telling = |program: &Program| {
                let own = literal(&program.text);
                program.kind != Kind::Inline && own.bytes().filter(u8::is_ascii_alphanumeric).count() > 2
            };
            let Some(program) = seen.program.as_ref().filter(|program| telling(program)) else { continue };
            index.by_name.entry(key(&program.text)).or_default().push(index.entries.len());
            index.entries.push((entry, seen));
        }
        index
    }

    /// The quick test: whether a process with this first word can be one of them at all.
    pub(super) fn may_hold(&self, first: &[u8]) -> bool {
        let first = to_text(first);
        let name = base(first.split(' ').next().unwrap_or_default());
        is_tool(name)
            || self.by_name.contains_key("")
            || self.by_name.contains_key(stem(name))
            || first.contains(' ') && self.by_name.contains_key(stem(base(&first)))
    }

    /// The entry that a process was started from.
    pub(super) fn find(&self, record: &ProcessRecord, seen: &Resolution) -> Option<&Configured> {
        let program = seen.program.as_ref()?;
        // A shell that runs more than the entry is its owner.
        if seen.line.len() > 1 || seen.line.iter().any(|command| command.beside != Beside::Nothing) {
            return None;
        }
        let cwd = record.details.cwd.as_ref().map(RawText::to_text);
        // The file of the program itself, where nothing stands between.
        let exe = record.details.exe.as_ref().filter(|_| seen.layers.is_empty()).map(RawText::to_text);
        let place = Place { cwd: cwd.as_deref(), exe: exe.as_deref() };
        let own = self.by_name.get(&key(&program.text)).into_iter().flatten();
        own.chain(self.by_name.get("").into_iter().flatten())
            .filter_map(|at| self.entries.get(*at))
            .find(|(entry, configured)| {
                let same = |expected: &Program| {
                    same_program(expected, entry.cwd.as_deref(), program, place)
                        && same_arguments(&expected.args, &program.args)
                };
                same_runtime(configured, seen) && configured.program.as_ref().is_some_and(same)
            })
            .map(|(entry, _)| entry)
    }
}

/// A program's plain name; empty where it holds a placeholder.
fn key(text: &str) -> String {
    let name = stem(base(text));
    if name.contains('$') { String::new() } else { name.to_owned() }
}

/// Not node here and bun there; where only one of the two names an interpreter, it may be the other's too.
fn same_runtime(expected: &Resolution, seen: &Resolution) -> bool {
    let runtime = |seen: &Resolution| {
        let layer = seen.layers.iter().rev().find(|layer| layer.kind == LayerKind::Interpreter)?;
        Some(if layer.tool == "nodejs" { "node".to_owned() } else { layer.tool.clone() })
    };
    match (runtime(expected), runtime(seen)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// Where a process runs, and from which file, as far as that was read.
#[derive(Clone, Copy)]
struct Place<'r> {
    cwd: Option<&'r str>,
    exe: Option<&'r str>,
}

fn same_program(expected: &Program, from: Option<&str>, seen: &Program, place: Place<'_>) -> bool {
    let Place { cwd, exe } = place;
    let is_file = |program: &Program| matches!(program.kind, Kind::Script | Kind::Binary);
    // A console script or a script file is a command in the configuration and a script to its process.
    let same_kind = expected.kind == seen.kind
        || expected.kind == Kind::Binary
            && seen.kind == Kind::Script
            && (expected.text.contains('/') || seen.text.contains('/'));
    if !same_kind {
        return false;
    }
    let same_folder = || from.is_some() && from.map(tidy) == cwd.map(tidy);
    if !is_file(expected) {
        // A task is one of the project that it is started in, or that the line names.
        let here = expected.kind == Kind::Task && expected.folders.is_empty();
        return matches_text(&expected.text, &seen.text)
            && expected.folders == seen.folders
            && (!here || same_folder());
    }
    if expected.kind == Kind::Binary && !expected.text.contains('/') {
        // A command that PATH led to: it is called as it was written, or is a script whose `#!` line named an
        // interpreter. A program of the same name elsewhere is another.
        return match seen.kind {
            Kind::Script => is_tool_dir(&seen.text) && matches_text(&expected.text, base(&seen.text)),
            _ => matches_text(&expected.text, &seen.text),
        };
    }
    if !is_absolute(&expected.text) && !same_folder() {
        return false;
    }
    let whole = |text: &str, dir: Option<&str>| match dir {
        Some(dir) if !is_absolute(text) => tidy(&format!("{dir}/{text}")),
        _ => text.to_owned(),
    };
    let expected = whole(&expected.text, from);
    // What a program calls itself may be any text; a bare name does not show where its file lies.
    let bare = seen.kind == Kind::Binary && !seen.text.contains('/');
    exe.is_some_and(|exe| matches_text(&expected, exe))
        || !bare && matches_text(&expected, &whole(&seen.text, cwd))
}

/// From the root, the home, or what a placeholder stands for.
fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '~', '$'])
}

fn same_arguments(expected: &[String], seen: &[String]) -> bool {
    let spaced = expected.iter().any(|word| word.contains(char::is_whitespace));
    // A title was split at every space.
    let split = |word: &String| word.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let words: Vec<String> = if spaced && expected.len() != seen.len() {
        expected.iter().flat_map(split).collect()
    } else {
        expected.to_vec()
    };
    words.len() == seen.len() && words.iter().zip(seen).all(|(pattern, word)| matches_text(pattern, word))
}

#[cfg(test)]
mod tests;
