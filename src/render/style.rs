//! Colours and the size of the terminal.

use std::io::IsTerminal;
use std::os::fd::AsFd;

use anstyle::{AnsiColor, Style};

use crate::classify::Verdict;
use crate::reap::Outcome;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How to draw on stdout.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Whether to use colours.
    pub color: bool,
    /// The width of the terminal in columns; `None` for a pipe or a file.
    pub width: Option<usize>,
}

impl Screen {
    /// The screen of stdout as it is now.
    pub(crate) fn of_stdout(color: Color) -> Screen {
        Screen::of(&std::io::stdout(), color)
    }

    /// The screen of this stream as it is now.
    pub fn of(stream: &(impl IsTerminal + AsFd), color: Color) -> Screen {
        let terminal = stream.is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        };
        let columns =
            terminal.then(|| terminal_size::terminal_size_of(stream).map_or(80, |(width, _)| width.0.into()));
        Screen { color, width: columns }
    }

    /// This screen with the current width of the terminal.
    pub(crate) fn resized(self) -> Screen {
        let width =
            self.width.map(|before| terminal_size::terminal_size().map_or(before, |(now, _)| now.0.into()));
        Screen { width, ..self }
    }

    /// The beginning of the text that fits on the terminal with two more lines below, and a line with how many lines
    /// are left out. For a pipe or a file it is the whole text.
    pub(crate) fn cut_to_height(&self, text: &str) -> String {
        match self.width.and_then(|_| terminal_size::terminal_size()) {
            Some((_, height)) => cut_off(text, usize::from(height.0).saturating_sub(3)),
            None => text.to_owned(),
        }
    }

    /// The text in this style, or as it is without colour.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// The first `lines` lines, and a line with how many are left out.
fn cut_off(text: &str, lines: usize) -> String {
    let all = text.lines().count();
    if all <= lines {
        return text.to_owned();
    }
    let mut cut: String = text.split_inclusive('\n').take(lines.saturating_sub(1)).collect();
    cut.push_str(&format!("... {} more lines\n", all - lines.saturating_sub(1)));
    cut
}

/// Titles of columns.
pub const TITLE: Style = Style::new().bold();

/// Text that matters less.
pub const FAINT: Style = Style::new().dimmed();

/// All is well.
pub const GOOD: Style = AnsiColor::Green.on_default();

/// Something is wrong.
pub const BAD: Style = AnsiColor::Red.on_default();

/// Something went wrong or should be checked.
pub const WARNING: Style = AnsiColor::Yellow.on_default();

/// The style for an outcome.
pub(crate) fn outcome(outcome: &Outcome) -> Style {
    match outcome {
        Outcome::Exited | Outcome::Vanished => GOOD,
        Outcome::Killed | Outcome::Withheld(_) => WARNING,
        Outcome::Survived | Outcome::Denied(_) => BAD,
    }
}

/// The style for a verdict: red for an instance that is ended, yellow for one to check, green for one that stays.
pub(crate) fn verdict(verdict: Verdict, reap: bool) -> Style {
    match verdict {
        _ if reap => BAD,
        Verdict::InUse | Verdict::Managed | Verdict::Allowed => GOOD,
        _ => WARNING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_on_the_screen_is_counted() {
        let text = "1\n2\n3\n4\n5\n";
        assert_eq!(cut_off(text, 5), text);
        assert_eq!(cut_off(text, 3), "1\n2\n... 3 more lines\n");
        assert_eq!(cut_off(text, 0), "... 5 more lines\n");
    }
}
