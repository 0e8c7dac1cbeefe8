//! Writes the audit log during a run, and counts what the run ended.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::Utc;

use crate::audit::{AuditError, AuditEvent, AuditLog, Sink, StartedBy, Subject};
use crate::plan::{Plan, Target, TargetMember, Withheld};
use crate::process::{Pid, ProcessId, Uid};
use crate::reap::{Ended, MemberEvent, Outcome, Recorder, RunReport, Signal, Step};
use crate::render::figures::{count, elapsed, size_of};

/// Writes the steps of a run into the audit log.
pub(super) struct AuditRecorder<S = std::fs::File> {
    log: AuditLog<S>,
    translator: Translator,
}

/// Translates the steps of a run into events of the audit log.
#[derive(Default)]
pub(super) struct Translator {
    first_signal: HashMap<ProcessId, Instant>,
}

impl<S: Sink> AuditRecorder<S> {
    pub(super) fn new(log: AuditLog<S>) -> AuditRecorder<S> {
        AuditRecorder { log, translator: Translator::default() }
    }

    pub(super) fn started(&mut self, by: StartedBy, plan: &Plan) -> Result<(), AuditError> {
        self.append(&run_started(by, plan))
    }

    /// Records the instances that are withheld.
    pub(super) fn withheld(&mut self, withheld: &[Withheld]) -> Result<(), AuditError> {
        for instance in withheld {
            let id = instance.root;
            self.append(&AuditEvent::Withheld {
                subject: Subject::new(id, instance.started_at, &instance.server, id.pid, "root"),
                pids: instance.pids.clone(),
                verdict: instance.verdict.as_str().to_owned(),
                reason: instance.why.as_str().to_owned(),
            })?;
        }
        Ok(())
    }

    pub(super) fn finished(
        &mut self,
        totals: &Totals,
        interrupted_by: Option<i32>,
    ) -> Result<(), AuditError> {
        self.log.append_durably(Utc::now(), &[run_finished(totals, interrupted_by)])
    }

    fn append(&mut self, event: &AuditEvent) -> Result<(), AuditError> {
        self.log.append(Utc::now(), event)
    }
}

/// The first event of a run.
pub(super) fn run_started(by: StartedBy, plan: &Plan) -> AuditEvent {
    let targets = plan.targets.iter().map(|target| target.members.len()).sum::<usize>();
    AuditEvent::RunStarted {
        started_by: by,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: Pid(std::process::id()),
        uid: Uid(nix::unistd::geteuid().as_raw()),
        targets: u32::try_from(targets).unwrap_or(u32::MAX),
    }
}

/// The last event of a run.
pub(super) fn run_finished(totals: &Totals, interrupted_by: Option<i32>) -> AuditEvent {
    AuditEvent::RunFinished {
        instances: totals.instances,
        processes: totals.processes,
        rss_reclaimed: totals.rss,
        duration_ms: millis(totals.duration),
        failed: totals.failed,
        interrupted_by,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Translator {
    /// The event for a step that has happened. The time that a process takes to end counts from its first signal.
    pub(super) fn happened(&mut self, event: &MemberEvent<'_>) -> AuditEvent {
        if matches!(event.step, Step::Signalled(Signal::Term | Signal::Kill)) {
            self.first_signal.entry(event.member.id).or_insert_with(Instant::now);
        }
        self.translate(event)
    }

    /// The events for signals that are about to be sent.
    pub(super) fn intents(&self, intents: &[MemberEvent<'_>]) -> Vec<AuditEvent> {
        intents.iter().map(|event| self.translate(event)).collect()
    }

    fn translate(&self, event: &MemberEvent<'_>) -> AuditEvent {
        let (target, member) = (event.target, event.member);
        let subject = subject_of(target, member);
        let after_ms = millis(self.first_signal.get(&member.id).map(Instant::elapsed).unwrap_or_default());
        match &event.step {
            Step::Intent(signal) => AuditEvent::intent(subject, *signal, target, member),
            Step::Signalled(signal) => AuditEvent::Signalled { subject, signal: *signal },
            Step::Ended(outcome) => match outcome {
                Outcome::Exited => AuditEvent::Exited { subject, after_ms },
                Outcome::Killed => AuditEvent::Killed { subject, after_ms },
                Outcome::Survived => AuditEvent::Survived { subject, after_ms },
                Outcome::Denied(error) => AuditEvent::Denied { subject, error: error.clone() },
                Outcome::Vanished => AuditEvent::Vanished { subject },
                Outcome::Withheld(reason) => AuditEvent::Withheld {
                    subject,
                    pids: vec![member.id.pid],
                    verdict: target.verdict.as_str().to_owned(),
                    reason: reason.clone(),
                },
            },
        }
    }
}

impl<S: Sink> Recorder for AuditRecorder<S> {
    type Error = AuditError;

    fn intend(&mut self, intents: &[MemberEvent<'_>]) -> Result<(), AuditError> {
        self.log.append_durably(Utc::now(), &self.translator.intents(intents))
    }

    fn note(&mut self, event: &MemberEvent<'_>) -> Result<(), AuditError> {
        let event = self.translator.happened(event);
        self.append(&event)
    }
}

fn subject_of(target: &Target, member: &TargetMember) -> Subject {
    Subject::new(member.id, member.started_at, &target.server, target.root().pid, member.part.as_str())
}

/// The totals of a run.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Instances that were ended in full.
    pub(super) instances: u32,
    /// Processes that are gone.
    pub(super) processes: u32,
    /// Processes that survived or were denied.
    pub(super) failed: u32,
    /// Bytes of resident memory they had.
    pub(super) rss: u64,
    /// From the first look to the last outcome.
    pub(super) duration: Duration,
}

impl Totals {
    pub(super) fn of<E>(plan: &Plan, report: &RunReport<E>, duration: Duration) -> Totals {
        let results = || report.results.iter();
        let gone = || results().filter(|ended| ended.outcome.is_gone());
        let is_failed = |ended: &&Ended| matches!(ended.outcome, Outcome::Survived | Outcome::Denied(_));
        let is_whole = |target: &usize| {
            results().filter(|ended| ended.target == *target).all(|ended| ended.outcome.is_gone())
        };
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Totals {
            instances: small((0..plan.targets.len()).filter(is_whole).count()),
            processes: small(gone().count()),
            failed: small(results().filter(is_failed).count()),
            rss: gone().fold(0, |sum, ended| sum.saturating_add(ended.member.rss)),
            duration,
        }
    }

    /// `3 instances, 9 processes, 1.2 GB of 16 GB reclaimed in 1.4s`; `memory` is that of the machine.
    pub(super) fn sentence(&self, memory: Option<u64>) -> String {
        let failed = match self.failed {
            0 => String::new(),
            n => format!("; {} could not be ended", count(n as usize, "process")),
        };
        let instances = count(self.instances as usize, "instance");
        let processes = count(self.processes as usize, "process");
        let memory = size_of(self.rss, memory);
        format!("{instances}, {processes}, {memory} reclaimed in {}{failed}", elapsed(self.duration))
    }
}

#[cfg(test)]
mod tests;
