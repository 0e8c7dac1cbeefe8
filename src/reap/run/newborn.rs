//! Members that were born since the plan was made.

use std::collections::HashSet;

use super::Run;
use crate::bytes::Argv;
use crate::instance::Part;
use crate::plan::TargetMember;
use crate::reap::event::{Outcome, Recorder};
use crate::reap::kernel::{Kernel, Lookout, ProcessRow, ProcessTable};
use crate::reap::late_children::TableView;
use crate::reap::subject::{self, Subject, never_ended, pending, targets_with};

impl<K: Kernel + Lookout, W: Recorder> Run<'_, K, W> {
    /// Finds and holds members that were born since the plan was made. `min_age` does not protect them, because they
    /// share their parent's verdict.
    pub(super) fn hold_newborn(&mut self) {
        let ProcessTable { rows, complete } = self.kernel.process_table();
        // A process that is still alive after the scan held its pid during the whole scan.
        let now = self.kernel.now();
        self.collect_ended(now);
        if !complete {
            self.late_children.give_up_proofs();
        }
        for row in rows.iter().filter(|row| row.stopped) {
            for subject in self.subjects.iter_mut().filter(|subject| subject.member.id == row.id) {
                subject.member.stopped = true;
            }
        }
        let mut view = TableView::new(&rows);
        loop {
            // Children of a withheld instance are not signalled either.
            let withheld = targets_with(&self.subjects, |outcome| matches!(outcome, Outcome::Withheld(_)));
            (view.members, view.living) = (subject::members(&self.subjects), subject::living(&self.subjects));
            let mut newborn = self.late_children.find(&view, self.kernel);
            newborn.retain(|(target, _)| !withheld.contains(target));
            if newborn.is_empty() {
                return self.late_children.remember(self.plan, &view, self.kernel);
            }
            for (target, row) in newborn {
                let argv = self.kernel.argv(row.id);
                match never_ended(&self.catalog, &self.plan.targets[target], &argv) {
                    Some(why) => self.withhold(&HashSet::from([target]), why.as_str()),
                    None => self.hold_row(target, row, argv),
                }
            }
        }
    }

    /// A process that was born during the run may have become another program since it was found.
    pub(super) fn withhold_what_became_a_persons(&mut self) {
        for index in pending(&self.subjects) {
            let Subject { target, member, .. } = &self.subjects[index];
            let (target, id) = (*target, member.id);
            if self.plan.targets[target].members.iter().all(|planned| planned.id != id)
                && let argv = self.kernel.argv(id)
                && let Some(why) = never_ended(&self.catalog, &self.plan.targets[target], &argv)
            {
                self.withhold(&HashSet::from([target]), why.as_str());
            }
        }
    }

    fn hold_row(&mut self, target: usize, row: ProcessRow, argv: Argv) {
        let ProcessRow { id, parent, uid, stopped, started_at, .. } = row;
        let member = TargetMember { id, parent, uid, part: Part::Helper, stopped, started_at, rss: 0, argv };
        self.hold(target, member);
    }
}
