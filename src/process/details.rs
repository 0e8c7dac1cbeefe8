//! The details of a process, which are read only for the processes that matter.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

use super::id::Pid;
use crate::bytes::RawText;

/// The details of a process.
///
/// `None` means that a value could not be read, or that nobody tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// Controlling terminal, such as `pts/3`. The first stage reads it for every process; most have none.
    pub tty: Option<Box<str>>,
    /// Swapped-out memory in bytes (Linux).
    pub swap: Option<u64>,
    /// The executable file.
    pub exe: Option<RawText>,
    /// Working directory.
    pub cwd: Option<RawText>,
    /// The few environment variables that are evidence; never any other.
    pub env: Option<BTreeMap<String, String>>,
    /// Linux: the path in the unified cgroup hierarchy.
    pub cgroup: Option<String>,
    /// The systemd unit or launchd job the process is in.
    pub service: Option<Service>,
    /// The wire it was started with.
    pub stdio: Option<Stdio>,
    /// The sockets that it serves on: listening sockets of any family, without those of its runtime.
    pub listening: Option<Vec<Listener>>,
    /// Connections that it serves (accepted, half-closed or still waiting to be accepted, of any family) from outside
    /// itself and its descendants.
    pub connected: Option<u32>,
    /// Processes that hold the other end of a served connection, one entry for each such connection. Connections from
    /// other machines and from processes that cannot be read count only in `connected`. Members of the same instance
    /// may be listed here, and the judgement ignores them.
    pub connected_peers: Vec<Pid>,
    /// Processes that hold the other end of a connection that it opened itself. Only its owner, an ancestor or a client
    /// among them matters. Others are a database, a cloud service or its own browser.
    pub outbound_peers: Vec<Pid>,
    /// The process that traces it (`TracerPid`); `Some(Pid(0))` if there is none or it is not reported.
    pub tracer: Option<Pid>,
    /// Whether it is connected to a display server (X11, Wayland), so that it belongs to a person at a screen.
    pub display: bool,
    /// Whether its parent has adopted it, which means that the parent did not fork it. On macOS this is known for
    /// children of launchd, by the unique number of the original parent (`PROC_PIDUNIQIDENTIFIERINFO`). A guardian sets
    /// it for processes of its server whose parent has ended. `None` if it is not known.
    pub adopted: Option<bool>,
    /// True when it is in another PID namespace than ours (a container seen from outside).
    pub foreign_namespace: bool,
    /// Its pid in the innermost PID namespace, if that is another one than ours. The first process of a namespace has
    /// 1.
    pub namespace_pid: Option<Pid>,
}

/// A socket that a process serves on.
///
/// In JSON a TCP port is a number, anything else a text: `unix:/run/x.sock`, `unix:@abstract`, `udp:5353`,
/// `vsock:5126`; `vsock` where the port could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Listener {
    /// A TCP port.
    Tcp(u16),
    /// Any other socket, as it is shown.
    Other(String),
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listener::Tcp(port) => port.fmt(f),
            Listener::Other(name) => f.write_str(name),
        }
    }
}

/// [`Details`] that are allocated only when something is set: of 20,000 processes perhaps a hundred are read in detail
/// or have a terminal, and empty details for the others would take 5 MB.
///
/// ```
/// use mcp_reap::process::LazyDetails;
/// let mut details = LazyDetails::default();
/// assert_eq!(details.exe, None);
/// details.exe = Some("/usr/bin/node".into());
/// assert_eq!(details.exe.as_ref().map(ToString::to_string).as_deref(), Some("/usr/bin/node"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct LazyDetails(Option<Box<Details>>);

/// The details of a process that was not looked at.
static NOTHING: Details = Details {
    tty: None,
    swap: None,
    exe: None,
    cwd: None,
    env: None,
    cgroup: None,
    service: None,
    stdio: None,
    listening: None,
    connected: None,
    connected_peers: Vec::new(),
    outbound_peers: Vec::new(),
    tracer: None,
    display: false,
    adopted: None,
    foreign_namespace: false,
    namespace_pid: None,
};

impl Deref for LazyDetails {
    type Target = Details;

    fn deref(&self) -> &Details {
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for LazyDetails {
    fn deref_mut(&mut self) -> &mut Details {
        self.0.get_or_insert_with(Box::default)
    }
}

/// An allocated but empty box equals an absent one.
impl PartialEq for LazyDetails {
    fn eq(&self, other: &LazyDetails) -> bool {
        **self == **other
    }
}

impl From<Details> for LazyDetails {
    fn from(details: Details) -> LazyDetails {
        LazyDetails((details != NOTHING).then(|| Box::new(details)))
    }
}

impl From<LazyDetails> for Details {
    fn from(stored: LazyDetails) -> Details {
        stored.0.map(|details| *details).unwrap_or_default()
    }
}

/// The unit or job a process is in, and that unit's main process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// `systemd` or `launchd`.
    pub manager: String,
    /// Unit or job label.
    pub name: String,
    /// Its main process; `Pid(0)` when it has none, `None` when the manager gave no answer.
    pub main_pid: Option<Pid>,
    /// Whether the manager reports it as active or activating. A service that is active without a main process (oneshot
    /// with RemainAfterExit, forking) manages everything in its cgroup.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub active: bool,
}

impl Service {
    /// The name of a job that is in none of the lists that could be read.
    pub const UNNAMED: &str = "?";
}

/// The kind of stdin or stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StdioKind {
    /// An anonymous pipe.
    Pipe,
    /// A unix socket, nearly always one end of a socketpair.
    Socket,
    /// `/dev/null`.
    Null,
    /// A terminal whose master a process holds.
    Tty,
    /// A file or a device.
    File,
    /// No such descriptor, or a terminal that is gone.
    Closed,
    /// Something else, or it could not be read.
    #[serde(other)]
    Unknown,
}

/// The stdio connection of a process, whatever descriptors it is on now, and the holders of the other end in each
/// direction.
///
/// A list of holders is `None` if the other end could not be read, or is held by a process that cannot be seen. It is
/// empty if the kernel reports that no process holds it. Otherwise it has the processes other than this one that hold
/// it (for a terminal, its master). If the descriptor is no pipe, socket or terminal, there is no other end, and the
/// list has no meaning; see [`Stdio::stdin`] and [`Stdio::stdout`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stdio {
    /// Kind of stdin.
    #[serde(rename = "kind")]
    pub stdin_kind: StdioKind,
    /// Kind of stdout. In tables that were recorded before this field existed, it is that of stdin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout_kind: Option<StdioKind>,
    /// The processes that can write to its stdin.
    pub stdin_peers: Option<Vec<Pid>>,
    /// The processes that can read its stdout.
    pub stdout_peers: Option<Vec<Pid>>,
    /// The processes, other than this one and its descendants, that hold the other end of a pipe or socket pair on a
    /// descriptor above 2 that is not the wire. They can only show that it is used. `None` if such a descriptor could
    /// not be read. In tables that were recorded before this field existed, it is empty.
    #[serde(default = "nobody")]
    pub other_peers: Option<Vec<Pid>>,
    /// The number of the pipe or socket on stdin (its inode on Linux). Two processes with the same number have the same
    /// end of the same connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin_id: Option<u64>,
    /// As `stdin_id`, for stdout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout_id: Option<u64>,
}

// serde takes the default of a missing field from a function.
#[allow(clippy::unnecessary_wraps)]
fn nobody() -> Option<Vec<Pid>> {
    Some(Vec::new())
}

/// What is known of the other end of one direction of one process's stdio connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherEnd<'a> {
    /// There is no other end: `/dev/null`, a file, a terminal that is gone, no such descriptor.
    Absent,
    /// The kernel reports that no process holds it.
    Closed,
    /// These processes hold it.
    Held(&'a [Pid]),
    /// It could not be read, or is held by a process that cannot be seen.
    Unread,
}

impl Stdio {
    /// A connection of which nothing is known but the kind of stdin.
    pub fn of_kind(kind: StdioKind) -> Stdio {
        Stdio {
            stdin_kind: kind,
            stdout_kind: None,
            stdin_peers: None,
            stdout_peers: None,
            other_peers: nobody(),
            stdin_id: None,
            stdout_id: None,
        }
    }

    /// Kind of stdout.
    pub fn stdout_kind(&self) -> StdioKind {
        self.stdout_kind.unwrap_or(self.stdin_kind)
    }

    /// The other end of stdin.
    pub fn stdin(&self) -> OtherEnd<'_> {
        other_end(self.stdin_kind, self.stdin_peers.as_deref())
    }

    /// The other end of stdout.
    pub fn stdout(&self) -> OtherEnd<'_> {
        other_end(self.stdout_kind(), self.stdout_peers.as_deref())
    }

    /// Is neither stdin nor stdout a pipe or a socket? `None` if one of them could not be read.
    pub fn is_off_wire(&self) -> Option<bool> {
        let kinds = [self.stdin_kind, self.stdout_kind()];
        (!kinds.contains(&StdioKind::Unknown)).then(|| !self.is_wire() && !self.writes_to_wire())
    }

    /// Is stdout a pipe or a socket?
    pub fn writes_to_wire(&self) -> bool {
        matches!(self.stdout_kind(), StdioKind::Pipe | StdioKind::Socket)
    }

    /// Is stdin a pipe or a socket, so that a client can be at the other end?
    pub fn is_wire(&self) -> bool {
        matches!(self.stdin_kind, StdioKind::Pipe | StdioKind::Socket)
    }
}

fn other_end(kind: StdioKind, peers: Option<&[Pid]>) -> OtherEnd<'_> {
    match (kind, peers) {
        // A holder that was seen counts for every kind of descriptor.
        (_, Some(peers @ [_, ..])) => OtherEnd::Held(peers),
        (StdioKind::Pipe | StdioKind::Socket, Some([])) => OtherEnd::Closed,
        // A process holds the master of an open terminal, even if it was not seen.
        (StdioKind::Pipe | StdioKind::Socket | StdioKind::Tty | StdioKind::Unknown, _) => OtherEnd::Unread,
        (StdioKind::Null | StdioKind::File | StdioKind::Closed, _) => OtherEnd::Absent,
    }
}
