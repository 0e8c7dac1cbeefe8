//! Configured servers that start through `exec`: does that program start, and did the last server run with its
//! guardian?

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::audit::Unguarded;
use crate::clients::{Findings, Transport, wrap};
use crate::config;
use crate::os::command::Call;
use crate::os::home;
use crate::render::doctor::DoctorLine;
use crate::render::figures::{count, minute};

/// How long a program may take for `--version`, which normally takes milliseconds.
const LIMIT: Duration = Duration::from_secs(5);

/// One line for each `mcp-reap` that starts configured servers, and one for the last server that ran without its
/// guardian.
pub(super) fn lines(found: &Findings) -> Vec<DoctorLine> {
    let mut servers: BTreeMap<&str, usize> = BTreeMap::new();
    for server in &found.servers {
        if let Transport::Stdio { argv } = &server.transport
            && let Some(program) = wrap::program_of(argv)
        {
            *servers.entry(program).or_default() += 1;
        }
    }
    servers.into_iter().map(|(program, n)| starts(program, n)).chain(unguarded()).collect()
}

fn unguarded() -> Option<DoctorLine> {
    let last = Unguarded::read(&config::state_dir().ok()?)?;
    Some(DoctorLine::note(
        "exec",
        format!("{}, the last server that ran without its guardian: {}", minute(last.at), last.why),
        "it ran as it would without exec; what it left is for the next run",
    ))
}

/// Does this `mcp-reap` start? If not, no server under its `exec` starts.
fn starts(program: &str, servers: usize) -> DoctorLine {
    const UNDO: &str = "they do not start: install mcp-reap there again, or `mcp-reap wrap uninstall`";
    let through = format!("{} through {program}", count(servers, "configured server"));
    let Some(path) = place(program) else {
        return DoctorLine::broken("exec", format!("{through}, which is not in PATH"), UNDO);
    };
    let path = path.to_string_lossy();
    let call = Call { program: &path, args: &["--version"], environment: &[], limit: LIMIT, largest: 4096 };
    let found = match call.run() {
        Ok(output) if output.is_success() && output.stdout.starts_with("mcp-reap ") => {
            return DoctorLine::fine("exec", format!("{through}, {}", output.stdout.trim()));
        }
        Ok(output) if output.is_success() => format!("{through}, which is another program"),
        Ok(output) => format!("{through}: {}", output.complaint()),
        Err(error) => format!("{through}: {error}"),
    };
    DoctorLine::broken("exec", found, UNDO)
}

/// The path of a program. A name without a path is looked for in the `PATH` of this shell, which may differ from the
/// client's.
fn place(program: &str) -> Option<PathBuf> {
    if program.starts_with('/') {
        return Some(PathBuf::from(program));
    }
    home::search_path().into_iter().map(|folder| folder.join(program)).find(|path| path.is_file())
}
