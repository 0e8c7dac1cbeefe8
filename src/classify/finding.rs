//! What the judgement gives back: a finding for each instance, the clients and the zombies.

use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::observe::Observation;
use super::owner::Owner;
use super::proof::{Answer, Proof};
use super::verdict::Verdict;
use crate::instance::Instance;
use crate::look::Look;
use crate::process::Pid;

/// Which client an instance belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// What follows from the evidence.
    pub verdict: Verdict,
    /// The verdict in a few words.
    pub reason: String,
    /// What was seen, for and against.
    pub evidence: Vec<Evidence>,
    /// Whether the process that started it is alive.
    pub(super) owner: Owner,
    /// An outside process is connected to a channel that it serves; no limit ends it then.
    pub connected: bool,
    /// A helper may be a person's program: no limit ends it then.
    pub(super) unread_helper: bool,
    /// The shell above goes on only if the server ends well: it is withheld.
    pub awaited: bool,
    /// Members that belong to the person: it is withheld with them.
    pub persons: Vec<Pid>,
    /// Age of the root in seconds.
    pub age: f64,
    /// Resident memory of all members, in bytes.
    pub rss: u64,
    /// The conversation that it was started for, where its client shows it. It is displayed, and decides nothing.
    pub conversation: Option<Conversation>,
}

impl<'a> Finding<'a> {
    /// What was seen of an instance, with the verdict that follows from it.
    pub(super) fn new(
        instance: Instance<'a>,
        seen: Observation,
        dead: Answer<Proof>,
        (verdict, reason): (Verdict, String),
        look: &Look<'_>,
    ) -> Finding<'a> {
        let mut evidence = seen.evidence(&instance, look);
        if let Answer::Yes(proof) = dead {
            evidence.push(Evidence::DeadWire { proof });
        }
        Finding {
            client: None,
            verdict,
            reason,
            evidence,
            age: look.snapshot.age(instance.root),
            rss: instance.rss(),
            owner: seen.owner,
            connected: seen.channels.live() == Answer::Yes(()),
            unread_helper: seen.unread_helper.is_some(),
            awaited: seen.awaited_by.is_some(),
            persons: seen.persons,
            conversation: None,
            instance,
        }
    }
}

/// A running client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientStatus {
    /// Its process.
    pub pid: Pid,
    /// Its name in the catalog.
    pub name: String,
    /// Its owner is gone and its stdio is proven dead, as a server's is: nobody can talk to it any more.
    pub orphaned: bool,
    /// What is known of one that nobody is seen to use, in a few words; `None` for one in use. Where it is not
    /// orphaned, this proves nothing: a daemon and a job in the background look the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A dead process that its parent has not collected. No signal ends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ZombieStatus {
    /// The dead process.
    pub pid: Pid,
    /// The parent that should collect it.
    #[serde(rename = "ppid")]
    pub parent: Pid,
    /// Its short name: argv is gone with its memory.
    pub command: String,
    /// It has to do with what is judged here: its parent is a client or belongs to an instance, or
    /// its name is that of a client or a server. Every machine has zombies of others.
    #[serde(skip)]
    pub related: bool,
}

/// A conversation (session, thread) of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conversation {
    /// Its name: the client's own id of it.
    pub id: String,
    /// Its newest copy is the newest of all copies under that client.
    pub newest: bool,
}

/// A server of which many copies run, where no limit is set on their number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Copies {
    /// The server's short name.
    pub server: String,
    /// The client that they run under, where one is known.
    pub client: Option<ClientRef>,
    /// The roots of all copies, the newest first.
    pub roots: Vec<Pid>,
    /// In how many generations they were started.
    pub generations: usize,
    /// The `max_count` that is proposed.
    pub max_count: u32,
    /// How many copies it would end.
    pub would_end: usize,
    /// Resident memory of those, in bytes.
    pub would_free: u64,
}

/// Everything that was found in a snapshot.
#[derive(Clone, Debug, Default)]
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
    /// not attributed to MCP.
    pub fn related_zombies(&self) -> impl Iterator<Item = &ZombieStatus> {
        self.zombies.iter().filter(|zombie| zombie.related)
    }
}
