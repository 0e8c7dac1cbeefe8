//! A plan in words: the table, what it comes to, and what comes next.

use super::Session;
use super::output::{answer, notice};
use crate::render::{Scene, json, next, table};

/// The plan on stdout, and below it in words what it is, what stays and what can be done about that.
pub(super) fn show(session: &Session, scene: &Scene<'_>) -> anyhow::Result<()> {
    if session.json {
        return answer(&json::report(scene));
    }
    answer(&table::plan(scene, session.screen))?;
    if !session.quiet {
        notice_summary(session, scene);
    }
    Ok(())
}

pub(super) fn notice_summary(session: &Session, scene: &Scene<'_>) {
    notice(&table::summary(scene, session.memory()));
    notice_next(session, scene);
}

pub(super) fn notice_next(session: &Session, scene: &Scene<'_>) {
    for line in next::steps(scene, &session.policy) {
        notice(&line);
    }
}
