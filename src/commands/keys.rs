//! Reads single keys while a command goes on, until `q` ends it.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::stop::{listen, signal_in};
use crate::exit::Exit;

/// Reads the terminal key by key, without echo, while this value exists.
pub(super) struct Keys {
    /// The former settings of the terminal; `None` if there is no terminal to read from.
    before: Option<Termios>,
    stop: Arc<AtomicUsize>,
}

impl Keys {
    /// Begins to read keys if stdin is a terminal that this process may read from. Otherwise nothing is changed, and
    /// signals end the process as usual.
    pub(super) fn open() -> Keys {
        let stop = Arc::new(AtomicUsize::new(0));
        let stdin = std::io::stdin();
        // A background job that changes the terminal is stopped (termios(3), SIGTTOU).
        let in_front =
            rustix::termios::tcgetpgrp(&stdin).is_ok_and(|group| group == rustix::process::getpgrp());
        let before = in_front.then(|| tcgetattr(&stdin).ok()).flatten();
        let before = before.filter(|before| {
            let mut now = before.clone();
            now.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
            // A signal that ends the process would leave the terminal in this state, so signals are caught from here
            // on.
            listen(&stop).is_ok() && tcsetattr(&stdin, SetArg::TCSANOW, &now).is_ok()
        });
        Keys { before, stop }
    }

    /// Waits this long. Returns the exit code if `q` was typed or a signal arrived meanwhile.
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
                    // The terminal went away, or Ctrl-D was typed.
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
