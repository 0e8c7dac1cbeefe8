//! `mcp-reap check`: is anything wrong? The answer is an exit code and one line, or output for a monitoring system.

use super::output::{answer, answer_in_words};
use super::{Session, look};
use crate::audit::history;
use crate::cli::{CheckArgs, Format};
use crate::exit::Exit;
use crate::health::Health;
use crate::history::Run;
use crate::render::Scene;
use crate::render::check::{self, nagios, prometheus};

pub(super) fn run(session: &Session, args: &CheckArgs) -> anyhow::Result<Exit> {
    let containers = look::containers(args.containers);
    let (snapshot, scout) = look::take(session)?;
    let judged = look::judge(session, &snapshot, scout);
    let containers = containers.map(|answer| judged.abandoned(answer));
    let scene = Scene { containers: containers.as_ref(), ..judged.scene() };
    let mut health = Health::of(&judged.judgement, &judged.plan, &session.policy, args.max_orphans);
    if let Some(found) = &containers {
        health.add_containers(&found.containers);
    }
    match args.format {
        Format::Nagios => {
            answer(&nagios::text(&scene, &health, args.max_orphans))?;
            return Ok(Exit::Plugin(nagios::PluginState::of(&health) as u8));
        }
        Format::Prometheus => answer(&prometheus::text(&scene, &health, last_run(session)?.as_ref()))?,
        Format::Json => answer(&check::json(&scene, &health))?,
        Format::Text if session.json => answer(&check::json(&scene, &health))?,
        Format::Text if session.quiet && health.is_fine() => {}
        Format::Text => answer_in_words(&check::text(&scene, &health, session.screen), session.screen)?,
    }
    Ok(Exit::fine_if(health.is_fine()))
}

/// Prints the answer of a monitoring plugin that found nothing out: one line with the first line of the message, and
/// UNKNOWN.
pub(super) fn unknown(message: &str) -> Exit {
    // If stdout is closed, there is nowhere to print to.
    let _ = answer(&nagios::unknown(message.lines().next().unwrap_or_default()));
    Exit::Plugin(nagios::PluginState::Unknown as u8)
}

/// The answer to a command line that cannot be parsed.
pub(super) fn misspelt(mistake: &clap::Error) -> Exit {
    let text = mistake.to_string();
    unknown(text.strip_prefix("error: ").unwrap_or(&text))
}

/// The last finished run on this machine; `None` for a recorded table.
fn last_run(session: &Session) -> anyhow::Result<Option<Run>> {
    if session.snapshot.is_some() {
        return Ok(None);
    }
    let (runs, _) = history::runs(&crate::config::state_dir()?, None)?;
    Ok(runs.into_iter().rev().find(|run| run.finished))
}
