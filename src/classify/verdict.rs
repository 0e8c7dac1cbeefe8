//! The verdict on an instance. The whole decision is in this file: [`judge`] and [`follows`].

use serde::Serialize;

use super::management::Management;
use super::observe::Observation;
use super::owner::Owner;
use super::proof::{Answer, Proof};

/// The conclusion from the evidence on an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Its wire is dead, and its owner is gone or not known. Ended.
    Orphaned,
    /// Its wire is dead, its owner is alive, and it serves no other channel. Ended.
    Disconnected,
    /// In use, but one copy too many. Ended.
    Excess,
    /// In use, but too old. Ended.
    Expired,
    /// In use, but too large. Ended.
    Oversized,
    /// The owner is gone and no process is seen to use it, but no dead wire proves that: a daemon, a job in the
    /// background, a leaked HTTP server. Ended only when the person asked for it.
    Detached,
    /// Something was not read, and one of its possible values would change whether the instance is ended. Never ended.
    Undetermined,
    /// A process holds its wire or is connected to it, or its owner is alive and its wire is not proven dead. Never
    /// ended.
    InUse,
    /// A systemd service or launchd job. Never ended.
    Managed,
    /// The allowlist names it. Never ended.
    Allowed,
}

impl Verdict {
    /// Every verdict, the worst first.
    pub const ALL: [Verdict; 10] = [
        Verdict::Orphaned,
        Verdict::Disconnected,
        Verdict::Excess,
        Verdict::Expired,
        Verdict::Oversized,
        Verdict::Detached,
        Verdict::Undetermined,
        Verdict::InUse,
        Verdict::Managed,
        Verdict::Allowed,
    ];

    /// The word for JSON, tables and the audit log.
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

/// The facts that decide, each either read or assumed.
#[derive(Clone, Copy, Debug)]
struct Facts {
    managed: bool,
    /// The wire is proven dead.
    dead: bool,
    /// An outside process is seen to hold a direction of the wire.
    held: bool,
    /// An outside process is connected to a channel that it serves.
    live: bool,
    /// It serves a channel.
    serves: bool,
    /// It announces a transport of its own, so it is a daemon, whatever the state of its wire.
    announced: bool,
    /// The process that started it is alive.
    owned: bool,
}

/// The verdict on these facts: the first row that applies.
fn follows(facts: Facts) -> Verdict {
    let Facts { managed, dead, held, live, serves, announced, owned } = facts;
    if managed {
        Verdict::Managed
    } else if live || (!dead && held) || (owned && (!dead || serves)) {
        Verdict::InUse
    } else if !dead || announced {
        Verdict::Detached
    } else if owned {
        Verdict::Disconnected
    } else {
        Verdict::Orphaned
    }
}

/// The verdict on one instance, before limits.
///
/// Some answers decide alone: allowed, managed, or in use. Otherwise the instance is judged twice: all that was not read is
/// first assumed to be a reason to leave it alone, then a reason to end it. If the two verdicts differ, the result is
/// [`Verdict::Undetermined`].
pub(super) fn judge(seen: &Observation, dead: Answer<Proof>) -> Verdict {
    if seen.allowed.is_some() {
        return Verdict::Allowed;
    }
    let as_seen = Facts {
        managed: matches!(seen.management, Management::Managed { .. }),
        dead: matches!(dead, Answer::Yes(_)),
        held: seen.wire.is_held(),
        live: seen.channels.live() == Answer::Yes(()),
        serves: seen.channels.serves() == Answer::Yes(()),
        announced: seen.channels.announced.is_some(),
        owned: matches!(seen.owner, Owner::Alive { .. }),
    };
    let careful = Facts {
        managed: as_seen.managed || matches!(seen.management, Management::Unknown { .. }),
        // A hidden process may be a client that holds the wire from inside, or a launcher on a living wire of its own.
        dead: as_seen.dead && seen.hidden.is_none(),
        live: as_seen.live || seen.channels.live() == Answer::Unread,
        serves: as_seen.serves || seen.channels.serves() == Answer::Unread,
        // If a client that is no ancestor holds the wire, the process that started the server has ended or given it away.
        owned: as_seen.owned
            || matches!(seen.owner, Owner::Unknown { .. }) && dead != Answer::Yes(Proof::ClientMovedOn),
        ..as_seen
    };
    let deadly = Facts { dead: dead != Answer::No, ..as_seen };
    match (follows(as_seen), follows(careful), follows(deadly)) {
        (settled @ (Verdict::Managed | Verdict::InUse), ..) => settled,
        // The unread helper decides whether the instance may be ended, also on request.
        (..) if seen.unread_helper.is_some() => Verdict::Undetermined,
        (_, careful, deadly) if careful == deadly || careful.ends(false) && deadly.ends(false) => deadly,
        _ => Verdict::Undetermined,
    }
}
