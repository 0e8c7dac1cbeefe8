//! From processes to instances: a server with its launchers above and its helpers below, as one
//! tree that is judged as one and goes as one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use crate::catalog::Role;
use crate::process::{Pid, ProcessRecord};
use crate::roles::Roles;
use crate::tree::Tree;

/// The part of a member in its instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Stands between the client and the server.
    Launcher,
    /// Speaks MCP.
    Server,
    /// Started by a server.
    Helper,
}

/// One process of an instance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member<'a> {
    /// Its row.
    pub record: &'a ProcessRecord,
    /// Its part.
    pub part: Part,
}

/// One running copy of a server.
#[derive(Clone, Debug)]
pub struct Instance<'a> {
    /// The server's short name.
    pub server: String,
    /// The topmost member.
    pub root: &'a ProcessRecord,
    /// All members, the root first, parents before children. Zombies are none.
    pub members: Vec<Member<'a>>,
    /// Clients that were started below it (a server that runs `claude -p`); they are no members.
    pub clients_below: Vec<Pid>,
}

impl<'a> Instance<'a> {
    /// An orphaned client with everything below it, as one instance. It contains other clients only
    /// as `clients_below`.
    #[must_use]
    pub fn of_client(tree: &Tree<'a>, roles: &Roles, client: Pid, name: &str) -> Option<Instance<'a>> {
        let root = tree.get(client)?;
        let is_other = |r: &ProcessRecord| r.pid() != client && roles.role(r.pid()) == Some(Role::Client);
        let below = tree.descend(client, is_other);
        let clients_below = below.iter().filter(|r| is_other(r)).map(|r| r.pid()).collect();
        let members = below.into_iter().filter(|r| !r.is_zombie() && !is_other(r)).map(|record| {
            let part = match roles.role(record.pid()) {
                Some(Role::Client | Role::Launcher | Role::Wrapper) => Part::Launcher,
                Some(Role::Server) => Part::Server,
                _ => Part::Helper,
            };
            Member { record, part }
        });
        Some(Instance { server: name.to_owned(), root, members: members.collect(), clients_below })
    }

    /// Is this process a member?
    #[must_use]
    pub fn contains(&self, pid: Pid) -> bool {
        self.members.iter().any(|member| member.record.pid() == pid)
    }

    /// The launchers and servers: those that were given the wire to the client. What helpers hold
    /// says nothing about it, except that helpers may keep it alive.
    pub fn chain(&self) -> impl Iterator<Item = &'a ProcessRecord> + '_ {
        self.members.iter().filter(|member| member.part != Part::Helper).map(|member| member.record)
    }

    /// Only a helper is left of it: the server is gone.
    #[must_use]
    pub fn is_left_over(&self) -> bool {
        self.members.iter().all(|member| member.part == Part::Helper)
    }

    /// Resident memory of all members, in bytes.
    #[must_use]
    pub fn rss(&self) -> u64 {
        self.members.iter().map(|member| member.record.rss).sum()
    }
}

/// Finds all instances, by root pid. Whatever stands in no instance is nobody's business.
#[must_use]
pub fn group<'a>(tree: &Tree<'a>, roles: &Roles) -> Vec<Instance<'a>> {
    let mut found: Vec<Instance<'a>> =
        roots(tree, roles).into_iter().filter_map(|root| assemble(tree, roles, root)).collect();
    let taken: HashSet<Pid> =
        found.iter().flat_map(|i| &i.members).map(|member| member.record.pid()).collect();
    found.extend(left_over(tree, roles, &taken));
    // What stands in another instance, though something in between hid it, is a part of that one.
    let below: HashSet<Pid> =
        found.iter().flat_map(|i| &i.members[1..]).map(|member| member.record.pid()).collect();
    found.retain(|instance| !below.contains(&instance.root.pid()));
    found.sort_by_key(|instance| instance.root.pid());
    found
}

/// The topmost launcher or server above every server, through wrappers that run nothing else.
fn roots(tree: &Tree<'_>, roles: &Roles) -> Vec<Pid> {
    let mut tops: HashSet<Pid> = roles.all(Role::Server).into_iter().collect();
    tops.extend(roles.all(Role::Launcher));
    let parent_of = |pid: Pid| tree.parent(tree.get(pid)?).map(ProcessRecord::pid);
    // Whoever stands above a top may take it in, and is asked again when one more below it became a top. A pid that
    // was taken in never comes back, so this ends, and a loop in the table loses all its tops.
    let mut below: HashSet<Pid> = HashSet::new();
    let mut waiting: BTreeSet<Pid> = tops.iter().filter_map(|top| parent_of(*top)).collect();
    while let Some(pid) = waiting.pop_first() {
        let Some(parent) = tree.get(pid).filter(|parent| !parent.is_zombie()) else { continue };
        if !below.contains(&pid) && !belongs_above(tree, roles, &tops, parent) {
            continue;
        }
        let taken: Vec<Pid> =
            tree.children(pid).map(ProcessRecord::pid).filter(|child| tops.remove(child)).collect();
        if taken.is_empty() {
            continue;
        }
        // What is below them goes with them.
        waiting.extend(&taken);
        below.extend(taken);
        if !below.contains(&pid) && tops.insert(pid) {
            waiting.extend(parent_of(pid));
        }
    }
    let mut roots: Vec<Pid> = tops.into_iter().collect();
    roots.sort_unstable();
    roots
}

/// Is this parent of a top a part of the instance? A launcher or server says so itself. A wrapper
/// (a script, `npm run`) only when everything it runs is a top too: a script that also starts the
/// person's web server is an owner, not a launcher.
fn belongs_above(tree: &Tree<'_>, roles: &Roles, tops: &HashSet<Pid>, parent: &ProcessRecord) -> bool {
    if parent.pid() <= Pid(2) {
        return false;
    }
    match roles.role(parent.pid()) {
        Some(Role::Server | Role::Launcher) => true,
        Some(Role::Wrapper) => tree
            .children(parent.pid())
            .filter(|child| !child.is_zombie())
            .all(|child| tops.contains(&child.pid())),
        _ => false,
    }
}

fn assemble<'a>(tree: &Tree<'a>, roles: &Roles, root: Pid) -> Option<Instance<'a>> {
    let below = tree.descend(root, |record| roles.role(record.pid()) == Some(Role::Client));
    let is_client = |record: &ProcessRecord| roles.role(record.pid()) == Some(Role::Client);
    let clients_below = below.iter().filter(|r| is_client(r)).map(|r| r.pid()).collect();
    let living: Vec<&ProcessRecord> = below.into_iter().filter(|r| !r.is_zombie() && !is_client(r)).collect();
    let parts = parts(&living, roles);
    let members: Vec<Member<'a>> =
        living.iter().map(|record| Member { record, part: parts[&record.pid()] }).collect();
    let root = members.first()?.record;
    Some(Instance { server: name(&members, roles), root, members, clients_below })
}

/// Launchers and wrappers lead to the server; the topmost server of each line is the server; all
/// else below is its helper, other servers it runs included (a gateway's children).
fn parts(members: &[&ProcessRecord], roles: &Roles) -> HashMap<Pid, Part> {
    let mut parts: HashMap<Pid, Part> = HashMap::new();
    for record in members {
        let above = parts.get(&record.parent).copied();
        let part = match (above, roles.role(record.pid())) {
            (Some(Part::Server | Part::Helper), _) => Part::Helper,
            (_, Some(Role::Server)) => Part::Server,
            (_, Some(Role::Launcher | Role::Wrapper)) => Part::Launcher,
            // Below a launcher and no name of its own: what the launcher was told to run.
            (Some(Part::Launcher), None) => Part::Server,
            _ => Part::Helper,
        };
        parts.insert(record.pid(), part);
    }
    parts
}

/// The name of the launcher at the root, which knows what it was told to run; else of the topmost
/// server; of a launcher below where no server was found (still starting, or behind a program that
/// is not known).
fn name(members: &[Member<'_>], roles: &Roles) -> String {
    let of = |role| {
        let pids = members.iter().map(|member| member.record.pid());
        pids.filter_map(|pid| roles.get(pid)).find(|known| known.role == role).map(|known| known.name.clone())
    };
    of(Role::Launcher)
        .filter(|_| roles.role(members[0].record.pid()) == Some(Role::Launcher))
        .or_else(|| of(Role::Server))
        .or_else(|| of(Role::Launcher))
        .or_else(|| of(Role::Helper))
        .unwrap_or_else(|| members[0].record.comm.to_string())
}

/// Helpers that outlived their server (a browser with a server's profile): those on no instance's
/// tree, and not below a client or a process that may still use them.
fn left_over<'a>(tree: &Tree<'a>, roles: &Roles, taken: &HashSet<Pid>) -> Vec<Instance<'a>> {
    let mut roots: BTreeMap<Pid, &ProcessRecord> = BTreeMap::new();
    for pid in roles.all(Role::Helper).into_iter().filter(|pid| !taken.contains(pid)) {
        let Some(record) = tree.get(pid) else { continue };
        let line = tree.ancestors(record);
        let top = line
            .iter()
            .take_while(|above| roles.role(above.pid()) == Some(Role::Helper))
            .last()
            .copied()
            .unwrap_or(record);
        roots.insert(top.pid(), top);
    }
    let idle = |instance: &Instance<'_>| !instance.members.iter().any(|m| taken.contains(&m.record.pid()));
    roots.into_keys().filter_map(|root| assemble(tree, roles, root)).filter(idle).collect()
}
