//! Identifies one process by its own argv and by its details: its environment, and whether it is on a wire.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::bytes::{Argv, RawText};
use crate::catalog::{Basis, Catalog, Identification, Role};
use crate::process::{Pid, ProcessRecord, Stdio};
use crate::program::Resolution;

/// A process that was identified.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identified {
    pub(super) identification: Identification,
    /// What a server, launcher or client really runs. It is not kept for other processes, of which there may be
    /// thousands, because it is hardly ever needed there.
    pub(super) runs: Option<Box<Resolution>>,
}

impl Identified {
    pub(super) fn new(identification: Identification, runs: Resolution) -> Identified {
        let is_needed = matches!(identification.role, Role::Server | Role::Launcher | Role::Client);
        Identified { identification, runs: is_needed.then(|| Box::new(runs)) }
    }
}

/// All that identifies a process: its argv, comm, and the details below, where any was read.
pub(super) type IdentityKey<'r> = (&'r Argv, &'r RawText, Option<KeyDetails<'r>>);

/// Executable, working directory, environment, and whether the process is on a wire (`None` when its descriptors were
/// not read).
pub(super) type KeyDetails<'r> =
    (Option<&'r RawText>, Option<&'r RawText>, Option<&'r BTreeMap<String, String>>, Option<bool>);

/// Rows with equal keys are identified once. pid 1 has no key, because it is identified by its name
/// alone.
pub(super) fn identity_key(record: &ProcessRecord) -> Option<IdentityKey<'_>> {
    let details = &record.details;
    let is_read = details.cwd.is_some() || has_details(record);
    let wired = details.stdio.as_ref().map(Stdio::is_wire);
    let details = is_read.then(|| (details.exe.as_ref(), details.cwd.as_ref(), details.env.as_ref(), wired));
    let argv = record.argv.as_ref().filter(|_| record.pid() != Pid::INIT)?;
    Some((argv, &record.comm, details))
}

/// The result of identifying one process.
#[derive(Clone)]
pub(super) enum Identity {
    Nothing,
    /// Its argv names a role, which something else must confirm.
    Unproven,
    Known(Rc<Identified>),
}

impl Identity {
    fn known(identification: Identification, runs: Resolution) -> Identity {
        Identity::Known(Rc::new(Identified::new(identification, runs)))
    }

    pub(super) fn of(record: &ProcessRecord, catalog: &Catalog) -> Identity {
        match catalog.identify_and_resolve(record) {
            None => Identity::Nothing,
            Some(known) if is_confirmed(record, &known.0.basis) => Identity::known(known.0, known.1),
            Some((Identification { role, name, basis: Basis::SharedProfile { profile } }, runs))
                if has_details(record) && catalog.is_headless(record) =>
            {
                Identity::known(Identification { role, name, basis: Basis::Automated { profile } }, runs)
            }
            Some(_) => Identity::Unproven,
        }
    }
}

/// Set in all processes that Claude Code starts.
const CLAUDE: &str = "CLAUDECODE";
/// Set in all processes that Claude Code starts, since 2.1.154.
const CLAUDE_SESSION: &str = "CLAUDE_CODE_SESSION_ID";
/// Set in the children of its Bash tool, its hooks and its status line, but not in stdio servers.
const CLAUDE_CHILD: &str = "CLAUDE_CODE_CHILD_SESSION";

/// Was a detail read that may change the identity of the process?
pub(super) fn has_details(record: &ProcessRecord) -> bool {
    record.details.exe.is_some() || record.details.env.is_some() || record.details.stdio.is_some()
}

/// Is this evidence enough, or confirmed by more? A configured server may have the argv of any other program
/// (`node server.js`, `sleep infinity` in a stranger's repository), so it must also be on a wire. A browser with a
/// library's profile must have been started by a client's server, not by a test run.
fn is_confirmed(record: &ProcessRecord, basis: &Basis) -> bool {
    match basis {
        Basis::Configured { .. } | Basis::Plugin { .. } => record.is_wired(),
        Basis::SharedProfile { .. } => is_of_a_client(record),
        Basis::Catalog { .. }
        | Basis::Taught { .. }
        | Basis::Automated { .. }
        | Basis::Environment
        | Basis::Exec
        | Basis::ActsAsClient { .. } => true,
    }
}

/// Does its environment show that Claude Code started it as a stdio server? Everything below a server inherits the
/// variables: a database in the background, a tmux server with all its panes. So its stdin and stdout must both be on a
/// wire, and it must lead neither its process group nor its session.
pub(super) fn started_as_server(record: &ProcessRecord) -> bool {
    let whole_wire =
        record.details.stdio.as_ref().is_some_and(|stdio| stdio.is_wire() && stdio.writes_to_wire());
    let born_into = |leader: Pid| leader != Pid(0) && leader != record.pid();
    is_of_a_client(record) && whole_wire && born_into(record.group) && born_into(record.session)
}

fn is_of_a_client(record: &ProcessRecord) -> bool {
    let set = |name| record.env_var(name).is_some();
    record.env_var(CLAUDE) == Some("1") && set(CLAUDE_SESSION) && !set(CLAUDE_CHILD)
}

/// Is it a job of a Claude Code shell tool, hook or status line? Such a job is needed, whatever it runs.
pub(crate) fn is_tool_job(record: &ProcessRecord) -> bool {
    record.env_var(CLAUDE_CHILD).is_some()
}
