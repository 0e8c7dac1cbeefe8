//! Catches the signals that would end the process during a run, so that the run stops by itself and records every
//! outcome.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use nix::sys::signal::Signal;

/// The flag of the first call of [`listen`].
static FIRST: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// Catches signals from now on: a signal stores its number in `stop` instead of ending the process.
///
/// # Errors
/// When the system refuses a handler.
pub(super) fn listen(stop: &Arc<AtomicUsize>) -> anyhow::Result<()> {
    let _ = FIRST.set(Arc::clone(stop));
    let leave = |signal: i32| {
        let number = usize::try_from(signal).unwrap_or_default();
        signal_hook::flag::register_usize(signal, Arc::clone(stop), number).map(drop)
    };
    for signal in Signal::iterator().filter(|signal| ends_a_run(*signal)) {
        leave(signal as i32).with_context(|| format!("failed to listen for {signal}"))?;
    }
    #[cfg(target_os = "linux")]
    for signal in REAL_TIME {
        // The C library uses the first of them itself and refuses a handler, which does no harm.
        let _ = leave(signal);
    }
    Ok(())
}

/// Real-time signals end a process too (signal(7)).
#[cfg(target_os = "linux")]
const REAL_TIME: std::ops::RangeInclusive<i32> = 34..=64;

/// Would this signal end the process, and may it be caught?
fn ends_a_run(signal: Signal) -> bool {
    use Signal as S;
    match signal {
        S::SIGKILL | S::SIGSTOP => false,
        // By default these are ignored or only stop the process.
        S::SIGCHLD | S::SIGCONT | S::SIGURG | S::SIGWINCH | S::SIGTSTP | S::SIGTTIN | S::SIGTTOU => false,
        // A fault of this program. After a handler the same instruction would fail again at once.
        S::SIGSEGV | S::SIGBUS | S::SIGILL | S::SIGFPE => false,
        // Rust's runtime ignores it, so a closed pipe is an error of the write.
        S::SIGPIPE => false,
        #[cfg(target_os = "macos")]
        S::SIGINFO => false,
        _ => true,
    }
}

/// Ignores SIGXFSZ, which would end the process when a file reaches its size limit (`ulimit -f`). Then this is an error
/// of the write, as a full disk is.
///
/// # Errors
/// When the system refuses.
pub(super) fn outlive_full_files() -> anyhow::Result<()> {
    let unread = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, unread)
        .map(drop)
        .context("failed to listen for SIGXFSZ")
}

/// The signal that arrived; `None` if none did.
pub(super) fn signal_in(stop: &AtomicUsize) -> Option<i32> {
    i32::try_from(stop.load(Ordering::Relaxed)).ok().filter(|signal| *signal != 0)
}

/// Ends the process as a signal would have done that was caught. For a question that waits for a person: a read goes on after a
/// signal that has a handler.
pub(super) fn leave_if_caught() {
    if let Some(signal) = FIRST.get().and_then(|stop| signal_in(stop)) {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_that_ends_a_process_is_listened_for_except_what_cannot_or_must_not_be() {
        let ends: Vec<&str> =
            Signal::iterator().filter(|signal| ends_a_run(*signal)).map(Signal::as_str).collect();
        for signal in
            ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM", "XCPU", "XFSZ", "VTALRM", "PROF", "ABRT"]
        {
            assert!(ends.contains(&format!("SIG{signal}").as_str()), "{signal}");
        }
        for signal in ["KILL", "STOP", "SEGV", "CHLD", "WINCH", "PIPE", "TSTP"] {
            assert!(!ends.contains(&format!("SIG{signal}").as_str()), "{signal}");
        }
    }
}
