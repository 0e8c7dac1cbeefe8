//! Records a guardian's run in the audit log. The run lock is held during a look and while intents are written, but
//! never during a wait.
//!
//! Otherwise two hundred guardians whose clients die together would wait for each other's graces. Outcomes are kept in
//! memory, each with its time, until the next intent or the end of the run.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::super::recorder::{Totals, Translator, run_finished, run_started};
use crate::audit::{AuditError, AuditEvent, AuditLog, RunId, RunLock, StartedBy};
use crate::plan::Plan;
use crate::policy::Retention;
use crate::process::Pid;
use crate::reap::{MemberEvent, Recorder};

/// Writes into the audit log and holds the run lock only for that.
pub(super) struct ShortLocks {
    directory: PathBuf,
    retention: Retention,
    run: RunId,
    patience: Duration,
    translator: Translator,
    /// Events that are not written yet.
    waiting: Vec<(DateTime<Utc>, AuditEvent)>,
    /// The lock, held from a look until its intents are written.
    lock: Option<RunLock>,
}

impl ShortLocks {
    /// Waits for the lock.
    ///
    /// # Errors
    /// When it cannot be taken, or not in time. Nothing is ended then.
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

    /// Notes that the run began. This is written to disk with the first intents.
    pub(super) fn started(&mut self, plan: &Plan) {
        self.waiting.push((Utc::now(), run_started(StartedBy::Exec, plan)));
    }

    /// Writes the events that are not written yet, and the end of the run.
    pub(super) fn finished(
        &mut self,
        totals: &Totals,
        interrupted_by: Option<i32>,
    ) -> Result<(), AuditError> {
        self.waiting.push((Utc::now(), run_finished(totals, interrupted_by)));
        self.write(&[])
    }

    /// Writes a whole run that ended nothing and left an instance alone.
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
