//! What is read of a process only when it deserves a closer look.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

use super::id::Pid;
use crate::bytes::RawText;

/// What a closer look told of a process.
///
/// `None` means "could not be read" or "was not looked at".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
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
    /// Ports it listens on.
    pub listening: Option<Vec<u16>>,
    /// Established connections that came in on those ports from outside its instance.
    pub connected: Option<u32>,
    /// True when it lives in another PID namespace than ours (a container seen from outside).
    pub foreign_namespace: bool,
}

/// [`Details`], which take memory only where there are any: of 20,000 processes perhaps a hundred are
/// looked at closely, and the room for the others would be 5 MB.
///
/// ```
/// use mcp_reap::process::Closer;
/// let mut closer = Closer::default();
/// assert_eq!(closer.exe, None);
/// closer.exe = Some("/usr/bin/node".into());
/// assert_eq!(closer.exe.as_ref().map(ToString::to_string).as_deref(), Some("/usr/bin/node"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Closer(Option<Box<Details>>);

/// Of a process that was not looked at.
static NOTHING: Details = Details {
    swap: None,
    exe: None,
    cwd: None,
    env: None,
    cgroup: None,
    service: None,
    stdio: None,
    listening: None,
    connected: None,
    foreign_namespace: false,
};

impl Deref for Closer {
    type Target = Details;

    fn deref(&self) -> &Details {
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for Closer {
    fn deref_mut(&mut self) -> &mut Details {
        self.0.get_or_insert_with(Box::default)
    }
}

/// Room for nothing is nothing.
impl PartialEq for Closer {
    fn eq(&self, other: &Closer) -> bool {
        **self == **other
    }
}

impl From<Details> for Closer {
    fn from(details: Details) -> Closer {
        Closer((details != NOTHING).then(|| Box::new(details)))
    }
}

impl From<Closer> for Details {
    fn from(closer: Closer) -> Details {
        closer.0.map(|details| *details).unwrap_or_default()
    }
}

/// The unit or job a process is in, and that unit's main process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// `systemd` or `launchd`.
    pub manager: String,
    /// Unit or job label.
    pub name: String,
    /// Its main process; `Pid(0)` when it has none left, `None` when that could not be asked.
    pub main_pid: Option<Pid>,
}

/// What a process's stdin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StdioKind {
    /// An anonymous pipe.
    Pipe,
    /// A unix socket, nearly always one end of a socketpair.
    Socket,
    /// `/dev/null`.
    Null,
    /// A terminal.
    Tty,
    /// A file or a device.
    File,
    /// No such descriptor.
    Closed,
    /// Something else, or it could not be read.
    #[serde(other)]
    Unknown,
}

/// The wire a process was started with, on whatever descriptors it lies now, and who holds the
/// other end in each direction. `None` is "not known", empty is "looked, nobody holds it".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stdio {
    /// Kind of stdin.
    pub kind: StdioKind,
    /// Who can write to its stdin.
    pub stdin_peers: Option<Vec<Pid>>,
    /// Who can read its stdout.
    pub stdout_peers: Option<Vec<Pid>>,
}

impl Stdio {
    /// Can somebody be at the other end, as a client is?
    #[must_use]
    pub fn is_wire(&self) -> bool {
        matches!(self.kind, StdioKind::Pipe | StdioKind::Socket)
    }
}
