//! Finds the positions of the values in a JSON text, so that an edit changes no other bytes.
//!
//! `serde_json` finds them and checks that the text is JSON (RFC 8259 and no more, because Claude Code reads its
//! settings with `JSON.parse`). It needs no recursion and does not decode numbers and strings. So no nesting is too
//! deep, and `1e400` or half of a surrogate pair is accepted, as `JSON.parse` does. (jsonc-parser refuses half of a
//! pair, and reformats one-line objects and blank lines when it inserts something.)

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::SettingsError;

/// The text of a value.
pub(super) type Raw<'a> = &'a RawValue;

/// One `"key": value` of an object.
#[derive(Clone, Debug)]
pub(super) struct Member<'a> {
    name: Raw<'a>,
    pub(super) value: Raw<'a>,
}

/// A text that is valid JSON or blank.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document<'a> {
    pub(super) text: &'a str,
    /// The outermost value; `None` in a blank text.
    pub(super) root: Option<Raw<'a>>,
}

/// Some editors begin a file with it.
const BYTE_ORDER_MARK: char = '\u{feff}';

impl<'a> Document<'a> {
    /// Checks the whole text and finds its outermost value.
    pub(super) fn parse(text: &'a str) -> Result<Document<'a>, SettingsError> {
        let json = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        if json.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            return Ok(Document { text, root: None });
        }
        let root = serde_json::from_str(json).map_err(|error| {
            let message = error.to_string();
            let reason = message.split(" at line ").next().unwrap_or(&message).to_owned();
            SettingsError::NotJson { line: error.line(), column: error.column(), reason }
        })?;
        Ok(Document { text, root: Some(root) })
    }

    /// The bytes of a value in this text.
    pub(super) fn span(&self, value: Raw<'_>) -> Range<usize> {
        let start = value.get().as_ptr() as usize - self.text.as_ptr() as usize;
        start..start + value.get().len()
    }

    /// The bytes of a member, from the first quote of its key to the last byte of its value.
    pub(super) fn span_of_member(&self, member: &Member<'_>) -> Range<usize> {
        self.span(member.name).start..self.span(member.value).end
    }

    /// Line and column of a value, from 1; the column counts bytes, as `serde_json` does.
    pub(super) fn position(&self, value: Raw<'_>) -> (usize, usize) {
        let before = self.text[..self.span(value).start].trim_start_matches(BYTE_ORDER_MARK);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before.len() - before.rfind('\n').map_or(0, |newline| newline + 1) + 1)
    }
}

impl Member<'_> {
    /// Is this its key? False for a key that is not Unicode (half of a surrogate pair).
    pub(super) fn is(&self, key: &str) -> bool {
        string(self.name).as_deref() == Some(key)
    }

    /// Its key; `None` if that is not Unicode.
    pub(super) fn key(&self) -> Option<String> {
        string(self.name)
    }
}

/// The members of an object in order, with duplicates; none for any other value.
pub(super) fn members(object: Raw<'_>) -> Vec<Member<'_>> {
    serde_json::from_str::<Members<'_>>(object.get()).map(|members| members.0).unwrap_or_default()
}

/// The elements of an array in order; none for any other value.
pub(super) fn elements(array: Raw<'_>) -> Vec<Raw<'_>> {
    serde_json::from_str(array.get()).unwrap_or_default()
}

/// The value of a key; the last one if the key occurs twice, as `JSON.parse` does.
pub(super) fn member<'a>(object: Raw<'a>, key: &str) -> Option<Raw<'a>> {
    members(object).into_iter().rfind(|member| member.is(key)).map(|member| member.value)
}

/// The value of a string; `None` for any other value, or if it is not Unicode.
pub(super) fn string(value: Raw<'_>) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

struct Members<'a>(Vec<Member<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'a>, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<Member<'de>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry()? {
                    members.push(Member { name, value });
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(InOrder).map(Members)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn root(text: &str) -> Raw<'_> {
        Document::parse(text).unwrap().root.unwrap()
    }

    #[test]
    fn members_are_found_as_they_stand() {
        let text = " {\"a\":1e400 , \"b\\u0063\" :[{\"x\":\"]}\\\"\"}],\n\"a\": { } , \"\\ud800\":null}\n";
        let document = Document::parse(text).unwrap();
        let found: Vec<_> = members(root(text))
            .iter()
            .map(|member| (member.key(), member.value.get(), &text[document.span_of_member(member)]))
            .collect();
        let key = |key: &str| Some(key.to_owned());
        let expected = [
            (key("a"), "1e400", "\"a\":1e400"),
            (key("bc"), "[{\"x\":\"]}\\\"\"}]", "\"b\\u0063\" :[{\"x\":\"]}\\\"\"}]"),
            (key("a"), "{ }", "\"a\": { }"),
            (None, "null", "\"\\ud800\":null"),
        ];
        assert_eq!(found, expected);
        assert!(members(root("[1]")).is_empty() && members(root("7")).is_empty());
    }

    #[test]
    fn elements_are_found_as_they_stand() {
        for (text, expected) in [
            ("[]", vec![]),
            ("[ \t]", vec![]),
            ("[0]", vec!["0"]),
            ("[ -0.10,[[]] , \"\\\\\" ,{}\r\n]", vec!["-0.10", "[[]]", "\"\\\\\"", "{}"]),
            ("\u{feff}[true]", vec!["true"]),
            ("{\"a\":1}", vec![]),
        ] {
            let document = Document::parse(text).unwrap();
            let found = elements(document.root.unwrap());
            let spans: Vec<&str> = found.iter().map(|raw| &text[document.span(raw)]).collect();
            assert_eq!(spans, expected, "{text}");
        }
    }

    #[test]
    fn of_duplicates_the_last_counts() {
        assert_eq!(member(root(r#"{"k": 1, "\u006b": 2}"#), "k").unwrap().get(), "2");
    }

    #[test]
    fn blank_is_no_value() {
        for text in ["", " \r\n\t", "\u{feff}", "\u{feff}\n"] {
            assert!(Document::parse(text).unwrap().root.is_none(), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for (text, line, column) in [
            ("{\n  // mine\n}", 2, 3),
            ("{\"a\": 1,}", 1, 9),
            ("\u{feff}{'a': 1}", 1, 2),
            ("{} {}", 1, 4),
            ("{\"a\": NaN}", 1, 7),
            ("{\"a\":\u{a0}1}", 1, 6),
        ] {
            match Document::parse(text).unwrap_err() {
                SettingsError::NotJson { line: l, column: c, .. } => {
                    assert_eq!((l, c), (line, column), "{text}");
                }
                other => panic!("{text}: {other}"),
            }
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let text = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
        assert_eq!(elements(root(&text))[0].get().len(), text.len() - 2);
        let text = format!("{}1{}", "{\"a\":".repeat(200_000), "}".repeat(200_000));
        assert_eq!(members(root(&text)).len(), 1);
    }

    #[test]
    fn positions_are_those_of_an_editor() {
        let document = Document::parse("\u{feff}{\n \"a\": 1}").unwrap();
        let root = document.root.unwrap();
        assert_eq!(document.position(root), (1, 1));
        assert_eq!(document.position(member(root, "a").unwrap()), (2, 7));
    }
}
