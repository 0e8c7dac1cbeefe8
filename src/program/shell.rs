//! sh -c: the command line in the string, what it runs, and what it runs beside that.

use super::lines;
use super::resolve::Resolver;
use super::sequence::{self, Sequence};
use super::{LineCommand, Program, Word};
use crate::list::{List, list};

impl Resolver {
    /// A shell: `-c` with its string, a script file, or nothing that is known.
    pub(super) fn shell(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: List = list!("--config --env-config --init-command --init-file --rcfile -C");
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
            // What comes from standard input is not known; the words are its parameters.
            if stdin {
                return None;
            }
            return Some(Program::script(first, self.dir.as_deref(), after));
        }
        self.opaque = true;
        // A line that was split at spaces on its way here (ps): put together what can only belong
        // together. The shell itself would give the words as $0 and $1 to a bare `npx`.
        let alone = ["npx", "npm", "uvx", "uv", "bunx", "pnpm", "exec", "cd"].contains(&&**first);
        if alone {
            return self.line(&rest.join(" "), &[], errexit);
        }
        self.line(first, after, errexit)
    }

    /// A command line for a shell; `parameters` are $0, $1 and so on.
    pub(super) fn command(&mut self, line: &str, parameters: &[Word<'_>]) -> Option<Program> {
        self.line(line, parameters, false)
    }

    fn line(&mut self, line: &str, parameters: &[Word<'_>], errexit: bool) -> Option<Program> {
        let line = lines::read(line);
        let run = Sequence::of(&line, errexit);
        self.hides |= run.hides;
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
                // A line within the line.
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

/// `$@`, `$0`, `$1` by the words behind the string; anything else stays as it is.
fn expand<'w>(word: &'w str, parameters: &[Word<'w>]) -> Vec<Word<'w>> {
    match word {
        "$@" | "$*" | "${@}" => parameters.get(1..).unwrap_or_default().to_vec(),
        _ => match word.strip_prefix('$').and_then(|digit| digit.parse::<usize>().ok()) {
            Some(number) => parameters.get(number).cloned().into_iter().collect(),
            None => vec![Word::from(word)],
        },
    }
}
