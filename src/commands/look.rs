//! One look at the machine, or at a recorded table.

use anyhow::Context as _;

use super::Session;
use crate::classify::{self, Judgement};
use crate::plan::Plan;
use crate::process::Snapshot;

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

/// What follows from a look.
pub(super) fn judge<'a>(session: &Session, snapshot: &'a Snapshot) -> (Judgement<'a>, Plan) {
    let judgement = classify::judge(snapshot, &session.catalog, &session.policy);
    let plan = Plan::new(&judgement, snapshot, &session.policy);
    (judgement, plan)
}
