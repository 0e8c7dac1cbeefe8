//! Renders findings for people and for programs. Text of other programs is cleaned here, in the last step.

pub mod check;
pub mod clean;
mod columns;
pub(crate) mod configured;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod figures;
pub(crate) mod grid;
pub(crate) mod hints;
pub mod json;
pub(crate) mod log;
pub(crate) mod next;
pub(crate) mod pick;
pub(crate) mod plain;
pub(crate) mod sentence;
pub(crate) mod settings;
pub(crate) mod spinner;
pub mod style;
pub mod table;
pub(crate) mod tree;
pub(crate) mod wrap;

use std::collections::HashMap;

use crate::classify::{Finding, Judgement, Verdict};
use crate::containers::Containers;
use crate::plan::{Plan, Why};
use crate::process::{ProcessId, Snapshot};
use crate::reap::Outcome;

/// Everything to show of one look and, after a run, the outcomes.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The process table.
    pub snapshot: &'a Snapshot,
    /// Its judgement.
    pub judgement: &'a Judgement<'a>,
    /// The plan that follows from it.
    pub plan: &'a Plan,
    /// The outcome of each process of the plan; `None` if nothing was to be done.
    pub outcomes: Option<&'a HashMap<ProcessId, Outcome>>,
    /// Containers that nobody uses; `None` if the person did not ask for them.
    pub containers: Option<&'a Containers>,
}

impl<'a> Scene<'a> {
    /// A look and its plan, before anything is done.
    pub fn new(snapshot: &'a Snapshot, judgement: &'a Judgement<'a>, plan: &'a Plan) -> Scene<'a> {
        Scene { snapshot, judgement, plan, outcomes: None, containers: None }
    }

    /// Are there instances of other users than the viewer's?
    pub(crate) fn has_other_users(&self) -> bool {
        let viewer = self.snapshot.viewer.uid;
        self.judgement.findings.iter().any(|finding| finding.instance.root.uid != Some(viewer))
    }

    /// The user of an instance: the name if this machine knows it, otherwise the number; `?` if it could not be read.
    pub(crate) fn user_of(&self, finding: &Finding<'_>) -> String {
        let Some(uid) = finding.instance.root.uid else { return "?".to_owned() };
        // A recorded table may be from another machine with other users.
        let here = self.snapshot.viewer.pid.0 == std::process::id();
        let name = here.then(|| crate::os::home::name_of_user(uid.0)).flatten();
        name.unwrap_or_else(|| uid.0.to_string())
    }

    /// Is this instance to be ended?
    pub(crate) fn reaps(&self, finding: &Finding<'_>) -> bool {
        self.plan.ends(finding.instance.root.id)
    }

    /// Why it is withheld, although its verdict would end it.
    pub(crate) fn withheld(&self, finding: &Finding<'_>) -> Option<Why> {
        self.plan.withheld_because(finding.instance.root.id)
    }

    /// The outcome of a process in a run.
    pub(super) fn outcome(&self, id: ProcessId) -> Option<&'a Outcome> {
        self.outcomes?.get(&id)
    }

    /// The instances with this verdict that are left alone because of it.
    pub(super) fn left_by(&self, verdict: Verdict) -> impl Iterator<Item = &Finding<'_>> {
        let left =
            move |f: &&Finding<'_>| f.verdict == verdict && !self.reaps(f) && self.withheld(f).is_none();
        self.judgement.findings.iter().filter(left)
    }

    /// The findings, the worst first: what is ended, then by verdict, then by memory.
    pub(crate) fn worst_first(&self) -> Vec<&Finding<'_>> {
        self.sorted(Order::Verdict)
    }

    /// The findings in this order. Equal ones are sorted worst first.
    pub(crate) fn sorted(&self, order: Order) -> Vec<&Finding<'_>> {
        let mut findings: Vec<&Finding<'_>> = self.judgement.findings.iter().collect();
        findings
            .sort_by_key(|f| (!self.reaps(f), f.verdict, std::cmp::Reverse(f.rss), f.instance.root.pid()));
        match order {
            Order::Verdict => {}
            Order::Age => findings.sort_by(|a, b| b.age.total_cmp(&a.age)),
            Order::Rss => findings.sort_by_key(|f| std::cmp::Reverse(f.rss)),
            Order::Cpu => {
                let cpu = |f: &Finding<'_>| f.instance.cpu().unwrap_or(-1.0);
                findings.sort_by(|a, b| cpu(b).total_cmp(&cpu(a)));
            }
        }
        findings
    }
}

/// Which instances come first in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Order {
    /// What is ended, then by verdict, then the largest.
    #[default]
    Verdict,
    /// The oldest.
    Age,
    /// The largest in memory.
    Rss,
    /// The busiest on average over its life.
    Cpu,
}
