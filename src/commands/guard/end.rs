//! Judges and ends one server after an event, by the same judgement and the same ending as a run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::super::recorder::Totals;
use super::host::{Host, Settings};
use super::look::{Guarded, GuardedLook};
use super::record::ShortLocks;
use super::whole::{WholeServer, ends};
use crate::classify::{self, Finding, Judgement};
use crate::guard::watch::{Grace, Judged};
use crate::instance::Part;
use crate::look::Look;
use crate::plan::{Plan, Target};
use crate::policy::{Limits, Policy, Retention};
use crate::process::{Pid, ProcessId, Snapshot};
use crate::reap;

/// How long a server may take to leave by itself. Servers that obey the end of their input end within 3 to 4 s, and on
/// SIGTERM at once; a longer `grace` counts only after SIGTERM. With the default grace of 5 s nothing is left after 10
/// s.
pub(super) const TO_LEAVE: Duration = Duration::from_millis(3500);

/// The least time between the two looks.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// How a server is judged and ended.
pub(super) struct Rules {
    policy: Policy,
    retention: Retention,
    directory: PathBuf,
}

impl From<Settings> for Rules {
    /// The rules of the person without the minimum age and without limits on instances in use.
    fn from(settings: Settings) -> Rules {
        let policy = Policy { min_age: Duration::ZERO, limits: Limits::default(), ..settings.policy };
        Rules { policy, retention: settings.retention, directory: settings.directory }
    }
}

/// Which processes of a server are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All processes that belong to it.
    Server,
    /// It is a client, and only the servers that it left behind and that are known by name are judged.
    Session,
}

/// Gives the server its time to leave, judges twice, and ends the targets of both looks. `pause` returns whether to go
/// on. `lingering` are clients that still hold stdout and no longer count as readers.
///
/// # Errors
/// When a look or the record fails; nothing more is ended then.
pub(super) fn judge_and_end<H: Host>(
    guarded: &Guarded<H>,
    rules: &Rules,
    scope: Scope,
    grace: Grace,
    lingering: &[Pid],
    pause: &mut dyn FnMut(Duration) -> bool,
) -> anyhow::Result<Judged> {
    let between = rules.policy.confirm_after.max(BETWEEN_LOOKS);
    if let Grace::Ahead { waited, .. } = grace {
        let to_leave = rules.policy.grace.min(TO_LEAVE).saturating_sub(between);
        if !pause(to_leave.saturating_sub(waited)) {
            return Ok(Judged::SomethingLeft);
        }
    }
    let host = &guarded.host;
    let started = host.now();
    let elapsed = || host.now().saturating_sub(started);
    let Some(first) = plan(guarded, rules, scope, lingering)? else { return Ok(Judged::NothingLeft) };
    if first.plan.targets.is_empty() || !pause(between.saturating_sub(elapsed())) {
        return Ok(Judged::SomethingLeft);
    }
    let stop = host.stop()?;
    let patience = Policy::run_lock_wait(rules.policy.grace);
    let mut recorder = ShortLocks::take(rules.directory.clone(), rules.retention, patience)?;
    let Some(second) = plan(guarded, rules, scope, lingering)? else { return Ok(Judged::NothingLeft) };
    let confirmed = first.confirmed_by(second);
    if confirmed.targets.is_empty() {
        return Ok(Judged::SomethingLeft);
    }
    recorder.started(&confirmed);
    let mut kernel = host.kernel(rules.policy.all_users, Arc::clone(&stop))?;
    let report = reap::run(&confirmed, rules.policy.grace, &mut kernel, &mut recorder);
    let totals = Totals::of(&confirmed, &report, elapsed());
    recorder.finished(&totals, super::super::stop::signal_in(&stop))?;
    if let Some(error) = report.failed {
        return Err(error).context("the audit log could not be kept");
    }
    let (_, left) = guarded.read_members()?;
    Ok(if left.is_empty() { Judged::NothingLeft } else { Judged::SomethingLeft })
}

/// The plan of one look; `None` if no process of the server is left.
fn plan<H: Host>(
    guarded: &Guarded<H>,
    rules: &Rules,
    scope: Scope,
    lingering: &[Pid],
) -> anyhow::Result<Option<Planned>> {
    let policy = &rules.policy;
    let mut seen = guarded.look(policy, scope == Scope::Server)?;
    if seen.tops.is_empty() {
        return Ok(None);
    }
    remove_readers(&mut seen, lingering);
    let mut look = Look::with_roles(&seen.snapshot, &seen.catalog, seen.roles);
    look.judges_marked = false;
    if scope == Scope::Server {
        look.roots.extend(&seen.tops);
    }
    let judgement = classify::judge(&look, policy);
    let mut ours: Vec<Finding<'_>> = judgement
        .findings
        .into_iter()
        .filter(|finding| seen.tops.contains(&finding.instance.root.pid()))
        .collect();
    for finding in &ours {
        tracing::debug!(
            "guard: {} is {}: {}",
            finding.instance.root.pid(),
            finding.verdict.as_str(),
            finding.reason
        );
    }
    if !lingering.is_empty() {
        for finding in ours.iter_mut().filter(|finding| ends(finding.verdict)) {
            "stdin closed long ago, and only its client still reads".clone_into(&mut finding.reason);
        }
    }
    let root = guarded.marker.root;
    let root_lives = seen.tops.contains(&root.pid);
    if scope == Scope::Server {
        let served = || guarded.was_a_server(policy);
        let whole = WholeServer { root, root_lives, wired: guarded.marker.is_on_a_wire(), served: &served };
        ours = whole.findings_to_end(ours, &|| guarded.name());
    } else {
        ours.retain(|finding| ends(finding.verdict));
    }
    let judgement = Judgement { findings: ours, ..Judgement::default() };
    let mut plan = Plan::of_unused(&judgement, &look, policy);
    mark_helpers(&mut plan, &seen.snapshot, root);
    Ok(Some(Planned { plan, root: root_lives.then_some(root) }.with_its_root()))
}

/// The plan for a server, and its root while that lives.
struct Planned {
    plan: Plan,
    root: Option<ProcessId>,
}

impl Planned {
    /// The plan without any target if the root lives and is not ended.
    fn with_its_root(mut self) -> Planned {
        if self.root.is_some_and(|root| !self.plan.ends(root)) {
            self.plan.targets.clear();
        }
        self
    }

    fn confirmed_by(self, second: Planned) -> Plan {
        let plan = self.plan.confirmed_by(&second.plan);
        Planned { plan, root: second.root }.with_its_root().plan
    }
}

/// Makes processes that left the tree and are on no wire helpers, also for the audit log.
fn mark_helpers(plan: &mut Plan, snapshot: &Snapshot, root: ProcessId) {
    let wired = |pid: Pid| snapshot.processes.iter().any(|record| record.pid() == pid && record.is_wired());
    let away = |target: &&mut Target| target.root() != root && !wired(target.root().pid);
    for member in plan.targets.iter_mut().filter(away).flat_map(|target| &mut target.members) {
        member.part = Part::Helper;
    }
}

/// Removes the `lingering` clients from the readers of stdout where stdin is closed. Such a client left stdout open and
/// does not use it any more.
fn remove_readers(seen: &mut GuardedLook, lingering: &[Pid]) {
    for record in &mut seen.snapshot.processes {
        if let Some(stdio) = &mut record.details.stdio
            && stdio.stdin_peers.as_deref() == Some(&[])
            && let Some(readers) = &mut stdio.stdout_peers
        {
            readers.retain(|reader| !lingering.contains(reader));
        }
    }
}
