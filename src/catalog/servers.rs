//! Is this program a server, by its name or by the arguments that make it one?

use super::Rule;
use super::data::Data;
use super::words::{says_mcp, words};
use crate::program::{Kind, Program, base, is_tool_dir, serves, stem};

/// Folders in which people keep servers side by side.
const KEPT: &[&str] = &["mcp-servers", "mcp_servers", "mcpservers", "mcpServers", "mcps"];

/// A server: the name it is shown under, and the rule that says so.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub name: String,
    pub rule: Rule,
}

impl Data {
    /// A server by its name.
    pub(super) fn server(&self, program: &Program) -> Option<Found> {
        let rule = match program.kind {
            Kind::Package => program.names.iter().find_map(|name| self.package(name)),
            Kind::Module => self.module(program),
            Kind::Script => self.script(program),
            Kind::Binary => self.binary(program),
            Kind::Image => self.image(program.names.first()?),
            Kind::Inline => program.names.iter().find_map(|name| self.says(name)),
            Kind::Task => self.task(program),
        }?;
        let errand = program.args.first().is_some_and(|arg| self.not.errands.contains(arg));
        (!errand).then(|| Found { name: self.short(program), rule })
    }

    /// A name whose words say that it is a server.
    pub(super) fn says(&self, name: &str) -> Option<Rule> {
        if !says_mcp(name.as_bytes()) || self.not.names.contains(name.to_ascii_lowercase().as_str()) {
            return None;
        }
        let (first, last) = (words(name).next()?, words(name).last()?);
        if self.not.first.has(first) || self.not.last.has(last) {
            return None;
        }
        words(name).find_map(|word| {
            let lower = word.to_ascii_lowercase();
            // mcp2 is mcp; mcp940 is not.
            let plain = lower.strip_suffix(|c: char| c.is_ascii_digit()).unwrap_or(&lower);
            if self.server.words.contains(&plain) {
                Some(Rule::Word(plain.to_owned()))
            } else {
                (plain.len() > 4 && plain.ends_with(self.server.ending))
                    .then(|| Rule::Word(format!("*{}", self.server.ending)))
            }
        })
    }

    fn package(&self, name: &str) -> Option<Rule> {
        if self.server.names.contains(name) {
            return Some(Rule::Name(name.to_owned()));
        }
        let Some((scope, short)) = name.split_once('/') else { return self.says(name) };
        // @scope/inspector and the like are none, whatever the scope.
        let last = words(short).last()?;
        if self.not.last.contains(last)
            || self.not.first.contains(words(short).next()?)
            || self.not.names.contains(short)
        {
            return None;
        }
        if self.server.scopes.contains(&scope) {
            return Some(Rule::Scope(scope.to_owned()));
        }
        self.says(short).or_else(|| self.says(scope))
    }

    fn module(&self, program: &Program) -> Option<Rule> {
        let name = program.names.first()?;
        let last = name.rsplit('.').next()?;
        let errand = words(name).any(|word| matches!(word, "test" | "tests" | "pytest"))
            || words(last).next().is_some_and(|word| self.not.script.contains(word))
            || words(last).last().is_some_and(|word| self.not.script.contains(word));
        let about = name.split('.').any(|part| says_mcp(part.as_bytes()) && self.is_about(part));
        if errand || about {
            return None;
        }
        self.says(name).or_else(|| self.folder(program))
    }

    fn image(&self, name: &str) -> Option<Rule> {
        let short = base(name);
        if self.is_about(short) || self.not.last.contains(words(short).last()?) {
            return None;
        }
        if let Some(space) = name.rsplit('/').nth(1)
            && (space == "mcp" || self.says(space).is_some())
        {
            return Some(Rule::Image(format!("{space}/*")));
        }
        self.says(short)
    }

    fn binary(&self, program: &Program) -> Option<Rule> {
        let name = program.names.first()?;
        if self.server.names.contains(name.as_str()) {
            return Some(Rule::Name(name.to_owned()));
        }
        // cargo's and go's test programs; mass copy (mmv) is called mcp too and needs a mode; an
        // application's window ("MCP Router"), an actor's title ("ray::McpActor").
        let odd = name == "mcp"
            || name.contains([' ', ':', '('])
            || program.text.contains("/deps/")
            || program.text.starts_with("/usr/lib/systemd/")
            || program.text.ends_with(".test");
        let window = program.args.iter().any(|arg| arg.starts_with("--type="));
        if odd || window || self.is_about(name) {
            return None;
        }
        self.says(name).or_else(|| self.folder(program))
    }

    /// `npm run start:mcp`, or `npm start` in a folder that says it.
    fn task(&self, program: &Program) -> Option<Rule> {
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

    fn script(&self, program: &Program) -> Option<Rule> {
        let path = &program.text;
        let file = base(path);
        let stem = stem(file);
        let (first, last) = (words(stem).next().unwrap_or(""), words(stem).last().unwrap_or(""));
        if program.names.iter().any(|name| self.not.names.contains(name.as_str())) {
            return None;
        }
        // test_mcp_server.py, mcp.test.ts, build-mcp.sh: about a server, and none.
        if self.not.script.contains(first) || self.not.script.contains(last) || first.ends_with("install") {
            return None;
        }
        if let Some((_, inside)) = path.rsplit_once("node_modules/") {
            if inside.starts_with(".bin/") {
                return self.package(stem);
            }
            let own = self.package(program.names.first()?).or_else(|| self.says(stem));
            // A server within another package: oh-my-x/dist/mcp/trace-server.js
            let telling = serves(stem) || matches!(stem, "index" | "main" | "cli" | "server");
            let part =
                || inside.split('/').skip(1).filter(|part| *part != file).find_map(|part| self.says(part));
            return own.or_else(|| telling.then(part).flatten());
        }
        if is_tool_dir(path) && stem == file && self.server.names.contains(stem) {
            return Some(Rule::Name(stem.to_owned()));
        }
        // A file right in the folder where somebody keeps servers: ~/mcp-servers/weather.py
        let parent = path.rsplit('/').nth(1).unwrap_or_default();
        let kept = || KEPT.contains(&parent).then(|| Rule::Folder(parent.to_owned()));
        self.says(stem).or_else(|| self.folder(program)).or_else(kept)
    }

    /// The project folder of a file with a plain name: the innermost that says something.
    fn folder(&self, program: &Program) -> Option<Rule> {
        let folder = self.telling_folder(program)?;
        Some(Rule::Folder(folder.to_owned()))
    }

    /// The folder that makes a server of a file, if one does. A folder between them that is about
    /// something else (its website, its tests) ends the search.
    pub(super) fn telling_folder<'p>(&self, program: &'p Program) -> Option<&'p str> {
        for (above, folder) in program.folders.iter().enumerate() {
            if self.is_about(folder) {
                return None;
            }
            if self.says(folder).is_none() {
                continue;
            }
            // /srv/mcp/shop/server.js belongs to whoever is called mcp there; ~/mcp/notes/server.js
            // is one of a person's servers. mcp/server.jar is the Mod Coder Pack's.
            let bare = folder.eq_ignore_ascii_case("mcp");
            let system = ["/srv/", "/var/", "/opt/", "/usr/", "/etc/"]
                .iter()
                .any(|root| program.text.starts_with(root));
            let foreign = bare && ((above > 0 && system) || program.text.ends_with(".jar"));
            return (!foreign).then_some(folder);
        }
        None
    }

    /// A folder or image that is about mcp without being a server: its site, its docs.
    fn is_about(&self, folder: &str) -> bool {
        let lower = folder.to_ascii_lowercase().replace('_', "-");
        if lower.ends_with("mcp-server") || lower.ends_with("mcpserver") {
            return false;
        }
        words(&lower).any(|word| self.not.folder.contains(word))
            || words(&lower).last().is_some_and(|word| self.not.folder_last.contains(word))
    }
}
