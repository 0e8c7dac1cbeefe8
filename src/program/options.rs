//! Parses the options of a tool, to find where the words after them begin.

use super::Word;
use crate::word_list::WordList;

/// How one tool's options are parsed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar {
    /// Options that take the next word as their value.
    pub valued: WordList,
    /// Options that take the next two words.
    pub pairs: WordList,
    /// `-it` means `-i -t`. Not so for java, node and go, whose long options have one dash.
    pub clusters: bool,
}

impl Grammar {
    pub(super) const fn long(valued: WordList) -> Grammar {
        Grammar { valued, pairs: WordList::EMPTY, clusters: false }
    }

    pub(super) const fn clustered(valued: WordList) -> Grammar {
        Grammar { valued, pairs: WordList::EMPTY, clusters: true }
    }
}

/// The parsed options, and the words after them.
#[derive(Debug)]
pub(super) struct Parsed<'w> {
    /// Options with their values; a flag has an empty one.
    pub options: Vec<(&'w str, &'w str)>,
    /// The words after the options.
    pub rest: &'w [Word<'w>],
    /// The rest came after `--`.
    pub dashes: bool,
}

impl<'w> Parsed<'w> {
    /// The value of the last option of that name.
    pub(super) fn value(&self, names: &[&str]) -> Option<&'w str> {
        self.options
            .iter()
            .rev()
            .find(|(key, value)| names.contains(key) && !value.is_empty())
            .map(|(_, value)| *value)
    }

    /// Every value of the options of that name.
    pub(super) fn values<'s>(&'s self, names: &'s [&str]) -> impl Iterator<Item = &'w str> + 's {
        self.options
            .iter()
            .filter(|(key, value)| names.contains(key) && !value.is_empty())
            .map(|(_, value)| *value)
    }

    /// Is one of the options given?
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|(key, _)| names.contains(key))
    }
}

/// Parses options up to the first word that is no option, or up to and with `--`.
pub(super) fn parse<'w>(words: &'w [Word<'w>], grammar: Grammar) -> Parsed<'w> {
    let mut options: Vec<(&'w str, &'w str)> = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at).map(|word| &**word) {
        if word == "--" {
            return Parsed { options, rest: words.get(at + 1..).unwrap_or_default(), dashes: true };
        }
        if word.len() < 2 || !word.starts_with('-') {
            break;
        }
        at += 1;
        let mut next = || {
            at += 1;
            words.get(at - 1).map_or("", |word| &**word)
        };
        if grammar.valued.contains(word) {
            options.push((word, next()));
        } else if grammar.pairs.contains(word) {
            next();
            options.push((word, next()));
        } else if let Some((key, value)) = word.split_once('=') {
            options.push((key, value));
        } else if grammar.clusters && !word.starts_with("--") && word.is_ascii() {
            // "-p8080" is -p with its value, "-itv x" is -i, -t and -v with the value x.
            let last = &word[word.len() - 1..];
            if grammar.valued.contains(&word[..2]) {
                options.push((&word[..2], &word[2..]));
            } else if let Some(option) =
                grammar.valued.iter().find(|option| option.strip_prefix('-') == Some(last))
            {
                options.push((option, next()));
            } else {
                options.push((word, ""));
            }
        } else {
            options.push((word, ""));
        }
    }
    Parsed { options, rest: words.get(at..).unwrap_or_default(), dashes: false }
}

/// Parses options, a verb, and the options after it; `None` where the verb is none of these.
pub(super) fn parse_after_verb<'w>(
    words: &'w [Word<'w>],
    grammar: Grammar,
    verbs: &[&str],
) -> Option<Parsed<'w>> {
    let (verb, rest) = parse(words, grammar).rest.split_first()?;
    verbs.contains(&&**verb).then(|| parse(rest, grammar))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::word_list::list;

    fn words(line: &'static str) -> Vec<Word<'static>> {
        line.split(' ').map(Word::from).collect()
    }

    #[test]
    fn the_program_begins_behind_the_options_and_their_values() {
        const GRAMMAR: Grammar = Grammar::clustered(list!("--env -e -v"));
        for (line, rest) in [
            ("image a", "image a"),
            ("-i --rm image", "image"),
            ("-e A=1 --env B image -e c", "image -e c"),
            ("--env=B image", "image"),
            ("-it image", "image"),
            ("-itv /a:/b image", "image"),
            ("-v/a:/b image", "image"),
            ("-i -- -image", "-image"),
            ("-e", ""),
            ("-", "-"),
        ] {
            let words = words(line);
            assert_eq!(parse(&words, GRAMMAR).rest.join(" "), rest, "{line}");
        }
    }

    #[test]
    fn values_are_distinguished_from_flags() {
        let words = words("-y -p one --package=two bin");
        let parsed = parse(&words, Grammar::clustered(list!("--package -p")));
        assert_eq!(parsed.values(&["-p", "--package"]).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(parsed.value(&["-y"]), None);
        assert!(parsed.has(&["-y"]));
    }
}
