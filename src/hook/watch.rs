//! What a call of the hook has to do, and which instances it is about.
//!
//! Both only narrow: the verdicts decide what may be ended, and a hook never widens them.

use serde::{Deserialize, Serialize};

use super::event::{HookEvent, HookEventKind};
use crate::instance::Instance;
use crate::process::{Pid, ProcessRecord};
use crate::roles::is_tool_job;
use crate::tree::Tree;

/// Names the client in the environment of Claude Code's hooks.
pub(crate) const CLIENT_VARIABLE: &str = "CLAUDE_PID";

/// A session that ends, by all that distinguishes its servers from those of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The client, which still lives when its hook is called. To wait for it, its start time is needed
    /// as well: the number is free again afterwards.
    pub(crate) client: Pid,
    /// Its name for the session.
    pub(crate) id: Option<String>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing: no server was left, or none of this client's servers is unused.
    Nothing,
    /// Let the hook return, wait for the client to end, then look at what the session left.
    WatchSession(Session),
    /// Look at everything: some session may have ended without a hook (a crash, SIGKILL).
    Sweep,
}

/// The client's number, from the value of [`CLIENT_VARIABLE`]. Pid 1 is no client that ends.
pub(crate) fn client_pid(value: &str) -> Option<Pid> {
    value.trim().parse().ok().filter(|pid| *pid > 1).map(Pid)
}

/// The client that called the hook, where the environment does not say: the nearest above us.
///
/// Nearest, because launchers of clients are called like them (Gemini CLI runs itself a second time,
/// and it is the inner one that talks to the servers).
pub(crate) fn client_above(tree: &Tree<'_>, is_client: impl Fn(Pid) -> bool, us: Pid) -> Option<Pid> {
    tree.ancestors(tree.get(us)?).into_iter().map(ProcessRecord::pid).find(|pid| is_client(*pid))
}

/// What to do for an event. `client` called the hook, as far as that is known.
///
/// `clear` and `resume` end a session but not the client, and its servers stay its direct children
/// and in use. `clear` and `compact` as sources begin none.
pub(crate) fn should_act(event: &HookEvent, client: Option<Pid>) -> Action {
    match &event.kind {
        HookEventKind::SessionEnd { reason } if matches!(reason.as_str(), "clear" | "resume") => {
            Action::Nothing
        }
        HookEventKind::SessionEnd { .. } => match client {
            Some(client) => Action::WatchSession(Session { client, id: event.session_id.clone() }),
            // No client to wait for. What is still ending is young or in use, and is left alone.
            None => Action::Sweep,
        },
        HookEventKind::SessionStart { source } if matches!(source.as_str(), "clear" | "compact") => {
            Action::Nothing
        }
        HookEventKind::SessionStart { .. } => Action::Sweep,
        HookEventKind::Other(_) => Action::Nothing,
    }
}

/// Whether the session's client started this instance.
///
/// By the parent, as long as there is one. By the process group, which is the client's pid where
/// the client leads its group; no later process can get that number as long as a member of the
/// group lives (POSIX `fork`). By the session's id in the environment, which survives every
/// wrapper; after `/clear` and `/resume` servers keep the id they were started with, so another id
/// proves nothing. What a Bash tool started is not the session's.
pub(crate) fn belongs_to_session(instance: &Instance<'_>, session: &Session) -> bool {
    let root = instance.root;
    if is_tool_job(root) {
        return false;
    }
    let by_client = root.parent == session.client || root.group == session.client;
    let by_id = session.id.as_deref().is_some_and(|id| {
        instance.launchers_and_servers().any(|record| record.env_var("CLAUDE_CODE_SESSION_ID") == Some(id))
    });
    by_client || by_id
}

#[cfg(test)]
mod tests;
