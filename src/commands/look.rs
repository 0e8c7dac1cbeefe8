//! One look at the machine, or at a recorded table.

use anyhow::Context as _;

use super::Session;
use crate::catalog::{Catalog, Configured};
use crate::classify::{self, Judgement};
use crate::clients::{self, ConfiguredServer, Places, Transport};
use crate::plan::Plan;
use crate::process::Snapshot;
use crate::render::clean::clean;

/// What one look saw, with everything that could be read of what matters.
pub(super) fn snapshot(session: &Session) -> anyhow::Result<Snapshot> {
    if let Some(path) = &session.snapshot {
        return Ok(crate::sys::recorded::read(path)?);
    }
    let mut snapshot = crate::sys::snapshot(|cheap| classify::worth_a_closer_look(cheap, &session.catalog))
        .context("failed to read the process table")?;
    let closer = classify::worth_a_closer_look(&snapshot, &session.catalog);
    crate::services::fill(&mut snapshot, &closer);
    Ok(snapshot)
}

/// The catalog that a look is judged by. The person's own client configurations are read only when
/// something on this machine can be known by nothing else: reading them takes milliseconds, and a
/// recorded table must mean the same on every machine.
pub(super) fn catalog<'s>(session: &'s Session, snapshot: &Snapshot) -> &'s Catalog {
    if session.snapshot.is_some() || !classify::asks_for_configurations(snapshot, &session.catalog) {
        return &session.catalog;
    }
    session.with_configurations.get_or_init(|| {
        let catalog = Catalog::builtin().with_rules(&session.policy.servers);
        let Some(places) = Places::from_env() else { return catalog };
        let found = clients::read(&places);
        for warning in &found.warnings {
            tracing::warn!("{}", clean(&warning.to_string()));
        }
        catalog.with_configured(found.servers.into_iter().filter_map(configured).collect())
    })
}

fn configured(server: ConfiguredServer) -> Option<Configured> {
    match server.transport {
        Transport::Stdio { argv } => Some(Configured { client: server.client, entry: server.entry, argv }),
        Transport::Remote { .. } => None,
    }
}

/// What follows from a look.
pub(super) fn judge<'a>(session: &Session, snapshot: &'a Snapshot) -> (Judgement<'a>, Plan) {
    let judgement = classify::judge(snapshot, catalog(session, snapshot), &session.policy);
    let plan = Plan::new(&judgement, snapshot, &session.policy);
    (judgement, plan)
}
