#![allow(clippy::unwrap_used)]
use std::collections::HashSet;

use super::*;
use crate::bytes::Argv;
use crate::catalog::Basis;
use crate::classify::{Adoption, ClientRef, Evidence, Verdict};
use crate::instance::Part;
use crate::plan::{Target, TargetMember};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

const ID: ProcessId = ProcessId { pid: Pid(42), start: StartTime(1234) };

fn subject() -> Subject {
    Subject::new(ID, 1_790_000_000.5, "notes", Pid(40), "server")
}

/// A target with one member.
fn target(argv: Argv) -> (Target, TargetMember) {
    let member = TargetMember {
        id: ID,
        parent: Pid(1),
        uid: Some(Uid(1000)),
        part: Part::Server,
        stopped: false,
        started_at: 1.0,
        rss: 4096,
        argv,
    };
    let target = Target {
        server: "notes".to_owned(),
        verdict: Verdict::Orphaned,
        reason: "owner gone".to_owned(),
        client: Some(ClientRef { pid: Pid(30), name: "claude-code".to_owned() }),
        evidence: vec![Evidence::OwnerGone { pid: Pid(1), how: Adoption::Init }],
        members: vec![member.clone()],
        must_agree: HashSet::from([member.id]),
    };
    (target, member)
}

fn line(event: AuditEvent) -> String {
    let run: RunId = serde_json::from_str(r#""20261120T140000Z-9-00ff""#).unwrap();
    let record = Record { schema: SCHEMA, at: at("2026-11-20T14:00:00.0507Z"), run, event };
    let line = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&line).unwrap().event, record.event);
    line
}

#[test]
fn an_intent_is_one_flat_object_without_secrets() {
    let (target, member) = target(Argv::from(["node", "srv.js", "--token", "hunter2"]));
    assert_eq!(
        line(AuditEvent::intent(subject(), Signal::Term, &target, &member)),
        concat!(
            r#"{"schema":1,"at":"2026-11-20T14:00:00.050Z","run":"20261120T140000Z-9-00ff","event":"intent","#,
            r#""pid":42,"start":1234,"started_at":"2026-09-21T14:13:20.500Z","server":"notes","root":40,"role":"server","#,
            r#""ppid":1,"uid":1000,"signal":"TERM","argv":["node","srv.js","--token","<redacted>"],"rss":4096,"#,
            r#""client":{"pid":30,"name":"claude-code"},"verdict":"orphaned","reason":"owner gone","#,
            r#""evidence":[{"kind":"owner-gone","pid":1,"how":"init"}]}"#
        )
    );
}

#[test]
fn an_intent_is_as_long_for_one_of_many_as_for_one() {
    let (mut target, member) = target(Argv::from(["notes"]));
    let known = |pid| Evidence::Identified {
        pid: Pid(pid),
        basis: Basis::Taught { program: "notes".to_owned(), pattern: "notes".to_owned() },
    };
    target.evidence.extend((41..4000).map(known));
    let AuditEvent::Intent { evidence, .. } = AuditEvent::intent(subject(), Signal::Term, &target, &member)
    else {
        panic!("no intent")
    };
    let pids: Vec<_> = evidence.iter().map(|seen| seen["pid"].as_u64().unwrap()).collect();
    assert_eq!(pids, [1, 41, 42], "of its instance, of the topmost server, of itself");
}

#[test]
fn every_event_has_its_name_and_is_read_back() {
    for (event, name) in [
        (
            AuditEvent::RunStarted {
                started_by: StartedBy::Schedule,
                version: "0.1.0".into(),
                pid: Pid(9),
                uid: Uid(1000),
                targets: 3,
            },
            r#""event":"run-started","started_by":"schedule""#,
        ),
        (AuditEvent::Signalled { subject: subject(), signal: Signal::Kill }, r#""event":"signalled""#),
        (AuditEvent::Exited { subject: subject(), after_ms: 5 }, r#""event":"exited""#),
        (AuditEvent::Killed { subject: subject(), after_ms: 5 }, r#""event":"killed""#),
        (AuditEvent::Survived { subject: subject(), after_ms: 5 }, r#""event":"survived""#),
        (AuditEvent::Denied { subject: subject(), error: "no".into() }, r#""event":"denied""#),
        (AuditEvent::Vanished { subject: subject() }, r#""event":"vanished""#),
        (
            AuditEvent::Withheld {
                subject: subject(),
                pids: vec![Pid(1)],
                verdict: "v".into(),
                reason: "r".into(),
            },
            r#""event":"withheld""#,
        ),
        (
            AuditEvent::RunFinished {
                instances: 1,
                processes: 2,
                rss_reclaimed: 3,
                duration_ms: 4,
                failed: 0,
                interrupted_by: None,
            },
            r#""event":"run-finished","instances":1,"processes":2,"rss_reclaimed":3,"duration_ms":4,"failed":0}"#,
        ),
    ] {
        let line = line(event);
        assert!(line.contains(name), "{line}");
    }
}

#[test]
fn an_event_of_a_later_version_is_known_to_be_unknown() {
    let line = r#"{"schema":1,"at":"2026-11-20T14:00:00.050Z","run":"x","event":"paused","pid":1,"why":[]}"#;
    assert_eq!(serde_json::from_str::<Record>(line).unwrap().event, AuditEvent::Unknown);
}

#[test]
fn an_absurd_start_becomes_an_absurd_date() {
    for start in [f64::NAN, f64::INFINITY, -1e300, 1e18] {
        let _ = Subject::new(ID, start, "", Pid(1), "");
    }
}

#[test]
fn an_endless_command_line_is_cut_between_its_arguments() {
    let argv = Argv::from(["node", &"x ".repeat(8 << 10), "tail"]);
    let (target, member) = target(argv);
    let AuditEvent::Intent { argv, .. } = AuditEvent::intent(subject(), Signal::Term, &target, &member)
    else {
        panic!()
    };
    assert_eq!(argv, ["node", "<16388 bytes more>"]);
}

#[test]
fn run_ids_sort_by_time_and_differ() {
    let early = RunId::new(at("2026-11-20T13:59:59.999Z"), Pid(4242));
    let late = RunId::new(at("2026-11-20T14:00:00Z"), Pid(17));
    assert!(early < late, "{early:?} {late:?}");
    assert!(early.as_str().starts_with("20261120T135959Z-4242-"));
    let ids: HashSet<_> = (0..8).map(|_| RunId::new(at("2026-11-20T14:00:00Z"), Pid(1))).collect();
    assert!(ids.len() > 4, "{ids:?}");
}
