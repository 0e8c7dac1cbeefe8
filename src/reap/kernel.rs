//! What ending a process needs from the operating system: a few verbs, so that time and signals can
//! be rehearsed without either.

use std::time::Duration;

use crate::bytes::Argv;
use crate::process::{Pid, ProcessId};

/// The two ways of asking, and the one that lets a stopped process hear them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Signal {
    /// SIGTERM: please end.
    #[serde(rename = "TERM")]
    Term,
    /// SIGCONT: run again, so that the request can be heard.
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
    /// The kernel said no (another user, another PID namespace, a security module).
    Denied(String),
}

/// The operating system, as the reaper sees it.
///
/// A held process cannot be confused with a later one of the same number: on Linux it is a pidfd
/// whose start time was compared after opening; on macOS the start time is compared again just
/// before each signal.
pub trait Kernel {
    /// A handle on one living process.
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
    /// somebody asked us to stop; says for each whether it has ended. A zombie has ended.
    fn wait(&mut self, held: &[&Self::Held], deadline: Duration) -> Vec<bool>;

    /// A clock that only goes forward, from any origin.
    fn now(&self) -> Duration;

    /// The arguments of a held process, for the record; none when they cannot be read.
    fn argv(&mut self, held: &Self::Held) -> Argv;

    /// Who is in the process table now, as far as needed to find the children that targets had
    /// meanwhile. Zombies and processes of other users are left out.
    fn family(&mut self) -> Vec<ProcessRow>;

    /// The wires of exactly this process; `None` when they cannot be read, the process is gone, or this
    /// system has no such numbers.
    fn wires(&mut self, id: ProcessId) -> Option<Wires>;

    /// The signal that asked us to stop, if one came.
    fn interrupted(&self) -> Option<i32>;
}

/// The pipes and sockets on the descriptors 0, 1 and 2 of a process, each by a number that is not given
/// to another while this run takes; `None` for what is neither.
pub type Wires = [Option<u64>; 3];

/// One row of [`Kernel::family`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProcessRow {
    /// Who.
    pub id: ProcessId,
    /// Its parent's number.
    pub parent: Pid,
    /// The number of its process group: that of the process that opened it. `None` where it cannot
    /// be seen.
    pub group: Option<Pid>,
    /// The number of its session, in the same way.
    pub session: Option<Pid>,
    /// True when it is stopped and needs SIGCONT to hear SIGTERM.
    pub stopped: bool,
    /// Start in seconds since the epoch, for the record.
    pub started_at: f64,
}
