//! One process on its way out.

use std::time::Duration;

use super::event::Outcome;
use super::kernel::{Refusal, Signal};
use crate::plan::TargetMember;

/// A request that was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// SIGTERM or SIGKILL.
    pub(super) signal: Signal,
    /// When.
    pub(super) at: Duration,
    /// Those that were sent SIGTERM together are waited for together.
    pub(super) wave: u32,
}

/// A process on its way out.
pub(super) struct Subject<H> {
    /// Index into the plan's targets.
    pub(super) target: usize,
    pub(super) member: TargetMember,
    pub(super) held: Option<H>,
    /// The last of SIGTERM and SIGKILL that it was sent.
    pub(super) sent: Option<Sent>,
    pub(super) outcome: Option<Outcome>,
}

impl<H> Subject<H> {
    /// Still there, as far as we know.
    pub(super) fn is_pending(&self) -> bool {
        self.outcome.is_none()
    }

    /// The request it was sent last, while it is still there.
    pub(super) fn waits_for(&self) -> Option<Sent> {
        self.sent.filter(|_| self.is_pending())
    }

    /// What it means that it has ended now.
    pub(super) fn end(&self) -> Outcome {
        match self.sent {
            Some(Sent { signal: Signal::Kill, .. }) => Outcome::Killed,
            Some(_) => Outcome::Exited,
            None => Outcome::Vanished,
        }
    }
}

/// What a refusal means for a process that was sent nothing.
pub(super) fn refused(refusal: Refusal) -> Outcome {
    match refusal {
        Refusal::Gone | Refusal::Reused => Outcome::Vanished,
        Refusal::Denied(why) => Outcome::Denied(why),
    }
}
