//! What commands print: the answer on stdout, notices and questions on stderr.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::diagnostics::Diagnostics;

/// Prints the answer. A reader that closed the pipe early is no error.
pub(super) fn answer(text: &str) -> anyhow::Result<()> {
    answer_to_reader(text).map(|_| ())
}

/// [`answer`] for a command that goes on until its reader is gone: `false` when it is.
pub(super) fn answer_to_reader(text: &str) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| {
        if !text.is_empty() && !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()
    });
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        other => other.map(|()| true).context("failed to write the answer"),
    }
}

/// Waits this long, or until the reader of stdout is gone: `false` when it is. A file and a terminal always have one.
pub(super) fn wait_for_reader(wait: Duration) -> bool {
    let begun = Instant::now();
    let out = std::io::stdout();
    // Without requested events poll(2) reports only errors: ERR when the last reader of a pipe is gone, HUP for a socket.
    let mut fds = [PollFd::new(&out, PollFlags::empty())];
    let timeout = Timespec::try_from(wait).unwrap_or_default();
    let polled = poll(&mut fds, Some(&timeout));
    if polled.is_ok() && fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
        return false;
    }
    // A signal ended it early, or (on macOS) a device cannot be polled.
    std::thread::sleep(wait.saturating_sub(begun.elapsed()));
    true
}

/// Prints a line for a person on stderr. A closed stderr is no reason to fail.
pub(super) fn notice(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Asks a question on the terminal; `y` and `yes` are a yes.
pub(super) fn confirm(question: &str) -> anyhow::Result<bool> {
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{question} [y/N] ");
    let _ = err.flush();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("failed to read the answer from the terminal")?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// Can a person be asked? Only where stdin and stderr are a terminal.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Sends diagnostics to the log file in the state directory. A second call changes nothing, and without a log file the work
/// goes on.
pub(super) fn log_to_file() {
    if let Ok(directory) = crate::config::state_dir() {
        let _ = Diagnostics { verbose: false, quiet: true, directory: Some(directory) }.start();
    }
}

/// An error with its causes in one line. A cause that the message ends with already is not repeated.
pub(super) fn with_causes(error: &anyhow::Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}
