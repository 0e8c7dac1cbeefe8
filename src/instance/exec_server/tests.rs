#![allow(clippy::unwrap_used)]
use super::*;
use crate::process::{Listener, ProcessState, SCHEMA, Snapshot, StartTime, Stdio, Uid, Viewer};

const ROOT: ProcessId = ProcessId { pid: Pid(100), start: StartTime(50) };

/// Rows of pid, parent, start and state.
fn table(rows: &[(u32, u32, u64, char)]) -> Snapshot {
    let record = |&(pid, parent, start, state): &(u32, u32, u64, char)| {
        let mut record = ProcessRecord::new(Pid(pid), StartTime(start));
        (record.parent, record.state) = (Pid(parent), ProcessState::from_letter(state as u8));
        (record.session, record.group) = (Pid(90), Pid(90));
        record
    };
    Snapshot {
        schema: SCHEMA,
        os: "linux".into(),
        taken_at: chrono::DateTime::from_timestamp(1_000, 0).unwrap(),
        viewer: Viewer { pid: Pid(900), uid: Uid(1000) },
        systemd: false,
        unreadable: Vec::new(),
        processes: rows.iter().map(record).collect(),
    }
}

fn tops_of(rows: &[(u32, u32, u64, char)], carriers: &[u32], separate: &[u32]) -> Vec<u32> {
    let snapshot = table(rows);
    let carriers = carriers.iter().copied().map(Pid).collect();
    let is_separate = |record: &ProcessRecord| separate.contains(&record.pid().0);
    let tree = Tree::new(&snapshot);
    let (carriers, adopters) = (&carriers, &[Pid(1), Pid(7)]);
    let server =
        ExecServer { tree: &tree, root: ROOT, session: Some(Pid(90)), environment: None, carriers, adopters };
    let found = server.tops(None, is_separate);
    found.iter().map(|record| record.pid().0).collect()
}

#[test]
fn the_living_root_and_its_adopted_carriers_are_the_tops() {
    let rows = [(100, 40, 50, 'S'), (101, 100, 51, 'S'), (102, 1, 52, 'S'), (103, 7, 53, 'S')];
    assert_eq!(tops_of(&rows, &[100, 101, 102, 103], &[]), [100, 102, 103]);
    assert_eq!(tops_of(&rows[1..], &[101, 102, 103], &[]), [102, 103], "also when the root is gone");
}

#[test]
fn what_leads_a_life_of_its_own_or_is_below_it_is_none() {
    // A tmux server, its pane and what runs in it; all carry the marker.
    let rows = [(100, 40, 50, 'S'), (110, 1, 60, 'S'), (111, 110, 61, 'S'), (112, 111, 62, 'S')];
    assert_eq!(tops_of(&rows, &[100, 110, 111, 112], &[110]), [100]);
    // A carrier below a process without the marker was started by that process.
    let rows = [(100, 40, 50, 'S'), (120, 1, 60, 'S'), (121, 120, 61, 'S')];
    assert_eq!(tops_of(&rows, &[100, 121], &[]), [100]);
}

#[test]
fn nobody_else_is_one() {
    for (what, rows, carriers) in [
        ("a stranger with the root's number", vec![(100, 1, 99, 'S')], vec![]),
        ("an orphan without the marker", vec![(102, 1, 60, 'S')], vec![]),
        ("a carrier that is older than the root", vec![(102, 1, 49, 'S')], vec![102]),
        ("a zombie", vec![(100, 40, 50, 'Z'), (102, 1, 60, 'Z')], vec![100, 102]),
        ("the adopter itself", vec![(7, 1, 60, 'S')], vec![7]),
        ("a carrier that was not in the table", vec![], vec![102]),
    ] {
        assert_eq!(tops_of(&rows, &carriers, &[]), [0; 0], "{what}");
    }
}

/// All processes are carriers, with `/dev/null` on stdin and stdout and no socket, and then changed by `change`.
fn tops_with_details(rows: &[(u32, u32, u64, char)], change: impl Fn(&mut ProcessRecord)) -> Vec<u32> {
    let mut snapshot = table(rows);
    for record in &mut snapshot.processes {
        record.argv = Some(["/opt/tools/indexer"].into());
        record.details.listening = Some(Vec::new());
        record.details.stdio = Some(Stdio::of_kind(StdioKind::Null));
        if record.pid() != ROOT.pid {
            (record.session, record.group) = (record.pid(), record.pid());
        }
        change(record);
    }
    let carriers = &snapshot.processes.iter().map(ProcessRecord::pid).collect();
    let environment = &BTreeMap::from([("TERM".to_owned(), "xterm".to_owned())]);
    let (tree, adopters) = (&Tree::new(&snapshot), &[Pid(1)]);
    let server = ExecServer {
        tree,
        root: ROOT,
        session: Some(Pid(90)),
        environment: Some(environment),
        carriers,
        adopters,
    };
    let found = server.tops(Some(&Catalog::builtin()), |_| false);
    found.iter().map(|record| record.pid().0).collect()
}

#[test]
fn what_a_carrier_with_a_life_of_its_own_may_have_started_is_left() {
    let rows = [(100, 40, 50, 'S'), (110, 1, 60, 'S'), (120, 1, 70, 'S')];
    let daemon = |record: &mut ProcessRecord| {
        if record.pid() == Pid(110) {
            record.details.listening = Some(vec![Listener::Tcp(8080)]);
        }
    };
    assert_eq!(tops_with_details(&rows, |_| {}), [100, 110, 120]);
    assert_eq!(tops_with_details(&rows, daemon), [100]);
    let with = |change: fn(&mut ProcessRecord)| {
        tops_with_details(&rows, |record| {
            daemon(record);
            change(record);
        })
    };
    for (what, change) in [
        (
            "it is older",
            (|record| {
                if record.pid() == Pid(120) {
                    record.id.start = StartTime(59);
                }
            }) as fn(&mut ProcessRecord),
        ),
        ("it never left the session that the other one left", |record| {
            if record.pid() == Pid(120) {
                record.session = Pid(90);
            }
        }),
        ("it has a wire that the other one has not", |record| {
            if record.pid() == Pid(120) {
                record.details.stdio = Some(Stdio::of_kind(StdioKind::Pipe));
            }
        }),
    ] {
        assert_eq!(with(change), [100, 120], "{what}");
    }
    for (what, change) in [
        ("both never left their session", (|record| record.session = Pid(90)) as fn(&mut ProcessRecord)),
        ("both have a wire", |record| record.details.stdio = Some(Stdio::of_kind(StdioKind::Pipe))),
        ("which is older is not known", |record| {
            if record.pid() != ROOT.pid {
                record.id.start = StartTime(60);
            }
        }),
    ] {
        assert_eq!(with(change), [100], "{what}");
    }
}

#[test]
fn what_was_started_in_another_terminal_is_none() {
    let rows = [(100, 40, 50, 'S'), (120, 1, 70, 'S')];
    for (name, value, expected) in [
        ("TERM", "xterm", &[100, 120][..]),
        ("TERM", "screen", &[100]),
        ("STY", "7.pts-0.host", &[100]),
        ("SHELL", "/bin/zsh", &[100, 120]),
    ] {
        let found = tops_with_details(&rows, |record| {
            record.details.env = Some(BTreeMap::from([(name.to_owned(), value.to_owned())]));
        });
        assert_eq!(found, expected, "{name}={value}");
    }
}
