//! How long a run waits, and for which processes.

use std::collections::HashMap;
use std::time::Duration;

use super::kernel::Signal;
use super::subject::Subject;

/// How long after SIGKILL a process may take to go. A process in uninterruptible sleep takes longer
/// and is reported as a survivor.
pub const KILL_WAIT: Duration = Duration::from_secs(2);

/// What is found within this time after the first SIGKILL still has a whole grace and then gets SIGKILL: the end of a
/// parent brings such processes to light.
const LAST_CALL: Duration = Duration::from_millis(500);

/// The longest that ending takes with this grace, without the time of the system calls: one grace for the planned,
/// one for those that were born within it, and the wait after the last SIGKILL. A process that forks for ever is
/// not followed any further; what is left of it is reported as surviving.
pub fn longest(grace: Duration) -> Duration {
    grace.saturating_mul(2).saturating_add(LAST_CALL).saturating_add(KILL_WAIT)
}

/// The first look for members born after SIGTERM: a server that starts something as it ends does so
/// within a few milliseconds.
const FIRST_LOOK: Duration = Duration::from_millis(25);
/// Each later pause is twice the one before, up to this.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// And no look takes more than a tenth of the time: 20,000 processes are read in about 150 ms.
const LOOK_SHARE: u32 = 10;

/// How long until the next look for newborn members, after one that cost this much. Zero before the first.
pub(super) fn next_pause(pause: Duration, cost: Duration) -> Duration {
    pause.saturating_mul(2).clamp(FIRST_LOOK, LOOK_EVERY).max(cost.saturating_mul(LOOK_SHARE))
}

/// The times of one run, on the kernel's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    grace: Duration,
    /// Nothing is sent after this.
    pub(super) last_call: Duration,
    /// SIGKILL was sent.
    insisted: bool,
}

impl Patience {
    /// `begun` is when all members of the plan had been sent SIGTERM.
    pub(super) fn new(grace: Duration, begun: Duration) -> Patience {
        let last_call = begun.saturating_add(longest(grace)).saturating_sub(KILL_WAIT);
        Patience { grace, last_call, insisted: false }
    }

    /// SIGKILL went out, and it is `now`. To record and to send takes time, on a machine that is out of memory much of
    /// it; what the first SIGKILL brings to light still has its whole grace.
    pub(super) fn note_kill(&mut self, now: Duration) {
        if !self.insisted {
            self.insisted = true;
            self.last_call = self.last_call.max(now.saturating_add(self.grace).saturating_add(LAST_CALL));
        }
    }

    /// When the first of those that are waited for is to get SIGKILL, or has had its time after it. None when there
    /// is nothing left to wait for: all have ended, or SIGKILL has not ended them in its time.
    pub(super) fn next_due<H>(self, subjects: &[Subject<H>], now: Duration) -> Option<Duration> {
        let waits = |(_, signal, due): &(usize, Signal, Duration)| *signal == Signal::Term || *due > now;
        self.dues(subjects).into_iter().filter(waits).map(|(.., due)| due).min()
    }

    /// When the last of those that were sent SIGKILL, or else of all that were sent SIGTERM, has had its time.
    pub(super) fn last_due<H>(self, subjects: &[Subject<H>], killed_only: bool) -> Option<Duration> {
        let dues = self.dues(subjects).into_iter();
        dues.filter(|(_, signal, _)| !killed_only || *signal == Signal::Kill).map(|(.., due)| due).max()
    }

    /// Those that were sent SIGTERM a whole grace ago.
    pub(super) fn overdue<H>(self, subjects: &[Subject<H>], now: Duration) -> Vec<usize> {
        let is_over = |(_, signal, due): &(usize, Signal, Duration)| *signal == Signal::Term && *due <= now;
        self.dues(subjects).into_iter().filter(is_over).map(|(index, ..)| index).collect()
    }

    /// For each process that was sent a signal and is still there: its index, the last request, and when its time is
    /// over. Those that were sent SIGTERM together have their grace from the request to the last of them that is left,
    /// so that they need one record and one wait.
    fn dues<H>(self, subjects: &[Subject<H>]) -> Vec<(usize, Signal, Duration)> {
        let sent = || {
            let waits = |(index, subject): (usize, &Subject<H>)| Some((index, subject.waits_for()?));
            subjects.iter().enumerate().filter_map(waits)
        };
        let mut waves: HashMap<u32, Duration> = HashMap::new();
        for (_, sent) in sent().filter(|(_, sent)| sent.signal == Signal::Term) {
            let last = waves.entry(sent.wave).or_default();
            *last = sent.at.max(*last);
        }
        let due = |(index, sent): (usize, super::subject::Sent)| match sent.signal {
            Signal::Kill => (index, Signal::Kill, sent.at.saturating_add(KILL_WAIT)),
            _ => (index, Signal::Term, waves[&sent.wave].saturating_add(self.grace)),
        };
        sent().map(due).collect()
    }
}
