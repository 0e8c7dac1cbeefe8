//! The files of `src` as a graph: an arrow for every path that leads from one file to another.
//!
//! A path is followed through re-exports to the file that defines what it names, so a `mod.rs` that only re-exports its
//! children is no part of a circle.

use std::collections::{BTreeMap, BTreeSet};

/// A module's path, from the crate's root.
pub(crate) type Module = Vec<String>;

/// What one file says of others.
#[derive(Default)]
struct Paths {
    /// Names brought in by `use`, with their paths, and whether they are passed on (`pub use`).
    uses: Vec<(String, Vec<String>, bool)>,
    /// Paths in the code.
    others: Vec<Vec<String>>,
}

/// All files and their arrows.
pub(crate) struct Graph {
    files: BTreeMap<Module, Paths>,
}

impl Graph {
    /// From the names of files below `src` and their code without tests and comments.
    pub(crate) fn new(sources: impl IntoIterator<Item = (String, String)>) -> Graph {
        let files = sources.into_iter().map(|(name, code)| (module(&name), Paths::read(&tokens(&code))));
        Graph { files: files.collect() }
    }

    /// Every set of files that lead to each other.
    pub(crate) fn circles(&self) -> Vec<BTreeSet<String>> {
        let arrows: BTreeMap<&Module, BTreeSet<Module>> =
            self.files.keys().map(|module| (module, self.arrows(module))).collect();
        let reachable = |from: &Module| {
            let mut seen: BTreeSet<&Module> = BTreeSet::new();
            let mut waiting: Vec<&Module> = arrows[from].iter().collect();
            while let Some(module) = waiting.pop() {
                if seen.insert(module) {
                    waiting.extend(&arrows[module]);
                }
            }
            seen
        };
        let reach: BTreeMap<&Module, BTreeSet<&Module>> =
            self.files.keys().map(|module| (module, reachable(module))).collect();
        let on_a_circle = reach.iter().filter(|(module, seen)| seen.contains(*module));
        let with_others = on_a_circle.map(|(module, seen)| {
            seen.iter().filter(|other| reach[**other].contains(module)).map(|other| other.join("/")).collect()
        });
        with_others.collect::<BTreeSet<BTreeSet<String>>>().into_iter().collect()
    }

    fn arrows(&self, from: &Module) -> BTreeSet<Module> {
        let paths = &self.files[from];
        let mut found = BTreeSet::new();
        for (_, path, passed_on) in &paths.uses {
            let Some(to) = self.absolute(from, path).map(|path| self.defined_in(&path, 0)) else { continue };
            // `pub use child::Type` only passes on.
            if !(*passed_on && to.starts_with(from)) {
                found.insert(to);
            }
        }
        for path in &paths.others {
            let alias = paths.uses.iter().find(|(name, ..)| *name == path[0]);
            let path = alias.map_or(path.clone(), |(_, start, _)| [start, &path[1..]].concat());
            found.extend(self.absolute(from, &path).map(|path| self.defined_in(&path, 0)));
        }
        found.remove(from);
        found.remove(&Module::new());
        found
    }

    /// A path from the crate's root; `None` for what lies outside of the crate or is no module of this file.
    fn absolute(&self, from: &Module, path: &[String]) -> Option<Vec<String>> {
        match path[0].as_str() {
            "crate" => Some(path[1..].to_vec()),
            "super" | "self" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let rest = path.iter().skip_while(|part| matches!(part.as_str(), "super" | "self")).cloned();
                Some(from[..from.len().checked_sub(ups)?].iter().cloned().chain(rest).collect())
            }
            first => {
                let child = [from.as_slice(), &[first.to_owned()]].concat();
                self.files.contains_key(&child).then(|| [from.as_slice(), path].concat())
            }
        }
    }

    /// The file that defines what stands at a path.
    fn defined_in(&self, path: &[String], depth: usize) -> Module {
        let mut at = Module::new();
        for (number, part) in path.iter().enumerate() {
            let below = [at.as_slice(), std::slice::from_ref(part)].concat();
            if self.files.contains_key(&below) {
                at = below;
                continue;
            }
            let alias = self.files[&at].uses.iter().find(|(name, ..)| name == part && depth < 8);
            let target = alias.and_then(|(_, target, _)| self.absolute(&at, target));
            return match target {
                Some(target) => self.defined_in(&[&target, &path[number + 1..]].concat(), depth + 1),
                None => at,
            };
        }
        at
    }
}

fn module(file: &str) -> Module {
    let name = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if name == "lib" { Module::new() } else { name.split('/').map(str::to_owned).collect() }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// Names, `::` and single signs; the contents of string literals are left out.
fn tokens(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let length = match first {
            _ if word > 0 => word,
            ':' if rest.starts_with("::") => 2,
            '"' => {
                let mut escaped = false;
                let ends = |c: char| {
                    let end = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    end
                };
                rest[1..].find(ends).map_or(rest.len(), |end| end + 2)
            }
            _ => first.len_utf8(),
        };
        if !first.is_whitespace() {
            found.push(&rest[..length]);
        }
        rest = &rest[length..];
    }
    found
}

impl Paths {
    fn read(tokens: &[&str]) -> Paths {
        let mut paths = Paths::default();
        let mut at = 0;
        while at < tokens.len() {
            let before = at.checked_sub(1).map_or("", |before| tokens[before]);
            if tokens[at] == "use" {
                let passed_on = matches!(before, "pub" | ")");
                at = paths.read_use(tokens, at + 1, Vec::new(), passed_on);
            } else if is_name(tokens[at])
                && tokens.get(at + 1) == Some(&"::")
                && !matches!(before, "::" | "in")
            {
                let mut path = vec![tokens[at].to_owned()];
                while tokens.get(at + 1) == Some(&"::")
                    && tokens.get(at + 2).is_some_and(|next| is_name(next))
                {
                    path.push(tokens[at + 2].to_owned());
                    at += 2;
                }
                paths.others.push(path);
            }
            at += 1;
        }
        paths
    }

    /// One tree of a `use`; returns where it ends.
    fn read_use(&mut self, tokens: &[&str], mut at: usize, mut path: Vec<String>, passed_on: bool) -> usize {
        loop {
            match tokens[at] {
                "{" => {
                    at += 1;
                    while tokens[at] != "}" {
                        at = self.read_use(tokens, at, path.clone(), passed_on);
                        at += usize::from(tokens[at] == ",");
                    }
                    return at + 1;
                }
                "*" => return at + 1,
                "::" => at += 1,
                name => {
                    if name != "self" || path.is_empty() {
                        path.push(name.to_owned());
                    }
                    at += 1;
                    if tokens[at] != "::" {
                        let renamed = tokens[at] == "as";
                        let name =
                            if renamed { tokens[at + 1].to_owned() } else { path[path.len() - 1].clone() };
                        self.uses.push((name, path, passed_on));
                        return at + 2 * usize::from(renamed);
                    }
                }
            }
        }
    }
}
