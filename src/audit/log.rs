//! Appends events: whole lines or nothing, and on disk where that is needed.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::event::{AuditEvent, Record, RunId, SCHEMA};
use super::lock::RunLock;
use super::rotate::rotate;
use super::sink::Sink;
use super::{AuditError, CURRENT};
use crate::policy::Retention;

/// The log of one run, which alone writes it as long as this value exists.
#[derive(Debug)]
pub struct AuditLog<S = File> {
    sink: S,
    path: PathBuf,
    run: RunId,
    /// The last line has no end: a run was killed or the disk was full while it was written.
    torn: bool,
    /// An fsync failed: no later success of this log proves anything about the disk.
    broken: bool,
    _lock: Option<RunLock>,
}

impl AuditLog {
    /// Opens the log of the state directory whose lock this run has. First files of former days
    /// and files of full size are put aside and files past their time deleted, by the day of `now`.
    ///
    /// # Errors
    /// When a file cannot be opened, moved or trusted; then nothing may be ended.
    pub fn open(
        lock: RunLock,
        retention: Retention,
        run: RunId,
        now: DateTime<Utc>,
    ) -> Result<AuditLog, AuditError> {
        let directory = &lock.directory;
        rotate(directory, retention, now)?;
        let (file, _) = directory.append_to(CURRENT)?;
        let failed = |error| directory.failed("examine", CURRENT, error);
        let len = file.metadata().map_err(failed)?.len();
        let mut last = *b"\n";
        if len > 0 {
            file.read_exact_at(&mut last, len - 1).map_err(failed)?;
        }
        let path = directory.path_of(CURRENT);
        let torn = last != *b"\n";
        Ok(AuditLog { sink: file, path, run, torn, broken: false, _lock: Some(lock) })
    }
}

impl<S: Sink> AuditLog<S> {
    /// A log over anything. Takes the sink for empty or ending with a whole line.
    #[cfg(test)]
    pub(crate) fn over(sink: S, run: RunId) -> AuditLog<S> {
        AuditLog { sink, path: CURRENT.into(), run, torn: false, broken: false, _lock: None }
    }

    /// Appends one event. It survives the end of this process, but not of the machine: outcomes
    /// are written so.
    ///
    /// # Errors
    /// When it could not be written in full; the log then holds no part of it.
    pub fn append(&mut self, at: DateTime<Utc>, event: &AuditEvent) -> Result<(), AuditError> {
        self.write_lines(at, std::slice::from_ref(event)).map(|_| ())
    }

    /// Appends events as one write and returns when all of them are on the disk: intents are
    /// written so, all of them before the first signal.
    ///
    /// # Errors
    /// When not all of them are on the disk for certain; then none of them counts as written, and
    /// no signal may follow. After a failed fsync every further call fails.
    pub fn append_durably(&mut self, at: DateTime<Utc>, events: &[AuditEvent]) -> Result<(), AuditError> {
        let before = self.write_lines(at, events)?;
        let synced = self.sink.sync();
        if synced.is_err() {
            self.broken = true;
            // Best effort: intents that were given up should not be read.
            let _ = self.sink.truncate(before);
        }
        synced.map_err(AuditError::io("sync", &self.path))
    }

    /// Writes whole lines, or takes back what was written of them. Returns the length before.
    fn write_lines(&mut self, at: DateTime<Utc>, events: &[AuditEvent]) -> Result<u64, AuditError> {
        if self.broken {
            return Err(AuditError::Broken { path: self.path.clone() });
        }
        let mut bytes = Vec::with_capacity(512 * events.len());
        if self.torn {
            bytes.push(b'\n');
        }
        for event in events {
            let record = Record { schema: SCHEMA, at, run: self.run.clone(), event: event.clone() };
            let written = serde_json::to_writer(&mut bytes, &record);
            written.map_err(|error| AuditError::io("write", &self.path)(error.into()))?;
            bytes.push(b'\n');
        }
        let before = self.sink.size().map_err(AuditError::io("examine", &self.path))?;
        let mut written = 0;
        while written < bytes.len() {
            match self.sink.write(&bytes[written..]) {
                Ok(count) if count > 0 => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                failed => {
                    self.take_back(before, written);
                    let source = failed.err().unwrap_or_else(|| io::ErrorKind::WriteZero.into());
                    return Err(AuditError::io("write", &self.path)(source));
                }
            }
        }
        self.torn = false;
        Ok(before)
    }

    /// After a failed write: cuts off the part that was written, if it is still the end of the file.
    fn take_back(&mut self, before: u64, written: usize) {
        let end = before.saturating_add(written as u64);
        let gone = written == 0
            || (self.sink.size().is_ok_and(|size| size == end) && self.sink.truncate(before).is_ok());
        // What could not be cut off is closed with a newline by the next event.
        self.torn |= !gone;
    }
}

#[cfg(test)]
mod tests;
