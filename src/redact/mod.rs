//! Hides secrets in command lines, so that logs, reports and bug reports can be shown around.
//!
//! What is hidden: values with the name of a secret (`--api-key X`, `TOKEN=X`, `"apiKey":"X"`,
//! `Authorization: Bearer X`), credentials and parameters in URLs, tokens of known shape, and long
//! random runs. What stays: programs, flags, paths, packages, hashes of caches, uuids outside of URLs. Where the two
//! meet, hiding wins: hiding one argument too many costs a question, one too few a key.

mod flags;
mod names;
mod shapes;
mod urls;
mod words;

use self::flags::{ShortFlag, is_container, short_flag};
use self::names::names_a_secret;
pub use self::shapes::HIDDEN;
use self::shapes::Place;
use self::words::{
    Quote, blank, gap_len, is_flag, is_harmless, is_quote, is_scheme, is_shell_flag, name_before, word_len,
};
use crate::bytes::{Argv, to_text};

/// Looks after which a command line that still changes is hidden whole. Random ones take three.
const MOST_LOOKS: usize = 10;

/// The arguments of a process without their secrets, one for one.
///
/// ```
/// use mcp_reap::redact;
/// use mcp_reap::bytes::Argv;
/// let argv = Argv::from(["node", "server.js", "--api-key", "hunter2"]);
/// assert_eq!(redact::argv(&argv), ["node", "server.js", "--api-key", "<redacted>"]);
/// ```
#[must_use]
pub fn argv(argv: &Argv) -> Vec<String> {
    words(argv.iter().map(|argument| to_text(argument).into_owned()).collect())
}

fn words(mut shown: Vec<String>) -> Vec<String> {
    // What is hidden changes what stands beside it (`-tSECRET` no longer looks like a flag), so look
    // until nothing is left to hide: the second look is nearly always the last.
    for _ in 0..MOST_LOOKS {
        let mut scanner = Scanner::default();
        let again: Vec<String> =
            shown.iter().enumerate().map(|(number, argument)| scanner.argument(number, argument)).collect();
        if again == shown {
            return shown;
        }
        shown = again;
    }
    // Made to keep us looking.
    shown.iter().map(|_| HIDDEN.to_owned()).collect()
}

/// A command line that is one text (a rewritten title, a line of `ps`) without its secrets.
///
/// ```
/// let title = "npm exec some-mcp --token hunter2 /srv";
/// assert_eq!(mcp_reap::redact::text(title), "npm exec some-mcp --token <redacted> /srv");
/// ```
#[must_use]
pub fn text(text: &str) -> String {
    words(vec![text.to_owned()]).pop().unwrap_or_default()
}

/// Short flags that stand for tokens, keys and passwords in some tools, and for transports and ports
/// in others.
const PERHAPS: &str = "tkpsaTKPSA";

/// What follows from the words so far for the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expect {
    #[default]
    Nothing,
    /// It is the value of something secret.
    Secret,
    /// It is the value of `-t`, `-k`, `--session` or the like: a secret if it looks like one.
    Perhaps,
    /// It is the value of `-u` or `--user`: a secret from its colon on.
    UserColonSecret,
    /// It is a name, whose value follows: `--setenv API_KEY x`.
    Name,
    /// The word was a bare name of a secret, as in JSON: a secret follows if a colon does.
    AfterColon,
    /// A name in the object that a secret's name has as its value: `"secret":{"value":"x"}`.
    Inside,
}

/// Walks over words and keeps in mind what the last one promised.
#[derive(Debug, Default)]
struct Scanner {
    expect: Expect,
    /// The last argument was the `-c` of a shell: this one is a line of words.
    shell: bool,
    /// A program whose short flag takes a password was named.
    short: Option<&'static ShortFlag>,
    /// docker and the like were: `--env NAME` takes no more words.
    container: bool,
}

impl Scanner {
    /// One argument of an argv.
    fn argument(&mut self, number: usize, argument: &str) -> String {
        // The first argument is a program, or a title with the whole command line in it.
        let line = number == 0 || std::mem::take(&mut self.shell);
        self.shell = is_shell_flag(argument);
        if self.expect == Expect::AfterColon {
            self.expect = Expect::Perhaps; // `token X`
        }
        if self.expect == Expect::Secret && !is_flag(argument) && !argument.is_empty() {
            return self.value(argument);
        }
        self.scan(argument, !line)
    }

    /// A text of words. `whole`: a secret named in its first word goes on to the end of the text,
    /// as in the argument `--password=two words`.
    fn scan(&mut self, text: &str, whole: bool) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut first = true;
        while !rest.is_empty() {
            let gap = gap_len(rest);
            out.push_str(&rest[..gap]);
            let quote = Quote::ending(&rest[..gap]);
            rest = &rest[gap..];
            if rest.is_empty() {
                break;
            }
            // How far a value goes that begins in this word: to the closing quote, or to the blank.
            let word_len = word_len(rest);
            let value_end = match quote {
                Some(quote) => quote.closing(rest),
                None if whole && first => rest.len(),
                // A closing quote that belongs to the text around stays.
                None => rest[..blank(rest)].trim_end_matches(is_quote).len(),
            }
            .max(word_len);
            let taken = self.word(&rest[..word_len], &rest[..value_end], whole && first, &mut out);
            rest = &rest[taken..];
            first = false;
        }
        out
    }

    /// One word; `reach` is the word and what follows it up to where a value beginning in it would
    /// end. Returns how much was taken.
    fn word(&mut self, word: &str, reach: &str, whole: bool, out: &mut String) -> usize {
        let expect = std::mem::take(&mut self.expect);
        match expect {
            // `"--token","x"` and `token = x`: the divider is not the value.
            Expect::Secret if word.bytes().all(|b| b":=,>\\".contains(&b)) => {
                self.expect = expect;
                out.push_str(word);
                return word.len();
            }
            Expect::Secret if !is_flag(word) => {
                out.push_str(&self.value(reach));
                return reach.len();
            }
            Expect::Perhaps => {
                let hidden = shapes::hide(word, Place::ShortFlag);
                if hidden != word {
                    out.push_str(&hidden);
                    return word.len();
                }
                // `-s --api-key X`, `-p postgres://u:p@db`: its own name or form counts.
            }
            Expect::UserColonSecret => {
                if let Some((user, secret)) = word.split_once(':')
                    && !secret.is_empty()
                    && !secret.bytes().all(|b| b.is_ascii_digit())
                {
                    out.push_str(user);
                    out.push(':');
                    out.push_str(HIDDEN);
                    return reach.len();
                }
            }
            Expect::Name if !word.contains(['=', ':']) && names_a_secret(word) => {
                self.expect = Expect::Secret;
                out.push_str(word);
                return word.len();
            }
            Expect::AfterColon if word.starts_with([':', '=']) => {
                return self.after_colon(word, out);
            }
            Expect::Inside if !word.contains(['=', ':']) => {
                self.expect = Expect::AfterColon;
                out.push_str(word);
                return word.len();
            }
            _ => {}
        }
        self.fresh(word, reach, whole, out)
    }

    /// A word that no word before it announces.
    fn fresh(&mut self, word: &str, reach: &str, whole: bool, out: &mut String) -> usize {
        self.note_program(word);
        if let Some((begin, end)) = urls::bare_credentials(word) {
            out.push_str(&word[..begin]);
            out.push_str(HIDDEN);
            out.push_str(&word[end..]);
            return word.len();
        }
        for (at, divider) in word.char_indices().filter(|(_, c)| matches!(c, '=' | ':')) {
            if word[at..].starts_with("://") {
                let scheme = word[..at]
                    .rfind(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))
                    .map_or(0, |before| before + word[before..].chars().next().map_or(1, char::len_utf8));
                out.push_str(&shapes::hide_word(&word[..scheme]));
                out.push_str(&urls::hide(&word[scheme..]));
                return word.len();
            }
            let Some(name) = name_before(&word[..at], divider) else { continue };
            if names_a_secret(name) {
                let after = at + 1;
                let value = &reach[after..];
                // `/token:x`, but a folder of a container in `/token:/token`.
                if at == name.len() + 1 && word.starts_with('/') && value.starts_with('/') {
                    continue;
                }
                out.push_str(&word[..after]);
                if !whole && after == word.len() && (value.is_empty() || value.starts_with(is_quote)) {
                    self.expect = Expect::Secret; // `--token="x"`: it is the next word
                    return after;
                }
                let trimmed = value.trim_start();
                out.push_str(&value[..value.len() - trimmed.len()]);
                out.push_str(&self.value(trimmed));
                return reach.len();
            }
        }
        self.flag(word, reach, whole, out)
    }

    /// A word without a name and its value: a flag whose value is the next word, or any other.
    fn flag(&mut self, word: &str, reach: &str, whole: bool, out: &mut String) -> usize {
        let flag = if is_flag(word) { word.trim_start_matches('-') } else { "" };
        let (flag, user) = flag.split_once('=').map_or((flag, None), |(flag, value)| (flag, Some(value)));
        self.expect = match flag {
            "" if word.eq_ignore_ascii_case("bearer") => Expect::Secret,
            "" if word == "setenv" => Expect::Name,
            "" if names_a_secret(word) => Expect::AfterColon,
            "u" | "user" | "proxy-user" => Expect::UserColonSecret,
            _ if user.is_some() => Expect::Nothing,
            "setenv" | "header" => Expect::Name,
            "e" | "env" if !self.container => Expect::Name,
            _ if self.short.is_some_and(|short| short.apart && short.flag == flag) => Expect::Secret,
            _ if names_a_secret(flag) => Expect::Secret,
            "session" => Expect::Perhaps,
            _ if flag.len() == 1 && PERHAPS.contains(flag) => Expect::Perhaps,
            _ => Expect::Nothing,
        };
        if let (Expect::UserColonSecret, Some(user)) = (self.expect, user) {
            out.push_str(&word[..word.len() - user.len()]);
            return word.len() - user.len() + self.word(user, &reach[word.len() - user.len()..], whole, out);
        }
        // `-pSECRET`: the flag and its value in one.
        if flag.len() > 1 && word.len() == flag.len() + 1 {
            let letter = &flag[..1];
            if self.short.is_some_and(|short| short.flag == letter) {
                out.push_str(&word[..2]);
                out.push_str(HIDDEN);
                return word.len();
            }
            if PERHAPS.contains(letter) {
                out.push_str(&word[..2]);
                out.push_str(&shapes::hide(&word[2..], Place::ShortFlag));
                return word.len();
            }
        }
        out.push_str(&shapes::hide_word(word));
        word.len()
    }

    /// Keeps in mind the programs whose flags mean something of their own.
    fn note_program(&mut self, word: &str) {
        let name = word.rsplit('/').next().unwrap_or(word);
        self.container |= is_container(name);
        self.short = short_flag(name).or(self.short);
    }

    /// The value of something secret, in full.
    fn value(&mut self, value: &str) -> String {
        self.expect = Expect::Nothing;
        if value.is_empty() || is_scheme(value) {
            self.expect = Expect::Secret; // it is still to come
            return value.to_owned();
        }
        if is_harmless(value) {
            return value.to_owned();
        }
        HIDDEN.to_owned()
    }

    /// `"token":123}` in JSON: the word after the quoted name begins with the colon.
    fn after_colon(&mut self, word: &str, out: &mut String) -> usize {
        let divider = word.len() - word.trim_start_matches([':', '=', '>']).len();
        out.push_str(&word[..divider]);
        let value = &word[divider..];
        match value.chars().next() {
            None | Some('[' | '\\') => {
                // The value is quoted, perhaps in a list: it is the next word.
                self.expect = Expect::Secret;
                out.push_str(value);
            }
            Some('{') => {
                self.expect = if value == "{" { Expect::Inside } else { Expect::Nothing };
                out.push_str(value);
            }
            Some(_) => {
                let end = value.find([',', '}', ']']).unwrap_or(value.len());
                out.push_str(&self.value(&value[..end]));
                self.expect = Expect::Nothing;
                out.push_str(&value[end..]);
            }
        }
        word.len()
    }
}

#[cfg(test)]
mod tests;
