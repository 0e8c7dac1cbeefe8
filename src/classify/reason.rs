//! The reason for a verdict, in a few words.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::management::Management;
use super::observe::Observation;
use super::owner::Owner;
use super::proof::{Answer, Proof};
use super::verdict::Verdict;
use super::wire::WireState;
use crate::process::{Pid, Service};

/// Why an instance got its verdict, in the words of the table's last column.
pub(super) fn reason(verdict: Verdict, seen: &Observation, dead: Answer<Proof>) -> String {
    let owner = match &seen.owner {
        Owner::Alive { pid, name } => format!("owned by {name} ({pid})"),
        Owner::Gone { .. } => "owner gone".to_owned(),
        Owner::Unknown { .. } => "owner not known".to_owned(),
    };
    match verdict {
        Verdict::Allowed => match &seen.allowed {
            Some(allowed) => {
                let reason = allowed.reason.as_deref().unwrap_or("named by the allowlist");
                format!("{reason} ({})", allowed.rule)
            }
            None => owner,
        },
        Verdict::Managed => match &seen.management {
            Management::Managed { unit, .. } | Management::Unknown { unit } => format!("runs as {unit}"),
            Management::No { .. } => owner,
        },
        Verdict::InUse => in_use(seen, &owner),
        Verdict::Undetermined => format!("{owner}, {}", not_known(seen, dead)),
        Verdict::Detached => detached(seen, &owner),
        // Limits write their own reasons.
        Verdict::Orphaned
        | Verdict::Disconnected
        | Verdict::Excess
        | Verdict::Expired
        | Verdict::Oversized => unused(seen, &owner, dead),
    }
}

fn unused(seen: &Observation, owner: &str, dead: Answer<Proof>) -> String {
    match (dead, &seen.owner) {
        (Answer::Yes(Proof::ClientMovedOn), _) => {
            format!("{owner}, stdin closed, stdout left with {}", list(&seen.wire.stdout.holders))
        }
        (Answer::Yes(Proof::AmongTheDead), _) => {
            format!("{owner}, stdio held only by {}, unused as well", list(&holders(seen)))
        }
        (_, Owner::Alive { pid, name }) => format!("{name} ({pid}) lives, but closed both ends of its stdio"),
        (_, Owner::Gone { .. } | Owner::Unknown { .. }) => format!("{owner}, stdio closed"),
    }
}

fn detached(seen: &Observation, owner: &str) -> String {
    let channels = &seen.channels;
    match &channels.announced {
        _ if !channels.listening.is_empty() => {
            format!("{owner}, listens on {}, nobody connected", list(&channels.listening))
        }
        Some(transport) => format!("{owner}, serves by {transport}"),
        None => format!("{owner}, no closed stdio that would prove it unused"),
    }
}

fn in_use(seen: &Observation, owner: &str) -> String {
    let (channels, holders) = (&seen.channels, holders(seen));
    if channels.connected > 0 {
        format!("{owner}, {} connected", channels.connected)
    } else if !channels.talks_to.is_empty() {
        format!("{owner}, connected to {}", list(&channels.talks_to))
    } else if matches!(seen.owner, Owner::Alive { .. }) {
        owner.to_owned()
    } else if holders.is_empty() {
        format!("{owner}, its terminal is held")
    } else {
        format!("{owner}, stdio held by {}", list(&holders))
    }
}

/// What is not known and would have decided.
fn not_known(seen: &Observation, dead: Answer<Proof>) -> String {
    if let Management::Unknown { unit } = &seen.management {
        return match unit.as_str() {
            Service::UNNAMED => "may be a job of launchd".to_owned(),
            unit => format!("may be the daemon of {unit}, whose main process is not known"),
        };
    }
    if let Some(pid) = seen.hidden {
        return format!("what process {pid} is to it is not known");
    }
    if let Some(pid) = seen.unread_helper {
        return format!("what its helper {pid} holds is not known");
    }
    if dead == Answer::Unread {
        let unknown = |state| state == WireState::Unknown;
        let wire = &seen.wire;
        return match (unknown(wire.stdin.state()), unknown(wire.stdout.state())) {
            _ if seen.channels.terminal => "who holds its terminal is not known".to_owned(),
            (true, true) => "who holds its stdio is not known".to_owned(),
            (true, false) => "who holds its stdin is not known".to_owned(),
            (false, true) => "who holds its stdout is not known".to_owned(),
            (false, false) => "who else holds its stdio is not known".to_owned(),
        };
    }
    if seen.channels.unread {
        return "who is connected to it is not known".to_owned();
    }
    "no closed stdio that would prove it unused".to_owned()
}

fn holders(seen: &Observation) -> Vec<Pid> {
    seen.wire.holders().collect::<BTreeSet<_>>().into_iter().collect()
}

fn list<T: Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
