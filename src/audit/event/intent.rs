//! Makes the event for the intent to signal a process.

use super::{AuditEvent, Subject};
use crate::classify::Evidence;
use crate::plan::{Target, TargetMember};
use crate::reap::Signal;
use crate::redact;

impl AuditEvent {
    /// The intent to signal a process. Its argv, which may have two megabytes, is redacted here and cut to 16 KiB.
    pub fn intent(subject: Subject, signal: Signal, target: &Target, member: &TargetMember) -> AuditEvent {
        AuditEvent::Intent {
            subject,
            ppid: Some(member.parent),
            uid: member.uid,
            signal,
            argv: cut(redact::argv(&member.argv)),
            rss: member.rss,
            client: target.client.clone(),
            verdict: target.verdict.as_str().to_owned(),
            reason: redact::text(&target.reason),
            evidence: evidence(target, member),
        }
    }
}

/// The evidence about a member: that of its instance, and what identifies this member and the topmost server. With what
/// identifies all members, 3,000 forked workers would make 3,000 records of 400 kB.
fn evidence(target: &Target, member: &TargetMember) -> Vec<serde_json::Value> {
    let topmost = target.evidence.iter().position(|seen| matches!(seen, Evidence::Identified { .. }));
    let concerns = |(index, seen): &(usize, &Evidence)| match seen {
        Evidence::Identified { pid, .. } => *pid == member.id.pid || Some(*index) == topmost,
        _ => true,
    };
    // Plain structs with text keys: there is nothing in them that JSON cannot hold.
    let value = |(_, seen)| serde_json::to_value(seen).ok();
    target.evidence.iter().enumerate().filter(concerns).filter_map(value).collect()
}

/// The most of an argv that is recorded, in bytes.
const MAX_ARGV: usize = 16 << 10;

/// Cuts a command line that is too long for a record. The last word then says how much was cut.
fn cut(mut argv: Vec<String>) -> Vec<String> {
    let mut room = MAX_ARGV;
    let Some(at) = argv.iter().position(|argument| {
        let fits = argument.len() <= room;
        room = room.saturating_sub(argument.len());
        !fits
    }) else {
        return argv;
    };
    let lost: usize = argv[at..].iter().map(String::len).sum();
    argv.truncate(at);
    argv.push(format!("<{lost} bytes more>"));
    argv
}
