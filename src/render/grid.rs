//! Lays out a table. Each column is as wide as its longest text, and the last one gets the rest of the line.
//!
//! The last column is cut ([`Grid::lines`]) or continues in the next line ([`Grid::whole`]).

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::clean::{fit, fit_path};
use super::style::{self, Screen};

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// Its title.
    pub(crate) title: &'static str,
    /// Whether its texts are aligned to the right, as for numbers.
    pub(crate) right: bool,
}

/// The least width of the column that is shortened, and of the last one.
const LEAST: usize = 12;

/// The least width in which sentences can be read. With less room they get a line of their own.
const READABLE: usize = 24;

/// The width to which a name is shortened if there is too little room for everything.
const NAME: usize = 16;

/// Rows of cells below their titles.
#[derive(Debug)]
pub(crate) struct Grid {
    columns: Vec<Column>,
    /// The rows; the titles are the first.
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// A grid with these rows, each with one cell for each column.
    pub(crate) fn new(columns: Vec<Column>, mut rows: Vec<Vec<String>>) -> Grid {
        rows.insert(0, columns.iter().map(|column| column.title.to_owned()).collect());
        Grid { columns, rows }
    }

    /// The titles and the rows as lines. The last column, which has paths, is cut in its middle. On a narrow terminal
    /// the column `yields` is shortened too.
    pub(crate) fn lines(&self, yields: usize, screen: Screen) -> Vec<String> {
        let mut widths = self.widths();
        let mut rest = usize::MAX;
        if let Some(width) = screen.width {
            make_narrower(&mut widths, yields, width, LEAST);
            rest = width.saturating_sub(taken(&widths)).max(LEAST);
        }
        titled(self.rows.iter().map(|row| self.cells(row, &widths) + &fit_path(last(row), rest)), screen)
    }

    /// Is there enough room for the last column? It must have room for its longest text, or be at least `enough` wide,
    /// so that its texts can continue in the next line.
    pub(crate) fn is_roomy(&self, enough: usize, width: usize) -> bool {
        let widest = self.rows.iter().map(|row| last(row).width()).max().unwrap_or(0);
        taken(&self.widths()) + widest.min(enough) <= width
    }

    /// The titles and the rows, with the whole text of the last column. If it does not fit, it continues below: in its
    /// own column or, if that is too narrow, across the whole line. The column `yields` is shortened first.
    pub(crate) fn whole(&self, yields: usize, screen: Screen) -> Vec<String> {
        let Some(width) = screen.width else { return self.lines(yields, screen) };
        let mut widths = self.widths();
        let over = (taken(&widths) + READABLE).saturating_sub(width);
        let beside = self.is_roomy(READABLE, width);
        if beside || over <= widths[yields].saturating_sub(NAME) {
            if !beside {
                widths[yields] -= over;
            }
            let room = width.saturating_sub(taken(&widths)).max(LEAST);
            let margin = format!("\n{}", " ".repeat(taken(&widths)));
            let line = |row: &Vec<String>| self.cells(row, &widths) + &wrapped(last(row), room).join(&margin);
            return titled(self.rows.iter().map(line), screen);
        }
        // There is no room for the last column. Its text follows below the other columns.
        make_narrower(&mut widths, yields, width + 2, 0);
        let others = |row: &Vec<String>| self.cells(row, &widths).trim_end().to_owned();
        let room = width.saturating_sub(2).max(LEAST);
        let line =
            |row: &Vec<String>| format!("{}\n  {}", others(row), wrapped(last(row), room).join("\n  "));
        titled(std::iter::once(others(&self.rows[0])).chain(self.rows[1..].iter().map(line)), screen)
    }

    /// The widths of all columns but the last.
    fn widths(&self) -> Vec<usize> {
        let widest = |at: usize| self.rows.iter().map(|row| row[at].width()).max().unwrap_or(0);
        (0..self.columns.len().saturating_sub(1)).map(widest).collect()
    }

    /// All cells but the last, each followed by a space.
    fn cells(&self, row: &[String], widths: &[usize]) -> String {
        let cells = row.iter().zip(widths).zip(&self.columns);
        cells.map(|((cell, width), column)| pad(&fit(cell, *width), *width, column.right) + "  ").collect()
    }
}

fn last(row: &[String]) -> &str {
    row.last().map_or("", String::as_str)
}

/// The sum of these widths, each with the space after it.
fn taken(widths: &[usize]) -> usize {
    widths.iter().map(|width| width + 2).sum()
}

/// Makes the column `yields` narrower, so that `room` of the line is left after all columns; but not narrower than
/// [`LEAST`].
fn make_narrower(widths: &mut [usize], yields: usize, line: usize, room: usize) {
    let over = (taken(widths) + room).saturating_sub(line);
    widths[yields] = widths[yields].saturating_sub(over).max(LEAST.min(widths[yields]));
}

/// The lines, of which the first is painted as the titles.
fn titled(lines: impl Iterator<Item = String>, screen: Screen) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines[0] = screen.paint(style::TITLE, &lines[0]);
    lines
}

/// The text padded with spaces to this many columns: after it, or before it if it is aligned to the right.
pub(crate) fn pad(text: &str, width: usize, right: bool) -> String {
    let fill = " ".repeat(width.saturating_sub(text.width()));
    if right { fill + text } else { text.to_owned() + &fill }
}

/// The text in lines of this width, broken between words. A word that is longer than a line is broken, too.
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.width() + 1 + word.width() > columns {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        for letter in word.chars() {
            if line.width() + letter.width().unwrap_or(0) > columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push(letter);
        }
    }
    lines.push(line);
    lines
}

/// The text in lines of this width, broken between words. Each line begins with the margin, and further lines are
/// indented by two more columns.
pub(crate) fn paragraph(margin: &str, text: &str, width: Option<usize>) -> String {
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(margin.width() + 2).max(LEAST));
    format!("{margin}{}\n", wrapped(text, room).join(&format!("\n{margin}  ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: [Column; 3] = [
        Column { title: "NAME", right: false },
        Column { title: "N", right: true },
        Column { title: "WHY", right: false },
    ];

    fn shown(width: Option<usize>) -> Vec<String> {
        let row = |name: &str, n: &str| vec![name.to_owned(), n.to_owned(), "because it is so".to_owned()];
        let rows = vec![row("a-rather-long-name", "7"), row("b", "42")];
        Grid::new(COLUMNS.to_vec(), rows).lines(0, Screen { color: false, width })
    }

    #[test]
    fn numbers_end_under_each_other_and_names_begin_so() {
        assert_eq!(
            shown(None),
            [
                "NAME                 N  WHY",
                "a-rather-long-name   7  because it is so",
                "b                   42  because it is so",
            ]
        );
    }

    #[test]
    fn the_last_column_is_cut_first_and_then_the_one_that_yields() {
        assert_eq!(shown(Some(38))[1], "a-rather-long-name   7  beca… it is so");
        assert_eq!(shown(Some(32))[1], "a-rather-long…   7  bec…it is so");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_where_that_can_be() {
        for width in 30..60 {
            for line in shown(Some(width)) {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }

    fn whole(rows: Vec<Vec<String>>, width: usize) -> Vec<String> {
        Grid::new(COLUMNS.to_vec(), rows).whole(0, Screen { color: false, width: Some(width) })
    }

    fn whole_at(width: usize) -> Vec<String> {
        let row = |name: &str, why: &str| vec![name.to_owned(), "42".to_owned(), why.to_owned()];
        whole(vec![row("a-rather-long-name", "owner gone, stdio closed"), row("b", "in use")], width)
    }

    #[test]
    fn a_reason_is_never_cut_but_goes_on_below() {
        assert_eq!(whole_at(48)[1], "a-rather-long-name  42  owner gone, stdio closed");
        // The name gives way a little, then the reason gets a line of its own.
        assert_eq!(whole_at(46)[1], "a-rather-long-n…  42  owner gone, stdio closed");
        assert_eq!(
            whole_at(40),
            [
                "NAME                 N",
                "a-rather-long-name  42\n  owner gone, stdio closed",
                "b                   42\n  in use",
            ]
        );
        assert_eq!(whole_at(20)[1], "a-rather-long-n…  42\n  owner gone, stdio\n  closed");
        let long = vec!["b".to_owned(), "1".to_owned(), "owner gone, stdio closed; too young".to_owned()];
        assert_eq!(whole(vec![long], 34)[1], "b     1  owner gone, stdio closed;\n         too young");
    }

    proptest! {
        #[test]
        fn no_word_of_a_reason_is_lost_at_any_width(
            why in "[a-zü漢]{1,30}( [a-z(),]{1,12}){0,8}",
            name in "[a-z-]{1,32}",
            width in 24usize..120,
        ) {
            let rows = vec![vec![name, "4242".to_owned(), why.clone()]];
            let text = whole(rows, width).swap_remove(1);
            for line in text.lines() {
                prop_assert!(line.width() <= width, "{width}: {text}");
            }
            let bare = |text: &str| text.replace([' ', '\n'], "");
            prop_assert!(bare(&text).ends_with(&bare(&why)), "{width}: {text}");
        }
    }
}
