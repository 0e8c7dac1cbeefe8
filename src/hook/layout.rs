//! The layout of an edit: an inserted value is indented like the text around it, and a removed one takes its comma
//! along.

use std::ops::Range;

use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::json::{Document, elements, members};

/// The indentation for a file that does not show one. Claude Code itself writes it.
const USUAL_INDENT: &str = "  ";

/// Whether a part of the text stays.
#[derive(Debug)]
pub(super) enum Fate {
    /// It is removed.
    Gone,
    /// It stays without these parts.
    Stays(Vec<Range<usize>>),
}

/// The indentation and line ends of a text.
#[derive(Debug)]
pub(super) struct Style<'a> {
    text: &'a str,
    newline: &'static str,
    indent: &'a str,
    /// The text is on one line.
    compact: bool,
}

impl<'a> Style<'a> {
    /// The style of a text. An empty object counts as one with many lines.
    pub(super) fn of(document: &Document<'a>) -> Style<'a> {
        let text = document.text;
        let newline = match text.find('\n') {
            Some(at) if text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        };
        let first = document.root.and_then(|root| {
            let member = members(root).first().map(|member| document.span_of_member(member).start);
            member.or_else(|| elements(root).first().map(|element| document.span(element).start))
        });
        let indent = first.and_then(|first| own_line(text, first)).filter(|indent| !indent.is_empty());
        Style {
            text,
            newline,
            indent: indent.unwrap_or(USUAL_INDENT),
            compact: first.is_some() && !text.trim_end().contains('\n'),
        }
    }

    /// The text of a file that contains only this value.
    pub(super) fn alone(&self, value: &Value) -> String {
        self.pretty(value, "") + self.newline
    }

    /// The text with a value (in an object with its key) inserted as the last child of a container.
    pub(super) fn put_last(
        &self,
        container: Range<usize>,
        children: &[Range<usize>],
        key: Option<&str>,
        value: &Value,
    ) -> String {
        let many_lines = |indent: &str| {
            let key = key.map(|key| format!("{}: ", Value::from(key))).unwrap_or_default();
            key + &self.pretty(value, indent)
        };
        let one_line =
            || key.map(|key| format!("{}:", Value::from(key))).unwrap_or_default() + &value.to_string();
        let (at, added) = match children.last() {
            Some(last) => {
                let added = match own_line(self.text, last.start) {
                    Some(indent) => format!(",{}{indent}{}", self.newline, many_lines(indent)),
                    None if self.compact => format!(",{}", one_line()),
                    None => format!(", {}", one_line()),
                };
                (last.end, added)
            }
            None if self.compact => (container.start + 1, one_line()),
            None => {
                let outer = line_indent(self.text, container.start);
                let inner = format!("{outer}{}", self.indent);
                let added = format!("{}{inner}{}{}{outer}", self.newline, many_lines(&inner), self.newline);
                (container.start + 1, added)
            }
        };
        format!("{}{added}{}", &self.text[..at], &self.text[at..])
    }

    fn pretty(&self, value: &Value, outer: &str) -> String {
        let mut bytes = Vec::new();
        let formatter = PrettyFormatter::with_indent(self.indent.as_bytes());
        let written =
            serde::Serialize::serialize(value, &mut Serializer::with_formatter(&mut bytes, formatter));
        debug_assert!(written.is_ok(), "a vector takes everything");
        // Strings contain no line ends, because JSON escapes them.
        String::from_utf8_lossy(&bytes).replace('\n', &format!("{}{outer}", self.newline))
    }
}

/// The fate of a container, from the fates of its children. If all of them are removed, the container is removed too if
/// an install made it (`made`); otherwise it stays empty.
pub(super) fn container(whole: Range<usize>, children: Vec<(Range<usize>, Fate)>, made: bool) -> Fate {
    let all_gone = children.iter().all(|(_, fate)| matches!(fate, Fate::Gone));
    match (children.is_empty() || !all_gone, made) {
        (true, _) => Fate::Stays(cuts(children)),
        (false, true) => Fate::Gone,
        (false, false) => Fate::Stays(std::iter::once(whole.start + 1..whole.end - 1).collect()),
    }
}

/// The text without these parts, which must be in order.
pub(super) fn without(text: &str, cuts: &[Range<usize>]) -> String {
    let mut left = String::with_capacity(text.len());
    let mut at = 0;
    for cut in cuts {
        left.push_str(&text[at..cut.start]);
        at = cut.end;
    }
    left + &text[at..]
}

/// The parts to remove: single children, each with one comma, and parts of children that stay.
fn cuts(children: Vec<(Range<usize>, Fate)>) -> Vec<Range<usize>> {
    let mut cuts = Vec::new();
    // The end of the last child that stays.
    let mut end_before: Option<usize> = None;
    let mut gone_since: Option<usize> = None;
    for (span, fate) in children {
        match (fate, end_before) {
            // After a child that stays, the comma before the removed one goes.
            (Fate::Gone, Some(end)) => cuts.push(end..span.end),
            (Fate::Gone, None) => {
                gone_since.get_or_insert(span.start);
                continue;
            }
            (Fate::Stays(inside), _) => {
                // Before the first child that stays, the comma after the removed one goes.
                cuts.extend(gone_since.take().map(|start| start..span.start));
                cuts.extend(inside);
            }
        }
        end_before = Some(span.end);
    }
    cuts
}

/// The blanks at the beginning of the line with this position.
fn line_indent(text: &str, at: usize) -> &str {
    let line = &text[text[..at].rfind(['\n', '\r']).map_or(0, |end| end + 1)..at];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The indentation before this position, if there is nothing else before it on its line and it is not the first line.
fn own_line(text: &str, at: usize) -> Option<&str> {
    let start = text[..at].rfind('\n')? + 1;
    let indent = &text[start..at];
    indent.bytes().all(|byte| matches!(byte, b' ' | b'\t')).then_some(indent)
}
