//! Findings, for people and for programs. Strangers' text is cleaned here, at the last step.

pub mod check;
pub mod clean;
pub mod configured;
pub mod doctor;
pub mod explain;
pub mod figures;
pub mod grid;
pub mod json;
pub mod log;
pub mod next;
pub mod pick;
pub mod plain;
pub mod sentence;
pub mod settings;
pub mod spinner;
pub mod style;
pub mod table;
pub mod tree;

use crate::classify::{Finding, Judgement};
use crate::plan::{Plan, Why};
use crate::process::Snapshot;
use crate::reap::Ended;

/// All that there is to show of one look and, after a real run, of what became of its plan.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What was seen.
    pub snapshot: &'a Snapshot,
    /// What it means.
    pub judgement: &'a Judgement<'a>,
    /// What follows.
    pub plan: &'a Plan,
    /// What became of it; `None` when nothing was to be done.
    pub results: Option<&'a [Ended]>,
}

impl Scene<'_> {
    /// Is this instance to be ended?
    #[must_use]
    pub fn reaps(&self, finding: &Finding<'_>) -> bool {
        self.plan.ends(finding.instance.root.id)
    }

    /// Why it is left alone although its verdict says otherwise.
    #[must_use]
    pub fn withheld(&self, finding: &Finding<'_>) -> Option<Why> {
        self.plan.withheld_because(finding.instance.root.id)
    }

    /// The findings, the ones that matter most first: what is ended, then by verdict, then the
    /// largest.
    #[must_use]
    pub fn worst_first(&self) -> Vec<&Finding<'_>> {
        let mut findings: Vec<&Finding<'_>> = self.judgement.findings.iter().collect();
        findings
            .sort_by_key(|f| (!self.reaps(f), f.verdict, std::cmp::Reverse(f.rss), f.instance.root.pid()));
        findings
    }
}
