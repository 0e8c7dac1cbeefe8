//! The arguments of processes.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Text, to_text};

/// The arguments of a process, kept as the kernel keeps them: in one piece, each ended by a NUL.
///
/// A table has tens of thousands of arguments, of which hardly any is looked at twice: those of many processes lie in one
/// piece of memory (`Lines`), where one for each argument took three times as much.
///
/// ```
/// use mcp_reap::bytes::Argv;
/// let argv = Argv::from(["node", "", "server.js", ""]);
/// assert_eq!((argv.len(), argv.first()), (4, Some(&b"node"[..])));
/// assert_eq!(argv.written(), [&b"node"[..], b"", b"server.js"]);
/// assert!(Argv::default().is_empty() && !Argv::from([""]).is_empty());
/// ```
#[derive(Clone, Default)]
pub struct Argv {
    piece: Arc<Box<[u8]>>,
    place: Place,
}

/// Where in a piece of memory something lies.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    start: u32,
    end: u32,
}

/// Command lines of several processes, one behind the other, equal ones once.
#[derive(Debug)]
pub(crate) struct Lines {
    text: Vec<u8>,
    /// Where lines lie that were met lately, by what [`Lines::slot`] makes of them.
    met: [Place; 64],
}

impl Default for Lines {
    fn default() -> Lines {
        Lines { text: Vec::new(), met: [Place::default(); 64] }
    }
}

impl Lines {
    /// Keeps the arguments of one more process: bytes in which a NUL ends each; where the last one lacks it, their end does.
    pub(crate) fn keep(&mut self, line: &[u8]) -> Place {
        let slot = Lines::slot(line);
        let met = self.met[slot];
        if self.text.get(met.start as usize..met.end as usize) == Some(line) {
            return met;
        }
        let at = |text: &Vec<u8>| u32::try_from(text.len()).unwrap_or(u32::MAX);
        let start = at(&self.text);
        self.text.extend_from_slice(line);
        if !matches!(line.last(), None | Some(0)) {
            self.text.push(0);
        }
        let place = Place { start, end: at(&self.text) };
        self.met[slot] = place;
        place
    }

    /// The piece in which all that was kept lies.
    pub(crate) fn into_piece(self) -> Piece {
        Piece(Arc::new(self.text.into()))
    }

    /// Lines that differ mostly differ in their length, or in one of their last bytes.
    fn slot(line: &[u8]) -> usize {
        let last = line.iter().rev().take(4).fold(0_usize, |sum, byte| sum * 31 + usize::from(*byte));
        (line.len() * 7 + last) % 64
    }
}

/// Command lines that many processes share.
pub(crate) struct Piece(Arc<Box<[u8]>>);

impl Piece {
    /// The arguments that lie there.
    pub(crate) fn argv(&self, place: Place) -> Argv {
        Argv { piece: Arc::clone(&self.0), place }
    }
}

impl Argv {
    /// Of bytes in which a NUL ends each argument; where the last one lacks it, their end does.
    pub fn from_terminated(bytes: &[u8]) -> Argv {
        let mut lines = Lines::default();
        let place = lines.keep(bytes);
        lines.into_piece().argv(place)
    }

    /// The arguments, empty ones too.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
        let all = self.as_bytes().strip_suffix(b"\0").map(|bytes| bytes.split(|byte| *byte == 0));
        all.into_iter().flatten()
    }

    /// The arguments up to the last that is not empty: what stands behind it is mostly the rest of
    /// a command line that a program wrote a title over.
    pub fn written(&self) -> Vec<&[u8]> {
        let mut words: Vec<&[u8]> = self.iter().collect();
        let used = words.iter().rposition(|word| !word.is_empty()).map_or(0, |last| last + 1);
        words.truncate(used);
        words
    }

    /// All of them as they lie there, each ended by a NUL.
    pub fn as_bytes(&self) -> &[u8] {
        self.piece.get(self.place.start as usize..self.place.end as usize).unwrap_or_default()
    }

    /// The first argument.
    pub fn first(&self) -> Option<&[u8]> {
        self.iter().next()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// True when there is none at all.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }
}

impl<T: AsRef<[u8]>> FromIterator<T> for Argv {
    /// No argument can hold a NUL, so what comes with one is not an argv of any process: U+FFFD
    /// stands in its place, as for other bytes that are not text.
    fn from_iter<I: IntoIterator<Item = T>>(arguments: I) -> Argv {
        let mut bytes = Vec::new();
        for argument in arguments {
            push(&mut bytes, argument.as_ref());
        }
        Argv::from_terminated(&bytes)
    }
}

/// Appends an argument to others.
fn push(bytes: &mut Vec<u8>, argument: &[u8]) {
    for (at, piece) in argument.split(|byte| *byte == 0).enumerate() {
        if at > 0 {
            bytes.extend("\u{fffd}".as_bytes());
        }
        bytes.extend_from_slice(piece);
    }
    bytes.push(0);
}

impl PartialEq for Argv {
    fn eq(&self, other: &Argv) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Argv {}

impl PartialOrd for Argv {
    fn partial_cmp(&self, other: &Argv) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Argv {
    fn cmp(&self, other: &Argv) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Argv {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl<T: AsRef<[u8]>, const N: usize> From<[T; N]> for Argv {
    fn from(arguments: [T; N]) -> Argv {
        arguments.into_iter().collect()
    }
}

impl fmt::Debug for Argv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(to_text)).finish()
    }
}

impl Serialize for Argv {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(to_text))
    }
}

impl<'de> Deserialize<'de> for Argv {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Arguments)
    }
}

/// Reads arguments one behind the other into the one piece in which they lie, without a text for each.
struct Arguments;

impl<'de> Visitor<'de> for Arguments {
    type Value = Argv;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut arguments: S) -> Result<Argv, S::Error> {
        let mut bytes = Vec::new();
        while arguments
            .next_element_seed(Text(|argument: &str| push(&mut bytes, argument.as_bytes())))?
            .is_some()
        {}
        Ok(Argv::from_terminated(&bytes))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_back_as_they_were() {
        let cases: [&[&str]; 6] = [&[], &[""], &["", ""], &["a"], &["a", ""], &["", "a b", "c"]];
        for words in cases {
            let argv: Argv = words.iter().collect();
            assert_eq!(argv.iter().map(to_text).collect::<Vec<_>>(), words);
            assert_eq!(argv.len(), words.len());
            let json = serde_json::to_string(&argv).unwrap();
            assert_eq!(json, serde_json::to_string(words).unwrap());
            assert_eq!(serde_json::from_str::<Argv>(&json).unwrap(), argv);
        }
    }

    #[test]
    fn an_argument_with_a_nul_stays_one_argument() {
        let argv: Argv = serde_json::from_str(r#"["vim", "x\u0000mcp-server"]"#).unwrap();
        assert_eq!(argv.iter().map(to_text).collect::<Vec<_>>(), ["vim", "x\u{fffd}mcp-server"]);
    }

    #[test]
    fn lines_of_several_processes_lie_in_one_piece_and_equal_ones_once() {
        let mut lines = Lines::default();
        let texts: [&[u8]; 6] = [b"a\0b\0", b"", b"a\0b\0", b"a\0c\0", b"a\0b", b"a\0b\0"];
        let places = texts.map(|text| lines.keep(text));
        let piece = lines.into_piece();
        let expected: [Argv; 6] = [
            ["a", "b"].into(),
            Argv::default(),
            ["a", "b"].into(),
            ["a", "c"].into(),
            ["a", "b"].into(),
            ["a", "b"].into(),
        ];
        assert_eq!(places.map(|place| piece.argv(place)), expected);
        assert_eq!(
            piece.0.len(),
            4 + 4 + 4,
            "the first and the last two are one, that without its end is another"
        );
    }

    #[test]
    fn the_end_of_the_bytes_ends_the_last_argument() {
        assert_eq!(Argv::from_terminated(b"a\0b"), Argv::from(["a", "b"]));
        assert_eq!(Argv::from_terminated(b"a\0b\0"), Argv::from(["a", "b"]));
        assert_eq!(Argv::from_terminated(b""), Argv::default());
    }
}
