//! The record of a guardian's run: the run lock is held for a look and for intents, never for a wait.
//!
//! Two hundred guardians whose clients die together would otherwise wait for each other's graces. What
//! has happened is kept in memory until the next intent or the end of the run, each with its own time.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::super::recorder::{Totals, Translator, run_finished, run_started};
use crate::audit::{AuditError, AuditEvent, AuditLog, RunId, RunLock, StartedBy};
use crate::plan::Plan;
use crate::policy::Retention;
use crate::process::Pid;
use crate::reap::{MemberEvent, Recorder};

/// Writes into the audit log by turns.
pub(super) struct ShortLocks {
    directory: PathBuf,
    retention: Retention,
    run: RunId,
    patience: Duration,
    translator: Translator,
    /// What is not written yet.
    waiting: Vec<(DateTime<Utc>, AuditEvent)>,
    /// The lock, from a look to its intents.
    lock: Option<RunLock>,
}

impl ShortLocks {
    /// Waits for the lock.
    ///
    /// # Errors
    /// When it cannot be had, or not in time: nothing is ended then.
    pub(super) fn take(
        directory: PathBuf,
        retention: Retention,
        patience: Duration,
    ) -> anyhow::Result<ShortLocks> {
        let mut recorder = ShortLocks {
            directory,
            retention,
            run: RunId::new(Utc::now(), Pid(std::process::id())),
            patience,
            translator: Translator::default(),
            waiting: Vec::new(),
            lock: None,
        };
        recorder.lock = Some(recorder.acquire()?);
        Ok(recorder)
    }

    /// Notes that the run began. It reaches the disk with its first intents.
    pub(super) fn started(&mut self, plan: &Plan) {
        self.waiting.push((Utc::now(), run_started(StartedBy::Exec, plan)));
    }

    /// Writes down the end of the run, and whatever was not written before.
    pub(super) fn finished(
        &mut self,
        totals: &Totals,
        interrupted_by: Option<i32>,
    ) -> Result<(), AuditError> {
        self.waiting.push((Utc::now(), run_finished(totals, interrupted_by)));
        self.write(&[])
    }

    /// Writes a run that ended nothing and left an instance alone.
    pub(super) fn left_alone(mut self, withheld: AuditEvent) -> Result<(), AuditError> {
        self.started(&Plan::default());
        self.waiting.push((Utc::now(), withheld));
        self.finished(&Totals::default(), None)
    }

    fn write(&mut self, intents: &[AuditEvent]) -> Result<(), AuditError> {
        let lock = match self.lock.take() {
            Some(lock) => lock,
            None => self.acquire()?,
        };
        let now = Utc::now();
        let mut log = AuditLog::open(lock, self.retention, self.run.clone(), now)?;
        for (at, event) in self.waiting.drain(..) {
            log.append(at, &event)?;
        }
        log.append_durably(now, intents)
    }

    fn acquire(&self) -> Result<RunLock, AuditError> {
        let until = Instant::now() + self.patience;
        let lock = RunLock::acquire_waiting(&self.directory, || Instant::now() < until)?;
        let mut lock = lock.ok_or_else(|| AuditError::Io {
            doing: "lock",
            path: self.directory.clone(),
            source: std::io::ErrorKind::TimedOut.into(),
        })?;
        lock.sign(StartedBy::Exec);
        Ok(lock)
    }
}

impl Recorder for ShortLocks {
    type Error = AuditError;

    fn intend(&mut self, intents: &[MemberEvent<'_>]) -> Result<(), AuditError> {
        self.write(&self.translator.intents(intents))
    }

    fn note(&mut self, event: &MemberEvent<'_>) -> Result<(), AuditError> {
        let event = self.translator.happened(event);
        self.waiting.push((Utc::now(), event));
        Ok(())
    }
}
