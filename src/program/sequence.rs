//! Reads the order of the commands in a shell's command line: what runs beside and after each of them.

mod meaning;

use meaning::meaning;

use super::Beside;
use super::lines::{self, Joint, ShellLine, Simple};
use super::names::base;
use crate::word_list::{WordList, list};

/// Commands that run no program, or only prepare the one that counts.
const PREPARING: WordList = list!(
    ". : [ [[ alias bg break builtin cat cd chmod clear command continue date declare disown echo eval exit export \
     false fg fnm hash jobs kill local mkdir nvm popd printf pushd pwd read readonly return set setopt shift shopt \
     sleep source stty tee test trap true type typeset ulimit umask unalias unset unsetopt wait which"
);
/// Commands that may follow the server: they wait for it, return its status, or do nothing that lasts.
const ENDING: WordList = list!(": cd disown exit return trap true wait");
/// Words that close a compound command.
const CLOSING: WordList = list!(") done fi }");
/// Commands that write what they read without change. They belong to the pipeline of another command.
const PASSING: WordList = list!("cat tee");
/// Filters: where their output is not redirected, they write what they read to the shell's stdout, changed. Any other
/// reader may make a result that is wanted.
const FILTERING: WordList =
    list!("awk cut egrep fgrep gawk grep gsed jq logger mawk rg sed stdbuf tr ts unbuffer");

/// One command of a line that runs a program.
#[derive(Debug)]
pub(super) struct Running<'l> {
    /// Its index among all commands of the line.
    pub at: usize,
    pub words: &'l [String],
    /// It is `eval`, so what it runs is known only at run time.
    pub opaque: bool,
    /// The operator after it, or after the pipeline that it is in.
    joint: Joint,
    /// It is run by `exec`, so it replaces the shell.
    replaces: bool,
    /// It is in an `if` or a loop, or `!` negates its status.
    tested: bool,
    /// It does not read the shell's stdin, but a file or the output of another command.
    fed: bool,
}

/// The commands that a line runs, and their order.
#[derive(Debug, Default)]
pub(super) struct Sequence<'l> {
    pub commands: Vec<Running<'l>>,
    /// The folder of each `cd`, with the index of the `cd` among all commands.
    pub folders: Vec<(usize, &'l str)>,
    /// Code that is not in the line runs too: `. file`, `eval "$X"`, `$(x)`.
    pub hidden_code: bool,
    all: &'l [Simple],
    /// Indices of the commands that run a file or a text as commands.
    foreign: Vec<usize>,
    /// The shell ends at the first command that fails, or runs a trap for it.
    errexit: bool,
    /// A `trap 'cmd' EXIT` runs more at the end.
    at_exit: bool,
    /// What runs at the end depends on the status.
    at_exit_by_status: bool,
    /// After `exec < file` the shell reads another stdin.
    fed: bool,
    /// How many `if`, `while` and `until` are open.
    depth: usize,
    /// The order is not known.
    unread: bool,
}

impl<'l> Sequence<'l> {
    /// Reads a line. `errexit` is true where its shell ends at the first command that fails (`bash -e`).
    pub(super) fn of(line: &'l ShellLine, errexit: bool) -> Sequence<'l> {
        let only_reads = |text: &String| lines::read(text).commands.iter().all(passes_on);
        let unread = line.unread || !line.readers.iter().all(only_reads);
        let mut found = Sequence { errexit, unread, all: &line.commands, ..Sequence::default() };
        line.commands.iter().enumerate().for_each(|(at, simple)| found.add(at, simple));
        found
    }

    fn add(&mut self, at: usize, simple: &'l Simple) {
        let found = meaning(&simple.words);
        self.unread |= found.unordered;
        self.hidden_code |= simple.words.iter().any(|word| substitutes(word));
        self.depth += found.opened;
        let first = found.words.first().map(String::as_str).unwrap_or_default();
        let rest = found.words.get(1..).unwrap_or_default();
        let place = rest.iter().find(|word| !word.starts_with('-')).map(String::as_str);
        let known = base(first.trim_start_matches('('));
        match known {
            // `exec < file`
            "" => self.fed |= simple.input,
            // The operator in `} &` and `) && x` belongs to the commands inside.
            _ if CLOSING.contains(known) => {
                self.depth -= usize::from(matches!(known, "done" | "fi")).min(self.depth);
                if let Some(last) = self.commands.last_mut() {
                    last.fed |= simple.input;
                    if last.joint == Joint::Then {
                        last.joint = simple.joint;
                    }
                }
            }
            "cd" => self.folders.extend(place.map(|dir| (at, dir))),
            "set" | "setopt" | "shopt" => {
                self.errexit |= rest.iter().any(|word| sets_errexit(word))
                    || rest.first().is_some_and(|word| word.starts_with('$'));
            }
            "trap" => self.trap(rest),
            // `eval "$(tool)"` only prepares, like a file that is sourced; `eval "$LINE"` runs a command.
            "eval" if place.is_some_and(substitutes) => self.foreign.push(at),
            "eval" if place.is_some_and(|word| word.contains('$')) => self.unread = true,
            "." | "source" => {
                self.hidden_code = true;
                self.foreign.push(at);
            }
            _ if known != "eval" && PREPARING.contains(known) => {}
            // `server | sed -u s/a/b/`
            _ if passes_on(simple) && self.follows_a_pipe(at) => {}
            // `tee in | server`, `server | tee log`
            _ => {
                self.foreign.extend((known == "eval").then_some(at));
                self.commands.push(Running {
                    at,
                    words: found.words,
                    opaque: known == "eval",
                    joint: self.pipeline_end(at),
                    replaces: found.replaces && !simple.subshell && simple.joint != Joint::Background,
                    tested: found.negated || self.depth > 0,
                    fed: self.fed || simple.input || self.reads_another(at),
                });
            }
        }
    }

    /// Reads the code of a `trap CODE SIGNAL...`.
    fn trap(&mut self, words: &[String]) {
        let mut words = words.iter().skip_while(|word| word.len() > 1 && word.starts_with('-'));
        let Some(code) = words.next().filter(|code| !matches!(code.as_str(), "" | "-")) else { return };
        let on_error = |signal: &String| matches!(signal.trim_start_matches("SIG"), "ERR" | "ZERR" | "err");
        self.errexit |= words.any(on_error);
        let code = lines::read(code);
        let inner = Sequence::of(&code, false);
        self.unread |= inner.unread || inner.hidden_code || code.commands.iter().any(is_variable);
        self.at_exit |= !inner.commands.is_empty();
        self.at_exit_by_status |= !inner.commands.is_empty()
            && (code.commands.iter().any(|simple| asks_status(simple) || is_conditional(simple.joint))
                || inner.commands.iter().any(|command| command.tested));
    }

    /// What the line runs beside and after one of its commands.
    pub(super) fn beside(&self, number: usize) -> Beside {
        let Some(command) = self.commands.get(number) else { return Beside::Nothing };
        let later = self.all.get(command.at + 1..).unwrap_or_default();
        let ends = |simple: &Simple| {
            let words = meaning(&simple.words).words;
            let first = words.first().map(String::as_str).unwrap_or_default();
            let plain = !words.iter().skip(1).any(|word| substitutes(word));
            plain
                && (ENDING.contains(first) || CLOSING.contains(first) || first.is_empty() && is_plain(simple))
        };
        let readers = later.iter().take_while(|simple| passes_on(simple)).count();
        let readers =
            if self.all.get(command.at).is_some_and(|own| own.joint == Joint::Pipe) { readers } else { 0 };
        let after = later.get(readers..).unwrap_or_default();
        let more = self.at_exit || !after.iter().all(ends);
        let parallel = self.all[..command.at].iter().any(|other| other.joint == Joint::Background);
        let by_status = self.at_exit_by_status
            || self.errexit
            || after.iter().any(asks_status)
            || self.all.iter().skip(command.at).any(|simple| is_conditional(simple.joint));
        let last = command.replaces && command.joint != Joint::Pipe;
        match () {
            () if self.unread || command.tested => Beside::Unread,
            () if !last && more && !self.foreign.is_empty() => Beside::Unread,
            () if !last && more && by_status => Beside::DependsOnStatus,
            () if parallel || command.fed || command.joint == Joint::Pipe || !last && more => Beside::More,
            () => Beside::Nothing,
        }
    }

    /// Does a command read the output of another command that does more than pass the shell's stdin on?
    fn reads_another(&self, at: usize) -> bool {
        let before = self.all.get(..at).unwrap_or_default();
        before.iter().any(|simple| {
            let alone = simple.words.first().is_some_and(|word| base(word) == "tee")
                || !simple.words.iter().skip(1).any(|word| !word.starts_with('-') || word.len() == 1);
            simple.joint == Joint::Pipe && !(passes_on(simple) && alone && !simple.input)
        })
    }

    fn follows_a_pipe(&self, at: usize) -> bool {
        at.checked_sub(1).and_then(|before| self.all.get(before)).is_some_and(|it| it.joint == Joint::Pipe)
    }

    /// The operator after a command and all that only pass its output on.
    fn pipeline_end(&self, at: usize) -> Joint {
        let mut here = self.all.get(at);
        for next in self.all.get(at + 1..).unwrap_or_default() {
            if here.is_none_or(|here| here.joint != Joint::Pipe) || !passes_on(next) {
                break;
            }
            here = Some(next);
        }
        here.map_or(Joint::Then, |here| here.joint)
    }
}

/// Does this word of `set`, `setopt`, `shopt` or a shell's options set errexit: `-e`, `-euo`, `errexit`, `ERR_EXIT`?
pub(super) fn sets_errexit(word: &str) -> bool {
    let letters = word.starts_with('-') && !word.starts_with("--") && word.contains('e');
    let name = word.to_ascii_lowercase().replace(['_', '-'], "");
    letters || name.contains("errexit") || name.contains("errreturn")
}

fn is_conditional(joint: Joint) -> bool {
    matches!(joint, Joint::And | Joint::Or)
}

/// Does the word contain `$(x)` or the like, which runs a command? `kill $(jobs -p)` runs only a builtin.
fn substitutes(word: &str) -> bool {
    word.contains('`') || word.replace("$(jobs -p)", "").contains("$(")
}

/// Does it run no command and not use the last status? Asked of a command without a name, which has only assignments.
fn is_plain(simple: &Simple) -> bool {
    !simple.words.iter().any(|word| substitutes(word)) && !asks_status(simple)
}

/// Is the command's name the value of a variable?
fn is_variable(simple: &Simple) -> bool {
    meaning(&simple.words).words.first().is_some_and(|word| word.starts_with('$'))
}

/// Does a command depend on the status of the one before it, by `$?`, PIPESTATUS, or the `$status` of zsh, fish and
/// csh? `exit $?` only returns it.
fn asks_status(simple: &Simple) -> bool {
    let returns_it = simple.words.first().is_some_and(|word| matches!(word.as_str(), "exit" | "return"));
    let asks = |word: &String| {
        word.contains("$?") || word.contains("{?") || word.to_ascii_lowercase().contains("status")
    };
    !returns_it && simple.words.iter().any(asks)
}

/// Does it only pass on what it reads, as `tee log`, `cat` and `sed -u s/a/b/` do?
fn passes_on(simple: &Simple) -> bool {
    let first = simple.words.first().map(|word| base(word)).unwrap_or_default();
    PASSING.contains(first) || FILTERING.contains(first) && !simple.output
}

#[cfg(test)]
mod tests;
