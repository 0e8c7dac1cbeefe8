//! Clients: whose instances these are, and clients that nobody can talk to any more.

use super::evidence::Evidence;
use super::finding::{ClientRef, ClientStatus, Finding, OwnerPid, ZombieStatus};
use super::observe::Observation;
use super::owner::{Owner, name_of, owner};
use super::verdict::Verdict;
use crate::catalog::Role;
use crate::instance::Instance;
use crate::look::Look;
use crate::process::{Pid, ProcessRecord, StdioKind};

/// The nearest client above the root; else one that holds the other end of its wire.
pub(super) fn client_of(instance: &Instance<'_>, look: &Look<'_>, seen: &Observation) -> Option<ClientRef> {
    let Look { tree, roles, .. } = look;
    let above = tree.ancestors(instance.root).into_iter().map(ProcessRecord::pid);
    let at_the_wire = seen.wire.holders();
    let pid = above.chain(at_the_wire).find(|pid| roles.role(*pid) == Some(Role::Client))?;
    let name = roles.get(pid).map(|known| known.name.clone())?;
    Some(ClientRef { pid, name })
}

/// Clients that have instances, and the topmost process of every other client. (Editors run dozens
/// of helper processes under one name.)
pub(super) fn status(findings: &[Finding<'_>], look: &Look<'_>) -> Vec<ClientStatus> {
    let Look { tree, roles, .. } = look;
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
            name: name_of(record, roles),
            orphaned: is_orphaned_client(record, look),
        })
        .collect()
}

/// The zombies, by pid. A dead process has no argv any more, so its name must tell, or its parent.
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

/// Nobody can talk to it any more: its owner is gone and its stdio is known to be dead. A client
/// that was put into the background on purpose has `/dev/null` or a file there, which says nothing.
fn is_orphaned_client(client: &ProcessRecord, look: &Look<'_>) -> bool {
    let gone = matches!(owner(client, look), Owner::Gone { .. });
    let dead = client.details.stdio.as_ref().is_some_and(|stdio| match stdio.kind {
        StdioKind::Pipe | StdioKind::Socket => {
            let closed = |peers: &Option<Vec<Pid>>| peers.as_ref().is_some_and(Vec::is_empty);
            closed(&stdio.stdin_peers) && stdio.stdout_peers.as_ref().is_none_or(Vec::is_empty)
        }
        StdioKind::Closed => client.tty.is_none(),
        StdioKind::Null | StdioKind::Tty | StdioKind::File | StdioKind::Unknown => false,
    });
    let managed =
        client.details.service.as_ref().is_some_and(|s| s.main_pid.is_none_or(|main| main == client.pid()));
    gone && dead && !managed
}

/// Makes each orphaned client an instance of its own, with everything below it: its servers serve
/// nobody else, and go with it. Only when the person asked for that.
pub(super) fn take_orphaned<'a>(findings: &mut Vec<Finding<'a>>, clients: &[ClientStatus], look: &Look<'a>) {
    for client in clients.iter().filter(|client| client.orphaned) {
        let Some(instance) = Instance::of_client(look, client.pid, &client.name) else { continue };
        findings.retain(|finding| !instance.contains(finding.instance.root.pid()));
        findings.push(Finding {
            client: None,
            verdict: Verdict::Orphaned,
            reason: "a client that nobody can talk to any more".to_owned(),
            evidence: vec![Evidence::OrphanedClient { pid: client.pid }],
            age: look.snapshot.age(instance.root),
            rss: instance.rss(),
            owner: OwnerPid::Gone,
            connected: false,
            awaited: false,
            persons: Vec::new(),
            instance,
        });
    }
    findings.sort_by_key(|finding| finding.instance.root.pid());
}
