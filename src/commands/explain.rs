//! `mcp-reap explain PID`: all evidence for and against one process.

use anyhow::Context as _;

use super::output::answer;
use super::{Session, look};
use crate::exit::Exit;
use crate::process::Pid;
use crate::render::{explain, json};

pub(super) fn run(session: &Session, pid: u32) -> anyhow::Result<Exit> {
    let pid = Pid(pid);
    let (snapshot, scout) = look::take(session)?;
    let judged = look::judge(session, &snapshot, scout);
    let scene = judged.scene();
    let look = &judged.look;
    let record = look.tree.get(pid).with_context(|| format!("there is no process {pid}"))?;
    let finding = judged.judgement.findings.iter().find(|finding| finding.instance.contains(pid));
    if session.json {
        answer(&json::explanation(&scene, record, finding))?;
    } else if let Some(finding) = finding {
        answer(&explain::instance(&scene, finding, pid, session.screen))?;
    } else {
        let runs = look.resolution(record);
        let known = look.roles.get(pid);
        answer(&explain::stranger(&scene, record, known, runs.name(), session.screen))?;
    }
    Ok(Exit::Fine)
}
