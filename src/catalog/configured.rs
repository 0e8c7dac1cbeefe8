//! Entries of the person's MCP client configs: which process was started from which.

use std::collections::HashMap;

use super::placeholders::{literal, matches_text};
use crate::program::{LayerKind, base, is_tool, resolve_words, stem};

/// One `command` + `args` of a client's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configured {
    /// The client, such as `claude-code`.
    pub client: String,
    /// The entry's name there.
    pub entry: String,
    /// Command and arguments. `${VAR}`, `${VAR:-x}` and `$VAR` stand for any text.
    pub argv: Vec<String>,
}

/// The entries, each under the forms its process can have, found by the first word's plain name.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: Vec<Configured>,
    forms: HashMap<String, Vec<Form>>,
}

/// One way a process of an entry looks.
#[derive(Debug)]
struct Form {
    entry: usize,
    /// The first word: its name only, or also the path it was given by.
    path: Option<String>,
    rest: Vec<String>,
    /// Shown by an interpreter: `node /x/bin/tool args` for `tool args`.
    under_interpreter: bool,
    /// The interpreter lies below this folder: the child of `uv --directory D run x.py`.
    below: Option<String>,
    launches: bool,
}

impl Index {
    pub(super) fn new(entries: Vec<Configured>) -> Index {
        let mut index = Index { entries, forms: HashMap::new() };
        for at in 0..index.entries.len() {
            index.add(at);
        }
        index
    }

    fn add(&mut self, entry: usize) {
        let Some(configured) = self.entries.get(entry) else { return };
        let Some((command, args)) = configured.argv.split_first() else { return };
        let args = args.to_vec();
        let words: Vec<_> =
            configured.argv.iter().map(|word| std::borrow::Cow::from(word.as_str())).collect();
        let seen = resolve_words(&words);
        // `node`, `bash -l`: any of them would match. Some word must tell this one from others.
        let telling = |word: &String| {
            !word.starts_with('-') && literal(word).bytes().filter(u8::is_ascii_alphanumeric).count() > 2
        };
        let interpreted = !seen.layers.is_empty();
        if (interpreted && !args.iter().any(telling)) || (!interpreted && !telling(command)) {
            return;
        }
        let launches = seen.is_launched();
        let shell_file =
            seen.layers.last().is_some_and(|layer| layer.kind == LayerKind::Shell) || has_shell_name(command);
        let path = command.contains('/').then(|| command.clone());
        let plain = Form {
            entry,
            path,
            rest: args.clone(),
            under_interpreter: false,
            below: None,
            launches: launches || shell_file,
        };
        let key = family(command);
        // uvx replaces itself by `uv tool uvx`, npx writes `npm exec` without its own options.
        let rewritten = match key.as_str() {
            "uvx" => Some(("uv", [vec!["tool".to_owned(), "uvx".to_owned()], args.clone()].concat())),
            "npx" => Some(("npm", [vec!["exec".to_owned()], past_own_options(&args).to_vec()].concat())),
            "npm" if args.first().is_some_and(|word| word == "exec" || word == "x") => Some((
                "npm",
                [vec!["exec".to_owned()], past_own_options(args.get(1..).unwrap_or_default()).to_vec()]
                    .concat(),
            )),
            _ => None,
        };
        if let Some((tool, rest)) = rewritten {
            let form =
                Form { entry, path: None, rest, under_interpreter: false, below: None, launches: true };
            self.forms.entry(tool.to_owned()).or_default().push(form);
        }
        // The interpreter that `uv run` starts below its folder.
        if key == "uv"
            && let Some(dir) = args
                .iter()
                .position(|word| word == "--directory" || word == "--project")
                .and_then(|at| args.get(at + 1))
            && let Some(run) = args.iter().position(|word| word == "run")
            && let Some(rest) =
                args.get(run + 1..).filter(|rest| rest.first().is_some_and(|word| word.ends_with(".py")))
        {
            let form = Form {
                entry,
                path: None,
                rest: rest.to_vec(),
                under_interpreter: false,
                below: Some(dir.clone()),
                launches: false,
            };
            self.forms.entry("python".to_owned()).or_default().push(form);
        }
        if !interpreted {
            let form = Form {
                entry,
                path: plain.path.clone(),
                rest: args,
                under_interpreter: true,
                below: None,
                launches: shell_file,
            };
            self.forms.entry(format!("*{key}")).or_default().push(form);
        }
        self.forms.entry(key).or_default().push(plain);
    }

    /// The entry a process was started from, and whether it is the launcher.
    pub(super) fn find(&self, words: &[&str]) -> Option<(&Configured, bool)> {
        let (first, rest) = words.split_first()?;
        // npm's title is one string.
        let title: Vec<&str>;
        let (first, rest) = match first.starts_with("npm ") && rest.is_empty() {
            true => {
                title = first.split_whitespace().collect();
                (*title.first()?, title.get(1..)?)
            }
            false => (*first, rest),
        };
        let plain =
            self.forms.get(&family(first)).into_iter().flatten().find(|form| form.matches(first, rest));
        let form = plain.or_else(|| {
            let (script, rest) = rest.split_first()?;
            let forms = self.forms.get(&format!("*{}", family(script)))?;
            forms
                .iter()
                .find(|form| form.under_interpreter && script.contains('/') && form.matches(script, rest))
        })?;
        Some((self.entries.get(form.entry)?, form.launches))
    }
}

impl Form {
    fn matches(&self, first: &str, rest: &[&str]) -> bool {
        // An interpreter may lie anywhere (`node`, `/usr/bin/node`), a program of one's own may not.
        let same_place = match &self.path {
            Some(path) if first.contains('/') && !is_tool(first) => matches_text(path, first),
            _ => true,
        };
        let below = self
            .below
            .as_ref()
            .is_none_or(|dir| first.starts_with(&format!("{}/", dir.trim_end_matches('/'))));
        let words: Vec<String> = if self.rest.iter().any(|word| word.contains(char::is_whitespace))
            && rest.len() != self.rest.len()
        {
            // A title was split at every space.
            self.rest.iter().flat_map(|word| word.split_whitespace()).map(str::to_owned).collect()
        } else {
            self.rest.clone()
        };
        same_place
            && below
            && words.len() == rest.len()
            && words.iter().zip(rest).all(|(pattern, word)| matches_text(pattern, word))
    }
}

/// A command's plain name, without path, extension and version: what `npx`, `/usr/bin/npx` and
/// `npx.cmd` have in common.
fn family(command: &str) -> String {
    let name = stem(base(command));
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    match plain {
        "python" | "Python" | "pypy" => "python".to_owned(),
        "node" | "nodejs" => "node".to_owned(),
        _ => name.to_owned(),
    }
}

fn has_shell_name(command: &str) -> bool {
    [".sh", ".bash", ".zsh"].iter().any(|end| command.ends_with(end))
}

/// npm takes these away before it writes the title.
fn past_own_options(args: &[String]) -> &[String] {
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        at += match arg.as_str() {
            "-p" | "--package" | "-c" | "--call" | "-w" | "--workspace" | "--registry" | "--cache"
            | "--prefix" | "--loglevel" => 2,
            option if option.starts_with('-') => 1,
            _ => break,
        };
    }
    args.get(at..).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found(entry: &[&str], process: &[&str]) -> Option<bool> {
        let argv = entry.iter().map(|word| (*word).to_owned()).collect();
        let index = Index::new(vec![Configured { client: "c".into(), entry: "e".into(), argv }]);
        index.find(process).map(|(_, launches)| launches)
    }

    #[test]
    fn a_process_is_known_by_the_entry_it_was_started_from() {
        for (entry, process, launches) in [
            (&["node", "/x/i.js", "a"][..], &["node", "/x/i.js", "a"][..], false),
            (&["node", "/x/i.js"], &["/usr/local/bin/node", "/x/i.js"], false),
            (&["/usr/bin/python3", "x.py"], &["python3.12", "x.py"], false),
            (&["npx", "-y", "notes", "/x"], &["npm exec notes /x"], true),
            (&["npx", "-y", "notes", "a b"], &["npm exec notes a b"], true),
            (&["npx", "-y", "notes"], &["npx", "-y", "notes"], true),
            (&["uvx", "notes"], &["/home/u/.local/bin/uv", "tool", "uvx", "notes"], true),
            (&["notes-tool", "-a"], &["/x/bin/python", "/x/bin/notes-tool", "-a"], false),
            (&["/x/start.sh"], &["/bin/sh", "/x/start.sh"], true),
            (&["node", "${ROOT}/i.js"], &["node", "/any/where/i.js"], false),
            (
                &["docker", "run", "-e", "K=${K:-none}", "notes"],
                &["docker", "run", "-e", "K=1", "notes"],
                true,
            ),
            (&["~/bin/notes"], &["/home/u/bin/notes"], false),
            (&["$HOME/bin/notes", "-v"], &["/home/u/bin/notes", "-v"], false),
            (&["uv", "--directory", "/w", "run", "w.py"], &["/w/.venv/bin/python", "w.py"], false),
            (&["uv", "--project", "/w/", "run", "w.py"], &["/w/.venv/bin/python", "w.py"], false),
            (&["npm", "exec", "-y", "notes"], &["npm exec notes"], true),
            (&["npm", "x", "--", "notes"], &["npm exec notes"], true),
            (&["/opt/my notes/tool"], &["/opt/my notes/tool"], false),
            (&["node", "abc"], &["node", "abc"], false),
            (&["/opt/node/bin/node", "x.js"], &["/usr/bin/node", "x.js"], false),
            (&["/x/bin/notes-tool", "-a"], &["notes-tool", "-a"], false),
            (&["node", "/x/i.js"], &["/usr/bin/nodejs", "/x/i.js"], false),
            (&["node", "/my dir/i.js"], &["node", "/my dir/i.js"], false),
            (&["npx", "--registry", "https://r.example", "-y", "notes"], &["npm exec notes"], true),
        ] {
            assert_eq!(found(entry, process), Some(launches), "{entry:?} {process:?}");
        }
    }

    #[test]
    fn no_other_process_is() {
        for (entry, process) in [
            (&["node", "/x/i.js"][..], &["node", "/y/i.js"][..]),
            (&["node", "/x/i.js"], &["node", "/x/i.js", "more"]),
            (&["node", "/x/i.js", "more"], &["node", "/x/i.js"]),
            (&["node", "/x/i.js"], &["vim", "/x/i.js"]),
            (&["node", "/x/i.js"], &["bun", "/x/i.js"]),
            (&["npx", "-y", "notes"], &["npm install notes"]),
            (&["npm", "run", "notes"], &["npm exec notes"]),
            (&["node", "ab"], &["node", "ab"]),
            (&["uvx", "notes"], &["uv", "tool", "install", "notes"]),
            (&["/x/notes"], &["/y/notes"]),
            (&["/x/bin/notes"], &["/y/bin/notes"]),
            (&["/x/start.sh"], &["/bin/sh", "/y/start.sh"]),
            (&["notes-tool"], &["python", "notes-tool"]),
            (&["uv", "--directory", "/w", "run", "w.py"], &["/v/.venv/bin/python", "w.py"]),
            // Entries that would match anything.
            (&["node"], &["node"]),
            (&["bash", "-l"], &["bash", "-l"]),
            (&["node", "${X}"], &["node", "/srv/shop.js"]),
            (&["${X}"], &["/usr/bin/anything"]),
            (&[], &["node"]),
            (&["node", "/x/i.js"], &[]),
        ] {
            assert_eq!(found(entry, process), None, "{entry:?} {process:?}");
        }
    }
}
