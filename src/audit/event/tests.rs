#![allow(clippy::unwrap_used)]
use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

const ID: ProcessId = ProcessId { pid: Pid(42), start: StartTime(1234) };

fn subject() -> Subject {
    Subject::new(ID, 1_790_000_000.5, "notes", Pid(40), "server")
}

fn line(event: Event) -> String {
    let run = RunId("20261120T140000Z-9-00ff".into());
    let record = Record { schema: SCHEMA, at: at("2026-11-20T14:00:00.0507Z"), run, event };
    let line = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&line).unwrap().event, record.event);
    line
}

#[test]
fn an_intent_is_one_flat_object_without_secrets() {
    let argv = Argv::from(["node", "srv.js", "--token", "hunter2"]);
    assert_eq!(
        line(Event::intent(subject(), Signal::Term, &argv, 4096, "orphaned", "owner gone")),
        concat!(
            r#"{"schema":1,"at":"2026-11-20T14:00:00.050Z","run":"20261120T140000Z-9-00ff","event":"intent","#,
            r#""pid":42,"start":1234,"started_at":"2026-09-21T14:13:20.500Z","server":"notes","root":40,"role":"server","#,
            r#""signal":"TERM","argv":["node","srv.js","--token","<redacted>"],"rss":4096,"#,
            r#""verdict":"orphaned","reason":"owner gone"}"#
        )
    );
}

#[test]
fn every_event_has_its_name_and_is_read_back() {
    for (event, name) in [
        (
            Event::RunStarted {
                started_by: StartedBy::Schedule,
                version: "0.1.0".into(),
                pid: Pid(9),
                uid: Uid(1000),
                targets: 3,
            },
            r#""event":"run-started","started_by":"schedule""#,
        ),
        (Event::Signalled { subject: subject(), signal: Signal::Kill }, r#""event":"signalled""#),
        (Event::Exited { subject: subject(), after_ms: 5 }, r#""event":"exited""#),
        (Event::Killed { subject: subject(), after_ms: 5 }, r#""event":"killed""#),
        (Event::Survived { subject: subject(), after_ms: 5 }, r#""event":"survived""#),
        (Event::Denied { subject: subject(), error: "no".into() }, r#""event":"denied""#),
        (Event::Vanished { subject: subject() }, r#""event":"vanished""#),
        (
            Event::Withheld {
                subject: subject(),
                pids: vec![Pid(1)],
                verdict: "v".into(),
                reason: "r".into(),
            },
            r#""event":"withheld""#,
        ),
        (
            Event::RunFinished {
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
    assert_eq!(serde_json::from_str::<Record>(line).unwrap().event, Event::Unknown);
}

#[test]
fn an_absurd_start_becomes_an_absurd_date() {
    for start in [f64::NAN, f64::INFINITY, -1e300, 1e18] {
        let _ = Subject::new(ID, start, "", Pid(1), "");
    }
}

#[test]
fn run_ids_sort_by_time_and_differ() {
    let early = RunId::new(at("2026-11-20T13:59:59.999Z"), Pid(4242));
    let late = RunId::new(at("2026-11-20T14:00:00Z"), Pid(17));
    assert!(early < late, "{early} {late}");
    assert!(early.as_str().starts_with("20261120T135959Z-4242-"));
    let ids: std::collections::HashSet<_> =
        (0..8).map(|_| RunId::new(at("2026-11-20T14:00:00Z"), Pid(1))).collect();
    assert!(ids.len() > 4, "{ids:?}");
}

#[test]
fn an_endless_command_line_is_cut_between_its_arguments() {
    let argv = Argv::from(["node", &"x ".repeat(8 << 10), "tail"]);
    let Event::Intent { argv, .. } = Event::intent(subject(), Signal::Term, &argv, 0, "v", "r") else {
        panic!()
    };
    assert_eq!(argv, ["node", "<16388 bytes more>"]);
}
