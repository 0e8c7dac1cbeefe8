//! Who is whose parent. A loop in a table (two rows that name each other) is met once and left.

use std::collections::{HashMap, HashSet};

use crate::process::{Pid, ProcessRecord, Snapshot};

/// An index over a snapshot: by pid, and children by parent.
#[derive(Debug)]
pub struct Tree<'a> {
    rows: HashMap<Pid, &'a ProcessRecord>,
    children: HashMap<Pid, Vec<Pid>>,
}

impl<'a> Tree<'a> {
    /// Indexes a snapshot.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot) -> Tree<'a> {
        let mut rows = HashMap::with_capacity(snapshot.processes.len());
        let mut children: HashMap<Pid, Vec<Pid>> = HashMap::new();
        for record in &snapshot.processes {
            rows.insert(record.pid(), record);
            children.entry(record.parent).or_default().push(record.pid());
        }
        // Row order must not matter to anything that follows.
        for list in children.values_mut() {
            list.sort_unstable();
        }
        Tree { rows, children }
    }

    /// The row of a pid.
    #[must_use]
    pub fn get(&self, pid: Pid) -> Option<&'a ProcessRecord> {
        self.rows.get(&pid).copied()
    }

    /// All rows that are not zombies, in no particular order.
    pub fn living(&self) -> impl Iterator<Item = &'a ProcessRecord> + '_ {
        self.rows.values().copied().filter(|record| !record.is_zombie())
    }

    /// The parent's row, where it is in the table.
    #[must_use]
    pub fn parent(&self, record: &ProcessRecord) -> Option<&'a ProcessRecord> {
        self.get(record.parent).filter(|parent| parent.pid() != record.pid())
    }

    /// Direct children, by pid.
    pub fn children(&self, pid: Pid) -> impl Iterator<Item = &'a ProcessRecord> + '_ {
        self.children.get(&pid).into_iter().flatten().filter(move |c| **c != pid).filter_map(|c| self.get(*c))
    }

    /// The ancestors from the parent up.
    #[must_use]
    pub fn ancestors(&self, record: &ProcessRecord) -> Vec<&'a ProcessRecord> {
        let mut seen = HashSet::from([record.pid()]);
        let mut line = Vec::new();
        let mut at = self.parent(record);
        while let Some(row) = at {
            if !seen.insert(row.pid()) {
                break;
            }
            line.push(row);
            at = self.parent(row);
        }
        line
    }

    /// A process and everything below it, parents before children, not going below (but
    /// including) any for which `stop` is true.
    #[must_use]
    pub fn descend(&self, root: Pid, stop: impl Fn(&ProcessRecord) -> bool) -> Vec<&'a ProcessRecord> {
        let mut seen = HashSet::new();
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
