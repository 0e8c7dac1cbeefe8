//! `mcp-reap check`: is anything wrong? By exit code, and in one line.

use super::{Session, answer, look};
use crate::exit::Exit;
use crate::render::{Scene, json, table};

pub(super) fn run(session: &Session) -> anyhow::Result<Exit> {
    let seen = look::look(session)?;
    let (judgement, plan) = look::judge(session, &seen);
    let scene = Scene { snapshot: &seen.snapshot, judgement: &judgement, plan: &plan, results: None };
    let orphaned_clients = judgement.clients.iter().filter(|client| client.orphaned).count();
    let healthy = plan.targets.is_empty() && orphaned_clients == 0;
    if session.json {
        answer(&json::report(&scene))?;
    } else if !session.quiet || !healthy {
        let state = if healthy { "healthy" } else { "not healthy" };
        let clients = match orphaned_clients {
            0 => String::new(),
            n => format!("; {}", table::count(n, "orphaned client")),
        };
        answer(&format!("{state}: {}{clients}", table::summary(&scene)))?;
    }
    Ok(if healthy { Exit::Fine } else { Exit::NotFine })
}
