//! `exec`: starts a guardian beside this process, then becomes the command.
//!
//! Everything that the command can see of itself stays as it was: its pid, parent, signals, limits and
//! descriptors. If no guardian can be started, the server is started all the same.

use std::convert::Infallible;
use std::ffi::OsStr;

use super::begin::{self, Refused, Start};
use super::command::{NotStarted, become_command, environment};
use crate::marker::{Marker, VARIABLE};
use crate::process::ProcessId;

/// Starts the guardian and becomes the command.
///
/// `refused` is called with the reason if no guardian could be started. pid 1, and a server that has a guardian already,
/// need none.
///
/// # Errors
/// When the command cannot be started. A guardian that was started then sees this process end.
pub fn exec(start: &Start, refused: impl FnOnce(&Refused)) -> Result<Infallible, NotStarted> {
    let inherited = std::env::var(VARIABLE).ok();
    let (marker, command) = match guardian(start, inherited.as_deref().and_then(Marker::parse)) {
        Ok(Guarded::Here(marker)) => {
            (Some(marker.to_string()), super::container::labelled(&start.command, &marker.id))
        }
        Ok(Guarded::Already | Guarded::NotNeeded) => (inherited, start.command.clone()),
        Err(why) => {
            refused(&why);
            (inherited, start.command.clone())
        }
    };
    let environment = environment(std::env::vars_os(), VARIABLE, marker.as_deref());
    let path = std::env::var_os("PATH");
    become_command(&command, path.as_deref().map(OsStr::new), &environment)
}

/// Whether this process has a guardian.
enum Guarded {
    /// One was started for it.
    Here(Marker),
    /// An outer `exec` watches this very stdin.
    Already,
    /// This is pid 1: all processes of its namespace end with it.
    NotNeeded,
}

fn guardian(start: &Start, outer: Option<Marker>) -> Result<Guarded, Refused> {
    if rustix::process::getpid().is_init() {
        return Ok(Guarded::NotNeeded);
    }
    if outer.is_some_and(|outer| outer.names(start.stdin)) {
        return Ok(Guarded::Already);
    }
    let identity =
        start.identity.ok_or_else(|| Refused("the kernel does not show this process".to_owned()))?;
    let marker = Marker::new(identity, start.stdin, salt(identity));
    begin::begin(start, identity, &marker)?;
    Ok(Guarded::Here(marker))
}

/// Tells two starts with the same stdin apart. It need not be secret.
fn salt(identity: ProcessId) -> u32 {
    use std::hash::{BuildHasher as _, RandomState};
    // RandomState takes its keys from the operating system's randomness.
    RandomState::new().hash_one(identity) as u32
}
