//! From what was seen to what follows: one table, read from the most careful line down.

use serde::Serialize;

use super::evidence::WireState;
use super::observe::{Management, Observation};
use super::owner::Owner;

/// What the evidence says of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The owner is gone and nobody is connected. Ended.
    Orphaned,
    /// The owner is alive but holds neither end any more. Ended.
    Disconnected,
    /// In use, but one copy too many. Ended.
    Excess,
    /// In use, but too old. Ended.
    Expired,
    /// In use, but too large. Ended.
    Oversized,
    /// The owner is gone, and it listens on a socket: a daemon, or a leaked HTTP server.
    Detached,
    /// Something needed could not be read. Never ended.
    Undetermined,
    /// A live client holds it, or its owner is alive. Never ended.
    InUse,
    /// A systemd unit or launchd job. Never ended.
    Managed,
    /// The allowlist names it. Never ended.
    Allowed,
}

impl Verdict {
    /// As it stands in JSON, tables and the audit log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Orphaned => "orphaned",
            Verdict::Disconnected => "disconnected",
            Verdict::Excess => "excess",
            Verdict::Expired => "expired",
            Verdict::Oversized => "oversized",
            Verdict::Detached => "detached",
            Verdict::Undetermined => "undetermined",
            Verdict::InUse => "in-use",
            Verdict::Managed => "managed",
            Verdict::Allowed => "allowed",
        }
    }

    /// Is it ended, unless something else forbids it? `detached` says whether the person asked for
    /// detached instances to be ended too.
    #[must_use]
    pub fn ends(self, detached: bool) -> bool {
        match self {
            Verdict::Orphaned
            | Verdict::Disconnected
            | Verdict::Excess
            | Verdict::Expired
            | Verdict::Oversized => true,
            Verdict::Detached => detached,
            Verdict::Undetermined | Verdict::InUse | Verdict::Managed | Verdict::Allowed => false,
        }
    }
}

/// The verdict on one instance, before limits, and the reason in a few words.
#[must_use]
pub(super) fn judge(seen: &Observation) -> (Verdict, String) {
    if let Some(allowed) = &seen.allowed {
        let reason = allowed.reason.as_deref().unwrap_or("named by the allowlist");
        return (Verdict::Allowed, format!("{reason} ({})", allowed.rule));
    }
    match &seen.management {
        Management::Managed { unit, .. } => return (Verdict::Managed, format!("runs as {unit}")),
        Management::Unknown { unit } if !matches!(seen.owner, Owner::Alive { .. }) => {
            return (Verdict::Undetermined, format!("may be the daemon of {unit}, which could not be asked"));
        }
        Management::Unknown { .. } | Management::No { .. } => {}
    }
    match &seen.owner {
        Owner::Alive { pid, name } => owned(seen, &format!("{name} ({pid})")),
        Owner::Gone { .. } => abandoned(seen),
        Owner::Unknown { pid } if in_dialogue(seen) => {
            (Verdict::InUse, format!("its stdio is connected, owner {pid} not known"))
        }
        Owner::Unknown { pid } => {
            (Verdict::Undetermined, format!("whether its owner {pid} lives is not known"))
        }
    }
}

/// Both directions are held by live processes outside: somebody talks to it, whatever the parent says.
fn in_dialogue(seen: &Observation) -> bool {
    seen.stdin.state == WireState::Held && seen.stdout.state == WireState::Held
}

fn owned(seen: &Observation, owner: &str) -> (Verdict, String) {
    let closed = seen.stdin.state == WireState::Closed && seen.stdout.state == WireState::Closed;
    // Its port may serve others: only an instance that is known to listen on nothing is cut off.
    let unmanaged = matches!(seen.management, Management::No { .. });
    if closed && unmanaged && seen.ports.as_deref() == Some(&[]) && !seen.left_over && seen.all_read {
        return (Verdict::Disconnected, format!("{owner} lives, but closed both ends of its stdio"));
    }
    (Verdict::InUse, format!("owned by {owner}"))
}

fn abandoned(seen: &Observation) -> (Verdict, String) {
    if in_dialogue(seen) {
        let holders = seen.stdin.holders.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return (Verdict::InUse, format!("its parent is gone, but {holders} holds its stdio"));
    }
    if !seen.all_read {
        return (
            Verdict::Undetermined,
            "owner gone, but what one of its processes runs could not be read".to_owned(),
        );
    }
    // Ports matter before anything else that could end it: a client may be talking to one.
    let Some(ports) = &seen.ports else {
        return (Verdict::Undetermined, "owner gone, but its ports could not be read".to_owned());
    };
    if !ports.is_empty() {
        match seen.connected {
            None => {
                return (
                    Verdict::Undetermined,
                    "owner gone, but its connections could not be read".to_owned(),
                );
            }
            Some(0) => {}
            Some(n) => return (Verdict::InUse, format!("owner gone, but {n} network clients are connected")),
        }
    }
    match (seen.stdin.state, seen.stdout.state) {
        (WireState::Closed, WireState::Closed) => (Verdict::Orphaned, "owner gone, stdio closed".to_owned()),
        (WireState::Closed, _) => (Verdict::Orphaned, "owner gone, stdin closed".to_owned()),
        (_, WireState::Closed) => (Verdict::Orphaned, "owner gone, nobody reads its stdout".to_owned()),
        (WireState::Unknown, _) | (_, WireState::Unknown) => {
            (Verdict::Undetermined, "owner gone, but who holds its stdio could not be read".to_owned())
        }
        (WireState::Held, _) | (_, WireState::Held) => {
            (Verdict::InUse, "owner gone, but one direction of its stdio is held".to_owned())
        }
        // A browser's crash handler sits at pid 1 while the browser is used: what is left of an
        // instance needs a closed wire as proof, or a tie to the dead.
        (WireState::Absent, WireState::Absent) if seen.left_over && !seen.tied => {
            (Verdict::Undetermined, "a helper whose stdio does not tell whether it is used".to_owned())
        }
        (WireState::Absent, WireState::Absent) if ports.is_empty() => {
            (Verdict::Orphaned, "owner gone, no stdio to talk over and no port".to_owned())
        }
        (WireState::Absent, WireState::Absent) => {
            let ports = ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            (Verdict::Detached, format!("owner gone, listens on {ports}"))
        }
    }
}
