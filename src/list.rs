//! Lists of words as one text each: short to read, cut up and checked when the program is compiled.

/// Sorted words without doubles. Only [`list!`] makes one, and out of order it does not compile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List(&'static [&'static str]);

impl List {
    pub(crate) const EMPTY: List = List(&[]);

    /// The words are taken as they are: for [`list!`], which cuts them out of a text.
    pub(crate) const fn of(words: &'static [&'static str]) -> List {
        let mut at = 1;
        while at < words.len() {
            assert!(is_before(words[at - 1], words[at]), "a list is out of order, or has a word twice");
            at += 1;
        }
        List(words)
    }

    pub(crate) fn contains(self, word: &str) -> bool {
        self.0.binary_search(&word).is_ok()
    }

    /// The same without regard to case.
    pub(crate) fn has(self, word: &str) -> bool {
        self.0.iter().any(|known| known.eq_ignore_ascii_case(word))
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// The words of a text that are parted by white space, as a [`List`].
macro_rules! list {
    ($text:expr) => {{
        const TEXT: &str = $text;
        const WORDS: [&str; $crate::list::count(TEXT)] = $crate::list::cut(TEXT);
        const LIST: $crate::list::List = $crate::list::List::of(&WORDS);
        LIST
    }};
}
pub(crate) use list;

/// How many words a text has.
pub(crate) const fn count(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut words, mut at) = (0, 0);
    while at < bytes.len() {
        if !bytes[at].is_ascii_whitespace() && (at == 0 || bytes[at - 1].is_ascii_whitespace()) {
            words += 1;
        }
        at += 1;
    }
    words
}

/// The words of a text.
pub(crate) const fn cut<const N: usize>(text: &'static str) -> [&'static str; N] {
    let mut words = [""; N];
    let mut rest = text.trim_ascii();
    let mut number = 0;
    while number < N {
        let bytes = rest.as_bytes();
        let mut end = 0;
        while end < bytes.len() && !bytes[end].is_ascii_whitespace() {
            end += 1;
        }
        let (word, after) = rest.split_at(end);
        words[number] = word;
        rest = after.trim_ascii_start();
        number += 1;
    }
    words
}

const fn is_before(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut at = 0;
    while at < left.len() && at < right.len() {
        if left[at] != right[at] {
            return left[at] < right[at];
        }
        at += 1;
    }
    left.len() < right.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_into_its_words() {
        const WORDS: List = list!("\n  --all -a\tb ");
        assert_eq!(WORDS.iter().collect::<Vec<_>>(), ["--all", "-a", "b"]);
    }

    #[test]
    fn words_are_compared_byte_by_byte() {
        for (left, right, before) in [
            ("a", "b", true),
            ("a", "ab", true),
            ("ab", "a", false),
            ("a", "a", false),
            ("--a", "-a", true),
            ("", "a", true),
        ] {
            assert_eq!(is_before(left, right), before, "{left} {right}");
        }
    }
}
