//! Copies of a server: what `max_count` ends, what it never ends, and the hint where no limit is set.

#![allow(clippy::unwrap_used)]

mod scene;

use std::time::Duration;

use mcp_reap::catalog::{Catalog, Configured};
use mcp_reap::classify::{Copies, Verdict};
use mcp_reap::policy::{CountPer, Limits, Policy, ServerRule};
use mcp_reap::process::{Pid, Uid};
use scene::{Table, Wire};

const MINUTE: f64 = 60.0;
const MEMORY: &str = "node /home/u/.npm-global/bin/mcp-server-memory";
const FILES: &str = "node /home/u/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js";

fn keep(count: u32) -> Policy {
    let limits = Limits { max_count: Some(count), ..Limits::default() };
    Policy { limits, min_age: Duration::ZERO, ..Policy::default() }
}

/// A machine with one client in a terminal.
fn with_client(client: &str) -> Table {
    let mut table = Table::new();
    table.add(400, 800, client).tty("pts/9").age(900.0 * MINUTE);
    table
}

/// Copies of this command below one process, the pids from 500 on, started so many minutes ago.
fn copies(table: &mut Table, parent: u32, command: &str, minutes: &[f64]) {
    let first = table.snapshot.processes.len() as u32 + 500;
    for (pid, minutes) in (first..).zip(minutes) {
        table.add(pid, parent, command).wire(Wire::Held(parent)).age(minutes * MINUTE);
    }
}

/// The ages in minutes of what is ended, ascending.
fn ended(table: &Table, policy: &Policy) -> Vec<f64> {
    let plan = table.plan(policy);
    let mut ages: Vec<f64> =
        plan.targets.iter().map(|t| ((scene::NOW - t.members[0].started_at) / MINUTE).round()).collect();
    ages.sort_by(f64::total_cmp);
    ages
}

#[test]
fn the_newest_copies_of_each_server_stay() {
    for (minutes, count, gone) in [
        (&[60.0, 50.0, 40.0, 30.0, 20.0][..], 2, &[40.0, 50.0, 60.0][..]),
        (&[60.0, 50.0, 40.0, 30.0, 20.0], 5, &[]),
        (&[60.0, 50.0, 40.0, 30.0, 20.0], 1, &[30.0, 40.0, 50.0, 60.0]),
        // Two of each generation: a client with two entries, reconnected twice.
        (&[60.0, 60.05, 40.0, 40.05, 20.0, 20.05], 1, &[40.0, 40.0, 60.0, 60.0]),
        (&[60.0, 60.05, 40.0, 40.05, 20.0, 20.05], 3, &[60.0, 60.0]),
        // All at once.
        (&[60.0, 60.02, 60.04, 60.06, 60.08], 1, &[]),
    ] {
        let mut table = with_client("codex");
        copies(&mut table, 400, MEMORY, minutes);
        assert_eq!(ended(&table, &keep(count)), gone, "{minutes:?} with {count}");
    }
}

#[test]
fn a_relative_path_is_another_program_in_another_folder() {
    let commands =
        ["python3 notes-mcp/server.py", "node ./mcp-server.js", "./bin/notes-mcp", "npm run start:mcp"];
    for command in commands {
        for (folders, gone) in [
            ([Some("/home/u/a"), Some("/home/u/b"), Some("/home/u/c")], &[][..]),
            ([Some("/home/u/a"); 3], &[60.0, 90.0]),
            ([None; 3], &[]),
        ] {
            let mut table = with_client("claude");
            for (minutes, folder) in [90.0, 60.0, 30.0].into_iter().zip(folders) {
                copies(&mut table, 400, command, &[minutes]);
                table.snapshot.processes.last_mut().unwrap().details.cwd = folder.map(Into::into);
            }
            assert_eq!(ended(&table, &keep(1)), gone, "{command} in {folders:?}");
        }
    }
}

#[test]
fn the_same_name_in_two_projects_is_two_servers() {
    let mut table = with_client("claude");
    for (minutes, project) in [(90.0, "a"), (60.0, "b"), (30.0, "c")] {
        copies(&mut table, 400, &format!("python3 /home/u/{project}/notes_mcp.py"), &[minutes]);
    }
    assert!(ended(&table, &keep(1)).is_empty());
    // An installed one is the same wherever npm put it, with its launcher or without.
    let mut table = with_client("claude");
    for (minutes, place) in [(90.0, "a"), (60.0, "b"), (30.0, "c")] {
        let line = format!("node /home/u/.npm/_npx/{place}/node_modules/.bin/mcp-server-memory");
        copies(&mut table, 400, &line, &[minutes]);
    }
    assert_eq!(ended(&table, &keep(1)), [60.0, 90.0]);
}

#[test]
fn other_arguments_make_another_server() {
    for commands in [
        ["/home/u/a", "/home/u/b", "/home/u/c"].map(|folder| format!("{FILES} {folder}")),
        ["https://a.example/mcp", "https://b.example/mcp", "https://c.example/sse"]
            .map(|host| format!("npx -y mcp-remote {host}")),
        ["a", "b", "c"].map(|file| format!("python /home/u/.venv/bin/fastmcp run /home/u/mcp/{file}.py")),
        ["@acme/one", "@acme/two", "@acme/three"].map(|name| format!("npx -y @smithery/cli run {name}")),
        ["mcp/git", "mcp/time", "mcp/fetch"].map(|image| format!("docker run -i --rm {image}")),
        ["8001", "8002", "8003"].map(|port| format!("{MEMORY} --log-port {port}")),
    ] {
        let mut table = with_client("claude");
        for (minutes, command) in [90.0, 60.0, 30.0].into_iter().zip(&commands) {
            copies(&mut table, 400, command, &[minutes]);
        }
        assert_eq!(ended(&table, &keep(1)), [0.0; 0], "{commands:?}");
        // And the same again is a copy.
        copies(&mut table, 400, &commands[0], &[10.0]);
        assert_eq!(ended(&table, &keep(1)), [90.0], "{commands:?}");
    }
}

#[test]
fn what_stands_before_the_server_makes_no_other_server() {
    let mut table = with_client("claude");
    copies(&mut table, 400, "npx -y @modelcontextprotocol/server-memory@1.0.0 --x", &[90.0]);
    copies(&mut table, 400, "npx --yes @modelcontextprotocol/server-memory@1.0.0 --x", &[60.0]);
    copies(&mut table, 400, "env A=1 npx @modelcontextprotocol/server-memory@1.0.0 --x", &[30.0]);
    assert_eq!(ended(&table, &keep(1)), [60.0, 90.0]);
}

#[test]
fn copies_of_other_clients_are_counted_apart_and_together_where_the_person_says_so() {
    let mut table = with_client("claude");
    table.add(401, 800, "codex").tty("pts/8").age(900.0 * MINUTE);
    table.add(402, 800, "/opt/acme/agent").tty("pts/7").age(900.0 * MINUTE);
    for (owner, minutes) in [(400, 90.0), (401, 60.0), (402, 30.0)] {
        copies(&mut table, owner, MEMORY, &[minutes]);
    }
    assert_eq!(ended(&table, &keep(1)), [0.0; 0]);
    let mut together = keep(1);
    together.limits.count_per = Some(CountPer::User);
    assert_eq!(ended(&table, &together), [60.0, 90.0]);
    // Another user's are never counted with ours.
    table.row(506).uid(1001);
    assert_eq!(ended(&table, &together), [60.0]);
}

#[test]
fn an_owner_that_no_catalog_knows_counts_as_a_client_does() {
    let mut table = Table::new();
    table.add(400, 800, "/opt/zcode/zcode-cli --ui").tty("pts/9").age(900.0 * MINUTE);
    copies(&mut table, 400, MEMORY, &[90.0, 60.0, 30.0]);
    assert_eq!(ended(&table, &keep(1)), [60.0, 90.0]);
}

#[test]
fn threads_of_an_app_server_are_one_clients_copies() {
    let mut table = Table::new();
    table.add(400, 1, "codex app-server --listen unix://").age(900.0 * MINUTE).change(|r| {
        r.details.listening = Some(vec![mcp_reap::process::Listener::Other("unix:/x.sock".to_owned())]);
        r.details.connected = Some(2);
    });
    for thread in 0..14 {
        let start = 800.0 - f64::from(thread) * 50.0;
        copies(&mut table, 400, MEMORY, &[start]);
        copies(&mut table, 400, &format!("{FILES} /srv"), &[start - 0.02]);
    }
    let gone = ended(&table, &keep(14));
    assert!(gone.is_empty(), "as many as there are threads: {gone:?}");
    assert_eq!(ended(&table, &keep(2)).len(), 2 * 12);
}

#[test]
fn entries_of_the_configuration_multiply_the_bound() {
    let entry = |name: &str| Configured {
        client: "claude-code".to_owned(),
        entry: name.to_owned(),
        argv: MEMORY.split(' ').map(str::to_owned).collect(),
        cwd: None,
    };
    let mut table = with_client("claude");
    copies(&mut table, 400, MEMORY, &[90.0, 80.0, 70.0, 60.0, 50.0]);
    let gone = |entries: &[&str], count| {
        let catalog = Catalog::builtin().with_configured(entries.iter().map(|name| entry(name)).collect());
        let policy = keep(count);
        table.judge_by(&catalog, &policy).1.targets.len()
    };
    // Three entries with the same line, which differ in their environment.
    assert_eq!([gone(&["a"], 1), gone(&["a", "b", "c"], 1), gone(&["a", "b", "c"], 2)], [4, 2, 0]);
}

#[test]
fn those_whose_owner_is_gone_count_together_by_folder() {
    let detached = |folders: &[&str]| {
        let mut table = Table::new();
        for ((pid, minutes), folder) in (500..).zip([90.0, 80.0, 70.0, 60.0, 50.0]).zip(folders) {
            let cwd = *folder;
            table.add(pid, 1, MEMORY).age(minutes * MINUTE).change(|r| r.details.cwd = Some(cwd.into()));
        }
        table
    };
    let same = detached(&["/srv/a"; 5]);
    assert_eq!(same.verdict(&Policy::default(), 500), Some(Verdict::Detached));
    assert_eq!(ended(&same, &keep(1)), [60.0, 70.0, 80.0, 90.0], "five stale copies leave the newest");
    let other = detached(&["/srv/a", "/srv/b", "/srv/c", "/srv/d", "/srv/a"]);
    assert_eq!(ended(&other, &keep(1)), [90.0], "a folder each");
}

#[test]
fn a_copy_with_a_connected_client_is_neither_ended_nor_counted() {
    let mut table = Table::new();
    for (pid, minutes) in (500..).zip([90.0, 80.0, 70.0]) {
        table.add(pid, 1, MEMORY).age(minutes * MINUTE).listens(7000 + pid as u16, u32::from(pid == 500));
    }
    assert_eq!(ended(&table, &keep(1)), [80.0]);
}

#[test]
fn what_is_allowed_managed_or_undetermined_is_no_copy() {
    let mut table = with_client("claude");
    copies(&mut table, 400, MEMORY, &[90.0, 80.0, 70.0]);
    let first = 500 + 4;
    table.row(first).unit("notes.service", Some(first));
    assert_eq!(table.verdict(&keep(1), first), Some(Verdict::Managed));
    assert_eq!(ended(&table, &keep(1)), [80.0]);
}

#[test]
fn what_goes_anyway_is_no_copy() {
    let mut table = with_client("claude");
    copies(&mut table, 400, MEMORY, &[90.0, 80.0, 70.0]);
    // The client let go of the newest one: it goes, and the two others are what is left.
    table.row(506).wire(Wire::Closed);
    assert_eq!(table.verdict(&keep(2), 506), Some(Verdict::Disconnected));
    assert_eq!(ended(&table, &keep(2)), [70.0]);
}

#[test]
fn a_limit_of_one_server_counts_that_server_alone() {
    let own = ServerRule {
        name: "server-memory".to_owned(),
        program: None,
        limits: Limits { max_count: Some(1), ..Limits::default() },
        origin: String::new(),
    };
    let policy = Policy { servers: vec![own], min_age: Duration::ZERO, ..Policy::default() };
    let mut table = with_client("claude");
    copies(&mut table, 400, MEMORY, &[90.0, 80.0]);
    copies(&mut table, 400, &format!("{FILES} /srv"), &[91.0, 81.0]);
    assert_eq!(ended(&table, &policy), [90.0]);
}

#[test]
fn the_reason_names_the_copies_that_stay() {
    let reason = |minutes: &[f64], count| {
        let mut table = with_client("codex");
        copies(&mut table, 400, MEMORY, minutes);
        let policy = keep(count);
        let judgement = table.judge(&policy);
        let excess = judgement.findings.iter().find(|finding| finding.verdict == Verdict::Excess);
        excess.unwrap().reason.clone()
    };
    assert_eq!(reason(&[90.0, 80.0, 70.0], 2), "one of 3 copies, newer ones stay: 506, 505");
    let many: Vec<f64> = (0..12).map(|copy| 500.0 - f64::from(copy) * 10.0).collect();
    assert_eq!(
        reason(&many, 8),
        "one of 12 copies, newer ones stay: 515, 514, 513, 512, 511, 510 and 2 more"
    );
}

fn hints(table: &Table, policy: &Policy) -> Vec<Copies> {
    table.judge(policy).copies
}

#[test]
fn without_a_limit_a_crowd_is_a_hint_and_nothing_is_ended() {
    let none = Policy { min_age: Duration::ZERO, ..Policy::default() };
    let mut table = with_client("codex");
    let generations: Vec<f64> =
        (0..16).flat_map(|g| [800.0 - f64::from(g) * 40.0, 799.97 - f64::from(g) * 40.0]).collect();
    copies(&mut table, 400, MEMORY, &generations[..31]);
    copies(&mut table, 400, &format!("{FILES} /srv"), &[90.0, 80.0, 70.0]);
    assert!(ended(&table, &none).is_empty());
    let [hint] = &hints(&table, &none)[..] else { panic!("{:?}", hints(&table, &none)) };
    assert_eq!((hint.server.as_str(), hint.roots.len(), hint.generations), ("server-memory", 31, 16));
    assert_eq!(
        (hint.max_count, hint.would_end),
        (2, 28),
        "the newest generation has one copy, the one before two"
    );
    assert_eq!(hint.client.as_ref().map(|client| client.pid), Some(Pid(400)));
    assert_eq!(hint.would_free, 28 * (50 << 20));
    // What it says is what the limit does.
    let doomed =
        table.plan(&keep(2)).targets.iter().filter(|target| target.server == "server-memory").count();
    assert_eq!(doomed, hint.would_end);
    assert!(hints(&table, &keep(2)).is_empty(), "where a limit is set there is nothing to propose");
}

#[test]
fn a_few_conversations_and_a_few_servers_are_no_crowd() {
    let none = Policy::default();
    for (server, minutes) in [
        (MEMORY, &[90.0, 60.0, 30.0][..]),
        // Ten entries that start at once.
        (MEMORY, &[60.0, 60.01, 60.02, 60.03, 60.04, 60.05, 60.06, 60.07, 60.08, 60.09]),
    ] {
        let mut table = with_client("claude");
        copies(&mut table, 400, server, minutes);
        assert!(hints(&table, &none).is_empty(), "{minutes:?}");
    }
    let mut table = with_client("claude");
    for (minutes, folder) in [90.0, 80.0, 70.0, 60.0, 50.0].into_iter().zip(["a", "b", "c", "d", "e"]) {
        copies(&mut table, 400, &format!("{FILES} /srv/{folder}"), &[minutes]);
    }
    assert!(hints(&table, &none).is_empty(), "five folders");
}

#[test]
fn a_conversation_is_named_by_the_environment_and_the_newest_is_that_of_the_newest_copy() {
    let mut table = with_client("claude");
    copies(&mut table, 400, MEMORY, &[90.0, 60.0, 30.0]);
    let env = |id: &'static str| [("CLAUDECODE", "1"), ("CLAUDE_CODE_SESSION_ID", id)];
    table.row(504).env(&env("one"));
    table.row(505).env(&env("two"));
    table.row(506).env(&env("two"));
    table.add(600, 800, "opencode").tty("pts/8");
    table.add(601, 600, MEMORY).wire(Wire::Held(600)).env(&[("OPENCODE_PID", "600")]);
    table.add(700, 800, "codex").tty("pts/7");
    table.add(701, 700, MEMORY).wire(Wire::Held(700));
    let judgement = table.judge(&Policy::default());
    let of = |pid: u32| {
        let finding = judgement.findings.iter().find(|finding| finding.instance.contains(Pid(pid))).unwrap();
        finding.conversation.as_ref().map(|of| (of.id.as_str(), of.newest))
    };
    assert_eq!([of(504), of(505), of(506)], [Some(("one", false)), Some(("two", true)), Some(("two", true))]);
    assert_eq!([of(601), of(701)], [Some(("opencode 600", true)), None]);
    // It decides nothing.
    assert!(judgement.findings.iter().all(|finding| finding.verdict == Verdict::InUse));
    assert_eq!(table.snapshot.viewer.uid, Uid(scene::ME));
}
