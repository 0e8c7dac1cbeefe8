//! What a run knows of each process that it ends.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::event::Outcome;
use super::kernel::{Refusal, Signal};
use crate::bytes::Argv;
use crate::catalog::{Catalog, Role};
use crate::classify::Evidence;
use crate::plan::{Target, TargetMember, Why};
use crate::process::{Pid, ProcessId, ProcessRecord};

/// A signal that was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// SIGTERM or SIGKILL.
    pub(super) signal: Signal,
    pub(super) at: Duration,
    /// Processes that were sent SIGTERM in the same batch are waited for together.
    pub(super) batch: u32,
}

/// One member of a target in a run.
pub(super) struct Subject<H> {
    /// Index into the plan's targets.
    pub(super) target: usize,
    pub(super) member: TargetMember,
    /// The kernel's handle; `None` where it was refused.
    pub(super) held: Option<H>,
    /// The last SIGTERM or SIGKILL that it was sent.
    pub(super) sent: Option<Sent>,
    /// `None` as long as the process is there, as far as the run knows.
    pub(super) outcome: Option<Outcome>,
}

impl<H> Subject<H> {
    pub(super) fn is_pending(&self) -> bool {
        self.outcome.is_none()
    }

    /// The last signal it was sent, while it is still there.
    pub(super) fn awaited(&self) -> Option<Sent> {
        self.sent.filter(|_| self.is_pending())
    }

    /// The outcome of a process that was found to have ended.
    pub(super) fn ended(&self) -> Outcome {
        match self.sent {
            Some(Sent { signal: Signal::Kill, .. }) => Outcome::Killed,
            Some(_) => Outcome::Exited,
            None => Outcome::Vanished,
        }
    }
}

/// The outcome of a process that could not be held or signalled, and was sent nothing before.
pub(super) fn refused(refusal: Refusal) -> Outcome {
    match refusal {
        Refusal::Gone | Refusal::Reused => Outcome::Vanished,
        Refusal::Denied(why) => Outcome::Denied(why),
    }
}

/// Why a process that was born to this target during the run is never ended: it is a client, or a person works in it. A
/// client that is ended as an orphan may have others below it.
pub(super) fn never_ended(catalog: &Catalog, target: &Target, argv: &Argv) -> Option<Why> {
    let record = ProcessRecord::with_argv(argv.clone());
    let is_client = || catalog.identify(&record).is_some_and(|what| what.role == Role::Client);
    let of_a_client = |seen: &Evidence| matches!(seen, Evidence::OrphanedClient { .. });
    if is_client() && !target.evidence.iter().any(of_a_client) {
        return Some(Why::Client);
    }
    let is_persons = catalog.is_persons_program(&record) || catalog.is_multiplexer(&record);
    is_persons.then_some(Why::Person)
}

/// Indices of those that are still there.
pub(super) fn pending<H>(subjects: &[Subject<H>]) -> Vec<usize> {
    (0..subjects.len()).filter(|index| subjects[*index].is_pending()).collect()
}

/// The targets of which at least one member has such an outcome.
pub(super) fn targets_with<H>(subjects: &[Subject<H>], is: impl Fn(&Outcome) -> bool) -> HashSet<usize> {
    let matching = subjects.iter().filter(|subject| subject.outcome.as_ref().is_some_and(&is));
    matching.map(|subject| subject.target).collect()
}

/// The target of each member that is still there, by pid.
pub(super) fn living<H>(subjects: &[Subject<H>]) -> HashMap<Pid, usize> {
    let pending = subjects.iter().filter(|subject| subject.is_pending());
    pending.map(|subject| (subject.member.id.pid, subject.target)).collect()
}

/// The target of every member.
pub(super) fn members<H>(subjects: &[Subject<H>]) -> HashMap<ProcessId, usize> {
    subjects.iter().map(|subject| (subject.member.id, subject.target)).collect()
}
