//! Lists of words. Each is written as one text, which is split and checked at compile time.

/// A sorted list of distinct words. [`list!`] makes it, and does not compile if the words are not in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WordList(&'static Words);

/// The words of a text, by their positions. A pointer to each word would have to be relocated at every start: 6,000 of
/// them took a sixth of a megabyte.
#[derive(Debug)]
pub(crate) struct Words {
    /// A bit for the mark of each word. It excludes most words that are not in the list.
    marks: u64,
    text: &'static str,
    places: &'static [(u16, u16)],
}

impl WordList {
    pub(crate) const EMPTY: WordList = WordList(&Words { marks: 0, text: "", places: &[] });

    /// For [`list!`], which cuts the words out of the text.
    pub(crate) const fn of(words: &'static Words) -> WordList {
        WordList(words)
    }

    pub(crate) fn contains(self, word: &str) -> bool {
        let Words { marks, text, places } = self.0;
        if marks & mark(word.as_bytes(), 0, word.len()) == 0 {
            return false;
        }
        let compare = |(start, end): &(u16, u16)| {
            text.as_bytes()[usize::from(*start)..usize::from(*end)].cmp(word.as_bytes())
        };
        places.binary_search_by(compare).is_ok()
    }

    /// [`WordList::contains`] without regard to case.
    pub(crate) fn contains_ignoring_case(self, word: &str) -> bool {
        self.iter().any(|known| known.eq_ignore_ascii_case(word))
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = &'static str> {
        let Words { text, places, .. } = self.0;
        places.iter().map(|(start, end)| &text[usize::from(*start)..usize::from(*end)])
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0.places.is_empty()
    }
}

impl Words {
    pub(crate) const fn of(text: &'static str, places: &'static [(u16, u16)]) -> Words {
        let (mut at, mut marks) = (0, 0);
        while at < places.len() {
            marks |= mark(text.as_bytes(), places[at].0 as usize, places[at].1 as usize);
            at += 1;
        }
        at = 1;
        while at < places.len() {
            let sorted = is_before(text.as_bytes(), places[at - 1], places[at]);
            assert!(sorted, "a list is out of order, or has a word twice");
            at += 1;
        }
        Words { marks, text, places }
    }
}

/// The mark of a word: one of 64 bits, by its length and its first and last byte.
const fn mark(text: &[u8], start: usize, end: usize) -> u64 {
    if start == end {
        return 1;
    }
    let (first, last) = (text[start] as usize, text[end - 1] as usize);
    1 << ((end - start + first * 3 + last * 5) % 64)
}

/// A [`WordList`] of the words in a text, which are separated by white space.
macro_rules! list {
    ($text:expr) => {{
        const TEXT: &str = $text;
        const PLACES: [(u16, u16); $crate::word_list::count(TEXT)] = $crate::word_list::cut(TEXT);
        const LIST: $crate::word_list::WordList =
            $crate::word_list::WordList::of(&$crate::word_list::Words::of(TEXT, &PLACES));
        LIST
    }};
}
pub(crate) use list;

/// The number of words in a text.
pub(crate) const fn count(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut words, mut at) = (0, 0);
    while at < bytes.len() {
        if begins(bytes, at) {
            words += 1;
        }
        at += 1;
    }
    words
}

/// The positions of the words of a text.
pub(crate) const fn cut<const N: usize>(text: &str) -> [(u16, u16); N] {
    let bytes = text.as_bytes();
    assert!(bytes.len() <= u16::MAX as usize, "a list is too long");
    let mut places = [(0, 0); N];
    let (mut word, mut at) = (0, 0);
    while at < bytes.len() {
        if begins(bytes, at) {
            places[word].0 = at as u16;
            while at < bytes.len() && !bytes[at].is_ascii_whitespace() {
                at += 1;
            }
            places[word].1 = at as u16;
            word += 1;
        }
        at += 1;
    }
    places
}

/// Does a word begin here?
const fn begins(text: &[u8], at: usize) -> bool {
    !text[at].is_ascii_whitespace() && (at == 0 || text[at - 1].is_ascii_whitespace())
}

const fn is_before(text: &[u8], left: (u16, u16), right: (u16, u16)) -> bool {
    let (mut l, mut r) = (left.0 as usize, right.0 as usize);
    while l < left.1 as usize && r < right.1 as usize {
        if text[l] != text[r] {
            return text[l] < text[r];
        }
        (l, r) = (l + 1, r + 1);
    }
    r < right.1 as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_into_its_words() {
        const WORDS: WordList = list!("\n  --all -a\tb ");
        assert_eq!(WORDS.iter().collect::<Vec<_>>(), ["--all", "-a", "b"]);
    }

    #[test]
    fn a_list_contains_its_words_and_no_others() {
        const WORDS: WordList = list!("cursor cursors emacs vim");
        for word in WORDS.iter() {
            assert!(WORDS.contains(word), "{word}");
        }
        for word in ["", "v", "vi", "vims", "Vim", "curson", "emacs ", "cursor emacs"] {
            assert!(!WORDS.contains(word), "{word}");
        }
        assert!(!WordList::EMPTY.contains(""));
    }

    #[test]
    fn words_are_compared_byte_by_byte() {
        for (text, before) in [
            ("a b", true),
            ("a ab", true),
            ("ab a", false),
            ("a a", false),
            ("--a -a", true),
            ("b aa", false),
        ] {
            let [left, right] = cut(text);
            assert_eq!(is_before(text.as_bytes(), left, right), before, "{text}");
        }
    }
}
