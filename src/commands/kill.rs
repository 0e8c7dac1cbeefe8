//! `mcp-reap kill PID|NAME...`: ends what a person chose.

use std::collections::HashSet;

use anyhow::{Context as _, bail};

use super::look::Seen;
use super::reap::{self, Wish};
use super::{Session, look, someone_is_there};
use crate::classify::{Finding, Judgement};
use crate::cli::{Cli, KillArgs};
use crate::exit::Exit;
use crate::pattern::Pattern;
use crate::plan::Choice;
use crate::process::{Pid, ProcessId};
use crate::render::clean::clean;

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

/// The roots of the instances that a word means: the one that a process belongs to, or all of a server.
fn chosen(word: &str, seen: &Seen<'_>, judgement: &Judgement<'_>) -> anyhow::Result<Vec<ProcessId>> {
    let root = |finding: &Finding<'_>| finding.instance.root.id;
    if let Ok(pid) = word.parse::<u32>().map(Pid) {
        let found = judgement.findings.iter().find(|finding| finding.instance.contains(pid));
        if let Some(finding) = found {
            return Ok(vec![root(finding)]);
        }
        if seen.snapshot.processes.iter().any(|record| record.pid() == pid) {
            bail!(
                "{pid} is no MCP server, and nothing else is ended: `mcp-reap explain {pid}` says what it is"
            );
        }
        bail!("there is no process {pid}; `mcp-reap list` shows the instances");
    }
    let pattern = Pattern::parse(word).with_context(|| format!("{} is no pattern", clean(word)))?;
    let is = |server: &str| server == word || pattern.matches(server);
    let found: Vec<_> = judgement.findings.iter().filter(|f| is(&f.instance.server)).map(root).collect();
    if found.is_empty() {
        bail!(
            "no instance of a server named {} is running; `mcp-reap list` shows the instances",
            clean(word)
        );
    }
    Ok(found)
}
