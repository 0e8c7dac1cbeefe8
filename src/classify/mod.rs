//! The judgement: from a snapshot, a catalog and a policy to a finding for each instance. Pure: no
//! clock, no files, no signals, so that a recorded table gives the same answer anywhere.

mod clients;
mod evidence;
mod interest;
mod limits;
mod observe;
mod owner;
mod verdict;

pub use evidence::{Adoption, Evidence, WireState};
pub use interest::{Scout, asks_for_configurations};
pub use verdict::Verdict;

use crate::catalog::Catalog;
use crate::instance::{self, Instance};
use crate::policy::Policy;
use crate::process::{Pid, Snapshot};
use crate::roles::Roles;
use crate::tree::Tree;

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
    /// It has to do with what is judged here: its parent is a client or belongs to an instance, or
    /// its name is that of a client or a server. Every machine has zombies of others.
    pub related: bool,
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

impl Judgement<'_> {
    /// The zombies that have to do with a client or an instance. What others leave lying about is
    /// not said of MCP.
    pub fn related_zombies(&self) -> impl Iterator<Item = &ZombieStatus> {
        self.zombies.iter().filter(|zombie| zombie.related)
    }
}

/// Judges a snapshot.
#[must_use]
pub fn judge<'a>(snapshot: &'a Snapshot, catalog: &Catalog, policy: &Policy) -> Judgement<'a> {
    judge_as(snapshot, &Roles::assign(snapshot, &Tree::new(snapshot), catalog), catalog, policy)
}

/// Judges a snapshot whose processes were identified before, by this catalog.
#[must_use]
pub fn judge_as<'a>(
    snapshot: &'a Snapshot,
    roles: &Roles,
    catalog: &Catalog,
    policy: &Policy,
) -> Judgement<'a> {
    let tree = Tree::new(snapshot);
    let mut findings: Vec<Finding<'a>> = instance::group(&tree, roles)
        .into_iter()
        .map(|instance| {
            let seen = observe::observe(&instance, &tree, roles, catalog, policy);
            let (verdict, reason) = verdict::judge(&seen);
            Finding {
                client: clients::client_of(&instance, &tree, roles, &seen),
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
    let clients = clients::status(&findings, &tree, roles);
    if policy.clients {
        clients::take_orphaned(&mut findings, &clients, snapshot, &tree, roles);
    }
    let zombies = clients::zombies(&findings, snapshot, roles, catalog);
    Judgement { findings, clients, zombies, processes_seen: snapshot.processes.len() }
}
