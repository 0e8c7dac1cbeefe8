//! `mcp-reap` itself: look, plan, ask, look again, end, tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

use anyhow::{Context as _, bail};

use super::witness::{AuditWitness, Totals};
use super::{Session, answer, ask, look, say, someone_is_there};
use crate::audit::{AuditLog, RunLock};
use crate::cli::Cli;
use crate::exit::Exit;
use crate::plan::Plan;
use crate::reap::{self, Outcome, Report};
use crate::render::{Scene, json, table};

/// Up to the plan and no further: nothing is sent, nothing is written.
pub(super) fn dry_run(session: &Session) -> anyhow::Result<Exit> {
    let snapshot = look::snapshot(session)?;
    let (judgement, plan) = look::judge(session, &snapshot);
    let scene = Scene { snapshot: &snapshot, judgement: &judgement, plan: &plan, results: None };
    if session.json {
        answer(&json::report(&scene))?;
    } else {
        answer(&table::plan(&scene, session.look))?;
        if !session.quiet {
            say(&table::summary(&scene));
        }
    }
    Ok(Exit::Fine)
}

/// The real thing.
pub(super) fn run(session: &Session, cli: &Cli) -> anyhow::Result<Exit> {
    if session.snapshot.is_some() {
        bail!("--snapshot judges a recorded table and can never end anything; add --dry-run");
    }
    let directory = crate::config::state_dir()?;
    let Some(_lock) = lock(&directory, cli.wait)? else {
        if !session.quiet {
            say("another mcp-reap is running; it does this work (--wait waits for it)");
        }
        return Ok(Exit::Fine);
    };
    let mut log = AuditLog::open(&directory, &session.audit, chrono::Utc::now())
        .context("without an audit log nothing is ended")?;
    let first = look::snapshot(session)?;
    let (judgement, plan) = look::judge(session, &first);
    let scene = |plan, results| Scene { snapshot: &first, judgement: &judgement, plan, results };
    if !plan.targets.is_empty() && !cli.yes && someone_is_there() {
        let scene = scene(&plan, None);
        say(table::plan(&scene, session.look).trim_end());
        say(&table::summary(&scene));
        if !ask("End them?")? {
            say("nothing was ended");
            return Ok(Exit::Fine);
        }
    }
    let stop = Arc::new(AtomicI32::new(0));
    listen(&stop)?;
    let started = Instant::now();
    let mut witness = AuditWitness::new(&mut log);
    witness.started(cli.started_by, plan.targets.len())?;
    let confirmed = confirm(session, plan.clone(), &stop)?;
    witness.withheld(&confirmed)?;
    let mut kernel = crate::sys::OsKernel::new(session.policy.all_users, Arc::clone(&stop))?;
    let report = reap::run(&confirmed, session.policy.grace, &mut kernel, &mut witness);
    let totals = Totals::of(&confirmed, &report, started.elapsed());
    let closed = witness.finished(&totals);
    let scene = scene(&confirmed, Some(&report.results));
    if session.json {
        answer(&json::report(&scene))?;
    } else if !session.quiet || !report.results.iter().all(|ended| ended.outcome.is_gone()) {
        answer(&table::plan(&scene, session.look))?;
        say(&table::result(&scene, &totals.sentence()));
    }
    exit(report, closed)
}

/// One run at a time per user.
fn lock(directory: &std::path::Path, wait: bool) -> anyhow::Result<Option<RunLock>> {
    Ok(if wait { Some(RunLock::acquire_waiting(directory)?) } else { RunLock::try_acquire(directory)? })
}

/// The signals that ask us to stop; their number goes to the kernel's hand.
fn listen(stop: &Arc<AtomicI32>) -> anyhow::Result<()> {
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register_usize(signal, Arc::clone(stop), signal).context("failed to listen for signals")?;
    }
    Ok(())
}

/// The second look: only what is planned again is carried out.
fn confirm(session: &Session, plan: Plan, stop: &AtomicI32) -> anyhow::Result<Plan> {
    if plan.targets.is_empty() {
        return Ok(plan);
    }
    std::thread::sleep(session.policy.confirm_after);
    if stop.load(Ordering::Relaxed) != 0 {
        return Ok(Plan { targets: Vec::new(), withheld: plan.withheld });
    }
    let second = look::snapshot(session)?;
    let (_, again) = look::judge(session, &second);
    Ok(plan.confirmed_by(&again))
}

fn exit<E: Into<anyhow::Error>>(report: Report<E>, closed: anyhow::Result<()>) -> anyhow::Result<Exit> {
    let sent = report.results.iter().any(|ended| {
        matches!(ended.outcome, Outcome::Exited | Outcome::Killed | Outcome::Survived)
    });
    if let Some(error) = report.failed {
        let error = error.into().context("the audit log could not be kept, so nothing more was sent");
        if !sent {
            return Err(error);
        }
        say(&format!("mcp-reap: {error:#}"));
        return Ok(Exit::NotFine);
    }
    closed?;
    if let Some(signal) = report.interrupted {
        return Ok(Exit::Signalled(signal));
    }
    let fine = report
        .results
        .iter()
        .all(|ended| !matches!(ended.outcome, Outcome::Survived | Outcome::Denied(_)));
    Ok(if fine { Exit::Fine } else { Exit::NotFine })
}
