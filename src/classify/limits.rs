//! Bounds that the person set: they come after the verdicts and may also end what is in use.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::evidence::Evidence;
use super::finding::{Finding, OwnerPid};
use super::verdict::Verdict;
use crate::look::Look;
use crate::policy::{CountPer, Policy};
use crate::process::{Pid, ProcessRecord};
use crate::units::{show_duration, show_size};

/// Turns the verdict of each instance that breaks a limit into `oversized`, `expired` or `excess`.
/// Age and memory are asked first: a copy that goes anyway is not counted.
pub(super) fn apply(findings: &mut [Finding<'_>], look: &Look<'_>, policy: &Policy) {
    for finding in findings.iter_mut().filter(|finding| may_break(finding)) {
        let limits = policy.limits.for_server(&finding.instance.server, &policy.servers);
        if let Some(bound) = limits.max_rss.filter(|bound| finding.rss > *bound) {
            let reason = format!("{} resident, at most {} allowed", show_size(finding.rss), show_size(bound));
            finding.overrule(Verdict::Oversized, "max_rss", finding.rss, bound, reason);
            continue;
        }
        let age = finding.age.max(0.0) as u64;
        if let Some(bound) = limits.max_age.map(|bound| bound.as_secs()).filter(|bound| age > *bound) {
            let reason = format!("{} old, at most {} allowed", show(age), show(bound));
            finding.overrule(Verdict::Expired, "max_age", age, bound, reason);
        }
    }
    count(findings, look, policy);
}

fn show(seconds: u64) -> String {
    show_duration(Duration::from_secs(seconds))
}

/// `allowed`, `managed` and `undetermined` instances never break a limit, nor does one with a connected client;
/// `orphaned` and `disconnected` ones go anyway.
fn may_break(finding: &Finding<'_>) -> bool {
    matches!(finding.verdict, Verdict::InUse | Verdict::Detached) && !finding.connected
}

/// Two instances with the same key are copies of one another: the same server with the same arguments under the same
/// owner. Two filesystem servers of two folders are two servers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Copy {
    server: String,
    command: Vec<String>,
    /// Detached ones are started by hand: in two folders they are two servers.
    folder: Option<String>,
    owner: Option<Pid>,
    user: Option<u32>,
}

/// The key under which an instance is counted; `None` where its owner is not known.
fn copy_of(finding: &Finding<'_>, look: &Look<'_>, per: CountPer) -> Option<Copy> {
    let root = finding.instance.root;
    let owner = match (per, &finding.client, finding.owner) {
        (CountPer::User, ..) => None,
        (CountPer::Client, Some(client), _) => Some(client.pid),
        (CountPer::Client, None, OwnerPid::Alive(pid)) => Some(pid),
        // Nobody owns them any more: five that were started by hand count together.
        (CountPer::Client, None, OwnerPid::Gone) => None,
        (CountPer::Client, None, OwnerPid::Unknown) => return None,
    };
    let folder = (finding.verdict == Verdict::Detached)
        .then(|| root.details.cwd.as_ref().map(ToString::to_string).unwrap_or_default());
    let (server, user) = (finding.instance.server.clone(), root.uid.map(|uid| uid.0));
    Some(Copy { server, command: command(root, look), folder, owner, user })
}

/// What the root was told to run, without what stands before it; else its whole command line.
fn command(root: &ProcessRecord, look: &Look<'_>) -> Vec<String> {
    match &look.resolution(root).program {
        Some(program) => {
            let name = program.names.first().unwrap_or(&program.text);
            std::iter::once(name).chain(&program.args).cloned().collect()
        }
        None => vec![root.command()],
    }
}

/// A client starts all its servers within seconds: copies that started so close together are one generation, and stand
/// or fall together (three entries of a configuration with the same command and another environment).
const GENERATION: f64 = 10.0;

/// Keeps the newest copies of each server under each owner (or of each user), times the configuration entries that
/// start it.
fn count(findings: &mut [Finding<'_>], look: &Look<'_>, policy: &Policy) {
    let mut copies: BTreeMap<Copy, Vec<usize>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate().filter(|(_, f)| may_break(f)) {
        let limits = policy.limits.for_server(&finding.instance.server, &policy.servers);
        let key = limits.max_count.and_then(|_| copy_of(finding, look, limits.count_per.unwrap_or_default()));
        if let Some(key) = key {
            copies.entry(key).or_default().push(index);
        }
    }
    for (copy, mut group) in copies {
        let Some(bound) = policy.limits.for_server(&copy.server, &policy.servers).max_count else { continue };
        let root = |index: &usize| findings[*index].instance.root;
        group.sort_by_key(|index| Reverse((root(index).id.start, root(index).pid())));
        let entries = group.first().map_or(1, |newest| {
            look.catalog.entries_for(root(newest), &look.resolution(root(newest))).max(1)
        });
        let bound = u64::from(bound).saturating_mul(entries as u64);
        let kept = kept(&group.iter().map(|index| root(index).started_at).collect::<Vec<_>>(), bound);
        let staying: Vec<String> =
            group.iter().take(kept).map(|index| root(index).pid().to_string()).collect();
        let copies = group.len() as u64;
        for index in group.into_iter().skip(kept) {
            let reason = match staying.len() {
                0 => format!("one of {copies} copies, none are allowed"),
                _ => format!("one of {copies} copies, newer ones stay: {}", staying.join(", ")),
            };
            findings[index].overrule(Verdict::Excess, "max_count", copies, bound, reason);
        }
    }
}

/// How many of the copies, newest first, stay: as many as the bound says, and the rest of their generation.
fn kept(starts: &[f64], bound: u64) -> usize {
    let bound = usize::try_from(bound).unwrap_or(usize::MAX);
    if bound == 0 || bound >= starts.len() {
        return bound.min(starts.len());
    }
    let mut newest_of_generation = starts[0];
    for (at, start) in starts.iter().enumerate() {
        if newest_of_generation - start > GENERATION {
            if at >= bound {
                return at;
            }
            newest_of_generation = *start;
        }
    }
    starts.len()
}

impl Finding<'_> {
    fn overrule(&mut self, verdict: Verdict, limit: &'static str, value: u64, bound: u64, reason: String) {
        self.verdict = verdict;
        self.reason = reason;
        self.evidence.push(Evidence::Limit { limit, value, bound });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_stands_or_falls_together() {
        let hour = 3600.0;
        for (starts, bound, stay) in [
            (&[hour, hour - 1.0, hour - 2.0][..], 2, 3),
            (&[hour, hour - 1.0, hour - 2.0], 0, 0),
            (&[hour, 2.0, 1.0, 0.0], 1, 1),
            (&[hour, 2.0, 1.0, 0.0], 2, 4),
            (&[3.0 * hour, 2.0 * hour, hour], 1, 1),
            (&[3.0 * hour, 2.0 * hour, hour], 2, 2),
            (&[3.0 * hour, 2.0 * hour, hour], 9, 3),
            // Each within ten seconds of the one before, but not of the newest: no endless generation.
            (&[20.0, 12.0, 4.0], 1, 2),
        ] {
            assert_eq!(kept(starts, bound), stay, "{starts:?} with {bound}");
        }
    }
}
