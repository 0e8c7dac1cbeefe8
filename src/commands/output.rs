//! What commands print: the answer on stdout, notices and questions on stderr.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use terminal_size::terminal_size_of;
use tracing::level_filters::LevelFilter;

use super::stop::leave_if_caught;
use crate::diagnostics;
use crate::render::clean::{clean, clean_lines};
use crate::render::plain;
use crate::render::style::{Color, Screen};

/// Prints the answer. A reader that closed the pipe early is no error.
pub(super) fn answer(text: &str) -> anyhow::Result<()> {
    answer_to_reader(text).map(|_| ())
}

/// Prints the answer as sentences, which on a terminal are wrapped between words.
pub(super) fn answer_in_words(text: &str, screen: Screen) -> anyhow::Result<()> {
    answer(&screen.width.map_or_else(|| text.to_owned(), |width| plain::wrapped(text, width)))
}

/// [`answer`] for a command that goes on until its reader is gone. Returns `false` when the reader is gone.
pub(super) fn answer_to_reader(text: &str) -> anyhow::Result<bool> {
    let text = &*for_this_locale(text);
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

/// Waits this long, or until the reader of stdout is gone. Returns `false` when it is gone. A file or a terminal always
/// has a reader.
pub(super) fn wait_for_reader(wait: Duration) -> bool {
    let begun = Instant::now();
    let out = std::io::stdout();
    // Without requested events poll(2) reports only errors: ERR when the last reader of a pipe is gone, HUP for a
    // socket.
    let mut fds = [PollFd::new(&out, PollFlags::empty())];
    let timeout = Timespec::try_from(wait).unwrap_or_default();
    let polled = poll(&mut fds, Some(&timeout));
    if polled.is_ok() && fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
        return false;
    }
    // A signal interrupted poll, or (on macOS) the device cannot be polled.
    std::thread::sleep(wait.saturating_sub(begun.elapsed()));
    true
}

/// Prints a notice or an error for a person on stderr, wrapped between words. A closed stderr is no error.
///
/// It may quote names, paths and arguments as they are: control characters are written out here, for all callers.
pub(super) fn notice(text: &str) {
    notice_in_color(&clean_lines(text));
}

/// [`notice`] for a text with colours of ours, in which everything else is clean already.
pub(super) fn notice_in_color(text: &str) {
    let text = for_this_locale(text);
    let text = match terminal_size_of(std::io::stderr()) {
        Some((width, _)) => plain::wrapped(&text, width.0.into()),
        None => text.into_owned(),
    };
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints an error of clap, in colour if stderr shows colours.
pub(super) fn print_mistake(mistake: &clap::Error) {
    let color = Screen::of(&std::io::stderr(), Color::Auto).color;
    let text = mistake.render();
    // An argument that is quoted may hold colours of its own, which cannot be told from those of clap.
    let typed_any = || std::env::args_os().any(|word| word.to_string_lossy().contains(char::is_control));
    let text = if color && !typed_any() { text.ansi().to_string() } else { clean_lines(&text.to_string()) };
    // clap proposes to pass the unknown flag as a value, which would be the name of a server. Nobody means that.
    let is_tip = |line: &&str| line.contains(" to pass '") && line.contains(" as a value, use ");
    let lines: Vec<&str> = text.trim_end().lines().filter(|line| !is_tip(line)).collect();
    notice_in_color(&lines.join("\n").replace("\n\n\n", "\n\n"));
}

/// Asks a yes-or-no question.
pub(super) fn confirm(question: &str) -> anyhow::Result<bool> {
    let answer = ask_for(&format!("{question} [y/N] "))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Asks for one line. A terminal that ends (Ctrl-D) answers with `n`.
pub(super) fn ask_for(question: &str) -> anyhow::Result<String> {
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{}", clean_lines(question));
    let _ = err.flush();
    let stdin = std::io::stdin();
    // A read goes on after a signal that has a handler. The wait is cut short because one may arrive just before it.
    let wait = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    while matches!(poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&wait)), Ok(0) | Err(Errno::INTR)) {
        leave_if_caught();
    }
    let mut line = String::new();
    let read = stdin.read_line(&mut line).context("failed to read the answer from the terminal")?;
    if read == 0 {
        // Ctrl-D ends no line, so the next output would follow the question on its line.
        let _ = writeln!(err);
        return Ok("n".to_owned());
    }
    Ok(line)
}

/// Is there a person who sees the plan and the question and can answer? Only if stdin, stdout and stderr are all
/// terminals, so not with `| tee`, `2> log`, in a script or with ssh without a terminal.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && std::io::stderr().is_terminal()
}

/// Whether the output is for people with an ASCII locale. Programs read UTF-8. Set once.
static ASCII: OnceLock<bool> = OnceLock::new();

/// Sets whether people or programs read the output from now on.
pub(super) fn for_people(people: bool) {
    let _ = ASCII.set(people && !plain::locale_is_utf8(|name| std::env::var_os(name)));
}

pub(super) fn for_this_locale(text: &str) -> Cow<'_, str> {
    match ASCII.get() {
        Some(true) if !text.is_ascii() => Cow::Owned(plain::ascii(text)),
        _ => Cow::Borrowed(text),
    }
}

/// Sends diagnostics to the log file in the state directory. A second call changes nothing. If the file cannot be
/// opened, that is no error.
pub(super) fn log_to_file() {
    if let Ok(directory) = crate::config::state_dir() {
        let _ = diagnostics::start(LevelFilter::ERROR, Some(&directory));
    }
}

/// A path as it is shown, on one line.
pub(super) fn shown(path: &Path) -> String {
    clean(&path.display().to_string())
}

/// An error with its causes in one line. A cause is left out if the message already ends with it.
pub(super) fn with_causes(error: &anyhow::Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}
