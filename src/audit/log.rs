//! Appends events to the audit log: whole lines or nothing, and written to the disk if that is needed.

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

/// The log for one run. No other run writes it while this value exists.
#[derive(Debug)]
pub struct AuditLog<S = File> {
    sink: S,
    path: PathBuf,
    run: RunId,
    /// Whether the last line has no end, because a run was killed or the disk was full while it was written.
    torn: bool,
    /// Whether an fsync has failed. A later success would then prove nothing about the disk.
    broken: bool,
    _lock: Option<RunLock>,
}

impl AuditLog {
    /// Opens the log in the state directory whose lock this run has. Before that, a file of a former day or of full size is
    /// put aside, and old files are deleted, by the day of `now`.
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
    /// A log that writes to any sink, which must be empty or end with a whole line.
    #[cfg(test)]
    pub(crate) fn over(sink: S, run: RunId) -> AuditLog<S> {
        AuditLog { sink, path: CURRENT.into(), run, torn: false, broken: false, _lock: None }
    }

    /// Appends one event. It survives the end of this process, but not a crash of the machine. Outcomes are written this
    /// way.
    ///
    /// # Errors
    /// When it could not be written completely. The log then contains no part of it.
    pub fn append(&mut self, at: DateTime<Utc>, event: &AuditEvent) -> Result<(), AuditError> {
        self.write_lines(at, std::slice::from_ref(event)).map(|_| ())
    }

    /// Appends events in one write, and returns when all of them are on the disk. All intents are written this way before
    /// the first signal.
    ///
    /// # Errors
    /// When it is not certain that all of them are on the disk. Then none of them counts as written, and no signal may be
    /// sent. After a failed fsync every further call fails.
    pub fn append_durably(&mut self, at: DateTime<Utc>, events: &[AuditEvent]) -> Result<(), AuditError> {
        let before = self.write_lines(at, events)?;
        let synced = self.sink.sync();
        if synced.is_err() {
            self.broken = true;
            // Intents that are given up are removed if possible, so that nobody reads them.
            let _ = self.sink.truncate(before);
        }
        synced.map_err(AuditError::io("sync", &self.path))
    }

    /// Writes whole lines. If that fails, it removes the part that was written. Returns the length before.
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

    /// Cuts off the part that was written by a failed write, if it is still the end of the file.
    fn take_back(&mut self, before: u64, written: usize) {
        let end = before.saturating_add(written as u64);
        let gone = written == 0
            || (self.sink.size().is_ok_and(|size| size == end) && self.sink.truncate(before).is_ok());
        // If a part is left, the next event begins with a newline.
        self.torn |= !gone;
    }
}

#[cfg(test)]
mod tests;
