//! Judges each instance of a snapshot by a catalog and a policy. It uses no clock, no files and no signals, so that a
//! recorded table gives the same answer anywhere.

mod channel;
mod clients;
mod conversation;
mod copies;
mod evidence;
mod finding;
mod limits;
mod management;
mod observe;
mod owner;
mod proof;
mod reason;
mod scout;
mod verdict;
mod wire;

pub use conversation::name_conversations;
pub use evidence::{Adoption, Evidence};
pub use finding::{ClientRef, ClientStatus, Conversation, Copies, Finding, Judgement, ZombieStatus};
pub use observe::idle_rules;
pub use proof::Proof;
pub use scout::Scout;
pub use verdict::Verdict;
pub use wire::WireState;

use std::collections::{HashMap, HashSet};

use observe::Observation;
use proof::{Answer, OtherInstances};

use crate::catalog::{Basis, Role};
use crate::instance::{self, Instance};
use crate::look::Look;
use crate::policy::Policy;
use crate::process::{Pid, Snapshot, Uid};

/// Judges all instances and clients of a look.
pub fn judge<'a>(look: &Look<'a>, policy: &Policy) -> Judgement<'a> {
    let instances = instance::group(look);
    let seen: Vec<Observation> =
        instances.iter().map(|instance| Observation::of(instance, look, policy)).collect();
    let (verdicts, dead) = verdicts(&instances, &seen, look);
    let mut findings: Vec<Finding<'a>> = instances
        .into_iter()
        .zip(seen)
        .zip(verdicts)
        .map(|((instance, seen), (dead, verdict))| {
            let client = clients::client_of(&instance, look, &seen);
            let reason = reason::reason(verdict, &seen, dead);
            Finding { client, ..Finding::new(instance, seen, dead, (verdict, reason), look) }
        })
        .collect();
    limits::apply(&mut findings, look, policy);
    let copies = copies::unlimited(&findings, look, policy);
    name_conversations(&mut findings, &HashMap::new());
    let judged = clients::judge(&findings, look, policy, &dead);
    let clients = judged.iter().map(|client| client.status.clone()).collect();
    if policy.clients {
        clients::take_orphaned(&mut findings, judged, look);
    }
    let zombies = clients::zombies(&findings, look);
    Judgement { findings, clients, zombies, copies, processes_seen: look.snapshot.processes.len() }
}

/// Whether a wire is dead, and the verdict.
type Judged = (Answer<Proof>, Verdict);

/// The verdict on each instance and whether its wire is dead, and the members of all instances that are ended for a
/// dead wire.
///
/// Two leaked servers may hold each other's wire. So at first every instance counts as dead, and each round removes
/// those that another process keeps alive, until no verdict changes. This needs every process that may hold an end to
/// be readable; otherwise no instance counts as dead at first.
fn verdicts(
    instances: &[Instance<'_>],
    seen: &[Observation],
    look: &Look<'_>,
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
        let each = seen.iter().zip(instances);
        let round: Vec<Judged> =
            each.map(|(seen, instance)| judge_instance(seen, instance, look, &acting, &dead)).collect();
        let ended = round.iter().zip(instances).filter(|((_, verdict), _)| verdict.ends(false));
        let still: HashSet<Pid> =
            ended.flat_map(|(_, instance)| pids(instance)).filter(|pid| dead.contains(pid)).collect();
        if still == dead {
            return (round, dead);
        }
        dead = still;
    }
}

/// Judges one instance, in a round in which the processes in `dead` count as ended. `acting` are the processes that act as
/// clients.
fn judge_instance(
    seen: &Observation,
    instance: &Instance<'_>,
    look: &Look<'_>,
    acting: &HashSet<Pid>,
    dead: &HashSet<Pid>,
) -> Judged {
    let is_other_client = |pid: Pid| {
        let known = look.roles.get(pid).is_some_and(|known| {
            known.role == Role::Client && !matches!(known.basis, Basis::ActsAsClient { .. })
        });
        let is_client = (known || acting.contains(&pid)) && !seen.ancestors.contains(&pid);
        match look.tree.get(pid).filter(|_| is_client) {
            Some(client) => proof::moved_on(client, instance),
            None => Answer::No,
        }
    };
    let all_read = look.snapshot.unreadable.is_empty();
    let around = OtherInstances { dead, is_other_client: &is_other_client, all_read };
    let proof = proof::dead(&seen.wire, &around);
    (proof, verdict::judge(seen, proof))
}

/// The processes that hold both directions of this instance's wire, which makes them clients.
fn acts_as_client(seen: &Observation) -> impl Iterator<Item = Pid> + '_ {
    seen.wire.stdin.holders.iter().copied().filter(|pid| seen.wire.stdout.holders.contains(pid))
}

/// Could the descriptors of every process be read? Only root reads those of other users.
fn everybody_was_read(snapshot: &Snapshot) -> bool {
    snapshot.viewer.uid == Uid(0) && snapshot.unreadable.is_empty()
}
