//! One run: hold all, ask all, wait together, insist, tell what became of each.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::event::{Ended, Event, Outcome, Recorder, Report, Step};
use super::kernel::{Kernel, ProcessRow, Refusal, Signal};
use super::late_children::LateChildren;
use super::subject::{Subject, refused, step};
use crate::bytes::Argv;
use crate::classify::Verdict;
use crate::instance::Part;
use crate::plan::{Plan, TargetMember};
use crate::process::{Pid, ProcessId};

/// How long after SIGKILL a process may take to go. A process in uninterruptible sleep takes longer
/// and is reported as a survivor.
pub const KILL_WAIT: Duration = Duration::from_secs(2);

/// The first look for members born after SIGTERM: a server that starts something as it ends does so
/// within a few milliseconds.
const FIRST_LOOK: Duration = Duration::from_millis(25);
/// Each later pause is twice the one before, up to this.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// And no look takes more than a tenth of the time: 20,000 processes are read in about 150 ms.
const LOOK_SHARE: u32 = 10;

struct Run<'a, K: Kernel, W: Recorder> {
    plan: &'a Plan,
    kernel: &'a mut K,
    recorder: &'a mut W,
    late_children: LateChildren,
    /// First those of the plan, in its order, then those born since.
    subjects: Vec<Subject<K::Held>>,
    failed: Option<W::Error>,
}

/// Carries out a plan: SIGTERM to every member of every target at once, one shared wait of up to
/// `grace`, SIGKILL to what is left. The run takes as long as the slowest target, never the sum.
///
/// Nothing is signalled without a handle whose identity was compared, nor before its intent is
/// recorded; an instance of which one member cannot be held is left alone whole. Members born on
/// the way are looked for before SIGTERM, during the grace, and before and after SIGKILL.
pub fn run<K: Kernel, W: Recorder>(
    plan: &Plan,
    grace: Duration,
    kernel: &mut K,
    recorder: &mut W,
) -> Report<W::Error> {
    let (late_children, subjects) = (LateChildren::default(), Vec::new());
    let mut run = Run { plan, kernel, recorder, late_children, subjects, failed: None };
    run.hold();
    if run.subjects.iter().any(Subject::is_pending) {
        run.look_for_newborn();
        run.spare_the_partly_denied();
        run.send(Signal::Term);
        run.persuade(grace);
        run.insist();
    }
    run.close()
}

impl<K: Kernel, W: Recorder> Run<'_, K, W> {
    /// Takes hold of every member before anything is sent, so that "one may not be ended, so none
    /// is" can still be kept.
    fn hold(&mut self) {
        for (target, planned) in self.plan.targets.iter().enumerate() {
            for member in &planned.members {
                self.take(target, member.clone());
            }
        }
        self.spare_the_partly_denied();
    }

    fn take(&mut self, target: usize, member: TargetMember) {
        // Whatever the plan and the kernel say: 0 is our own group, 1 the system, 2 the kernel.
        let held = if member.id.pid > Pid(2) {
            self.kernel.hold(member.id)
        } else {
            Err(Refusal::Denied(format!("{} is never signalled", member.id.pid)))
        };
        let subject = Subject::new(target, member, held);
        let outcome = subject.outcome.clone();
        self.subjects.push(subject);
        if let Some(outcome) = outcome {
            self.tell(self.subjects.len() - 1, step(outcome));
        }
    }

    fn spare_the_partly_denied(&mut self) {
        let denied = self.targets_with(|outcome| matches!(outcome, Outcome::Denied(_)));
        for index in self.pending() {
            if denied.contains(&self.subjects[index].target) {
                self.subjects[index].held = None;
                self.finish(index, Outcome::Withheld("another member may not be ended".to_owned()));
            }
        }
    }

    /// Members born since the plan was made join their instance. Their age is no shield; their
    /// parent's verdict is theirs.
    fn look_for_newborn(&mut self) {
        let rows = self.kernel.family();
        // Whoever is alive after the table was read was alive, and owner of his number, while it was.
        let now = self.kernel.now();
        self.settle(now);
        for kin in rows.iter().filter(|kin| kin.stopped) {
            for subject in self.subjects.iter_mut().filter(|subject| subject.member.id == kin.id) {
                subject.member.stopped = true;
            }
        }
        // Nor is anybody asked who was born to an instance that is left alone.
        let spared = self.targets_with(|outcome| matches!(outcome, Outcome::Withheld(_)));
        loop {
            let known = self.known();
            let pending = self.subjects.iter().filter(|subject| subject.is_pending());
            let living = pending.map(|subject| (subject.member.id.pid, subject.target)).collect();
            let (late_children, kernel) = (&mut self.late_children, &mut *self.kernel);
            let mut born = late_children.born(&rows, &known, &living, |id| kernel.wires(id));
            born.retain(|(target, _)| !spared.contains(target));
            if born.is_empty() {
                let plan = self.plan;
                let orphaned = |target: usize| plan.targets[target].verdict == Verdict::Orphaned;
                late_children.remember(&rows, &known, orphaned, |id| kernel.wires(id));
                return;
            }
            for (target, kin) in born {
                self.take_in(target, kin);
            }
        }
    }

    fn take_in(&mut self, target: usize, kin: ProcessRow) {
        let ProcessRow { id, stopped, started_at, .. } = kin;
        let argv = Argv::default();
        self.take(target, TargetMember { id, part: Part::Helper, stopped, started_at, rss: 0, argv });
        if let Some(subject) = self.subjects.last_mut()
            && let Some(held) = &subject.held
        {
            subject.member.argv = self.kernel.argv(held);
        }
    }

    /// Records the intents of all who were not sent this signal yet, then sends; says whether there
    /// was anybody. Roots come first, so that a wrapper that starts its server again hears it before
    /// the server ends.
    fn send(&mut self, signal: Signal) -> bool {
        let mut due = self.pending();
        due.retain(|index| !self.subjects[*index].was_sent(signal));
        if self.stopped() || due.is_empty() {
            return false;
        }
        let mut intents = Vec::with_capacity(due.len());
        for subject in due.iter().map(|index| &self.subjects[*index]) {
            let (target, member) = (&self.plan.targets[subject.target], &subject.member);
            intents.push(Event { target, member, step: Step::Intent(signal) });
            if signal == Signal::Term && member.stopped {
                intents.push(Event { target, member, step: Step::Intent(Signal::Cont) });
            }
        }
        if let Err(error) = self.recorder.intend(&intents) {
            self.failed.get_or_insert(error);
            return false;
        }
        for index in due {
            self.signal(index, signal);
            if signal == Signal::Term && self.subjects[index].member.stopped {
                self.signal(index, Signal::Cont);
            }
        }
        true
    }

    fn signal(&mut self, index: usize, signal: Signal) {
        if self.stopped() || !self.subjects[index].is_pending() {
            return;
        }
        let subject = &mut self.subjects[index];
        let Some(held) = &subject.held else { return };
        match self.kernel.signal(held, signal) {
            Ok(()) => {
                if signal != Signal::Cont {
                    subject.asked = Some((signal, self.kernel.now()));
                }
                self.tell(index, Step::Signalled(signal));
            }
            Err(Refusal::Gone | Refusal::Reused) => {
                let outcome = subject.end();
                self.finish(index, outcome);
            }
            Err(refusal) => self.finish(index, refused(refusal)),
        }
    }

    /// Waits for all together until the grace of the last one left is over. Members born meanwhile
    /// are asked at once and wait with the others.
    fn persuade(&mut self, grace: Duration) {
        let mut pause = FIRST_LOOK;
        let mut deadline = self.kernel.now() + grace;
        while self.kernel.interrupted().is_none() && (self.failed.is_none() || self.is_waiting()) {
            deadline = self.last_asked().map_or(deadline, |asked| asked + grace);
            let look = if self.failed.is_none() { self.kernel.now() + pause } else { deadline };
            self.settle(look.min(deadline));
            let waiting = self.is_waiting();
            if self.kernel.now() >= deadline || !waiting && !self.late_children.outlives_its_members() {
                return;
            }
            if self.stopped() {
                continue;
            }
            let before = self.kernel.now();
            self.look_for_newborn();
            let cost = self.kernel.now().saturating_sub(before);
            if !self.send(Signal::Term) && !waiting {
                return;
            }
            pause = (pause * 2).min(LOOK_EVERY).max(cost * LOOK_SHARE);
        }
    }

    /// When the last of the planned who are left was asked. The newborn do not put it off.
    fn last_asked(&self) -> Option<Duration> {
        let planned = self.plan.targets.iter().map(|target| target.members.len()).sum();
        let left = self.subjects.iter().take(planned).filter(|subject| subject.is_pending());
        left.filter_map(|subject| Some(subject.asked?.1)).max()
    }

    /// SIGKILL for the survivors and for what they left behind, and a bounded wait.
    fn insist(&mut self) {
        if !self.is_waiting() || self.stopped() {
            return;
        }
        let mut deadline = None;
        loop {
            self.look_for_newborn();
            if !self.send(Signal::Kill) {
                return;
            }
            let deadline = *deadline.get_or_insert(self.kernel.now() + KILL_WAIT);
            self.settle(deadline);
            // Something may have been born between the look and the signal.
            if self.kernel.now() >= deadline || !self.late_children.outlives_its_members() {
                return;
            }
        }
    }

    /// Waits until all who are left have ended or the deadline has passed, and notes who has ended,
    /// and by which signal.
    fn settle(&mut self, deadline: Duration) {
        let waiting = self.pending();
        let held: Vec<&K::Held> =
            waiting.iter().filter_map(|index| self.subjects[*index].held.as_ref()).collect();
        if held.is_empty() {
            return;
        }
        let ended = self.kernel.wait(&held, deadline);
        for (index, ended) in waiting.into_iter().zip(ended) {
            if ended {
                let outcome = self.subjects[index].end();
                self.finish(index, outcome);
            }
        }
    }

    /// Whoever has no outcome yet is still there.
    fn close(mut self) -> Report<W::Error> {
        for index in self.pending() {
            let outcome = match self.subjects[index].asked {
                Some(_) => Outcome::Survived,
                None => Outcome::Withheld("the run stopped before any signal".to_owned()),
            };
            self.finish(index, outcome);
        }
        let ended = |subject: Subject<K::Held>| {
            let Subject { target, member, outcome, .. } = subject;
            Some(Ended { target, member, outcome: outcome? })
        };
        let results = self.subjects.into_iter().filter_map(ended).collect();
        Report { results, interrupted: self.kernel.interrupted(), failed: self.failed }
    }

    /// Nothing more is sent once somebody asked us to stop or the record failed.
    fn stopped(&self) -> bool {
        self.failed.is_some() || self.kernel.interrupted().is_some()
    }

    fn pending(&self) -> Vec<usize> {
        (0..self.subjects.len()).filter(|index| self.subjects[*index].is_pending()).collect()
    }

    /// The targets of which at least one member came to such an outcome.
    fn targets_with(&self, is: impl Fn(&Outcome) -> bool) -> HashSet<usize> {
        let came = self.subjects.iter().filter(|subject| subject.outcome.as_ref().is_some_and(&is));
        came.map(|subject| subject.target).collect()
    }

    fn is_waiting(&self) -> bool {
        self.subjects.iter().any(|subject| subject.is_pending() && subject.asked.is_some())
    }

    fn known(&self) -> HashMap<ProcessId, usize> {
        self.subjects.iter().map(|subject| (subject.member.id, subject.target)).collect()
    }

    fn finish(&mut self, index: usize, outcome: Outcome) {
        self.subjects[index].outcome = Some(outcome.clone());
        self.tell(index, step(outcome));
    }

    fn tell(&mut self, index: usize, step: Step) {
        let subject = &self.subjects[index];
        let event = Event { target: &self.plan.targets[subject.target], member: &subject.member, step };
        if let Err(error) = self.recorder.note(&event) {
            // The first failure is the one worth telling.
            self.failed.get_or_insert(error);
        }
    }
}
