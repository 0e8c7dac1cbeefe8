//! What is written and asked: answers on stdout, everything for people on stderr.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use terminal_size::terminal_size_of;

use crate::render::plain;
use crate::render::style::{Color, Look};

/// Writes the answer. A reader that closed the pipe has heard enough, which is no error.
pub(super) fn answer(text: &str) -> anyhow::Result<()> {
    still_heard(text).map(|_| ())
}

/// [`answer`] for what goes on until nobody listens: says whether anybody does.
pub(super) fn still_heard(text: &str) -> anyhow::Result<bool> {
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

/// Waits this long, or until the reader of stdout has gone; says whether there is one. A file and a terminal have one for
/// ever.
pub(super) fn is_read(wait: Duration) -> bool {
    let begun = Instant::now();
    let out = std::io::stdout();
    // Asked for nothing, poll(2) tells only of errors: ERR is what the last reader of a pipe leaves, HUP a socket's.
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

/// Says something to a person, in lines that break between words. Nobody is to fail because stderr is gone.
pub(super) fn say(text: &str) {
    let text = for_this_locale(text);
    let text = match terminal_size_of(std::io::stderr()) {
        Some((width, _)) => plain::wrapped(&text, width.0.into()),
        None => text.into_owned(),
    };
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Says what clap could not read, in its colours where there are any.
pub(super) fn say_mistake(mistake: &clap::Error) {
    let color = Look::of(&std::io::stderr(), Color::Auto).color;
    let text = mistake.render();
    say((if color { text.ansi().to_string() } else { text.to_string() }).trim_end());
}

/// Asks a question that `y` answers.
pub(super) fn ask(question: &str) -> anyhow::Result<bool> {
    let answer = ask_for(&format!("{question} [y/N] "))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Asks for one line. A terminal that ends (Ctrl-D) answers with `n`.
pub(super) fn ask_for(question: &str) -> anyhow::Result<String> {
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{question}");
    let _ = err.flush();
    let mut line = String::new();
    let read =
        std::io::stdin().read_line(&mut line).context("failed to read the answer from the terminal")?;
    Ok(if read == 0 { "n".to_owned() } else { line })
}

/// Is there a person who sees the plan and the question, and can answer? Not where any of the three streams leads
/// elsewhere: `| tee`, `2> log`, a script, ssh without a terminal.
pub(super) fn someone_is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && std::io::stderr().is_terminal()
}

/// Set once: what is written is for people, in their locale, and not for programs, which read UTF-8.
static ASCII: OnceLock<bool> = OnceLock::new();

/// Says who reads what is written from now on.
pub(super) fn speak_to_people(people: bool) {
    let _ = ASCII.set(people && !plain::locale_is_utf8(|name| std::env::var_os(name)));
}

pub(super) fn for_this_locale(text: &str) -> Cow<'_, str> {
    match ASCII.get() {
        Some(true) if !text.is_ascii() => Cow::Owned(plain::ascii(text)),
        _ => Cow::Borrowed(text),
    }
}
