//! A list of instances to choose from, with marks, a cursor, and the memory that the marked ones would free.

use unicode_width::UnicodeWidthStr;

use super::Scene;
use super::clean::{clean, fit};
use super::figures::{age, client, count};
use super::grid::pad;
use super::style::{self, Screen};
use crate::classify::{Finding, Verdict};
use crate::plan::Plan;
use crate::process::ProcessId;
use crate::units::show_size;

/// One instance that may be chosen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PickRow {
    /// Its root.
    pub(crate) root: ProcessId,
    /// Whether an ordinary run would end it, because nobody uses it.
    pub(crate) unused: bool,
    verdict: Verdict,
    server: String,
    client: String,
    age: String,
    rss: u64,
    marked: bool,
}

/// The rows and the position of the cursor.
#[derive(Clone, Debug)]
pub(crate) struct PickList {
    /// The rows. Those that an ordinary run would end come first and are marked.
    pub(crate) rows: Vec<PickRow>,
    at: usize,
}

impl PickList {
    /// A list of the instances that the plan `choosable` would end.
    pub(crate) fn new(scene: &Scene<'_>, choosable: &Plan) -> PickList {
        let row = |finding: &Finding<'_>| PickRow {
            root: finding.instance.root.id,
            unused: scene.reaps(finding),
            verdict: finding.verdict,
            server: fit(&clean(&finding.instance.server), 28),
            client: client(finding),
            age: age(finding),
            rss: finding.rss,
            marked: scene.reaps(finding),
        };
        let findings = scene.worst_first().into_iter();
        let rows = findings.filter(|finding| choosable.ends(finding.instance.root.id)).map(row).collect();
        PickList { rows, at: 0 }
    }

    /// Moves the cursor one row up; it stops at the first.
    pub(crate) fn up(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    /// Moves the cursor one row down; it stops at the last.
    pub(crate) fn down(&mut self) {
        self.at = (self.at + 1).min(self.rows.len().saturating_sub(1));
    }

    /// Marks the row under the cursor, or removes its mark.
    pub(crate) fn mark(&mut self) {
        if let Some(row) = self.rows.get_mut(self.at) {
            row.marked = !row.marked;
        }
    }

    /// Marks all rows that nobody uses, or removes these marks if all of them are marked. Rows in use can only be marked one
    /// by one.
    pub(crate) fn mark_all(&mut self) {
        let all = self.rows.iter().filter(|row| row.unused).all(|row| row.marked);
        self.rows.iter_mut().filter(|row| row.unused).for_each(|row| row.marked = !all);
    }

    /// The marked rows.
    pub(crate) fn marked(&self) -> Vec<PickRow> {
        self.rows.iter().filter(|row| row.marked).cloned().collect()
    }

    /// Marks exactly the rows whose numbers are in `line`; an empty line keeps the marks. Returns whether anything is to be
    /// ended.
    ///
    /// # Errors
    /// What is wrong with the line, in words for the person.
    pub(crate) fn take(&mut self, line: &str) -> Result<bool, String> {
        let words: Vec<&str> =
            line.split([' ', ',']).map(str::trim).filter(|word| !word.is_empty()).collect();
        match words[..] {
            [] => return Ok(self.rows.iter().any(|row| row.marked)),
            ["q" | "n" | "0" | "none"] => return Ok(false),
            _ => {}
        }
        let mut numbers = Vec::new();
        for word in words {
            match word.parse::<usize>() {
                Ok(number) if (1..=self.rows.len()).contains(&number) => numbers.push(number),
                _ => return Err(format!("{} is no number of the list", clean(word))),
            }
        }
        for (number, row) in self.rows.iter_mut().enumerate() {
            row.marked = numbers.contains(&(number + 1));
        }
        Ok(true)
    }

    /// The titles and all rows with their numbers. The sum comes last, directly before the question.
    pub(crate) fn numbered(&self) -> String {
        let line = |(number, text): (usize, &String)| format!("{:>3} {text}", number + 1);
        let lines: Vec<String> = self.texts().iter().enumerate().map(line).collect();
        format!("    {}\n{}\n{}", self.titles(), lines.join("\n"), self.sum())
    }

    /// The lines for a screen of this size: the sum, the titles, a window of the rows around the cursor, and the keys. If
    /// the screen is low, the other lines are left out first. One line is left free for the cursor of the terminal, because
    /// a line that scrolls out at the top cannot be redrawn.
    pub(crate) fn lines(&self, screen: Screen, height: usize, width: usize) -> Vec<String> {
        let room = height.saturating_sub(1).max(1);
        let (has_sum, has_keys, has_titles) = (room > 1, room > 2, room > 4);
        let around = usize::from(has_sum) + usize::from(has_keys) + usize::from(has_titles);
        let columns = width.saturating_sub(1).max(1);
        let mut lines = Vec::new();
        if has_sum {
            lines.push(fit(&self.sum(), columns));
        }
        if has_titles {
            lines.push(screen.paint(style::TITLE, &fit(&format!("  {}", self.titles()), columns)));
        }
        lines.extend(self.window(screen, room - around, columns));
        if has_keys {
            lines.push(screen.paint(style::FAINT, &fit(KEYS, columns)));
        }
        lines
    }

    /// `rows` rows around the cursor.
    fn window(&self, screen: Screen, rows: usize, columns: usize) -> Vec<String> {
        let first = self.at.saturating_sub(rows / 2).min(self.rows.len().saturating_sub(rows));
        let line = |(index, (text, row)): (usize, (&String, &PickRow))| {
            let cursor = if index == self.at { "> " } else { "  " };
            screen.paint(style::verdict(row.verdict, row.marked), &fit(&format!("{cursor}{text}"), columns))
        };
        self.texts().iter().zip(&self.rows).enumerate().skip(first).take(rows).map(line).collect()
    }

    fn texts(&self) -> Vec<String> {
        let text = |row: &PickRow| {
            let mark = if row.marked { "[x]" } else { "[ ]" };
            let (pid, rss) = (row.root.pid.to_string(), show_size(row.rss));
            self.columns([mark, row.verdict.as_str(), &row.server, &pid, &rss, &row.age, &row.client])
        };
        self.rows.iter().map(text).collect()
    }

    /// The titles of the columns.
    fn titles(&self) -> String {
        self.columns(["", "VERDICT", "SERVER", "PID", "RSS", "AGE", "CLIENT"])
    }

    fn columns(&self, [mark, verdict, server, pid, rss, age, client]: [&str; 7]) -> String {
        let servers = self.rows.iter().map(|row| row.server.width());
        let server = pad(server, servers.chain(["SERVER".len()]).max().unwrap_or(0), false);
        format!("{mark:3} {verdict:12}  {server}  {pid:>7}  {rss:>8}  {age:>7}  {client}")
    }

    /// `2 of 5 instances marked, would free 212 MB`
    fn sum(&self) -> String {
        let marked: Vec<&PickRow> = self.rows.iter().filter(|row| row.marked).collect();
        let rss = marked.iter().fold(0u64, |sum, row| sum.saturating_add(row.rss));
        let used = match marked.iter().filter(|row| !row.unused).count() {
            0 => String::new(),
            n => format!("; {n} of them in use or not known to be unused"),
        };
        let all = count(self.rows.len(), "instance");
        format!("{} of {all} marked, would free {}{used}", marked.len(), show_size(rss))
    }
}

/// The line that says what each key does.
const KEYS: &str = "space: mark   a: all that nobody uses   enter: end the marked   q: leave";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::process::{Pid, StartTime};

    fn list() -> PickList {
        let row = |pid: u32, unused, rss| PickRow {
            root: ProcessId { pid: Pid(pid), start: StartTime(1) },
            unused,
            verdict: if unused { Verdict::Orphaned } else { Verdict::InUse },
            server: format!("server-{pid}"),
            client: "-".into(),
            age: "3h".into(),
            rss,
            marked: unused,
        };
        PickList {
            rows: vec![row(70, true, 1_000_000), row(71, true, 2_000_000), row(72, false, 4_000_000)],
            at: 0,
        }
    }

    fn pids(list: &PickList) -> Vec<u32> {
        list.marked().iter().map(|row| row.root.pid.0).collect()
    }

    #[test]
    fn what_nobody_uses_is_marked_and_the_sum_follows_the_marks() {
        let mut list = list();
        assert_eq!(
            (pids(&list), list.sum().as_str()),
            (vec![70, 71], "2 of 3 instances marked, would free 3 MB")
        );
        list.mark();
        assert_eq!(
            (pids(&list), list.sum().as_str()),
            (vec![71], "1 of 3 instances marked, would free 2 MB")
        );
        list.down();
        list.down();
        list.down();
        list.mark();
        assert_eq!(
            list.sum(),
            "2 of 3 instances marked, would free 6 MB; 1 of them in use or not known to be unused"
        );
        list.mark_all();
        assert_eq!(pids(&list), [70, 71, 72], "what is in use keeps its mark");
        list.mark_all();
        assert_eq!(pids(&list), [72]);
    }

    #[test]
    fn numbers_are_taken_whole_or_not_at_all() {
        let mut list = list();
        assert!(list.take("1 9").is_err() && list.take("x").is_err() && list.take("-1").is_err());
        assert_eq!(pids(&list), [70, 71], "nothing changed");
        assert_eq!((list.take("3, 1"), pids(&list)), (Ok(true), vec![70, 72]));
        assert_eq!(list.take(" q "), Ok(false));
        assert_eq!((list.take(""), pids(&list)), (Ok(true), vec![70, 72]), "those that are marked");
    }

    #[test]
    fn the_header_says_what_the_columns_are_and_what_would_be_freed() {
        let list = list();
        let screen = Screen { color: false, width: Some(80) };
        let lines = list.lines(screen, 24, 80);
        assert_eq!(
            lines,
            [
                "2 of 3 instances marked, would free 3 MB",
                "      VERDICT       SERVER         PID       RSS      AGE  CLIENT",
                "> [x] orphaned      server-70       70      1 MB       3h  -",
                "  [x] orphaned      server-71       71      2 MB       3h  -",
                "  [ ] in-use        server-72       72      4 MB       3h  -",
                KEYS,
            ]
        );
        let numbered = list.numbered();
        let titles = numbered.lines().next().unwrap();
        assert!(titles.starts_with("        VERDICT ") && titles.ends_with("AGE  CLIENT"), "{numbered}");
        assert!(
            numbered.contains("\n  1 [x] orphaned ") && numbered.ends_with("would free 3 MB"),
            "{numbered}"
        );
    }

    #[test]
    fn the_window_follows_the_cursor_and_no_line_is_too_wide() {
        let mut list = list();
        let screen = Screen { color: false, width: Some(40) };
        let (first, last) = (list.lines(screen, 5, 40), {
            list.down();
            list.down();
            list.lines(screen, 5, 40)
        });
        assert!(first.len() == 4 && first[1].starts_with("> [x] orphaned"), "{first:?}");
        assert!(last[2].starts_with("> [ ] in-use") && last[1].contains("server-71"), "{last:?}");
        assert!(first.iter().chain(&last).all(|line| line.width() < 40), "{first:?} {last:?}");
    }

    #[test]
    fn in_a_window_of_any_size_the_row_under_the_cursor_is_shown_and_nothing_scrolls_away() {
        let mut list = list();
        list.down();
        list.mark();
        for (height, shown) in [(0, 1), (1, 1), (2, 1), (3, 2), (4, 3), (5, 4), (6, 5), (7, 6), (24, 6)] {
            for width in [0, 1, 5, 30, 200] {
                let screen = Screen { color: false, width: Some(width) };
                let lines = list.lines(screen, height, width);
                assert_eq!(lines.len(), shown, "{height} by {width}: {lines:?}");
                let widest = lines.iter().map(|line| line.width()).max().unwrap();
                assert!(widest < width.max(2), "{height} by {width}: {lines:?}");
                let cursor = lines.iter().filter(|line| line.starts_with(['>', '…'])).count();
                assert!(width < 3 || cursor == 1, "{height} by {width}: {lines:?}");
                assert!(
                    height < 3 || width < 30 || lines[0].starts_with("1 of 3 instances marked"),
                    "{lines:?}"
                );
            }
        }
    }
}
