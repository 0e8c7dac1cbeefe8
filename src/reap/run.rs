//! One run: hold all, send SIGTERM to all, wait together, send SIGKILL to what is left, report what became of each.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::event::{Ended, MemberEvent, Outcome, Recorder, RunReport, Step};
use super::kernel::{Kernel, Lookout, ProcessRow, ProcessTable, Refusal, Signal};
use super::late_children::{LateChildren, View};
use super::patience::{Patience, next_pause};
use super::subject::{Sent, Subject, refused};
use crate::bytes::Argv;
use crate::instance::Part;
use crate::plan::{Plan, TargetMember};
use crate::process::{Pid, ProcessId};

struct Run<'a, K: Kernel, W: Recorder> {
    plan: &'a Plan,
    kernel: &'a mut K,
    recorder: &'a mut W,
    late_children: LateChildren,
    /// First those of the plan, in its order, then those born since.
    subjects: Vec<Subject<K::Held>>,
    /// How often SIGTERM was sent.
    waves: u32,
    failed: Option<W::Error>,
}

/// Carries out a plan: SIGTERM to every member of every target at once, one shared wait of up to
/// `grace`, SIGKILL to what is left. The run takes as long as the slowest target, never the sum.
///
/// Nothing is signalled without a handle whose identity was compared, nor before its intent is recorded, nor while a
/// process outside its target traces it; an instance of which one member cannot be held is left alone whole. Members
/// born on the way are looked for before SIGTERM, during the grace, and before and after SIGKILL; each has a whole
/// grace of its own between the two. [`longest`](super::longest) is the longest that a run takes.
pub fn run<K: Kernel + Lookout, W: Recorder>(
    plan: &Plan,
    grace: Duration,
    kernel: &mut K,
    recorder: &mut W,
) -> RunReport<W::Error> {
    let (late_children, subjects) = (LateChildren::of(plan), Vec::new());
    let mut run = Run { plan, kernel, recorder, late_children, subjects, waves: 0, failed: None };
    run.hold();
    if run.subjects.iter().any(Subject::is_pending) {
        run.look_for_newborn();
        run.spare_the_partly_denied();
        run.terminate();
        // To record and to send takes time, with thousands of members seconds; the grace begins after it.
        let begun = run.kernel.now();
        run.wait_then_kill(Patience::new(grace, begun));
    }
    run.close()
}

impl<K: Kernel + Lookout, W: Recorder> Run<'_, K, W> {
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
        // Never signalled, whatever the plan says: 0 is our own process group, 1 is init, 2 is the kernel.
        let held = if member.id.pid > Pid(2) {
            let held = self.kernel.hold(member.id);
            held.and_then(|held| self.refuse_if_traced(member.id, target).map(|()| held))
        } else {
            Err(Refusal::Denied(format!("{} is never signalled", member.id.pid)))
        };
        let (held, refusal) = held.map_or_else(|refusal| (None, Some(refusal)), |held| (Some(held), None));
        self.subjects.push(Subject { target, member, held, sent: None, outcome: None });
        if let Some(refusal) = refusal {
            self.finish(self.subjects.len() - 1, refused(refusal));
        }
    }

    /// A debugger would lose the process that it is attached to.
    fn refuse_if_traced(&mut self, id: ProcessId, target: usize) -> Result<(), Refusal> {
        match self.kernel.tracer(id)? {
            Some(tracer) if !self.is_member(tracer, target) => {
                Err(Refusal::Denied(format!("is traced by process {tracer}")))
            }
            _ => Ok(()),
        }
    }

    /// Is this the pid of a member that is still there, or that was not held yet?
    fn is_member(&self, pid: Pid, target: usize) -> bool {
        let subject =
            self.subjects.iter().find(|subject| subject.target == target && subject.member.id.pid == pid);
        match subject {
            Some(subject) => subject.is_pending(),
            None => self.plan.targets[target].members.iter().any(|member| member.id.pid == pid),
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

    /// Members born since the plan was made join their instance. `min_age` does not protect them;
    /// they share their parent's verdict.
    fn look_for_newborn(&mut self) {
        let ProcessTable { rows, complete } = self.kernel.process_table();
        // A process that is still alive after the scan held its pid during the whole scan.
        let now = self.kernel.now();
        self.collect_ended(now);
        if !complete {
            self.late_children.give_up();
        }
        for row in rows.iter().filter(|row| row.stopped) {
            for subject in self.subjects.iter_mut().filter(|subject| subject.member.id == row.id) {
                subject.member.stopped = true;
            }
        }
        // Children of a withheld instance are not signalled either.
        let spared = self.targets_with(|outcome| matches!(outcome, Outcome::Withheld(_)));
        let mut view = View::new(&rows);
        loop {
            (view.known, view.living) = (self.known(), self.living());
            let mut born = self.late_children.born(&view, self.kernel);
            born.retain(|(target, _)| !spared.contains(target));
            if born.is_empty() {
                return self.late_children.remember(self.plan, &view, self.kernel);
            }
            for (target, row) in born {
                self.take_in(target, row);
            }
        }
    }

    fn take_in(&mut self, target: usize, row: ProcessRow) {
        let ProcessRow { id, parent, uid, stopped, started_at, .. } = row;
        let (part, rss, argv) = (Part::Helper, 0, Argv::default());
        self.take(target, TargetMember { id, parent, uid, part, stopped, started_at, rss, argv });
        if let Some(subject) = self.subjects.last_mut().filter(|subject| subject.held.is_some()) {
            subject.member.argv = self.kernel.argv(id);
        }
    }

    /// SIGTERM for all that were sent nothing yet, together; returns whether there was one.
    fn terminate(&mut self) -> bool {
        let mut due = self.pending();
        due.retain(|index| self.subjects[*index].sent.is_none());
        self.waves += u32::from(!due.is_empty());
        self.send(due, Signal::Term)
    }

    /// Records the intents of all of these, then sends; returns whether there was one. Roots come first, so
    /// that a wrapper that starts its server again gets it before the server ends.
    fn send(&mut self, due: Vec<usize>, signal: Signal) -> bool {
        if self.stopped() || due.is_empty() {
            return false;
        }
        let mut intents = Vec::with_capacity(due.len());
        for subject in due.iter().map(|index| &self.subjects[*index]) {
            let (target, member) = (&self.plan.targets[subject.target], &subject.member);
            intents.push(MemberEvent { target, member, step: Step::Intent(signal) });
            if signal == Signal::Term && member.stopped {
                intents.push(MemberEvent { target, member, step: Step::Intent(Signal::Cont) });
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
        let traced = self.refuse_if_traced(self.subjects[index].member.id, self.subjects[index].target);
        let Some(held) = &self.subjects[index].held else { return };
        match traced.and_then(|()| self.kernel.signal(held, signal)) {
            Ok(()) => {
                if signal != Signal::Cont {
                    let sent = Sent { signal, at: self.kernel.now(), wave: self.waves };
                    self.subjects[index].sent = Some(sent);
                }
                self.report(index, Step::Signalled(signal));
            }
            Err(Refusal::Gone | Refusal::Reused) => {
                let outcome = self.subjects[index].end();
                self.finish(index, outcome);
            }
            Err(refusal) => self.finish(index, refused(refusal)),
        }
    }

    /// Waits for all together. Members born meanwhile are sent SIGTERM at once; a process that was sent SIGTERM a
    /// whole grace ago gets SIGKILL.
    fn wait_then_kill(&mut self, mut patience: Patience) {
        let mut pause = next_pause(Duration::ZERO, Duration::ZERO);
        while self.kernel.interrupted().is_none() {
            let now = self.kernel.now();
            if self.failed.is_some() || now >= patience.last_call {
                // Nothing more is sent. What becomes of those that were sent a signal is still seen.
                let until = patience.last_due(&self.subjects, self.failed.is_none());
                return self.collect_ended(until.unwrap_or(now));
            }
            let next = patience.next_due(&self.subjects, now).unwrap_or(now);
            self.collect_ended(next.min(now.saturating_add(pause)).min(patience.last_call));
            let waiting = patience.next_due(&self.subjects, self.kernel.now()).is_some();
            if !waiting && !self.late_children.outlives_its_members() {
                return;
            }
            if self.stopped() {
                continue;
            }
            let before = self.kernel.now();
            self.look_for_newborn();
            let cost = self.kernel.now().saturating_sub(before);
            let sent = self.terminate();
            let killed = self.send(patience.overdue(&self.subjects, self.kernel.now()), Signal::Kill);
            if !sent && !waiting {
                return;
            }
            if killed {
                patience.note_kill(self.kernel.now());
            }
            pause = next_pause(if killed { Duration::ZERO } else { pause }, cost);
        }
    }

    /// Waits until all that are left have ended or the deadline has passed, and notes which have ended,
    /// and by which signal.
    fn collect_ended(&mut self, deadline: Duration) {
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

    /// What has no outcome yet is still there.
    fn close(mut self) -> RunReport<W::Error> {
        for index in self.pending() {
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

    fn pending(&self) -> Vec<usize> {
        (0..self.subjects.len()).filter(|index| self.subjects[*index].is_pending()).collect()
    }

    /// The targets of which at least one member came to such an outcome.
    fn targets_with(&self, is: impl Fn(&Outcome) -> bool) -> HashSet<usize> {
        let came = self.subjects.iter().filter(|subject| subject.outcome.as_ref().is_some_and(&is));
        came.map(|subject| subject.target).collect()
    }

    /// The members that are still there, by number.
    fn living(&self) -> HashMap<Pid, usize> {
        let pending = self.subjects.iter().filter(|subject| subject.is_pending());
        pending.map(|subject| (subject.member.id.pid, subject.target)).collect()
    }

    fn known(&self) -> HashMap<ProcessId, usize> {
        self.subjects.iter().map(|subject| (subject.member.id, subject.target)).collect()
    }

    fn finish(&mut self, index: usize, outcome: Outcome) {
        self.subjects[index].outcome = Some(outcome.clone());
        self.report(index, Step::Ended(outcome));
    }

    fn report(&mut self, index: usize, step: Step) {
        let subject = &self.subjects[index];
        let event = MemberEvent { target: &self.plan.targets[subject.target], member: &subject.member, step };
        if let Err(error) = self.recorder.note(&event) {
            // The first failure is the one to report.
            self.failed.get_or_insert(error);
        }
    }
}
