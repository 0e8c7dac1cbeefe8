//! Servers that start through `exec`: do they start, and had the last one its guardian?

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

/// `--version` takes milliseconds.
const LIMIT: Duration = Duration::from_secs(5);

/// The program of ours behind each configured server, and the last server that ran without its guardian.
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

/// A server under `exec` does not start where this program does not.
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

/// A name without a path is looked for in this shell's PATH; a client's may be another.
fn place(program: &str) -> Option<PathBuf> {
    if program.starts_with('/') {
        return Some(PathBuf::from(program));
    }
    home::search_path().into_iter().map(|folder| folder.join(program)).find(|path| path.is_file())
}
