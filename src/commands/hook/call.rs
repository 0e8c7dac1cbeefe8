//! `mcp-reap hook run`: reads the event, starts a process for the task, and returns.
//!
//! A client waits for its hooks, at a session's end for 1.5 s for all together, and then ends them with everything
//! below them. If a hook returns in time, the processes that it started go on.

use std::env;
use std::io::{PipeReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::super::output::notice;
use super::super::session::own_program;
use super::watch::Task;
use crate::catalog::{Catalog, Role};
use crate::hook::event::{EventError, HookEvent, HookEventKind, LARGEST, PATIENCE, read_event};
use crate::hook::watch::{Action, CLIENT_VARIABLE, client_above, client_pid, should_act};
use crate::look::Look;
use crate::process::Pid;
use crate::render::clean::clean;
use crate::sys;

/// The variable with Claude Code's name for the session, in all processes that it starts.
const SESSION_VARIABLE: &str = "CLAUDE_CODE_SESSION_ID";

/// The longest that a call takes. It may take 200 ms.
const BUDGET: Duration = Duration::from_millis(180);

pub(super) fn run() -> anyhow::Result<()> {
    let begun = Instant::now();
    let event = read_event(std::io::stdin().lock(), LARGEST, PATIENCE).inspect_err(say_what_it_is_for)?;
    match task(&event)? {
        Some(task) => hand_over(&task, begun + BUDGET),
        None => Ok(()),
    }
}

/// A variable that Gemini CLI sets for its hooks. If stdout is empty, some of its releases take the stderr of a hook
/// for its answer and show it to the person (<https://github.com/kurrent-io/kcap-cli/pull/444>).
const GEMINI_VARIABLE: &str = "GEMINI_PROJECT_DIR";

/// Prints one line for a person who calls the hook by hand. A client writes an event, so it does not get this line. If
/// it does, Claude Code puts the stderr of a hook that exits with 0 only into its debug log
/// (<https://code.claude.com/docs/en/hooks>), and Codex drops it (codex-rs/hooks).
fn say_what_it_is_for(error: &EventError) {
    if env::var_os(GEMINI_VARIABLE).is_none() {
        notice(&format!(
            "mcp-reap: hook run: {}; nothing was done. A client calls this when a session begins or ends, with the event as \
             JSON on stdin; by hand, use `mcp-reap --dry-run`",
            clean(&error.to_string())
        ));
    }
}

/// The task for an event; `None` if there is nothing to do.
fn task(event: &HookEvent) -> anyhow::Result<Option<Task>> {
    // The client is looked for only if a session ends.
    let action = match (should_act(event, None), &event.kind) {
        (Action::Sweep, HookEventKind::SessionEnd { .. }) => should_act(event, caller(event)?),
        (action, _) => action,
    };
    Ok(match action {
        Action::Nothing => None,
        Action::Sweep => Some(Task::Sweep),
        Action::WatchSession(session) => {
            // The identity is read at once, because the pid may be reused when the client is gone.
            let client = sys::identity(session.client);
            Some(Task::Session { session, client })
        }
    })
}

/// The client that called.
fn caller(event: &HookEvent) -> anyhow::Result<Option<Pid>> {
    // A client that Claude Code started inherits its variables, but its event has the name of its own session.
    let inherited = event.session_id.is_some()
        && env::var(SESSION_VARIABLE).is_ok_and(|named| Some(named) != event.session_id);
    let named = env::var(CLIENT_VARIABLE).ok().and_then(|value| client_pid(&value));
    if let Some(client) = named.filter(|_| !inherited) {
        return Ok(Some(client));
    }
    let snapshot = sys::ancestors().context("failed to read the processes above this one")?;
    let catalog = Catalog::builtin();
    let look = Look::new(&snapshot, &catalog);
    let is_client = |pid| look.roles.role(pid) == Some(Role::Client);
    Ok(client_above(&look.tree, is_client, snapshot.viewer.pid))
}

/// Starts this program again, gives it the task, and waits until it closes its stdout. Then it has read everything that
/// it needs from the living client, and goes on without us.
fn hand_over(task: &Task, until: Instant) -> anyhow::Result<()> {
    let program = own_program()?;
    let (ours, theirs) = std::io::pipe().context("failed to make a pipe")?;
    let mut command = Command::new(&program);
    // It gets the same arguments and one more flag, so that it reads the same configuration.
    command.args(env::args_os().skip(1)).arg("--watch");
    command.stdin(Stdio::piped()).stdout(theirs).stderr(Stdio::null());
    let mut child = command.spawn().with_context(|| format!("failed to start {}", program.display()))?;
    // This closes our copy of the other process's end of the pipe.
    drop(command);
    if let Some(mut input) = child.stdin.take() {
        // The task has a few hundred bytes, which a pipe takes at once, even if nobody reads them.
        input.write_all(&serde_json::to_vec(task)?).context("failed to hand the task over")?;
    }
    wait_for_close(&ours, until);
    Ok(())
}

/// Waits until no process holds the other end any more. Nothing is ever written into it.
fn wait_for_close(pipe: &PipeReader, until: Instant) {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).unwrap_or_default();
        match poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&timeout)) {
            Err(Errno::INTR) => {}
            // A timeout is harmless, because the other process goes on without us.
            _ => return,
        }
    }
}
