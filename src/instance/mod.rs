//! From processes to instances: a server with its launchers above and its helpers below, as one
//! tree that is judged as one and goes as one.

pub mod family;
mod launchers;
pub mod marked;
mod persons;
mod pipeline;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use crate::catalog::{Basis, Role};
use crate::look::Look;
use crate::process::{Listener, OtherEnd, Pid, ProcessRecord};
use crate::roles::Roles;
use launchers::Tops;
pub(crate) use persons::{is_known_as_persons, is_persons};

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

impl Part {
    /// In one word.
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
    /// Clients that were started below it (a server that runs `claude -p`); they are not members.
    pub clients_below: Vec<Pid>,
    /// The root's parent, where its descriptors, which were not read, would show whether it is a launcher of this
    /// instance.
    pub unread_above: Option<Pid>,
    /// Members that left the tree and carry the marker of `mcp-reap exec`, each with the process that `exec` became.
    pub marked: Vec<(Pid, Pid)>,
}

impl<'a> Instance<'a> {
    /// A client with everything below it, as one instance. Its launchers are the client itself and the clients
    /// below it that can only talk to it (the one that an adapter started, the program behind npm's). All else is
    /// its helper, MCP servers too. Other clients are not members; they go into `clients_below`.
    pub fn of_client(look: &Look<'a>, client: Pid, name: &str) -> Option<Instance<'a>> {
        let Look { tree, roles, .. } = look;
        let root = tree.get(client)?;
        let mut members = vec![Member { record: root, part: Part::Launcher }];
        let mut clients_below = Vec::new();
        let mut inside = HashSet::from([client]);
        let mut at = 0;
        while let Some(Member { record: above, part: above_part }) = members.get(at).copied() {
            at += 1;
            for record in tree.children(above.pid()).filter(|record| !record.is_zombie()) {
                let is_client = roles.role(record.pid()) == Some(Role::Client);
                // One that a helper started is a job, and may still be needed.
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

    /// The launchers and servers: those that were given the wire to the client. A helper's pipes and sockets belong to
    /// the server that started it, so helpers stand here only where nothing else is left.
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

    /// The part that a member plays.
    pub fn part(&self, pid: Pid) -> Option<Part> {
        self.members.iter().find(|member| member.record.pid() == pid).map(|member| member.part)
    }

    /// The other end is held by members, and so by no outside process: no client can ever reach it.
    pub fn holds_alone(&self, end: OtherEnd<'_>) -> bool {
        matches!(end, OtherEnd::Held(pids) if pids.iter().all(|pid| self.contains(*pid)))
    }

    /// Only a helper is left of it: the server is gone.
    pub fn is_left_over(&self) -> bool {
        self.members.iter().all(|member| member.part == Part::Helper)
    }

    /// Resident memory of all members, in bytes.
    pub fn rss(&self) -> u64 {
        self.records().fold(0, |sum, record| sum.saturating_add(record.rss))
    }

    /// Swapped-out memory of all members, in bytes; `None` where nothing is known of any.
    pub fn swap(&self) -> Option<u64> {
        self.records().filter_map(|record| record.details.swap).reduce(u64::saturating_add)
    }

    /// Share of one core, in percent, that the members used on average since they started.
    pub fn cpu(&self) -> Option<f32> {
        self.records().filter_map(|record| record.cpu).reduce(|a, b| a + b)
    }

    /// What any member listens on, helpers included: ports and sockets that are free again when it has ended.
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

/// Finds all instances, by root pid. What belongs to no instance is not judged.
pub fn group<'a>(look: &Look<'a>) -> Vec<Instance<'a>> {
    group_with_undecided(look).0
}

/// All instances, and the processes whose descriptors, not read yet, decide whether they are launchers of one.
pub fn group_with_undecided<'a>(look: &Look<'a>) -> (Vec<Instance<'a>>, Vec<Pid>) {
    let tops = launchers::tops(look);
    let mut found: Vec<Instance<'a>> =
        tops.roots.iter().filter_map(|root| assemble(look, &tops, *root)).collect();
    let taken: HashSet<Pid> =
        found.iter().flat_map(|i| &i.members).map(|member| member.record.pid()).collect();
    found.extend(left_over(look, &tops, &taken));
    // A root that is in another instance, though something in between hid it, is a part of that one.
    let below: HashSet<Pid> =
        found.iter().flat_map(|i| &i.members[1..]).map(|member| member.record.pid()).collect();
    found.retain(|instance| !below.contains(&instance.root.pid()));
    found.sort_by_key(|instance| instance.root.pid());
    (found, tops.undecided)
}

fn assemble<'a>(look: &Look<'a>, tops: &Tops, root: Pid) -> Option<Instance<'a>> {
    let is_client = |record: &ProcessRecord| look.roles.role(record.pid()) == Some(Role::Client);
    let apart = |record: &ProcessRecord| record.pid() != root && tops.apart.contains(&record.pid());
    let below = look.tree.descend(root, |record| is_client(record) || apart(record));
    let clients_below = below.iter().filter(|r| is_client(r)).map(|r| r.pid()).collect();
    let mut living: Vec<&ProcessRecord> =
        below.into_iter().filter(|r| !r.is_zombie() && !is_client(r) && !apart(r)).collect();
    living.extend(pipeline::adopted(look, &living));
    let parts = parts(&living, look, tops);
    let mut members: Vec<Member<'a>> =
        living.iter().map(|record| Member { record, part: parts[&record.pid()] }).collect();
    let away = marked::adopted(look, &living);
    let below_away = away.iter().flat_map(|(top, _)| look.tree.descend(top.pid(), |record| apart(record)));
    let below_away = below_away.filter(|record| !record.is_zombie() && !apart(record));
    members.extend(below_away.map(|record| Member { record, part: Part::Helper }));
    let marked = away.into_iter().map(|(top, root)| (top.pid(), root)).collect();
    let root = members.first()?.record;
    // Whatever is above a root that is known is no launcher of it.
    let may_launch = |parent: &Pid| tops.undecided.contains(parent) && !look.roots.contains(&root.pid());
    let unread_above = Some(root.parent).filter(may_launch);
    let server = name(&members, &look.roles);
    Some(Instance { server, root, members, clients_below, unread_above, marked })
}

/// Launchers and wrappers lead to the server; the topmost server of each line is the server; all
/// else below is its helper, other servers it runs included (a gateway's children).
fn parts(members: &[&ProcessRecord], look: &Look<'_>, tops: &Tops) -> HashMap<Pid, Part> {
    let leads_on = |record: &ProcessRecord| {
        let role = look.roles.role(record.pid());
        matches!(role, Some(Role::Server | Role::Launcher | Role::Wrapper))
            || tops.launchers.contains(&record.pid())
    };
    let beside_the_server = |record: &ProcessRecord| {
        let others = members.iter().filter(|other| other.parent == record.parent);
        others.into_iter().any(|other| other.pid() != record.pid() && leads_on(other))
    };
    let mut parts: HashMap<Pid, Part> = HashMap::new();
    for record in members {
        let pid = record.pid();
        let above = parts.get(&record.parent).copied();
        let passes_on = tops.launchers.contains(&pid)
            || above != Some(Part::Server) && pipeline::is_part(record, members);
        let part = match (above, look.roles.role(pid)) {
            (Some(Part::Server | Part::Helper), _) => Part::Helper,
            (_, Some(Role::Server)) => Part::Server,
            (_, Some(Role::Launcher | Role::Wrapper)) => Part::Launcher,
            _ if passes_on => Part::Launcher,
            // Below a launcher and no name of its own: what the launcher runs, unless that stands beside it.
            (Some(Part::Launcher), None) if !beside_the_server(record) => Part::Server,
            _ => Part::Helper,
        };
        parts.insert(pid, part);
    }
    parts
}

/// The name of the launcher at the root, which names what it runs; else of the topmost
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
fn left_over<'a>(look: &Look<'a>, tops: &Tops, taken: &HashSet<Pid>) -> Vec<Instance<'a>> {
    let Look { tree, roles, .. } = look;
    let mut roots: BTreeMap<Pid, &ProcessRecord> = BTreeMap::new();
    for pid in roles.all(Role::Helper).into_iter().filter(|pid| !taken.contains(pid)) {
        let Some(record) = tree.get(pid) else { continue };
        let ancestors = tree.ancestors(record);
        let helpers = ancestors.iter().take_while(|above| roles.role(above.pid()) == Some(Role::Helper));
        let top = helpers.last().copied().unwrap_or(record);
        let automated = roles.get(top.pid()).is_some_and(|top| matches!(top.basis, Basis::Automated { .. }));
        // A browser that only its profile names belongs to its parent as long as that is alive.
        if !automated || roles.role(top.parent) == Some(Role::Init) {
            roots.insert(top.pid(), top);
        }
    }
    let idle = |instance: &Instance<'_>| !instance.members.iter().any(|m| taken.contains(&m.record.pid()));
    roots.into_keys().filter_map(|root| assemble(look, tops, root)).filter(idle).collect()
}
