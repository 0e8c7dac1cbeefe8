//! `mcp-reap` itself: look, plan, ask, look again, end, tell.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use anyhow::{Context as _, bail};

use super::output::{answer, can_ask, confirm, notice, with_causes};
use super::recorder::{AuditRecorder, Totals};
use super::stop::{listen, signal_in};
use super::{Session, confirm as second_look, look, run_lock};
use crate::audit::{AuditError, AuditLog, Retention, RunId, RunLock, StartedBy};
use crate::cli::Cli;
use crate::exit::Exit;
use crate::plan::Plan;
use crate::process::Pid;
use crate::reap::{self, Outcome, RunReport};
use crate::render::spinner::Spinner;
use crate::render::{Scene, json, table};

/// Up to the plan and no further: nothing is sent, nothing is written.
pub(super) fn dry_run(session: &Session) -> anyhow::Result<Exit> {
    let (snapshot, scout) = look::take(session)?;
    let judged = look::judge(session, &snapshot, scout);
    let scene = judged.scene();
    if session.json {
        answer(&json::report(&scene))?;
    } else {
        answer(&table::plan(&scene, session.screen))?;
        if !session.quiet {
            notice(&table::summary_of(&scene, session.memory()));
        }
    }
    Ok(Exit::Fine)
}

/// The real thing.
pub(super) fn run(session: &Session, cli: &Cli) -> anyhow::Result<Exit> {
    if session.snapshot.is_some() {
        bail!("--snapshot judges a recorded table and can never end anything; add --dry-run");
    }
    let stop = Arc::new(AtomicUsize::new(0));
    let directory = crate::config::state_dir()?;
    let by = cli.started_by.into();
    let Some(lock) = run_lock::take(session, &directory, cli.wait, &stop)? else {
        return nothing_done(session);
    };
    let mut log = open(session, lock, by)?;
    let mut started = Instant::now();
    let (snapshot, scout) = look::take(session)?;
    let judged = look::judge(session, &snapshot, scout);
    let mut scene = judged.scene();
    if !scene.plan.targets.is_empty() && !cli.yes && can_ask() {
        notice(table::plan(&scene, session.screen).trim_end());
        notice(&table::summary_of(&scene, session.memory()));
        // A person may think for long, or go for lunch; no other run has to wait for that.
        drop(log);
        if !confirm("End them?")? {
            notice("nothing was ended");
            return nothing_done(session);
        }
        // The person said yes. What another run has ended meanwhile, the second look will
        // not find.
        let Some(lock) = run_lock::take(session, &directory, true, &stop)? else {
            return nothing_done(session);
        };
        log = open(session, lock, by)?;
        // The time a person takes to think is not the run's.
        started = Instant::now();
    }
    // Up to here Ctrl-C simply ends us; from here on it has to leave a closed log behind.
    listen(&stop)?;
    let done = end(session, log, by, judged.plan.clone(), started, &stop)?;
    scene.results = Some(&done.report.results);
    if let Err(error) = tell(session, &scene, &done.confirmed, &done.totals) {
        // What was done is done and recorded; the exit code speaks of that.
        notice(&format!("mcp-reap: {error:#}"));
    }
    exit(done)
}

/// Who wants JSON gets an object in any case: what there is, without outcomes.
fn nothing_done(session: &Session) -> anyhow::Result<Exit> {
    if session.json { dry_run(session) } else { Ok(Exit::Fine) }
}

/// What became of a plan.
pub(super) struct Done {
    confirmed: Plan,
    report: RunReport<AuditError>,
    totals: Totals,
    /// Whether the end of the run was written down.
    closed: Result<(), AuditError>,
    interrupted: Option<i32>,
}

impl Done {
    /// Was everything that was planned, this number of instances, also ended?
    pub(super) fn ended(&self, planned: usize) -> bool {
        usize::try_from(self.totals.instances) == Ok(planned) && self.totals.failed == 0
    }
}

/// The audit log of a run that has the lock.
pub(super) fn open(session: &Session, mut lock: RunLock, by: StartedBy) -> anyhow::Result<AuditLog> {
    lock.sign(by);
    let now = chrono::Utc::now();
    let retention = Retention { keep_days: session.audit.keep_days, max_size: session.audit.max_size };
    AuditLog::open(lock, retention, RunId::new(now, Pid(std::process::id())), now)
        .context("without an audit log nothing is ended")
}

/// From the plan of a first look to the last outcome: confirms it by a second look, ends what is
/// left of it, and writes all of that down. `started` is when the first look began.
///
/// # Errors
/// When the second look or the record of the run's beginning fails; nothing was ended then.
pub(super) fn end(
    session: &Session,
    log: AuditLog,
    by: StartedBy,
    plan: Plan,
    started: Instant,
    stop: &Arc<AtomicUsize>,
) -> anyhow::Result<Done> {
    if session.snapshot.is_some() {
        bail!("a recorded table ends nothing");
    }
    let mut kernel = crate::sys::OsKernel::new(session.policy.all_users, Arc::clone(stop))?;
    let mut recorder = AuditRecorder::new(log);
    recorder.started(by, &plan)?;
    let confirmed = match second_look::confirm(session, plan, &mut kernel) {
        Ok(confirmed) => confirmed,
        Err(error) => {
            // What began also ends in the record; the error itself is for the caller.
            let nothing = Totals { duration: started.elapsed(), ..Totals::default() };
            recorder.finished(&nothing, signal_in(stop))?;
            return Err(error);
        }
    };
    recorder.withheld(&confirmed.withheld)?;
    let waiting = waiting(session, &confirmed);
    let report = reap::run(&confirmed, session.policy.grace, &mut kernel, &mut recorder);
    drop(waiting);
    let totals = Totals::of(&confirmed, &report, started.elapsed());
    let interrupted = signal_in(stop);
    let closed = recorder.finished(&totals, interrupted);
    Ok(Done { confirmed, report, totals, closed, interrupted })
}

/// Shows a person that time passes while the targets have theirs.
fn waiting(session: &Session, plan: &Plan) -> Option<Spinner> {
    let processes: usize = plan.targets.iter().map(|target| target.members.len()).sum();
    let what = format!("asked {} to end", table::count(processes, "process"));
    (processes > 0 && !session.quiet).then(|| Spinner::start(what, session.policy.grace))
}

fn tell(session: &Session, scene: &Scene<'_>, confirmed: &Plan, totals: &Totals) -> anyhow::Result<()> {
    let scene = Scene { plan: confirmed, ..*scene };
    if session.json {
        return answer(&json::report(&scene));
    }
    if session.quiet && totals.failed == 0 {
        return Ok(());
    }
    answer(&table::plan(&scene, session.screen))?;
    if confirmed.targets.is_empty() {
        notice(&table::summary_of(&scene, session.memory()));
    } else {
        notice(&totals.sentence(session.memory()));
    }
    Ok(())
}

pub(super) fn exit(done: Done) -> anyhow::Result<Exit> {
    let Done { report, closed, interrupted, .. } = done;
    let sent = |outcome: &Outcome| matches!(outcome, Outcome::Exited | Outcome::Killed | Outcome::Survived);
    if let Some(error) = report.failed.or(closed.err()) {
        let any = report.results.iter().any(|ended| sent(&ended.outcome));
        let error = anyhow::Error::from(error).context("the audit log could not be kept");
        if !any {
            return Err(error.context("nothing was ended"));
        }
        notice(&format!("mcp-reap: {}; nothing more was sent", with_causes(&error)));
        return Ok(Exit::NotFine);
    }
    if let Some(signal) = interrupted {
        return Ok(Exit::Signalled(signal));
    }
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Survived | Outcome::Denied(_));
    let fine = !report.results.iter().any(|ended| failed(&ended.outcome));
    Ok(if fine { Exit::Fine } else { Exit::NotFine })
}
