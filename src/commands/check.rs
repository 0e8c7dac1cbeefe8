//! `mcp-reap check`: is anything wrong? By exit code, in one line, and in the forms of others.

use super::{Session, answer, log, look, say};
use crate::cli::{CheckArgs, Format};
use crate::exit::Exit;
use crate::health::Health;
use crate::render::check::{self, nagios, prometheus};
use crate::render::clean::clean;
use crate::render::{Scene, log::Run};

pub(super) fn run(session: &Session, args: &CheckArgs) -> anyhow::Result<Exit> {
    let containers = look::containers(args.containers);
    let seen = look::look(session)?;
    let (judgement, plan) = look::judge(session, &seen);
    let containers = containers.map(|answer| look::abandoned(answer, &seen));
    let scene = Scene { containers: containers.as_ref(), ..Scene::new(&seen.snapshot, &judgement, &plan) };
    let mut health = Health::of(&judgement, &plan, &session.policy, args.max_orphans);
    if let Some(found) = &containers {
        health.add_containers(&found.containers);
        for trouble in &found.troubles {
            say(&clean(trouble));
        }
    }
    match args.format {
        Format::Nagios => {
            answer(&nagios::text(&scene, &health, args.max_orphans))?;
            return Ok(Exit::Plugin(nagios::State::of(&health) as u8));
        }
        Format::Prometheus => answer(&prometheus::text(&scene, &health, last_run(session)?.as_ref()))?,
        Format::Json => answer(&check::json(&scene, &health))?,
        Format::Text if session.json => answer(&check::json(&scene, &health))?,
        Format::Text if session.quiet && health.is_fine() => {}
        Format::Text => answer(&check::text(&scene, &health, session.look))?,
    }
    Ok(if health.is_fine() { Exit::Fine } else { Exit::NotFine })
}

/// Says in the form that was asked for that nothing could be told, where that form has a word for it.
pub(super) fn could_not_tell(args: &CheckArgs, error: anyhow::Error) -> anyhow::Result<Exit> {
    if args.format != Format::Nagios {
        return Err(error);
    }
    // The first line is the plugin's answer; a picture of the mistake would follow.
    let why = super::told(&error);
    answer(&nagios::unknown(why.lines().next().unwrap_or_default()))?;
    Ok(Exit::Plugin(nagios::State::Unknown as u8))
}

/// The same for a command line that cannot be read.
pub(super) fn misspelt(mistake: &clap::Error) -> Exit {
    let text = mistake.to_string();
    let why = text.lines().next().unwrap_or_default();
    // A plugin whose stdout is gone has nobody to tell.
    let _ = answer(&nagios::unknown(why.strip_prefix("error: ").unwrap_or(why)));
    Exit::Plugin(nagios::State::Unknown as u8)
}

/// The last run on this machine that came to its end; a recorded table has none.
fn last_run(session: &Session) -> anyhow::Result<Option<Run>> {
    if session.snapshot.is_some() {
        return Ok(None);
    }
    let (runs, _) = log::runs(&crate::config::state_dir()?, None)?;
    Ok(runs.into_iter().rev().find(|run| run.finished))
}
