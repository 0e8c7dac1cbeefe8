//! Text from other programs: bytes as the kernel gave them, cleaned only where they are shown.

mod argv;

pub use argv::Argv;
#[cfg(target_os = "linux")]
pub(crate) use argv::Lines;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{DeserializeSeed, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that are usually text, kept exactly as they were read.
///
/// argv, comm and paths may contain any byte but NUL. Inside the program they stay bytes. JSON and the terminal get the
/// lossy form, with U+FFFD for what is not UTF-8. Texts of up to 15 bytes, the length of the kernel's short names
/// (`TASK_COMM_LEN`), are stored in the value itself. Every process has such a name, and few have longer texts that
/// matter.
///
/// ```
/// use mcp_reap::bytes::RawText;
/// assert_eq!(RawText::from("node").to_string(), "node");
/// assert_eq!(RawText::from(&b"a\xffb"[..]).to_string(), "a\u{fffd}b");
/// ```
#[derive(Clone)]
pub struct RawText(Bytes);

#[derive(Clone)]
enum Bytes {
    Short([u8; SHORT], ShortLength),
    /// It is boxed twice, so that only a pointer without a length is stored in the value.
    Long(Box<Box<[u8]>>),
}

const SHORT: usize = 15;

/// The length of a short text. It is an enum, so that its unused values mark the long form, and the whole takes 16
/// bytes.
#[rustfmt::skip]
#[derive(Clone, Copy)]
enum ShortLength { L0, L1, L2, L3, L4, L5, L6, L7, L8, L9, L10, L11, L12, L13, L14, L15 }

impl ShortLength {
    fn of(length: usize) -> Option<ShortLength> {
        use ShortLength::{L0, L1, L2, L3, L4, L5, L6, L7, L8, L9, L10, L11, L12, L13, L14, L15};
        const ALL: [ShortLength; SHORT + 1] =
            [L0, L1, L2, L3, L4, L5, L6, L7, L8, L9, L10, L11, L12, L13, L14, L15];
        ALL.get(length).copied()
    }
}

impl RawText {
    /// The bytes themselves.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Short(bytes, length) => &bytes[..*length as usize],
            Bytes::Long(bytes) => bytes,
        }
    }

    /// The text, with U+FFFD for what is not UTF-8.
    pub(crate) fn to_text(&self) -> Cow<'_, str> {
        to_text(self.as_bytes())
    }

    /// Are there no bytes?
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }
}

impl From<&[u8]> for RawText {
    fn from(text: &[u8]) -> Self {
        RawText(match ShortLength::of(text.len()) {
            Some(length) => {
                let mut bytes = [0; SHORT];
                bytes[..text.len()].copy_from_slice(text);
                Bytes::Short(bytes, length)
            }
            None => Bytes::Long(Box::new(text.into())),
        })
    }
}

impl From<&str> for RawText {
    fn from(text: &str) -> Self {
        RawText::from(text.as_bytes())
    }
}

impl From<String> for RawText {
    fn from(text: String) -> Self {
        RawText::from(text.as_bytes())
    }
}

impl From<Vec<u8>> for RawText {
    fn from(bytes: Vec<u8>) -> Self {
        RawText::from(&*bytes)
    }
}

impl AsRef<[u8]> for RawText {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Default for RawText {
    fn default() -> Self {
        RawText::from("")
    }
}

impl PartialEq for RawText {
    fn eq(&self, other: &RawText) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for RawText {}

impl PartialOrd for RawText {
    fn partial_cmp(&self, other: &RawText) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RawText {
    fn cmp(&self, other: &RawText) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for RawText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
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

/// Bytes as text, with U+FFFD for what is not UTF-8.
pub(crate) fn to_text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// A visitor that passes a string to a function.
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
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_bytes_whatever_its_length() {
        for length in 0..40 {
            let text: Vec<u8> = (1..=length).collect();
            assert_eq!(RawText::from(text.clone()).as_bytes(), text);
        }
        assert_eq!((size_of::<RawText>(), size_of::<Option<RawText>>()), (16, 16));
    }
}
