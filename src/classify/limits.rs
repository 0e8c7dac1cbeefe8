//! Bounds that the person set: they come after the verdicts and may also end what is in use.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::Finding;
use super::evidence::Evidence;
use super::verdict::Verdict;
use crate::policy::{CountPer, Policy};
use crate::process::Pid;
use crate::units::{show_duration, show_size};

/// Turns the verdict of each instance that breaks a limit into `oversized`, `expired` or `excess`.
/// Age and memory are asked first: a copy that goes anyway is not counted.
pub(super) fn apply(findings: &mut [Finding<'_>], policy: &Policy) {
    for finding in findings.iter_mut().filter(|finding| may_break(finding.verdict)) {
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
    count(findings, policy);
}

fn show(seconds: u64) -> String {
    show_duration(Duration::from_secs(seconds))
}

/// `allowed`, `managed` and `undetermined` instances never break a limit; `orphaned` and
/// `disconnected` ones go anyway.
fn may_break(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::InUse | Verdict::Detached)
}

/// Keeps the newest copies of each server under each client (or of each user).
fn count(findings: &mut [Finding<'_>], policy: &Policy) {
    let mut copies: BTreeMap<(String, Option<Pid>, Option<u32>), Vec<usize>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate().filter(|(_, f)| may_break(f.verdict)) {
        let limits = policy.limits.for_server(&finding.instance.server, &policy.servers);
        if limits.max_count.is_none() {
            continue;
        }
        let client = finding.client.as_ref().map(|client| client.pid);
        let user = finding.instance.root.uid.map(|uid| uid.0);
        let shared_by = match limits.count_per.unwrap_or_default() {
            CountPer::User => None,
            // Whose copies they are is not known: they are not counted together.
            CountPer::Client if client.is_none() => continue,
            CountPer::Client => client,
        };
        copies.entry((finding.instance.server.clone(), shared_by, user)).or_default().push(index);
    }
    for ((server, ..), mut group) in copies {
        let Some(bound) = policy.limits.for_server(&server, &policy.servers).max_count else { continue };
        group.sort_by_key(|index| {
            let id = findings[*index].instance.root.id;
            Reverse((id.start, id.pid))
        });
        let (copies, bound) = (group.len() as u64, u64::from(bound));
        for index in group.into_iter().skip(bound as usize) {
            let reason = format!("one of {copies} copies, the newest {bound} are kept");
            findings[index].overrule(Verdict::Excess, "max_count", copies, bound, reason);
        }
    }
}

impl Finding<'_> {
    fn overrule(&mut self, verdict: Verdict, limit: &'static str, value: u64, bound: u64, reason: String) {
        self.verdict = verdict;
        self.reason = reason;
        self.evidence.push(Evidence::Limit { limit, value, bound });
    }
}
