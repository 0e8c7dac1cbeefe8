//! What part each process of a snapshot plays: what its own argv says, then what only its
//! environment can say.

use std::collections::HashMap;

use crate::catalog::{Basis, Catalog, Identification, Role};
use crate::process::{Pid, ProcessRecord, Snapshot, StdioKind};
use crate::tree::Tree;

/// The processes that play a part, by pid.
#[derive(Debug)]
pub struct Roles(HashMap<Pid, Identification>);

/// Set in what Claude Code starts.
const CLAUDE: &str = "CLAUDECODE";
/// Set in what Claude Code starts, since 2.1.154.
const CLAUDE_SESSION: &str = "CLAUDE_CODE_SESSION_ID";
/// Set in the children of its Bash tool, its hooks and its status line, and not in stdio servers.
const CLAUDE_CHILD: &str = "CLAUDE_CODE_CHILD_SESSION";

impl Roles {
    /// Identifies every living process of a snapshot.
    #[must_use]
    pub fn assign(snapshot: &Snapshot, tree: &Tree<'_>, catalog: &Catalog) -> Roles {
        let living = || snapshot.processes.iter().filter(|record| !record.is_zombie());
        let mut roles: HashMap<Pid, Identification> = living()
            .filter_map(|record| Some((record, catalog.identify(record)?)))
            .filter(|(record, known)| is_borne_out(record, &known.basis))
            .map(|(record, known)| (record.pid(), known))
            .collect();
        let by_environment: Vec<_> = living()
            .filter(|record| roles.get(&record.pid()).is_none_or(|known| known.role == Role::Wrapper))
            .filter(|record| started_as_server(record))
            .filter(|record| tree.parent(record).is_none_or(|parent| stands_alone(parent, &roles)))
            .map(|record| {
                let name = catalog.program(record).unwrap_or_else(|| record.comm.to_string());
                let identification = Identification { role: Role::Server, name, basis: Basis::Environment };
                (record.pid(), identification)
            })
            .collect();
        roles.extend(by_environment);
        Roles(roles)
    }

    /// What a process is, where that is known.
    #[must_use]
    pub fn get(&self, pid: Pid) -> Option<&Identification> {
        self.0.get(&pid)
    }

    /// The part a process plays, where it plays one.
    #[must_use]
    pub fn role(&self, pid: Pid) -> Option<Role> {
        self.get(pid).map(|identification| identification.role)
    }

    /// All pids that play this part, ascending.
    #[must_use]
    pub fn all(&self, role: Role) -> Vec<Pid> {
        let mut pids: Vec<Pid> =
            self.0.iter().filter(|(_, known)| known.role == role).map(|(pid, _)| *pid).collect();
        pids.sort_unstable();
        pids
    }
}

/// Some evidence identifies only together with more. The argv of a configured server may be that of
/// anything (`node server.js`, `sleep infinity` in a repository of strangers), so it must be on a
/// wire, too; a library's browser profile must come from a client's server and not from a test run.
fn is_borne_out(record: &ProcessRecord, basis: &Basis) -> bool {
    match basis {
        Basis::Configured { .. } => is_wired(record),
        Basis::SharedProfile { .. } => is_of_a_client(record),
        Basis::Catalog { .. } | Basis::Rule { .. } | Basis::Environment | Basis::Ancestry => true,
    }
}

/// Does its environment say that Claude Code started it as a stdio server? The variables are
/// inherited by everything below a server, daemons included, so the wire must be there too: a
/// database that a server put into the background has `/dev/null` on stdin.
fn started_as_server(record: &ProcessRecord) -> bool {
    is_of_a_client(record) && is_wired(record)
}

fn is_of_a_client(record: &ProcessRecord) -> bool {
    let set = |name| record.env_var(name).is_some();
    set(CLAUDE) && set(CLAUDE_SESSION) && !set(CLAUDE_CHILD)
}

fn is_wired(record: &ProcessRecord) -> bool {
    let kind = record.stdio.as_ref().map(|stdio| stdio.kind);
    matches!(kind, Some(StdioKind::Pipe | StdioKind::Socket))
}

/// Below a server or its launcher it is a member of that instance, not a server of its own.
fn stands_alone(parent: &ProcessRecord, roles: &HashMap<Pid, Identification>) -> bool {
    let started_by_one = started_as_server(parent);
    let part = roles.get(&parent.pid()).map(|known| known.role);
    !started_by_one && !matches!(part, Some(Role::Server | Role::Launcher | Role::Helper))
}

/// A job of a Claude Code shell tool, hook or status line: wanted by somebody, whatever it runs.
#[must_use]
pub fn is_tool_job(record: &ProcessRecord) -> bool {
    record.env_var(CLAUDE_CHILD).is_some()
}
