//! The table that `list` and `--dry-run` show, at the widths that terminals have.

#![allow(clippy::unwrap_used)]

#[allow(unused)]
mod scene;

use std::collections::HashMap;

use mcp_reap::health::Health;
use mcp_reap::policy::{Limits, Policy};
use mcp_reap::reap::Outcome;
use mcp_reap::render::check::{self, nagios, prometheus};
use mcp_reap::render::style::Screen;
use mcp_reap::render::table::{self, Columns, Detail};
use mcp_reap::render::{Scene, json};
use scene::{Table, Wire};
use unicode_width::UnicodeWidthStr;

/// A session with a copy in use, an orphan, and one that is too young; numbers as they are after a
/// month of uptime.
fn machine() -> Table {
    let mut table = Table::new();
    table.add(1_034_400, 800, "claude").tty("pts/9").age(7200.0);
    table
        .add(1_034_500, 1_034_400, "node /opt/bin/mcp-server-filesystem")
        .wire(Wire::Held(1_034_400))
        .age(7000.0);
    table.add(1_030_100, 1, "node /opt/bin/mcp-server-memory").wire(Wire::Closed).age(600.0);
    table.add(1_040_100, 1, "node /opt/bin/mcp-server-time").wire(Wire::Closed).age(20.0);
    table
}

/// With its memory a dead process loses its argv.
fn dead(table: &mut Table, pid: u32, parent: u32, comm: &str) {
    table.add(pid, parent, comm).state('Z');
    table.snapshot.processes.last_mut().unwrap().argv = None;
}

fn shown(table: &Table, policy: &Policy, width: Option<usize>, columns: Columns) -> String {
    scene_of(table, policy, |scene, _| {
        table::list(scene, Screen { color: false, width }, Detail { columns, ..Detail::default() })
    })
}

fn scene_of<T>(table: &Table, policy: &Policy, with: impl Fn(&Scene<'_>, &Health) -> T) -> T {
    let (judgement, plan) = table.judge_and_plan(policy);
    let health = Health::of(&judgement, &plan, policy, 99);
    with(&Scene::new(&table.snapshot, &judgement, &plan), &health)
}

#[test]
fn the_summary_counts_what_all_instances_take_where_the_memory_of_the_machine_is_known() {
    scene_of(&machine(), &Policy::default(), |scene, _| {
        let summary = table::summary(scene, None);
        let with_memory = format!("{summary}; all instances take 157 MB of 16 GB");
        assert_eq!(table::summary(scene, Some(16_000_000_000)), with_memory);
    });
    let nothing = Table::new();
    scene_of(&nothing, &Policy::default(), |scene, _| {
        assert_eq!(table::summary(scene, Some(16_000_000_000)), "nothing to end");
    });
}

#[test]
fn at_eighty_columns_the_reason_is_whole_and_the_client_gives_way_to_it() {
    assert_eq!(
        shown(&machine(), &Policy::default(), Some(80), Columns::AsThereIsRoom),
        "\
VERDICT   SERVER                 PID     AGE    RSS  WHY
orphaned  server-memory      1030100     10m  52 MB  owner gone, stdio closed
orphaned  mcp-server-time    1040100     20s  52 MB  owner gone, stdio closed;
                                                     left alone: younger than
                                                     min_age
in-use    server-filesystem  1034500  1h 56m  52 MB  owned by claude-code
                                                     (1034400)
"
    );
}

#[test]
fn no_reason_is_cut_at_any_width() {
    let policy = Policy::default();
    for width in 48..220 {
        for columns in [Columns::Few, Columns::AsThereIsRoom, Columns::All] {
            let text = shown(&machine(), &policy, Some(width), columns);
            let words: Vec<&str> = text.split_whitespace().collect();
            let said = words.join(" ");
            assert!(said.contains("(1034400)") && said.contains("min_age"), "{width}: {text}");
            let wide = columns == Columns::All && width < 110;
            assert!(wide || text.lines().all(|line| line.width() <= width), "{width}: {text}");
        }
    }
}

#[test]
fn a_client_that_has_no_column_is_named_with_the_reason() {
    let old = Limits { max_age: Some(std::time::Duration::from_hours(1)), ..Limits::default() };
    let policy = Policy { limits: old, ..Policy::default() };
    let said = |width| {
        let text = shown(&machine(), &policy, width, Columns::Few);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(
        said(Some(80)).contains("at most 1h allowed; client claude-code (1034400)"),
        "{}",
        said(Some(80))
    );
    assert!(said(None).contains(" claude-code 1034400 "), "{}", said(None));
    assert!(!said(None).contains("; client"), "{}", said(None));
}

#[test]
fn all_columns_come_where_there_is_room_or_they_are_asked_for() {
    let policy = Policy::default();
    let mut busy = machine();
    for record in &mut busy.snapshot.processes {
        record.details.listening = Some(vec![mcp_reap::process::Listener::Tcp(3000)]);
    }
    let titles =
        |width, columns| shown(&busy, &policy, width, columns).lines().next().unwrap_or_default().to_owned();
    let idle = shown(&machine(), &policy, Some(200), Columns::AsThereIsRoom);
    assert!(!idle.contains("PORTS") && !idle.contains("SWAP"), "nobody has any: {idle}");
    assert!(titles(Some(200), Columns::AsThereIsRoom).contains("PORTS"));
    assert!(titles(Some(60), Columns::All).contains("PORTS"));
    for (width, columns) in
        [(Some(100), Columns::AsThereIsRoom), (Some(200), Columns::Few), (None, Columns::AsThereIsRoom)]
    {
        assert!(!titles(width, columns).contains("PORTS"), "{width:?} {columns:?}");
    }
    // Nobody looks at lines: one for each instance, for awk.
    assert_eq!(shown(&machine(), &policy, None, Columns::Few).lines().count(), 4);
}

#[test]
fn zombies_of_others_are_counted_and_not_attributed_to_mcp() {
    let policy = Policy::default();
    let mut table = machine();
    dead(&mut table, 50, 40, "make");
    dead(&mut table, 51, 40, "cc");
    let (list, text, nagios, prometheus, json) = all_faces(&table, &policy);
    assert!(list.ends_with("2 zombies of programs that have nothing to do with MCP\n"), "{list}");
    assert!(!list.contains("cc") && !list.contains("should collect it"), "{list}");
    assert!(text.starts_with("healthy") && !text.contains("zombie"), "{text}");
    assert!(nagios.contains("MCP OK") && nagios.contains(" zombies=0"), "{nagios}");
    assert!(prometheus.contains("mcp_reap_zombies 0\n"), "{prometheus}");
    assert_eq!(json["zombies"].as_array().unwrap().len(), 2, "the contract has all of them");
}

#[test]
fn zombies_of_clients_and_servers_are_shown_with_whom_to_ask() {
    let policy = Policy::default();
    for (pid, parent, command) in
        [(60, 1_034_400, "git"), (60, 1_034_500, "chrome"), (60, 1, "mcp-server-git"), (60, 1, "claude")]
    {
        let mut table = machine();
        dead(&mut table, 50, 40, "make");
        dead(&mut table, pid, parent, command);
        let (list, text, nagios, prometheus, _) = all_faces(&table, &policy);
        let said = format!("zombies: {command} (60), dead already; its parent {parent} should collect it\n");
        assert!(list.contains(&said), "{list}");
        assert!(list.contains("\n1 zombie of programs"), "{list}");
        assert!(text.starts_with("healthy") && text.contains("; 1 zombie"), "{text}");
        assert!(nagios.contains(" zombies=1") && prometheus.contains("mcp_reap_zombies 1\n"), "{nagios}");
    }
}

#[test]
fn what_became_of_a_process_stands_before_what_it_was() {
    let table = machine();
    let policy = Policy::default();
    let (judgement, plan) = table.judge_and_plan(&policy);
    let member = plan.targets[0].members[0].id;
    for (outcome, word, color) in [
        (Outcome::Exited, "exited", "\u{1b}[32m"),
        (Outcome::Killed, "killed", "\u{1b}[33m"),
        (Outcome::Survived, "survived", "\u{1b}[31m"),
        (Outcome::Denied("no".to_owned()), "denied", "\u{1b}[31m"),
    ] {
        let outcomes = HashMap::from([(member, outcome)]);
        let scene = Scene { outcomes: Some(&outcomes), ..Scene::new(&table.snapshot, &judgement, &plan) };
        let shown = |color| table::plan(&scene, Screen { color, width: Some(80) });
        let plain = shown(false);
        assert!(plain.contains(&format!("  1030100 {word}, server 52 MB node /opt/bin/")), "{plain}");
        assert!(shown(true).contains(&format!("{color}{word}, ")), "{}", shown(true));
    }
}

fn all_faces(table: &Table, policy: &Policy) -> (String, String, String, String, serde_json::Value) {
    const PLAIN: Screen = Screen { color: false, width: None };
    scene_of(table, policy, |scene, health| {
        (
            table::list(scene, PLAIN, Detail::default()),
            check::text(scene, health, PLAIN),
            nagios::text(scene, health, 99),
            prometheus::text(scene, health, None),
            serde_json::from_str(&json::report(scene)).unwrap(),
        )
    })
}

/// What `list` shows of a recorded table on a terminal this wide.
fn recorded(table: &[u8], width: usize) -> String {
    let snapshot = mcp_reap::process::Snapshot::from_json(table).unwrap();
    let (catalog, policy) = (mcp_reap::catalog::Catalog::builtin(), Policy::default());
    let look = mcp_reap::look::Look::new(&snapshot, &catalog);
    let judgement = mcp_reap::classify::judge(&look, &policy);
    let plan = mcp_reap::plan::Plan::of_unused(&judgement, &look, &policy);
    let look = Screen { color: false, width: Some(width) };
    let detail = Detail { columns: Columns::AsThereIsRoom, ..Detail::default() };
    table::list(&Scene::new(&snapshot, &judgement, &plan), look, detail)
}

#[test]
fn a_machine_with_thirty_copies_is_read_at_every_width() {
    let crowd = include_bytes!("cli/tables/crowd.json");
    for (width, expected) in [
        (80, include_str!("cli/tables/crowd-80.txt")),
        (120, include_str!("cli/tables/crowd-120.txt")),
        (160, include_str!("cli/tables/crowd-160.txt")),
    ] {
        let shown = recorded(crowd, width);
        assert_eq!(shown, expected, "at {width} columns:\n{shown}");
        assert!(shown.lines().all(|line| line.chars().count() <= width), "{shown}");
    }
}
