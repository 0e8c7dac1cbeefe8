//! The output of `wrap`: configured servers with and without `exec`, as a diff for people and as JSON for programs.

use serde::Serialize;

use super::clean::clean;
use super::configured::ConfigEntry;
use super::grid::paragraph;
use super::style::{self, Screen};
use crate::process::SCHEMA;

/// A configured server with and without `exec`. The words have no secrets and are only shown, never written to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct WrapRow {
    /// The place of its entry.
    #[serde(flatten)]
    pub(crate) entry: ConfigEntry,
    /// Whether it already starts through `exec`.
    pub(crate) wrapped: bool,
    /// The current command and arguments.
    pub(crate) before: Vec<String>,
    /// Command and arguments with `exec`; `null` if that would not start the same server.
    pub(crate) after: Option<Vec<String>>,
    /// The client's own commands that write this entry, if it has them.
    pub(crate) own_command: Option<String>,
    /// Why `wrap install` does not write it.
    pub(crate) refused: Option<String>,
}

/// For people: a heading, the diff, and how to make the change.
pub(crate) fn text(rows: &[WrapRow], screen: Screen) -> String {
    let mut lines = Vec::new();
    for row in rows {
        let ConfigEntry { client, scope, name, file } = &row.entry;
        let place = format!("{client}, {} ({scope})", clean(name));
        let (place, file) = (screen.paint(style::TITLE, &place), screen.paint(style::FAINT, &clean(file)));
        lines.push(format!("{place}  {file}"));
        if row.wrapped {
            lines.push(format!("    {}", command(&row.before)));
            lines.push("  starts through exec already".to_owned());
        } else {
            let mark = if row.after.is_some() { "-" } else { " " };
            lines.push(screen.paint(style::BAD, &format!("  {mark} {}", command(&row.before))));
            if let Some(after) = &row.after {
                lines.push(screen.paint(style::GOOD, &format!("  + {}", command(after))));
            }
            lines.push(if let Some(why) = &row.refused {
                let text = paragraph("  ", &format!("not written: {}", clean(why)), screen.width);
                text.trim_end().to_owned()
            } else {
                let server = shell_word(&clean(name));
                format!("  mcp-reap wrap install --client {client} --server {server}")
            });
            lines.extend(row.own_command.iter().map(|own| format!("  or: {}", clean(own))));
        }
        lines.push(String::new());
    }
    lines.pop();
    lines.join("\n")
}

/// For programs: one JSON object.
pub(crate) fn json(rows: &[WrapRow]) -> String {
    serde_json::json!({ "schema": SCHEMA, "configured": rows }).to_string()
}

/// Command and arguments as most clients write them. Other clients use the same words.
fn command(words: &[String]) -> String {
    let quoted: Vec<String> =
        words.iter().map(|word| serde_json::Value::from(clean(word)).to_string()).collect();
    match quoted.split_first() {
        Some((program, args)) => format!("command: {program}, args: [{}]", args.join(", ")),
        None => String::new(),
    }
}

/// A word quoted for a shell.
pub(crate) fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_change_it() {
        for (word, quoted) in [
            ("@ada/notes-mcp", "@ada/notes-mcp"),
            ("", "''"),
            ("two words", "'two words'"),
            ("${KEY}", "'${KEY}'"),
            ("it's", r"'it'\''s'"),
            ("~/x", "'~/x'"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }
}
