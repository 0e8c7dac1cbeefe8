//! Columns: each as wide as it must be, the last as wide as there is room.

use unicode_width::UnicodeWidthStr;

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
    let mut widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(i, column)| {
            rows.iter().map(|row| row[i].width()).chain([column.title.width()]).max().unwrap_or(0)
        })
        .collect();
    let mut rest = usize::MAX;
    if let Some(width) = width {
        let before = |widths: &[usize]| widths[..last].iter().map(|width| width + 2).sum::<usize>();
        let over = (before(&widths) + LEAST).saturating_sub(width);
        widths[yields] = widths[yields].saturating_sub(over).max(LEAST.min(widths[yields]));
        rest = width.saturating_sub(before(&widths)).max(LEAST);
    }
    let titles: Vec<String> = columns.iter().map(|column| column.title.to_owned()).collect();
    let line = |row: &Vec<String>| {
        let mut text = String::new();
        for (i, cell) in row.iter().enumerate().take(last) {
            text.push_str(&pad(&fit(cell, widths[i]), widths[i], columns[i].right));
            text.push_str("  ");
        }
        text.push_str(&fit(&row[last], rest));
        text
    };
    std::iter::once(&titles).chain(rows).map(line).collect()
}

fn pad(text: &str, width: usize, right: bool) -> String {
    let fill = " ".repeat(width.saturating_sub(text.width()));
    if right { fill + text } else { text.to_owned() + &fill }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
