//! Hides the words of a command line that follow the name of a secret, or look like a secret.

use super::flags::{is_container, short_flag};
use super::names::names_a_secret;
use super::shapes::{self, HIDDEN, Place};
use super::urls;
use super::words::{
    Quote, blank, gap_len, is_flag, is_harmless, is_quote, is_scheme, is_shell_flag, name_before, word_len,
};

/// Short flags that take tokens, keys and passwords in some tools, and transports and ports in others.
const PERHAPS: &str = "tkpsaTKPSA";

/// What the words so far announce about the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expect {
    #[default]
    Nothing,
    /// It is the value of something secret.
    Secret,
    /// It is the value of `-t`, `-k`, `--session` or the like: a secret if it looks like one.
    Perhaps,
    /// It is the value of `-u` or `--user`: a secret after its colon.
    UserColonSecret,
    /// It is a name, and its value follows: `--setenv API_KEY x`.
    Name,
    /// The last word was the bare name of a secret, as in JSON: a secret follows after a colon.
    AfterColon,
    /// It is a name in an object that is the value of a secret's name: `"secret":{"value":"x"}`.
    Inside,
}

/// Goes through the words, and remembers what they announced.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    expect: Expect,
    /// The last argument was the `-c` of a shell, so this one is a command line.
    shell: bool,
    /// After a program whose short flag takes a password: that flag, and whether the password may be the next word.
    short: Option<(&'static str, bool)>,
    /// After docker and the like, whose `--env NAME` takes no more words.
    container: bool,
}

impl Scanner {
    /// One argument of an argv.
    pub(super) fn argument(&mut self, number: usize, argument: &str) -> String {
        // The first argument is a program, or a title that contains the whole command line.
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

    /// Hides secrets in a text of words. With `whole`, a secret that is named in the first word goes on to the end of the
    /// text, as in the argument `--password=two words`.
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
            // A value that begins in this word ends at the closing quote, or at the blank.
            let word_len = word_len(rest);
            let value_end = match quote {
                Some(quote) => quote.closing(rest),
                None if whole && first => rest.len(),
                // A closing quote of the text around it stays.
                None => rest[..blank(rest)].trim_end_matches(is_quote).len(),
            }
            .max(word_len);
            let (shown, taken) = self.word(&rest[..word_len], &rest[..value_end], whole && first);
            out.push_str(&shown);
            rest = &rest[taken..];
            first = false;
        }
        out
    }

    /// Hides one word. `reach` is the text from the word to the end of a value that begins in it. Returns the text to show,
    /// and the length of the part of `reach` that it replaces.
    fn word(&mut self, word: &str, reach: &str, whole: bool) -> (String, usize) {
        let expect = std::mem::take(&mut self.expect);
        match expect {
            // `"--token","x"` and `token = x`: the divider is not the value.
            Expect::Secret if word.bytes().all(|b| b":=,>\\".contains(&b)) => {
                self.expect = expect;
                return (word.to_owned(), word.len());
            }
            Expect::Secret if !is_flag(word) => return (self.value(reach), reach.len()),
            Expect::Perhaps => {
                let hidden = shapes::hide(word, Place::ShortFlag);
                if hidden != word {
                    return (hidden.into_owned(), word.len());
                }
                // `-s --api-key X`, `-p postgres://u:p@db`: its own name or form counts.
            }
            Expect::UserColonSecret => {
                if let Some((user, secret)) = word.split_once(':')
                    && !secret.is_empty()
                    && !secret.bytes().all(|b| b.is_ascii_digit())
                {
                    return (format!("{user}:{HIDDEN}"), reach.len());
                }
            }
            Expect::Name if !word.contains(['=', ':']) && names_a_secret(word) => {
                self.expect = Expect::Secret;
                return (word.to_owned(), word.len());
            }
            Expect::AfterColon if word.starts_with([':', '=']) => {
                return (self.after_colon(word), word.len());
            }
            Expect::Inside if !word.contains(['=', ':']) => {
                self.expect = Expect::AfterColon;
                return (word.to_owned(), word.len());
            }
            _ => {}
        }
        self.fresh(word, reach, whole)
    }

    /// Hides a word that no word before it announced.
    fn fresh(&mut self, word: &str, reach: &str, whole: bool) -> (String, usize) {
        self.note_program(word);
        if let Some((begin, end)) = urls::bare_credentials(word) {
            return (format!("{}{HIDDEN}{}", &word[..begin], &word[end..]), word.len());
        }
        for (at, divider) in word.char_indices().filter(|(_, c)| matches!(c, '=' | ':')) {
            if word[at..].starts_with("://") {
                let before =
                    word[..at].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+-.".contains(c));
                let (before, url) = word.split_at(before.len());
                return (shapes::hide_word(before).into_owned() + &urls::hide(url), word.len());
            }
            let Some(name) = name_before(&word[..at], divider) else { continue };
            if names_a_secret(name) {
                let after = at + 1;
                let value = &reach[after..];
                // `/token:x`, but a folder of a container in `/token:/token`.
                if at == name.len() + 1 && word.starts_with('/') && value.starts_with('/') {
                    continue;
                }
                if !whole && after == word.len() && (value.is_empty() || value.starts_with(is_quote)) {
                    self.expect = Expect::Secret; // `--token="x"`: it is the next word
                    return (word.to_owned(), after);
                }
                let trimmed = value.trim_start();
                return (reach[..reach.len() - trimmed.len()].to_owned() + &self.value(trimmed), reach.len());
            }
        }
        self.flag(word, reach, whole)
    }

    /// Hides a word that is not a name with its value: a flag whose value is the next word, or any other word.
    fn flag(&mut self, word: &str, reach: &str, whole: bool) -> (String, usize) {
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
            _ if self.short == Some((flag, true)) => Expect::Secret,
            _ if names_a_secret(flag) => Expect::Secret,
            "session" => Expect::Perhaps,
            _ if flag.len() == 1 && PERHAPS.contains(flag) => Expect::Perhaps,
            _ => Expect::Nothing,
        };
        if let (Expect::UserColonSecret, Some(user)) = (self.expect, user) {
            let begin = word.len() - user.len();
            let (shown, taken) = self.word(user, &reach[begin..], whole);
            return (word[..begin].to_owned() + &shown, begin + taken);
        }
        // `-pSECRET`: the flag and its value in one.
        if flag.len() > 1 && word.len() == flag.len() + 1 {
            let letter = &flag[..1];
            if self.short.is_some_and(|(password, _)| password == letter) {
                return (format!("-{letter}{HIDDEN}"), word.len());
            }
            if PERHAPS.contains(letter) {
                return (format!("-{letter}{}", shapes::hide(&word[2..], Place::ShortFlag)), word.len());
            }
        }
        (shapes::hide_word(word).into_owned(), word.len())
    }

    /// Remembers a program whose flags have a special meaning.
    fn note_program(&mut self, word: &str) {
        let name = word.rsplit('/').next().unwrap_or(word);
        self.container |= is_container(name);
        self.short = short_flag(name).or(self.short);
    }

    /// Hides the value of a secret as a whole.
    fn value(&mut self, value: &str) -> String {
        let is_to_come = value.is_empty() || is_scheme(value);
        self.expect = if is_to_come { Expect::Secret } else { Expect::Nothing };
        if is_to_come || is_harmless(value) { value.to_owned() } else { HIDDEN.to_owned() }
    }

    /// `"token":123}` in JSON: the word after the quoted name begins with the colon.
    fn after_colon(&mut self, word: &str) -> String {
        let value = word.trim_start_matches([':', '=', '>']);
        self.expect = match value.chars().next() {
            // The value is quoted, perhaps in a list: it is the next word.
            None | Some('[' | '\\') => Expect::Secret,
            Some('{') if value == "{" => Expect::Inside,
            Some('{') => Expect::Nothing,
            Some(_) => {
                let end = value.find([',', '}', ']']).unwrap_or(value.len());
                let shown = self.value(&value[..end]);
                self.expect = Expect::Nothing;
                return format!("{}{shown}{}", &word[..word.len() - value.len()], &value[end..]);
            }
        };
        word.to_owned()
    }
}
