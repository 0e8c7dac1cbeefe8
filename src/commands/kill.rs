//! `mcp-reap kill PID|NAME...`: ends what a person chose.

use std::collections::HashSet;

use anyhow::Context as _;

use super::look::JudgedLook;
use super::output::can_ask;
use super::reap::{self, RunRequest};
use super::{Session, explain, look};
use crate::cli::{Cli, KillArgs, Named};
use crate::exit::Exit;
use crate::plan::Choice;
use crate::process::{ProcessId, ProcessRecord};
use crate::render::next::TableSource;

pub(super) fn run(session: &Session, cli: &Cli, args: &KillArgs) -> anyhow::Result<Exit> {
    let yes = cli.yes || args.yes;
    let dry_run = cli.dry_run || args.dry_run;
    let (snapshot, scout) = look::take_exactly(session)?;
    let judged = look::judge(session, &snapshot, scout);
    let mut roots = HashSet::new();
    for target in &args.targets {
        roots.extend(chosen(target, &judged, &session.source())?);
    }
    // A person is shown what is in use before the question. A script has to pass --in-use.
    let asked = !yes && !dry_run && can_ask();
    let choice = Choice::Chosen { roots, in_use: args.in_use || asked };
    if dry_run {
        return reap::dry_run(session, &choice);
    }
    reap::run(session, &RunRequest { choice, yes, wait: cli.wait || args.wait, by: cli.started_by })
}

/// The roots of the instances that an argument names.
fn chosen(target: &Named, judged: &JudgedLook<'_>, source: &TableSource) -> anyhow::Result<Vec<ProcessId>> {
    let records = explain::named(target, judged, source)?;
    let root = |record: &ProcessRecord| {
        let pid = record.pid();
        let found = judged.judgement.findings.iter().find(|finding| finding.instance.contains(pid));
        found.map(|finding| finding.instance.root.id).with_context(|| {
            let explain = source.and_call(&format!("explain {pid}"), "says what it is");
            format!("{pid} is no MCP server, and nothing else is ended{explain}")
        })
    };
    records.into_iter().map(root).collect()
}
