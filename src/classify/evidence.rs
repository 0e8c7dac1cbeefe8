//! The evidence on an instance, each piece with the pids and values that show it.

use serde::Serialize;

use super::proof::Proof;
use super::wire::WireState;
use crate::catalog::Basis;
use crate::process::{Listener, Pid, StdioKind};

/// One piece of evidence. In JSON the kind comes first, then its values.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Evidence {
    /// A member identifies it as an MCP instance.
    Identified {
        /// The member.
        pid: Pid,
        /// What identifies it.
        #[serde(flatten)]
        basis: Basis,
    },
    /// The root's parent is alive and not an adopter.
    OwnerAlive {
        /// The owner.
        pid: Pid,
        /// Its short name.
        name: String,
    },
    /// The root's parent adopts orphans: the process that started it has ended.
    OwnerGone {
        /// The adopter.
        pid: Pid,
        /// Why it is called an adopter.
        how: Adoption,
    },
    /// Whether the owner is alive is not known.
    OwnerUnknown {
        /// The parent's pid.
        pid: Pid,
    },
    /// It is the main process of a unit or job, or below it.
    Managed {
        /// `systemd` or `launchd`.
        manager: String,
        /// The unit or label.
        unit: String,
        /// Its main process.
        main_pid: Pid,
    },
    /// It is in a unit's cgroup, but the unit's main process is not known.
    MaybeManaged {
        /// The unit, or the cgroup that looks like one.
        unit: String,
    },
    /// It is in a unit's cgroup, but not the unit's main process. It leaked there and is not managed.
    Unmanaged {
        /// The unit.
        unit: String,
        /// Its main process; 0 when it has none left.
        main_pid: Pid,
    },
    /// One direction of the wire to the client.
    Wire {
        /// `stdin`, `stdout`, or `other` for descriptors above 2.
        direction: &'static str,
        /// What is known of its other end.
        state: WireState,
        /// The processes outside the instance that hold the other end.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        holders: Vec<Pid>,
    },
    /// Its stdin has no other end that could be held or closed: `/dev/null`, a file, a terminal.
    NoWire {
        /// The kind of its stdin.
        stdin: StdioKind,
    },
    /// It serves on sockets.
    Listening {
        /// The ports.
        ports: Vec<Listener>,
    },
    /// How many connections from outside it serves.
    Connected {
        /// How many connections.
        count: u32,
        /// The processes that hold the other ends, as far as they were found.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pids: Vec<Pid>,
    },
    /// Listening sockets or connections could not be read.
    NetworkUnknown,
    /// A member is connected to its owner, an ancestor or a client.
    TalksTo {
        /// The process at the other end.
        pid: Pid,
    },
    /// It announces a transport of its own, which makes it a daemon.
    Announced {
        /// The option, word or socket.
        transport: String,
    },
    /// The wire is proven dead.
    DeadWire {
        /// The proof.
        proof: Proof,
    },
    /// A process may be a client or a launcher of this instance; its command line or wire could not be read.
    Hidden {
        /// That process, which is a member or above the root.
        pid: Pid,
    },
    /// The descriptors of a helper could not be read, so it may be a person's program.
    UnreadHelper {
        /// The helper.
        pid: Pid,
    },
    /// An allow rule names a member.
    Allowed {
        /// The member.
        pid: Pid,
        /// Where the rule stands.
        rule: String,
        /// The person's reason.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A limit that the person set is broken.
    Limit {
        /// `max_count`, `max_age` or `max_rss`.
        limit: &'static str,
        /// The value seen: copies, seconds or bytes.
        value: u64,
        /// The bound, in the same unit.
        bound: u64,
    },
    /// A member belongs to the person: it shows a window, reads from a terminal, or is a browser or editor.
    PersonBelow {
        /// The member.
        pid: Pid,
    },
    /// The shell above it runs another command after it, but only if it exits with success.
    Awaited {
        /// The shell.
        pid: Pid,
    },
    /// A client was started below it.
    ClientBelow {
        /// The client.
        pid: Pid,
    },
    /// A client whose owner is gone and whose own stdio is dead.
    OrphanedClient {
        /// The client.
        pid: Pid,
    },
    /// A process that left its server's tree carries the mark of `mcp-reap exec`. If it is a member, it is ended with that
    /// server. If not, the mark alone proves nothing.
    Marked {
        /// The process.
        pid: Pid,
        /// The process that `exec` became: the server, or its topmost launcher.
        root: Pid,
    },
    /// Only helpers are left; their server is gone.
    LeftOver,
}

/// How the adopter was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adoption {
    /// It is pid 1.
    Init,
    /// It is the user's `systemd --user`, or another process that exists to adopt.
    Subreaper,
    /// It started after its child.
    StartedLater,
}
