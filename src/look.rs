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
}

impl<'a> Look<'a> {
    /// Identifies every process of a snapshot.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot, catalog: &'a Catalog) -> Look<'a> {
        let mut look = Look::with_roles(snapshot, catalog, Roles::default());
        look.roles = Roles::assign(&look.tree, catalog);
        look
    }

    /// The look after more was read of some rows and others vanished, for the price of those rows. `roles` are those of
    /// the look before, by the same catalog.
    #[must_use]
    pub fn after_details(snapshot: &'a Snapshot, catalog: &'a Catalog, roles: Roles) -> Look<'a> {
        let mut look = Look::with_roles(snapshot, catalog, Roles::default());
        look.roles = roles.after_details(&look.tree, catalog);
        look
    }

    /// The look at the same rows once more, by the same catalog with entries of configurations.
    #[must_use]
    pub fn after_configurations(snapshot: &'a Snapshot, catalog: &'a Catalog, roles: Roles) -> Look<'a> {
        let mut look = Look::with_roles(snapshot, catalog, Roles::default());
        look.roles = roles.after_configurations(&look.tree, catalog);
        look
    }

    /// A look at a snapshot whose roles are known.
    pub(crate) fn with_roles(snapshot: &'a Snapshot, catalog: &'a Catalog, roles: Roles) -> Look<'a> {
        Look { snapshot, tree: Tree::new(snapshot), roles, catalog, roots: HashSet::new() }
    }

    /// What a process really runs. Of a server or a launcher that is known; of the others it is resolved here.
    #[must_use]
    pub fn resolution(&self, record: &ProcessRecord) -> Cow<'_, Resolution> {
        match self.roles.resolution(record.pid()) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(Resolution::of(record)),
        }
    }
}
