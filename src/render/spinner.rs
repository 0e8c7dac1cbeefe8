//! A spinner on stderr while a person waits. It is shown only on a terminal, and is erased at the end.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const TURN: Duration = Duration::from_millis(100);
const FRAMES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// A spinner that turns until it is dropped.
#[derive(Debug)]
pub(crate) struct Spinner(Option<(Sender<()>, JoinHandle<()>)>);

impl Spinner {
    /// Shows what is waited for and counts down from `at_most`. It shows nothing without a terminal, and nothing at first,
    /// because most servers end within milliseconds.
    pub(crate) fn start(what: String, at_most: Duration) -> Spinner {
        let blind = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if blind || !std::io::stderr().is_terminal() {
            return Spinner(None);
        }
        let (stop, stopped) = channel::<()>();
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            let mut turns = 0;
            while stopped.recv_timeout(TURN) == Err(RecvTimeoutError::Timeout) {
                turns += 1;
                if turns >= 3 {
                    // A failed write means that the terminal went away.
                    let frame = frame(&what, turns, began.elapsed(), at_most);
                    let _ = write!(std::io::stderr(), "\r{frame}\x1b[K");
                }
            }
            if turns >= 3 {
                let _ = write!(std::io::stderr(), "\r\x1b[K");
            }
        });
        Spinner(Some((stop, thread)))
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

/// `⠹ asked 3 processes to end, SIGKILL to those that stay in 4s`
fn frame(what: &str, turn: usize, elapsed: Duration, at_most: Duration) -> String {
    let left = at_most.saturating_sub(elapsed).as_millis().div_ceil(1000);
    let then = match left {
        0 => "SIGKILL to those that stayed".to_owned(),
        _ => format!("SIGKILL to those that stay in {left}s"),
    };
    format!("{} {what}, {then}", FRAMES[turn % FRAMES.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_down_in_whole_seconds_and_says_what_comes() {
        let at = |millis| frame("waiting", 0, Duration::from_millis(millis), Duration::from_secs(5));
        assert_eq!(at(0), "⠋ waiting, SIGKILL to those that stay in 5s");
        assert_eq!(at(4_001), "⠋ waiting, SIGKILL to those that stay in 1s");
        assert_eq!(at(6_000), "⠋ waiting, SIGKILL to those that stayed");
    }
}
