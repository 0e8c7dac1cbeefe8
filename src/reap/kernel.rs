//! What ending a process needs from the operating system. One trait acts, the other reads the state of processes
//! during the run. With both replaced, tests rehearse time, signals and races without real processes.

use std::time::Duration;

use crate::bytes::Argv;
use crate::process::{Pid, ProcessId, Uid};

/// The signals that a run sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Signal {
    /// SIGTERM: please end.
    #[serde(rename = "TERM")]
    Term,
    /// SIGCONT: run again, so that it can handle SIGTERM.
    #[serde(rename = "CONT")]
    Cont,
    /// SIGKILL: end now.
    #[serde(rename = "KILL")]
    Kill,
}

/// Why a process could not be held or signalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The process has ended by itself.
    Gone,
    /// The process has ended by itself, and its pid now belongs to another one.
    Reused,
    /// It may not be signalled: it is another user's, in another PID namespace or traced, or the kernel refused.
    Denied(String),
}

/// Ends processes.
///
/// A held process cannot be confused with a later one that has the same pid. On Linux the handle is a pidfd, and the
/// start time is compared after it was opened. On macOS the start time is compared again just before each signal.
pub trait Kernel {
    /// A handle on one process.
    type Held;

    /// Opens a handle on exactly this process.
    ///
    /// # Errors
    /// When it is gone, its pid belongs to another process, or it may not be held.
    fn hold(&mut self, id: ProcessId) -> Result<Self::Held, Refusal>;

    /// Sends a signal to a held process.
    ///
    /// # Errors
    /// When it ended meanwhile or the kernel does not allow it.
    fn signal(&mut self, held: &Self::Held, signal: Signal) -> Result<(), Refusal>;

    /// Waits until all of these have ended, the deadline on [`Kernel::now`]'s clock has passed, or
    /// a signal stopped this run. Returns for each whether it has ended; a zombie has.
    fn wait(&mut self, held: &[&Self::Held], deadline: Duration) -> Vec<bool>;

    /// A clock that only goes forward, from any origin.
    fn now(&self) -> Duration;

    /// The signal that stopped this run, if one came.
    fn interrupted(&self) -> Option<i32>;
}

/// Reads the current state of processes while a run goes on. `None` means that it could not be read, which is a
/// reason to leave the process alone.
pub trait Lookout {
    /// The process table now, as far as needed to find the children that targets had meanwhile.
    fn process_table(&mut self) -> ProcessTable;

    /// The pipes and sockets on the descriptors of exactly this process. `None` when they cannot be read, the process
    /// is gone, or this system does not number them.
    fn wires(&mut self, id: ProcessId) -> Option<Vec<HeldPipe>>;

    /// The arguments of exactly this process, not yet redacted; empty when they cannot be read.
    fn argv(&mut self, id: ProcessId) -> Argv;

    /// Which process traces this one (a debugger, strace); `None` for none.
    ///
    /// # Errors
    /// When it is gone, or the answer could not be read.
    fn tracer(&mut self, id: ProcessId) -> Result<Option<Pid>, Refusal>;

    /// What this process has done since it started; `None` when it is gone or cannot be read.
    fn activity(&mut self, id: ProcessId) -> Option<Activity>;
}

/// A pipe or a socket on a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldPipe {
    /// The descriptor.
    pub fd: u32,
    /// Identifies the pipe or socket: its inode on Linux, which is given to no other one during a run.
    pub number: u64,
}

/// What a process has done since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Processor time used.
    pub cpu: Duration,
    /// Bytes written to any descriptor; `None` where that cannot be read.
    pub written: Option<u64>,
}

/// The process table at one moment. It includes zombies and other users' processes, because they may be in the group or
/// session of a target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcessTable {
    /// The rows that could be read.
    pub rows: Vec<ProcessRow>,
    /// No row is missing. A missing one could be the one that matters.
    pub complete: bool,
}

/// One row of [`ProcessTable`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProcessRow {
    /// Pid and start time.
    pub id: ProcessId,
    /// Its parent's pid.
    pub parent: Pid,
    /// The id of its process group, which is the pid of the process that opened it; `None` where it cannot be seen.
    pub group: Option<Pid>,
    /// The id of its session, which is the pid of the process that opened it; `None` where it cannot be seen.
    pub session: Option<Pid>,
    /// Its effective user.
    pub uid: Option<Uid>,
    /// This run may end processes of that user.
    pub ours: bool,
    /// It has ended and was not collected by its parent yet.
    pub zombie: bool,
    /// It is stopped, and needs SIGCONT to handle SIGTERM.
    pub stopped: bool,
    /// Start in seconds since the epoch, for the record.
    pub started_at: f64,
    /// Unique numbers of this process and of the one that forked it; `None` where the system has none (Linux).
    pub lineage: Option<Lineage>,
}

/// Unique process numbers of macOS, which no other process gets until the machine restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The number of this process.
    pub own: u64,
    /// The number of the process that forked it, also after this process was adopted.
    pub parent: u64,
}
