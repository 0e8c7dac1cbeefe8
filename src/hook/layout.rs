//! How an edit looks, and how it is undone to the byte.
//!
//! Nobody keeps a record of what an install changed: the text itself is the record. What is put
//! beside something else goes with the comma before it. What is put into an empty container leaves a
//! sign there, one blank right after the opening bracket, where it is not seen:
//!
//! - an object or array inside that was there and empty gets the sign, and stays when its content
//!   goes; one without it was made by the install, and goes with its content;
//! - the outermost object gets the sign when the install made it (the file was empty), and a line end
//!   follows it; one without it stays.
//!
//! A program that writes the settings anew loses the signs. Then an empty `hooks` goes although it
//! was there before, and `{}` stays: both mean the same as the original.

use std::ops::Range;

use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::json::{Document, Span};

/// The sign.
const SIGN: &str = " ";
/// Where the file does not show how it is indented: what Claude Code itself writes.
const USUAL_INDENT: &str = "  ";

/// What becomes of a part of the text.
#[derive(Debug)]
pub(super) enum Fate {
    /// It goes.
    Gone,
    /// It stays, but for these parts.
    Stays(Vec<Range<usize>>),
}

/// How a text is written.
#[derive(Debug)]
pub(super) struct Style<'a> {
    text: &'a str,
    newline: &'static str,
    indent: &'a str,
    /// All on one line.
    compact: bool,
}

impl<'a> Style<'a> {
    /// As the text shows it. An empty object shows nothing and is taken for one of many lines.
    pub(super) fn of(text: &'a str, document: &Document<'a>) -> Style<'a> {
        let newline = match text.find('\n') {
            Some(at) if text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        };
        let first = document.root.and_then(|root| {
            let member = document.members(root).first().map(|member| member.whole.start);
            member.or_else(|| document.elements(root).first().map(|element| element.start))
        });
        let indent = first.and_then(|first| own_line(text, first)).filter(|indent| !indent.is_empty());
        Style {
            text,
            newline,
            indent: indent.unwrap_or(USUAL_INDENT),
            compact: first.is_some() && !text.trim_end().contains('\n'),
        }
    }

    /// The whole content of a text that had none.
    pub(super) fn alone(&self, value: &Value) -> String {
        let object = self.pretty(value, "").replacen('{', &format!("{{{SIGN}"), 1);
        object + self.newline
    }

    /// The text with a value (and its key, in an object) put last into a container, whose children
    /// are given.
    pub(super) fn put_last(
        &self,
        container: Span,
        children: &[Span],
        outermost: bool,
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
            None => {
                let sign = if outermost { "" } else { SIGN };
                let added = if self.compact {
                    format!("{sign}{}", one_line())
                } else {
                    let outer = line_indent(self.text, container.start);
                    let inner = format!("{outer}{}", self.indent);
                    format!("{sign}{}{inner}{}{}{outer}", self.newline, many_lines(&inner), self.newline)
                };
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
        // Strings hold no line ends of their own: JSON escapes them.
        String::from_utf8_lossy(&bytes).replace('\n', &format!("{}{outer}", self.newline))
    }
}

/// The fate of a container from that of its children. `made`: only an install makes such a one.
pub(super) fn container(text: &str, whole: Span, children: Vec<(Span, Fate)>, made: bool) -> Fate {
    if !all_gone(&children) {
        return Fate::Stays(cut(children));
    }
    if made && !text[whole.start + 1..].starts_with(SIGN) {
        return Fate::Gone;
    }
    Fate::Stays(emptied(text, whole, &children).into_iter().collect())
}

/// What goes of the outermost object, whose sign says that an install made it.
pub(super) fn outermost(text: &str, whole: Span, children: Vec<(Span, Fate)>) -> Vec<Range<usize>> {
    if !all_gone(&children) {
        return cut(children);
    }
    let cut = match text[whole.start + 1..].strip_prefix(SIGN).and_then(leading_newline) {
        Some(newline) if text[whole.end..].starts_with(newline) => {
            Some(whole.start..whole.end + newline.len())
        }
        _ => emptied(text, whole, &children),
    };
    cut.into_iter().collect()
}

/// The text without these parts, which are in order.
pub(super) fn without(text: &str, cuts: &[Range<usize>]) -> String {
    let mut left = String::with_capacity(text.len());
    let mut at = 0;
    for cut in cuts {
        left.push_str(&text[at..cut.start]);
        at = cut.end;
    }
    left + &text[at..]
}

fn all_gone(children: &[(Span, Fate)]) -> bool {
    !children.is_empty() && children.iter().all(|(_, fate)| matches!(fate, Fate::Gone))
}

/// Takes out single children, each with one comma, and what goes inside of those that stay.
fn cut(children: Vec<(Span, Fate)>) -> Vec<Range<usize>> {
    let mut cuts = Vec::new();
    let mut kept: Option<Span> = None;
    let mut gone_since: Option<usize> = None;
    for (span, fate) in children {
        match fate {
            Fate::Gone => {
                match kept {
                    // After one that stays: with the comma before it.
                    Some(kept) => cuts.push(kept.end..span.end),
                    None => {
                        gone_since.get_or_insert(span.start);
                    }
                }
                kept = kept.and(Some(span));
            }
            Fate::Stays(inside) => {
                // Before the first that stays: with the comma after it.
                if let Some(start) = gone_since.take() {
                    cuts.push(start..span.start);
                }
                cuts.extend(inside);
                kept = Some(span);
            }
        }
    }
    cuts
}

/// Takes out all children, and the line ends and indentation that came with them.
fn emptied(text: &str, whole: Span, children: &[(Span, Fate)]) -> Option<Range<usize>> {
    let (first, last) = (children.first()?.0, children.last()?.0);
    let before = &text[whole.start + 1..first.start];
    let newline = leading_newline(before.strip_prefix(SIGN).unwrap_or(before));
    let end = newline.map_or(last.end, |newline| {
        let tail = format!("{newline}{}", line_indent(text, whole.start));
        if text[last.end..].starts_with(&tail) { last.end + tail.len() } else { last.end }
    });
    Some(whole.start + 1..end)
}

fn leading_newline(text: &str) -> Option<&'static str> {
    ["\r\n", "\n"].into_iter().find(|newline| text.starts_with(newline))
}

/// The blanks that the line of this place begins with.
fn line_indent(text: &str, at: usize) -> &str {
    let line = &text[text[..at].rfind(['\n', '\r']).map_or(0, |end| end + 1)..at];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The indentation, if nothing else stands before this place on its line, and it is not the first.
fn own_line(text: &str, at: usize) -> Option<&str> {
    let start = text[..at].rfind('\n')? + 1;
    let indent = &text[start..at];
    indent.bytes().all(|byte| matches!(byte, b' ' | b'\t')).then_some(indent)
}
