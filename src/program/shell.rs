//! Resolves a shell: its `-c` command line, or its script file.

use super::lines;
use super::resolve::Resolver;
use super::sequence::{self, Sequence};
use super::{LineCommand, Program, Word};
use crate::word_list::{WordList, list};

impl Resolver {
    /// Resolves the words after the name of a shell.
    pub(super) fn shell(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: WordList = list!("--config --env-config --init-command --init-file --rcfile -C");
        let mut at = 0;
        let (mut string, mut stdin, mut errexit) = (false, false, false);
        // Options may also stand between -c and its string: sh -c -l 'cmd'.
        while let Some(word) = words.get(at).map(|word| &**word) {
            if word == "--" {
                at += 1;
                break;
            }
            if word.len() < 2 || !word.starts_with(['-', '+']) {
                break;
            }
            let letters = if word.starts_with("--") { "" } else { word };
            string |= matches!(word, "--command" | "--commands") || letters.contains('c');
            stdin |= letters.contains('s');
            // -o takes a word behind other letters too: bash -euo pipefail
            let valued = VALUED.contains(word) || letters.ends_with(['o', 'O']);
            let value = words.get(at + 1).filter(|_| valued).map(|next| &**next);
            errexit |= sequence::sets_errexit(letters) || value.is_some_and(sequence::sets_errexit);
            at += 1 + usize::from(valued);
        }
        let rest = words.get(at..)?;
        let (first, after) = rest.split_first()?;
        if !string {
            // The shell reads commands from stdin, which are not known. The words are their parameters.
            if stdin {
                return None;
            }
            return Some(Program::script(first, self.dir.as_deref(), after));
        }
        self.opaque = true;
        // A title may have been split at spaces, so that the string is only one word. For a command that makes no sense
        // alone, the words are joined again. A real shell would give them to a bare `npx` as $0 and $1.
        let alone = ["npx", "npm", "uvx", "uv", "bunx", "pnpm", "exec", "cd"].contains(&&**first);
        if alone {
            return self.line(&rest.join(" "), &[], errexit);
        }
        self.line(first, after, errexit)
    }

    /// Resolves a command line for a shell; `parameters` are $0, $1 and so on.
    pub(super) fn command(&mut self, line: &str, parameters: &[Word<'_>]) -> Option<Program> {
        self.line(line, parameters, false)
    }

    fn line(&mut self, line: &str, parameters: &[Word<'_>], errexit: bool) -> Option<Program> {
        let line = lines::read(line);
        let run = Sequence::of(&line, errexit);
        self.hidden_code |= run.hidden_code;
        let (layers, start) = (std::mem::take(&mut self.layers), self.dir.take());
        let mut commands: Vec<LineCommand> = Vec::new();
        for (number, command) in run.commands.iter().enumerate() {
            self.layers.clone_from(&layers);
            self.dir.clone_from(&start);
            run.folders.iter().take_while(|(at, _)| *at < command.at).for_each(|(_, dir)| self.enter(dir));
            let expanded: Vec<Word<'_>> =
                command.words.iter().flat_map(|word| expand(word, parameters)).collect();
            self.line.clear();
            let program = if command.opaque { None } else { self.file_or_command(&expanded) };
            let beside = run.beside(number);
            if self.line.is_empty() {
                let layers = std::mem::take(&mut self.layers);
                commands.push(LineCommand { layers, program, opaque: command.opaque, beside });
            } else {
                // This command is a shell with a line of its own.
                commands.extend(
                    self.line
                        .drain(..)
                        .map(|inner| LineCommand { beside: inner.beside.max(beside), ..inner }),
                );
            }
        }
        let counts = commands.iter().find(|command| command.program.is_some() || command.opaque);
        self.layers = counts.map_or(layers, |command| command.layers.clone());
        let program = counts.and_then(|command| command.program.clone());
        self.line = commands;
        program
    }
}

/// Replaces `$@`, `$0`, `$1` and so on with the parameters of the line. Other expansions stay as they are written.
fn expand<'w>(word: &'w str, parameters: &[Word<'w>]) -> Vec<Word<'w>> {
    match word {
        "$@" | "$*" | "${@}" => parameters.get(1..).unwrap_or_default().to_vec(),
        _ => match word.strip_prefix('$').and_then(|digit| digit.parse::<usize>().ok()) {
            Some(number) => parameters.get(number).cloned().into_iter().collect(),
            None => vec![Word::from(word)],
        },
    }
}
