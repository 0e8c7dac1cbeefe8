//! sh -c: the command line in the string, what it runs, and what it runs beside that.

use super::lines::{self, Joint, Simple};
use super::names::base;
use super::options::{self, Grammar};
use super::resolve::Resolver;
use super::{Beside, LineCommand, Program, Word};
use crate::list::{List, list};

/// Commands that run nothing of their own, or only prepare the one that counts.
const PREPARING: List = list!(
    ". : [ [[ alias bg break builtin cat cd chmod clear command continue date declare disown echo eval exit export \
     false fg fnm hash jobs kill local mkdir nvm popd printf pushd pwd read readonly return set setopt shift shopt \
     sleep source stty tee test trap true type typeset ulimit umask unalias unset unsetopt wait which"
);
/// Words that open a compound command; what follows them is a command again. `-p` is of `time`.
const OPENING: List = list!("! ( -p command do elif else exec if nocorrect noglob then time until while {");
/// Words that close one.
const CLOSING: List = list!(") done fi }");
/// Words after which the order of the commands is not the order they run in, or how often.
const UNORDERED: List = list!("case coproc for function select");
/// Commands that pass on what they read: they are a part of the pipeline of another.
const FILTERS: List = list!("awk cat cut echo grep jq logger printf sed sleep tail tee tr ts yes");

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
            errexit |= letters.contains('e');
            // -o takes a word behind other letters too: bash -euo pipefail
            at += 1 + usize::from(VALUED.contains(word) || letters.ends_with(['o', 'O']));
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
        let mut run = Runs { errexit, unread: line.unread, ..Runs::default() };
        for (at, simple) in line.commands.iter().enumerate() {
            run.add(at, simple, &line.commands);
        }
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

/// One command of a line that runs something.
#[derive(Debug)]
struct Running<'l> {
    /// Its place among all commands of the line.
    at: usize,
    words: &'l [String],
    /// What joins it, or the pipeline that it stands in, to what follows.
    joint: Joint,
    /// `exec`: it takes the place of the shell, which runs nothing any more.
    replaces: bool,
    /// `eval`: what it runs is put together at run time.
    opaque: bool,
}

/// What a line runs.
#[derive(Debug, Default)]
struct Runs<'l> {
    commands: Vec<Running<'l>>,
    /// `cd`: what follows the command at this place counts from there.
    folders: Vec<(usize, &'l str)>,
    /// The shell ends with the first command that fails.
    errexit: bool,
    /// `trap 'cmd' EXIT`: more will run at the end.
    at_exit: bool,
    /// The order is not known.
    unread: bool,
}

impl<'l> Runs<'l> {
    fn add(&mut self, at: usize, simple: &'l Simple, all: &'l [Simple]) {
        let found = meaning(&simple.words);
        self.unread |= found.unordered;
        let first = found.words.first().map(String::as_str).unwrap_or_default();
        let rest = found.words.get(1..).unwrap_or_default();
        let place = rest.iter().find(|word| !word.starts_with('-')).map(String::as_str);
        let known = base(first.trim_start_matches('('));
        // What a file that is read after a command runs is not known.
        let sourced = matches!(known, "." | "source") && !self.commands.is_empty();
        let evaluated = known == "eval" && !place.is_some_and(|word| word.starts_with(['$', '`']));
        match known {
            "" => {}
            // `} &` and `) && x` join what they close.
            _ if CLOSING.contains(known) => {
                if let Some(last) = self.commands.last_mut().filter(|last| last.joint == Joint::Then) {
                    last.joint = simple.joint;
                }
            }
            "cd" => self.folders.extend(place.map(|dir| (at, dir))),
            "set" => {
                let letters = |word: &&String| word.starts_with('-') && word.contains('e');
                self.errexit |=
                    rest.iter().any(|word| word == "errexit") || rest.iter().any(|word| letters(&word));
            }
            "trap" => self.at_exit |= place.is_some_and(runs_anything),
            _ if !evaluated && !sourced && PREPARING.contains(known) => {}
            // `tail -f x | server`, `server | tee log`
            _ if FILTERS.contains(known) && in_pipeline(at, all) => {}
            _ => {
                let joint = pipeline_end(at, all);
                let opaque = evaluated || sourced;
                self.commands.push(Running {
                    at,
                    words: found.words,
                    joint,
                    replaces: found.replaces,
                    opaque,
                });
            }
        }
    }

    /// What the line runs beside and after one of its commands.
    fn beside(&self, number: usize) -> Beside {
        let Some(command) = self.commands.get(number) else { return Beside::Nothing };
        let (before, after) = self.commands.split_at(number);
        let parallel = before.iter().any(|other| matches!(other.joint, Joint::Background | Joint::Pipe));
        let more = after.len() > 1 || self.at_exit;
        match command.joint {
            _ if self.unread => Beside::Unread,
            _ if parallel => Beside::Runs,
            _ if command.replaces || !more => Beside::Nothing,
            Joint::And => Beside::RunsIfItEndsWell,
            Joint::Then if self.errexit && after.len() > 1 => Beside::RunsIfItEndsWell,
            _ => Beside::Runs,
        }
    }
}

/// Whether a command line runs more than builtins.
fn runs_anything(line: &str) -> bool {
    let line = lines::read(line);
    let mut run = Runs::default();
    line.commands.iter().enumerate().for_each(|(at, simple)| run.add(at, simple, &line.commands));
    line.unread || !run.commands.is_empty()
}

fn in_pipeline(at: usize, all: &[Simple]) -> bool {
    let joined = |at: Option<usize>| at.and_then(|at| all.get(at)).is_some_and(|c| c.joint == Joint::Pipe);
    joined(Some(at)) || joined(at.checked_sub(1))
}

/// What joins a command to the next that is no filter of it.
fn pipeline_end(at: usize, all: &[Simple]) -> Joint {
    let mut here = all.get(at);
    for next in all.get(at + 1..).unwrap_or_default() {
        let filters = next.words.first().is_some_and(|word| FILTERS.contains(base(word)));
        if here.is_none_or(|here| here.joint != Joint::Pipe) || !filters {
            break;
        }
        here = Some(next);
    }
    here.map_or(Joint::Then, |here| here.joint)
}

/// A command behind assignments and opening words.
struct Meaning<'s> {
    words: &'s [String],
    replaces: bool,
    unordered: bool,
}

/// Past assignments and opening words to the command itself.
fn meaning(simple: &[String]) -> Meaning<'_> {
    let mut found = Meaning { words: simple, replaces: false, unordered: false };
    while let Some((first, rest)) = found.words.split_first() {
        let first = first.trim_start_matches('(');
        if first == "exec" {
            found.words = past_options_of_exec(rest);
            found.replaces = !found.words.is_empty();
        } else if is_assignment(first) || OPENING.contains(first) {
            // `command -v x` asks for a program and runs none.
            if first == "command" && rest.first().is_some_and(|word| word.starts_with('-')) {
                return Meaning { words: &[], ..found };
            }
            found.words = rest;
        } else if UNORDERED.contains(first) {
            return Meaning { words: &[], unordered: true, ..found };
        } else {
            break;
        }
    }
    found
}

/// `A=b` before a command.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// exec's own options: -a NAME, -c, -l.
fn past_options_of_exec(words: &[String]) -> &[String] {
    let borrowed: Vec<Word<'_>> = words.iter().map(|word| Word::from(word.as_str())).collect();
    let rest = options::parse(&borrowed, Grammar::clustered(list!("-a"))).rest.len();
    words.get(words.len() - rest..).unwrap_or_default()
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_has_a_name_that_a_shell_takes() {
        for word in ["A=b", "_a1=", "a=b=c"] {
            assert!(is_assignment(word), "{word}");
        }
        for word in ["a", "=b", "1A=b", "a-b=c", "/x/a=b", "--a=b"] {
            assert!(!is_assignment(word), "{word}");
        }
    }

    /// What runs beside the first command of the line that is called `s`.
    fn beside(line: &str) -> Beside {
        let words = ["bash", "-c", line].map(Word::from);
        let seen = super::super::resolve_words(&words);
        let is_s = |command: &&LineCommand| {
            command
                .program
                .as_ref()
                .is_some_and(|program| program.names.first().is_some_and(|name| name == "s"))
        };
        seen.line.iter().find(is_s).map(|command| command.beside).unwrap()
    }

    #[test]
    fn a_line_that_runs_only_the_command_runs_nothing_beside_it() {
        for line in [
            "s",
            "cd /x && s a",
            "export A=b; s; exit $?",
            "set -a; . ./.env; set +a; exec s",
            "source ~/.zshrc && exec s",
            "umask 077; ulimit -n 99; s",
            "s & wait",
            "s & P=$!; trap 'kill $P' TERM; wait $P",
            "trap 'kill 0' EXIT; s",
            "s; code=$?; echo done; exit $code",
            "s | tee log",
            "tail -f /dev/null | s 2>&1 | grep -v x",
            "(s)",
            "{ s; }",
            "if [ -f x ]; then s; fi",
            "while true; do s; sleep 1; done",
            "T=$(op read x | head -1) s",
            "eval \"$(direnv hook bash)\"; s",
            "make && s",
            "git pull; s",
            "exec s; b",
            "s || exit 1",
            "bash -c s",
        ] {
            assert_eq!(beside(line), Beside::Nothing, "{line}");
        }
    }

    #[test]
    fn a_line_that_runs_more_says_so() {
        for line in [
            "s & b; wait",
            "b & s",
            "(s &) ; b; true",
            "s & b & wait",
            "b | cat & s; true",
            "if true; then s & fi; b",
            "timeout 9 s & b; true",
            "trap 'kill 0' EXIT; s & b; wait",
            "while sleep 1; do s & b; wait; done",
            "cd / && s & b; wait",
            "A=1 s & B=2 b; wait",
            "{ s; } & b",
            "s; b",
            "s\nb",
            "s || b",
            "s | b",
            "b | s",
            "trap 'b' EXIT; s",
            "s; . ./after.sh",
            "s; eval 'b'",
            "bash -c 's & b'",
            "bash -c s; b",
        ] {
            assert_eq!(beside(line), Beside::Runs, "{line}");
        }
    }

    #[test]
    fn what_runs_only_after_a_good_end_is_distinguished() {
        for line in [
            "s && b",
            "s && echo ok && b",
            "set -e; s; b",
            "set -euo pipefail\ns\nb",
            "bash -ec 's; b'",
            "s | tee log && b",
        ] {
            assert_eq!(beside(line), Beside::RunsIfItEndsWell, "{line}");
        }
    }

    #[test]
    fn a_line_whose_order_is_not_known_is_unread() {
        for line in [
            "for i in 1; do s & done; b",
            "f() { s; }; f & b; s",
            "case x in a) s;; esac; s",
            "s <<EOF\nx\nEOF",
        ] {
            assert_eq!(beside(line), Beside::Unread, "{line}");
        }
    }
}
