//! What a command line for a shell runs, in which order, and what it runs beside and after each command.

mod meaning;

use meaning::meaning;

use super::Beside;
use super::lines::{self, Joint, ShellLine, Simple};
use super::names::base;
use crate::list::{List, list};

/// Commands that run nothing of their own, or only prepare the one that counts.
const PREPARING: List = list!(
    ". : [ [[ alias bg break builtin cat cd chmod clear command continue date declare disown echo eval exit export \
     false fg fnm hash jobs kill local mkdir nvm popd printf pushd pwd read readonly return set setopt shift shopt \
     sleep source stty tee test trap true type typeset ulimit umask unalias unset unsetopt wait which"
);
/// Those with which a line may end: they wait for the server, hand on how it ended, or do nothing that lasts.
const ENDING: List = list!(": cd disown exit return trap true wait");
/// Words that close a compound command.
const CLOSING: List = list!(") done fi }");
/// Commands that hand on unchanged what they read: a part of the pipeline of another.
const PASSING: List = list!("cat tee");
/// Those that hand it on as the shell's own output, changed, where that is not redirected: a filter on the wire. Any
/// other reader makes a result of it that may be wanted.
const FILTERING: List =
    list!("awk cut egrep fgrep gawk grep gsed jq logger mawk rg sed stdbuf tr ts unbuffer");

/// One command of a line that runs something.
#[derive(Debug)]
pub(super) struct Running<'l> {
    /// Its place among all commands of the line.
    pub at: usize,
    pub words: &'l [String],
    /// `eval`: what it runs is put together at run time.
    pub opaque: bool,
    /// What joins it, or the pipeline that it is in, to what follows.
    joint: Joint,
    /// `exec`: it takes the place of the shell, which runs nothing any more.
    replaces: bool,
    /// It is the condition or the body of an `if` or a loop, or `!` turns its status round.
    tested: bool,
    /// It does not read what the shell was given: a file, or what another command writes.
    fed: bool,
}

/// What a line runs.
#[derive(Debug, Default)]
pub(super) struct Sequence<'l> {
    pub commands: Vec<Running<'l>>,
    /// `cd`: what follows the command at this place counts from there.
    pub folders: Vec<(usize, &'l str)>,
    /// Code that is not in the line runs, too: `. file`, `eval "$X"`, `$(x)`.
    pub hides: bool,
    all: &'l [Simple],
    /// Where a file is read or a text is run as commands.
    foreign: Vec<usize>,
    /// The shell ends with the first command that fails, or runs a trap for it.
    errexit: bool,
    /// `trap 'cmd' EXIT`: more will run at the end.
    at_exit: bool,
    /// What runs at the end depends on how the line ended.
    at_exit_by_status: bool,
    /// `exec < file`: the shell itself reads something else from there on.
    fed: bool,
    /// How many `if`, `while` and `until` are open.
    depth: usize,
    /// The order is not known.
    unread: bool,
}

impl<'l> Sequence<'l> {
    /// What a line runs. `errexit`: its shell ends with the first command that fails (`bash -e`).
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
        self.hides |= simple.words.iter().any(|word| substitutes(word));
        self.depth += found.opened;
        let first = found.words.first().map(String::as_str).unwrap_or_default();
        let rest = found.words.get(1..).unwrap_or_default();
        let place = rest.iter().find(|word| !word.starts_with('-')).map(String::as_str);
        let known = base(first.trim_start_matches('('));
        match known {
            // `exec < file`
            "" => self.fed |= simple.input,
            // `} &` and `) && x` join what they close.
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
            // `eval "$(tool)"` prepares, as a file that is read does; `eval "$LINE"` runs whatever it is.
            "eval" if place.is_some_and(substitutes) => self.foreign.push(at),
            "eval" if place.is_some_and(|word| word.contains('$')) => self.unread = true,
            "." | "source" => {
                self.hides = true;
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

    /// `trap CODE SIGNAL...`: what it runs, when, and by what.
    fn trap(&mut self, words: &[String]) {
        let mut words = words.iter().skip_while(|word| word.len() > 1 && word.starts_with('-'));
        let Some(code) = words.next().filter(|code| !matches!(code.as_str(), "" | "-")) else { return };
        let on_error = |signal: &String| matches!(signal.trim_start_matches("SIG"), "ERR" | "ZERR" | "err");
        self.errexit |= words.any(on_error);
        let code = lines::read(code);
        let inner = Sequence::of(&code, false);
        self.unread |= inner.unread || inner.hides || code.commands.iter().any(is_variable);
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
            () if !last && more && by_status => Beside::RunsIfItEndsWell,
            () if parallel || command.fed || command.joint == Joint::Pipe || !last && more => Beside::Runs,
            () => Beside::Nothing,
        }
    }

    /// Whether a command reads what another one writes that does more than hand on what the shell was given.
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

    /// What joins a command to the next that is no mere reader of it.
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

/// A word of `set`, `setopt`, `shopt`, or an option of a shell: `-e`, `-euo`, `errexit`, `ERR_EXIT`.
pub(super) fn sets_errexit(word: &str) -> bool {
    let letters = word.starts_with('-') && !word.starts_with("--") && word.contains('e');
    let name = word.to_ascii_lowercase().replace(['_', '-'], "");
    letters || name.contains("errexit") || name.contains("errreturn")
}

fn is_conditional(joint: Joint) -> bool {
    matches!(joint, Joint::And | Joint::Or)
}

/// The word holds `$(x)` or the like, which runs something; `kill $(jobs -p)` runs a builtin only.
fn substitutes(word: &str) -> bool {
    word.contains('`') || word.replace("$(jobs -p)", "").contains("$(")
}

/// Only assignments, which run nothing and do not use how the last command ended.
fn is_plain(simple: &Simple) -> bool {
    !simple.words.iter().any(|word| substitutes(word)) && !asks_status(simple)
}

/// The command itself is the value of a variable.
fn is_variable(simple: &Simple) -> bool {
    meaning(&simple.words).words.first().is_some_and(|word| word.starts_with('$'))
}

/// A command that depends on how the one before it ended: `$?`, PIPESTATUS, the `$status` of zsh, fish and csh.
/// `exit $?` only hands it on.
fn asks_status(simple: &Simple) -> bool {
    let hands_on = simple.words.first().is_some_and(|word| matches!(word.as_str(), "exit" | "return"));
    let asks = |word: &String| {
        word.contains("$?") || word.contains("{?") || word.to_ascii_lowercase().contains("status")
    };
    !hands_on && simple.words.iter().any(asks)
}

/// `tee log`, `cat`, `sed -u s/a/b/`
fn passes_on(simple: &Simple) -> bool {
    let first = simple.words.first().map(|word| base(word)).unwrap_or_default();
    PASSING.contains(first) || FILTERING.contains(first) && !simple.output
}

#[cfg(test)]
mod tests;
