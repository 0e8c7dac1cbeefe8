//! Shows the stderr of the server, with a label.

use std::io::{BufRead as _, BufReader, PipeReader, Read as _};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::super::output::notice;
use crate::render::clean::clean;

/// The longest line in bytes; a longer one is shown in pieces.
const LONGEST: u64 = 64 * 1024;

/// How long to wait for the last lines. A process that `test` does not end may hold the pipe, such as a `tmux` server
/// that got the stderr from its client.
const LAST_LINES: Duration = Duration::from_millis(500);

/// The server's stderr during one ending. `test` reads it and not the client, so that it stays open when the client is
/// killed. Otherwise a server might end only because it cannot write to stderr.
pub(super) struct ServerStderr {
    /// Disconnected when no process holds the other end.
    until_closed: Receiver<()>,
}

impl ServerStderr {
    /// Prints each line with the label `server:` from now on; with `quiet` it reads without printing.
    pub(super) fn show(pipe: PipeReader, quiet: bool) -> ServerStderr {
        let (open, until_closed) = channel();
        std::thread::spawn(move || {
            let _open = open;
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while matches!(pipe.by_ref().take(LONGEST).read_until(b'\n', &mut line), Ok(1..)) {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end();
                if !quiet && !text.is_empty() {
                    notice(&format!("server: {}", clean(text)));
                }
                line.clear();
            }
        });
        ServerStderr { until_closed }
    }

    /// Waits until the last line is shown.
    pub(super) fn wait(self) {
        let _ = self.until_closed.recv_timeout(LAST_LINES);
    }
}
