//! Groups processes into instances: a server with its launchers above and its helpers below. An instance is judged as
//! one and ended as one.

pub mod exec_server;
mod launchers;
pub mod marked;
mod persons;
mod pipeline;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::catalog::{Basis, Role};
use crate::look::Look;
use crate::process::{Listener, OtherEnd, Pid, ProcessRecord};
use crate::roles::Roles;
use launchers::LauncherChains;
pub(crate) use persons::{is_personal, is_personal_program};

/// What a member does in its instance.
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

impl Part {
    /// The word for tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Launcher => "launcher",
            Part::Server => "server",
            Part::Helper => "helper",
        }
    }
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
    /// All members, the root first, parents before children. Zombies are left out.
    pub members: Vec<Member<'a>>,
    /// Clients below its root, as under a server that runs `claude -p`. They are not members.
    pub clients_below: Vec<Pid>,
    /// The root's parent, where it may be a launcher of this instance and its descriptors were not read.
    pub unread_above: Option<Pid>,
    /// Members that left the tree and carry the marker of `mcp-reap exec`, each with the pid that the marker names.
    pub marked: Vec<(Pid, Pid)>,
}

impl<'a> Instance<'a> {
    /// A client with everything below it, as one instance. Its launchers are the client itself and those clients
    /// below it that can only talk to it (one that an adapter started, or the program that npm's launcher runs). All other
    /// processes below are helpers, MCP servers too. Other clients are not members; they go into `clients_below`.
    pub fn of_client(look: &Look<'a>, client: Pid, name: &str) -> Option<Instance<'a>> {
        let Look { tree, roles, .. } = look;
        let root = tree.get(client)?;
        let mut members = vec![Member { record: root, part: Part::Launcher }];
        let mut clients_below = Vec::new();
        let mut inside = BTreeSet::from([client]);
        let mut at = 0;
        while let Some(Member { record: above, part: above_part }) = members.get(at).copied() {
            at += 1;
            for record in tree.children(above.pid()).filter(|record| !record.is_zombie()) {
                let is_client = roles.role(record.pid()) == Some(Role::Client);
                // A client that a helper started does a job and may still be needed.
                let own = || above_part != Part::Helper && launchers::talks_only_to(record, root, &inside);
                if is_client && !own() {
                    clients_below.push(record.pid());
                } else if inside.insert(record.pid()) {
                    let part = if is_client { Part::Launcher } else { Part::Helper };
                    members.push(Member { record, part });
                }
            }
        }
        let (server, unread_above, marked) = (name.to_owned(), None, Vec::new());
        Some(Instance { server, root, members, clients_below, unread_above, marked })
    }

    /// Is this process a member?
    pub fn contains(&self, pid: Pid) -> bool {
        self.members.iter().any(|member| member.record.pid() == pid)
    }

    /// The launchers and servers, which were given the wire to the client; where only helpers are left, these. A helper's
    /// pipes and sockets belong to the server that started it.
    pub fn launchers_and_servers(&self) -> impl Iterator<Item = &'a ProcessRecord> + '_ {
        let left_over = self.is_left_over();
        let chain = self.members.iter().filter(move |member| left_over || member.part != Part::Helper);
        chain.map(|member| member.record)
    }

    /// Helpers that are servers or launchers by themselves: what a gateway runs.
    pub fn further_servers<'r>(&'r self, roles: &'r Roles) -> impl Iterator<Item = &'a ProcessRecord> + 'r {
        let serves = |pid: Pid| matches!(roles.role(pid), Some(Role::Server | Role::Launcher));
        let further = self.members.iter().filter(move |m| m.part == Part::Helper && serves(m.record.pid()));
        further.map(|member| member.record)
    }

    /// The part of a member; `None` for a process that is none.
    pub fn part(&self, pid: Pid) -> Option<Part> {
        self.members.iter().find(|member| member.record.pid() == pid).map(|member| member.part)
    }

    /// Is the other end held, and only by members? Then no client can ever reach it.
    pub fn holds_alone(&self, end: OtherEnd<'_>) -> bool {
        matches!(end, OtherEnd::Held(pids) if pids.iter().all(|pid| self.contains(*pid)))
    }

    /// Are only helpers left, because the server is gone?
    pub fn is_left_over(&self) -> bool {
        self.members.iter().all(|member| member.part == Part::Helper)
    }

    /// Resident memory of all members, in bytes.
    pub fn rss(&self) -> u64 {
        self.records().fold(0, |sum, record| sum.saturating_add(record.rss))
    }

    /// Swapped-out memory of all members, in bytes; `None` where it is not known of any member.
    pub fn swap(&self) -> Option<u64> {
        self.records().filter_map(|record| record.details.swap).reduce(u64::saturating_add)
    }

    /// Average processor use of all members since they started, in percent of one core.
    pub fn cpu(&self) -> Option<f32> {
        self.records().filter_map(|record| record.cpu).reduce(|a, b| a + b)
    }

    /// The sockets that any member listens on, helpers included. They are free again when the instance has ended.
    pub fn listening(&self) -> Vec<&'a Listener> {
        let mut sockets: Vec<&Listener> =
            self.records().filter_map(|record| record.details.listening.as_ref()).flatten().collect();
        sockets.sort_unstable();
        sockets.dedup();
        sockets
    }

    fn records(&self) -> impl Iterator<Item = &'a ProcessRecord> + '_ {
        self.members.iter().map(|member| member.record)
    }
}

/// Finds all instances, sorted by root pid. A process that belongs to no instance is not judged.
pub fn group<'a>(look: &Look<'a>) -> Vec<Instance<'a>> {
    group_with_undecided(look).0
}

/// All instances, and the processes that may be launchers of one but whose descriptors were not read yet.
pub fn group_with_undecided<'a>(look: &Look<'a>) -> (Vec<Instance<'a>>, Vec<Pid>) {
    let chains = LauncherChains::find(look);
    let mut found: Vec<Instance<'a>> =
        chains.roots.iter().filter_map(|root| assemble(look, &chains, *root)).collect();
    let taken: BTreeSet<Pid> =
        found.iter().flat_map(|i| &i.members).map(|member| member.record.pid()).collect();
    found.extend(left_over(look, &chains, &taken));
    // The root of one instance may be a member of another one, when a process between them hid that.
    let below: BTreeSet<Pid> =
        found.iter().flat_map(|i| &i.members[1..]).map(|member| member.record.pid()).collect();
    found.retain(|instance| !below.contains(&instance.root.pid()));
    found.sort_by_key(|instance| instance.root.pid());
    (found, chains.undecided)
}

fn assemble<'a>(look: &Look<'a>, chains: &LauncherChains, root: Pid) -> Option<Instance<'a>> {
    let is_client = |record: &ProcessRecord| look.roles.role(record.pid()) == Some(Role::Client);
    let separate = |record: &ProcessRecord| record.pid() != root && chains.separate.contains(&record.pid());
    let below = look.tree.descend(root, |record| is_client(record) || separate(record));
    let clients_below = below.iter().filter(|r| is_client(r)).map(|r| r.pid()).collect();
    let mut living: Vec<&ProcessRecord> =
        below.into_iter().filter(|r| !r.is_zombie() && !is_client(r) && !separate(r)).collect();
    living.extend(pipeline::adopted(look, &living));
    let parts = parts(&living, look, chains);
    let mut members: Vec<Member<'a>> =
        living.iter().map(|record| Member { record, part: parts[&record.pid()] }).collect();
    let away = marked::adopted(look, &living);
    let below_away = away.iter().flat_map(|(top, _)| look.tree.descend(top.pid(), |record| separate(record)));
    let below_away = below_away.filter(|record| !record.is_zombie() && !separate(record));
    members.extend(below_away.map(|record| Member { record, part: Part::Helper }));
    let marked = away.into_iter().map(|(top, root)| (top.pid(), root)).collect();
    let root = members.first()?.record;
    // A known root has no launchers above it.
    let may_launch = |parent: &Pid| chains.undecided.contains(parent) && !look.roots.contains(&root.pid());
    let unread_above = Some(root.parent).filter(may_launch);
    let server = name(&members, &look.roles);
    Some(Instance { server, root, members, clients_below, unread_above, marked })
}

/// The part of each member. Launchers and wrappers stand above the server, and the topmost server is the server. All
/// processes below it are helpers, also when they are servers themselves (a gateway's children).
fn parts(members: &[&ProcessRecord], look: &Look<'_>, chains: &LauncherChains) -> BTreeMap<Pid, Part> {
    let leads_on = |record: &ProcessRecord| {
        let role = look.roles.role(record.pid());
        matches!(role, Some(Role::Server | Role::Launcher | Role::Wrapper))
            || chains.launchers.contains(&record.pid())
    };
    let beside_the_server = |record: &ProcessRecord| {
        let others = members.iter().filter(|other| other.parent == record.parent);
        others.into_iter().any(|other| other.pid() != record.pid() && leads_on(other))
    };
    let mut parts: BTreeMap<Pid, Part> = BTreeMap::new();
    for record in members {
        let pid = record.pid();
        let above = parts.get(&record.parent).copied();
        let passes_on = chains.launchers.contains(&pid)
            || above != Some(Part::Server) && pipeline::is_part(record, members);
        let part = match (above, look.roles.role(pid)) {
            (Some(Part::Server | Part::Helper), _) => Part::Helper,
            (_, Some(Role::Server)) => Part::Server,
            (_, Some(Role::Launcher | Role::Wrapper)) => Part::Launcher,
            _ if passes_on => Part::Launcher,
            // A process without a role below a launcher is the server, unless one stands beside it.
            (Some(Part::Launcher), None) if !beside_the_server(record) => Part::Server,
            _ => Part::Helper,
        };
        parts.insert(pid, part);
    }
    parts
}

/// The name of an instance: that of a launcher at the root, which names what it runs; else of the topmost server; else
/// of a launcher below the root. No server is found while it starts, or behind an unknown program.
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

/// Helpers that outlived their server (a browser with a server's profile). They are in no other instance, and not below a
/// client or another process that may still use them.
fn left_over<'a>(look: &Look<'a>, chains: &LauncherChains, taken: &BTreeSet<Pid>) -> Vec<Instance<'a>> {
    let Look { tree, roles, .. } = look;
    let mut roots: BTreeMap<Pid, &ProcessRecord> = BTreeMap::new();
    for pid in roles.all(Role::Helper).into_iter().filter(|pid| !taken.contains(pid)) {
        let Some(record) = tree.get(pid) else { continue };
        let ancestors = tree.ancestors(record);
        let helpers = ancestors.iter().take_while(|above| roles.role(above.pid()) == Some(Role::Helper));
        let top = helpers.last().copied().unwrap_or(record);
        let automated = roles.get(top.pid()).is_some_and(|top| matches!(top.basis, Basis::Automated { .. }));
        // A browser that is known only by its profile belongs to its parent while that lives.
        if !automated || roles.role(top.parent) == Some(Role::Init) {
            roots.insert(top.pid(), top);
        }
    }
    let idle = |instance: &Instance<'_>| !instance.members.iter().any(|m| taken.contains(&m.record.pid()));
    roots.into_keys().filter_map(|root| assemble(look, chains, root)).filter(idle).collect()
}
