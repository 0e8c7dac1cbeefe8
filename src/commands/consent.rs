//! A person's yes: what is shown before it, what is asked, and what is said where nobody can be asked.

use super::Session;
use super::look::Judged;
use super::output::{answer, can_ask, confirm, notice};
use crate::classify::{self, Verdict};
use crate::exit::Exit;
use crate::plan::{Choice, Plan, Target};
use crate::policy::AllowRule;
use crate::render::clean::clean;
use crate::render::{Scene, json, next, table};

/// The plan on stdout, and below it in words what it is, what stays and what can be done about that.
pub(super) fn show(session: &Session, scene: &Scene<'_>) -> anyhow::Result<()> {
    if session.json {
        return answer(&json::report(scene));
    }
    answer(&table::plan(scene, session.screen))?;
    if !session.quiet {
        say_summary(session, scene);
    }
    Ok(())
}

pub(super) fn say_summary(session: &Session, scene: &Scene<'_>) {
    notice(&table::summary_of(scene, session.memory()));
    say_next(session, scene);
}

pub(super) fn say_next(session: &Session, scene: &Scene<'_>) {
    for line in next::steps(scene, &session.policy) {
        notice(&line);
    }
}

/// Shows the plan and asks; says how to end where there is no yes to it. Only a person's yes ends anything: where nobody
/// can be asked, the plan and what to do is all there is.
pub(super) fn unless_yes(session: &Session, scene: &Scene<'_>) -> anyhow::Result<Option<Exit>> {
    let plan = scene.plan;
    if plan.targets.is_empty() {
        show(session, scene)?;
        let chosen = plan.choice != Choice::Unused;
        return Ok(Some(if chosen { Exit::Refused } else { Exit::Fine }));
    }
    if !can_ask() {
        show(session, scene)?;
        notice(
            "nothing was ended: there is no terminal to ask on; the same with --yes ends them without asking",
        );
        return Ok(Some(Exit::Refused));
    }
    notice(table::plan(scene, session.screen).trim_end());
    say_summary(session, scene);
    if !confirm(&question(plan))? {
        notice("nothing was ended");
        return if session.json {
            show(session, scene).map(|()| Some(Exit::Fine))
        } else {
            Ok(Some(Exit::Fine))
        };
    }
    Ok(None)
}

/// What is asked names what somebody would lose.
fn question(plan: &Plan) -> String {
    let used = |target: &&Target| matches!(target.verdict, Verdict::InUse | Verdict::Undetermined);
    match plan.targets.iter().filter(used).count() {
        0 => "End them?".to_owned(),
        n => format!("{} in use, or may be: its client loses its tools. End them?", are(n)),
    }
}

fn are(n: usize) -> String {
    if n == 1 { "1 of them is".to_owned() } else { format!("{n} of them are") }
}

/// An allow pattern that matches nothing protects nothing: mostly a slip.
pub(super) fn say_idle_rules(session: &Session, judged: &Judged<'_>) {
    let idle = classify::idle_rules(&judged.judgement.instances(), &judged.look, &session.policy.allow);
    for text in &session.allow {
        // Each pattern is two rules: of the name, and of the command.
        let is = |rule: &&&AllowRule| {
            let patterns = [&rule.name, &rule.command].into_iter().flatten();
            rule.origin == "--allow" && patterns.map(ToString::to_string).any(|pattern| pattern == *text)
        };
        if idle.iter().filter(is).count() == 2 {
            notice(&format!("--allow {}: no server that runs has such a name or command", clean(text)));
        }
    }
}
