//! What comes next: after every outcome, what a person can do about what is left.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Scene;
use super::clean::clean;
use super::figures::count;
use crate::classify::Verdict;
use crate::plan::{Choice, Why, Withheld};
use crate::policy::Policy;
use crate::units::show_duration;

/// One line for each kind of thing that is left, with what it means and what to do.
pub(crate) fn steps(scene: &Scene<'_>, policy: &Policy) -> Vec<String> {
    let mut lines: Vec<String> = young(scene, policy).into_iter().collect();
    let mut by_reason: BTreeMap<&str, Vec<&Withheld>> = BTreeMap::new();
    for one in scene.plan.withheld.iter().filter(|one| !matches!(one.why, Why::TooYoung | Why::Left)) {
        by_reason.entry(one.why.as_str()).or_default().push(one);
    }
    lines.extend(by_reason.values().map(|some| left_alone(some)));
    if scene.plan.choice != Choice::Unused {
        return lines;
    }
    let left = |verdict| {
        let mut findings = scene.left_by(verdict).peekable();
        let first = findings.peek()?.instance.root.pid();
        Some((first, findings.count()))
    };
    if let Some((pid, n)) = left(Verdict::Detached) {
        lines.push(format!("{n} detached: `mcp-reap explain {pid}`, or --detached to end {}", it_or_them(n)));
    }
    if let Some((pid, n)) = left(Verdict::Undetermined) {
        lines.push(format!("{n} undetermined: `mcp-reap explain {pid}` says what could not be read"));
    }
    lines
}

fn it_or_them(n: usize) -> &'static str {
    if n == 1 { "it" } else { "them" }
}

/// `2 orphaned, younger than 1m: run again in 40s or with --min-age 0s`
fn young(scene: &Scene<'_>, policy: &Policy) -> Option<String> {
    let young: Vec<&Withheld> = scene.plan.withheld.iter().filter(|one| one.why == Why::TooYoung).collect();
    let first = young.first()?;
    let same = young.iter().all(|one| one.verdict == first.verdict);
    let word = if same { first.verdict.as_str() } else { "withheld" };
    let age = |one: &&Withheld| {
        let finding = scene.judgement.findings.iter().find(|finding| finding.instance.root.id == one.root)?;
        Some(finding.age)
    };
    let youngest = young.iter().filter_map(age).fold(f64::INFINITY, f64::min);
    let wait = (policy.min_age.as_secs_f64() - youngest).clamp(1.0, 1e9).ceil();
    Some(format!(
        "{} {word}, younger than {}: run again in {} or with --min-age 0s",
        young.len(),
        show_duration(policy.min_age),
        show_duration(Duration::from_secs(wait as u64))
    ))
}

/// How many names of one kind are enough.
const NAMES: usize = 3;

/// `notes (77), maps (78) and 2 more left alone, in use: --in-use ends it all the same`. All have one reason.
fn left_alone(some: &[&Withheld]) -> String {
    let (first, why) = (some[0].root.pid, some[0].why);
    let named = |one: &&Withheld| format!("{} ({})", clean(&one.server), one.root.pid);
    let names: Vec<String> = some.iter().take(NAMES).map(named).collect();
    let more = match some.len().saturating_sub(NAMES) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{}{more} left alone, {}: {}", names.join(", "), why.as_str(), why.way_out(first))
}

/// For a run in which processes survived their signals.
pub(crate) fn after_failures(failed: usize) -> String {
    let them = it_or_them(failed);
    format!(
        "{} still there: `mcp-reap list` shows {them}, `mcp-reap log` what became of each",
        count(failed, "process")
    )
}
