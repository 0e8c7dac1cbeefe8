//! A plan in words, and a person's yes to it: the question, and what is printed where there is nobody to ask.

use super::Session;
use super::output::{answer, can_ask, confirm, notice};
use crate::classify::Verdict;
use crate::exit::Exit;
use crate::plan::{Plan, Target};
use crate::render::{Scene, json, next, table};

/// Shows the plan and asks; returns how to end where there is no yes to it. Only a person's yes ends anything: where
/// nobody can be asked, the plan and what to do is all there is.
pub(super) fn unless_yes(session: &Session, scene: &Scene<'_>) -> anyhow::Result<Option<Exit>> {
    let plan = scene.plan;
    if plan.targets.is_empty() {
        show(session, scene)?;
        // There is nothing to say yes to, here or at a terminal; what was chosen stays.
        return Ok(Some(Exit::fine_if(plan.ends_all_chosen())));
    }
    if !can_ask() {
        show(session, scene)?;
        notice(
            "nothing was ended: there is no terminal to ask on; the same with --yes ends them without asking",
        );
        return Ok(Some(Exit::Refused));
    }
    notice(table::plan(scene, session.screen).trim_end());
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

/// The question names what the person would lose.
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
    for line in next::steps(scene, &session.policy, &session.source()) {
        notice(&line);
    }
}
