//! Finds the entry of the person's client configurations from which a process was started.
//!
//! Command lines are resolved before they are compared, so `npx -y x a`, npm's title `npm exec x a` and `uv tool uvx x
//! a` need no special case here.

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
    /// The folder in which the client starts it, if the configuration names one. Relative paths are relative to it.
    /// Without it a relative path matches no entry.
    pub cwd: Option<String>,
}

/// The entries with their resolved programs, indexed by the plain name of the program.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: Vec<(Configured, Resolution)>,
    /// The indices of the entries. Those whose program has a placeholder in its name are under the empty name.
    by_name: HashMap<String, Vec<usize>>,
}

impl Index {
    pub(super) fn new(entries: Vec<Configured>) -> Index {
        let mut index = Index::default();
        for entry in entries {
            let words: Vec<Word<'_>> = entry.argv.iter().map(|word| Word::from(word.as_str())).collect();
            let seen = resolve_words(&words);
            // An entry such as `node`, `bash -l` or `${X}` would match too many processes.
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

    /// Can a process with this first word match any entry? This is a quick check.
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
        // A shell that runs more than the command of the entry is its owner.
        if seen.line.len() > 1 || seen.line.iter().any(|command| command.beside != Beside::Nothing) {
            return None;
        }
        let cwd = record.details.cwd.as_ref().map(RawText::to_text);
        // The executable counts only if no launcher or interpreter stands between.
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

/// A program's plain name; empty if it contains a placeholder.
fn key(text: &str) -> String {
    let name = stem(base(text));
    if name.contains('$') { String::new() } else { name.to_owned() }
}

/// Do both run under the same interpreter? If only one of them names an interpreter, it may be that of the other, too.
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

/// The working folder and the executable of a process, as far as they were read.
#[derive(Clone, Copy)]
struct Place<'r> {
    cwd: Option<&'r str>,
    exe: Option<&'r str>,
}

fn same_program(expected: &Program, from: Option<&str>, seen: &Program, place: Place<'_>) -> bool {
    let Place { cwd, exe } = place;
    let is_file = |program: &Program| matches!(program.kind, Kind::Script | Kind::Binary);
    // A console script or script file is a command in the configuration, but a script in the process's argv.
    let same_kind = expected.kind == seen.kind
        || expected.kind == Kind::Binary
            && seen.kind == Kind::Script
            && (expected.text.contains('/') || seen.text.contains('/'));
    if !same_kind {
        return false;
    }
    let same_folder = || from.is_some() && from.map(tidy) == cwd.map(tidy);
    if !is_file(expected) {
        // A task belongs to the project in which it is started, or which the command line names.
        let here = expected.kind == Kind::Task && expected.folders.is_empty();
        return matches_text(&expected.text, &seen.text)
            && expected.folders == seen.folders
            && (!here || same_folder());
    }
    if expected.kind == Kind::Binary && !expected.text.contains('/') {
        // The entry has a command that is found in PATH. The process has the same word, or is a script whose `#!` line
        // names an interpreter. A program of the same name in another folder is a different one.
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
    // A program can give itself any name, and a bare name does not show the folder of its file.
    let bare = seen.kind == Kind::Binary && !seen.text.contains('/');
    exe.is_some_and(|exe| matches_text(&expected, exe))
        || !bare && matches_text(&expected, &whole(&seen.text, cwd))
}

/// Does the path begin at the root, at the home, or with a placeholder?
fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '~', '$'])
}

fn same_arguments(expected: &[String], seen: &[String]) -> bool {
    let spaced = expected.iter().any(|word| word.contains(char::is_whitespace));
    // A title is split at every space.
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
