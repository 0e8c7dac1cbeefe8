//! The output of `check` for people, scripts, Nagios and Prometheus.

pub mod nagios;
pub mod prometheus;

use std::collections::BTreeMap;

use serde_json::json;

use super::Scene;
use super::clean::clean;
use super::figures::count;
use super::grid::paragraph;
use super::hints;
use super::json::Report;
use super::style::{self, Screen};
use super::table;
use crate::health::{Health, Problem};
use crate::process::SCHEMA;
use crate::units::show_size;

/// One line for the state, and one for each problem.
pub fn text(scene: &Scene<'_>, health: &Health, screen: Screen) -> String {
    let (state, style) =
        if health.is_fine() { ("healthy", style::GOOD) } else { ("not healthy", style::BAD) };
    let mut text = format!("{}: {}\n", screen.paint(style, state), headline(scene, health));
    for problem in &health.problems {
        text += &paragraph("  ", &sentence(problem), screen.width);
    }
    for hint in hints::copies(scene) {
        text += &paragraph("  hint: ", &hint, screen.width);
    }
    text.pop();
    text
}

/// The state in numbers.
fn headline(scene: &Scene<'_>, health: &Health) -> String {
    let mut text = table::summary(scene, None);
    if health.orphaned_clients > 0 {
        text.push_str(&format!("; {}", count(health.orphaned_clients, "orphaned client")));
    }
    let zombies = scene.judgement.related_zombies().count();
    if zombies > 0 {
        text.push_str(&format!("; {}", count(zombies, "zombie")));
    }
    text
}

/// One problem in words. Text of other programs in it is cleaned.
pub(crate) fn sentence(problem: &Problem) -> String {
    let text = match problem {
        Problem::Orphan { server, root, verdict, reason, rss }
        | Problem::Limit { server, root, verdict, reason, rss } => {
            format!("{server} ({root}) is {verdict}: {reason}; {}", show_size(*rss))
        }
        Problem::OrphanedClient { pid, name } => {
            format!("the client {name} ({pid}) is orphaned: nobody can talk to it any more")
        }
        Problem::Container { engine, image, name } => {
            format!("the {engine} container {name} of {image} has no client; `{engine} stop {name}` ends it")
        }
        Problem::Missing { name, running, min } => {
            format!("{name} should run: {running} of at least {min}")
        }
        Problem::TooMany { name, running, max } => {
            format!("{name} runs too often: {running}, at most {max} expected")
        }
    };
    clean(&text)
}

/// One JSON object: the state, the problems, the numbers, and under `report` the output of `list --json`.
pub fn json(scene: &Scene<'_>, health: &Health) -> String {
    let findings = &scene.judgement.findings;
    let mut by_verdict: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in findings {
        *by_verdict.entry(finding.verdict.as_str()).or_default() += 1;
    }
    let answer = json!({
        "schema": SCHEMA,
        "healthy": health.is_fine(),
        "findings": health.problems,
        "summary": {
            "instances": findings.len(),
            "by_verdict": by_verdict,
            "rss": findings.iter().fold(0u64, |sum, finding| sum.saturating_add(finding.rss)),
            "orphans": health.orphans,
            "orphans_rss": health.orphans_rss,
            "over_limits": health.over_limits,
            "orphaned_clients": health.orphaned_clients,
            "zombies": scene.judgement.zombies.len(),
        },
        "report": Report::new(scene),
    });
    answer.to_string()
}
