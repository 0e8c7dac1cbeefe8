//! The process that a call of the hook leaves behind. It notes the session's servers while the client lives, waits for
//! the client's end, and then judges what the session left.
//!
//! The ordinary judgement decides what is ended. This file decides only which instances are judged, and when.

use std::collections::HashSet;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::super::look::{self, JudgedLook};
use super::super::output::log_to_file;
use super::super::stop::{listen, signal_in};
use super::super::{Session, reap};
use crate::audit::{RunLock, StartedBy};
use crate::classify::{Finding, Verdict};
use crate::cli::Cli;
use crate::hook::watch as hook;
use crate::instance::{self, Instance};
use crate::plan::{Plan, Why};
use crate::process::{ProcessId, Snapshot};
use crate::sys;

/// The task that a call gives to the process that it leaves behind. It is passed as JSON through a pipe, because other
/// users can read a command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Task {
    /// Judge all instances once.
    Sweep,
    /// Wait for the end of the client, then judge what this session left.
    Session {
        /// The session.
        session: hook::Session,
        /// The client with its start time; `None` if it was gone already.
        client: Option<ProcessId>,
    },
}

/// How long to wait for the end of the client. Normally a client ends 0.1 to 4 s after it called the hook. A client
/// that ends a session and goes on leaves nothing behind.
const CLIENT_ENDS: Duration = Duration::from_mins(10);

/// When to look, in seconds after the client's end. Servers that obey the end of their input end within 3 to 4 s. The
/// later looks are for processes that changed between two looks.
const LOOKS: [Duration; 3] = [Duration::from_secs(3), Duration::from_secs(8), Duration::from_secs(30)];

/// The time of the last look, for instances that were younger than the person's `min_age` until then.
const LAST_LOOK: Duration = Duration::from_mins(5);

/// How long to wait for other runs. Each takes a grace and some seconds.
const LOCK: Duration = Duration::from_mins(2);

/// Closes every descriptor above 2. This process may have inherited ends of its client's wires. If it held these for
/// minutes, servers that end with their input would go on.
fn close_what_was_inherited() {
    let Ok(entries) = std::fs::read_dir("/dev/fd") else { return };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let open: Vec<i32> = numbers.filter(|number| *number > 2).collect();
    for number in open {
        // The list includes the descriptor through which it was read, which is closed already.
        let _ = nix::unistd::close(number);
    }
}

pub(super) fn run(cli: &Cli) -> anyhow::Result<()> {
    // This comes first, before this process opens files of its own.
    close_what_was_inherited();
    log_to_file();
    let task: Task = serde_json::from_reader(std::io::stdin().lock()).context("no task on stdin")?;
    tracing::debug!("hook: {task:?}");
    // A new session, so that a signal to the client's process group does not end this process. setsid fails only for
    // the leader of a group, which this process is not.
    let _ = nix::unistd::setsid();
    match task {
        Task::Sweep => {
            let released = release_the_call();
            let session = Session::new(&cli.global)?;
            released?;
            let stop = Arc::new(AtomicUsize::new(0));
            listen(&stop)?;
            look_once(&session, &|_| true, &stop).map(|_| ())
        }
        Task::Session { session: ended, client } => {
            let session = Session::new(&cli.global)?;
            let noted = note(&session, &ended)?;
            release_the_call()?;
            if let Some(client) = client
                && !sys::wait_for_end(client, CLIENT_ENDS).context("failed to wait for the client")?
            {
                tracing::debug!("hook: {client} goes on; its servers stay");
                return Ok(());
            }
            let left = EndedSession { session: ended, noted, ended_at: now() };
            look_until_done(&session, &left)
        }
    }
}

/// Closes the pipe on which the call waits, so that the call returns.
fn release_the_call() -> anyhow::Result<()> {
    let null =
        File::options().read(true).write(true).open("/dev/null").context("failed to open /dev/null")?;
    rustix::stdio::dup2_stdin(&null).context("failed to close stdin")?;
    rustix::stdio::dup2_stdout(&null).context("failed to close stdout")
}

/// An ended session, with what identifies the instances that it left.
struct EndedSession {
    session: hook::Session,
    /// The processes of its instances, noted while the client lived.
    noted: HashSet<ProcessId>,
    /// When the client ended, in seconds since the epoch.
    ended_at: f64,
}

impl EndedSession {
    fn has(&self, instance: &Instance<'_>) -> bool {
        // An instance that started later belongs to a session that goes on under the same name (`--resume`), or to
        // another client with the same pid.
        instance.members.iter().any(|member| self.noted.contains(&member.record.id))
            || instance.root.started_at <= self.ended_at && hook::belongs_to_session(instance, &self.session)
    }
}

/// The processes of the session's instances. The client waits for this, so no service manager is queried and nothing is
/// judged yet.
fn note(session: &Session, ended: &hook::Session) -> anyhow::Result<HashSet<ProcessId>> {
    let (snapshot, scout) = look::take_without_services(session)?;
    let instances = instance::group(&scout.into_look(&snapshot));
    let ours = instances.iter().filter(|instance| hook::belongs_to_session(instance, ended));
    Ok(ours.flat_map(|instance| instance.members.iter().map(|member| member.record.id)).collect())
}

/// Looks repeatedly until nothing of the session is left, or further looks would change nothing.
fn look_until_done(session: &Session, left: &EndedSession) -> anyhow::Result<()> {
    let ended = Instant::now();
    let stop = Arc::new(AtomicUsize::new(0));
    listen(&stop)?;
    let mut old_enough = None;
    while let Some(at) = next_look(ended.elapsed(), old_enough) {
        while ended.elapsed() < at && signal_in(&stop).is_none() {
            // `thread::sleep` is not interrupted by a signal, so it sleeps in slices.
            std::thread::sleep(Duration::from_millis(100).min(at.saturating_sub(ended.elapsed())));
        }
        let remains = look_once(session, &|instance| left.has(instance), &stop)?;
        old_enough = match remains {
            SessionLeft::Nothing => return Ok(()),
            _ if signal_in(&stop).is_some() => return Ok(()),
            SessionLeft::TooYoung(by) => Some(ended.elapsed() + by),
            SessionLeft::Something => None,
        };
    }
    tracing::debug!("hook: something of the session is left and in use, or too young");
    Ok(())
}

/// The time of the next look after the client's end: the next fixed time, or when the youngest instance that is left is
/// old enough, whichever comes first.
fn next_look(since: Duration, old_enough: Option<Duration>) -> Option<Duration> {
    let fixed = LOOKS.into_iter().find(|look| *look > since);
    let due = old_enough.filter(|due| *due <= LAST_LOOK);
    fixed.into_iter().chain(due).min()
}

/// What is left of a session.
#[derive(Clone, Copy)]
enum SessionLeft {
    /// Nothing that a later look could end.
    Nothing,
    /// An instance that is withheld only for its age, for this long.
    TooYoung(Duration),
    /// Something that was just ended, is changing or is in use.
    Something,
}

/// One run over the instances that `mine` accepts. It looks, and if something is to be ended, it waits for other runs,
/// looks again and ends it. Otherwise it takes no lock and records nothing.
fn look_once(
    session: &Session,
    mine: &dyn Fn(&Instance<'_>) -> bool,
    stop: &Arc<AtomicUsize>,
) -> anyhow::Result<SessionLeft> {
    let first = first_look(session, mine)?;
    if first.plan.targets.is_empty() {
        return Ok(first.remains);
    }
    let until = Instant::now() + LOCK;
    let patient = || Instant::now() < until && signal_in(stop).is_none();
    let Some(lock) = RunLock::acquire_waiting(&crate::config::state_dir()?, patient)? else {
        return Ok(SessionLeft::Something);
    };
    let started = Instant::now();
    // The run that was waited for may have ended it.
    let FirstLook { plan, remains, mine } = first_look(session, mine)?;
    let planned = plan.targets.len();
    if planned == 0 {
        return Ok(remains);
    }
    let log = reap::open(session, lock, StartedBy::Hook)?;
    let done = reap::end(session, log, StartedBy::Hook, plan, started, stop)?;
    let all = planned == mine && done.ended(planned);
    reap::exit(done)?;
    Ok(if all { SessionLeft::Nothing } else { remains })
}

/// The result of the first of two looks.
struct FirstLook {
    plan: Plan,
    remains: SessionLeft,
    /// The number of instances that a later look may end.
    mine: usize,
}

fn first_look(session: &Session, mine: &dyn Fn(&Instance<'_>) -> bool) -> anyhow::Result<FirstLook> {
    let (snapshot, scout) = look::take(session)?;
    let JudgedLook { judgement, plan, .. } = look::judge(session, &snapshot, scout);
    let findings = judgement.findings.iter().filter(|finding| mine(&finding.instance));
    let plan = narrow(plan, findings.clone());
    // Instances that are managed or allowed will never be ended.
    let endless = |finding: &&Finding<'_>| matches!(finding.verdict, Verdict::Managed | Verdict::Allowed);
    let mine = findings.filter(|finding| !endless(finding)).count();
    let remains = match mine {
        0 => SessionLeft::Nothing,
        _ => remains(&plan, &snapshot, session.policy.min_age),
    };
    Ok(FirstLook { plan, remains, mine })
}

/// The plan without instances in use. A hook ends only what nobody uses; limits are for the person's own runs.
fn narrow<'f>(plan: Plan, findings: impl Iterator<Item = &'f Finding<'f>>) -> Plan {
    let unused = |verdict| matches!(verdict, Verdict::Orphaned | Verdict::Disconnected | Verdict::Detached);
    let roots: HashSet<ProcessId> = findings.map(|finding| finding.instance.root.id).collect();
    let mut plan = plan.only(|target| roots.contains(&target.root()) && unused(target.verdict));
    plan.withheld.retain(|withheld| roots.contains(&withheld.root) && unused(withheld.verdict));
    plan
}

fn remains(plan: &Plan, snapshot: &Snapshot, min_age: Duration) -> SessionLeft {
    let young = plan.withheld.iter().filter(|withheld| withheld.why == Why::TooYoung);
    let Some(start) = young.map(|withheld| withheld.started_at).reduce(f64::max) else {
        return SessionLeft::Something;
    };
    let age = Duration::try_from_secs_f64(snapshot.taken_at_epoch() - start).unwrap_or_default();
    // Starts are counted in ticks of 10 ms, so 50 ms are added.
    SessionLeft::TooYoung(min_age.saturating_sub(age) + Duration::from_millis(50))
}

fn now() -> f64 {
    chrono::Utc::now().timestamp_micros() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_come_soon_then_seldom_then_never() {
        let seconds = |since, old_enough: Option<u64>| {
            next_look(Duration::from_secs(since), old_enough.map(Duration::from_secs)).map(|at| at.as_secs())
        };
        assert_eq!(seconds(0, None), Some(3));
        assert_eq!(seconds(3, None), Some(8));
        assert_eq!(seconds(8, None), Some(30));
        assert_eq!(seconds(30, None), None);
        // What is too young is looked at when it is not, and that may be between two looks.
        assert_eq!(seconds(3, Some(5)), Some(5));
        assert_eq!(seconds(30, Some(58)), Some(58));
        assert_eq!(seconds(30, Some(301)), None, "the next run will find it");
    }
}
