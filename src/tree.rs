//! Parents and children. A loop in a table (two rows that name each other) is followed once.

use std::collections::BTreeSet;

use crate::process::{Pid, ProcessRecord, Snapshot};

/// An index over a snapshot: by pid, and children by parent.
///
/// Two sorted lists of places in the snapshot: systems list processes by number, so sorting is one
/// pass, and for 20,000 rows they take 160 kB, where hash maps took 2 MB.
#[derive(Debug)]
pub struct Tree<'a> {
    processes: &'a [ProcessRecord],
    /// By pid.
    rows: Vec<u32>,
    /// With their parents, by parent, then by pid: row order must not matter to anything that follows.
    children: Vec<(Pid, u32)>,
}

/// The sorted lists of a tree, without the table.
#[derive(Debug, Default)]
pub(crate) struct Order {
    rows: Vec<u32>,
    children: Vec<(Pid, u32)>,
}

impl<'a> Tree<'a> {
    /// Indexes a snapshot.
    pub fn new(snapshot: &'a Snapshot) -> Tree<'a> {
        let processes = &*snapshot.processes;
        // No kernel has more process numbers (PID_MAX_LIMIT is 2^22).
        let mut rows: Vec<u32> = (0..u32::try_from(processes.len()).unwrap_or(u32::MAX)).collect();
        rows.sort_by_key(|at| row(processes, *at).pid());
        let mut children: Vec<(Pid, u32)> = rows.iter().map(|at| (row(processes, *at).parent, *at)).collect();
        // Stable, so the children of one parent stay in the order of their numbers.
        children.sort_by_key(|(parent, _)| *parent);
        Tree { processes, rows, children }
    }

    /// Indexes a snapshot of the same processes, of which more is known now. Where it has other rows, it is sorted anew.
    pub(crate) fn again(snapshot: &'a Snapshot, order: Order) -> Tree<'a> {
        let processes = &*snapshot.processes;
        let Order { rows, children } = order;
        let row = |at: u32| processes.get(at as usize);
        let same_rows = rows.len() == processes.len()
            && rows.is_sorted_by_key(|at| row(*at).map(ProcessRecord::pid))
            && children.iter().all(|(parent, at)| row(*at).is_some_and(|row| row.parent == *parent));
        if same_rows { Tree { processes, rows, children } } else { Tree::new(snapshot) }
    }

    /// What sorting found, for [`Tree::again`].
    pub(crate) fn into_order(self) -> Order {
        Order { rows: self.rows, children: self.children }
    }

    /// The row of a pid.
    pub fn get(&self, pid: Pid) -> Option<&'a ProcessRecord> {
        self.place(pid).map(|at| row(self.processes, at))
    }

    /// Where its row lies in the table.
    pub(crate) fn place(&self, pid: Pid) -> Option<u32> {
        let at = self.rows.binary_search_by_key(&pid, |at| row(self.processes, *at).pid()).ok()?;
        self.rows.get(at).copied()
    }

    /// All rows that are not zombies, by pid.
    pub(crate) fn living(&self) -> impl Iterator<Item = &'a ProcessRecord> + Clone + '_ {
        self.rows.iter().map(|at| row(self.processes, *at)).filter(|record| !record.is_zombie())
    }

    /// The parent's row, where it is in the table.
    pub fn parent(&self, record: &ProcessRecord) -> Option<&'a ProcessRecord> {
        self.get(record.parent).filter(|parent| parent.pid() != record.pid())
    }

    /// Direct children, by pid.
    pub fn children(&self, pid: Pid) -> impl Iterator<Item = &'a ProcessRecord> + '_ {
        let first = self.children.partition_point(|(parent, _)| *parent < pid);
        let rest = self.children.iter().skip(first).take_while(move |(parent, _)| *parent == pid);
        rest.map(|(_, at)| row(self.processes, *at)).filter(move |row| row.pid() != pid)
    }

    /// Every pid that is somebody's parent, with all rows that name it, by pid.
    pub(crate) fn families(
        &self,
    ) -> impl Iterator<Item = (Pid, impl Iterator<Item = &'a ProcessRecord> + '_)> + '_ {
        let families = self.children.chunk_by(|(one, _), (other, _)| one == other);
        families.map(|family| (family[0].0, family.iter().map(|(_, at)| row(self.processes, *at))))
    }

    /// The ancestors from the parent up.
    pub fn ancestors(&self, record: &ProcessRecord) -> Vec<&'a ProcessRecord> {
        /// Processes seldom stand deeper: for so few, comparing each with each costs less than a set.
        const FEW: usize = 32;
        let mut seen = BTreeSet::new();
        let mut line: Vec<&ProcessRecord> = Vec::new();
        let mut at = self.parent(record);
        while let Some(row) = at {
            let pid = row.pid();
            let again = if line.len() < FEW {
                pid == record.pid() || line.iter().any(|below| below.pid() == pid)
            } else {
                if seen.is_empty() {
                    seen.extend(line.iter().map(|below| below.pid()).chain([record.pid()]));
                }
                !seen.insert(pid)
            };
            if again {
                break;
            }
            line.push(row);
            at = self.parent(row);
        }
        line
    }

    /// Whether a process is a descendant of another.
    pub fn is_below(&self, pid: Pid, above: Pid) -> bool {
        let Some(record) = self.get(pid) else { return false };
        let mut at = self.parent(record);
        // A line is no longer than the table; a loop would be.
        for _ in 0..self.processes.len() {
            match at {
                None => return false,
                Some(row) if row.pid() == above && row.pid() != pid => return true,
                Some(row) => at = self.parent(row),
            }
        }
        false
    }

    /// A process and everything below it, parents before children, not going below (but
    /// including) any for which `stop` is true.
    pub fn descend(&self, root: Pid, stop: impl Fn(&ProcessRecord) -> bool) -> Vec<&'a ProcessRecord> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut queue = std::collections::VecDeque::from([root]);
        while let Some(pid) = queue.pop_front() {
            let Some(row) = self.get(pid) else { continue };
            if !seen.insert(pid) {
                continue;
            }
            found.push(row);
            if !stop(row) {
                queue.extend(self.children(pid).map(ProcessRecord::pid));
            }
        }
        found
    }
}

/// The row at a place that came from the table itself.
fn row(processes: &[ProcessRecord], at: u32) -> &ProcessRecord {
    &processes[at as usize]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn table(rows: &[(u32, u32)]) -> Snapshot {
        let row =
            |(pid, parent): &(u32, u32)| format!(r#"{{"pid":{pid},"ppid":{parent},"start":1.0,"comm":"x"}}"#);
        let rows: Vec<String> = rows.iter().map(row).collect();
        let head = r#"{"schema":1,"os":"linux","taken_at":"2026-01-02T03:04:05Z","viewer":{"pid":9,"uid":0}"#;
        serde_json::from_str(&format!(r#"{head},"processes":[{}]}}"#, rows.join(","))).unwrap()
    }

    #[test]
    fn an_order_is_used_again_only_for_the_same_rows() {
        let first = [(7, 1), (1, 0), (5, 7), (6, 7), (8, 5)];
        let order = || Tree::new(&table(&first)).into_order();
        let shown = |tree: &Tree<'_>| {
            let children = |pid| tree.children(pid).map(|row| row.pid().0).collect::<Vec<_>>();
            let place = |pid: u32| tree.get(Pid(pid)).map(|row| row.pid().0);
            [1, 5, 6, 7, 8, 9].map(|pid| (children(Pid(pid)), place(pid)))
        };
        for rows in [
            &first[..],
            &first[..4],
            // As many, and another process, another parent, another place.
            &[(7, 1), (1, 0), (5, 7), (6, 7), (9, 5)],
            &[(7, 1), (1, 0), (5, 7), (6, 5), (8, 5)],
            &[(1, 0), (7, 1), (5, 7), (6, 7), (8, 5)],
            &[],
        ] {
            let table = table(rows);
            assert_eq!(shown(&Tree::again(&table, order())), shown(&Tree::new(&table)), "{rows:?}");
        }
    }

    #[test]
    fn below_is_everything_that_has_it_as_an_ancestor() {
        let table = table(&[(1, 0), (2, 1), (3, 2), (4, 3), (8, 9), (9, 8)]);
        let tree = Tree::new(&table);
        for pid in [1, 2, 3, 4, 7, 8, 9].map(Pid) {
            for above in [0, 1, 2, 3, 4, 8, 9].map(Pid) {
                let ancestors = tree.get(pid).map(|row| tree.ancestors(row)).unwrap_or_default();
                let expected = ancestors.iter().any(|row| row.pid() == above);
                assert_eq!(tree.is_below(pid, above), expected, "{pid} below {above}");
            }
        }
        let deep: Vec<(u32, u32)> = (1..200).map(|pid| (pid, pid - 1)).collect();
        let deep = self::table(&deep);
        let tree = Tree::new(&deep);
        assert_eq!(tree.ancestors(tree.get(Pid(199)).unwrap()).len(), 198);
        let looped: Vec<(u32, u32)> =
            (1..200).map(|pid| (pid, if pid == 1 { 100 } else { pid - 1 })).collect();
        let looped = self::table(&looped);
        let tree = Tree::new(&looped);
        assert_eq!(tree.ancestors(tree.get(Pid(199)).unwrap()).len(), 198, "a loop is followed once");
    }
}
