//! The JSON form of a process record.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::details::{Details, LazyDetails, Listener, Service, Stdio};
use super::id::{Pid, ProcessId, StartTime, Uid};
use super::record::{ProcessRecord, ProcessState};
use crate::bytes::{Argv, RawText};

/// The JSON row of a recorded table.
#[derive(Clone, Serialize, Deserialize)]
struct JsonRow {
    pid: Pid,
    ppid: Pid,
    #[serde(default)]
    pgid: Option<Pid>,
    #[serde(default)]
    sid: Option<Pid>,
    #[serde(default)]
    uid: Option<Uid>,
    start: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start_ticks: Option<StartTime>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    tty: Option<String>,
    #[serde(default)]
    rss: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    swap: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cpu: Option<f32>,
    #[serde(default)]
    comm: Option<RawText>,
    #[serde(default)]
    exe: Option<RawText>,
    #[serde(default)]
    argv: Option<Argv>,
    #[serde(default)]
    cwd: Option<RawText>,
    #[serde(default)]
    env: Option<BTreeMap<String, String>>,
    #[serde(default)]
    cgroup: Option<String>,
    #[serde(default)]
    service: Option<Service>,
    #[serde(default)]
    stdio: Option<Stdio>,
    #[serde(default)]
    listening: Option<Vec<Listener>>,
    #[serde(default)]
    connected: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    connected_peers: Vec<Pid>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outbound_peers: Vec<Pid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tracer: Option<Pid>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    display: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    adopted: Option<bool>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    foreign_namespace: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace_pid: Option<Pid>,
}

impl Serialize for ProcessRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        JsonRow::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ProcessRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ProcessRecord, D::Error> {
        JsonRow::deserialize(deserializer).map(ProcessRecord::from)
    }
}

/// The number of a leader; 0 is one outside what can be seen.
fn known(leader: Pid) -> Option<Pid> {
    Some(leader).filter(|leader| leader.0 > 0)
}

impl From<JsonRow> for ProcessRecord {
    fn from(row: JsonRow) -> ProcessRecord {
        // Negative and absurd starts saturate; equal rows still get equal identities.
        let start = row.start_ticks.unwrap_or(StartTime((row.start * 1e6).round() as u64));
        ProcessRecord {
            id: ProcessId { pid: row.pid, start },
            parent: row.ppid,
            group: row.pgid.unwrap_or(Pid(0)),
            session: row.sid.unwrap_or(Pid(0)),
            uid: row.uid,
            started_at: row.start,
            state: ProcessState::from_letter(
                row.state.and_then(|s| s.bytes().next()).filter(u8::is_ascii).unwrap_or(b'?'),
            ),
            rss: row.rss.unwrap_or(0),
            cpu: row.cpu,
            comm: row.comm.unwrap_or_default(),
            argv: row.argv,
            details: LazyDetails::from(Details {
                tty: row.tty.map(Into::into),
                swap: row.swap,
                exe: row.exe,
                cwd: row.cwd,
                env: row.env,
                cgroup: row.cgroup,
                service: row.service,
                stdio: row.stdio,
                listening: row.listening,
                connected: row.connected,
                connected_peers: row.connected_peers,
                outbound_peers: row.outbound_peers,
                tracer: row.tracer,
                display: row.display,
                adopted: row.adopted,
                foreign_namespace: row.foreign_namespace,
                namespace_pid: row.namespace_pid,
            }),
        }
    }
}

impl From<ProcessRecord> for JsonRow {
    fn from(record: ProcessRecord) -> JsonRow {
        let details = Details::from(record.details);
        JsonRow {
            pid: record.id.pid,
            ppid: record.parent,
            pgid: known(record.group),
            sid: known(record.session),
            uid: record.uid,
            start: record.started_at,
            start_ticks: Some(record.id.start),
            state: Some(record.state.letter().to_string()),
            tty: details.tty.map(Into::into),
            rss: Some(record.rss),
            swap: details.swap,
            cpu: record.cpu,
            comm: Some(record.comm),
            exe: details.exe,
            argv: record.argv,
            cwd: details.cwd,
            env: details.env,
            cgroup: details.cgroup,
            service: details.service,
            stdio: details.stdio,
            listening: details.listening,
            connected: details.connected,
            connected_peers: details.connected_peers,
            outbound_peers: details.outbound_peers,
            tracer: details.tracer,
            display: details.display,
            adopted: details.adopted,
            foreign_namespace: details.foreign_namespace,
            namespace_pid: details.namespace_pid,
        }
    }
}
