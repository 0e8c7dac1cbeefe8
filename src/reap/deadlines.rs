//! How long a run waits, and for which processes.

use std::collections::HashMap;
use std::time::Duration;

use super::kernel::Signal;
use super::subject::Subject;

/// How long after SIGKILL a process may take to go. A process in uninterruptible sleep takes longer
/// and is reported as a survivor.
pub const KILL_WAIT: Duration = Duration::from_secs(2);

/// A process that is found within this time after the first SIGKILL still gets a whole grace and then SIGKILL: the end
/// of a parent often reveals children.
const LATE_FINDS: Duration = Duration::from_millis(500);

/// The longest that ending takes with this grace, without the time of the system calls: one grace for the planned
/// processes, one for those that were born within it, and the wait after the last SIGKILL. A process that forks for
/// ever is not followed any further; its last children are reported as survivors.
pub fn longest(grace: Duration) -> Duration {
    grace.saturating_mul(2).saturating_add(LATE_FINDS).saturating_add(KILL_WAIT)
}

/// The first look for members born after SIGTERM: a server that starts something as it ends does so
/// within a few milliseconds.
const FIRST_LOOK: Duration = Duration::from_millis(25);
/// Each later pause is twice the one before, up to this.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Looks take at most a tenth of the time: 20,000 processes are read in about 150 ms.
const LOOK_SHARE: u32 = 10;

/// How long to wait before the next look for newborn members, when the last look cost this much. `pause` is the last
/// such wait, zero before the first.
pub(super) fn next_pause(pause: Duration, cost: Duration) -> Duration {
    pause.saturating_mul(2).clamp(FIRST_LOOK, LOOK_EVERY).max(cost.saturating_mul(LOOK_SHARE))
}

/// The times of one run, on the kernel's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    grace: Duration,
    /// No signal is sent after this time.
    pub(super) last_signal: Duration,
    kill_sent: bool,
}

/// When the time of one process is over that was sent a signal and is still there.
struct Due {
    /// Index of its [`Subject`].
    subject: usize,
    /// The last signal it was sent.
    signal: Signal,
    at: Duration,
}

impl Deadlines {
    /// `begun` is the time when all planned members had been sent SIGTERM.
    pub(super) fn new(grace: Duration, begun: Duration) -> Deadlines {
        let last_signal = begun.saturating_add(longest(grace)).saturating_sub(KILL_WAIT);
        Deadlines { grace, last_signal, kill_sent: false }
    }

    /// Called when SIGKILL was sent. The first time it moves [`Deadlines::last_signal`], so that processes which that
    /// SIGKILL reveals still get their whole grace, however long it took to record and send the signals. (That is slow on a
    /// machine without free memory.)
    pub(super) fn note_kill(&mut self, now: Duration) {
        if !self.kill_sent {
            self.kill_sent = true;
            self.last_signal =
                self.last_signal.max(now.saturating_add(self.grace).saturating_add(LATE_FINDS));
        }
    }

    /// The next time at which a process is to get SIGKILL, or is no longer waited for after SIGKILL. `None` when nothing
    /// is left to wait for.
    pub(super) fn next_due<H>(self, subjects: &[Subject<H>], now: Duration) -> Option<Duration> {
        let dues = self.dues(subjects).into_iter();
        dues.filter(|due| due.signal == Signal::Term || due.at > now).map(|due| due.at).min()
    }

    /// The time until which all are waited for that were sent SIGKILL; unless `killed_only`, also those that were sent
    /// SIGTERM.
    pub(super) fn last_due<H>(self, subjects: &[Subject<H>], killed_only: bool) -> Option<Duration> {
        let dues = self.dues(subjects).into_iter();
        dues.filter(|due| !killed_only || due.signal == Signal::Kill).map(|due| due.at).max()
    }

    /// Indices of the processes that were sent SIGTERM a whole grace ago.
    pub(super) fn overdue<H>(self, subjects: &[Subject<H>], now: Duration) -> Vec<usize> {
        let dues = self.dues(subjects).into_iter();
        dues.filter(|due| due.signal == Signal::Term && due.at <= now).map(|due| due.subject).collect()
    }

    /// All processes of one batch of SIGTERM are due together, a grace after the last of them that is still there was
    /// sent it. So one record and one wait are enough for them.
    fn dues<H>(self, subjects: &[Subject<H>]) -> Vec<Due> {
        let sent = || {
            let with_index = |(index, subject): (usize, &Subject<H>)| Some((index, subject.awaited()?));
            subjects.iter().enumerate().filter_map(with_index)
        };
        let mut last_of_batch: HashMap<u32, Duration> = HashMap::new();
        for (_, sent) in sent().filter(|(_, sent)| sent.signal == Signal::Term) {
            let last = last_of_batch.entry(sent.batch).or_default();
            *last = sent.at.max(*last);
        }
        let due = |(subject, sent): (usize, super::subject::Sent)| {
            let at = match sent.signal {
                Signal::Kill => sent.at.saturating_add(KILL_WAIT),
                Signal::Term | Signal::Cont => last_of_batch[&sent.batch].saturating_add(self.grace),
            };
            Due { subject, signal: sent.signal, at }
        };
        sent().map(due).collect()
    }
}
