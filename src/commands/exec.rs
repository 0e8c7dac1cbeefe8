//! `mcp-reap exec`: becomes a server, with a guardian beside it.

use std::ffi::OsString;
use std::time::Duration;

use crate::audit::Unguarded;
use crate::exit::Exit;
use crate::guard::start::{self, Refused, Start};
use crate::process::Pid;
use crate::redact;
use crate::render::clean::clean;

use super::say;

/// The command of a line that needs no reading: `exec -- COMMAND...` or `exec COMMAND...`. Clap takes as
/// long as everything else that happens before a server starts.
pub(super) fn plain_command(words: &[OsString]) -> Option<&[OsString]> {
    match words {
        [dashes, command @ ..] if dashes == "--" => Some(command),
        [first, ..] if !first.as_encoded_bytes().starts_with(b"-") => Some(words),
        _ => None,
    }
}

/// Never returns when all is well.
pub(super) fn run(command: &[OsString], linger: Option<Duration>) -> Exit {
    if command.is_empty() {
        say("mcp-reap: exec needs a command: mcp-reap exec -- npx -y some-server");
        return Exit::Refused;
    }
    let identity = crate::sys::identity(Pid(std::process::id()));
    let start = Start { command: command.to_vec(), linger, identity };
    let error = match start::exec(&start, unguarded) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    say(&format!("mcp-reap: {}", clean(&redact::text(&error.to_string()))));
    Exit::NotStarted(error.code())
}

/// One line for whoever reads the client's log, and a note for `doctor`.
fn unguarded(why: &Refused) {
    let why = clean(&why.to_string());
    say(&format!("mcp-reap: exec: the server runs without a guardian: {why}"));
    if let Ok(directory) = crate::config::state_dir() {
        Unguarded { at: chrono::Utc::now(), why }.write(&directory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_line_that_says_nothing_else_is_read_without_clap() {
        let plain = |line: &str| {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            plain_command(&words).map(|command| command.join(std::ffi::OsStr::new(" ")))
        };
        assert_eq!(plain("-- npx -y x"), Some("npx -y x".into()));
        assert_eq!(plain("npx -y x"), Some("npx -y x".into()));
        assert_eq!(plain("-- -odd"), Some("-odd".into()));
        assert_eq!(plain("--"), Some("".into()));
        for other in ["", "--help", "--linger 3s -- npx", "-q npx"] {
            assert_eq!(plain(other), None, "{other}");
        }
    }
}
