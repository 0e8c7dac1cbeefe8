//! Is this program a server, by its name or by the arguments that make it one?

use super::data::Data;
use super::words::{says_mcp, words};
use crate::program::{Kind, Program, base, is_tool_dir, stem};

/// A server: the name it is shown under, and the rule that says so.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub name: String,
    pub rule: String,
}

impl Data {
    /// A server by its name.
    pub(super) fn server(&self, program: &Program) -> Option<Found> {
        let rule = match program.kind {
            Kind::Package => program.names.iter().find_map(|name| self.package(name)),
            Kind::Module => self.module(&program.names),
            Kind::Script => self.script(program),
            Kind::Binary => self.binary(program),
            Kind::Image => self.image(program.names.first()?),
            Kind::Inline => program.names.iter().find_map(|name| self.says(name)),
            Kind::Task => self.task(program),
        }?;
        let errand = program.args.first().is_some_and(|arg| self.not.errands.contains(&arg.as_str()));
        (!errand).then(|| Found { name: self.short(program), rule })
    }

    /// A name whose words say that it is a server.
    pub(super) fn says(&self, name: &str) -> Option<String> {
        if !says_mcp(name.as_bytes()) || self.not.names.contains(name.to_ascii_lowercase().as_str()) {
            return None;
        }
        let (first, last) = (words(name).next()?, words(name).last()?);
        let among = |list: &[&str], word: &str| list.iter().any(|known| known.eq_ignore_ascii_case(word));
        if among(&self.not.first, first) || among(&self.not.last, last) {
            return None;
        }
        words(name).find_map(|word| {
            let lower = word.to_ascii_lowercase();
            // mcp2 is mcp; mcp940 is not.
            let plain = lower.strip_suffix(|c: char| c.is_ascii_digit()).unwrap_or(&lower);
            if self.server.words.contains(&plain) {
                Some(format!("word {plain}"))
            } else {
                (plain.len() > 4 && plain.ends_with(self.server.ending))
                    .then(|| format!("word *{}", self.server.ending))
            }
        })
    }

    fn package(&self, name: &str) -> Option<String> {
        if self.server.names.contains(name) {
            return Some(format!("name {name}"));
        }
        let Some((scope, short)) = name.split_once('/') else { return self.says(name) };
        // @scope/inspector and the like are none, whatever the scope.
        let last = words(short).last()?;
        if self.not.last.contains(&last)
            || self.not.first.contains(&words(short).next()?)
            || self.not.names.contains(short)
        {
            return None;
        }
        if self.server.scopes.contains(&scope) {
            return Some(format!("scope {scope}"));
        }
        self.says(short).or_else(|| self.says(scope))
    }

    fn module(&self, names: &[String]) -> Option<String> {
        let name = names.first()?;
        let odd = words(name).any(|word| matches!(word, "test" | "tests" | "pytest"));
        let site = name.split('.').any(|part| says_mcp(part.as_bytes()) && self.is_about(part));
        (!odd && !site).then(|| self.says(name)).flatten()
    }

    fn image(&self, name: &str) -> Option<String> {
        let short = base(name);
        if self.is_about(short) || self.not.last.contains(&words(short).last()?) {
            return None;
        }
        if let Some(space) = name.rsplit('/').nth(1)
            && (space == "mcp" || self.says(space).is_some())
        {
            return Some(format!("image {space}/*"));
        }
        self.says(short)
    }

    fn binary(&self, program: &Program) -> Option<String> {
        let name = program.names.first()?;
        if self.server.names.contains(name.as_str()) {
            return Some(format!("name {name}"));
        }
        // cargo's and go's test programs; mass copy (mmv) is called mcp too and needs a mode.
        if program.text.contains("/deps/") || program.text.ends_with(".test") || name == "mcp" {
            return None;
        }
        self.says(name).or_else(|| self.folder(program))
    }

    /// `npm run start:mcp`, or `npm start` in a folder that says it.
    fn task(&self, program: &Program) -> Option<String> {
        let dev = |word: &str| {
            matches!(
                word,
                "dev"
                    | "build"
                    | "test"
                    | "lint"
                    | "inspect"
                    | "inspector"
                    | "docs"
                    | "watch"
                    | "format"
                    | "typecheck"
                    | "check"
                    | "types"
                    | "prepare"
            )
        };
        if words(&program.text).any(dev) {
            return None;
        }
        program.names.iter().find_map(|name| self.says(name)).or_else(|| self.folder(program))
    }

    fn script(&self, program: &Program) -> Option<String> {
        let path = &program.text;
        let file = base(path);
        let stem = stem(file);
        let (first, last) = (words(stem).next().unwrap_or(""), words(stem).last().unwrap_or(""));
        if self.not.script.contains(&first)
            || self.not.script.contains(&last)
            || self.not.first.contains(&first)
            || first.ends_with("install")
        {
            return None;
        }
        let serves = words(stem).any(|word| matches!(word, "server" | "stdio" | "serve"));
        if let Some((_, inside)) = path.rsplit_once("node_modules/") {
            if !inside.starts_with(".bin/") {
                let package = program.names.first()?;
                if let Some(rule) = self.package(package) {
                    return Some(rule);
                }
                // A server within another package: oh-my-x/dist/mcp/trace-server.js
                let folder =
                    inside.split('/').skip(1).filter(|part| *part != file).find_map(|part| self.says(part));
                return self.says(stem).or(folder.filter(|_| {
                    serves || program.folder.is_some() || matches!(stem, "index" | "main" | "cli")
                }));
            }
            return self.package(stem);
        }
        if is_tool_dir(path) && stem == file && self.server.names.contains(stem) {
            return Some(format!("name {stem}"));
        }
        let parent = path.rsplit('/').nth(1).unwrap_or_default();
        let home = matches!(path.rsplit('/').nth(2), Some("home" | "Users"));
        let plural = |folder: &str| {
            matches!(folder, "mcp-servers" | "mcp_servers" | "mcpservers" | "mcpServers" | "mcps")
        };
        let among = program.folder.as_ref().filter(|folder| !self.is_about(folder)).and_then(|folder| {
            let (before, _) = path.rsplit_once(&format!("/{folder}/"))?;
            plural(base(before)).then(|| format!("folder {}", base(before)))
        });
        self.says(stem).or_else(|| self.folder(program)).or(among).or_else(|| {
            (plural(parent) || (parent == "mcp" && serves && !home)).then(|| format!("folder {parent}"))
        })
    }

    /// The project folder of a file with a plain name.
    fn folder(&self, program: &Program) -> Option<String> {
        let folder = program.folder.as_deref().filter(|folder| !self.is_about(folder))?;
        self.says(folder).map(|_| format!("folder {folder}"))
    }

    /// A folder or image that is about mcp without being a server: its site, its docs.
    fn is_about(&self, folder: &str) -> bool {
        let lower = folder.to_ascii_lowercase().replace('_', "-");
        if lower.ends_with("mcp-server") || lower.ends_with("mcpserver") {
            return false;
        }
        words(&lower).any(|word| self.not.folder.contains(&word))
            || words(&lower).last().is_some_and(|word| self.not.folder_last.contains(&word))
    }
}
