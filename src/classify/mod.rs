//! The judgement: from a snapshot, a catalog and a policy to a finding for each instance. Pure: no
//! clock, no files, no signals, so that a recorded table gives the same answer anywhere.

mod evidence;
mod limits;
mod observe;
mod verdict;

pub use evidence::{Adoption, Evidence, WireState};
pub use verdict::Verdict;

use crate::catalog::{Catalog, Role};
use crate::instance::{self, Instance};
use crate::policy::Policy;
use crate::process::{Pid, ProcessRecord, Snapshot, StdioKind};
use crate::roles::Roles;
use crate::tree::Tree;
use observe::Owner;

/// Which client an instance belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRef {
    /// Its process.
    pub pid: Pid,
    /// Its name in the catalog, such as `claude-code`.
    pub name: String,
}

/// One instance with its verdict and everything that led to it.
#[derive(Clone, Debug)]
pub struct Finding<'a> {
    /// The instance.
    pub instance: Instance<'a>,
    /// Its client, where one is known: above it, or at the other end of its wire.
    pub client: Option<ClientRef>,
    /// What the evidence says.
    pub verdict: Verdict,
    /// The same in a few words.
    pub reason: String,
    /// What was seen, for and against.
    pub evidence: Vec<Evidence>,
    /// Age of the root in seconds.
    pub age: f64,
    /// Resident memory of all members, in bytes.
    pub rss: u64,
}

/// A running client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientStatus {
    /// Its process.
    pub pid: Pid,
    /// Its name in the catalog.
    pub name: String,
    /// Its owner is gone and its own stdio is dead: nobody can talk to it any more.
    pub orphaned: bool,
}

/// A dead process that its parent has not collected. No signal ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZombieStatus {
    /// The dead process.
    pub pid: Pid,
    /// The parent that should collect it.
    pub parent: Pid,
    /// Its short name: argv is gone with its memory.
    pub command: String,
}

/// Everything that was found in a snapshot.
#[derive(Clone, Debug)]
pub struct Judgement<'a> {
    /// The instances, by root pid.
    pub findings: Vec<Finding<'a>>,
    /// The clients, by pid.
    pub clients: Vec<ClientStatus>,
    /// The zombies, by pid.
    pub zombies: Vec<ZombieStatus>,
    /// How many rows were looked at.
    pub processes_seen: usize,
}

/// Judges a snapshot.
#[must_use]
pub fn judge<'a>(snapshot: &'a Snapshot, catalog: &Catalog, policy: &Policy) -> Judgement<'a> {
    let tree = Tree::new(snapshot);
    let roles = Roles::assign(snapshot, &tree, catalog);
    let mut findings: Vec<Finding<'a>> = instance::group(&tree, &roles)
        .into_iter()
        .map(|instance| {
            let seen = observe::observe(&instance, &tree, &roles, catalog, policy);
            let (verdict, reason) = verdict::judge(&seen);
            Finding {
                client: client_of(&instance, &tree, &roles, &seen),
                verdict,
                reason,
                evidence: seen.evidence(),
                age: snapshot.age(instance.root),
                rss: instance.rss(),
                instance,
            }
        })
        .collect();
    limits::apply(&mut findings, policy);
    let clients = clients(&findings, &tree, &roles);
    let mut zombies: Vec<ZombieStatus> =
        snapshot.processes.iter().filter(|r| r.is_zombie()).map(zombie).collect();
    zombies.sort_by_key(|zombie| zombie.pid);
    Judgement { findings, clients, zombies, processes_seen: snapshot.processes.len() }
}

/// The pids whose remaining fields are worth reading: members of instances, their ancestors,
/// clients, and what was adopted without a name (its environment may tell).
#[must_use]
pub fn worth_a_closer_look(snapshot: &Snapshot, catalog: &Catalog) -> Vec<Pid> {
    let tree = Tree::new(snapshot);
    let roles = Roles::assign(snapshot, &tree, catalog);
    let mut pids: Vec<Pid> = roles.all(Role::Client);
    for instance in instance::group(&tree, &roles) {
        pids.extend(instance.members.iter().map(|member| member.record.pid()));
        pids.extend(tree.ancestors(instance.root).iter().map(|above| above.pid()));
    }
    let nameless = |record: &&ProcessRecord| {
        let known = roles.role(record.pid()).is_some_and(|role| role != Role::Wrapper);
        !known && !record.is_zombie() && record.argv.as_ref().is_some_and(|argv| !argv.is_empty())
    };
    let adopted =
        |record: &&ProcessRecord| matches!(observe::owner(record, &tree, &roles), Owner::Gone { .. });
    for record in snapshot.processes.iter().filter(nameless).filter(adopted) {
        pids.extend(tree.descend(record.pid(), |_| false).iter().map(|below| below.pid()));
    }
    pids.sort_unstable();
    pids.dedup();
    pids
}

fn zombie(record: &ProcessRecord) -> ZombieStatus {
    ZombieStatus { pid: record.pid(), parent: record.parent, command: record.comm.to_string() }
}

/// The nearest client above the root; else one that holds the other end of its wire.
fn client_of(
    instance: &Instance<'_>,
    tree: &Tree<'_>,
    roles: &Roles,
    seen: &observe::Observation,
) -> Option<ClientRef> {
    let above = tree.ancestors(instance.root).into_iter().map(ProcessRecord::pid);
    let at_the_wire = seen.stdin.holders.iter().chain(&seen.stdout.holders).copied();
    let pid = above.chain(at_the_wire).find(|pid| roles.role(*pid) == Some(Role::Client))?;
    let name = roles.get(pid).map(|known| known.name.clone())?;
    Some(ClientRef { pid, name })
}

/// Clients that have instances, and the topmost process of every other client. (Editors run dozens
/// of helper processes under one name.)
fn clients(findings: &[Finding<'_>], tree: &Tree<'_>, roles: &Roles) -> Vec<ClientStatus> {
    let has_instances = |pid: Pid| findings.iter().any(|f| f.client.as_ref().is_some_and(|c| c.pid == pid));
    let topmost = |record: &ProcessRecord| {
        !tree.ancestors(record).iter().any(|above| roles.role(above.pid()) == Some(Role::Client))
    };
    roles
        .all(Role::Client)
        .into_iter()
        .filter_map(|pid| tree.get(pid))
        .filter(|record| has_instances(record.pid()) || topmost(record))
        .map(|record| ClientStatus {
            pid: record.pid(),
            name: observe::name_of(record, roles),
            orphaned: is_orphaned_client(record, tree, roles),
        })
        .collect()
}

/// Nobody can talk to it any more: its owner is gone and its stdio is known to be dead. A client
/// that was put into the background on purpose has `/dev/null` or a file there, which says nothing.
fn is_orphaned_client(client: &ProcessRecord, tree: &Tree<'_>, roles: &Roles) -> bool {
    let gone = matches!(observe::owner(client, tree, roles), Owner::Gone { .. });
    let dead = client.stdio.as_ref().is_some_and(|stdio| match stdio.kind {
        StdioKind::Pipe | StdioKind::Socket => {
            let closed = |peers: &Option<Vec<Pid>>| peers.as_ref().is_some_and(Vec::is_empty);
            closed(&stdio.stdin_peers) && stdio.stdout_peers.as_ref().is_none_or(Vec::is_empty)
        }
        StdioKind::Closed => client.tty.is_none(),
        StdioKind::Null | StdioKind::Tty | StdioKind::File | StdioKind::Unknown => false,
    });
    let managed = client.service.as_ref().is_some_and(|s| s.main_pid.is_none_or(|main| main == client.pid()));
    gone && dead && !managed
}
