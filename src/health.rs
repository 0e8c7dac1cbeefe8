//! Is anything wrong? What `check` reports, from a judgement, a plan and what the person expects.

use serde::Serialize;

use crate::classify::{Finding, Judgement, Verdict};
use crate::containers::Container;
use crate::plan::Plan;
use crate::policy::Policy;
use crate::process::Pid;

/// One thing that is wrong. In JSON the kind comes first, then its values.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Problem {
    /// Nobody uses it any more, and a run would end it.
    Orphan {
        /// The server.
        server: String,
        /// The root of the instance.
        root: Pid,
        /// `orphaned`, `disconnected`, or `detached` where the person wants those ended.
        verdict: &'static str,
        /// The evidence in a few words.
        reason: String,
        /// Resident memory in bytes.
        rss: u64,
    },
    /// It breaks a limit, and a run would end it.
    Limit {
        /// The server.
        server: String,
        /// The root of the instance.
        root: Pid,
        /// `excess`, `expired` or `oversized`.
        verdict: &'static str,
        /// The value and the bound in a few words.
        reason: String,
        /// Resident memory in bytes.
        rss: u64,
    },
    /// A client that nobody can talk to any more keeps its servers alive.
    OrphanedClient {
        /// The client.
        pid: Pid,
        /// Its name in the catalog.
        name: String,
    },
    /// A container of an MCP image whose client is gone. No run ends it.
    Container {
        /// `docker` or `podman`.
        engine: String,
        /// Its image.
        image: String,
        /// Its name.
        name: String,
    },
    /// Fewer instances in use than `[[expect]]` wants.
    Missing {
        /// The name in the entry.
        name: String,
        /// Instances that run.
        running: u32,
        /// Instances that should, at least.
        min: u32,
    },
    /// More instances than `[[expect]]` wants.
    TooMany {
        /// The name in the entry.
        name: String,
        /// Instances that run.
        running: u32,
        /// Instances that should, at most.
        max: u32,
    },
}

/// The state of a machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// What is wrong; nothing means healthy.
    pub problems: Vec<Problem>,
    /// Instances that nobody uses and a run would end, tolerated or not.
    pub orphans: usize,
    /// Bytes of resident memory they have.
    pub orphans_rss: u64,
    /// Instances that break a limit and would be ended.
    pub over_limits: usize,
    /// Clients that nobody can talk to any more.
    pub orphaned_clients: usize,
    /// Instances of which something needed is not known: no problem, but shown.
    pub undetermined: usize,
}

impl Health {
    /// Judges. Up to `max_orphans` orphans are tolerated: one timer's interval may leave some.
    pub fn of(judgement: &Judgement<'_>, plan: &Plan, policy: &Policy, max_orphans: usize) -> Health {
        let goes = || judgement.findings.iter().filter(|f| plan.ends(f.instance.root.id));
        let limits =
            |f: &&Finding<'_>| matches!(f.verdict, Verdict::Excess | Verdict::Expired | Verdict::Oversized);
        let orphans: Vec<_> = goes().filter(|f| !limits(f)).collect();
        // A client that is to be ended is an orphan itself, and reported once.
        let clients: Vec<_> = judgement
            .clients
            .iter()
            .filter(|client| client.orphaned && !goes().any(|f| f.instance.contains(client.pid)))
            .collect();
        let mut health = Health {
            problems: Vec::new(),
            orphans: orphans.len(),
            orphans_rss: orphans.iter().fold(0, |sum, f| sum.saturating_add(f.rss)),
            over_limits: goes().filter(limits).count(),
            orphaned_clients: clients.len(),
            undetermined: judgement.findings.iter().filter(|f| f.verdict == Verdict::Undetermined).count(),
        };
        if orphans.len() > max_orphans {
            health.problems.extend(orphans.into_iter().map(|f| Problem::Orphan {
                server: f.instance.server.clone(),
                root: f.instance.root.pid(),
                verdict: f.verdict.as_str(),
                reason: f.reason.clone(),
                rss: f.rss,
            }));
        }
        health.problems.extend(goes().filter(limits).map(|f| Problem::Limit {
            server: f.instance.server.clone(),
            root: f.instance.root.pid(),
            verdict: f.verdict.as_str(),
            reason: f.reason.clone(),
            rss: f.rss,
        }));
        health.problems.extend(
            clients
                .into_iter()
                .map(|client| Problem::OrphanedClient { pid: client.pid, name: client.name.clone() }),
        );
        health.expectations(judgement, policy);
        health
    }

    /// Adds the containers without a client, where the person asked for them.
    pub(crate) fn add_containers(&mut self, containers: &[Container]) {
        self.problems.extend(containers.iter().map(|container| Problem::Container {
            engine: container.engine.clone(),
            image: container.image.clone(),
            name: container.name.clone(),
        }));
    }

    /// Nothing is wrong.
    pub fn is_fine(&self) -> bool {
        self.problems.is_empty()
    }

    /// A server that should run and does not: it is needed.
    pub fn is_critical(&self) -> bool {
        self.problems.iter().any(|problem| matches!(problem, Problem::Missing { .. }))
    }

    /// An orphan is no server that runs: no client could use it.
    fn expectations(&mut self, judgement: &Judgement<'_>, policy: &Policy) {
        for expected in &policy.expect {
            let runs = |f: &&Finding<'_>| {
                !matches!(f.verdict, Verdict::Orphaned | Verdict::Disconnected)
                    && expected.pattern.matches(&f.instance.server)
            };
            let running = judgement.findings.iter().filter(runs).count();
            let running = u32::try_from(running).unwrap_or(u32::MAX);
            let (name, min) = (expected.name.clone(), expected.min);
            if running < min {
                self.problems.push(Problem::Missing { name, running, min });
            } else if let Some(max) = expected.max.filter(|max| running > *max) {
                self.problems.push(Problem::TooMany { name, running, max });
            }
        }
    }
}
