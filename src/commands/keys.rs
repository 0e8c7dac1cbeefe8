//! Keys that are heard one by one while something goes on, until `q` ends it.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::stop::{listen, signal_in};
use crate::exit::Exit;

/// Reads the terminal letter by letter while it exists, without showing what is typed.
pub(super) struct Keys {
    /// How the terminal was; `None` where there is no terminal to read from.
    before: Option<Termios>,
    stop: Arc<AtomicUsize>,
}

impl Keys {
    /// Begins to listen, where stdin is a terminal that this process may read from. Elsewhere nothing is changed, and
    /// signals end the process as they always do.
    pub(super) fn open() -> Keys {
        let stop = Arc::new(AtomicUsize::new(0));
        let stdin = std::io::stdin();
        // A job in the background that changes the terminal is stopped by it (termios(3), SIGTTOU).
        let in_front =
            rustix::termios::tcgetpgrp(&stdin).is_ok_and(|group| group == rustix::process::getpgrp());
        let before = in_front.then(|| tcgetattr(&stdin).ok()).flatten();
        let before = before.filter(|before| {
            let mut now = before.clone();
            now.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
            // A signal would leave the terminal as it is now, so from here on it is a way out like any other.
            listen(&stop).is_ok() && tcsetattr(&stdin, SetArg::TCSANOW, &now).is_ok()
        });
        Keys { before, stop }
    }

    /// Waits this long; returns how to end when `q` was typed or a signal came meanwhile.
    pub(super) fn over_within(&self, time: Duration) -> Option<Exit> {
        let until = Instant::now() + time;
        if self.before.is_none() {
            std::thread::sleep(time);
            return None;
        }
        loop {
            if let Some(signal) = signal_in(&self.stop) {
                return Some(Exit::Signalled(signal));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let stdin = std::io::stdin();
            let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
            let timeout = Timespec::try_from(left).unwrap_or_default();
            if poll(&mut fds, Some(&timeout)).is_ok_and(|ready| ready > 0) {
                let mut letter = [0];
                match stdin.lock().read(&mut letter) {
                    // A terminal that went away, or Ctrl-D.
                    Ok(0) | Err(_) => return Some(Exit::Fine),
                    Ok(_) if matches!(letter[0], b'q' | b'Q' | 0x04 | 0x1b) => return Some(Exit::Fine),
                    Ok(_) => {}
                }
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(std::io::stdin(), SetArg::TCSANOW, before);
        }
    }
}
