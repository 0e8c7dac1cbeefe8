//! One process on its way out.

use std::time::Duration;

use super::event::{Outcome, Step};
use super::kernel::{Refusal, Signal};
use crate::plan::TargetMember;

/// A process on its way out.
pub(super) struct Subject<H> {
    /// Index into the plan's targets.
    pub(super) target: usize,
    pub(super) member: TargetMember,
    pub(super) held: Option<H>,
    /// The last of SIGTERM and SIGKILL that it was sent, and when.
    pub(super) asked: Option<(Signal, Duration)>,
    pub(super) outcome: Option<Outcome>,
}

impl<H> Subject<H> {
    /// Somebody whom the kernel let us hold, or not.
    pub(super) fn new(target: usize, member: TargetMember, held: Result<H, Refusal>) -> Subject<H> {
        let (held, outcome) = match held {
            Ok(held) => (Some(held), None),
            Err(refusal) => (None, Some(refused(refusal))),
        };
        Subject { target, member, held, asked: None, outcome }
    }

    /// Still there, as far as we know.
    pub(super) fn is_pending(&self) -> bool {
        self.outcome.is_none()
    }

    /// Was this signal the last it was sent?
    pub(super) fn was_sent(&self, signal: Signal) -> bool {
        self.asked.is_some_and(|(last, _)| last == signal)
    }

    /// What it means that it has ended now.
    pub(super) fn end(&self) -> Outcome {
        match self.asked {
            Some((Signal::Kill, _)) => Outcome::Killed,
            Some(_) => Outcome::Exited,
            None => Outcome::Vanished,
        }
    }
}

/// What a refusal means for a process that was never asked.
pub(super) fn refused(refusal: Refusal) -> Outcome {
    match refusal {
        Refusal::Gone | Refusal::Reused => Outcome::Vanished,
        Refusal::Denied(why) => Outcome::Denied(why),
    }
}

/// How an outcome is told.
pub(super) fn step(outcome: Outcome) -> Step {
    match outcome {
        Outcome::Exited => Step::Exited,
        Outcome::Killed => Step::Killed,
        Outcome::Survived => Step::Survived,
        Outcome::Denied(why) => Step::Denied(why),
        Outcome::Vanished => Step::Vanished,
        Outcome::Withheld(why) => Step::Withheld(why),
    }
}
