//! `mcp-reap exec`: becomes a server, with a guardian beside it.

use std::ffi::OsString;
use std::time::Duration;

use crate::audit::Unguarded;
use crate::exit::Exit;
use crate::guard::begin::{Refused, Start};
use crate::guard::start;
use crate::marker::WireId;
use crate::os::stable_path::{self, Vanishing};
use crate::process::Pid;
use crate::redact;
use crate::render::clean::clean;

use super::output::notice;

/// Parses `[--linger DURATION] [--] COMMAND...`; `None` for any other form, which clap parses or refuses.
pub(super) fn read(words: &[OsString]) -> Option<(&[OsString], Option<Duration>)> {
    match words {
        [option, linger, rest @ ..] if option == "--linger" => {
            let linger = crate::units::parse_duration(linger.to_str()?).ok()?;
            read(rest).map(|(command, _)| (command, Some(linger)))
        }
        [dashes, command @ ..] if dashes == "--" => Some((command, None)),
        [first, ..] if first.as_encoded_bytes().starts_with(b"-") => None,
        command => Some((command, None)),
    }
}

/// Becomes the server. Returns only if that fails.
pub(super) fn run(command: &[OsString], linger: Option<Duration>) -> Exit {
    if command.is_empty() {
        notice("mcp-reap: exec needs a command: mcp-reap exec -- npx -y some-server");
        return Exit::Refused;
    }
    if let Some(runner) = std::env::current_exe().ok().and_then(|own| stable_path::runner(&own)) {
        notice(&format!(
            "mcp-reap: exec: {} stays above the server, so the guardian cannot see the client end; {}",
            runner.name,
            Vanishing::Runner(runner).advice()
        ));
    }
    let identity = crate::sys::identity(Pid(std::process::id()));
    let unique = |pid| crate::sys::lineage(pid).map(|lineage| lineage.own);
    let start = Start { command: command.to_vec(), linger, identity, stdin: stdin(), unique };
    let error = match start::exec(&start, unguarded) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    notice(&format!("mcp-reap: {}", clean(&redact::text(&error.to_string()))));
    Exit::NotStarted(error.code())
}

/// The wire on descriptor 0, whose hang-up is watched.
#[cfg(target_os = "linux")]
fn stdin() -> Option<WireId> {
    crate::guard::stdin::of_this_process()
}

#[cfg(target_os = "macos")]
fn stdin() -> Option<WireId> {
    super::guard::wire_on(&crate::sys::macos::Mac, 0)
}

/// Prints one line into the client's log, and notes it for `doctor`.
fn unguarded(why: &Refused) {
    let why = clean(&why.to_string());
    notice(&format!("mcp-reap: exec: the server runs without a guardian: {why}"));
    if let Ok(directory) = crate::config::state_dir() {
        Unguarded { at: chrono::Utc::now(), why }.write(&directory);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_is_read_without_clap_unless_there_is_something_to_notice() {
        let read = |line: &str| {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            let (command, linger) = read(&words)?;
            Some((
                command.join(std::ffi::OsStr::new(" ")).into_string().unwrap(),
                linger.map(|l| l.as_secs()),
            ))
        };
        let some = |command: &str, linger| Some((command.to_owned(), linger));
        assert_eq!(read("-- npx -y x"), some("npx -y x", None));
        assert_eq!(read("npx -y x --linger 3s"), some("npx -y x --linger 3s", None));
        assert_eq!(read("-- -odd"), some("-odd", None));
        assert_eq!(read("--linger 3s -- npx"), some("npx", Some(3)));
        assert_eq!(read("--linger 3s npx"), some("npx", Some(3)));
        for nothing in ["--", "", "--linger 3s"] {
            assert_eq!(
                read(nothing).map(|(command, _)| command),
                some("", None).map(|(c, _)| c),
                "{nothing}"
            );
        }
        for other in ["--help", "-q npx", "--linger soon -- npx", "--linger"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
