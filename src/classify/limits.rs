//! Applies the limits that the person set, after the verdicts. They may also end instances in use.

use std::time::Duration;

use super::copies::{self, may_break};
use super::evidence::Evidence;
use super::finding::Finding;
use super::verdict::Verdict;
use crate::look::Look;
use crate::policy::Policy;
use crate::process::Pid;
use crate::units::{show_duration, show_size};

/// Turns the verdict of each instance that breaks a limit into `oversized`, `expired` or `excess`.
/// Age and memory come first, so that a copy that is ended anyway is not counted.
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

/// Keeps the newest copies of each server under each owner (or of each user), times the configuration entries that
/// start it.
fn count(findings: &mut [Finding<'_>], look: &Look<'_>, policy: &Policy) {
    let limits = |server: &str| policy.limits.for_server(server, &policy.servers);
    let per = |server: &str| {
        let limits = limits(server);
        limits.max_count.map(|_| limits.count_per.unwrap_or_default())
    };
    for group in copies::groups(findings, look, per) {
        let Some(max_count) = limits(&group.server).max_count else { continue };
        let (staying, excess) = group.members.split_at(group.kept(max_count));
        let stay =
            named(&staying.iter().map(|index| findings[*index].instance.root.pid()).collect::<Vec<_>>());
        let copies = group.members.len() as u64;
        for index in excess {
            let reason = match staying.len() {
                0 => format!("one of {copies} copies, none are allowed"),
                _ => format!("one of {copies} copies, newer ones stay: {stay}"),
            };
            findings[*index].overrule(Verdict::Excess, "max_count", copies, group.allowed(max_count), reason);
        }
    }
}

/// The first few of these pids, and the number of others.
fn named(pids: &[Pid]) -> String {
    const FEW: usize = 6;
    let shown: Vec<String> = pids.iter().take(FEW).map(ToString::to_string).collect();
    match pids.len().saturating_sub(FEW) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

impl Finding<'_> {
    fn overrule(&mut self, verdict: Verdict, limit: &'static str, value: u64, bound: u64, reason: String) {
        self.verdict = verdict;
        self.reason = reason;
        self.evidence.push(Evidence::Limit { limit, value, bound });
    }
}
