//! Where the values of a JSON text stand: spans, so that an edit leaves all other bytes alone.
//!
//! `serde_json` says whether the text is JSON (RFC 8259, nothing more: Claude Code reads its
//! settings with `JSON.parse`). Only then are spans looked for, which may therefore be simple-minded.
//! Neither recurses, so no depth of nesting is too much.

use serde::de::IgnoredAny;

use super::settings::SettingsError;

/// A part of the text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// One `"key": value` of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// `None` when the key is no Unicode text (a lone surrogate).
    pub(super) key: Option<String>,
    /// From the key's first quote to the value's last byte.
    pub(super) whole: Span,
    pub(super) value: Span,
}

/// A text that is known to be JSON, or blank.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document<'a> {
    text: &'a str,
    /// The outermost value; `None` in a blank text.
    pub(super) root: Option<Span>,
}

/// Editors on some systems begin a file with it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// What JSON calls whitespace.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

impl<'a> Document<'a> {
    /// Checks the whole text and finds its outermost value.
    pub(super) fn parse(text: &'a str) -> Result<Document<'a>, SettingsError> {
        let json = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let start = text.len() - json.len();
        if json.bytes().all(is_blank) {
            return Ok(Document { text, root: None });
        }
        serde_json::from_str::<IgnoredAny>(json).map_err(|error| {
            let said = error.to_string();
            let reason = said.split(" at line ").next().unwrap_or(&said).to_owned();
            SettingsError::NotJson { line: error.line(), column: error.column(), reason }
        })?;
        let document = Document { text, root: None };
        let start = document.after_blanks(start);
        Ok(Document { root: Some(Span { start, end: document.end_of_value(start) }), ..document })
    }

    /// Line and column of an offset, from 1; the column counts bytes, as `serde_json` does.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text[..offset].trim_start_matches(BYTE_ORDER_MARK);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before.len() - before.rfind('\n').map_or(0, |newline| newline + 1) + 1)
    }

    pub(super) fn is_object(&self, span: Span) -> bool {
        self.byte(span.start) == Some(b'{')
    }

    pub(super) fn is_array(&self, span: Span) -> bool {
        self.byte(span.start) == Some(b'[')
    }

    /// The members of an object, in order, duplicates and all; none of anything else.
    pub(super) fn members(&self, object: Span) -> Vec<Member> {
        if !self.is_object(object) {
            return Vec::new();
        }
        self.children(object)
            .into_iter()
            .map(|key| {
                let colon = self.after_blanks(key.end);
                let start = self.after_blanks(colon + 1);
                let value = Span { start, end: self.end_of_value(start) };
                let whole = Span { start: key.start, end: value.end };
                Member { key: self.string(key), whole, value }
            })
            .collect()
    }

    /// The elements of an array, in order; none of anything else.
    pub(super) fn elements(&self, array: Span) -> Vec<Span> {
        if self.is_array(array) { self.children(array) } else { Vec::new() }
    }

    /// The member that counts: of duplicates, `JSON.parse` keeps the last.
    pub(super) fn member(&self, object: Span, key: &str) -> Option<Member> {
        self.members(object).into_iter().rfind(|member| member.key.as_deref() == Some(key))
    }

    /// The value as text; `None` if it is no string, or no Unicode.
    pub(super) fn string(&self, span: Span) -> Option<String> {
        serde_json::from_str(self.raw(span)).ok()
    }

    /// The bytes of a value as they stand.
    pub(super) fn raw(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }

    /// What follows each `,` (or the opening bracket): the elements of an array, the keys of an
    /// object.
    fn children(&self, container: Span) -> Vec<Span> {
        let mut found = Vec::new();
        let mut at = self.after_blanks(container.start + 1);
        while at + 1 < container.end {
            let first = Span { start: at, end: self.end_of_value(at) };
            found.push(first);
            let mut end = self.after_blanks(first.end);
            if self.byte(end) == Some(b':') {
                let value = self.after_blanks(end + 1);
                end = self.after_blanks(self.end_of_value(value));
            }
            at = self.after_blanks(end + 1); // past the comma, or past the closing bracket
        }
        found
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn after_blanks(&self, mut at: usize) -> usize {
        while self.byte(at).is_some_and(is_blank) {
            at += 1;
        }
        at
    }

    /// One past the last byte of the value that begins here.
    fn end_of_value(&self, start: usize) -> usize {
        let mut depth = 0_usize;
        let mut at = start;
        while let Some(byte) = self.byte(at) {
            at = match byte {
                b'"' => self.end_of_string(at),
                b'{' | b'[' => {
                    depth += 1;
                    at + 1
                }
                b'}' | b']' => {
                    depth -= 1;
                    at + 1
                }
                _ if depth > 0 => at + 1,
                _ => return self.end_of_word(at),
            };
            if depth == 0 {
                break;
            }
        }
        at
    }

    fn end_of_string(&self, start: usize) -> usize {
        let mut at = start + 1;
        while let Some(byte) = self.byte(at) {
            match byte {
                b'"' => return at + 1,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        at
    }

    /// A number, `true`, `false` or `null`.
    fn end_of_word(&self, start: usize) -> usize {
        let rest = &self.text.as_bytes()[start..];
        let ends = |byte: &u8| is_blank(*byte) || matches!(byte, b',' | b'}' | b']');
        start + rest.iter().position(ends).unwrap_or(rest.len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn members(text: &str) -> Vec<(Option<String>, &str)> {
        let document = Document::parse(text).unwrap();
        let members = document.members(document.root.unwrap());
        members.into_iter().map(|member| (member.key, document.raw(member.value))).collect()
    }

    #[test]
    fn members_are_found_as_they_stand() {
        let text = " {\"a\":1e400 , \"b\\u0063\" :[{\"x\":\"]}\\\"\"}],\n\"a\": { } , \"\\ud800\":null}\n";
        let key = |key: &str| Some(key.to_owned());
        let expected =
            [(key("a"), "1e400"), (key("bc"), "[{\"x\":\"]}\\\"\"}]"), (key("a"), "{ }"), (None, "null")];
        assert_eq!(members(text), expected);
    }

    #[test]
    fn elements_are_found_as_they_stand() {
        for (text, expected) in [
            ("[]", vec![]),
            ("[ \t]", vec![]),
            ("[0]", vec!["0"]),
            ("[ -0.10,[[]] , \"\\\\\" ,{}\r\n]", vec!["-0.10", "[[]]", "\"\\\\\"", "{}"]),
            ("\u{feff}[true]", vec!["true"]),
        ] {
            let document = Document::parse(text).unwrap();
            let found = document.elements(document.root.unwrap());
            let found: Vec<&str> = found.into_iter().map(|span| document.raw(span)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn of_duplicates_the_last_counts() {
        let document = Document::parse(r#"{"k": 1, "\u006b": 2}"#).unwrap();
        let member = document.member(document.root.unwrap(), "k").unwrap();
        assert_eq!(document.raw(member.value), "2");
    }

    #[test]
    fn blank_is_no_value() {
        for text in ["", " \r\n\t", "\u{feff}", "\u{feff}\n"] {
            assert_eq!(Document::parse(text).unwrap().root, None, "{text:?}");
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
        let document = Document::parse(&text).unwrap();
        assert_eq!(document.root, Some(Span { start: 0, end: text.len() }));
        assert_eq!(document.elements(document.root.unwrap()).len(), 1);
    }

    #[test]
    fn positions_are_those_of_an_editor() {
        let document = Document::parse("\u{feff}{\n \"a\": 1}").unwrap();
        assert_eq!(document.position(3), (1, 1));
        assert_eq!(document.position(6), (2, 2));
    }
}
