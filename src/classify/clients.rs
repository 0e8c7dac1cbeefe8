//! Finds the client of each instance, and clients that nobody can talk to any more.

use std::collections::HashSet;

use super::evidence::Evidence;
use super::finding::{ClientRef, ClientStatus, Finding, ZombieStatus};
use super::observe::Observation;
use super::owner::name_of;
use super::proof::{self, Answer, OtherInstances, Proof};
use super::reason::reason;
use super::verdict::{self, Verdict};
use crate::catalog::Role;
use crate::instance::Instance;
use crate::look::Look;
use crate::policy::Policy;
use crate::process::{Pid, ProcessRecord};

/// The nearest client above the root; else one that holds the other end of its wire.
pub(super) fn client_of(instance: &Instance<'_>, look: &Look<'_>, seen: &Observation) -> Option<ClientRef> {
    let Look { tree, roles, .. } = look;
    let above = tree.ancestors(instance.root).into_iter().map(ProcessRecord::pid);
    let at_the_wire = seen.wire.holders();
    let pid = above.chain(at_the_wire).find(|pid| roles.role(*pid) == Some(Role::Client))?;
    let name = roles.get(pid).map(|known| known.name.clone())?;
    Some(ClientRef { pid, name })
}

/// A client that is judged like an instance.
pub(super) struct JudgedClient<'a> {
    pub(super) status: ClientStatus,
    /// An orphaned client above it that is the only process it can talk to.
    goes_with: Option<Pid>,
    instance: Instance<'a>,
    seen: Observation,
    proof: Answer<Proof>,
}

/// Judges the clients that have instances, and the topmost process of every other client. (Editors run dozens of helper
/// processes under one name.) The wire decides, by the same rule as for servers.
pub(super) fn judge<'a>(
    findings: &[Finding<'a>],
    look: &Look<'a>,
    policy: &Policy,
    dead: &HashSet<Pid>,
) -> Vec<JudgedClient<'a>> {
    let Look { tree, roles, .. } = look;
    let has_instances = |pid: Pid| findings.iter().any(|f| f.client.as_ref().is_some_and(|c| c.pid == pid));
    let topmost = |record: &ProcessRecord| {
        !tree.ancestors(record).iter().any(|above| roles.role(above.pid()) == Some(Role::Client))
    };
    let shown = |record: &&ProcessRecord| has_instances(record.pid()) || topmost(record);
    let pids = roles.all(Role::Client).into_iter();
    let records = pids.filter_map(|pid| tree.get(pid)).filter(shown);
    let mut judged: Vec<JudgedClient<'a>> =
        records.filter_map(|record| judge_one(record, look, policy, dead)).collect();
    // A client that can only talk to an orphaned client is orphaned too.
    for at in 0..judged.len() {
        let pid = judged[at].status.pid;
        let above = judged.iter().find(|other| other.status.orphaned && other.has_before(pid));
        if let Some(status) = above.map(|above| above.status.clone()) {
            judged[at].status.orphaned = true;
            judged[at].status.reason = Some(format!("talks only to {} ({})", status.name, status.pid));
            judged[at].goes_with = Some(status.pid);
        }
    }
    judged
}

impl JudgedClient<'_> {
    /// Is the process with this pid a client that can only talk to this one?
    fn has_before(&self, pid: Pid) -> bool {
        pid != self.status.pid && self.instance.launchers_and_servers().any(|record| record.pid() == pid)
    }
}

fn judge_one<'a>(
    record: &ProcessRecord,
    look: &Look<'a>,
    policy: &Policy,
    dead: &HashSet<Pid>,
) -> Option<JudgedClient<'a>> {
    let (pid, name) = (record.pid(), name_of(record, &look.roles));
    let instance = Instance::of_client(look, pid, &name)?;
    let seen = Observation::of(&instance, look, policy);
    let is_other_client = |holder: Pid| {
        let is_client = look.roles.role(holder) == Some(Role::Client)
            && !instance.contains(holder)
            && !seen.ancestors.contains(&holder);
        match look.tree.get(holder).filter(|_| is_client) {
            Some(client) => proof::moved_on(client, &instance),
            None => Answer::No,
        }
    };
    let around = OtherInstances {
        dead,
        is_other_client: &is_other_client,
        all_read: look.snapshot.unreadable.is_empty(),
    };
    let proof = proof::dead(&seen.wire, &around);
    let verdict = verdict::judge(&seen, proof);
    // People and programs talk to a client by any listening socket: a port of an IDE or an app server, a unix socket.
    let serves = seen.channels.serves();
    let orphaned = verdict == Verdict::Orphaned && serves == Answer::No;
    let verdict = match verdict {
        Verdict::Orphaned if serves == Answer::Yes(()) => Verdict::Detached,
        other => other,
    };
    let unattended = matches!(verdict, Verdict::Detached | Verdict::Disconnected) && !on_a_desktop(&instance);
    let reason = (orphaned || unattended).then(|| reason(verdict, &seen, proof));
    let status = ClientStatus { pid, name, orphaned, reason };
    Some(JudgedClient { status, goes_with: None, instance, seen, proof })
}

/// Does it have a window? People talk to a desktop program by its window. It has no wire, and its parent is often the
/// session's service manager.
fn on_a_desktop(instance: &Instance<'_>) -> bool {
    let has_window_processes = |record: &ProcessRecord| {
        let argv = record.argv.iter().flat_map(crate::bytes::Argv::iter);
        argv.map(crate::bytes::to_text).any(|word| word == "--type=renderer" || word == "--type=zygote")
    };
    let mut members = instance.members.iter().map(|member| member.record);
    members.any(|record| record.details.display || has_window_processes(record))
}

/// The zombies, by pid. A zombie has no argv any more, so it is attributed by its name or its parent.
pub(super) fn zombies(findings: &[Finding<'_>], look: &Look<'_>) -> Vec<ZombieStatus> {
    let Look { snapshot, roles, catalog, .. } = look;
    let known = |role| matches!(role, Some(Role::Client | Role::Server | Role::Launcher | Role::Helper));
    let related = |zombie: &ProcessRecord| {
        known(roles.role(zombie.parent))
            || findings.iter().any(|finding| finding.instance.contains(zombie.parent))
            || known(catalog.identify(zombie).map(|what| what.role))
    };
    let dead = snapshot.processes.iter().filter(|record| record.is_zombie());
    let status = |zombie: &ProcessRecord| ZombieStatus {
        pid: zombie.pid(),
        parent: zombie.parent,
        command: zombie.comm.to_string(),
        related: related(zombie),
    };
    let mut zombies: Vec<ZombieStatus> = dead.map(status).collect();
    zombies.sort_by_key(|zombie| zombie.pid);
    zombies
}

/// Makes each orphaned client an instance, with everything below it: its servers serve only this client and end with
/// it. Only when the person wants that (`reap.clients`).
pub(super) fn take_orphaned<'a>(
    findings: &mut Vec<Finding<'a>>,
    clients: Vec<JudgedClient<'a>>,
    look: &Look<'a>,
) {
    for client in clients.into_iter().filter(|client| client.status.orphaned && client.goes_with.is_none()) {
        let JudgedClient { status, instance, seen, proof, .. } = client;
        findings.retain(|finding| !instance.contains(finding.instance.root.pid()));
        let reason = "a client that nobody can talk to any more".to_owned();
        let mut finding = Finding::new(instance, seen, proof, (Verdict::Orphaned, reason), look);
        finding.evidence.push(Evidence::OrphanedClient { pid: status.pid });
        findings.push(finding);
    }
    findings.sort_by_key(|finding| finding.instance.root.pid());
}
