//! Finds the command itself, after the assignments and shell keywords before it.

use super::super::Word;
use super::super::options::{self, Grammar};
use crate::word_list::{WordList, list};

/// Words before a command, most of which open a compound command. `-p` is an option of `time`.
const OPENING: WordList =
    list!("! ( -p command do elif else exec if nocorrect noglob then time until while {");
/// Words after which commands do not run in their order, or not once; also those of fish and csh.
const UNORDERED: WordList = list!("and begin case coproc for foreach function not or repeat select switch");

/// A command without the assignments and keywords before it.
pub(super) struct Meaning<'s> {
    pub(super) words: &'s [String],
    /// It is run by `exec`, so it replaces the shell.
    pub(super) replaces: bool,
    /// The commands do not run in the order in which they are written.
    pub(super) unordered: bool,
    /// `!` negates its status.
    pub(super) negated: bool,
    /// How many `if`, `while` and `until` it opens.
    pub(super) opened: usize,
}

/// Skips assignments and keywords.
pub(super) fn meaning(simple: &[String]) -> Meaning<'_> {
    let mut found = Meaning { words: simple, replaces: false, unordered: false, negated: false, opened: 0 };
    while let Some((first, rest)) = found.words.split_first() {
        let first = first.trim_start_matches('(');
        found.negated |= first == "!";
        found.opened += usize::from(matches!(first, "if" | "until" | "while"));
        if first == "exec" {
            found.words = past_options_of_exec(rest);
            found.replaces = !found.words.is_empty();
        } else if is_assignment(first) || OPENING.contains(first) {
            // `command -v x` only looks a program up.
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

/// The words after exec's own options: -a NAME, -c, -l.
fn past_options_of_exec(words: &[String]) -> &[String] {
    let borrowed: Vec<Word<'_>> = words.iter().map(|word| Word::from(word.as_str())).collect();
    let rest = options::parse(&borrowed, Grammar::clustered(list!("-a"))).rest.len();
    words.get(words.len() - rest..).unwrap_or_default()
}

#[cfg(test)]
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
}
