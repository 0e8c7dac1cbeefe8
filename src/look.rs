//! One look at the process table: its rows, parents and children, and what each process is. Made once, and the input of
//! grouping, judging and planning.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::catalog::Catalog;
use crate::process::{Pid, ProcessRecord, Snapshot};
use crate::program::Resolution;
use crate::roles::Roles;
use crate::tree::Tree;

/// A snapshot and everything that is derived from it before anything is judged.
#[derive(Debug)]
pub struct Look<'a> {
    /// The rows.
    pub snapshot: &'a Snapshot,
    /// Parents and children.
    pub tree: Tree<'a>,
    /// What each process is, by this catalog.
    pub roles: Roles,
    /// What is known about programs.
    pub catalog: &'a Catalog,
    /// Roots of instances of their own, whatever is above them: `mcp-reap exec` was put in front of these.
    pub roots: HashSet<Pid>,
    /// Processes that left a server's tree under `mcp-reap exec` are found by its marker. A guardian finds those of its
    /// own server itself.
    pub judges_marked: bool,
}

impl<'a> Look<'a> {
    /// Identifies every process of a snapshot.
    pub fn new(snapshot: &'a Snapshot, catalog: &'a Catalog) -> Look<'a> {
        Look::in_tree(Tree::new(snapshot), snapshot, catalog, |tree| Roles::assign(tree, catalog))
    }

    /// The look after more was read of some rows and others vanished, for the price of those rows. `roles` are those of
    /// the look before, by the same catalog.
    pub fn after_details(snapshot: &'a Snapshot, catalog: &'a Catalog, roles: Roles) -> Look<'a> {
        Look::in_tree(Tree::new(snapshot), snapshot, catalog, |tree| roles.after_details(tree, catalog))
    }

    /// A look at a snapshot whose roles are known.
    pub(crate) fn with_roles(snapshot: &'a Snapshot, catalog: &'a Catalog, roles: Roles) -> Look<'a> {
        Look::in_tree(Tree::new(snapshot), snapshot, catalog, |_| roles)
    }

    /// A look at a snapshot in which parents and children were found.
    pub(crate) fn in_tree(
        tree: Tree<'a>,
        snapshot: &'a Snapshot,
        catalog: &'a Catalog,
        roles: impl FnOnce(&Tree<'a>) -> Roles,
    ) -> Look<'a> {
        let roles = roles(&tree);
        Look { snapshot, tree, roles, catalog, roots: HashSet::new(), judges_marked: true }
    }

    /// The program that a process really runs. For a server, launcher or client it is known, and for others it is resolved
    /// here.
    pub(crate) fn resolution(&self, record: &ProcessRecord) -> Cow<'_, Resolution> {
        match self.roles.resolution(record.pid()) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(Resolution::of(record)),
        }
    }
}
