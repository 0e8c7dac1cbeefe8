//! Colour, where it is wanted and seen.

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
    /// With colour.
    pub color: bool,
    /// Columns to fill at most; `None` for a pipe or a file, which have none.
    pub width: Option<usize>,
}

impl Screen {
    /// For stdout, as it is now.
    pub(crate) fn of_stdout(color: Color) -> Screen {
        Screen::of(&std::io::stdout(), color)
    }

    /// For this stream, as it is now.
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

    /// The same on a terminal that may have another size by now.
    pub(crate) fn resized(self) -> Screen {
        let width =
            self.width.map(|before| terminal_size::terminal_size().map_or(before, |(now, _)| now.0.into()));
        Screen { width, ..self }
    }

    /// As much of the text as a terminal shows at once with two lines more below, and how many lines
    /// that leaves out; the whole text for a pipe or a file.
    pub(crate) fn as_high(&self, text: &str) -> String {
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

/// The first lines, and how many more there are.
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

/// What matters less.
pub const FAINT: Style = Style::new().dimmed();

/// All is well.
pub const GOOD: Style = AnsiColor::Green.on_default();

/// Something is wrong.
pub const BAD: Style = AnsiColor::Red.on_default();

/// What went wrong or wants to be looked at.
pub const WARNING: Style = AnsiColor::Yellow.on_default();

/// By how a process ended: on SIGTERM, on SIGKILL, or not at all.
pub(crate) fn outcome(outcome: &Outcome) -> Style {
    match outcome {
        Outcome::Exited | Outcome::Vanished => GOOD,
        Outcome::Killed | Outcome::Withheld(_) => WARNING,
        Outcome::Survived | Outcome::Denied(_) => BAD,
    }
}

/// By what a verdict means for the instance: red goes, yellow is to be checked, green stays.
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
