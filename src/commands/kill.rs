//! `mcp-reap kill PID|NAME...`: ends what a person chose.

use std::collections::HashSet;

use anyhow::Context as _;

use super::look::Seen;
use super::reap::{self, Wish};
use super::{Session, explain, look, someone_is_there};
use crate::classify::Judgement;
use crate::cli::{Cli, KillArgs, Named};
use crate::exit::Exit;
use crate::plan::Choice;
use crate::process::{ProcessId, ProcessRecord};
use crate::tree::Tree;

pub(super) fn run(session: &Session, cli: &Cli, args: &KillArgs) -> anyhow::Result<Exit> {
    let yes = cli.yes || args.yes;
    let dry_run = cli.dry_run || args.dry_run;
    let seen = look::look(session)?;
    let (judgement, _) = look::judge(session, &seen);
    let mut roots = HashSet::new();
    for target in &args.targets {
        roots.extend(chosen(target, &seen, &judgement)?);
    }
    // A person who is asked sees what is in use before the yes; nobody else has said so without --in-use.
    let asked = !yes && !dry_run && someone_is_there();
    let choice = Choice::These { roots, in_use: args.in_use || asked };
    if dry_run {
        return reap::dry_run_of(session, &choice);
    }
    reap::carry_out(session, &Wish { choice, yes, wait: cli.wait || args.wait, by: cli.started_by.into() })
}

/// The roots of the instances that a word means.
fn chosen(target: &Named, seen: &Seen<'_>, judgement: &Judgement<'_>) -> anyhow::Result<Vec<ProcessId>> {
    let records = explain::named(target, seen, judgement, &Tree::new(&seen.snapshot))?;
    let root = |record: &ProcessRecord| {
        let pid = record.pid();
        let found = judgement.findings.iter().find(|finding| finding.instance.contains(pid));
        found.map(|finding| finding.instance.root.id).with_context(|| {
            format!(
                "{pid} is no MCP server, and nothing else is ended: `mcp-reap explain {pid}` says what it is"
            )
        })
    };
    records.into_iter().map(root).collect()
}
