//! `mcp-reap hook run`: hears the event, hands the work to a process of its own, and returns.
//!
//! A client waits for its hooks, at a session's end for 1.5 s all together, and then ends them with
//! everything below them. What is left behind by a hook that returned in time lives on.

use std::env;
use std::io::{PipeReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::errand::Errand;
use crate::catalog::{Catalog, Role};
use crate::cli::Cli;
use crate::hook::event::{Event, EventKind, LARGEST, PATIENCE, read_event};
use crate::hook::watch::{Action, CLIENT_VARIABLE, client_above, client_pid, should_act};
use crate::process::{Interest, Pid};
use crate::sys;
use crate::tree::Tree;

/// Claude Code's name for the session, in everything it starts.
const SESSION_VARIABLE: &str = "CLAUDE_CODE_SESSION_ID";

/// The longest a call takes, of the 200 ms it may.
const BUDGET: Duration = Duration::from_millis(180);

pub(super) fn run(cli: &Cli) -> anyhow::Result<()> {
    let begun = Instant::now();
    if cli.is_for_no_command() || cli.global.snapshot.is_some() {
        bail!("--dry-run, --yes, --wait and --snapshot do not go with a call of the hook");
    }
    let event = read_event(std::io::stdin().lock(), LARGEST, PATIENCE)?;
    match errand(&event)? {
        Some(errand) => hand_over(&errand, begun + BUDGET),
        None => Ok(()),
    }
}

/// What an event asks for.
fn errand(event: &Event) -> anyhow::Result<Option<Errand>> {
    // Whom to wait for is asked only where somebody ends.
    let action = match (should_act(event, None), &event.kind) {
        (Action::Sweep, EventKind::SessionEnd { .. }) => should_act(event, caller(event)?),
        (action, _) => action,
    };
    Ok(match action {
        Action::Nothing => None,
        Action::Sweep => Some(Errand::Sweep),
        Action::WatchSession(session) => {
            // At once: when the client is gone its number is free again.
            let client = sys::identity(session.client);
            Some(Errand::Session { session, client })
        }
    })
}

/// The client that called.
fn caller(event: &Event) -> anyhow::Result<Option<Pid>> {
    // Another client that was started by Claude Code has inherited its variables; the event has the
    // name of its own session.
    let inherited = event.session_id.is_some()
        && env::var(SESSION_VARIABLE).is_ok_and(|named| Some(named) != event.session_id);
    let named = env::var(CLIENT_VARIABLE).ok().and_then(|value| client_pid(&value));
    if let Some(client) = named.filter(|_| !inherited) {
        return Ok(Some(client));
    }
    let snapshot = sys::snapshot(|_| Interest::default()).context("failed to read the process table")?;
    let (tree, catalog) = (Tree::new(&snapshot), Catalog::builtin());
    let is_client = |pid| {
        let known = tree.get(pid).and_then(|record| catalog.identify(record));
        known.is_some_and(|known| known.role == Role::Client)
    };
    Ok(client_above(&tree, is_client, snapshot.viewer.pid))
}

/// Starts this program again, gives it the errand, and waits until it says, by closing its stdout, that
/// it stands on its own feet and has seen what it has to see while the client lives.
fn hand_over(errand: &Errand, until: Instant) -> anyhow::Result<()> {
    let program = env::current_exe().context("failed to find this program")?;
    let (told, tells) = std::io::pipe().context("failed to make a pipe")?;
    let mut command = Command::new(&program);
    // The same line and one flag more, so that it goes by the same configuration.
    command.args(env::args_os().skip(1)).arg("--watch");
    command.stdin(Stdio::piped()).stdout(tells).stderr(Stdio::null());
    let mut child = command.spawn().with_context(|| format!("failed to start {}", program.display()))?;
    // Our own copy of the end that tells.
    drop(command);
    if let Some(mut input) = child.stdin.take() {
        // Some hundred bytes: a pipe takes them whole, whether anybody reads or not.
        input.write_all(&serde_json::to_vec(errand)?).context("failed to hand the work over")?;
    }
    wait_for_close(&told, until);
    Ok(())
}

/// Waits until nobody holds the other end any more. Nothing is ever written into it.
fn wait_for_close(told: &PipeReader, until: Instant) {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).unwrap_or_default();
        match poll(&mut [PollFd::new(told, PollFlags::IN)], Some(&timeout)) {
            Err(Errno::INTR) => {}
            // Too late is no harm: it goes on without us.
            _ => return,
        }
    }
}
