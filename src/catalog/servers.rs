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
    /// A program and arguments from `server.modes`: these come before everything else.
    pub(super) fn mode(&self, program: &Program) -> Option<Found> {
        let args = past_options(&program.args);
        for name in &program.names {
            for mode in self.server.modes_of.get(name.as_str()).into_iter().flatten() {
                let begins = mode
                    .split(' ')
                    .zip(args.iter().map(String::as_str).chain(std::iter::repeat("")))
                    .all(|(word, arg)| word == arg);
                let flag = mode.starts_with('-') && program.args.iter().any(|arg| arg == mode);
                if begins || flag {
                    let short = self.short(program);
                    // A client as a server is shown apart from the client.
                    let name =
                        if self.clients.named(&short).is_some() { format!("{short}-mcp") } else { short };
                    return Some(Found {
                        name,
                        rule: format!(
                            "{name} {mode}",
                            name = base(name_of_mode(program, name_in(program, self)))
                        ),
                    });
                }
            }
        }
        None
    }

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
    fn says(&self, name: &str) -> Option<String> {
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

    /// A developer's tool: nothing in its arguments makes a server.
    pub(super) fn is_tool(&self, program: &Program) -> bool {
        // A script of one's own may be called like a tool.
        let own = program.kind == Kind::Script
            && program.names.last() != program.names.first()
            && !program.text.contains("node_modules/");
        !own && program
            .names
            .iter()
            .any(|name| self.not.tools.contains(name.as_str()) || self.not.names.contains(name.as_str()))
    }

    /// A server by its arguments: `x mcp`, `x mcp serve`, `x --mcp`, `x boost:mcp`.
    pub(super) fn command(&self, program: &Program) -> Option<Found> {
        if matches!(program.kind, Kind::Task | Kind::Inline) {
            return None;
        }
        let server = &self.server;
        let args = past_options(&program.args);
        let found = |rule: String| Some(Found { name: self.short(program), rule });
        let until = program.args.iter().position(|arg| arg == "--").unwrap_or(program.args.len());
        if let Some(flag) = program.args[..until].iter().find(|arg| server.flags.contains(&arg.as_str())) {
            return found(format!("option {flag}"));
        }
        let first = args.first()?.as_str();
        let second = args.get(1).map(String::as_str);
        let verb = second.is_some_and(|word| server.verbs.contains(&word));
        // What a system ships or a project's own script is given may be any text.
        let system = ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/", "/System/"]
            .iter()
            .any(|dir| program.text.starts_with(dir));
        let file = base(&program.text);
        let own_script = program.kind == Kind::Script
            && stem(file) != file
            && !program.text.contains("node_modules/")
            && !matches!(stem(file), "cli" | "index" | "main");
        if server.commands.contains(&first)
            && (verb || (!system && !own_script && second.is_none_or(|word| word.starts_with('-'))))
        {
            return found(format!("command {first}"));
        }
        // artisan boost:mcp, x mcp:start
        if let Some((space, task)) = first.rsplit_once(':')
            && !own_script
            && ((task == "mcp" && !self.not.first.contains(&space) && !matches!(space, "make" | "test"))
                || (space == "mcp" && server.verbs.contains(&task)))
        {
            return found(format!("command {first}"));
        }
        None
    }

    /// The name under which all processes of one server agree.
    pub(super) fn short(&self, program: &Program) -> String {
        let names = &program.names;
        let name = match program.kind {
            // The bare name says nothing; its scope or folder does: @playwright/mcp.
            Kind::Package => names.first().map(String::as_str).unwrap_or_default(),
            Kind::Module => names
                .first()
                .and_then(|name| {
                    name.split('.').find(|part| self.says(part).is_some()).or(name.split('.').next())
                })
                .unwrap_or_default(),
            Kind::Script | Kind::Binary | Kind::Task => {
                program.folder.as_deref().or(names.first().map(String::as_str)).unwrap_or_default()
            }
            Kind::Image => names.first().map(String::as_str).unwrap_or_default(),
            Kind::Inline => names.first().map(String::as_str).unwrap_or_default(),
        };
        self.normal(name)
    }

    fn normal(&self, name: &str) -> String {
        let lower = name.to_ascii_lowercase().replace('_', "-");
        let (scope, short) = lower.rsplit_once('/').unwrap_or(("", &lower));
        let scope = base(scope).trim_start_matches('@');
        let short = short.strip_prefix("awslabs.").unwrap_or(short);
        let mut name = match short {
            "mcp" | "mcp-server" | "server" | "cli" if !scope.is_empty() => format!("{scope}-{short}"),
            // Docker's own collection: mcp/fetch.
            _ if scope == "mcp" && !short.contains("mcp") => format!("mcp-{short}"),
            _ => short.to_owned(),
        };
        let what = name.strip_prefix("mcp-server-").or(name.strip_prefix("mcp-"));
        if let Some(what) = what.filter(|what| self.server.official.contains(what)) {
            name = format!("server-{what}");
        }
        match self.server.alias.get(name.as_str()) {
            Some(alias) => (*alias).to_owned(),
            None => name,
        }
    }
}

/// Which of a program's names the mode stands under.
fn name_in<'p>(program: &'p Program, data: &Data) -> &'p str {
    program
        .names
        .iter()
        .find(|name| data.server.modes_of.contains_key(name.as_str()))
        .map_or("", String::as_str)
}

fn name_of_mode<'p>(program: &'p Program, found: &'p str) -> &'p str {
    if found.is_empty() { &program.text } else { found }
}

/// Arguments behind the options whose shape is known: `--a=b`, `-c value`, plain flags. Behind any
/// other option its value may stand, which is data.
fn past_options(args: &[String]) -> &[String] {
    let mut at = 0;
    while let Some(arg) = args.get(at).filter(|arg| arg.starts_with('-')) {
        at += match arg.as_str() {
            "-c" | "--config" | "--profile" => 2,
            "-v" | "--verbose" | "-q" | "--quiet" | "-y" | "--yes" | "-d" | "--debug" | "--no-color"
            | "--silent" => 1,
            option if option.contains('=') => 1,
            _ => break,
        };
    }
    args.get(at..).unwrap_or_default()
}
