//! What part each process of a snapshot plays: what its own argv says, then what only its
//! environment can say.

use crate::catalog::{Basis, Catalog, Identification, Role};
use crate::process::{Pid, ProcessRecord, Snapshot};
use crate::tree::Tree;

/// The processes that play a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles {
    /// By pid.
    known: Vec<(Pid, Identification)>,
    /// Told by argv, but not borne out by what else was read of them so far; by pid.
    unproven: Vec<Pid>,
}

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
        let mut roles = Roles { known: Vec::new(), unproven: Vec::new() };
        roles.name(snapshot.processes.iter().filter(|record| !record.is_zombie()), tree, catalog);
        roles
    }

    /// The same after more was read of some rows and others vanished, for the price of those alone.
    /// The catalog must be the one these roles were assigned by.
    #[must_use]
    pub fn after_details(mut self, tree: &Tree<'_>, catalog: &Catalog) -> Roles {
        let stays = |pid: Pid| tree.get(pid).is_some_and(|record| !is_looked_at(record));
        self.known.retain(|(pid, _)| stays(*pid));
        self.unproven.retain(|pid| stays(*pid));
        self.name(tree.living().filter(|record| is_looked_at(record)), tree, catalog);
        self
    }

    /// Adds what these rows are.
    fn name<'r>(
        &mut self,
        rows: impl Iterator<Item = &'r ProcessRecord> + Clone,
        tree: &Tree<'_>,
        catalog: &Catalog,
    ) {
        for record in rows.clone() {
            match catalog.identify(record) {
                Some(known) if is_borne_out(record, &known.basis) => self.known.push((record.pid(), known)),
                Some(_) => self.unproven.push(record.pid()),
                None => {}
            }
        }
        self.known.sort_by_key(|(pid, _)| *pid);
        self.unproven.sort_unstable();
        let by_environment: Vec<_> = rows
            .filter(|record| started_as_server(record))
            .filter(|record| self.role(record.pid()).is_none_or(|role| role == Role::Wrapper))
            .filter(|record| tree.parent(record).is_none_or(|parent| self.stands_alone(parent)))
            .map(|record| {
                let name = catalog.program(record).unwrap_or_else(|| record.comm.to_string());
                let identification = Identification { role: Role::Server, name, basis: Basis::Environment };
                (record.pid(), identification)
            })
            .collect();
        self.known.retain(|(pid, _)| by_environment.iter().all(|(other, _)| other != pid));
        self.known.extend(by_environment);
        self.known.sort_by_key(|(pid, _)| *pid);
    }

    /// What a process is, where that is known.
    #[must_use]
    pub fn get(&self, pid: Pid) -> Option<&Identification> {
        let at = self.known.binary_search_by_key(&pid, |(pid, _)| *pid).ok()?;
        self.known.get(at).map(|(_, identification)| identification)
    }

    /// The part a process plays, where it plays one.
    #[must_use]
    pub fn role(&self, pid: Pid) -> Option<Role> {
        self.get(pid).map(|identification| identification.role)
    }

    /// All pids that play this part, ascending.
    #[must_use]
    pub fn all(&self, role: Role) -> Vec<Pid> {
        self.known.iter().filter(|(_, known)| known.role == role).map(|(pid, _)| *pid).collect()
    }

    /// Its argv tells what it is, and something else must bear that out which did not, or was not
    /// read yet.
    #[must_use]
    pub fn is_unproven(&self, pid: Pid) -> bool {
        self.unproven.binary_search(&pid).is_ok()
    }

    /// Below a server or its launcher it is a member of that instance, not a server of its own.
    fn stands_alone(&self, parent: &ProcessRecord) -> bool {
        let part = self.role(parent.pid());
        !started_as_server(parent) && !matches!(part, Some(Role::Server | Role::Launcher | Role::Helper))
    }
}

/// Something that may change what it is was read of it after its argv.
fn is_looked_at(record: &ProcessRecord) -> bool {
    record.details.exe.is_some() || record.details.env.is_some() || record.details.stdio.is_some()
}

/// Some evidence identifies only together with more. The argv of a configured server may be that of
/// anything (`node server.js`, `sleep infinity` in a repository of strangers), so it must be on a
/// wire, too; a library's browser profile must come from a client's server and not from a test run.
fn is_borne_out(record: &ProcessRecord, basis: &Basis) -> bool {
    match basis {
        Basis::Configured { .. } | Basis::Plugin { .. } => record.is_wired(),
        Basis::SharedProfile { .. } => is_of_a_client(record),
        Basis::Catalog { .. } | Basis::Taught { .. } | Basis::Environment => true,
    }
}

/// Does its environment say that Claude Code started it as a stdio server? The variables are
/// inherited by everything below a server, daemons included, so the wire must be there too: a
/// database that a server put into the background has `/dev/null` on stdin.
fn started_as_server(record: &ProcessRecord) -> bool {
    is_of_a_client(record) && record.is_wired()
}

fn is_of_a_client(record: &ProcessRecord) -> bool {
    let set = |name| record.env_var(name).is_some();
    set(CLAUDE) && set(CLAUDE_SESSION) && !set(CLAUDE_CHILD)
}

/// A job of a Claude Code shell tool, hook or status line: wanted by somebody, whatever it runs.
#[must_use]
pub fn is_tool_job(record: &ProcessRecord) -> bool {
    record.env_var(CLAUDE_CHILD).is_some()
}
