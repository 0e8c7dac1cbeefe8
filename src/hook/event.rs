//! Reads the event that a client writes to the stdin of a hook.
//!
//! Claude Code, Codex, Gemini CLI and Cursor send one JSON object with the same few fields. The pipe may stay open
//! after it, so reading stops at the end of the object and not at the end of the input.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde::Deserialize;
use thiserror::Error;

/// The largest event in bytes. Ours take a few hundred; other events may contain the output of a tool.
pub const LARGEST: usize = 1 << 20;

/// How long to wait for the event by default. The client writes it before the hook runs, and all hooks at a session's
/// end share 1.5 s.
pub const PATIENCE: Duration = Duration::from_millis(100);

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookEvent {
    /// The client's name for the session.
    pub session_id: Option<String>,
    /// What happened.
    pub kind: HookEventKind,
    /// The session's working directory.
    pub cwd: Option<PathBuf>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookEventKind {
    /// A session began, or goes on under this name.
    SessionStart {
        /// Claude Code: `startup`, `resume`, `clear`, `compact`, `fork`. Empty if not given.
        source: String,
    },
    /// A session ended.
    SessionEnd {
        /// Claude Code: `clear`, `resume`, `logout`, `prompt_input_exit`, `other`. Empty if not given.
        reason: String,
    },
    /// Another event, with the client's name for it.
    Other(String),
}

/// Why there is no event.
#[derive(Debug, Error)]
pub enum EventError {
    /// No event, or only a part of one, came in time.
    #[error("no complete event within {} ms", .0.as_millis())]
    TooLate(Duration),
    /// The input ended before the event did.
    #[error("the input ended after {0} bytes, without an event")]
    Truncated(usize),
    /// The input is larger than any event.
    #[error("more than {0} bytes and no event")]
    TooLarge(usize),
    /// The input is no event.
    #[error("not an event: {0}")]
    NotAnEvent(#[from] serde_json::Error),
    /// What the operating system reports.
    #[error(transparent)]
    Io(#[from] io::Error),
}

#[derive(Deserialize)]
struct Raw {
    hook_event_name: String,
    session_id: Option<String>,
    source: Option<String>,
    reason: Option<String>,
    cwd: Option<PathBuf>,
}

impl From<Raw> for HookEvent {
    fn from(raw: Raw) -> HookEvent {
        // The names of Cursor begin with a small letter.
        let kind = match raw.hook_event_name.as_str() {
            "SessionStart" | "sessionStart" => {
                HookEventKind::SessionStart { source: raw.source.unwrap_or_default() }
            }
            "SessionEnd" | "sessionEnd" => {
                HookEventKind::SessionEnd { reason: raw.reason.unwrap_or_default() }
            }
            _ => HookEventKind::Other(raw.hook_event_name),
        };
        HookEvent { session_id: raw.session_id.filter(|id| !id.is_empty()), kind, cwd: raw.cwd }
    }
}

/// Reads one event, of at most `limit` bytes and within `patience`.
///
/// # Errors
/// When no event comes. The hook then does nothing, so that it does not disturb a session.
pub fn read_event(
    mut input: impl Read + AsFd,
    limit: usize,
    patience: Duration,
) -> Result<HookEvent, EventError> {
    let begun = Instant::now();
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 16 << 10];
    loop {
        match readable(&input, patience.saturating_sub(begun.elapsed())) {
            Ok(true) => {}
            Ok(false) => return Err(EventError::TooLate(patience)),
            // After a signal it goes on waiting until the same deadline.
            Err(Errno::INTR) => continue,
            Err(error) => return Err(io::Error::from(error).into()),
        }
        let count = match input.read(&mut chunk) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // Another reader of the pipe has read the data.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        };
        bytes.extend_from_slice(&chunk[..count]);
        // The bytes are parsed only if they end like an object. Otherwise a slow writer would cause a parse for each
        // byte.
        let may_be_whole = bytes.trim_ascii_end().ends_with(b"}") || count == 0 || bytes.len() > limit;
        if may_be_whole && let Some(event) = first_event(&bytes)? {
            return Ok(event);
        }
        if count == 0 {
            return Err(EventError::Truncated(bytes.len()));
        }
        if bytes.len() > limit {
            return Err(EventError::TooLarge(limit));
        }
    }
}

/// Waits until there is data or the end of the input.
fn readable(input: &impl AsFd, patience: Duration) -> Result<bool, Errno> {
    let timeout = Timespec::try_from(patience).map_err(|_| Errno::INVAL)?;
    Ok(poll(&mut [PollFd::new(input, PollFlags::IN)], Some(&timeout))? > 0)
}

/// The event at the beginning of the bytes; `None` if it is not complete.
fn first_event(bytes: &[u8]) -> Result<Option<HookEvent>, EventError> {
    match serde_json::Deserializer::from_slice(bytes).into_iter::<Raw>().next() {
        Some(Ok(raw)) => Ok(Some(raw.into())),
        Some(Err(error)) if error.is_eof() => Ok(None),
        Some(Err(error)) => Err(error.into()),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests;
