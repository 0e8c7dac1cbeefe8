//! Resolves wrappers (env, sudo, timeout, flatpak), which run the command in their last words.

use super::lines;
use super::options::{self, Grammar};
use super::resolve::Resolver;
use super::tools::Wrapper;
use super::{Program, Word};
use crate::word_list::{WordList, list};

impl Resolver {
    /// Resolves the command of a wrapper, after its verb, options, own words and assignments.
    pub(super) fn wrapper(&mut self, name: &str, wrapper: &Wrapper, words: &[Word<'_>]) -> Option<Program> {
        const FOLDER: WordList = list!("--cd --chdir --cwd --directory --working-directory -C");
        let mut words = words;
        if !wrapper.verbs.is_empty() {
            let before = options::parse(words, wrapper.grammar());
            match before.rest.split_first() {
                Some((verb, rest)) if wrapper.verbs.contains(verb) && !before.dashes => {
                    before
                        .options
                        .iter()
                        .filter(|(key, _)| FOLDER.contains(key))
                        .for_each(|(_, dir)| self.enter(dir));
                    words = rest;
                }
                _ if wrapper.verb_optional => {}
                // With another verb it runs no command and is the program itself (`mise mcp`).
                _ => {
                    self.layers.pop();
                    return Some(Program::binary(name, words));
                }
            }
        }
        let parsed = options::parse(words, wrapper.grammar());
        for (key, value) in &parsed.options {
            // env -C D, poetry -C D, conda run --cwd D
            if FOLDER.contains(key) {
                self.enter(value);
            }
            if wrapper.command.contains(key) && !value.is_empty() {
                return self.command(value, &[]);
            }
        }
        // A command option that is not in `valued` may also come after other words, with its line in the next word.
        // Options after `--` belong to the command.
        let mut own = words.iter().take_while(|word| &***word != "--").map(|word| &**word);
        let apart = |word: &str| wrapper.command.contains(word) && !wrapper.valued.contains(word);
        if let Some(at) = own.position(apart)
            && let Some(line) = words.get(at + 1)
        {
            return self.command(line, words.get(at + 2..).unwrap_or_default());
        }
        if !wrapper.only_with.is_empty()
            && !parsed.options.iter().any(|(key, _)| wrapper.only_with.contains(key))
        {
            return None;
        }
        let mut rest = parsed.rest;
        if !wrapper.dashes {
            rest = rest.get(wrapper.skip..)?;
        } else if !parsed.dashes {
            rest = rest.get(rest.iter().position(|word| word == "--")?..)?;
        }
        if rest.first().is_some_and(|word| word == "--") {
            rest = rest.get(1..)?;
        }
        if let (true, [line]) = (wrapper.line, rest) {
            return self.command(line, &[]);
        }
        self.resolve(if wrapper.assigns { past_assignments(rest) } else { rest })
    }

    /// `env [-i] [A=b] CMD`, and `env -S 'CMD ARG' ARG`, whose string is split into words (env(1),
    /// "-S/--split-string").
    pub(super) fn env(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const ENV: Grammar = Grammar::clustered(list!("--chdir --split-string --unset -C -S -u"));
        let own = options::parse(words, ENV);
        let is_split = |(key, _): &&(&str, &str)| matches!(*key, "-S" | "--split-string");
        let Some((_, text)) = own.options.iter().find(is_split) else {
            own.options
                .iter()
                .filter(|(key, _)| key.ends_with(['C', 'r']))
                .for_each(|(_, dir)| self.enter(dir));
            return self.resolve(past_assignments(own.rest));
        };
        let at = words.iter().position(|word| word.ends_with(text) && !text.is_empty())?;
        let line = lines::read(text).commands.into_iter().flat_map(|simple| simple.words).map(Word::from);
        let all: Vec<Word<'_>> = line.chain(words.get(at + 1..)?.iter().cloned()).collect();
        self.resolve(past_assignments(options::parse(&all, ENV).rest))
    }

    /// `elixir -S mix x.mcp`, `elixir x.exs`.
    pub(super) fn elixir(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let parsed =
            options::parse(words, Grammar::long(list!("--cookie --erl --name --sname -S -e -pa -pz -r")));
        match parsed.value(&["-S"]) {
            Some(name) => self.resolve_as(name, parsed.rest),
            None if parsed.has(&["-e"]) => Some(Program::inline(parsed.rest)),
            None => self.first_file(parsed.rest),
        }
    }

    /// `flatpak run [--command=CMD] APP ARGS`.
    pub(super) fn flatpak(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: Grammar = Grammar::long(list!("--arch --branch --command --cwd --runtime"));
        let parsed = options::parse_after_verb(words, VALUED, &["run"])?;
        let (app, args) = parsed.rest.split_first()?;
        match parsed.value(&["--command"]) {
            Some(command) => self.resolve_as(command, args),
            None => Some(Program::package(&[app], args)),
        }
    }

    /// `proto run TOOL [VERSION] -- ARGS`: the tool with these arguments.
    pub(super) fn proto(&mut self, words: &[Word<'_>]) -> Option<Program> {
        let (verb, rest) = words.split_first()?;
        let (tool, rest) = rest.split_first().filter(|_| verb == "run")?;
        let args = rest
            .iter()
            .position(|word| word == "--")
            .map_or(rest, |at| rest.get(at + 1..).unwrap_or_default());
        self.resolve_as(tool, args)
    }
}

/// The words after `A=b` words. Their names may be invalid in a shell: npm_config_@acme:registry=https://r.example
fn past_assignments<'w, 's>(words: &'s [Word<'w>]) -> &'s [Word<'w>] {
    let assigns = |word: &Word<'_>| word.contains('=') && !word.starts_with('/');
    words.get(words.iter().take_while(|word| assigns(word)).count()..).unwrap_or_default()
}
