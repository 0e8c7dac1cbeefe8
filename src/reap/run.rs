//! One run: hold all, ask all, wait together, insist, tell what became of each.

use std::collections::HashSet;
use std::time::Duration;

use super::event::{Event, Outcome, Step, Witness};
use super::kernel::{Kernel, Refusal, Signal};
use crate::instance::Part;
use crate::plan::{Plan, Target, TargetMember};
use crate::process::{Pid, ProcessId};

/// How long after SIGKILL a process may take to go. A process in uninterruptible sleep takes longer
/// and is reported as a survivor.
pub const KILL_WAIT: Duration = Duration::from_secs(2);

/// What became of a plan.
#[derive(Debug)]
pub struct Report<E> {
    /// For each process that was planned or found on the way: which target, who, what became of it.
    pub results: Vec<Ended>,
    /// The signal that made us stop early.
    pub interrupted: Option<i32>,
    /// The record could not be kept: nothing was sent after that.
    pub failed: Option<E>,
}

/// What became of one process.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// Index into the plan's targets.
    pub target: usize,
    /// Who.
    pub member: TargetMember,
    /// What became of it.
    pub outcome: Outcome,
}

/// A process on its way out.
struct Subject<H> {
    target: usize,
    member: TargetMember,
    held: Option<H>,
    /// The last signal it was sent.
    asked: Option<Signal>,
    outcome: Option<Outcome>,
}

struct Run<'a, K: Kernel, W: Witness> {
    plan: &'a Plan,
    kernel: &'a mut K,
    witness: &'a mut W,
    subjects: Vec<Subject<K::Held>>,
    failed: Option<W::Error>,
}

/// Carries out a plan: SIGTERM to every member of every target at once, one shared wait of up to
/// `grace`, SIGKILL to what is left. The run takes as long as the slowest target, never the sum.
///
/// Nothing is signalled without a handle whose identity was compared, nor before its intent is
/// recorded; an instance of which one member cannot be held is left alone whole.
pub fn run<K: Kernel, W: Witness>(
    plan: &Plan,
    grace: Duration,
    kernel: &mut K,
    witness: &mut W,
) -> Report<W::Error> {
    let mut run = Run { plan, kernel, witness, subjects: Vec::new(), failed: None };
    run.hold();
    run.send(Signal::Term);
    let deadline = run.kernel.now() + grace;
    run.wait(deadline);
    run.send(Signal::Kill);
    let deadline = run.kernel.now() + KILL_WAIT;
    run.wait(deadline);
    run.close()
}

impl<K: Kernel, W: Witness> Run<'_, K, W> {
    /// Takes hold of every member before anything is sent, so that "one may not be ended, so none
    /// is" can still be kept.
    fn hold(&mut self) {
        for (target, planned) in self.plan.targets.iter().enumerate() {
            for member in &planned.members {
                let (held, outcome) = match self.kernel.hold(member.id) {
                    Ok(held) => (Some(held), None),
                    Err(refusal) => (None, Some(outcome(refusal))),
                };
                self.subjects.push(Subject { target, member: member.clone(), held, asked: None, outcome });
            }
        }
        let denied: HashSet<usize> = self
            .subjects
            .iter()
            .filter(|subject| matches!(subject.outcome, Some(Outcome::Denied(_))))
            .map(|subject| subject.target)
            .collect();
        for subject in &mut self.subjects {
            if subject.outcome.is_none() && denied.contains(&subject.target) {
                subject.outcome = Some(Outcome::Withheld("another member may not be ended".to_owned()));
                subject.held = None;
            }
        }
        for index in 0..self.subjects.len() {
            self.tell_outcome(index);
        }
    }

    /// Records all intents, then sends. SIGTERM goes to each root first, so that a wrapper that
    /// respawns its server hears it before the server ends.
    fn send(&mut self, signal: Signal) {
        if self.stopped() {
            return;
        }
        self.adopt_newborn();
        let due: Vec<usize> =
            (0..self.subjects.len()).filter(|index| self.subjects[*index].outcome.is_none()).collect();
        if due.is_empty() {
            return;
        }
        let mut intents = Vec::with_capacity(due.len());
        for subject in due.iter().map(|index| &self.subjects[*index]) {
            let target = &self.plan.targets[subject.target];
            intents.push(Event { target, member: &subject.member, step: Step::Intent(signal) });
            if signal == Signal::Term && subject.member.stopped {
                intents.push(Event { target, member: &subject.member, step: Step::Intent(Signal::Cont) });
            }
        }
        if let Err(error) = self.witness.intend(&intents) {
            self.failed = Some(error);
            return;
        }
        for index in due {
            if self.stopped() {
                return;
            }
            self.signal(index, signal);
            if signal == Signal::Term && self.subjects[index].member.stopped {
                self.signal(index, Signal::Cont);
            }
        }
    }

    fn signal(&mut self, index: usize, signal: Signal) {
        let subject = &mut self.subjects[index];
        let Some(held) = &subject.held else { return };
        match self.kernel.signal(held, signal) {
            Ok(()) => {
                if signal != Signal::Cont {
                    subject.asked = Some(signal);
                }
                self.tell(index, Step::Signalled(signal));
            }
            // It heard an earlier signal, or ended by itself.
            Err(Refusal::Gone | Refusal::Reused) if subject.asked.is_some() => {
                self.finish(index, Outcome::Exited);
            }
            Err(refusal) => self.finish(index, outcome(refusal)),
        }
    }

    /// Waits for all together and notes who has ended, and by which signal.
    fn wait(&mut self, deadline: Duration) {
        let waiting: Vec<usize> = (0..self.subjects.len())
            .filter(|index| self.subjects[*index].outcome.is_none() && self.subjects[*index].asked.is_some())
            .collect();
        let held: Vec<&K::Held> =
            waiting.iter().filter_map(|index| self.subjects[*index].held.as_ref()).collect();
        if held.is_empty() {
            return;
        }
        let exited = self.kernel.wait(&held, deadline);
        for (index, exited) in waiting.into_iter().zip(exited) {
            if exited {
                let killed = self.subjects[index].asked == Some(Signal::Kill);
                self.finish(index, if killed { Outcome::Killed } else { Outcome::Exited });
            }
        }
    }

    /// Members born since the plan was made join their instance: children of a held process that
    /// are younger than the plan knew. Their age is no shield; their parent's verdict is theirs.
    fn adopt_newborn(&mut self) {
        let family = self.kernel.family();
        loop {
            let known: HashSet<ProcessId> = self.subjects.iter().map(|subject| subject.member.id).collect();
            let born: Vec<(usize, super::Kin)> = family
                .iter()
                .filter(|kin| !known.contains(&kin.id) && kin.id.pid > Pid(2))
                .filter_map(|kin| Some((self.instance_of(kin.parent)?, *kin)))
                .collect();
            if born.is_empty() {
                return;
            }
            for (target, kin) in born {
                let member = TargetMember {
                    id: kin.id,
                    part: Part::Helper,
                    stopped: kin.stopped,
                    started_at: kin.started_at,
                    rss: 0,
                    argv: Vec::new(),
                };
                let (held, outcome) = match self.kernel.hold(kin.id) {
                    Ok(held) => (Some(held), None),
                    Err(refusal) => (None, Some(outcome(refusal))),
                };
                self.subjects.push(Subject { target, member, held, asked: None, outcome });
                self.tell_outcome(self.subjects.len() - 1);
            }
        }
    }

    /// The target that a living, held process belongs to. A parent that has ended has handed its
    /// children on, so a number alone cannot mislead here.
    fn instance_of(&self, parent: Pid) -> Option<usize> {
        self.subjects
            .iter()
            .find(|subject| subject.outcome.is_none() && subject.member.id.pid == parent)
            .map(|subject| subject.target)
    }

    /// Whoever has no outcome yet is still there.
    fn close(mut self) -> Report<W::Error> {
        for index in 0..self.subjects.len() {
            if self.subjects[index].outcome.is_none() {
                let outcome = if self.subjects[index].asked.is_some() {
                    Outcome::Survived
                } else {
                    Outcome::Withheld("the run stopped before any signal".to_owned())
                };
                self.finish(index, outcome);
            }
        }
        let results = self
            .subjects
            .into_iter()
            .filter_map(|subject| {
                let Subject { target, member, outcome, .. } = subject;
                outcome.map(|outcome| Ended { target, member, outcome })
            })
            .collect();
        Report { results, interrupted: self.kernel.interrupted(), failed: self.failed }
    }

    /// Nothing more is sent once somebody asked us to stop or the record failed.
    fn stopped(&self) -> bool {
        self.failed.is_some() || self.kernel.interrupted().is_some()
    }

    fn finish(&mut self, index: usize, outcome: Outcome) {
        self.subjects[index].outcome = Some(outcome);
        self.tell_outcome(index);
    }

    fn tell_outcome(&mut self, index: usize) {
        let Some(outcome) = self.subjects[index].outcome.clone() else { return };
        self.tell(
            index,
            match outcome {
                Outcome::Exited => Step::Exited,
                Outcome::Killed => Step::Killed,
                Outcome::Survived => Step::Survived,
                Outcome::Denied(why) => Step::Denied(why),
                Outcome::Vanished => Step::Vanished,
                Outcome::Withheld(why) => Step::Withheld(why),
            },
        );
    }

    fn tell(&mut self, index: usize, step: Step) {
        let subject = &self.subjects[index];
        let target: &Target = &self.plan.targets[subject.target];
        if let Err(error) = self.witness.note(&Event { target, member: &subject.member, step }) {
            // The first failure is the one worth telling.
            self.failed.get_or_insert(error);
        }
    }
}

fn outcome(refusal: Refusal) -> Outcome {
    match refusal {
        Refusal::Gone | Refusal::Reused => Outcome::Vanished,
        Refusal::Denied(why) => Outcome::Denied(why),
    }
}
