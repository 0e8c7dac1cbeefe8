//! `mcp-reap` without a subcommand: look, plan, ask, look again, end, report.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use anyhow::{Context as _, bail};

use super::consent::{notice_next, notice_summary, show, unless_yes};
use super::output::{answer, notice, with_causes};
use super::recorder::{AuditRecorder, Totals};
use super::second_look::{self, Confirmed};
use super::stop::{listen, signal_in};
use super::{Session, idle_rules, look, outcomes, run_lock};
use crate::audit::{AuditError, AuditLog, RunId, RunLock, StartedBy};
use crate::exit::Exit;
use crate::plan::{Choice, Plan, Why};
use crate::process::Pid;
use crate::reap::{self, Outcome, RunReport};
use crate::render::spinner::Spinner;
use crate::render::{Scene, figures, json, next, table};

/// Shows the plan. Sends no signal and writes no file.
pub(super) fn dry_run(session: &Session, choice: &Choice) -> anyhow::Result<Exit> {
    let (snapshot, scout) = look::take(session)?;
    let judged = look::judge_for(session, &snapshot, scout, choice);
    idle_rules::notice(session, &judged);
    let scene = judged.scene();
    show(session, &scene)?;
    if !session.quiet && !session.json && !judged.plan.targets.is_empty() && session.snapshot.is_none() {
        notice("this was a dry run: the same without --dry-run ends them");
    }
    Ok(Exit::Fine)
}

/// What a run is to do.
pub(super) struct RunRequest {
    /// Which instances to end.
    pub(super) choice: Choice,
    /// End them without asking.
    pub(super) yes: bool,
    /// Wait for another run.
    pub(super) wait: bool,
    /// What started it.
    pub(super) by: StartedBy,
}

/// Looks, asks unless the request has its yes, looks again, ends, and reports.
///
/// # Errors
/// When nothing could be ended: no table, no audit log, no lock.
pub(super) fn run(session: &Session, request: &RunRequest) -> anyhow::Result<Exit> {
    if session.snapshot.is_some() {
        bail!("--snapshot judges a recorded table and can never end anything; add --dry-run");
    }
    let stop = Arc::new(AtomicUsize::new(0));
    let directory = crate::config::state_dir()?;
    let begin = |wait: bool| -> anyhow::Result<Option<AuditLog>> {
        let lock = run_lock::take(session, &directory, wait, &stop)?;
        lock.map(|lock| open(session, lock, request.by)).transpose()
    };
    // A person may take long to answer. No other run should wait for that, so this run takes the lock after the yes.
    let early = if request.yes {
        let Some(log) = begin(request.wait)? else { return nothing_done(session, &request.choice) };
        Some(log)
    } else {
        None
    };
    let mut started = Instant::now();
    let (snapshot, scout) = look::take(session)?;
    let judged = look::judge_for(session, &snapshot, scout, &request.choice);
    idle_rules::notice(session, &judged);
    let mut scene = judged.scene();
    let log = match early {
        Some(log) => log,
        None => {
            if let Some(exit) = unless_yes(session, &scene)? {
                return Ok(exit);
            }
            // After the yes the run waits for the lock. If another run ends the targets meanwhile, the second look does
            // not find them.
            let Some(log) = begin(true)? else { return nothing_done(session, &request.choice) };
            // The time in which the person decides is not counted.
            started = Instant::now();
            log
        }
    };
    // Up to here Ctrl-C ends the process. From here on the end of the run must be recorded first.
    listen(&stop)?;
    let done = end(session, log, request.by, judged.plan.clone(), started, &stop)?;
    let confirmed = &done.confirmed;
    let outcomes = outcomes::of_each(&scene, &confirmed.plan, &done.report.results, confirmed.seen.as_ref());
    scene.outcomes = Some(&outcomes);
    if let Err(error) = print_results(session, &scene, &confirmed.plan, &done.totals) {
        // The run is over and recorded. The exit code reports the run, not the failed output.
        notice(&format!("mcp-reap: {error:#}"));
    }
    let all_chosen = confirmed.plan.ends_all_chosen();
    Ok(match exit(done)? {
        // A chosen instance was not ended.
        Exit::Fine if !all_chosen => Exit::NotFine,
        exit => exit,
    })
}

/// Another run is at work, so this one leaves everything alone. With `--json` an object is printed in any case: what was
/// planned, all of it withheld. What a person chose stays, so that is not fine.
fn nothing_done(session: &Session, choice: &Choice) -> anyhow::Result<Exit> {
    if session.json {
        let (snapshot, scout) = look::take(session)?;
        let judged = look::judge_for(session, &snapshot, scout, choice);
        idle_rules::notice(session, &judged);
        let first = judged.scene();
        let left = first.plan.clone().left_alone(Why::OtherRun);
        let outcomes = outcomes::of_each(&first, &left, &[], None);
        answer(&json::report(&Scene { plan: &left, outcomes: Some(&outcomes), ..first }))?;
    }
    Ok(Exit::fine_if(*choice == Choice::Unused))
}

/// The result of a run.
pub(super) struct FinishedRun {
    confirmed: Confirmed,
    report: RunReport<AuditError>,
    totals: Totals,
    /// Whether the end of the run was recorded in the audit log.
    closed: Result<(), AuditError>,
    interrupted: Option<i32>,
}

impl FinishedRun {
    /// Were all planned instances ended? `planned` is their number.
    pub(super) fn ended(&self, planned: usize) -> bool {
        usize::try_from(self.totals.instances) == Ok(planned) && self.totals.failed == 0
    }
}

/// Opens the audit log for a run that has the lock.
pub(super) fn open(session: &Session, mut lock: RunLock, by: StartedBy) -> anyhow::Result<AuditLog> {
    lock.sign(by);
    let now = chrono::Utc::now();
    AuditLog::open(lock, session.retention, RunId::new(now, Pid(std::process::id())), now)
        .context("without an audit log nothing is ended")
}

/// Carries out the plan of a first look: confirms it by a second look, ends what both looks planned, and records
/// everything. `started` is when the first look began.
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
) -> anyhow::Result<FinishedRun> {
    if session.snapshot.is_some() {
        bail!("a recorded table ends nothing");
    }
    let mut kernel = crate::sys::OsKernel::new(session.policy.all_users, Arc::clone(stop))?;
    let mut recorder = AuditRecorder::new(log);
    recorder.started(by, &plan)?;
    let confirmed = match second_look::confirm(session, plan, &mut kernel) {
        Ok(confirmed) => confirmed,
        Err(error) => {
            // The beginning of this run is recorded, so its end must be too. The caller reports the error.
            let nothing = Totals { duration: started.elapsed(), ..Totals::default() };
            recorder.finished(&nothing, signal_in(stop))?;
            return Err(error);
        }
    };
    recorder.withheld(&confirmed.plan.withheld)?;
    let waiting = waiting(session, &confirmed.plan);
    let report = reap::run(&confirmed.plan, session.policy.grace, &mut kernel, &mut recorder);
    drop(waiting);
    let totals = Totals::of(&confirmed.plan, &report, started.elapsed());
    let interrupted = signal_in(stop);
    let closed = recorder.finished(&totals, interrupted);
    Ok(FinishedRun { confirmed, report, totals, closed, interrupted })
}

/// Shows a countdown while the targets have their grace.
fn waiting(session: &Session, plan: &Plan) -> Option<Spinner> {
    let processes: usize = plan.targets.iter().map(|target| target.members.len()).sum();
    let what = format!("asked {} to end", figures::count(processes, "process"));
    (processes > 0 && !session.quiet).then(|| Spinner::start(what, session.policy.grace))
}

fn print_results(
    session: &Session,
    scene: &Scene<'_>,
    confirmed: &Plan,
    totals: &Totals,
) -> anyhow::Result<()> {
    let scene = Scene { plan: confirmed, ..*scene };
    if session.json {
        return answer(&json::report(&scene));
    }
    if session.quiet && totals.failed == 0 {
        return Ok(());
    }
    answer(&table::plan(&scene, session.screen))?;
    if session.quiet {
        return Ok(());
    }
    if confirmed.targets.is_empty() {
        notice_summary(session, &scene);
        return Ok(());
    }
    notice(&totals.sentence(session.memory()));
    if totals.failed > 0 {
        notice(&next::after_failures(totals.failed as usize));
    }
    notice_next(session, &scene);
    Ok(())
}

pub(super) fn exit(done: FinishedRun) -> anyhow::Result<Exit> {
    let FinishedRun { report, totals, closed, interrupted, .. } = done;
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
    Ok(Exit::fine_if(totals.failed == 0))
}
