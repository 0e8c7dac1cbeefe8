//! Recognises servers by the name or the folder of a program.

use super::Rule;
use super::data::Data;
use super::modes::Found;
use super::words::{says_mcp, words};
use crate::program::{Kind, Program, base, is_tool_dir, serves, stem};
use crate::word_list::{WordList, list};

/// Folders in which people keep servers side by side.
const KEPT: &[&str] = &["mcp-servers", "mcp_servers", "mcpservers", "mcpServers", "mcps"];

/// The names of jobs that end by themselves.
const JOBS: WordList = list!("build crawl download index ingest migrate reindex test train");

impl Data {
    /// A server by its name.
    pub(super) fn server(&self, program: &Program) -> Option<Found> {
        if !self.may_be_one(program) {
            return None;
        }
        let rule = match program.kind {
            Kind::Package => program.names.iter().find_map(|name| self.package(name)),
            Kind::Module => self.module(program),
            Kind::Script => self.script(program),
            Kind::Binary => self.binary(program),
            Kind::Image => self.image(program.names.first()?),
            // The name of inline code names the project that it belongs to.
            Kind::Inline => program.names.iter().find_map(|name| self.word(name)),
            Kind::Task => self.task(program),
        }?;
        if self.is_called_after_a_job(program) {
            return None;
        }
        // The first word behind inline code is its name.
        let batch =
            program.kind != Kind::Inline && self.is_batch(&program.args) || self.is_other_program_in(program);
        (!batch).then(|| Found { name: self.short(program), rule })
    }

    /// May it be a server? This is a quick check: without "mcp" only a name or scope of the catalog makes it one.
    fn may_be_one(&self, program: &Program) -> bool {
        let Program { text, names, folders, .. } = program;
        let scope =
            |name: &String| name.split_once('/').is_some_and(|(scope, _)| self.server.scopes.contains(scope));
        [text].into_iter().chain(names).chain(folders).any(|name| says_mcp(name.as_bytes()))
            || names.iter().any(|name| self.server.names.contains(name) || scope(name))
    }

    /// The rule that a name matches by a word for a server.
    pub(super) fn says(&self, name: &str) -> Option<Rule> {
        if !says_mcp(name.as_bytes()) || self.not.names.contains(name.to_ascii_lowercase().as_str()) {
            return None;
        }
        let (first, last) = (words(name).next()?, words(name).last()?);
        let job = self.not.job.contains_ignoring_case(last)
            && !words(name).any(|word| word.eq_ignore_ascii_case("server"));
        if self.not.first.contains_ignoring_case(first)
            || self.not.last.contains_ignoring_case(last)
            || job
            || self.is_of_mcp(name)
        {
            return None;
        }
        self.word(name)
    }

    /// Is it the name of a job? The part after `mcp-server-` names what a server does, so mcp-server-backup is a
    /// server.
    fn is_job(&self, name: &str) -> bool {
        words(name).last().is_some_and(|word| {
            self.not.job.contains_ignoring_case(word) || self.not.own_job.contains_ignoring_case(word)
        })
    }

    /// Is it an installed program that does a job for a server? The rest of its name names that server, as in
    /// mcp-server-rag-ingest and rag-mcp-index. But mcp-server-index is a server for an index.
    fn is_called_after_a_job(&self, program: &Program) -> bool {
        let job = |name: &String| {
            let mut before: Vec<&str> = words(base(name)).collect();
            let last = before.pop().is_some_and(|word| JOBS.contains(&word.to_ascii_lowercase()));
            let says =
                |word: &str| self.word(word).is_some() || matches!(word, "server" | "Server" | "servers");
            last && before.iter().any(|word| self.word(word).is_some())
                && before.iter().any(|word| !says(word))
        };
        matches!(program.kind, Kind::Package | Kind::Binary | Kind::Image) && program.names.iter().any(job)
    }

    /// Is it the name of a Microchip part, or of a program that manages or examines servers?
    fn is_of_mcp(&self, name: &str) -> bool {
        let is_mcp = |word: &str| self.server.words.contains_ignoring_case(word);
        let mut after = words(name).skip_while(|word| !is_mcp(word)).skip(1).peekable();
        let chip = after.peek().is_some_and(|next| {
            self.not.chip.contains_ignoring_case(next)
                || (next.len() >= 4 && next.starts_with(|c: char| c.is_ascii_digit()))
        });
        let filler = |word: &&str| {
            ["server", "servers", "process", "processes", "orphan", "orphans"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(word))
        };
        while after.next_if(filler).is_some() {}
        if after.peek().is_some_and(|word| self.not.cleans.contains_ignoring_case(word)) {
            return true;
        }
        chip || after.next().is_some_and(|word| self.not.of_mcp.contains_ignoring_case(word))
            && after.next().is_none()
    }

    /// The first word of a name that contains mcp.
    fn word(&self, name: &str) -> Option<Rule> {
        words(name).find_map(|word| {
            let lower = word.to_ascii_lowercase();
            // mcp2 is mcp; mcp940 is not.
            let plain = lower.strip_suffix(|c: char| c.is_ascii_digit()).unwrap_or(&lower);
            if self.server.words.contains(plain) {
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
        // @scope/inspector and the like are not servers, whatever the scope.
        let last = words(short).last()?;
        if self.not.last.contains(last)
            || self.not.first.contains(words(short).next()?)
            || self.not.names.contains(short)
        {
            return None;
        }
        if self.server.scopes.contains(scope) {
            return Some(Rule::Scope(scope.to_owned()));
        }
        self.says(short).or_else(|| self.says(scope))
    }

    fn module(&self, program: &Program) -> Option<Rule> {
        let name = program.names.first()?;
        let last = name.rsplit('.').next()?;
        // foo_mcp.ingest, mcp.client.Start
        let part = |word: &str| self.not.last.contains(word);
        let batch = name.split('.').skip(1).any(part)
            || words(name).any(|word| matches!(word, "test" | "tests" | "pytest"))
            || words(last).next().is_some_and(|word| self.not.script.contains(word))
            || words(last).last().is_some_and(|word| self.not.script.contains(word));
        let about = |part: &str| says_mcp(part.as_bytes()) && (self.is_about(part) || self.is_of_mcp(part));
        let about = name.split('.').any(about);
        if batch || about {
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
        let odd = name.eq_ignore_ascii_case("mcp")
            || name.contains([' ', ':', '(', '['])
            || program.text.contains("/deps/")
            || program.text.starts_with("/usr/lib/systemd/")
            || program.text.ends_with(".test");
        let window =
            program.args.iter().any(|arg| arg.starts_with("--type=")) || is_application(&program.text);
        // A script that is called by its own name: ./train-mcp.sh
        let file = base(&program.text);
        let script = stem(file) != file && self.is_script_about(stem(file));
        if odd || window || script || self.is_job(name) || self.is_about(name) || self.is_of_mcp(name) {
            return None;
        }
        self.says(name).or_else(|| self.folder(program))
    }

    /// `npm run start:mcp`, or `npm start` in a folder with such a name.
    fn task(&self, program: &Program) -> Option<Rule> {
        if self.is_job_of_a_project(&program.text) {
            return None;
        }
        program.names.iter().find_map(|name| self.says(name)).or_else(|| self.folder(program))
    }

    fn script(&self, program: &Program) -> Option<Rule> {
        let path = &program.text;
        let file = base(path);
        let stem = stem(file);
        if program.names.iter().any(|name| self.not.names.contains(name.as_str())) {
            return None;
        }
        // The Mod Coder Pack's own archive, with the version of the game that it is for: mcp-1.8.jar.
        let version = file.strip_prefix("mcp").and_then(|rest| rest.strip_suffix(".jar"));
        if version
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || b".-_".contains(&byte)))
        {
            return None;
        }
        if self.is_script_about(stem) {
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
        // A file right in a folder of servers: ~/mcp-servers/weather.py
        let parent = path.rsplit('/').nth(1).unwrap_or_default();
        let kept = || KEPT.contains(&parent).then(|| Rule::Folder(parent.to_owned()));
        self.says(stem).or_else(|| self.folder(program)).or_else(kept)
    }

    /// Is the script only about a server? Examples are test_mcp_server.py, mcp.test.ts and build-mcp.sh. The name
    /// index.js does not count.
    fn is_script_about(&self, stem: &str) -> bool {
        let (first, last) = (words(stem).next().unwrap_or(""), words(stem).last().unwrap_or(""));
        let index = stem == "index" || stem == "index.bundle";
        !index && (self.not.script.contains(first) || self.not.script.contains(last))
            || first.ends_with("install")
    }

    /// The project folder of a file with a plain name: the innermost with a name that means something.
    fn folder(&self, program: &Program) -> Option<Rule> {
        let folder = self.telling_folder(program)?;
        Some(Rule::Folder(folder.to_owned()))
    }

    /// The folder whose name makes a file a server, if there is one. A folder between them with another purpose (its
    /// website, its tests) ends the search.
    pub(super) fn telling_folder<'p>(&self, program: &'p Program) -> Option<&'p str> {
        let kept = program.folders.iter().any(|folder| KEPT.contains(&folder.as_str()));
        for (above, folder) in program.folders.iter().enumerate() {
            let works = || {
                !kept && words(folder).last().is_some_and(|word| self.not.last.contains_ignoring_case(word))
            };
            if self.is_about(folder) || works() {
                return None;
            }
            if self.says(folder).is_none() {
                continue;
            }
            // /srv/mcp/shop/server.js belongs to a user or project called mcp; ~/mcp/notes/server.js
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

    /// Is the folder or image about mcp without being a server, such as a site or docs?
    fn is_about(&self, folder: &str) -> bool {
        let lower = folder.to_ascii_lowercase().replace('_', "-");
        if lower.ends_with("mcp-server") || lower.ends_with("mcpserver") {
            return false;
        }
        words(&lower).any(|word| self.not.folder.contains(word))
            || words(&lower).last().is_some_and(|word| self.not.folder_last.contains(word))
    }
}

/// Is it the program of a desktop application? Such a program is in an image that was mounted for it, or in a folder
/// with its title (`/opt/MCP Studio/mcp-studio`, `X.app/Contents/MacOS/X`).
fn is_application(path: &str) -> bool {
    if path.ends_with(".AppImage") || path.starts_with("/tmp/.mount_") {
        return true;
    }
    let file = base(path);
    let bundle = path.split_once(".app/Contents/MacOS/").map(|(before, _)| base(before));
    let folder = || path.rsplit('/').nth(1).filter(|folder| path.starts_with("/opt/") && *folder != file);
    let letters = |text: &str| {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>()
    };
    bundle.or_else(folder).is_some_and(|name| letters(name) == letters(file))
}
