//! Jobs that a server's program is called to do, by its arguments.

use super::data::Data;
use super::modes::past_options;
use super::words::words;
use crate::program::{self, Kind, Program, Resolution, Word, base, is_tool, stem};

impl Data {
    /// Another program than the one that a package or an image is for: `npx -p mcp-x vitest`, `docker run mcp/x npm test`,
    /// a shell in an image.
    pub(super) fn is_other_program_in(&self, program: &Program) -> bool {
        match program.kind {
            // Of several words the last one is the program.
            Kind::Package => {
                program.text.rsplit_once(' ').is_some_and(|(_, bin)| self.is_tool(&Program::named(bin)))
            }
            // Any other first word may be an argument for the image's own program.
            Kind::Image => {
                program.args.first().is_some_and(|first| is_tool(first)) && self.is_tool_line(&program.args)
            }
            _ => false,
        }
    }

    /// What the words of a known runner or shell come to is the work of a developer, or nothing at all.
    fn is_tool_line(&self, args: &[String]) -> bool {
        let words: Vec<Word<'_>> = args.iter().map(|arg| Word::from(arg.as_str())).collect();
        let seen = program::resolve_words(&words);
        seen.program.is_none() && !seen.opaque || self.is_development(&seen)
    }

    /// A tool of developers, or a project's own script or task for its build or its tests: `vitest`, `npm run build`,
    /// `node test.js`, `bash -c "cd x && cargo test"`.
    pub(super) fn is_development(&self, seen: &Resolution) -> bool {
        let chore = |name: &str| {
            let (first, last) = (words(name).next(), words(name).last());
            [first, last].into_iter().flatten().any(|word| self.not.chore.contains(word))
        };
        let is_one = |program: &Program| match program.kind {
            Kind::Task => words(&program.text).any(|word| self.not.chore.contains(word)),
            Kind::Script => self.is_tool(program) || chore(stem(base(&program.text))),
            // `sh -c serve` in an image is its own program.
            _ => self.is_tool(program) && !self.server.verbs.contains(program.text.as_str()),
        };
        if seen.line.is_empty() {
            return seen.program.as_ref().is_some_and(is_one);
        }
        // Of a runner without a program nothing is left to run but its own command: `cargo test`.
        seen.line.iter().all(|command| !command.opaque && command.program.as_ref().is_none_or(is_one))
            && !seen.hidden_code
    }

    /// `test`, `build:prod`: what a project's script does and ends.
    pub(super) fn is_job_of_a_project(&self, task: &str) -> bool {
        words(task).any(|word| self.not.task.contains(word) || self.not.batch.contains(word))
    }

    /// An option that makes a program do something and end: `--login`, `--import=x`, `--rebuild-index`.
    fn is_batch_option(&self, arg: &str) -> bool {
        let name = arg.split('=').next().unwrap_or(arg);
        let whole = || name.strip_prefix("--").is_some_and(|name| self.not.batch_option.contains(name));
        self.not.batch_flags.contains(name) || whole() || self.is_done_to_data(name)
    }

    /// `rebuild-index`, `fetch-models`
    fn is_done_to_data(&self, word: &str) -> bool {
        word.trim_start_matches('-').split_once('-').is_some_and(|(verb, object)| {
            self.not.batch_option.contains(verb) && self.not.batch_object.contains(object)
        })
    }

    /// Whether a server's program is called to do something and end: `rag-mcp ingest`, `db migrate`, `--reindex`.
    pub(super) fn is_batch(&self, args: &[String]) -> bool {
        let mut own = args.iter().take_while(|arg| *arg != "--");
        if own.any(|arg| self.is_batch_option(arg)) {
            return true;
        }
        let does = |arg: &String| {
            // A path, an address or a file is data.
            let plain = !arg.starts_with('-') && !arg.contains(['/', '.', '=', '@']);
            let mut parts = arg.split(['-', '_', ':']);
            self.not.batch_whole.contains(arg)
                || plain
                    && (self.is_done_to_data(arg)
                        || parts.next().is_some_and(|word| self.not.batch.contains(word))
                        || parts.next_back().is_some_and(|word| self.not.batch.contains(word)))
        };
        // "db migrate" does what its second word says; "serve" and "mcp" serve, "uvx" runs what follows.
        let begins = |args: &[String]| {
            let serves =
                |word: &String| self.server.verbs.contains(word) || self.server.commands.contains(word);
            let noun = |word: &&String| {
                word.bytes().all(|byte| byte.is_ascii_lowercase()) && !serves(word) && !is_tool(word)
            };
            args.first().is_some_and(does)
                || args.first().filter(noun).and_then(|_| args.get(1)).is_some_and(does)
        };
        begins(args) || begins(past_options(args))
    }
}
