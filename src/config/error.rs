//! The errors of a configuration, with messages that say how to correct it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Why there is no configuration. Nothing is ended then: a broken allowlist must not
/// mean "allow nothing".
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Something in the text of the file.
    #[error(transparent)]
    Mistake(#[from] Box<Mistake>),
    /// The file is missing, although a flag or variable names it.
    #[error("{}: no such file (named by {named_by})", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// `--config` or `$MCP_REAP_CONFIG`.
        named_by: &'static str,
    },
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system reports.
        source: std::io::Error,
    },
    /// The file may have been written by other users, or is no regular file.
    #[error("{}: {problem}", path.display())]
    NotTrusted {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// `$HOME` belongs to another user, as it does under `sudo` on macOS.
    #[error(
        "{}: the configuration of another user (the owner of $HOME is {owner}, this runs as {euid}); \
         use `sudo -H`, or name the file with --config",
        path.display()
    )]
    ForeignHome {
        /// The file that was not read.
        path: PathBuf,
        /// The owner of the home directory.
        owner: u32,
        /// The effective user.
        euid: u32,
    },
    /// Neither the environment nor the user database has a home directory.
    #[error("no home directory: $HOME is not an absolute path and user {0} has none in the user database")]
    NoHome(u32),
    /// A flag's value.
    #[error("{flag}: {problem}")]
    Flag {
        /// The flag, as `--allow`.
        flag: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
}

/// A mistake in the file: where, what, and what was probably meant.
///
/// ```text
/// /home/u/.config/mcp-reap/config.toml:3:1: unknown key `grase` in [reap]
///   |
/// 3 | grase = "5s"
///   | ^^^^^ did you mean `grace`?
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The key in question with its section, as `reap.grace`; empty where the text is no TOML.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it, shown at the caret.
    pub help: String,
    /// The text of the line.
    source: String,
    /// How many characters the caret underlines.
    width: usize,
}

impl std::error::Error for Mistake {}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mistake { line, column, message, help, source, width, .. } = self;
        let margin = " ".repeat(line.to_string().len());
        let carets = " ".repeat(column.saturating_sub(1)) + &"^".repeat((*width).max(1));
        writeln!(f, "{}:{line}:{column}: {message}", self.file.display())?;
        write!(f, "{margin} |\n{line} | {source}\n{margin} | {carets}")?;
        if help.is_empty() { Ok(()) } else { write!(f, " {help}") }
    }
}

/// The name and text of a file, for messages that point into it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// The line, from 1, with this byte.
    pub(super) fn line_of(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        self.text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// A mistake at a range of bytes.
    pub(super) fn mistake(
        &self,
        span: Range<usize>,
        key: String,
        message: impl fmt::Display,
        help: impl fmt::Display,
    ) -> ConfigError {
        // A span may end anywhere; the text is only cut between characters.
        let start = self.text.floor_char_boundary(span.start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |newline| start + newline);
        let end = self.text.ceil_char_boundary(span.end.clamp(start, line_end.max(start)));
        // Control characters (tabs too) would move the caret, or the terminal.
        let clean = |c: char| if c.is_control() { ' ' } else { c };
        ConfigError::Mistake(Box::new(Mistake {
            file: self.file.to_owned(),
            line: self.line_of(start),
            column: self.text[line_start..start].chars().count() + 1,
            key,
            message: message.to_string().chars().map(clean).collect(),
            help: help.to_string().chars().map(clean).collect(),
            source: self.text[line_start..line_end].trim_end().chars().map(clean).collect(),
            width: self.text[start..end].trim_end().chars().count(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, span: Range<usize>) -> String {
        let source = Source { file: Path::new("/c.toml"), text };
        source.mistake(span, "k".into(), "no", "yes").to_string()
    }

    #[test]
    fn the_caret_stands_under_the_mistake_in_characters() {
        assert_eq!(
            shown("a = 1\nü = \"x\"\n", 11..14),
            "/c.toml:2:5: no\n  |\n2 | ü = \"x\"\n  |     ^^^ yes"
        );
        assert_eq!(shown("\tb = 1", 1..2), "/c.toml:1:2: no\n  |\n1 |  b = 1\n  |  ^ yes");
    }

    #[test]
    fn a_mistake_beyond_the_end_or_over_many_lines_is_shown_in_one() {
        assert_eq!(shown("a", 9..12), "/c.toml:1:2: no\n  |\n1 | a\n  |  ^ yes");
        assert_eq!(shown("", 0..0), "/c.toml:1:1: no\n  |\n1 | \n  | ^ yes");
        assert_eq!(shown("x = [\n1]\n", 4..8), "/c.toml:1:5: no\n  |\n1 | x = [\n  |     ^ yes");
    }
}
