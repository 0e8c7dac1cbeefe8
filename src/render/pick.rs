//! A list to choose from: what is marked, where the cursor stands, and what that would free.

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
    /// Nobody uses it: an ordinary run would end it.
    pub(crate) unused: bool,
    verdict: Verdict,
    server: String,
    client: String,
    age: String,
    rss: u64,
    marked: bool,
}

/// The rows, and where the cursor stands.
#[derive(Clone, Debug)]
pub(crate) struct PickList {
    /// What an ordinary run would end comes first, and is marked.
    pub(crate) rows: Vec<PickRow>,
    at: usize,
}

impl PickList {
    /// What may be chosen is what `choosable` would end.
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

    /// The cursor one up; it stops at the top.
    pub(crate) fn up(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    /// The cursor one down; it stops at the end.
    pub(crate) fn down(&mut self) {
        self.at = (self.at + 1).min(self.rows.len().saturating_sub(1));
    }

    /// Marks what is under the cursor, or takes its mark.
    pub(crate) fn mark(&mut self) {
        if let Some(row) = self.rows.get_mut(self.at) {
            row.marked = !row.marked;
        }
    }

    /// Marks all that nobody uses; where all of those are marked, none. What is in use is marked one by one.
    pub(crate) fn mark_all(&mut self) {
        let all = self.rows.iter().filter(|row| row.unused).all(|row| row.marked);
        self.rows.iter_mut().filter(|row| row.unused).for_each(|row| row.marked = !all);
    }

    /// Those with a mark.
    pub(crate) fn marked(&self) -> Vec<PickRow> {
        self.rows.iter().filter(|row| row.marked).cloned().collect()
    }

    /// Marks the rows of these numbers and no other; an empty line leaves the marks. Says whether anything is to be
    /// ended.
    ///
    /// # Errors
    /// What is wrong with the line, for the person.
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

    /// All rows with their numbers.
    pub(crate) fn numbered(&self) -> String {
        let texts = self.texts();
        let line = |(number, text): (usize, &String)| format!("{:>3} {text}", number + 1);
        let lines: Vec<String> = texts.iter().enumerate().map(line).collect();
        format!("{}\n{}", lines.join("\n"), self.sum())
    }

    /// The lines for a screen of this size: a window of the rows around the cursor, the sum and the keys.
    pub(crate) fn lines(&self, screen: Screen, height: usize, width: usize) -> Vec<String> {
        let room = height.saturating_sub(4).max(1);
        let first = self.at.saturating_sub(room / 2).min(self.rows.len().saturating_sub(room));
        let width = width.max(20);
        let mut lines = Vec::new();
        for (index, (text, row)) in self.texts().iter().zip(&self.rows).enumerate().skip(first).take(room) {
            let cursor = if index == self.at { "> " } else { "  " };
            let text = fit(&format!("{cursor}{text}"), width - 1);
            lines.push(screen.paint(style::verdict(row.verdict, row.marked), &text));
        }
        lines.push(fit(&self.sum(), width - 1));
        let keys = "space: mark   a: all that nobody uses   enter: end them   q: leave";
        lines.push(screen.paint(style::FAINT, &fit(keys, width - 1)));
        lines
    }

    fn texts(&self) -> Vec<String> {
        let server = self.rows.iter().map(|row| row.server.width()).max().unwrap_or(0);
        let text = |row: &PickRow| {
            format!(
                "[{}] {:12}  {}  {:>7}  {:>8}  {:>7}  {}",
                if row.marked { 'x' } else { ' ' },
                row.verdict.as_str(),
                pad(&row.server, server, false),
                row.root.pid,
                show_size(row.rss),
                row.age,
                row.client
            )
        };
        self.rows.iter().map(text).collect()
    }

    /// `2 of 5 instances: 212 MB freed`
    fn sum(&self) -> String {
        let marked: Vec<&PickRow> = self.rows.iter().filter(|row| row.marked).collect();
        let rss = marked.iter().fold(0u64, |sum, row| sum.saturating_add(row.rss));
        let used = marked.iter().filter(|row| !row.unused).count();
        let used = if used == 0 {
            String::new()
        } else {
            format!("; {used} of them in use or not known to be unused")
        };
        format!("{} of {}: {} freed{used}", marked.len(), count(self.rows.len(), "instance"), show_size(rss))
    }
}

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
        assert_eq!((pids(&list), list.sum().as_str()), (vec![70, 71], "2 of 3 instances: 3 MB freed"));
        list.mark();
        assert_eq!((pids(&list), list.sum().as_str()), (vec![71], "1 of 3 instances: 2 MB freed"));
        list.down();
        list.down();
        list.down();
        list.mark();
        assert_eq!(list.sum(), "2 of 3 instances: 6 MB freed; 1 of them in use or not known to be unused");
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
    fn the_window_follows_the_cursor_and_no_line_is_too_wide() {
        let mut list = list();
        let screen = Screen { color: false, width: Some(40) };
        let lines = list.lines(screen, 5, 40);
        assert!(lines.len() == 3 && lines[0].starts_with("> [x] orphaned"), "{lines:?}");
        list.down();
        list.down();
        let lines = list.lines(screen, 6, 40);
        assert!(lines[1].starts_with("> [ ] in-use") && lines[0].contains("server-71"), "{lines:?}");
        assert!(lines.iter().all(|line| line.width() < 40), "{lines:?}");
    }
}
