//! Servers under `mcp-reap exec` whose guardian is gone: what carries the marker, and what of it an ordinary run ends.

#![allow(clippy::unwrap_used)]

mod scene;

use std::time::Duration;

use mcp_reap::catalog::{Basis, Catalog};
use mcp_reap::classify::{Evidence, Scout, Verdict};
use mcp_reap::instance::Part;
use mcp_reap::pattern::Pattern;
use mcp_reap::policy::{AllowRule, Policy};
use mcp_reap::process::{Interest, OtherEnd, Pid, ProcessRecord, Stdio, StdioKind};
use scene::{Row, Table, Wire};

const SERVER: &str = "node /x/node_modules/.bin/mcp-server-git";
const HELPER: &str = "/opt/tools/indexer --watch";
const ROOT: u32 = 500;
const AWAY: u32 = 510;

fn now() -> Policy {
    Policy { min_age: Duration::ZERO, ..Policy::default() }
}

/// The number that a wire of the scene has on stdin.
fn marker(table: &mut Table, wire: u64) -> String {
    let mut start = 0;
    table.row(ROOT).change(|root| start = root.id.start.0);
    format!("{ROOT},{start},s{wire}.0000002a")
}

/// An orphan under `exec` on a dead wire, and a helper that left its tree with a child of its own. Nobody guards it.
fn unguarded(server: &str) -> Table {
    let mut table = Table::new();
    table.add(ROOT, 1, server).wire(Wire::Closed).age(3600.0);
    let marker = marker(&mut table, 1);
    for (pid, parent, command) in
        [(ROOT, 1, server), (AWAY, 1, HELPER), (AWAY + 1, AWAY, "/opt/tools/indexer --one")]
    {
        if pid != ROOT {
            table.add(pid, parent, command).age(3000.0);
        }
        table.row(pid).env(&[("MCP_REAP_EXEC", &marker)]);
    }
    table
}

/// The row is as it is to be.
fn set(_: Row<'_>) {}

fn changed(change: impl FnOnce(Row<'_>)) -> Table {
    let mut table = unguarded(SERVER);
    change(table.row(AWAY));
    table
}

#[test]
fn what_left_the_tree_of_an_unguarded_server_goes_with_it() {
    // The second has no name that anything knows: exec in front of it says what it is.
    for server in [SERVER, "/opt/notes/notes-tool --stdio"] {
        let table = unguarded(server);
        assert_eq!(table.ended(&now()), [ROOT, AWAY, AWAY + 1], "{server}");
        let judgement = table.judge(&now());
        let [finding] = judgement.findings.as_slice() else { panic!("{:?}", judgement.findings) };
        assert_eq!(finding.verdict, Verdict::Orphaned);
        assert_eq!(finding.instance.part(Pid(AWAY)), Some(Part::Helper));
        assert!(finding.evidence.contains(&Evidence::Marked { pid: Pid(AWAY), root: Pid(ROOT) }));
        let by_exec = Evidence::Identified { pid: Pid(ROOT), basis: Basis::Exec };
        assert_eq!(finding.evidence.contains(&by_exec), server != SERVER);
    }
}

#[test]
fn a_helper_that_is_the_server_forked_goes_too() {
    let table = changed(|row| {
        row.change(|record| record.argv = Some(SERVER.split(' ').collect()));
    });
    assert_eq!(table.ended(&now()), [ROOT, AWAY, AWAY + 1], "its own name makes no server of it");
}

#[test]
fn another_server_that_was_put_into_the_background_is_a_daemon_and_stays() {
    let table = changed(|row| {
        row.change(|record| record.argv = Some(["uvx", "mcp-server-fetch"].into()));
    });
    assert_eq!(table.ended(&now()), [ROOT]);
    assert_eq!(table.verdict(&now(), AWAY), Some(Verdict::Detached), "as without exec");
}

#[test]
fn what_carries_the_marker_of_a_server_in_use_stays_and_is_a_member() {
    let mut table = unguarded(SERVER);
    table.add(400, 800, "claude").tty("pts/9");
    table.row(ROOT).wire(Wire::Held(400));
    assert!(table.ended(&now()).is_empty());
    assert_eq!(table.verdict(&now(), AWAY), Some(Verdict::InUse));
    // The twin of it: the helper is used, and keeps its server.
    let table = changed(|row| set(row.wire(Wire::Held(800))));
    assert!(table.ended(&now()).is_empty());
    let connected = changed(|row| set(row.change(|record| record.details.connected = Some(1))));
    assert!(connected.ended(&now()).is_empty());
}

#[test]
fn an_allowlist_that_names_what_left_the_tree_keeps_all_of_it() {
    let rule = AllowRule {
        name: Some(Pattern::parse("indexer").unwrap()),
        reason: None,
        origin: "config.toml".into(),
        ..AllowRule::default()
    };
    let policy = Policy { allow: vec![rule], ..now() };
    assert!(unguarded(SERVER).ended(&policy).is_empty());
}

#[test]
fn what_leads_a_life_of_its_own_stays_though_it_carries_the_marker() {
    type Change = fn(&mut Table);
    let all: [(&str, Change); 19] = [
        ("it listens", |t| set(t.row(AWAY).listens(8080, 0))),
        ("whether it listens was not read", |t| {
            t.row(AWAY).change(|r| r.details.listening = None);
        }),
        ("it has another terminal", |t| set(t.row(AWAY).tty("pts/4"))),
        ("it has a window", |t| set(t.row(AWAY).change(|r| r.details.display = true))),
        ("a window is below it", |t| set(t.row(AWAY + 1).change(|r| r.details.display = true))),
        ("a browser of the person's", |t| command(t, "/usr/lib/firefox/firefox")),
        ("an editor", |t| command(t, "/usr/bin/gvim notes.md")),
        ("a multiplexer", |t| command(t, "tmux new-session -d")),
        ("a client", |t| command(t, "claude")),
        ("a client is below it", |t| {
            t.row(AWAY + 1).change(|r| r.argv = Some(["codex"].into()));
        }),
        ("an MCP root on a wire of its own", |t| {
            command(t, "node /x/node_modules/.bin/mcp-server-memory");
            t.row(AWAY).wire(Wire::Held(800));
        }),
        ("a job of a shell that has ended", |t| {
            t.row(AWAY).change(|r| r.session = Pid(77));
        }),
        ("in the session of a stranger", |t| {
            t.row(AWAY).change(|r| (r.session, r.group) = (Pid(800), Pid(800)));
        }),
        ("it writes to a terminal that is not its own", |t| {
            t.row(AWAY).change(|r| r.details.stdio = Some(writes_to_a_terminal()));
        }),
        ("it was started in tmux", |t| started_in(t, "TMUX", "/tmp/tmux-1000/default,70,0")),
        ("it was started in a terminal of another kind", |t| started_in(t, "TERM", "screen-256color")),
        ("started before the server", |t| set(t.row(AWAY).age(9000.0))),
        ("in another PID namespace", |t| {
            t.row(AWAY).change(|r| r.details.foreign_namespace = true);
        }),
        ("below a process that is no member", |t| {
            t.add(80, 1, "/opt/other/daemon").age(3500.0);
            t.row(AWAY).change(|r| r.parent = Pid(80));
        }),
    ];
    for (what, change) in all {
        let mut table = unguarded(SERVER);
        change(&mut table);
        assert_eq!(table.ended(&now()), [ROOT], "{what}: the server goes alone");
    }
}

fn command(table: &mut Table, line: &str) {
    table.row(AWAY).change(|record| record.argv = Some(line.split(' ').collect()));
}

fn writes_to_a_terminal() -> Stdio {
    Stdio {
        stdout_kind: Some(StdioKind::Tty),
        stdout_peers: Some(vec![Pid(800)]),
        ..Stdio::of_kind(StdioKind::Null)
    }
}

fn started_in(table: &mut Table, name: &str, value: &str) {
    let marker = marker(table, 1);
    table.row(AWAY).env(&[("MCP_REAP_EXEC", &marker), (name, value)]);
}

#[test]
fn what_was_started_in_the_terminal_of_the_server_goes_with_it() {
    let mut table = unguarded(SERVER);
    let marker = marker(&mut table, 1);
    for pid in [ROOT, AWAY] {
        table.row(pid).env(&[("MCP_REAP_EXEC", &marker), ("TMUX", "/tmp/tmux-1000/default,70,0")]);
    }
    assert_eq!(table.ended(&now()), [ROOT, AWAY, AWAY + 1]);
}

/// In the pane of a tmux server that the server started, `(setsid job &)`: session, parent and stdio are a helper's.
#[test]
fn while_a_multiplexer_with_the_marker_lives_what_is_younger_may_be_its_job() {
    const TMUX: u32 = 505;
    for (age, line, ended) in [
        (3500.0, "tmux new-session -d", &[ROOT][..]),
        (3000.0, "tmux new-session -d", &[ROOT]),
        (2000.0, "tmux new-session -d", &[ROOT, AWAY, AWAY + 1]),
        // Another helper hands nothing of the person's on.
        (3500.0, "/opt/tools/watcher", &[ROOT, TMUX, AWAY, AWAY + 1]),
    ] {
        let mut table = unguarded(SERVER);
        let marker = marker(&mut table, 1);
        table.add(TMUX, 1, line).age(age).env(&[("MCP_REAP_EXEC", &marker)]);
        assert_eq!(table.ended(&now()), ended, "{line} {age}");
    }
}

#[test]
fn a_classic_daemon_is_in_the_session_of_a_process_that_has_ended() {
    let table = changed(|row| {
        row.change(|record| (record.session, record.group) = (Pid(77), Pid(77)));
    });
    assert_eq!(table.ended(&now()), [ROOT, AWAY, AWAY + 1]);
}

#[test]
fn a_persons_job_of_the_same_terminal_stays() {
    let mut table = unguarded(SERVER);
    let in_it = |record: &mut ProcessRecord, group: u32| {
        (record.details.tty, record.session, record.group) = (Some("pts/9".into()), Pid(800), Pid(group));
    };
    for (group, ended) in [(AWAY, &[ROOT][..]), (400, &[ROOT, AWAY, AWAY + 1])] {
        table.row(ROOT).change(|root| in_it(root, 400));
        table.row(AWAY).change(|away| in_it(away, group));
        assert_eq!(table.ended(&now()), ended, "group {group}");
    }
}

#[test]
fn a_marker_that_names_no_living_root_proves_nothing() {
    for marker in [
        // A number that was given away: the server of that number started at another time.
        "500,1,s1.0000002a",
        "499,999640000,s1.0000002a",
        "500,x,s1.0000002a",
        "no marker",
    ] {
        let mut table = unguarded(SERVER);
        for pid in [AWAY, AWAY + 1] {
            table.row(pid).env(&[("MCP_REAP_EXEC", marker)]);
        }
        assert_eq!(table.ended(&now()), [ROOT], "{marker}");
    }
    // Of two starts on one process number's marker only its own counts.
    let mut table = unguarded(SERVER);
    let other = marker(&mut table, 1).replace("2a", "2b");
    table.row(AWAY).env(&[("MCP_REAP_EXEC", &other)]);
    assert_eq!(table.ended(&now()), [ROOT]);
}

#[test]
fn a_server_without_a_stdin_that_hangs_up_proves_nothing_of_what_left_it() {
    let mut table = unguarded(SERVER);
    let marker = marker(&mut table, 1).replace("s1.", "-.");
    for pid in [ROOT, AWAY, AWAY + 1] {
        table.row(pid).env(&[("MCP_REAP_EXEC", &marker)]);
    }
    assert_eq!(table.ended(&now()), [ROOT]);
}

#[test]
fn while_a_guardian_lives_what_left_the_tree_is_its_business() {
    let mut table = unguarded(SERVER);
    let id = marker(&mut table, 1);
    let [pid, start, id]: [&str; 3] = id.split(',').collect::<Vec<_>>().try_into().unwrap();
    let guard = format!("mcp-reap guard root={pid}@{start}:5 client=400:6 ready=7 marker={id} stdin=8");
    table.add(505, 1, &guard).age(3600.0);
    assert_eq!(table.ended(&now()), [ROOT], "the server itself is judged as ever");
    assert_eq!(table.verdict(&now(), AWAY), None);
    let mut dead = table.clone();
    dead.row(505).state('Z').change(|record| record.argv = None);
    assert_eq!(dead.ended(&now()), [ROOT, AWAY, AWAY + 1]);
    let hidden = |parent: u32, age: f64, uid: u32| {
        let mut table = dead.clone();
        table.row(505).state('S').age(age).uid(uid).change(|record| record.parent = Pid(parent));
        table.ended(&now()).len()
    };
    assert_eq!(hidden(1, 3600.0, scene::ME), 1, "its command line is hidden, so it may be a guardian");
    assert_eq!(hidden(1, 9000.0, scene::ME), 3, "older than the server");
    assert_eq!(hidden(1, 3600.0, 4242), 3, "another user's");
    assert_eq!(hidden(2, 3600.0, scene::ME), 3, "a thread of the kernel");
    let of_another = guard.replace("marker=s1.0000002a", "marker=s1.0000002b");
    table.row(505).change(|record| record.argv = Some(of_another.split(' ').collect()));
    assert_eq!(table.ended(&now()), [ROOT, AWAY, AWAY + 1], "somebody else's guardian");
}

#[test]
fn a_server_without_a_name_is_known_by_its_own_marker_alone() {
    let table = |change: fn(Row<'_>)| {
        let mut table = unguarded("/opt/notes/notes-tool --stdio");
        change(table.row(ROOT));
        table.ended(&now())
    };
    assert_eq!(table(|_| {}), [ROOT, AWAY, AWAY + 1]);
    let none: [u32; 0] = [];
    assert_eq!(table(|row| set(row.wire(Wire::Null))), none, "no wire");
    assert_eq!(table(|row| set(row.wire(Wire::Held(800)))), none, "held");
    assert_eq!(table(|row| set(row.wire(Wire::Unknown))), none, "not read");
    let batch = table(|row| {
        row.change(|record| {
            let stdio = record.details.stdio.as_mut().unwrap();
            (stdio.stdout_kind, stdio.stdout_peers) = (Some(StdioKind::File), None);
        });
    });
    assert_eq!(batch, none, "a batch into a file");
    let line = |line: &'static [&'static str]| {
        let mut table = unguarded(SERVER);
        table.row(ROOT).change(|record| record.argv = Some(line.iter().copied().collect()));
        table.ended(&now())
    };
    assert_eq!(line(&["sh", "-c", "notes; backup"]), none, "a line of several commands is nobody's server");
    assert_eq!(line(&["vim", "notes.md"]), none, "a person's");
}

/// The root is gone. `worker` goes on with its stdin.
fn rootless(worker: Option<Wire>) -> Table {
    let mut table = unguarded(SERVER);
    let marker = marker(&mut table, 1);
    if let Some(wire) = worker {
        table.add(505, 1, "/opt/notes/notes-worker").age(3500.0).wire(wire);
        table.row(505).env(&[("MCP_REAP_EXEC", &marker)]);
    }
    table.without(ROOT)
}

#[test]
fn helpers_alone_whose_server_is_gone_are_proven_by_nothing() {
    let table = rootless(None);
    assert!(table.ended(&now()).is_empty());
    // One that the catalog knows is shown, with the marker, and goes when a person wants what is detached to go.
    let mut table = table;
    command(
        &mut table,
        "/opt/google/chrome/chrome --remote-debugging-pipe --user-data-dir=/h/.cache/ms-playwright/mcp-chrome-1",
    );
    let judgement = table.judge(&now());
    let [finding] = judgement.findings.as_slice() else { panic!("{:?}", judgement.findings) };
    assert_eq!(finding.verdict, Verdict::Detached);
    assert!(finding.evidence.contains(&Evidence::Marked { pid: Pid(AWAY), root: Pid(ROOT) }));
    assert_eq!(table.ended(&Policy { detached: true, ..now() }), [AWAY, AWAY + 1]);
}

#[test]
fn a_worker_left_with_the_dead_stdin_of_its_server_goes_with_the_helpers() {
    assert_eq!(rootless(Some(Wire::Closed)).ended(&now()), [505, AWAY, AWAY + 1]);
    let mut other_wire = rootless(Some(Wire::Closed));
    other_wire.row(505).change(|record| record.details.stdio.as_mut().unwrap().stdin_id = Some(9));
    assert!(other_wire.ended(&now()).is_empty(), "closed as well, but not what exec was given");
    for wire in [Wire::HalfClosed(800), Wire::Null, Wire::Unknown] {
        assert!(rootless(Some(wire)).ended(&now()).is_empty(), "{wire:?}");
    }
}

#[test]
fn beside_a_batch_that_was_put_into_the_background_helpers_are_jobs() {
    let mut table = rootless(Some(Wire::Closed));
    table.row(AWAY).change(|record| {
        record.details.stdio = Some(Stdio {
            stdout_kind: Some(StdioKind::File),
            stdin_peers: Some(vec![]),
            stdin_id: Some(1),
            ..Stdio::of_kind(StdioKind::Socket)
        });
        assert_eq!(record.details.stdio.as_ref().unwrap().stdin(), OtherEnd::Closed);
    });
    assert_eq!(table.ended(&now()), [505]);
}

#[test]
fn environments_are_read_only_where_a_server_has_lost_its_guardian() {
    let asked = |change: &dyn Fn(&mut Table)| {
        let mut table = unguarded(SERVER);
        for pid in [AWAY, AWAY + 1] {
            table.row(pid).change(|r| (r.details.env, r.details.stdio) = (None, None));
        }
        table.add(600, 1, "/opt/other/run").uid(4242).change(|r| r.details.env = None);
        table.add(601, 1, "/opt/other/run").age(9000.0).change(|r| r.details.env = None);
        table.add(602, 800, "/opt/other/run").change(|r| r.details.env = None);
        change(&mut table);
        let catalog = Catalog::builtin();
        let Interest { if_marked, surely, .. } = Scout::new(&catalog).interest(&table.snapshot);
        (if_marked, surely.contains(&Pid(AWAY + 1)))
    };
    assert_eq!(asked(&|_| {}), (vec![Pid(AWAY)], false), "an orphan of ours, younger than the server");
    assert_eq!(asked(&|t| set(t.row(ROOT).env(&[]))), (vec![], false), "no marker, no reason");
    let guarded = |t: &mut Table| {
        let marker = marker(t, 1);
        let (root, id) = marker.rsplit_once(',').unwrap();
        let guard = format!("mcp-reap guard root={}:5 marker={id}", root.replace(',', "@"));
        t.add(505, 1, &guard);
    };
    assert_eq!(asked(&guarded), (vec![], false), "it has its guardian");
    let found = asked(&|t| {
        let marker = marker(t, 1);
        t.row(AWAY).env(&[("MCP_REAP_EXEC", &marker)]);
    });
    assert_eq!(found, (vec![], true), "once it is known to be marked, all below it is looked at");
}
