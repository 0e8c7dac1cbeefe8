//! Jobs that a server's program is called to do, by its arguments.

use super::data::Data;
use super::modes::past_options;
use crate::program::{Kind, Program, base, is_tool};

impl Data {
    /// `docker run -it IMAGE bash`: a person looks around in a server's image.
    pub(super) fn is_shell_in(&self, program: &Program) -> bool {
        let shell = program.args.first().is_some_and(|arg| self.known.contains(base(arg)));
        let line = program.args.iter().any(|arg| arg.starts_with('-') && arg.ends_with('c'));
        program.kind == Kind::Image && shell && !line
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
