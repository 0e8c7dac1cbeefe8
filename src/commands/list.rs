//! `mcp-reap list`: every instance, the worst on top.

use super::{Session, answer, look};
use crate::exit::Exit;
use crate::render::{Scene, json, table};

pub(super) fn run(session: &Session, tree: bool) -> anyhow::Result<Exit> {
    let seen = look::look(session)?;
    let (judgement, plan) = look::judge(session, &seen);
    let scene = Scene { snapshot: &seen.snapshot, judgement: &judgement, plan: &plan, results: None };
    if session.json {
        answer(&json::report(&scene))?;
    } else {
        answer(&table::list(&scene, session.look, tree))?;
        if !session.quiet {
            super::say(&table::summary(&scene));
        }
    }
    Ok(Exit::Fine)
}
