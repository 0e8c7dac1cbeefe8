//! The output of `--verbose`: how much was read, how long that took, and why a candidate is no server.

use std::time::Duration;

use crate::catalog::Role;
use crate::classify::Judgement;
use crate::look::Look;
use crate::plan::Plan;
use crate::process::{ProcessRecord, Snapshot};
use crate::render::clean::{clean, fit};
use crate::render::figures::count;

/// How much of a command line is shown, in columns.
const COMMAND: usize = 100;

/// A duration in milliseconds with decimals, because a part of a look often takes less than one.
fn ms(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1000.0)
}

/// Logs what was read and how long each part took.
pub(super) fn looked(snapshot: &Snapshot, closely: usize, table: Duration, services: Duration) {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    tracing::debug!(
        "read {} in {}, {closely} of them closely; asked the service manager in {}",
        count(snapshot.processes.len(), "process"),
        ms(table),
        ms(services)
    );
    for record in snapshot.processes.iter().filter(|record| is_close(record)) {
        tracing::trace!("looked closely at {}", named(record));
    }
}

/// Logs how many servers the clients' configurations name and how long reading them took. That time is part of the time
/// for the process table.
pub(super) fn configured(servers: usize, took: Duration) {
    tracing::debug!("read {} in the clients' configurations in {}", count(servers, "server"), ms(took));
}

/// Logs the results of the judgement and how long it took.
pub(super) fn judged(look: &Look<'_>, judgement: &Judgement<'_>, plan: &Plan, took: Duration) {
    // The rest goes through the whole table once more.
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    for finding in &judgement.findings {
        let (root, server) = (finding.instance.root.pid(), clean(&finding.instance.server));
        tracing::debug!("{server} ({root}): {}, {}", finding.verdict.as_str(), clean(&finding.reason));
    }
    let inside =
        |record: &ProcessRecord| judgement.findings.iter().any(|f| f.instance.contains(record.pid()));
    let candidates = look.snapshot.processes.iter().filter(|record| is_close(record) || says_mcp(record));
    for record in candidates.filter(|record| !inside(record)) {
        tracing::debug!("not taken: {}: {}", named(record), why_not(look, record));
    }
    let (ends, withheld) = (count(plan.targets.len(), "instance"), plan.withheld.len());
    tracing::debug!(
        "judged {} in {}: {ends} to end, {withheld} withheld",
        count(judgement.findings.len(), "instance"),
        ms(took)
    );
}

/// Were the details of this process read?
fn is_close(record: &ProcessRecord) -> bool {
    record.details.stdio.is_some()
}

fn says_mcp(record: &ProcessRecord) -> bool {
    record.command().to_ascii_lowercase().contains("mcp")
}

fn named(record: &ProcessRecord) -> String {
    let command =
        record.argv.as_ref().map_or_else(|| record.command(), |argv| crate::redact::argv(argv).join(" "));
    format!("{} {}", record.pid(), fit(&clean(&command), COMMAND))
}

fn why_not(look: &Look<'_>, record: &ProcessRecord) -> String {
    match look.roles.get(record.pid()).map(|known| (known.role, clean(&known.name))) {
        Some((Role::Client, name)) => format!("it is the client {name}"),
        Some((Role::Init, _)) => "it adopts orphans".to_owned(),
        Some((Role::Launcher, _)) => "it launches no server that runs".to_owned(),
        Some((Role::Helper, _)) => "it is a helper, and no server above it was found".to_owned(),
        Some((_, name)) => format!("it is known as {name}, which is no server by itself"),
        None => match look.resolution(record).name() {
            Some(program) => {
                format!("what runs is {}, which is no known server", fit(&clean(program), COMMAND))
            }
            None => "what it runs could not be told from its command line".to_owned(),
        },
    }
}
