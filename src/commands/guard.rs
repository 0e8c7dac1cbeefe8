//! `mcp-reap guard`: the guardian that `exec` starts beside a server. No person types this command.

mod end;
mod host;
mod look;
#[cfg(target_os = "linux")]
mod peer;
mod queue;
mod record;
mod server;
mod unread_rules;
mod whole;

use std::ffi::OsStr;
use std::io::Write as _;

use crate::exit::Exit;
use crate::guard::args::GuardArgs;
use crate::guard::container;
use crate::guard::events::InitialState;
use crate::guard::watch::watch;
use crate::guard::{command, ffi, stdin};
use crate::process::ProcessRecord;
use crate::program::{Kind, Resolution};

use super::output::notice;

pub use host::{Host, Settings};
pub use queue::{Queue, wire_on};
pub use server::Server;

/// Watches until the server is gone. It reports on the pipe of its arguments that it watches, or why it does not.
pub(super) fn run(words: &[String]) -> Exit {
    let Some(args) = GuardArgs::parse(words) else {
        notice("mcp-reap: guard is started by exec, and by nothing else");
        return Exit::Refused;
    };
    let Some(ready) = ffi::adopt(args.ready_fd) else { return Exit::Refused };
    // This comes before `prepare`, which changes the working folder: the path of the command may be relative.
    let script = is_shell_script(&args);
    let (mut events, watched) = match prepare(&args) {
        Ok(prepared) => prepared,
        Err(why) => {
            let _ = std::fs::File::from(ready).write_all(format!("{why}\n").as_bytes());
            return Exit::Refused;
        }
    };
    // The command line is read while it is still that of exec. The server may show any other.
    let mut server = Server::new(host::Here::new(), &args).of_a_shell_script(script);
    let _ = std::fs::File::from(ready).write_all(b"\n");
    server = server.with_the_client_behind();
    #[cfg(target_os = "linux")]
    ffi::release_code_pages();
    let root_gone = match watch(watched, &mut events, &mut server) {
        Ok(root_gone) => root_gone,
        Err(error) => {
            super::output::log_to_file();
            tracing::warn!("guard: the wait failed, so the server goes on unguarded: {error}");
            return Exit::NotFine;
        }
    };
    if let Some(engine) = args.engine.as_deref().filter(|_| root_gone) {
        stop_container(engine, &args.marker);
    }
    Exit::Fine
}

/// The source of a guardian's events on this system.
#[cfg(target_os = "linux")]
type Events = crate::guard::poll::PollEvents;
#[cfg(target_os = "macos")]
type Events = Queue<crate::sys::macos::Mac>;

/// Is the program that `exec` is about to become a script for a shell?
fn is_shell_script(args: &GuardArgs) -> bool {
    let record = ProcessRecord::with_argv(server::command_of(&crate::sys::command(args.root.pid)));
    let Some(program) = Resolution::of(&record).program else { return false };
    let file = matches!(program.kind, Kind::Binary | Kind::Script);
    let path = std::env::var_os("PATH");
    file && command::is_shell_script(OsStr::new(&program.text), program.kind == Kind::Binary, path.as_deref())
}

/// Closes all descriptors except the guardian's own, begins to watch, and checks that the audit log can be written. An
/// error is reported before the server starts.
fn prepare(args: &GuardArgs) -> Result<(Events, InitialState), String> {
    // The descriptors are closed first, because on macOS the queue is a new descriptor.
    stdin::close_all_but(&args.descriptors())
        .map_err(|error| format!("could not close what it inherited: {error}"))?;
    // The guardian leaves the folder in which it was started, so that the disk of that folder can be unmounted.
    let _ = std::env::set_current_dir("/");
    #[cfg(target_os = "linux")]
    let events = Events::begin(args, peer::peer_state)?;
    #[cfg(target_os = "macos")]
    let events = Events::begin(crate::sys::macos::Mac, args)?;
    let directory = crate::config::state_dir().map_err(|error| error.to_string())?;
    // Without an audit log nothing is ended. If a run would refuse it, that is reported now, in the client's log.
    crate::audit::usable(&directory).map_err(|error| format!("no audit log could be written: {error}"))?;
    Ok(events)
}

/// Stops the container of a server. It outlives the process that ran it, and only its engine can end it.
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
