//! Which processes deserve a closer look: as few as the judgement needs.

use super::owner::{Owner, owner};
use crate::catalog::{Catalog, Role};
use crate::instance;
use crate::process::{Interest, ProcessRecord, Snapshot};
use crate::roles::Roles;
use crate::tree::Tree;

/// Asks for a closer look until nothing is left to ask for, and keeps what it learned of the
/// processes on the way, so that each is identified once.
#[derive(Debug)]
pub struct Scout<'c> {
    catalog: &'c Catalog,
    roles: Option<Roles>,
}

impl<'c> Scout<'c> {
    /// Knows what this catalog knows.
    #[must_use]
    pub fn new(catalog: &'c Catalog) -> Scout<'c> {
        Scout { catalog, roles: None }
    }

    /// What of this table is worth a closer look: members of instances, their ancestors, clients and
    /// their children, and what was adopted without a name, for its environment or a configuration
    /// may tell. To be asked again when that was read: it may have brought more to light.
    #[must_use]
    pub fn interest(&mut self, snapshot: &Snapshot) -> Interest {
        let tree = Tree::new(snapshot);
        let roles = match self.roles.take() {
            None => Roles::assign(snapshot, &tree, self.catalog),
            Some(roles) => roles.after_details(&tree, self.catalog),
        };
        let interest = interest(snapshot, &tree, &roles, self.catalog);
        self.roles = Some(roles);
        interest
    }

    /// Is there anything that may be an instance? By its name, or on a wire without one: then a client's configuration
    /// may tell. To be asked after [`Scout::interest`], about the same table.
    #[must_use]
    pub fn has_candidates(&self, snapshot: &Snapshot) -> bool {
        let Some(roles) = &self.roles else { return false };
        let named =
            [Role::Server, Role::Launcher, Role::Helper].iter().any(|role| !roles.all(*role).is_empty());
        // The cheap question first: hardly a process was looked at.
        named
            || snapshot.processes.iter().any(ProcessRecord::is_wired)
                && nameless(snapshot, &Tree::new(snapshot), roles).any(ProcessRecord::is_wired)
    }

    /// What every process is, by all that was read of it. The table must be as it was when it was
    /// asked about last.
    #[must_use]
    pub fn into_roles(self, snapshot: &Snapshot) -> Roles {
        self.roles.unwrap_or_else(|| Roles::assign(snapshot, &Tree::new(snapshot), self.catalog))
    }
}

fn interest(snapshot: &Snapshot, tree: &Tree<'_>, roles: &Roles, catalog: &Catalog) -> Interest {
    let mut surely = roles.all(Role::Client);
    let mut above = Vec::new();
    surely.extend(instance::possible_launchers(tree, roles, catalog));
    for instance in instance::group(tree, roles, catalog) {
        surely.extend(instance.members.iter().map(|member| member.record.pid()));
        above.extend(tree.ancestors(instance.root).iter().map(|above| above.pid()));
    }
    // What is below one of these is looked at when its root turned out to be a server: the wire and
    // the environment are handed down, so the root has them too.
    let mut if_wired = Vec::new();
    for record in nameless(snapshot, tree, roles) {
        // A client's own child may have moved its wire away from stdin.
        if roles.is_unproven(record.pid()) || roles.role(record.parent) == Some(Role::Client) {
            surely.push(record.pid());
        } else {
            if_wired.push(record.pid());
        }
    }
    for pids in [&mut surely, &mut above, &mut if_wired] {
        pids.sort_unstable();
        pids.dedup();
    }
    Interest { surely, above, if_wired }
}

/// Processes of ours without a name, whose owner is gone or a client.
fn nameless<'a>(
    snapshot: &'a Snapshot,
    tree: &Tree<'a>,
    roles: &Roles,
) -> impl Iterator<Item = &'a ProcessRecord> {
    let unowned = |record: &&ProcessRecord| {
        roles.role(record.parent) == Some(Role::Client)
            || matches!(owner(record, snapshot, tree, roles), Owner::Gone { .. })
    };
    snapshot.processes.iter().filter(|record| is_unnamed(record, snapshot, roles)).filter(unowned)
}

/// One of ours that lives, shows a command line, and plays no part by it.
fn is_unnamed(record: &ProcessRecord, snapshot: &Snapshot, roles: &Roles) -> bool {
    record.uid == Some(snapshot.viewer.uid)
        && !record.is_zombie()
        && record.argv.as_ref().is_some_and(|argv| !argv.is_empty())
        && roles.role(record.pid()).is_none_or(|role| role == Role::Wrapper)
}
