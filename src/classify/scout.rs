//! Finds the processes whose details the judgement needs, which are as few as possible.

use super::owner::{Above, Standing};
use crate::catalog::{Catalog, Role};
use crate::instance::{self, marked};
use crate::look::Look;
use crate::process::{Interest, ProcessRecord, Snapshot};
use crate::roles::Roles;
use crate::tree::{Order, Tree};

/// Names the processes whose details are to be read, until no new one is left. It keeps the role of each process
/// between two calls, so that each is identified only once.
#[derive(Debug)]
pub struct Scout<'c> {
    catalog: &'c Catalog,
    known: Option<KnownTable>,
    candidates: bool,
}

/// What is known of the last table.
#[derive(Debug)]
struct KnownTable {
    roles: Roles,
    order: Order,
}

impl<'c> Scout<'c> {
    /// A scout that identifies by this catalog.
    pub fn new(catalog: &'c Catalog) -> Scout<'c> {
        Scout { catalog, known: None, candidates: false }
    }

    /// The processes of this table whose details matter: members of instances and their ancestors, clients and their
    /// children, and adopted processes that no name identifies, because their environment or a configuration may. Call
    /// it again when these details were read, because they may show that more processes matter.
    pub fn interest(&mut self, snapshot: &Snapshot) -> Interest {
        let catalog = self.catalog;
        let look = match self.known.take() {
            None => Look::new(snapshot, catalog),
            Some(KnownTable { roles, order }) => {
                let tree = Tree::again(snapshot, order);
                Look::in_tree(tree, snapshot, catalog, |tree| roles.after_details(tree, catalog))
            }
        };
        self.keep(look)
    }

    /// A scout that identifies by `catalog`, which is the same catalog with entries of configurations, and the
    /// processes that matter by it in the last table. Processes that no entry can name keep their roles.
    pub fn with_configurations<'n>(self, catalog: &'n Catalog, snapshot: &Snapshot) -> (Scout<'n>, Interest) {
        let look = match self.known {
            None => Look::new(snapshot, catalog),
            Some(KnownTable { roles, order }) => {
                let tree = Tree::again(snapshot, order);
                Look::in_tree(tree, snapshot, catalog, |tree| roles.after_configurations(tree, catalog))
            }
        };
        let mut scout = Scout::new(catalog);
        let interest = scout.keep(look);
        (scout, interest)
    }

    /// Keeps the roles and the order of a look, and returns the processes that matter in it.
    fn keep(&mut self, look: Look<'_>) -> Interest {
        let interest = interest(&look);
        self.candidates = has_candidates(&look);
        self.known = Some(KnownTable { roles: look.roles, order: look.tree.into_order() });
        interest
    }

    /// Does the last table contain a process that may belong to an instance? Its name says so, or it has no known name
    /// and is on a wire, and a client's configuration may identify it.
    pub fn has_candidates(&self) -> bool {
        self.candidates
    }

    /// The look at the finished table. `snapshot` must be the table of the last call of [`Scout::interest`], in which
    /// all details were read.
    pub fn into_look<'a>(self, snapshot: &'a Snapshot) -> Look<'a>
    where
        'c: 'a,
    {
        match self.known {
            Some(KnownTable { roles, order }) => {
                Look::in_tree(Tree::again(snapshot, order), snapshot, self.catalog, |_| roles)
            }
            None => Look::new(snapshot, self.catalog),
        }
    }
}

fn has_candidates(look: &Look<'_>) -> bool {
    let named =
        [Role::Server, Role::Launcher, Role::Helper].iter().any(|role| !look.roles.all(*role).is_empty());
    // `is_wired` comes first because it is cheap and excludes nearly all processes.
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
    // Processes below one of these are not named yet. They inherit its wire and environment, so they matter only if it
    // turns out to be a server, and then they are members of its instance.
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

/// Processes of ours that no name identifies and whose owner is gone or is a client. Each parent is looked up once for
/// all its children.
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

/// The short name of our own processes. A client's hook and its watcher stand where a server would, below the client with
/// its pipes: to name the holders of these, the descriptors of all processes were read, which doubled the cost of a hook.
const OURSELVES: &[u8] = b"mcp-reap";

/// Is it a living process of this user whose command line is known and gives it no role?
fn is_unnamed(record: &ProcessRecord, look: &Look<'_>) -> bool {
    record.uid == Some(look.snapshot.viewer.uid)
        && !record.is_zombie()
        && record.argv.as_ref().is_some_and(|argv| !argv.is_empty())
        && record.comm.as_bytes() != OURSELVES
        && look.roles.role(record.pid()).is_none_or(|role| role == Role::Wrapper)
}
