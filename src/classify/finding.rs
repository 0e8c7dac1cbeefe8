//! The result of the judgement: a finding for each instance, the clients and the zombies.

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

/// One instance with its verdict and the evidence.
#[derive(Clone, Debug)]
pub struct Finding<'a> {
    /// The instance.
    pub instance: Instance<'a>,
    /// Its client, where one is known: above it, or at the other end of its wire.
    pub client: Option<ClientRef>,
    /// The verdict that follows from the evidence.
    pub verdict: Verdict,
    /// The verdict in a few words.
    pub reason: String,
    /// The evidence for and against the verdict.
    pub evidence: Vec<Evidence>,
    /// Whether the process that started it is alive.
    pub(super) owner: Owner,
    /// An outside process is connected to a channel that it serves. No limit ends such an instance.
    pub connected: bool,
    /// A helper may be a person's program. No limit ends such an instance.
    pub(super) unread_helper: bool,
    /// The shell above it runs another command only if the server exits with success. Such an instance is withheld.
    pub awaited: bool,
    /// Members that belong to the person. With such members the instance is withheld.
    pub persons: Vec<Pid>,
    /// Age of the root in seconds.
    pub age: f64,
    /// Resident memory of all members, in bytes.
    pub rss: u64,
    /// The conversation for which it was started, where its client shows that. It is only displayed.
    pub conversation: Option<Conversation>,
}

impl<'a> Finding<'a> {
    /// A finding from the observation of an instance and its verdict.
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
    /// Why nobody seems to use it, in a few words; `None` for a client in use. For a client that is not orphaned this
    /// proves nothing, because a daemon and a job in the background look the same.
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
    /// It is related to MCP: its parent is a client or belongs to an instance, or its name is that of a client or a
    /// server. Every machine has zombies of other programs.
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
    /// The number of generations in which they were started.
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
    /// The zombies that are related to a client or an instance.
    pub fn related_zombies(&self) -> impl Iterator<Item = &ZombieStatus> {
        self.zombies.iter().filter(|zombie| zombie.related)
    }
}
