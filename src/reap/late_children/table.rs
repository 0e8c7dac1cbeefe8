//! One reading of the process table, indexed for the search of late children.

use std::collections::HashMap;

use crate::process::{Pid, ProcessId};
use crate::reap::kernel::ProcessRow;

/// One reading of the process table, and which of its processes belong to targets.
pub(in crate::reap) struct TableView<'a> {
    pub(super) rows: &'a [ProcessRow],
    by_pid: HashMap<Pid, &'a ProcessRow>,
    /// The processes of each group and session, by its id.
    pub(super) by_group: HashMap<Pid, Vec<&'a ProcessRow>>,
    /// All processes that were found to belong to a target so far, with that target.
    pub(in crate::reap) members: HashMap<ProcessId, usize>,
    /// Those members that were still alive after the scan, by pid.
    pub(in crate::reap) living: HashMap<Pid, usize>,
}

impl<'a> TableView<'a> {
    /// The rows, with no members yet.
    pub(in crate::reap) fn new(rows: &'a [ProcessRow]) -> TableView<'a> {
        let mut by_group: HashMap<Pid, Vec<&ProcessRow>> = HashMap::new();
        for row in rows {
            let session = row.session.filter(|session| Some(*session) != row.group);
            for id in row.group.into_iter().chain(session) {
                by_group.entry(id).or_default().push(row);
            }
        }
        let by_pid = rows.iter().map(|row| (row.id.pid, row)).collect();
        TableView { rows, by_pid, by_group, members: HashMap::new(), living: HashMap::new() }
    }

    pub(super) fn get(&self, pid: Pid) -> Option<&'a ProcessRow> {
        self.by_pid.get(&pid).copied()
    }

    pub(super) fn parent(&self, row: &ProcessRow) -> Option<&'a ProcessRow> {
        self.get(row.parent)
    }

    pub(super) fn is_member(&self, row: &ProcessRow) -> bool {
        self.members.contains_key(&row.id)
    }

    pub(super) fn non_members(&self) -> impl Iterator<Item = &'a ProcessRow> {
        self.rows.iter().filter(|row| !self.is_member(row))
    }
}
