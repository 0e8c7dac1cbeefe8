//! Takes the lock that lets only one run work at a time, or waits for the run that has it, or leaves the work to that
//! run.

use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use anyhow::bail;

use super::Session;
use super::output::notice;
use super::stop::signal_in;
use crate::audit::{AuditError, Holder, RunLock, StartedBy};
use crate::policy::Policy;
use crate::render::figures::elapsed;

/// Takes the lock. If another run has it, waits for that run with `wait`, as long as a run may take. Without `wait` it
/// prints a notice and returns `None`, because the other run does the work.
///
/// # Errors
/// When the lock cannot be taken at all, or not within that time. Nothing was ended then.
pub(super) fn take(
    session: &Session,
    directory: &Path,
    wait: bool,
    stop: &AtomicUsize,
) -> anyhow::Result<Option<RunLock>> {
    if let Some(lock) = RunLock::try_acquire(directory)? {
        return Ok(Some(lock));
    }
    let holder = RunLock::holder(directory);
    if !wait {
        if !session.quiet {
            notice(&left_to(holder));
        }
        return Ok(None);
    }
    let patience = Policy::run_lock_wait(session.policy.grace);
    if !session.quiet {
        notice(&format!("{} is at work; waiting for it, at most {}", named(holder), elapsed(patience)));
    }
    match within(directory, patience, stop)? {
        Some(lock) => Ok(Some(lock)),
        None => bail!(
            "{} is still at work after {}; nothing was ended",
            named(RunLock::holder(directory)),
            elapsed(patience)
        ),
    }
}

fn within(directory: &Path, patience: Duration, stop: &AtomicUsize) -> Result<Option<RunLock>, AuditError> {
    let until = Instant::now() + patience;
    RunLock::acquire_waiting(directory, || Instant::now() < until && signal_in(stop).is_none())
}

/// The notice that the work is left to another run.
fn left_to(holder: Option<Holder>) -> String {
    let does = match holder.and_then(|holder| holder.by) {
        Some(StartedBy::Hook) => {
            "is at work for a session that began or ended, and ends only what nobody uses; this run did nothing"
        }
        _ => "is at work; this run did nothing",
    };
    format!("{} {does}; --wait waits for it", named(holder))
}

fn named(holder: Option<Holder>) -> String {
    match holder {
        Some(holder) => format!("another mcp-reap ({})", holder.pid),
        None => "another mcp-reap".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::process::Pid;

    #[test]
    fn what_the_other_run_does_is_reported_and_nothing_more() {
        let message = |by| left_to(Some(Holder { pid: Pid(7), by }));
        assert_eq!(
            message(Some(StartedBy::Hand)),
            "another mcp-reap (7) is at work; this run did nothing; --wait waits for it"
        );
        assert!(message(Some(StartedBy::Hook)).contains("(7) is at work for a session that began or ended"));
        assert!(left_to(None).starts_with("another mcp-reap is at work"));
    }

    #[test]
    fn waiting_has_an_end_and_a_signal_ends_it_sooner() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("state");
        let lock = RunLock::try_acquire(&directory).unwrap().unwrap();
        let stop = AtomicUsize::new(0);
        let began = Instant::now();
        assert!(within(&directory, Duration::from_millis(200), &stop).unwrap().is_none());
        assert!(began.elapsed() >= Duration::from_millis(200));
        stop.store(15, std::sync::atomic::Ordering::Relaxed);
        assert!(within(&directory, Duration::from_hours(1), &stop).unwrap().is_none());
        drop(lock);
        assert!(within(&directory, Duration::ZERO, &stop).unwrap().is_some(), "it was free");
    }
}
