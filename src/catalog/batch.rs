//! Recognises jobs by arguments: a server's program that is called to do something and end.

use super::data::Data;
use super::modes::past_options;
use super::words::words;
use crate::program::{self, Kind, Program, Resolution, Word, base, is_tool, stem};

impl Data {
    /// Is another program run than the one of the package or image? Examples are `npx -p mcp-x vitest`,
    /// `docker run mcp/x npm test`, and a shell in an image.
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

    /// Are these the words of a known runner or shell that runs a developer's tool, or nothing?
    fn is_tool_line(&self, args: &[String]) -> bool {
        let words: Vec<Word<'_>> = args.iter().map(|arg| Word::from(arg.as_str())).collect();
        let seen = program::resolve_words(&words);
        seen.program.is_none() && !seen.opaque || self.is_development(&seen)
    }

    /// Is it a developer's tool, or a project's own script or task for its build or tests? Examples are `vitest`,
    /// `npm run build`, `node test.js` and `bash -c "cd x && cargo test"`.
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
        // A runner without a program runs its own command: `cargo test`.
        seen.line.iter().all(|command| !command.opaque && command.program.as_ref().is_none_or(is_one))
            && !seen.hidden_code
    }

    /// Does this task of a project do a job and end? Examples are `test` and `build:prod`.
    pub(super) fn is_job_of_a_project(&self, task: &str) -> bool {
        words(task).any(|word| self.not.task.contains(word) || self.not.batch.contains(word))
    }

    /// Does this option make a program do something and end? Examples are `--login`, `--import=x` and
    /// `--rebuild-index`.
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

    /// Is a server's program called to do something and end? Examples are `rag-mcp ingest`, `db migrate` and
    /// `--reindex`.
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
        // In "db migrate" the second word decides. "serve" and "mcp" serve, and "uvx" runs the program that follows.
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
