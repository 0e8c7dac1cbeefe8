#![allow(clippy::unwrap_used)]

use super::*;
use crate::instance::{Member, Part};
use crate::process::{ProcessRecord, Snapshot, StartTime};

fn event(kind: HookEventKind) -> HookEvent {
    HookEvent { session_id: Some("s-1".into()), kind, cwd: None }
}

fn end(reason: &str) -> HookEvent {
    event(HookEventKind::SessionEnd { reason: reason.into() })
}

fn start(source: &str) -> HookEvent {
    event(HookEventKind::SessionStart { source: source.into() })
}

#[test]
fn a_session_that_really_ends_is_watched() {
    let session = Session { client: Pid(70), id: Some("s-1".into()) };
    for reason in ["other", "logout", "prompt_input_exit", "exit", "", "bypass_permissions_disabled"] {
        assert_eq!(
            should_act(&end(reason), Some(Pid(70))),
            Action::WatchSession(session.clone()),
            "{reason}"
        );
    }
}

#[test]
fn a_client_that_goes_on_keeps_its_servers() {
    for reason in ["clear", "resume"] {
        assert_eq!(should_act(&end(reason), Some(Pid(70))), Action::Nothing, "{reason}");
    }
    for source in ["clear", "compact"] {
        assert_eq!(should_act(&start(source), Some(Pid(70))), Action::Nothing, "{source}");
    }
}

#[test]
fn a_session_that_begins_sweeps_after_those_that_crashed() {
    for source in ["startup", "resume", "fork", ""] {
        assert_eq!(should_act(&start(source), None), Action::Sweep, "{source}");
    }
}

#[test]
fn an_end_with_nobody_to_wait_for_is_a_sweep_and_other_events_are_nothing() {
    assert_eq!(should_act(&end("other"), None), Action::Sweep);
    assert_eq!(should_act(&end("clear"), None), Action::Nothing);
    let stop = event(HookEventKind::Other("Stop".into()));
    assert_eq!(should_act(&stop, Some(Pid(70))), Action::Nothing);
}

#[test]
fn a_client_is_a_number_above_one() {
    assert_eq!(client_pid("4711\n"), Some(Pid(4711)));
    for odd in ["", "1", "0", "-7", "x", "4711 1", "99999999999"] {
        assert_eq!(client_pid(odd), None, "{odd}");
    }
}

fn record(pid: u32, parent: u32, group: u32, env: &[(&str, &str)]) -> ProcessRecord {
    let mut record = ProcessRecord::new(Pid(pid), StartTime(1));
    record.parent = Pid(parent);
    record.group = Pid(group);
    record.details.env =
        Some(env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect());
    record
}

fn instance(records: &[(ProcessRecord, Part)]) -> Instance<'_> {
    Instance {
        server: "s".into(),
        root: &records[0].0,
        members: records.iter().map(|(record, part)| Member { record, part: *part }).collect(),
        clients_below: Vec::new(),
        unread_above: None,
        marked: Vec::new(),
    }
}

fn belongs(records: &[(ProcessRecord, Part)]) -> bool {
    belongs_to_session(&instance(records), &Session { client: Pid(70), id: Some("s-1".into()) })
}

const ID: &str = "CLAUDE_CODE_SESSION_ID";
const CHILD: &str = "CLAUDE_CODE_CHILD_SESSION";

#[test]
fn the_group_the_parent_or_the_id_ties_a_server_to_its_session() {
    for (why, root, yes) in [
        ("leaked by a wrapper, in the client's group", record(90, 1, 70, &[]), true),
        ("still a child", record(90, 70, 90, &[]), true),
        ("in a group of its own, with the id", record(90, 1, 90, &[(ID, "s-1")]), true),
        ("in the group, with an id from before /clear", record(90, 1, 70, &[(ID, "s-0")]), true),
        ("another session's", record(90, 1, 71, &[(ID, "s-2")]), false),
        ("nobody's", record(90, 1, 90, &[]), false),
        ("a job of the Bash tool", record(90, 1, 70, &[(ID, "s-1"), (CHILD, "1")]), false),
    ] {
        assert_eq!(belongs(&[(root, Part::Server)]), yes, "{why}");
    }
}

#[test]
fn the_id_may_stand_on_any_of_the_chain_but_not_on_a_helper() {
    let launcher = || (record(90, 1, 90, &[]), Part::Launcher);
    let below = |part| (record(91, 90, 90, &[(ID, "s-1")]), part);
    assert!(belongs(&[launcher(), below(Part::Server)]));
    assert!(!belongs(&[launcher(), below(Part::Helper)]));
}

#[test]
fn a_process_of_which_nothing_could_be_read_belongs_to_no_session() {
    let mut unread = ProcessRecord::new(Pid(90), StartTime(1));
    unread.parent = Pid(1);
    assert!(!belongs(&[(unread, Part::Server)]));
    let records = [(record(90, 1, 90, &[(ID, "s-1")]), Part::Server)];
    assert!(!belongs_to_session(&instance(&records), &Session { client: Pid(70), id: None }));
}

#[test]
fn the_nearest_client_above_is_the_one_that_called() {
    let processes = [(1, 0), (40, 1), (50, 40), (60, 50), (61, 60), (70, 1), (80, 81), (81, 80)];
    let snapshot = Snapshot {
        processes: processes.iter().map(|(pid, parent)| record(*pid, *parent, *pid, &[])).collect(),
        ..serde_json::from_str(EMPTY).unwrap()
    };
    let tree = Tree::new(&snapshot);
    let is_client = |pid| [Pid(40), Pid(50), Pid(61), Pid(70)].contains(&pid);
    assert_eq!(client_above(&tree, is_client, Pid(61)), Some(Pid(50)), "above, not the hook itself");
    assert_eq!(client_above(&tree, is_client, Pid(70)), None);
    assert_eq!(client_above(&tree, is_client, Pid(80)), None, "a loop ends");
    assert_eq!(client_above(&tree, is_client, Pid(99)), None, "not in the table");
}

const EMPTY: &str = r#"{"schema": 1, "os": "linux", "taken_at": "2026-01-02T03:04:05Z",
    "viewer": {"pid": 61, "uid": 1000}, "processes": []}"#;
