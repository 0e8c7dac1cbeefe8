//! What ending a process needs from the operating system: one trait for acting and one for looking
//! again meanwhile, so that time, signals and races can be rehearsed without real processes.

use std::time::Duration;

use crate::bytes::Argv;
use crate::process::{Pid, ProcessId, Uid};

/// The two signals that end, and the one that lets a stopped process take them.
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
    /// No such process any more: it ended by itself, which is a success.
    Gone,
    /// The number now belongs to another process: ours ended by itself, and the other is not ours.
    Reused,
    /// It may not be signalled: another user's, in another PID namespace, traced, or the kernel refused.
    Denied(String),
}

/// Acting: the operating system as far as it ends processes.
///
/// A held process cannot be confused with a later one of the same number: on Linux it is a pidfd
/// whose start time was compared after opening; on macOS the start time is compared again just
/// before each signal.
pub trait Kernel {
    /// A handle on one process.
    type Held;

    /// Takes hold of exactly this process.
    ///
    /// # Errors
    /// When it is gone, its number belongs to another, or it may not be held.
    fn hold(&mut self, id: ProcessId) -> Result<Self::Held, Refusal>;

    /// Sends a signal to a held process.
    ///
    /// # Errors
    /// When it ended meanwhile or the kernel does not allow it.
    fn signal(&mut self, held: &Self::Held, signal: Signal) -> Result<(), Refusal>;

    /// Waits until all of these have ended, the deadline on [`Kernel::now`]'s clock has passed, or
    /// a signal stopped this run; returns for each whether it has ended. A zombie has ended.
    fn wait(&mut self, held: &[&Self::Held], deadline: Duration) -> Vec<bool>;

    /// A clock that only goes forward, from any origin.
    fn now(&self) -> Duration;

    /// The signal that stops this run, if one came.
    fn interrupted(&self) -> Option<i32>;
}

/// Looking again while a run goes on. Every answer is of the moment; `None` means that it could not be
/// read, which is a reason to leave it alone.
pub trait Lookout {
    /// The process table now, as far as needed to find the children that targets had meanwhile.
    fn process_table(&mut self) -> ProcessTable;

    /// The pipes and sockets on the descriptors of exactly this process, each with its descriptor; `None`
    /// when they cannot be read, the process is gone, or this system has no such numbers.
    fn wires(&mut self, id: ProcessId) -> Option<Vec<HeldPipe>>;

    /// The arguments of exactly this process, not yet redacted; none when they cannot be read.
    fn argv(&mut self, id: ProcessId) -> Argv;

    /// Which process traces this one (a debugger, strace); `None` for none.
    ///
    /// # Errors
    /// When it is gone, or the answer could not be read.
    fn tracer(&mut self, id: ProcessId) -> Result<Option<Pid>, Refusal>;

    /// What this process has done since it started; `None` when it is gone or cannot be read.
    fn activity(&mut self, id: ProcessId) -> Option<Activity>;
}

/// A pipe or a socket on a descriptor. The number is not given to another while this run takes (an inode on
/// Linux).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldPipe {
    /// On which descriptor.
    pub fd: u32,
    /// Which pipe or socket.
    pub number: u64,
}

/// What a process has done since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Processor time used.
    pub cpu: Duration,
    /// Bytes written, to anything; `None` where that cannot be read.
    pub written: Option<u64>,
}

/// The process table at one moment, zombies and other users' processes too, for they may share a group or a
/// session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcessTable {
    /// What could be read.
    pub rows: Vec<ProcessRow>,
    /// Nothing is missing that was there: a row that is missing could be the one that matters.
    pub complete: bool,
}

/// One row of [`ProcessTable`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProcessRow {
    /// Number and start.
    pub id: ProcessId,
    /// Its parent's number.
    pub parent: Pid,
    /// The number of its process group: that of the process that opened it. `None` where it cannot
    /// be seen.
    pub group: Option<Pid>,
    /// The number of its session, in the same way.
    pub session: Option<Pid>,
    /// Its effective user.
    pub uid: Option<Uid>,
    /// This run may end processes of that user.
    pub ours: bool,
    /// It has ended and was not collected yet.
    pub zombie: bool,
    /// True when it is stopped and needs SIGCONT to handle SIGTERM.
    pub stopped: bool,
    /// Start in seconds since the epoch, for the record.
    pub started_at: f64,
    /// Which process it is and which one forked it, by numbers that are never given twice; `None` where the system has
    /// none (Linux).
    pub lineage: Option<Lineage>,
}

/// Numbers that macOS gives to one process only, until the machine restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The number of this process.
    pub own: u64,
    /// That of the process that forked it, also after another one adopted it.
    pub parent: u64,
}
