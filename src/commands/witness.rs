//! Keeps the audit log while a run goes on, and counts what it ended.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::Utc;

use crate::audit::{self, AuditError, AuditLog, Subject};
use crate::instance::Part;
use crate::plan::{Plan, Target, TargetMember, Withheld};
use crate::process::{Pid, ProcessId, Uid};
use crate::reap::{Event, Outcome, Report, Signal, Step, Witness};
use crate::render::figures::elapsed;
use crate::render::table::count;
use crate::units::show_size;

/// Writes what happens into the audit log.
pub(super) struct AuditWitness {
    log: AuditLog,
    first_signal: HashMap<ProcessId, Instant>,
}

impl AuditWitness {
    pub(super) fn new(log: AuditLog) -> AuditWitness {
        AuditWitness { log, first_signal: HashMap::new() }
    }

    pub(super) fn started(&mut self, by: audit::StartedBy, plan: &Plan) -> Result<(), AuditError> {
        let targets = plan.targets.iter().map(|target| target.members.len()).sum::<usize>();
        self.append(&audit::Event::RunStarted {
            started_by: by,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: Pid(std::process::id()),
            uid: Uid(nix::unistd::geteuid().as_raw()),
            targets: u32::try_from(targets).unwrap_or(u32::MAX),
        })
    }

    /// Notes what would have been ended but is not.
    pub(super) fn withheld(&mut self, withheld: &[Withheld]) -> Result<(), AuditError> {
        for instance in withheld {
            let id = instance.root;
            self.append(&audit::Event::Withheld {
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
        let event = audit::Event::RunFinished {
            instances: totals.instances,
            processes: totals.processes,
            rss_reclaimed: totals.rss,
            duration_ms: u64::try_from(totals.duration.as_millis()).unwrap_or(u64::MAX),
            failed: totals.failed,
            interrupted_by,
        };
        self.log.append_durably(Utc::now(), &[event])
    }

    fn append(&mut self, event: &audit::Event) -> Result<(), AuditError> {
        self.log.append(Utc::now(), event)
    }

    fn after_ms(&self, id: ProcessId) -> u64 {
        let elapsed = self.first_signal.get(&id).map(Instant::elapsed).unwrap_or_default();
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    fn translate(&self, event: &Event<'_>) -> audit::Event {
        let (target, member) = (event.target, event.member);
        let subject = subject_of(target, member);
        let after_ms = self.after_ms(member.id);
        match &event.step {
            Step::Intent(signal) => {
                let verdict = target.verdict.as_str();
                audit::Event::intent(subject, *signal, &member.argv, member.rss, verdict, &target.reason)
            }
            Step::Signalled(signal) => audit::Event::Signalled { subject, signal: *signal },
            Step::Exited => audit::Event::Exited { subject, after_ms },
            Step::Killed => audit::Event::Killed { subject, after_ms },
            Step::Survived => audit::Event::Survived { subject, after_ms },
            Step::Denied(error) => audit::Event::Denied { subject, error: error.clone() },
            Step::Vanished => audit::Event::Vanished { subject },
            Step::Withheld(reason) => audit::Event::Withheld {
                subject,
                pids: vec![member.id.pid],
                verdict: target.verdict.as_str().to_owned(),
                reason: reason.clone(),
            },
        }
    }
}

impl Witness for AuditWitness {
    type Error = AuditError;

    fn intend(&mut self, intents: &[Event<'_>]) -> Result<(), AuditError> {
        let events: Vec<audit::Event> = intents.iter().map(|event| self.translate(event)).collect();
        self.log.append_durably(Utc::now(), &events)
    }

    fn note(&mut self, event: &Event<'_>) -> Result<(), AuditError> {
        if matches!(event.step, Step::Signalled(Signal::Term | Signal::Kill)) {
            self.first_signal.entry(event.member.id).or_insert_with(Instant::now);
        }
        let event = self.translate(event);
        self.append(&event)
    }
}

fn subject_of(target: &Target, member: &TargetMember) -> Subject {
    let role = match member.part {
        Part::Launcher => "launcher",
        Part::Server => "server",
        Part::Helper => "helper",
    };
    Subject::new(member.id, member.started_at, &target.server, target.root().pid, role)
}

/// What a run came to.
#[derive(Debug)]
pub(super) struct Totals {
    /// Instances of which nothing is left.
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
    pub(super) fn of<E>(plan: &Plan, report: &Report<E>, duration: Duration) -> Totals {
        let gone = || report.results.iter().filter(|ended| ended.outcome.is_gone());
        let failed = report
            .results
            .iter()
            .filter(|ended| matches!(ended.outcome, Outcome::Survived | Outcome::Denied(_)))
            .count();
        let whole = (0..plan.targets.len()).filter(|target| {
            report.results.iter().filter(|ended| ended.target == *target).all(|ended| ended.outcome.is_gone())
        });
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Totals {
            instances: small(whole.count()),
            processes: small(gone().count()),
            failed: small(failed),
            rss: gone().map(|ended| ended.member.rss).sum(),
            duration,
        }
    }

    /// `3 instances, 9 processes, 1.2 GB reclaimed in 1.4s`
    pub(super) fn sentence(&self) -> String {
        let failed = match self.failed {
            0 => String::new(),
            n => format!("; {} could not be ended", count(n as usize, "process")),
        };
        format!(
            "{}, {}, {} reclaimed in {}{failed}",
            count(self.instances as usize, "instance"),
            count(self.processes as usize, "process"),
            show_size(self.rss),
            elapsed(self.duration),
        )
    }
}
