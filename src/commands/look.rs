//! One look at the machine, or at a recorded table, and the judgement of it.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::Context as _;

use super::near::near_pattern;
use super::output::notice;
use super::{Session, verbose};
use crate::catalog::{Catalog, Configured};
use crate::classify::{self, Judgement, Scout};
use crate::cli::Wanted;
use crate::clients::{self, ConfiguredServer, Findings, Places, Scope, Transport};
use crate::containers::{Containers, without_client};
use crate::look::Look;
use crate::plan::{Choice, Plan};
use crate::process::{Pid, ProcessId, ProcessRecord, Snapshot, UidPrecision};
use crate::render::Scene;
use crate::render::clean::clean;
use crate::tree::Tree;

/// Reads the process table of this machine with the details that matter, or the recorded table. Returns it with the
/// scout that has identified its processes.
pub(super) fn take(session: &Session) -> anyhow::Result<(Snapshot, Scout<'_>)> {
    take_with(session, UidPrecision::Provisional)
}

/// [`take`], with the exact user of every process, for commands that report every process and not only instances.
pub(super) fn take_exactly(session: &Session) -> anyhow::Result<(Snapshot, Scout<'_>)> {
    take_with(session, UidPrecision::Exact)
}

fn take_with(session: &Session, owners: UidPrecision) -> anyhow::Result<(Snapshot, Scout<'_>)> {
    if let Some(path) = &session.snapshot {
        return Ok((crate::sys::recorded::read(path)?, Scout::new(&session.catalog)));
    }
    let began = Instant::now();
    let (mut snapshot, scout) = read(session, owners)?;
    let table = began.elapsed();
    let with_details: Vec<Pid> = snapshot
        .processes
        .iter()
        .filter(|record| record.details.cgroup.is_some() || record.details.stdio.is_some())
        .map(ProcessRecord::pid)
        .collect();
    let began = Instant::now();
    crate::services::fill(&mut snapshot, &with_details);
    verbose::looked(&snapshot, with_details.len(), table, began.elapsed());
    Ok((snapshot, scout))
}

/// The process table of this machine without the services. It suffices to group processes, but not to judge them.
pub(super) fn take_without_services(session: &Session) -> anyhow::Result<(Snapshot, Scout<'_>)> {
    read(session, UidPrecision::Provisional)
}

fn read(session: &Session, owners: UidPrecision) -> anyhow::Result<(Snapshot, Scout<'_>)> {
    let mut scout = Scout::new(&session.catalog);
    let mut configured = false;
    let mut interest = |table: &Snapshot| {
        let interest = scout.interest(table);
        if configured || !scout.has_candidates() {
            return interest;
        }
        // The configurations are read as soon as there is anything to judge. So the details of a process that only they
        // identify are read too, and names and verdicts do not depend on which other processes are running.
        configured = true;
        let catalog = &configurations(session).1;
        if !catalog.has_entries() {
            return interest;
        }
        let known = std::mem::replace(&mut scout, Scout::new(&session.catalog));
        let interest;
        (scout, interest) = known.with_configurations(catalog, table);
        interest
    };
    let snapshot =
        crate::sys::snapshot_with(owners, &mut interest).context("failed to read the process table")?;
    Ok((snapshot, scout))
}

/// A look with its judgement and plan.
pub(super) struct JudgedLook<'a> {
    pub(super) look: Look<'a>,
    pub(super) judgement: Judgement<'a>,
    pub(super) plan: Plan,
}

/// Judges a table and plans to end the instances that nobody uses.
pub(super) fn judge<'a>(session: &Session, snapshot: &'a Snapshot, scout: Scout<'a>) -> JudgedLook<'a> {
    judge_for(session, snapshot, scout, &Choice::Unused)
}

/// Judges a table and plans to end the chosen instances.
pub(super) fn judge_for<'a>(
    session: &Session,
    snapshot: &'a Snapshot,
    scout: Scout<'a>,
    choice: &Choice,
) -> JudgedLook<'a> {
    let began = Instant::now();
    let look = scout.into_look(snapshot);
    let mut judgement = classify::judge(&look, &session.policy);
    if session.snapshot.is_none() {
        let of_clients = conversations(&judgement, &look.tree);
        classify::name_conversations(&mut judgement.findings, &of_clients);
    }
    let plan = Plan::of(&judgement, &look, &session.policy, choice);
    verbose::judged(&look, &judgement, &plan, began.elapsed());
    JudgedLook { look, judgement, plan }
}

impl JudgedLook<'_> {
    /// Keeps only the wanted instances, after all were judged. Returns `false` if there are instances and none is
    /// wanted.
    pub(super) fn keep(&mut self, wanted: &Wanted) -> bool {
        let before = self.judgement.findings.len();
        self.judgement.findings.retain(|finding| wanted.takes(finding));
        let kept: Vec<ProcessId> = self.judgement.findings.iter().map(|f| f.instance.root.id).collect();
        self.plan.targets.retain(|target| target.members.first().is_some_and(|root| kept.contains(&root.id)));
        self.plan.withheld.retain(|withheld| kept.contains(&withheld.root));
        before == 0 || !kept.is_empty()
    }

    /// The names that were probably meant if a wanted name or client matches nothing, as arguments: `notes`,
    /// `--client codex`.
    pub(super) fn near(&self, wanted: &Wanted) -> Vec<String> {
        let findings = || self.judgement.findings.iter();
        let servers: Vec<&str> = findings().map(|finding| &*finding.instance.server).collect();
        let clients: Vec<&str> = findings().filter_map(|f| Some(&*f.client.as_ref()?.name)).collect();
        let names = wanted.names.iter().flat_map(|name| near_pattern(name, &servers));
        let client = wanted.client.iter().flat_map(|client| near_pattern(client, &clients));
        names.chain(client.map(|client| format!("--client {client}"))).collect()
    }

    /// This look for the renderers.
    pub(super) fn scene(&self) -> Scene<'_> {
        Scene::new(self.look.snapshot, &self.judgement, &self.plan)
    }

    /// The containers that nobody uses. Prints a notice for each query that failed.
    pub(super) fn abandoned(&self, mut answer: Containers) -> Containers {
        for trouble in &answer.troubles {
            notice(&clean(trouble));
        }
        let lost = without_client(&answer.containers, self.look.snapshot, self.look.catalog);
        answer.containers = lost.into_iter().cloned().collect();
        answer
    }
}

/// The servers in the configurations of the person's clients, and the catalog with them. They are read once and only
/// when there is anything to judge, because that takes milliseconds. They are never read for a recorded table, whose
/// verdicts must be the same on every machine.
fn configurations(session: &Session) -> &(Vec<ConfiguredServer>, Catalog) {
    session.configurations.get_or_init(|| {
        let servers = read_configurations();
        let entries = servers.iter().cloned().filter_map(configured).collect();
        (servers, Catalog::builtin().with_rules(&session.policy.servers).with_configured(entries))
    })
}

/// Reads the servers in the clients' configuration files, and warns of files that could not be read.
fn read_configurations() -> Vec<ConfiguredServer> {
    let Some(places) = Places::from_env() else { return Vec::new() };
    let began = Instant::now();
    let found = clients::read(&places);
    verbose::configured(found.servers.len(), began.elapsed());
    warn(&found);
    found.servers
}

/// Warns of configurations of clients that could not be read.
pub(super) fn warn(found: &Findings) {
    for warning in &found.warnings {
        tracing::warn!("{}", clean(&warning.to_string()));
    }
}

/// Reads a table, which will be judged by the configurations in any case. Returns it with their servers.
pub(super) fn take_by_configurations(
    session: &Session,
) -> anyhow::Result<(Snapshot, Scout<'_>, &[ConfiguredServer])> {
    let (servers, catalog) = configurations(session);
    Ok((take(session)?.0, Scout::new(catalog), servers))
}

fn configured(server: ConfiguredServer) -> Option<Configured> {
    let Transport::Stdio { argv } = server.transport else { return None };
    let cwd = match server.scope {
        Scope::Local { project } | Scope::Project { project } => Some(project),
        Scope::Extension { folder } => Some(folder),
        Scope::User | Scope::Managed | Scope::Plugin { .. } => None,
    };
    let cwd = cwd.map(|folder| folder.to_string_lossy().into_owned());
    Some(Configured { client: server.client, entry: server.entry, argv, cwd })
}

/// The conversation of each running client that has a server whose environment does not name it. This is never used for
/// a recorded table, whose output must be the same on every machine.
fn conversations(judgement: &Judgement<'_>, tree: &Tree<'_>) -> HashMap<Pid, String> {
    let unnamed = judgement.findings.iter().filter(|finding| finding.conversation.is_none());
    let mut clients: Vec<Pid> =
        unnamed.filter_map(|finding| finding.client.as_ref()).map(|client| client.pid).collect();
    clients.sort_unstable();
    clients.dedup();
    let Some(places) = Places::from_env().filter(|_| !clients.is_empty()) else { return HashMap::new() };
    let records = clients.into_iter().filter_map(|pid| tree.get(pid));
    records.filter_map(|record| Some((record.pid(), clients::conversation(&places, record)?))).collect()
}

/// All running containers, if the person asked for them. The engines are queried before the processes are read. So a
/// client that starts meanwhile is seen, and its container is not reported.
pub(super) fn containers(asked: bool) -> Option<Containers> {
    asked.then(crate::services::containers)
}
