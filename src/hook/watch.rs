//! Decides what a call of the hook does, and which instances it concerns.
//!
//! Both only leave instances out. The verdicts decide what may be ended.

use serde::{Deserialize, Serialize};

use super::event::{HookEvent, HookEventKind};
use crate::instance::Instance;
use crate::process::{Pid, ProcessRecord};
use crate::roles::is_tool_job;
use crate::tree::Tree;

/// The variable with the client's pid in the environment of Claude Code's hooks.
pub(crate) const CLIENT_VARIABLE: &str = "CLAUDE_PID";

/// A session that ends, with what distinguishes its servers from those of other sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The client, which still lives when its hook is called. Waiting for its end needs its start time too, because the
    /// pid may be reused.
    pub(crate) client: Pid,
    /// The client's name for the session.
    pub(crate) id: Option<String>,
}

/// What a call does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing: no server was left, or none of this client's servers is unused.
    Nothing,
    /// Let the hook return, wait for the client to end, then look at what the session left.
    WatchSession(Session),
    /// Look at all instances, because a session may have ended without a hook (a crash, SIGKILL).
    Sweep,
}

/// The client's pid, from the value of [`CLIENT_VARIABLE`]. Pid 1 does not count, because it never ends before us.
pub(crate) fn client_pid(value: &str) -> Option<Pid> {
    value.trim().parse().ok().filter(|pid| *pid > 1).map(Pid)
}

/// The client that called the hook, if the environment does not name it: the nearest one above us.
///
/// It is the nearest because a launcher of a client may have its name. (Gemini CLI runs itself a second time, and the
/// inner process talks to the servers.)
pub(crate) fn client_above(tree: &Tree<'_>, is_client: impl Fn(Pid) -> bool, us: Pid) -> Option<Pid> {
    tree.ancestors(tree.get(us)?).into_iter().map(ProcessRecord::pid).find(|pid| is_client(*pid))
}

/// What to do for an event. `client` called the hook, if that is known.
///
/// `clear` and `resume` end a session but not the client, whose servers stay its children and in use. A start with the
/// source `clear` or `compact` begins no session.
pub(crate) fn should_act(event: &HookEvent, client: Option<Pid>) -> Action {
    match &event.kind {
        HookEventKind::SessionEnd { reason } if matches!(reason.as_str(), "clear" | "resume") => {
            Action::Nothing
        }
        HookEventKind::SessionEnd { .. } => match client {
            Some(client) => Action::WatchSession(Session { client, id: event.session_id.clone() }),
            // There is no client to wait for. Instances that are still ending are young or in use, and are left alone.
            None => Action::Sweep,
        },
        HookEventKind::SessionStart { source } if matches!(source.as_str(), "clear" | "compact") => {
            Action::Nothing
        }
        HookEventKind::SessionStart { .. } => Action::Sweep,
        HookEventKind::Other(_) => Action::Nothing,
    }
}

/// Did the session's client start this instance? One of three facts shows it. The parent of the root is the client. Or
/// its process group is the client's pid, if the client leads a group; no later process can get that pid while a member
/// of the group lives (POSIX `fork`). Or the environment has the session's id, which every wrapper passes on. After
/// `/clear` and `/resume` servers keep the id with which they were started, so another id proves nothing. A job of a
/// Bash tool does not belong to the session.
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
