//! `mcp-reap explain PID`: all evidence for and against one process.

use anyhow::Context as _;

use super::{Session, answer, look};
use crate::exit::Exit;
use crate::process::Pid;
use crate::render::{Scene, explain, json};
use crate::tree::Tree;

pub(super) fn run(session: &Session, pid: u32) -> anyhow::Result<Exit> {
    let pid = Pid(pid);
    let seen = look::look(session)?;
    let (judgement, plan) = look::judge(session, &seen);
    let scene = Scene { snapshot: &seen.snapshot, judgement: &judgement, plan: &plan, results: None };
    let tree = Tree::new(&seen.snapshot);
    let record = tree.get(pid).with_context(|| format!("there is no process {pid}"))?;
    let finding = judgement.findings.iter().find(|finding| finding.instance.contains(pid));
    if session.json {
        answer(&json::explanation(&scene, record, finding))?;
    } else if let Some(finding) = finding {
        answer(&explain::instance(&scene, finding, pid, session.look))?;
    } else {
        let program = seen.catalog.program(record);
        let known = seen.roles.get(pid);
        answer(&explain::stranger(&scene, record, known, program.as_deref(), session.look))?;
    }
    Ok(Exit::Fine)
}
