//! One look at the machine, or at a recorded table.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::Context as _;

use super::{Session, verbose};
use crate::catalog::{Catalog, Configured};
use crate::classify::{self, Judgement, Scout};
use crate::clients::{self, ConfiguredServer, Places, Scope, Transport};
use crate::containers::Abandoned;
use crate::plan::{Choice, Plan};
use crate::process::{Pid, ProcessRecord, Snapshot};
use crate::render::clean::clean;
use crate::roles::Roles;
use crate::tree::Tree;

/// What one look saw, with everything that could be read of what matters.
pub(super) struct Seen<'s> {
    pub(super) snapshot: Snapshot,
    /// What each process is, by this catalog.
    pub(super) roles: Roles,
    pub(super) catalog: &'s Catalog,
}

/// Looks at this machine, or at the recorded table.
pub(super) fn look(session: &Session) -> anyhow::Result<Seen<'_>> {
    if let Some(path) = &session.snapshot {
        let snapshot = crate::sys::recorded::read(path)?;
        return Ok(Seen::new(snapshot, &session.catalog));
    }
    let mut catalog = &session.catalog;
    let mut scout = Scout::new(catalog);
    let mut configured = false;
    let mut interest = |table: &Snapshot| {
        let interest = scout.interest(table);
        if configured || !scout.has_candidates(table) {
            return interest;
        }
        // Names and verdicts shall not depend on which other processes there are, so the configurations are read as
        // soon as there is anything to judge; and what only they tell is looked at as closely as the rest.
        configured = true;
        catalog = with_configurations(session);
        scout = Scout::new(catalog);
        scout.interest(table)
    };
    let began = Instant::now();
    let mut snapshot = crate::sys::snapshot(&mut interest).context("failed to read the process table")?;
    let table = began.elapsed();
    let closely: Vec<Pid> = snapshot
        .processes
        .iter()
        .filter(|record| record.details.cgroup.is_some() || record.details.stdio.is_some())
        .map(ProcessRecord::pid)
        .collect();
    let began = Instant::now();
    crate::services::fill(&mut snapshot, &closely);
    verbose::looked(&snapshot, closely.len(), table, began.elapsed());
    Ok(Seen { roles: scout.into_roles(&snapshot), snapshot, catalog })
}

impl<'s> Seen<'s> {
    fn new(snapshot: Snapshot, catalog: &'s Catalog) -> Seen<'s> {
        let roles = Roles::assign(&snapshot, &Tree::new(&snapshot), catalog);
        Seen { snapshot, roles, catalog }
    }
}

/// The catalog with the person's own client configurations. They are read only when there is anything to judge (reading
/// them takes milliseconds), and never for a recorded table, which must mean the same on every machine.
fn with_configurations(session: &Session) -> &Catalog {
    session.with_configurations.get_or_init(|| knowing(session, &configurations()))
}

fn knowing(session: &Session, servers: &[ConfiguredServer]) -> Catalog {
    let entries = servers.iter().cloned().filter_map(configured).collect();
    Catalog::builtin().with_rules(&session.policy.servers).with_configured(entries)
}

/// What the person's clients are configured to start. What could not be read is a warning.
fn configurations() -> Vec<ConfiguredServer> {
    let Some(places) = Places::from_env() else { return Vec::new() };
    let found = clients::read(&places);
    for warning in &found.warnings {
        tracing::warn!("{}", clean(&warning.to_string()));
    }
    found.servers
}

/// A look that is judged by the configurations in any case, and what they say.
pub(super) fn by_configurations(session: &Session) -> anyhow::Result<(Seen<'_>, Vec<ConfiguredServer>)> {
    let servers = configurations();
    let seen = look(session)?;
    let catalog = session.with_configurations.get_or_init(|| knowing(session, &servers));
    Ok((Seen::new(seen.snapshot, catalog), servers))
}

fn configured(server: ConfiguredServer) -> Option<Configured> {
    match server.transport {
        Transport::Stdio { argv } => {
            let cwd = match server.scope {
                Scope::Local { project } | Scope::Project { project } => Some(project),
                Scope::Extension { folder } => Some(folder),
                Scope::User | Scope::Managed | Scope::Plugin { .. } => None,
            };
            let cwd = cwd.map(|folder| folder.to_string_lossy().into_owned());
            Some(Configured { client: server.client, entry: server.entry, argv, cwd })
        }
        Transport::Remote { .. } => None,
    }
}

/// What follows from a look.
pub(super) fn judge<'a>(session: &Session, seen: &'a Seen<'_>) -> (Judgement<'a>, Plan) {
    let mut judgement = classify::judge_as(&seen.snapshot, &seen.roles, seen.catalog, &session.policy);
    if session.snapshot.is_none() {
        let of_clients = conversations(&judgement, &seen.snapshot);
        classify::name_conversations(&mut judgement.findings, &of_clients);
    }
    let plan = Plan::new(&judgement, &seen.snapshot, &session.policy);
    verbose::tell(seen, &judgement, &plan);
    (judgement, plan)
}

/// The same with the plan of a choice.
pub(super) fn judge_for<'a>(session: &Session, seen: &'a Seen<'_>, choice: &Choice) -> (Judgement<'a>, Plan) {
    let (judgement, plan) = judge(session, seen);
    let plan = match choice {
        Choice::Unused => plan,
        Choice::These { .. } => Plan::of(&judgement, &seen.snapshot, &session.policy, choice),
    };
    (judgement, plan)
}

/// What the running clients say of their conversations, where the servers' environments do not. Never of a recorded
/// table, which must mean the same on every machine.
fn conversations(judgement: &Judgement<'_>, snapshot: &Snapshot) -> HashMap<Pid, String> {
    let unnamed = judgement.findings.iter().filter(|finding| finding.conversation.is_none());
    let mut clients: Vec<Pid> =
        unnamed.filter_map(|finding| finding.client.as_ref()).map(|client| client.pid).collect();
    clients.sort_unstable();
    clients.dedup();
    let Some(places) = Places::from_env().filter(|_| !clients.is_empty()) else { return HashMap::new() };
    let records = snapshot.processes.iter().filter(|record| clients.binary_search(&record.pid()).is_ok());
    records.filter_map(|record| Some((record.pid(), clients::conversation(&places, record)?))).collect()
}

/// Containers of MCP images without a client, where the person asked for them. The engines are asked before the
/// processes are looked at: a client that starts meanwhile is seen, and its container is not told.
pub(super) fn containers(asked: bool) -> Option<crate::services::Answer> {
    asked.then(crate::services::containers)
}

/// Those of them that nobody uses.
pub(super) fn abandoned(answer: crate::services::Answer, seen: &Seen<'_>) -> Abandoned {
    let crate::services::Answer { containers, troubles } = answer;
    let lost = crate::containers::without_client(&containers, &seen.snapshot, seen.catalog);
    Abandoned { containers: lost.into_iter().cloned().collect(), troubles }
}
