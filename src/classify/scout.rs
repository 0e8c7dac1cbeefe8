//! The processes whose details are to be read: as few as the judgement needs.

use super::owner::{Above, Standing};
use crate::catalog::{Catalog, Role};
use crate::instance::{self, marked};
use crate::look::Look;
use crate::process::{Interest, ProcessRecord, Snapshot};
use crate::roles::Roles;
use crate::tree::{Order, Tree};

/// Names the processes whose details are to be read, until there is none left, and keeps what it learned of the
/// processes on the way, so that each is identified once.
#[derive(Debug)]
pub struct Scout<'c> {
    catalog: &'c Catalog,
    known: Option<Known>,
    candidates: bool,
}

/// What was learned of the table that was seen last.
#[derive(Debug)]
struct Known {
    roles: Roles,
    order: Order,
}

impl<'c> Scout<'c> {
    /// Identifies by this catalog.
    pub fn new(catalog: &'c Catalog) -> Scout<'c> {
        Scout { catalog, known: None, candidates: false }
    }

    /// The processes of this table whose details matter: members of instances, their ancestors, clients and their
    /// children, and what was adopted without a name, for its environment or a configuration may identify it. To be
    /// called again when those details were read: they may have brought more to light.
    pub fn interest(&mut self, snapshot: &Snapshot) -> Interest {
        let catalog = self.catalog;
        let look = match self.known.take() {
            None => Look::new(snapshot, catalog),
            Some(Known { roles, order }) => {
                let tree = Tree::again(snapshot, order);
                Look::in_tree(tree, snapshot, catalog, |tree| roles.after_details(tree, catalog))
            }
        };
        self.take(look)
    }

    /// From now on by this catalog, which is the same with entries of configurations, and what matters by it in the table
    /// that was seen last: what no entry may be stays what it was.
    pub fn learn<'n>(self, catalog: &'n Catalog, snapshot: &Snapshot) -> (Scout<'n>, Interest) {
        let look = match self.known {
            None => Look::new(snapshot, catalog),
            Some(Known { roles, order }) => {
                let tree = Tree::again(snapshot, order);
                Look::in_tree(tree, snapshot, catalog, |tree| roles.after_configurations(tree, catalog))
            }
        };
        let mut scout = Scout::new(catalog);
        let interest = scout.take(look);
        (scout, interest)
    }

    /// Keeps what a look found.
    fn take(&mut self, look: Look<'_>) -> Interest {
        let interest = interest(&look);
        self.candidates = has_candidates(&look);
        self.known = Some(Known { roles: look.roles, order: look.tree.into_order() });
        interest
    }

    /// Was there anything in the last table that may be an instance? By its name, or on a wire without one: then a
    /// client's configuration may identify it.
    pub fn has_candidates(&self) -> bool {
        self.candidates
    }

    /// The look at the finished table: the one that [`Scout::interest`] saw last, in which all details were read.
    pub fn into_look<'a>(self, snapshot: &'a Snapshot) -> Look<'a>
    where
        'c: 'a,
    {
        match self.known {
            Some(Known { roles, order }) => {
                Look::in_tree(Tree::again(snapshot, order), snapshot, self.catalog, |_| roles)
            }
            None => Look::new(snapshot, self.catalog),
        }
    }
}

fn has_candidates(look: &Look<'_>) -> bool {
    let named =
        [Role::Server, Role::Launcher, Role::Helper].iter().any(|role| !look.roles.all(*role).is_empty());
    // The cheap question first: the details of hardly a process were read.
    let wired = look.snapshot.processes.iter().filter(|record| record.is_wired());
    named || wired.into_iter().any(|record| is_nameless(record, &Above::of(record.parent, look), look))
}

fn interest(look: &Look<'_>) -> Interest {
    let Look { tree, roles, .. } = look;
    let mut surely = roles.all(Role::Client);
    let mut above = Vec::new();
    let (instances, possible_launchers) = instance::group_with_undecided(look);
    surely.extend(possible_launchers);
    for instance in instances {
        surely.extend(instance.members.iter().map(|member| member.record.pid()));
        above.extend(tree.ancestors(instance.root).iter().map(|above| above.pid()));
    }
    // What is below one of these is looked at when its root turned out to be a server: the wire and
    // the environment are handed down, so the root has them too.
    let mut if_wired = Vec::new();
    for record in nameless(look) {
        // A client's own child may have moved its wire away from stdin.
        if roles.is_unproven(record.pid()) || roles.role(record.parent) == Some(Role::Client) {
            surely.push(record.pid());
        } else {
            if_wired.push(record.pid());
        }
    }
    let marked::Unread { environments: mut if_marked, carriers } = marked::unread(look);
    surely.extend(carriers);
    for pids in [&mut surely, &mut above, &mut if_wired, &mut if_marked] {
        pids.sort_unstable();
        pids.dedup();
    }
    Interest { surely, above, if_wired, if_marked }
}

/// Processes of ours without a name, whose owner is gone or a client. Their parent is looked up once for all its children.
fn nameless<'a>(look: &Look<'a>) -> Vec<&'a ProcessRecord> {
    let mut found = Vec::new();
    for (parent, children) in look.tree.families() {
        let above = Above::of(parent, look);
        found.extend(children.filter(|record| is_nameless(record, &above, look)));
    }
    found
}

fn is_nameless(record: &ProcessRecord, above: &Above<'_>, look: &Look<'_>) -> bool {
    let unowned = above.is_client() || matches!(above.stands_to(record), Standing::Adopted(_));
    unowned && is_unnamed(record, look)
}

/// One of this user's that is alive, shows a command line, and has no role by it.
fn is_unnamed(record: &ProcessRecord, look: &Look<'_>) -> bool {
    record.uid == Some(look.snapshot.viewer.uid)
        && !record.is_zombie()
        && record.argv.as_ref().is_some_and(|argv| !argv.is_empty())
        && look.roles.role(record.pid()).is_none_or(|role| role == Role::Wrapper)
}
