//! `mcp-reap record`: the process table as JSON, without secrets.

use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use super::output::{answer, notice};
use super::{Session, look};
use crate::os::machine::Machine;
use crate::process::Snapshot;

pub(super) fn run(session: &Session, output: Option<&Path>) -> anyhow::Result<()> {
    let snapshot = without_secrets(look::take_exactly(session)?.0);
    let table = Recorded { machine: Machine::here(), snapshot: &snapshot };
    let text = serde_json::to_string(&table).context("failed to write the table as JSON")?;
    let Some(path) = output else { return answer(&text) };
    std::fs::write(path, text + "\n").with_context(|| format!("failed to write {}", path.display()))?;
    if !session.quiet {
        notice(&format!("{} processes recorded in {}", snapshot.processes.len(), path.display()));
    }
    Ok(())
}

/// A table and the machine it was recorded on. `machine` is for people; readers of tables ignore it.
#[derive(Serialize)]
struct Recorded<'a> {
    machine: Machine,
    #[serde(flatten)]
    snapshot: &'a Snapshot,
}

/// Removes secrets from command lines. Session ids and project paths in the environment decide nothing by their values,
/// so only the fact that they are set is kept.
fn without_secrets(mut snapshot: Snapshot) -> Snapshot {
    for record in &mut snapshot.processes {
        if let Some(argv) = &record.argv {
            record.argv = Some(crate::redact::argv(argv).into_iter().collect());
        }
        for (name, value) in record.details.env.iter_mut().flatten() {
            // These contain pids that are compared with others, so their values are kept.
            let keep = ["SYSTEMD_EXEC_PID", "OPENCODE_PID", "CLAUDE_PID", "MCP_REAP_EXEC"];
            if !keep.contains(&name.as_str()) && value != "1" {
                "x".clone_into(value);
            }
        }
    }
    snapshot
}
