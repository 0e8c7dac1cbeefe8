//! One process as it was seen: one record for every OS, filled by each as far as it can.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::{Pid, ProcessId, StartTime, Uid};
use crate::bytes::RawText;

/// One row of the process table.
///
/// `None` means "could not be read" or "was not looked at"; it always speaks for leaving the
/// process alone. The JSON form is that of recorded tables (schema 1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct ProcessRecord {
    /// Number and start.
    pub id: ProcessId,
    /// The parent's number; 0 where the parent is outside what can be seen (a container's exec).
    pub parent: Pid,
    /// Process group.
    pub group: Option<Pid>,
    /// Session.
    pub session: Option<Pid>,
    /// Effective user.
    pub uid: Option<Uid>,
    /// Start in seconds since the epoch: for ages and for people, not for identity.
    pub started_at: f64,
    /// Run state.
    pub state: State,
    /// Controlling terminal, such as `pts/3`.
    pub tty: Option<String>,
    /// Resident memory in bytes.
    pub rss: u64,
    /// Swapped-out memory in bytes (Linux, candidates only).
    pub swap: Option<u64>,
    /// Share of one core used over the process's life, in percent.
    pub cpu: Option<f64>,
    /// The short name, at most 15 bytes on Linux.
    pub comm: RawText,
    /// The executable file.
    pub exe: Option<RawText>,
    /// The arguments as they stand now (programs may rewrite them).
    pub argv: Option<Vec<RawText>>,
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

/// Run state, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Z or X: dead, waiting for its parent to collect it.
    Zombie,
    /// T or t: stopped; it hears a signal only after SIGCONT.
    Stopped,
    /// Anything else, as the letter `ps` shows.
    Other(char),
}

impl State {
    /// From the letter of `/proc/PID/stat` and `ps`.
    #[must_use]
    pub fn from_letter(letter: char) -> State {
        match letter {
            'Z' | 'X' | 'x' => State::Zombie,
            'T' | 't' => State::Stopped,
            other => State::Other(other),
        }
    }

    fn letter(self) -> char {
        match self {
            State::Zombie => 'Z',
            State::Stopped => 'T',
            State::Other(letter) => letter,
        }
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

impl ProcessRecord {
    /// A record with nothing but an identity; tests and readers fill in what they know.
    #[must_use]
    pub fn new(pid: Pid, start: StartTime) -> ProcessRecord {
        ProcessRecord {
            id: ProcessId { pid, start },
            parent: Pid(0),
            group: None,
            session: None,
            uid: None,
            started_at: 0.0,
            state: State::Other('S'),
            tty: None,
            rss: 0,
            swap: None,
            cpu: None,
            comm: RawText::default(),
            exe: None,
            argv: None,
            cwd: None,
            env: None,
            cgroup: None,
            service: None,
            stdio: None,
            listening: None,
            connected: None,
            foreign_namespace: false,
        }
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.id.pid
    }

    /// Already dead: no signal can end it and nothing it held is held any more.
    #[must_use]
    pub fn is_zombie(&self) -> bool {
        self.state == State::Zombie
    }

    /// The value of one recorded environment variable.
    #[must_use]
    pub fn env_var(&self, name: &str) -> Option<&str> {
        self.env.as_ref()?.get(name).map(String::as_str)
    }

    /// The command line for people: argv joined by spaces, or comm in brackets as `ps` does it.
    /// Not cleaned and not redacted.
    #[must_use]
    pub fn command(&self) -> String {
        match &self.argv {
            Some(argv) if argv.iter().any(|a| !a.is_empty()) => {
                let words: Vec<_> = argv.iter().map(RawText::to_text).collect();
                words.join(" ")
            }
            _ => format!("[{}]", self.comm),
        }
    }
}

/// The JSON row of a recorded table.
#[derive(Clone, Serialize, Deserialize)]
struct Row {
    pid: Pid,
    ppid: Pid,
    #[serde(default)]
    pgid: Option<Pid>,
    #[serde(default)]
    sid: Option<Pid>,
    #[serde(default)]
    uid: Option<Uid>,
    start: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start_ticks: Option<StartTime>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    tty: Option<String>,
    #[serde(default)]
    rss: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    swap: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cpu: Option<f64>,
    #[serde(default)]
    comm: Option<RawText>,
    #[serde(default)]
    exe: Option<RawText>,
    #[serde(default)]
    argv: Option<Vec<RawText>>,
    #[serde(default)]
    cwd: Option<RawText>,
    #[serde(default)]
    env: Option<BTreeMap<String, String>>,
    #[serde(default)]
    cgroup: Option<String>,
    #[serde(default)]
    service: Option<Service>,
    #[serde(default)]
    stdio: Option<Stdio>,
    #[serde(default)]
    listening: Option<Vec<u16>>,
    #[serde(default)]
    connected: Option<u32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    foreign_namespace: bool,
}

impl From<Row> for ProcessRecord {
    fn from(row: Row) -> ProcessRecord {
        // Negative and absurd starts saturate; equal rows still get equal identities.
        let start = row.start_ticks.unwrap_or(StartTime((row.start * 1e6).round() as u64));
        ProcessRecord {
            id: ProcessId { pid: row.pid, start },
            parent: row.ppid,
            group: row.pgid,
            session: row.sid,
            uid: row.uid,
            started_at: row.start,
            state: State::from_letter(row.state.and_then(|s| s.chars().next()).unwrap_or('?')),
            tty: row.tty,
            rss: row.rss.unwrap_or(0),
            swap: row.swap,
            cpu: row.cpu,
            comm: row.comm.unwrap_or_default(),
            exe: row.exe,
            argv: row.argv,
            cwd: row.cwd,
            env: row.env,
            cgroup: row.cgroup,
            service: row.service,
            stdio: row.stdio,
            listening: row.listening,
            connected: row.connected,
            foreign_namespace: row.foreign_namespace,
        }
    }
}

impl From<ProcessRecord> for Row {
    fn from(record: ProcessRecord) -> Row {
        Row {
            pid: record.id.pid,
            ppid: record.parent,
            pgid: record.group,
            sid: record.session,
            uid: record.uid,
            start: record.started_at,
            start_ticks: Some(record.id.start),
            state: Some(record.state.letter().to_string()),
            tty: record.tty,
            rss: Some(record.rss),
            swap: record.swap,
            cpu: record.cpu,
            comm: Some(record.comm),
            exe: record.exe,
            argv: record.argv,
            cwd: record.cwd,
            env: record.env,
            cgroup: record.cgroup,
            service: record.service,
            stdio: record.stdio,
            listening: record.listening,
            connected: record.connected,
            foreign_namespace: record.foreign_namespace,
        }
    }
}
