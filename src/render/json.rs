//! The report for programs. Schema 1 is a stable contract.

use chrono::DateTime;
use serde::Serialize;
use serde_json::{Value, json};

use super::Scene;
use super::explain::Whereabouts;
use super::figures::{Commands, command};
use crate::classify::{
    ClientRef, ClientStatus, Conversation, Copies, Evidence, Finding, Verdict, ZombieStatus,
};
use crate::containers::Container;
use crate::instance::Part;
use crate::plan::Why;
use crate::process::{Listener, Pid, ProcessRecord, SCHEMA, Uid};
use crate::reap::Outcome;
use crate::units::rfc3339;

/// The whole report.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    schema: u32,
    version: &'static str,
    os: &'a str,
    taken_at: String,
    instances: Vec<InstanceRow<'a>>,
    clients: &'a [ClientStatus],
    zombies: &'a [ZombieStatus],
    #[serde(skip_serializing_if = "<[Copies]>::is_empty")]
    copies: &'a [Copies],
    #[serde(skip_serializing_if = "Option::is_none")]
    containers: Option<&'a [Container]>,
    summary: Value,
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
    client: Option<&'a ClientRef>,
    verdict: Verdict,
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
    /// The sockets that any member listens on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    listening: Vec<&'a Listener>,
    /// The conversation that it was started for.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a Conversation>,
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

impl<'a> Report<'a> {
    pub(super) fn new(scene: &Scene<'a>) -> Report<'a> {
        let judgement = scene.judgement;
        let reaped = || judgement.findings.iter().filter(|finding| scene.reaps(finding));
        Report {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            os: &scene.snapshot.os,
            taken_at: rfc3339(scene.snapshot.taken_at),
            instances: instances(scene, &judgement.findings),
            clients: &judgement.clients,
            zombies: &judgement.zombies,
            copies: &judgement.copies,
            containers: scene.containers.map(|found| found.containers.as_slice()),
            summary: json!({
                "processes_seen": judgement.processes_seen,
                "instances": judgement.findings.len(),
                "to_reap": reaped().count(),
                "rss_to_reap": reaped().fold(0u64, |sum, finding| sum.saturating_add(finding.rss)),
            }),
        }
    }
}

/// The whole report as one JSON object.
pub fn report(scene: &Scene<'_>) -> String {
    // Plain structs with text keys: there is nothing in them that JSON cannot hold.
    serde_json::to_string(&Report::new(scene)).unwrap_or_default()
}

/// The explanation of one process: its row, its ancestors, and its instance or null.
#[derive(Serialize)]
pub(crate) struct Explanation<'a> {
    schema: u32,
    pid: Pid,
    command: String,
    ancestors: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    cwd: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marked_by: Option<Pid>,
    instance: Option<InstanceRow<'a>>,
}

/// Explains one process.
pub(crate) fn explanation<'a>(
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
        marked_by: place.marked_by,
        instance: finding.map(|finding| instance(scene, finding, &mut Commands::default())),
    }
}

/// One explanation as an object; several as a list under `explanations`.
pub(crate) fn explanations(all: &[Explanation<'_>]) -> String {
    match all {
        [one] => json!(one).to_string(),
        several => json!({ "schema": SCHEMA, "explanations": several }).to_string(),
    }
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
        outcome: scene.outcome(record.id).map(Outcome::as_str),
    };
    InstanceRow {
        server: &finding.instance.server,
        root: finding.instance.root.pid(),
        pids: finding.instance.members.iter().map(|m| m.record.pid()).collect(),
        uid: finding.instance.root.uid,
        members: finding.instance.members.iter().map(|m| member(m.record, m.part)).collect(),
        client: finding.client.as_ref(),
        verdict: finding.verdict,
        reap: scene.reaps(finding),
        reason: &finding.reason,
        withheld: scene.withheld(finding).map(Why::as_str),
        evidence: &finding.evidence,
        age_seconds: finding.age as u64,
        rss: finding.rss,
        swap: finding.instance.swap(),
        cpu_lifetime_percent: finding.instance.cpu().map(|share| (f64::from(share) * 10.0).round() / 10.0),
        listening: finding.instance.listening(),
        session: finding.conversation.as_ref(),
    }
}

/// Seconds since the epoch as RFC 3339 in UTC with milliseconds.
fn moment(epoch: f64) -> String {
    rfc3339(DateTime::from_timestamp_millis((epoch * 1e3).round() as i64).unwrap_or_default())
}
