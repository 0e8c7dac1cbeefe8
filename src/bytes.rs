//! Text from other programs: bytes as the kernel gave them, cleaned only where they are shown.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;

/// Bytes that are usually text, kept exactly as they were read.
///
/// argv, comm and paths may hold any byte but NUL. Inside the program they stay bytes; JSON and
/// the terminal get the lossy form, with U+FFFD for what is not UTF-8. Up to 16 bytes lie in the value
/// itself: every process has a short name, and few have a longer text that matters.
///
/// ```
/// use mcp_reap::bytes::RawText;
/// assert_eq!(RawText::from("node").to_string(), "node");
/// assert_eq!(RawText::from(&b"a\xffb"[..]).to_string(), "a\u{fffd}b");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RawText(SmallVec<[u8; 16]>);

impl RawText {
    /// The bytes themselves.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text, with U+FFFD in place of what is not UTF-8.
    pub(crate) fn to_text(&self) -> Cow<'_, str> {
        to_text(&self.0)
    }

    /// True when there is no byte at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&[u8]> for RawText {
    fn from(bytes: &[u8]) -> Self {
        RawText(bytes.into())
    }
}

impl From<&str> for RawText {
    fn from(text: &str) -> Self {
        RawText(text.as_bytes().into())
    }
}

impl From<String> for RawText {
    fn from(text: String) -> Self {
        RawText(text.into_bytes().into())
    }
}

impl From<Vec<u8>> for RawText {
    fn from(bytes: Vec<u8>) -> Self {
        RawText(bytes.into())
    }
}

impl AsRef<[u8]> for RawText {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for RawText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl fmt::Debug for RawText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_text())
    }
}

impl Serialize for RawText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for RawText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(|text: &str| RawText::from(text)))
    }
}

/// The arguments of a process, kept as the kernel keeps them: in one piece, each ended by a NUL.
///
/// A table has tens of thousands of arguments, of which hardly any is looked at twice: one allocation
/// for each process, where one for each argument took three times the memory.
///
/// ```
/// use mcp_reap::bytes::Argv;
/// let argv = Argv::from(["node", "", "server.js", ""]);
/// assert_eq!((argv.len(), argv.first()), (4, Some(&b"node"[..])));
/// assert_eq!(argv.written(), [&b"node"[..], b"", b"server.js"]);
/// assert!(Argv::default().is_empty() && !Argv::from([""]).is_empty());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Argv(Box<[u8]>);

impl Argv {
    /// Of bytes in which a NUL ends each argument; where the last one lacks it, their end does.
    #[must_use]
    pub fn from_terminated(bytes: &[u8]) -> Argv {
        match bytes.last() {
            None | Some(0) => Argv(bytes.into()),
            Some(_) => Argv([bytes, b"\0"].concat().into()),
        }
    }

    /// The arguments, empty ones too.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
        let all = self.0.strip_suffix(b"\0").map(|bytes| bytes.split(|byte| *byte == 0));
        all.into_iter().flatten()
    }

    /// The arguments up to the last that is not empty: what stands behind it is mostly the rest of
    /// a command line that a program wrote a title over.
    #[must_use]
    pub fn written(&self) -> Vec<&[u8]> {
        let mut words: Vec<&[u8]> = self.iter().collect();
        let used = words.iter().rposition(|word| !word.is_empty()).map_or(0, |last| last + 1);
        words.truncate(used);
        words
    }

    /// All of them as they lie there, each ended by a NUL.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The first argument.
    #[must_use]
    pub fn first(&self) -> Option<&[u8]> {
        self.iter().next()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// True when there is none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Bytes as text, with U+FFFD in place of what is not UTF-8.
pub(crate) fn to_text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

impl<T: AsRef<[u8]>> FromIterator<T> for Argv {
    /// No argument can hold a NUL, so what comes with one is not an argv of any process: U+FFFD
    /// stands in its place, as for other bytes that are not text.
    fn from_iter<I: IntoIterator<Item = T>>(arguments: I) -> Argv {
        let mut bytes = Vec::new();
        for argument in arguments {
            push(&mut bytes, argument.as_ref());
        }
        Argv(bytes.into())
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
        Ok(Argv(bytes.into()))
    }
}

/// Takes a text as it lies in what is read.
struct Text<F>(F);

impl<'de, T, F: FnOnce(&str) -> T> DeserializeSeed<'de> for Text<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<T, F: FnOnce(&str) -> T> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        Ok((self.0)(text))
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
    fn the_end_of_the_bytes_ends_the_last_argument() {
        assert_eq!(Argv::from_terminated(b"a\0b"), Argv::from(["a", "b"]));
        assert_eq!(Argv::from_terminated(b"a\0b\0"), Argv::from(["a", "b"]));
        assert_eq!(Argv::from_terminated(b""), Argv::default());
    }
}
