//! Columns: each as wide as it must be, the last as wide as there is space.
//!
//! Where the last one is what people came for, its text goes on in the next line instead of being cut
//! ([`whole`]).

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::clean::fit;

/// A column: its title, and whether numbers stand at its right edge.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// What stands above it.
    pub title: &'static str,
    /// Numbers end under each other.
    pub right: bool,
}

/// The least that is left of a column that has to give way, and of the last one.
const LEAST: usize = 12;

/// The titles and the rows as lines. The last column is cut where the line ends; where even that is
/// not enough (a narrow terminal), the column `yields` gives way.
#[must_use]
pub fn lines(columns: &[Column], rows: &[Vec<String>], yields: usize, width: Option<usize>) -> Vec<String> {
    let last = columns.len().saturating_sub(1);
    let mut widths = widths(columns, rows);
    let mut rest = usize::MAX;
    if let Some(width) = width {
        let over = (before(&widths, last) + LEAST).saturating_sub(width);
        widths[yields] = widths[yields].saturating_sub(over).max(LEAST.min(widths[yields]));
        rest = width.saturating_sub(before(&widths, last)).max(LEAST);
    }
    let titles: Vec<String> = columns.iter().map(|column| column.title.to_owned()).collect();
    let line = |row: &Vec<String>| cells(columns, &row[..last], &widths) + &fit(&row[last], rest);
    std::iter::once(&titles).chain(rows).map(line).collect()
}

fn pad(text: &str, width: usize, right: bool) -> String {
    let fill = " ".repeat(width.saturating_sub(text.width()));
    if right { fill + text } else { text.to_owned() + &fill }
}

/// Below this many columns words do not make a sentence any more: they get a line of their own.
const READABLE: usize = 24;

/// What is left of a name, where there is too little room for everything.
const NAME: usize = 16;

/// Can the last column be read beside the others: is there room for all of its texts, or for so many
/// columns of them that they may go on in the next line?
#[must_use]
pub fn is_roomy(columns: &[Column], rows: &[Vec<String>], enough: usize, width: usize) -> bool {
    let last = columns.len().saturating_sub(1);
    let widest = rows.iter().filter_map(|row| row.get(last)).map(|text| text.width()).max().unwrap_or(0);
    before(&widths(columns, rows), last) + widest.min(enough) <= width
}

/// The titles and the rows, each with all of its last column: what does not fit goes on below, under
/// its own beginning or, where that leaves too little room, across the line. The column `yields` gives
/// way first.
#[must_use]
pub fn whole(columns: &[Column], rows: &[Vec<String>], yields: usize, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else { return lines(columns, rows, yields, None) };
    let last = columns.len().saturating_sub(1);
    let mut widths = widths(columns, rows);
    if is_roomy(columns, rows, READABLE, width) {
        return written(columns, rows, &widths, width.saturating_sub(before(&widths, last)));
    }
    let over = (before(&widths, last) + READABLE).saturating_sub(width);
    let name = widths[yields].saturating_sub(over).max(NAME.min(widths[yields]));
    if widths[yields] - name == over {
        widths[yields] = name;
        return written(columns, rows, &widths, READABLE);
    }
    // No room beside: the others as they are, if they fit, and below each what it is about.
    let over = (before(&widths, last)).saturating_sub(width + 2);
    widths[yields] = widths[yields].saturating_sub(over).max(LEAST.min(widths[yields]));
    let mut out = Vec::with_capacity(rows.len() + 1);
    let titles: Vec<String> = columns.iter().map(|column| column.title.to_owned()).collect();
    out.push(cells(columns, &titles[..last], &widths).trim_end().to_owned());
    for row in rows {
        let mut text = cells(columns, &row[..last], &widths).trim_end().to_owned();
        for part in wrapped(&row[last], width.saturating_sub(2).max(LEAST)) {
            text.push_str("\n  ");
            text.push_str(&part);
        }
        out.push(text);
    }
    out
}

fn widths(columns: &[Column], rows: &[Vec<String>]) -> Vec<usize> {
    let widest = |i: usize| rows.iter().map(|row| row[i].width()).max().unwrap_or(0);
    columns.iter().enumerate().map(|(i, column)| widest(i).max(column.title.width())).collect()
}

/// The columns that all but the last take.
fn before(widths: &[usize], last: usize) -> usize {
    widths[..last].iter().map(|width| width + 2).sum()
}

/// All cells but the last, each with the space behind it.
fn cells(columns: &[Column], row: &[String], widths: &[usize]) -> String {
    let padded = |(i, cell): (usize, &String)| pad(&fit(cell, widths[i]), widths[i], columns[i].right) + "  ";
    row.iter().enumerate().map(padded).collect()
}

fn written(columns: &[Column], rows: &[Vec<String>], widths: &[usize], rest: usize) -> Vec<String> {
    let last = columns.len().saturating_sub(1);
    let titles: Vec<String> = columns.iter().map(|column| column.title.to_owned()).collect();
    let margin = format!("\n{}", " ".repeat(before(widths, last)));
    let line = |row: &Vec<String>| {
        cells(columns, &row[..last], widths) + &wrapped(&row[last], rest.max(LEAST)).join(&margin)
    };
    std::iter::once(&titles).chain(rows).map(line).collect()
}

/// The text in lines of this width: broken between words, and within words that are longer.
#[must_use]
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
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

/// The text between words in as many lines as it needs, each a margin from the left; what goes on is
/// set in by two more.
#[must_use]
pub fn paragraph(margin: &str, text: &str, width: Option<usize>) -> String {
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
        lines(&COLUMNS, &[row("a-rather-long-name", "7"), row("b", "42")], 0, width)
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
        assert_eq!(shown(Some(38))[1], "a-rather-long-name   7  because it is…");
        assert_eq!(shown(Some(32))[1], "a-rather-long…   7  because it …");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_where_that_can_be() {
        for width in 30..60 {
            for line in shown(Some(width)) {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }

    fn whole_at(width: usize) -> Vec<String> {
        let row = |name: &str, why: &str| vec![name.to_owned(), "42".to_owned(), why.to_owned()];
        let rows = [row("a-rather-long-name", "owner gone, stdio closed"), row("b", "in use")];
        whole(&COLUMNS, &rows, 0, Some(width))
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
        assert_eq!(
            whole(&COLUMNS, &[long], 0, Some(34))[1],
            "b     1  owner gone, stdio closed;\n         too young"
        );
    }

    proptest! {
        #[test]
        fn no_word_of_a_reason_is_lost_at_any_width(
            why in "[a-zü漢]{1,30}( [a-z(),]{1,12}){0,8}",
            name in "[a-z-]{1,32}",
            width in 24usize..120,
        ) {
            let rows = [vec![name, "4242".to_owned(), why.clone()]];
            let text = whole(&COLUMNS, &rows, 0, Some(width)).swap_remove(1);
            for line in text.lines() {
                prop_assert!(line.width() <= width, "{width}: {text}");
            }
            let bare = |text: &str| text.replace([' ', '\n'], "");
            prop_assert!(bare(&text).ends_with(&bare(&why)), "{width}: {text}");
        }
    }
}
