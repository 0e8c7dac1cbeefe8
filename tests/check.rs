//! `check`: what is wrong, and how it is said to scripts, Nagios and Prometheus.

#![allow(clippy::unwrap_used)]

#[allow(unused)]
mod scene;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use mcp_reap::health::{Health, Problem};
use mcp_reap::history::Run;
use mcp_reap::pattern::Pattern;
use mcp_reap::policy::{Expectation, Limits, Policy};
use mcp_reap::render::Scene;
use mcp_reap::render::check::{self, nagios, prometheus};
use mcp_reap::render::style::Screen;
use scene::{Table, Wire};

const PLAIN: Screen = Screen { color: false, width: None };

/// Two copies in use under a client, and one orphan.
fn machine() -> Table {
    let mut table = Table::new();
    table.add(400, 800, "claude").tty("pts/9").age(7200.0);
    table.add(500, 400, "node /opt/bin/mcp-server-notes").wire(Wire::Held(400)).age(900.0);
    table.add(600, 400, "node /opt/bin/mcp-server-notes").wire(Wire::Held(400)).age(600.0);
    table.add(700, 1, "node /opt/bin/mcp-server-time").wire(Wire::Closed).age(600.0);
    table
}

fn expect(name: &str, min: u32, max: Option<u32>) -> Expectation {
    Expectation {
        name: name.to_owned(),
        pattern: Pattern::parse(name).unwrap(),
        min,
        max,
        origin: String::new(),
    }
}

/// Judges a table and hands everything to `with`.
fn judged<T>(table: &Table, policy: &Policy, orphans: usize, with: impl Fn(&Scene<'_>, &Health) -> T) -> T {
    let (judgement, plan) = table.judge_and_plan(policy);
    let health = Health::of(&judgement, &plan, policy, orphans);
    let scene = Scene::new(&table.snapshot, &judgement, &plan);
    with(&scene, &health)
}

fn problems(table: &Table, policy: &Policy, orphans: usize) -> Vec<Problem> {
    judged(table, policy, orphans, |_, health| health.problems.clone())
}

#[test]
fn an_orphan_is_a_problem_unless_so_many_are_tolerated() {
    let policy = Policy::default();
    assert!(
        matches!(problems(&machine(), &policy, 0).as_slice(), [Problem::Orphan { root, .. }] if root.0 == 700)
    );
    assert!(problems(&machine(), &policy, 1).is_empty());
    // Tolerated is not unseen.
    assert_eq!(judged(&machine(), &policy, 1, |_, health| health.orphans), 1);
}

#[test]
fn what_a_run_would_leave_alone_is_no_problem() {
    let patient = Policy { min_age: Duration::from_hours(1), ..Policy::default() };
    assert!(problems(&machine(), &patient, 0).is_empty());
}

#[test]
fn a_broken_limit_is_a_problem_whatever_number_of_orphans_is_tolerated() {
    let limits = Limits { max_count: Some(1), ..Limits::default() };
    let found = problems(&machine(), &Policy { limits, ..Policy::default() }, 9);
    assert!(
        matches!(found.as_slice(), [Problem::Limit { root, verdict: "excess", .. }] if root.0 == 500),
        "{found:?}"
    );
}

#[test]
fn expected_servers_are_counted_and_orphans_do_not_count() {
    let with = |entries: &[Expectation]| {
        problems(&machine(), &Policy { expect: entries.to_vec(), ..Policy::default() }, 9)
    };
    let memory = "mcp-server-notes";
    assert!(
        with(&[expect(memory, 2, Some(2)), expect("mcp-*", 0, None), expect("gone", 0, Some(1))]).is_empty()
    );
    let missing = Problem::Missing { name: memory.to_owned(), running: 2, min: 3 };
    assert_eq!(with(&[expect(memory, 3, None)]), [missing]);
    let many = Problem::TooMany { name: "mcp-*".to_owned(), running: 2, max: 1 };
    assert_eq!(with(&[expect("mcp-*", 1, Some(1))]), [many]);
    let time = Problem::Missing { name: "mcp-server-time".to_owned(), running: 0, min: 1 };
    assert_eq!(with(&[expect("mcp-server-time", 1, None)]), [time]);
}

#[test]
fn a_client_that_goes_is_an_orphan_itself_and_said_once() {
    let mut table = machine();
    table
        .row(400)
        .change(|r| (r.parent, r.details.tty) = (mcp_reap::process::Pid(1), None))
        .wire(Wire::Closed);
    table.add(410, 1, "claude -p hi").wire(Wire::Closed).age(10.0);
    let health = |policy: &Policy| judged(&table, policy, 0, |_, health| health.clone());
    let told = health(&Policy::default());
    assert_eq!((told.orphans, told.orphaned_clients), (1, 2));
    assert!(told.problems.iter().any(|p| matches!(p, Problem::OrphanedClient { pid, .. } if pid.0 == 400)));
    // The younger one stays for now, and is told as before.
    let told = health(&Policy { clients: true, ..Policy::default() });
    assert_eq!((told.orphans, told.orphaned_clients), (2, 1));
    let clients: Vec<u32> = told
        .problems
        .iter()
        .filter_map(|problem| match problem {
            Problem::OrphanedClient { pid, .. } => Some(pid.0),
            _ => None,
        })
        .collect();
    assert_eq!(clients, [410]);
}

#[test]
fn what_is_not_known_is_counted_and_no_problem() {
    let mut table = machine();
    table.row(700).wire(Wire::Unknown);
    let health = judged(&table, &Policy::default(), 0, |_, health| health.clone());
    assert_eq!((health.undetermined, health.orphans, health.orphans_rss, health.over_limits), (1, 0, 0, 0));
    assert!(health.is_fine() && !health.is_critical());
    let health = judged(&machine(), &Policy::default(), 0, |_, health| health.clone());
    assert_eq!((health.undetermined, health.orphans, health.orphans_rss), (0, 1, 50 << 20));
    assert!(!health.is_fine() && !health.is_critical(), "an orphan costs memory, and nobody waits for it");
    let policy = Policy { expect: vec![expect("notes", 1, None)], ..Policy::default() };
    assert!(judged(&table, &policy, 0, |_, health| health.is_critical()), "somebody waits for it");
}

#[test]
fn nagios_gets_its_four_words_and_numbers() {
    let said = |policy: &Policy, orphans| {
        judged(&machine(), policy, orphans, |scene, health| {
            (nagios::PluginState::of(health) as u8, nagios::text(scene, health, orphans))
        })
    };
    let (code, text) = said(&Policy::default(), 1);
    assert_eq!(code, 0);
    assert!(text.starts_with("MCP OK - ") && text.contains("| instances=3;;;0 orphans=1;1;;0 "), "{text}");
    let (code, text) = said(&Policy::default(), 0);
    assert!(code == 1 && text.starts_with("MCP WARNING - mcp-server-time (700) is orphaned"), "{text}");
    let waiting = Policy { expect: vec![expect("notes", 1, None)], ..Policy::default() };
    let (code, text) = said(&waiting, 0);
    assert!(code == 2 && text.starts_with("MCP CRITICAL - ") && text.lines().count() == 3, "{text}");
    assert_eq!(nagios::unknown("a|b\nc"), "MCP UNKNOWN - a/b\\nc");
}

#[test]
fn a_servers_name_cannot_begin_performance_data() {
    let mut table = Table::new();
    table.add(700, 1, "node /opt/bin/mcp-x|orphans=0;;").wire(Wire::Closed).age(600.0);
    let text = judged(&table, &Policy::default(), 0, |scene, health| nagios::text(scene, health, 0));
    assert_eq!(text.matches('|').count(), 1, "{text}");
}

/// What promtool checks, and what it cannot know: every family announced once before its series,
/// all series of a family together, none twice, names and labels well formed.
fn assert_exposition(text: &str) -> HashMap<String, f64> {
    assert!(text.ends_with('\n'));
    let mut families = HashSet::new();
    let mut current = String::new();
    let mut series = HashMap::new();
    let name = regex::Regex::new("^mcp_reap_[a-z_]+$").unwrap();
    let label = regex::Regex::new(r#"^([a-z_]+="([^"\\\n]|\\\\|\\"|\\n)*",?)*$"#).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for (i, line) in lines.iter().enumerate() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            help.split(' ').next().unwrap().clone_into(&mut current);
            assert!(name.is_match(&current) && families.insert(current.clone()), "{line}");
            assert_eq!(lines[i + 1], format!("# TYPE {current} gauge"));
        } else if !line.starts_with("# TYPE ") {
            let (key, value) = line.rsplit_once(' ').unwrap();
            let (family, labels) = key.split_once('{').unwrap_or((key, "}"));
            assert_eq!(family, current, "a series outside its family");
            assert!(label.is_match(labels.strip_suffix('}').unwrap()), "{line}");
            assert!(series.insert(key.to_owned(), value.parse().unwrap()).is_none(), "twice: {line}");
        }
    }
    series
}

#[test]
fn prometheus_gets_a_sound_exposition() {
    let mut table = machine();
    table.add(710, 1, "node /opt/bin/mcp-\"x\\y\u{1b}").wire(Wire::Closed).age(600.0);
    let run = Run {
        run: "r".to_owned(),
        at: chrono::DateTime::from_timestamp_millis(1_795_183_200_250).unwrap(),
        started_by: None,
        finished: true,
        interrupted_by: None,
        instances_ended: 1,
        processes_ended: 3,
        failed: 0,
        rss_reclaimed: 92,
        duration_ms: 1400,
        instances: Vec::new(),
        withheld: Vec::new(),
    };
    let text = |run: Option<&Run>| judged(&table, &Policy::default(), 0, |s, h| prometheus::text(s, h, run));
    let series = assert_exposition(&text(Some(&run)));
    let memory = r#"mcp_reap_instances{server="mcp-server-notes",client="claude-code",verdict="in-use"}"#;
    assert_eq!(series[memory], 2.0);
    assert_eq!(series["mcp_reap_orphans"], 2.0);
    assert_eq!(series[r#"mcp_reap_findings{kind="limit"}"#], 0.0);
    assert_eq!(series["mcp_reap_last_run_timestamp_seconds"], 1_795_183_200.25);
    assert_eq!(series["mcp_reap_last_run_reclaimed_bytes"], 92.0);
    let without = assert_exposition(&text(None));
    assert!(!without.keys().any(|key| key.contains("last_run")), "never 0 where nothing is known");
}

#[test]
fn scripts_get_state_findings_numbers_and_the_whole_report() {
    let json = judged(&machine(), &Policy::default(), 0, check::json);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["healthy"], false);
    assert_eq!(json["findings"][0]["kind"], "orphan");
    assert_eq!(json["summary"]["by_verdict"], serde_json::json!({"in-use": 2, "orphaned": 1}));
    assert_eq!(json["report"]["instances"].as_array().unwrap().len(), 3);
}

#[test]
fn people_get_a_line_and_one_for_each_problem() {
    let text = judged(&machine(), &Policy::default(), 0, |s, h| check::text(s, h, PLAIN));
    assert!(text.starts_with("not healthy: 1 instance to end") && text.lines().count() == 2, "{text}");
    let text = judged(&machine(), &Policy::default(), 1, |s, h| check::text(s, h, PLAIN));
    assert!(text.starts_with("healthy: ") && text.lines().count() == 1, "{text}");
}
