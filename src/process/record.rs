//! One process as it was seen: one record for every OS, filled by each as far as it can.

use super::details::{LazyDetails, Stdio};
use super::id::{Pid, ProcessId, StartTime, Uid};
use crate::bytes::{Argv, RawText, to_text};

/// One row of the process table.
///
/// `None` means "could not be read" or "was not looked at"; it is always a reason to leave the
/// process alone. The JSON form is that of recorded tables (schema 1).
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessRecord {
    /// Number and start.
    pub id: ProcessId,
    /// The parent's number; 0 where the parent is outside what can be seen (a container's exec).
    pub parent: Pid,
    /// Process group; 0 where its leader is outside what can be seen.
    pub group: Pid,
    /// Session; 0 likewise.
    pub session: Pid,
    /// Effective user.
    pub uid: Option<Uid>,
    /// Start in seconds since the epoch: for ages and for people, not for identity.
    pub started_at: f64,
    /// Run state.
    pub state: ProcessState,
    /// Resident memory in bytes.
    pub rss: u64,
    /// Share of one core used over the process's life, in percent.
    pub cpu: Option<f32>,
    /// The short name, at most 15 bytes on Linux.
    pub comm: RawText,
    /// The arguments as they are now (programs may rewrite them).
    pub argv: Option<Argv>,
    /// The details, read only for the few processes that matter.
    pub details: LazyDetails,
}

/// Run state, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// Z or X: dead, waiting for its parent to collect it.
    Zombie,
    /// T: stopped; it handles a signal only after SIGCONT.
    Stopped,
    /// t: stopped by its tracer.
    Traced,
    /// Anything else, as the letter `ps` shows.
    Other(u8),
}

impl ProcessState {
    /// From the letter of `/proc/PID/stat` and `ps`.
    pub fn from_letter(letter: u8) -> ProcessState {
        match letter {
            b'Z' | b'X' | b'x' => ProcessState::Zombie,
            b'T' => ProcessState::Stopped,
            b't' => ProcessState::Traced,
            other => ProcessState::Other(other),
        }
    }

    /// Does it need SIGCONT to handle a signal?
    pub fn is_stopped(self) -> bool {
        matches!(self, ProcessState::Stopped | ProcessState::Traced)
    }

    pub(super) fn letter(self) -> char {
        match self {
            ProcessState::Zombie => 'Z',
            ProcessState::Stopped => 'T',
            ProcessState::Traced => 't',
            ProcessState::Other(letter) => char::from(letter),
        }
    }
}

impl ProcessRecord {
    /// A record with nothing but an identity; tests and readers fill in what they know.
    pub fn new(pid: Pid, start: StartTime) -> ProcessRecord {
        ProcessRecord {
            id: ProcessId { pid, start },
            parent: Pid(0),
            group: Pid(0),
            session: Pid(0),
            uid: None,
            started_at: 0.0,
            state: ProcessState::Other(b'S'),
            rss: 0,
            cpu: None,
            comm: RawText::default(),
            argv: None,
            details: LazyDetails::default(),
        }
    }

    /// A process of which only the arguments are known.
    pub(crate) fn with_argv(argv: Argv) -> ProcessRecord {
        ProcessRecord { argv: Some(argv), ..ProcessRecord::new(Pid(0), StartTime(0)) }
    }

    /// Its number.
    pub fn pid(&self) -> Pid {
        self.id.pid
    }

    /// Already dead: no signal can end it and nothing it held is held any more.
    pub fn is_zombie(&self) -> bool {
        self.state == ProcessState::Zombie
    }

    /// Known to be on a pipe or a socket.
    pub fn is_wired(&self) -> bool {
        self.details.stdio.as_ref().is_some_and(Stdio::is_wire)
    }

    /// Are its stdin and stdout neither pipes nor sockets? `None` where that is not known.
    pub(crate) fn is_off_wire(&self) -> Option<bool> {
        self.details.stdio.as_ref().and_then(Stdio::is_off_wire)
    }

    /// The value of one recorded environment variable.
    pub fn env_var(&self, name: &str) -> Option<&str> {
        self.details.env.as_ref()?.get(name).map(String::as_str)
    }

    /// The command line for people: argv joined by spaces, or comm in brackets as `ps` does it.
    /// Not cleaned and not redacted.
    pub fn command(&self) -> String {
        match &self.argv {
            Some(argv) if argv.iter().any(|word| !word.is_empty()) => {
                argv.iter().map(to_text).collect::<Vec<_>>().join(" ")
            }
            _ => format!("[{}]", self.comm),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_small_because_there_are_twenty_thousand() {
        // 2 MB of the 9 for a look at 20,000 processes; the arguments come on top of that.
        assert!(size_of::<ProcessRecord>() <= 104, "{}", size_of::<ProcessRecord>());
        assert_eq!(
            size_of::<Option<ProcessRecord>>(),
            size_of::<ProcessRecord>(),
            "the table is read in place"
        );
    }
}
