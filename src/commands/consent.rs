//! Shows a plan and asks the person for a yes to it.

use super::Session;
use super::output::{answer, can_ask, confirm, notice, notice_in_color};
use crate::classify::Verdict;
use crate::exit::Exit;
use crate::plan::{Plan, Target};
use crate::render::{Scene, json, next, table};

/// Shows the plan and asks. Returns `None` after a yes, otherwise the exit code. If no person can be asked, it prints
/// the plan and what to do instead.
pub(super) fn unless_yes(session: &Session, scene: &Scene<'_>) -> anyhow::Result<Option<Exit>> {
    let plan = scene.plan;
    if plan.targets.is_empty() {
        show(session, scene)?;
        // No instance would be ended, so nothing is asked. If instances were chosen, they stay.
        return Ok(Some(Exit::fine_if(plan.ends_all_chosen())));
    }
    if !can_ask() {
        show(session, scene)?;
        notice(
            "nothing was ended: there is no terminal to ask on; the same with --yes ends them without asking",
        );
        return Ok(Some(Exit::Refused));
    }
    notice_in_color(table::plan(scene, session.screen).trim_end());
    notice_summary(session, scene);
    if !confirm(&question(plan))? {
        notice("nothing was ended");
        if session.json {
            show(session, scene)?;
        }
        return Ok(Some(Exit::Fine));
    }
    Ok(None)
}

/// The question. It says how many of the instances are in use.
fn question(plan: &Plan) -> String {
    let used = |target: &&Target| matches!(target.verdict, Verdict::InUse | Verdict::Undetermined);
    match plan.targets.iter().filter(used).count() {
        0 => "End them?".to_owned(),
        n => {
            let are = if n == 1 { "is" } else { "are" };
            format!("{n} of them {are} in use, or may be: its client loses its tools. End them?")
        }
    }
}

/// Prints the plan on stdout, and a summary with next steps on stderr.
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
    for line in next::steps(scene, &session.policy, &session.source()) {
        notice(&line);
    }
}
