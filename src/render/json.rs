//! The report for programs: schema 1, a contract.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::Scene;
use super::explain::Whereabouts;
use super::figures::{Commands, command};
use crate::classify::{ClientRef, Copies, Evidence, Finding};
use crate::containers::Container;
use crate::instance::Part;
use crate::plan::Why;
use crate::process::{Listener, Pid, ProcessRecord, SCHEMA, Uid};

#[derive(Serialize)]
struct JsonReport<'a> {
    schema: u32,
    version: &'static str,
    os: &'a str,
    taken_at: String,
    instances: Vec<InstanceRow<'a>>,
    clients: Vec<ClientRow<'a>>,
    zombies: Vec<ZombieRow<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<CopiesRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    containers: Option<&'a [Container]>,
    summary: Summary,
}

#[derive(Serialize)]
struct InstanceRow<'a> {
    server: &'a str,
    root: Pid,
    pids: Vec<Pid>,
    /// The root's effective user.
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<Uid>,
    members: Vec<MemberRow>,
    client: Option<NamedPid<'a>>,
    verdict: &'static str,
    reap: bool,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<&'static str>,
    evidence: &'a [Evidence],
    age_seconds: u64,
    rss: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    swap: Option<u64>,
    /// Share of one core in percent, the average since the start of its members.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_lifetime_percent: Option<f64>,
    /// What any member listens on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    listening: Vec<&'a Listener>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<SessionRow<'a>>,
}

/// The conversation that it was started for.
#[derive(Serialize)]
struct SessionRow<'a> {
    id: &'a str,
    newest: bool,
}

/// A server that runs in many copies without a limit.
#[derive(Serialize)]
struct CopiesRow<'a> {
    server: &'a str,
    client: Option<NamedPid<'a>>,
    roots: &'a [Pid],
    generations: usize,
    max_count: u32,
    would_end: usize,
    would_free: u64,
}

#[derive(Serialize)]
struct MemberRow {
    pid: Pid,
    ppid: Pid,
    role: Part,
    start: String,
    rss: u64,
    command: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
}

#[derive(Serialize)]
struct NamedPid<'a> {
    pid: Pid,
    name: &'a str,
}

#[derive(Serialize)]
struct ClientRow<'a> {
    pid: Pid,
    name: &'a str,
    orphaned: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct ZombieRow<'a> {
    pid: Pid,
    ppid: Pid,
    command: &'a str,
}

#[derive(Serialize)]
struct Summary {
    processes_seen: usize,
    instances: usize,
    to_reap: usize,
    rss_to_reap: u64,
}

/// The whole report as one JSON object.
#[must_use]
pub fn report(scene: &Scene<'_>) -> String {
    let judgement = scene.judgement;
    let reaped = || judgement.findings.iter().filter(|finding| scene.reaps(finding));
    let report = JsonReport {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        os: &scene.snapshot.os,
        taken_at: scene.snapshot.taken_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        instances: instances(scene, &judgement.findings),
        clients: judgement
            .clients
            .iter()
            .map(|client| ClientRow {
                pid: client.pid,
                name: &client.name,
                orphaned: client.orphaned,
                reason: client.reason.as_deref(),
            })
            .collect(),
        zombies: judgement
            .zombies
            .iter()
            .map(|zombie| ZombieRow { pid: zombie.pid, ppid: zombie.parent, command: &zombie.command })
            .collect(),
        copies: judgement.copies.iter().map(copies).collect(),
        containers: scene.containers.map(|found| found.containers.as_slice()),
        summary: Summary {
            processes_seen: judgement.processes_seen,
            instances: judgement.findings.len(),
            to_reap: reaped().count(),
            rss_to_reap: reaped().fold(0, |sum, finding| sum.saturating_add(finding.rss)),
        },
    };
    // Plain structs with text keys: there is nothing in them that JSON cannot hold.
    serde_json::to_string(&report).unwrap_or_default()
}

/// What is known of one process: its row, where it stands, and the instance it belongs to or null.
#[derive(Serialize)]
pub struct Explanation<'a> {
    schema: u32,
    pid: Pid,
    command: String,
    ancestors: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    cwd: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<&'a str>,
    instance: Option<InstanceRow<'a>>,
}

/// Explains one process.
#[must_use]
pub fn explanation<'a>(
    scene: &Scene<'_>,
    record: &ProcessRecord,
    finding: Option<&'a Finding<'_>>,
    place: &'a Whereabouts,
) -> Explanation<'a> {
    Explanation {
        schema: SCHEMA,
        pid: record.pid(),
        command: command(record),
        ancestors: place.chain.split_last().map_or(&[], |(_, above)| above),
        cwd: place.folder.as_deref(),
        repository: place.repository.as_deref(),
        instance: finding.map(|finding| instance(scene, finding, &mut Commands::default())),
    }
}

/// One explanation as it is; several under `explanations`.
#[must_use]
pub fn explanations(all: &[Explanation<'_>]) -> String {
    #[derive(Serialize)]
    struct Several<'a> {
        schema: u32,
        explanations: &'a [Explanation<'a>],
    }
    let json = match all {
        [one] => serde_json::to_string(one),
        several => serde_json::to_string(&Several { schema: SCHEMA, explanations: several }),
    };
    json.unwrap_or_default()
}

fn instances<'a>(scene: &Scene<'_>, findings: &'a [Finding<'_>]) -> Vec<InstanceRow<'a>> {
    let mut commands = Commands::default();
    findings.iter().map(|finding| instance(scene, finding, &mut commands)).collect()
}

fn instance<'a>(scene: &Scene<'_>, finding: &'a Finding<'_>, commands: &mut Commands<'a>) -> InstanceRow<'a> {
    let mut member = |record: &'a ProcessRecord, part| MemberRow {
        pid: record.pid(),
        ppid: record.parent,
        role: part,
        start: moment(record.started_at),
        rss: record.rss,
        command: commands.of(record),
        outcome: outcome(scene, record),
    };
    InstanceRow {
        server: &finding.instance.server,
        root: finding.instance.root.pid(),
        pids: finding.instance.members.iter().map(|m| m.record.pid()).collect(),
        uid: finding.instance.root.uid,
        members: finding.instance.members.iter().map(|m| member(m.record, m.part)).collect(),
        client: finding.client.as_ref().map(named),
        verdict: finding.verdict.as_str(),
        reap: scene.reaps(finding),
        reason: &finding.reason,
        withheld: scene.withheld(finding).map(Why::as_str),
        evidence: &finding.evidence,
        age_seconds: finding.age as u64,
        rss: finding.rss,
        swap: finding.instance.swap(),
        cpu_lifetime_percent: finding.instance.cpu().map(|share| (f64::from(share) * 10.0).round() / 10.0),
        listening: finding.instance.listening(),
        session: finding.conversation.as_ref().map(|of| SessionRow { id: &of.id, newest: of.newest }),
    }
}

fn named(client: &ClientRef) -> NamedPid<'_> {
    NamedPid { pid: client.pid, name: &client.name }
}

fn copies(copies: &Copies) -> CopiesRow<'_> {
    CopiesRow {
        server: &copies.server,
        client: copies.client.as_ref().map(named),
        roots: &copies.roots,
        generations: copies.generations,
        max_count: copies.max_count,
        would_end: copies.would_end,
        would_free: copies.would_free,
    }
}

/// What became of a member in a real run.
fn outcome(scene: &Scene<'_>, record: &ProcessRecord) -> Option<&'static str> {
    let ended = scene.results?.iter().find(|ended| ended.member.id == record.id)?;
    Some(ended.outcome.as_str())
}

/// Seconds since the epoch as RFC 3339 in UTC with milliseconds.
#[must_use]
pub fn moment(epoch: f64) -> String {
    let millis = (epoch * 1e3).round() as i64;
    DateTime::<Utc>::from_timestamp_millis(millis)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}
