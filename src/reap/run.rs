//! One run: holds all processes, sends SIGTERM to all, waits once for all, sends SIGKILL to those that are left, and
//! reports the outcome of each.

use std::collections::HashSet;
use std::time::Duration;

use super::deadlines::{Deadlines, next_pause};
use super::event::{Ended, MemberEvent, Outcome, Recorder, RunReport, Step};
use super::kernel::{Kernel, Lookout, Refusal, Signal};
use super::late_children::LateChildren;
use super::subject::{Sent, Subject, pending, refused, targets_with};
use crate::catalog::Catalog;
use crate::plan::{Plan, TargetMember};
use crate::process::{Pid, ProcessId};

mod newborn;

struct Run<'a, K: Kernel, W: Recorder> {
    plan: &'a Plan,
    kernel: &'a mut K,
    recorder: &'a mut W,
    late_children: LateChildren,
    /// The members of the plan, in its order, then those that were born since.
    subjects: Vec<Subject<K::Held>>,
    /// Tells clients and programs of a person among those that were born since.
    catalog: Catalog,
    /// How many batches of SIGTERM were sent.
    batches: u32,
    failed: Option<W::Error>,
}

/// Carries out a plan: SIGTERM to every member of every target at once, one shared wait of up to
/// `grace`, SIGKILL to those that are left. The run takes as long as the slowest target, not as long as all together.
///
/// A process is signalled only through a handle whose identity was compared, only after its intent was recorded, and not
/// while a process outside its target traces it. If one member of an instance cannot be held, the whole instance is left
/// alone. Members born during the run are looked for before SIGTERM, during the grace, and before and after SIGKILL;
/// each has a whole grace of its own. When one of them is a client, or a program that a person works in, the rest of its
/// instance is left alone. A run takes at most [`longest`](super::longest).
pub fn run<K: Kernel + Lookout, W: Recorder>(
    plan: &Plan,
    grace: Duration,
    kernel: &mut K,
    recorder: &mut W,
) -> RunReport<W::Error> {
    let (late_children, subjects) = (LateChildren::of(plan), Vec::new());
    let catalog = Catalog::builtin();
    let mut run = Run { plan, kernel, recorder, late_children, subjects, catalog, batches: 0, failed: None };
    run.hold_planned();
    if run.subjects.iter().any(Subject::is_pending) {
        run.hold_newborn();
        run.withhold_partly_denied();
        run.terminate();
        // The grace begins here, because recording and sending takes seconds with thousands of members.
        let begun = run.kernel.now();
        run.wait_then_kill(Deadlines::new(grace, begun));
    }
    run.into_report()
}

impl<K: Kernel + Lookout, W: Recorder> Run<'_, K, W> {
    /// Holds every member before any signal is sent, because an instance is left alone when one member is denied.
    fn hold_planned(&mut self) {
        for (target, planned) in self.plan.targets.iter().enumerate() {
            for member in &planned.members {
                self.hold(target, member.clone());
            }
        }
        self.withhold_partly_denied();
    }

    fn hold(&mut self, target: usize, member: TargetMember) {
        // Never signalled, whatever the plan says: 0 is our own process group, 1 is init, 2 is kthreadd.
        let held = if member.id.pid > Pid(2) {
            let held = self.kernel.hold(member.id);
            held.and_then(|held| self.refuse_if_traced(member.id, target).map(|()| held))
        } else {
            Err(Refusal::Denied(format!("{} is never signalled", member.id.pid)))
        };
        let index = self.subjects.len();
        self.subjects.push(Subject { target, member, held: None, sent: None, outcome: None });
        match held {
            Ok(held) => self.subjects[index].held = Some(held),
            Err(refusal) => self.finish(index, refused(refusal)),
        }
    }

    /// Refuses a process that a debugger outside its target is attached to.
    fn refuse_if_traced(&mut self, id: ProcessId, target: usize) -> Result<(), Refusal> {
        match self.kernel.tracer(id)? {
            Some(tracer) if !self.is_member(tracer, target) => {
                Err(Refusal::Denied(format!("is traced by process {tracer}")))
            }
            _ => Ok(()),
        }
    }

    /// Is this the pid of a member that is still there, or that is still to be held?
    fn is_member(&self, pid: Pid, target: usize) -> bool {
        let subject =
            self.subjects.iter().find(|subject| subject.target == target && subject.member.id.pid == pid);
        match subject {
            Some(subject) => subject.is_pending(),
            None => self.plan.targets[target].members.iter().any(|member| member.id.pid == pid),
        }
    }

    fn withhold_partly_denied(&mut self) {
        let denied = targets_with(&self.subjects, |outcome| matches!(outcome, Outcome::Denied(_)));
        self.withhold(&denied, "another member may not be ended");
    }

    /// Sends nothing more to these targets.
    fn withhold(&mut self, targets: &HashSet<usize>, why: &str) {
        for index in pending(&self.subjects) {
            if targets.contains(&self.subjects[index].target) {
                self.subjects[index].held = None;
                self.finish(index, Outcome::Withheld(why.to_owned()));
            }
        }
    }

    /// Sends SIGTERM to all that were sent nothing yet, as one batch; returns whether there was one.
    fn terminate(&mut self) -> bool {
        let mut due = pending(&self.subjects);
        due.retain(|index| self.subjects[*index].sent.is_none());
        self.batches += u32::from(!due.is_empty());
        self.send(due, Signal::Term)
    }

    /// Records the intents for all of these, then sends the signal; returns whether it did. Roots come first, because a
    /// wrapper that restarts its server must get SIGTERM before the server ends.
    fn send(&mut self, due: Vec<usize>, signal: Signal) -> bool {
        if self.stopped() || due.is_empty() {
            return false;
        }
        let mut steps = Vec::with_capacity(due.len());
        for index in due {
            steps.push((index, signal));
            if signal == Signal::Term && self.subjects[index].member.stopped {
                steps.push((index, Signal::Cont));
            }
        }
        let (plan, subjects) = (self.plan, &self.subjects);
        let intent = |&(index, signal): &(usize, Signal)| event(plan, &subjects[index], Step::Intent(signal));
        let intents: Vec<MemberEvent<'_>> = steps.iter().map(intent).collect();
        if let Err(error) = self.recorder.intend(&intents) {
            self.failed.get_or_insert(error);
            return false;
        }
        for (index, signal) in steps {
            self.signal(index, signal);
        }
        true
    }

    fn signal(&mut self, index: usize, signal: Signal) {
        if self.stopped() || !self.subjects[index].is_pending() {
            return;
        }
        let (id, target) = (self.subjects[index].member.id, self.subjects[index].target);
        let traced = self.refuse_if_traced(id, target);
        let Some(held) = &self.subjects[index].held else { return };
        match traced.and_then(|()| self.kernel.signal(held, signal)) {
            Ok(()) => {
                if signal != Signal::Cont {
                    let sent = Sent { signal, at: self.kernel.now(), batch: self.batches };
                    self.subjects[index].sent = Some(sent);
                }
                self.report(index, Step::Signalled(signal));
            }
            Err(Refusal::Gone | Refusal::Reused) => {
                self.finish(index, self.subjects[index].ended());
            }
            Err(refusal) => self.finish(index, refused(refusal)),
        }
    }

    /// Waits for all together. Members born meanwhile are sent SIGTERM at once, and a process that was sent SIGTERM a
    /// whole grace ago gets SIGKILL.
    fn wait_then_kill(&mut self, mut deadlines: Deadlines) {
        let mut pause = next_pause(Duration::ZERO, Duration::ZERO);
        while self.kernel.interrupted().is_none() {
            let now = self.kernel.now();
            if self.failed.is_some() || now >= deadlines.last_signal {
                // Nothing more is sent; only the outcome of the signals that were sent is awaited.
                let until = deadlines.last_due(&self.subjects, self.failed.is_none());
                return self.collect_ended(until.unwrap_or(now));
            }
            let next = deadlines.next_due(&self.subjects, now).unwrap_or(now);
            self.collect_ended(next.min(now.saturating_add(pause)).min(deadlines.last_signal));
            let waiting = deadlines.next_due(&self.subjects, self.kernel.now()).is_some();
            if !waiting && !self.late_children.can_find_orphans() {
                return;
            }
            if self.stopped() {
                continue;
            }
            let before = self.kernel.now();
            self.hold_newborn();
            let cost = self.kernel.now().saturating_sub(before);
            let sent = self.terminate();
            self.withhold_what_became_a_persons();
            let killed = self.send(deadlines.overdue(&self.subjects, self.kernel.now()), Signal::Kill);
            if !sent && !waiting {
                return;
            }
            if killed {
                deadlines.note_kill(self.kernel.now());
            }
            pause = next_pause(if killed { Duration::ZERO } else { pause }, cost);
        }
    }

    /// Waits until all that are left have ended or the deadline has passed, and notes the outcome of those that ended.
    fn collect_ended(&mut self, deadline: Duration) {
        let waiting = pending(&self.subjects);
        let held: Vec<&K::Held> =
            waiting.iter().filter_map(|index| self.subjects[*index].held.as_ref()).collect();
        if held.is_empty() {
            return;
        }
        let ended = self.kernel.wait(&held, deadline);
        for (index, ended) in waiting.into_iter().zip(ended) {
            if ended {
                self.finish(index, self.subjects[index].ended());
            }
        }
    }

    /// The report, in which every process has an outcome: those that are still there survived or were withheld.
    fn into_report(mut self) -> RunReport<W::Error> {
        for index in pending(&self.subjects) {
            let outcome = match self.subjects[index].sent {
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
        RunReport { results, failed: self.failed }
    }

    /// Nothing more is sent once a signal stops the run or the record failed.
    fn stopped(&self) -> bool {
        self.failed.is_some() || self.kernel.interrupted().is_some()
    }

    fn finish(&mut self, index: usize, outcome: Outcome) {
        self.subjects[index].outcome = Some(outcome.clone());
        self.report(index, Step::Ended(outcome));
    }

    fn report(&mut self, index: usize, step: Step) {
        if let Err(error) = self.recorder.note(&event(self.plan, &self.subjects[index], step)) {
            // The first failure is the one to report.
            self.failed.get_or_insert(error);
        }
    }
}

fn event<'e, H>(plan: &'e Plan, subject: &'e Subject<H>, step: Step) -> MemberEvent<'e> {
    MemberEvent { target: &plan.targets[subject.target], member: &subject.member, step }
}
