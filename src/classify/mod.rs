//! The judgement: from a snapshot, a catalog and a policy to a finding for each instance. Pure: no
//! clock, no files, no signals, so that a recorded table gives the same answer anywhere.

mod channel;
mod clients;
mod conversation;
mod copies;
mod evidence;
mod interest;
mod limits;
mod management;
mod observe;
mod owner;
mod proof;
mod verdict;
mod wire;

pub use conversation::{Conversation, name_conversations};
pub use copies::Copies;
pub use evidence::{Adoption, Evidence, WireState};
pub use interest::Scout;
pub use observe::idle_rules;
pub use proof::Proof;
pub use verdict::Verdict;

use std::collections::{HashMap, HashSet};

use observe::Observation;
use owner::Owner;
use proof::{Answer, Surroundings};

use crate::catalog::{Basis, Catalog, Role};
use crate::instance::{self, Instance};
use crate::policy::Policy;
use crate::process::{Pid, Snapshot, Uid};
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
    /// Whether the process that started it is alive.
    pub owner: OwnerPid,
    /// Somebody is connected to a channel that it serves; no limit ends it then.
    pub connected: bool,
    /// The shell above goes on only if the server ends well: it is withheld.
    pub awaited: bool,
    /// Members that belong to the person: it is withheld with them.
    pub persons: Vec<Pid>,
    /// Age of the root in seconds.
    pub age: f64,
    /// Resident memory of all members, in bytes.
    pub rss: u64,
    /// The conversation that it was started for, where its client says so. It is shown, and decides nothing.
    pub conversation: Option<Conversation>,
}

/// Whether the process that started an instance is alive, and which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerPid {
    /// The root's parent, which started it.
    Alive(Pid),
    /// It was adopted.
    Gone,
    /// Not known.
    Unknown,
}

/// A running client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientStatus {
    /// Its process.
    pub pid: Pid,
    /// Its name in the catalog.
    pub name: String,
    /// Its owner is gone and its stdio is proven dead, as a server's is: nobody can talk to it any more.
    pub orphaned: bool,
    /// What is known of one that nobody is seen to use, in a few words; `None` for one in use. Where it is not orphaned,
    /// this proves nothing: a daemon and a job in the background look the same.
    pub reason: Option<String>,
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
    /// Servers of which many copies run although no limit is set on their number.
    pub copies: Vec<Copies>,
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
    let look = Look { snapshot, tree: &tree, roles, catalog };
    let instances = instance::group(&tree, roles, catalog);
    let seen: Vec<Observation> =
        instances.iter().map(|instance| Observation::of(instance, &look, policy)).collect();
    let (verdicts, dead) = verdicts(&instances, &seen, &look);
    let mut findings: Vec<Finding<'a>> = instances
        .into_iter()
        .zip(seen)
        .zip(verdicts)
        .map(|((instance, seen), (dead, (verdict, reason)))| {
            let mut evidence = seen.evidence();
            if let Answer::Yes(proof) = dead {
                evidence.push(Evidence::DeadWire { proof });
            }
            Finding {
                client: clients::client_of(&instance, &tree, roles, &seen),
                verdict,
                reason,
                evidence,
                age: snapshot.age(instance.root),
                rss: instance.rss(),
                owner: match seen.owner {
                    Owner::Alive { pid, .. } => OwnerPid::Alive(pid),
                    Owner::Gone { .. } => OwnerPid::Gone,
                    Owner::Unknown { .. } => OwnerPid::Unknown,
                },
                connected: matches!(seen.channels.live(), Answer::Yes(())),
                awaited: seen.awaited_by.is_some(),
                persons: seen.persons,
                conversation: None,
                instance,
            }
        })
        .collect();
    limits::apply(&mut findings, catalog, policy);
    let copies = copies::unlimited(&findings, catalog, policy);
    name_conversations(&mut findings, &HashMap::new());
    let judged = clients::judge(&findings, &look, policy, &dead);
    let clients = judged.iter().map(|client| client.status.clone()).collect();
    if policy.clients {
        clients::take_orphaned(&mut findings, judged, &look);
    }
    let zombies = clients::zombies(&findings, snapshot, roles, catalog);
    Judgement { findings, clients, zombies, copies, processes_seen: snapshot.processes.len() }
}

/// A snapshot and what was made of it.
#[derive(Clone, Copy)]
struct Look<'l, 'a> {
    snapshot: &'a Snapshot,
    tree: &'l Tree<'a>,
    roles: &'l Roles,
    catalog: &'l Catalog,
}

/// Whether a wire is dead, the verdict, and the reason in a few words.
type Judged = (Answer<Proof>, (Verdict, String));

/// The verdict on each instance, and whether its wire is dead; and the members of those that are ended for a dead wire.
///
/// Two leaked servers may hold each other's wire. So at first every instance is taken for dead, and each round takes
/// those back that something else keeps alive, until no verdict changes. That works only where everybody who may hold an
/// end could be read; elsewhere nobody is taken for dead.
fn verdicts(
    instances: &[Instance<'_>],
    seen: &[Observation],
    look: &Look<'_, '_>,
) -> (Vec<Judged>, HashSet<Pid>) {
    let acting: HashSet<Pid> = seen.iter().flat_map(acts_as_client).collect();
    let pids = |instance: &Instance<'_>| {
        instance.members.iter().map(|member| member.record.pid()).collect::<Vec<_>>()
    };
    let mut dead: HashSet<Pid> = HashSet::new();
    if everybody_was_read(look.snapshot) {
        dead.extend(instances.iter().flat_map(&pids));
    }
    loop {
        let round: Vec<_> = seen
            .iter()
            .map(|seen| {
                let is_other_client = |pid: Pid| {
                    let known = look.roles.get(pid).is_some_and(|known| {
                        known.role == Role::Client && !matches!(known.basis, Basis::ActsAsClient { .. })
                    });
                    (known || acting.contains(&pid)) && !seen.ancestors.contains(&pid)
                };
                let around = Surroundings {
                    dead: &dead,
                    is_other_client: &is_other_client,
                    all_read: look.snapshot.unreadable.is_empty(),
                };
                let proof = proof::dead(&seen.wire, &around);
                (proof, verdict::judge(seen, proof))
            })
            .collect();
        let ended = round.iter().zip(instances).filter(|((_, (verdict, _)), _)| verdict.ends(false));
        let still: HashSet<Pid> =
            ended.flat_map(|(_, instance)| pids(instance)).filter(|pid| dead.contains(pid)).collect();
        if still == dead {
            return (round, dead);
        }
        dead = still;
    }
}

/// Those who hold both directions of this instance's wire, as a client does.
fn acts_as_client(seen: &Observation) -> impl Iterator<Item = Pid> + '_ {
    seen.wire.stdin.holders.iter().copied().filter(|pid| seen.wire.stdout.holders.contains(pid))
}

/// Could everybody's descriptors be read? Only root reads those of other users.
fn everybody_was_read(snapshot: &Snapshot) -> bool {
    snapshot.viewer.uid == Uid(0) && snapshot.unreadable.is_empty()
}
