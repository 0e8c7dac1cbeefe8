//! How a run ended, as what happened and not as a number.

use std::process::ExitCode;

/// What happened, from the point of view of a script that called us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; for `check`: healthy.
    Fine,
    /// `check` found something, a target survived or was denied, or something that a person chose stays.
    NotFine,
    /// Usage, configuration or environment error; nothing was ended.
    Refused,
    /// The answer of a monitoring plugin: 0 to 3, which mean OK, WARNING, CRITICAL and UNKNOWN.
    Plugin(u8),
    /// `exec` could not start its command: 127 where there is none, 126 where it cannot be run.
    NotStarted(u8),
    /// Stopped by this signal, after the audit log was closed.
    Signalled(i32),
}

impl Exit {
    /// For a command that reports whether all is well.
    pub(crate) fn fine_if(fine: bool) -> Exit {
        if fine { Exit::Fine } else { Exit::NotFine }
    }

    /// The number scripts see: 0, 1, 2 or 128 + signal; 0 to 3 for a monitoring plugin; 126 or 127
    /// for a command that `exec` could not start.
    pub fn code(self) -> u8 {
        match self {
            Exit::Fine => 0,
            Exit::NotFine => 1,
            Exit::Refused => 2,
            Exit::Plugin(code) | Exit::NotStarted(code) => code,
            Exit::Signalled(signal) => 128u8.saturating_add(u8::try_from(signal).unwrap_or(127)),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
