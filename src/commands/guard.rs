//! `mcp-reap guard`: what `exec` leaves beside a server. Nobody types it.

mod end;
mod look;
mod record;
mod world;

use std::io::Write as _;
use std::path::Path;

use crate::exit::Exit;
use crate::guard::ffi;
use crate::guard::ticket::{CLIENT_GONE, Ticket};
use crate::guard::watch::{Watched, watch};
use crate::guard::{container, stdin};

use super::output::notice;

/// Watches until the server is gone. Says on the ticket's pipe that it does, or why it does not.
pub(super) fn run(words: &[String]) -> Exit {
    let Some(ticket) = Ticket::parse(words) else {
        notice("mcp-reap: guard is started by exec, and by nothing else");
        return Exit::Refused;
    };
    let Some(ready) = ffi::adopt(ticket.ready_fd) else { return Exit::Refused };
    let watched = match prepare(&ticket) {
        Ok(watched) => watched,
        Err(why) => {
            let _ = std::fs::File::from(ready).write_all(format!("{why}\n").as_bytes());
            return Exit::Refused;
        }
    };
    // Seen while it is still exec's; the server's own command line may be anything.
    let mut world = world::Machine::new(&ticket, watched.stdin.as_ref());
    let _ = std::fs::File::from(ready).write_all(b"\n");
    #[cfg(target_os = "linux")]
    ffi::let_go_of_code();
    let root_gone = match watch(watched, &mut world) {
        Ok(root_gone) => root_gone,
        Err(errno) => {
            super::output::log_to_file();
            tracing::warn!("guard: the wait failed, so the server goes on unguarded: {errno}");
            return Exit::NotFine;
        }
    };
    if let Some(engine) = ticket.engine.as_deref().filter(|_| root_gone) {
        stop_container(engine, &ticket.marker);
    }
    Exit::Fine
}

/// Takes what is this guardian's and closes all else; fails before anybody relies on it.
fn prepare(ticket: &Ticket) -> Result<Watched, String> {
    let adopt = |fd: i32| ffi::adopt(fd).ok_or_else(|| format!("descriptor {fd} did not come through exec"));
    let root = adopt(ticket.root_fd)?;
    let client = (ticket.client_fd != CLIENT_GONE).then(|| adopt(ticket.client_fd)).transpose()?;
    let stdin = ticket.stdin_fd.map(adopt).transpose()?;
    let keep = [Some(ticket.root_fd), Some(ticket.client_fd), ticket.stdin_fd, Some(ticket.ready_fd)];
    stdin::let_go_of_all_but(&keep.map(Option::unwrap_or_default))
        .map_err(|errno| format!("could not close what it inherited: {errno}"))?;
    // The folder it was started in may be on a disk that is to be removed.
    let _ = std::env::set_current_dir("/");
    let watched = Watched {
        stdin,
        client,
        client_gone: ticket.client_fd == CLIENT_GONE && ticket.client != 0,
        root: Some(root),
    };
    watched.try_poll().map_err(|errno| format!("could not poll: {errno}"))?;
    let directory = crate::config::state_dir().map_err(|error| error.to_string())?;
    writable(&directory)?;
    Ok(watched)
}

/// Could the audit log be written here? Asked without writing: nothing may ever have to be.
fn writable(directory: &Path) -> Result<(), String> {
    use nix::unistd::{AccessFlags, access};
    let there = directory.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    access(there, AccessFlags::W_OK | AccessFlags::X_OK).map_err(|errno| {
        format!("no audit log could be written in {}: {}", directory.display(), errno.desc())
    })
}

/// A container outlives the process that ran it, and only its engine can end it.
fn stop_container(engine: &str, marker: &str) {
    match container::stop(engine, marker) {
        Ok(stopped) if stopped.is_empty() => {}
        Ok(stopped) => {
            super::output::log_to_file();
            tracing::info!("guard: stopped {} container {}", engine, stopped.join(", "));
        }
        Err(why) => {
            super::output::log_to_file();
            tracing::warn!("guard: {why}");
        }
    }
}
