//! What one process is, by its own argv and by what was read of it: its environment, and whether it is on a wire.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::bytes::{Argv, RawText};
use crate::catalog::{Basis, Catalog, Identification, Role};
use crate::process::{Pid, ProcessRecord, Stdio};
use crate::program::Resolution;

/// What a process is, and for a server, a launcher or a client what it really runs. For other processes, of which there
/// may be thousands, that is hardly ever needed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) what: Identification,
    pub(super) runs: Option<Box<Resolution>>,
}

impl Part {
    pub(super) fn new(what: Identification, runs: Resolution) -> Part {
        let is_needed = matches!(what.role, Role::Server | Role::Launcher | Role::Client);
        Part { what, runs: is_needed.then(|| Box::new(runs)) }
    }
}

/// Everything that identifies a process: its argv and short name, and the details that matter, where they were read.
pub(super) type Line<'r> = (&'r Argv, &'r RawText, Option<Seen<'r>>);

/// The details that identify a process: program, working directory, environment, and whether it is on a wire (`None`
/// when its descriptors were not read).
pub(super) type Seen<'r> =
    (Option<&'r RawText>, Option<&'r RawText>, Option<&'r BTreeMap<String, String>>, Option<bool>);

/// Rows with equal lines are identified once. pid 1 has none, because only its name counts.
pub(super) fn line(record: &ProcessRecord) -> Option<Line<'_>> {
    let details = &record.details;
    let more = details.cwd.is_some() || is_looked_at(record);
    let wired = details.stdio.as_ref().map(Stdio::is_wire);
    let seen = more.then(|| (details.exe.as_ref(), details.cwd.as_ref(), details.env.as_ref(), wired));
    let argv = record.argv.as_ref().filter(|_| record.pid() != Pid::INIT)?;
    Some((argv, &record.comm, seen))
}

/// What a process is by its own argv and details.
#[derive(Clone)]
pub(super) enum Identity {
    Nothing,
    /// Its argv names a role that something else must confirm.
    Unproven,
    Known(Rc<Part>),
}

impl Identity {
    fn known(what: Identification, runs: Resolution) -> Identity {
        Identity::Known(Rc::new(Part::new(what, runs)))
    }

    pub(super) fn of(record: &ProcessRecord, catalog: &Catalog) -> Identity {
        match catalog.identify_and_resolve(record) {
            None => Identity::Nothing,
            Some(known) if is_borne_out(record, &known.0.basis) => Identity::known(known.0, known.1),
            Some((Identification { role, name, basis: Basis::SharedProfile { profile } }, runs))
                if is_looked_at(record) && catalog.is_headless(record) =>
            {
                Identity::known(Identification { role, name, basis: Basis::Automated { profile } }, runs)
            }
            Some(_) => Identity::Unproven,
        }
    }
}

/// Set in what Claude Code starts.
const CLAUDE: &str = "CLAUDECODE";
/// Set in what Claude Code starts, since 2.1.154.
const CLAUDE_SESSION: &str = "CLAUDE_CODE_SESSION_ID";
/// Set in the children of its Bash tool, its hooks and its status line, and not in stdio servers.
const CLAUDE_CHILD: &str = "CLAUDE_CODE_CHILD_SESSION";

/// Something that may change what it is was read of it after its argv.
pub(super) fn is_looked_at(record: &ProcessRecord) -> bool {
    record.details.exe.is_some() || record.details.env.is_some() || record.details.stdio.is_some()
}

/// Some evidence identifies only together with more. The argv of a configured server may be that of
/// anything (`node server.js`, `sleep infinity` in a stranger's repository), so it must be on a
/// wire, too; a library's browser profile must come from a client's server and not from a test run.
fn is_borne_out(record: &ProcessRecord, basis: &Basis) -> bool {
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

/// Did Claude Code start it as a stdio server, by its environment? The variables are inherited by everything
/// below a server: by a database that it put into the background, by a tmux server and all its panes. So it must be on a
/// whole wire, stdin and stdout, and in the process group and session it was born into.
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

/// A job of a Claude Code shell tool, hook or status line: needed, whatever it runs.
pub(crate) fn is_tool_job(record: &ProcessRecord) -> bool {
    record.env_var(CLAUDE_CHILD).is_some()
}
