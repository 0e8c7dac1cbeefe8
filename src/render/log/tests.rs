#![allow(clippy::unwrap_used)]
use super::*;
use crate::process::Pid;

const PLAIN: Screen = Screen { color: false, width: None };

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn idle(time: &str) -> Run {
    Run {
        run: time.to_owned(),
        at: at(time),
        started_by: Some("schedule".to_owned()),
        finished: true,
        interrupted_by: None,
        instances_ended: 0,
        processes_ended: 0,
        failed: 0,
        rss_reclaimed: 0,
        duration_ms: 3,
        instances: Vec::new(),
        withheld: Vec::new(),
    }
}

fn busy(time: &str) -> Run {
    let process = |pid, role: &str, rss, outcome: &str, after_ms| PastProcess {
        pid: Pid(pid),
        role: role.to_owned(),
        command: "node notes.js".to_owned(),
        rss,
        outcome: Some(outcome.to_owned()),
        after_ms: Some(after_ms),
    };
    Run {
        instances_ended: 1,
        processes_ended: 2,
        rss_reclaimed: 92_000_000,
        duration_ms: 1_400,
        instances: vec![PastInstance {
            server: "notes".to_owned(),
            root: Pid(70),
            verdict: "orphaned".to_owned(),
            reason: "owner gone".to_owned(),
            rss_reclaimed: 92_000_000,
            processes: vec![
                process(70, "launcher", 50_000_000, "exited", 12),
                process(71, "server", 42_000_000, "killed", 1_003),
            ],
        }],
        ..idle(time)
    }
}

#[test]
fn a_run_tells_what_it_ended_why_and_what_it_brought() {
    let runs = [busy("2026-11-20T14:00:00Z")];
    assert_eq!(
        text(&runs, PLAIN, &Utc),
        "2026-11-20 14:00:00  by schedule: 1 instance, 2 processes, 92 MB reclaimed in 1.4s\n\
         \x20 notes 70, orphaned: owner gone\n\
         \x20   70 launcher exited after 12ms, 50 MB  node notes.js\n\
         \x20   71 server killed after 1s, 42 MB  node notes.js\n"
    );
    assert_eq!(
        totals(&runs, PLAIN, &Utc),
        "\nDAY         INSTANCES  PROCESSES  RECLAIMED\n\
         2026-11-20          1          2      92 MB\n\
         \nSERVER  INSTANCES  PROCESSES  RECLAIMED\n\
         notes           1          2      92 MB\n"
    );
}

#[test]
fn days_are_those_of_the_person() {
    let zone = chrono::FixedOffset::east_opt(10 * 3600).unwrap();
    let runs = [busy("2026-11-20T14:00:00Z")];
    assert!(text(&runs, PLAIN, &zone).starts_with("2026-11-21 00:00:00"));
    assert!(totals(&runs, PLAIN, &zone).contains("2026-11-21"));
}

#[test]
fn idle_runs_in_a_row_share_a_line_and_others_do_not() {
    let runs = [
        idle("2026-11-20T10:00:00Z"),
        idle("2026-11-20T11:00:00Z"),
        busy("2026-11-20T12:00:00Z"),
        idle("2026-11-20T13:00:00Z"),
    ];
    let text = text(&runs, PLAIN, &Utc);
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("2026")).collect();
    assert_eq!(
        lines,
        [
            "2026-11-20 10:00:00 to 2026-11-20 11:00:00  2 runs, nothing to end",
            "2026-11-20 12:00:00  by schedule: 1 instance, 2 processes, 92 MB reclaimed in 1.4s",
            "2026-11-20 13:00:00  by schedule: nothing to end",
        ]
    );
    assert!(totals(&runs[..1], PLAIN, &Utc).is_empty());
}

#[test]
fn what_went_wrong_is_reported() {
    let mut run = busy("2026-11-20T14:00:00Z");
    run.instances[0].processes[1].outcome = Some("survived".to_owned());
    (run.instances_ended, run.processes_ended, run.failed) = (0, 1, 1);
    (run.finished, run.interrupted_by) = (false, Some(2));
    let text = text(&[run], PLAIN, &Utc);
    for text_of in
        ["1 process could not be ended", "stopped by signal 2", "no end is recorded", "71 server survived,"]
    {
        assert!(text.contains(text_of), "{text_of}: {text}");
    }
}

#[test]
fn other_peoples_text_cannot_move_the_cursor() {
    let evil = "a\u{1b}[2J\n2026-11-20 by hand\u{202e}";
    let mut run = busy("2026-11-20T14:00:00Z");
    run.instances[0].server = evil.to_owned();
    run.instances[0].reason = evil.to_owned();
    run.instances[0].verdict = evil.to_owned();
    run.instances[0].processes[0].command = evil.to_owned();
    run.instances[0].processes[0].role = evil.to_owned();
    run.instances[0].processes[1].outcome = Some(evil.to_owned());
    run.started_by = Some(evil.to_owned());
    let (server, root) = (evil.to_owned(), Pid(1));
    run.withheld = vec![PastWithheld { server, root, verdict: evil.to_owned(), reason: evil.to_owned() }];
    let text = text(&[run.clone()], PLAIN, &Utc) + &totals(&[run], PLAIN, &Utc);
    assert!(text.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{text:?}");
    assert_eq!(text.lines().filter(|line| line.starts_with("2026-11-20 by hand")).count(), 0);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    use unicode_width::UnicodeWidthStr;
    let mut run = busy("2026-11-20T14:00:00Z");
    run.instances[0].reason = "a long story ".repeat(20);
    run.instances[0].processes[0].command = "x".repeat(500);
    let screen = Screen { color: false, width: Some(80) };
    for line in text(&[run], screen, &Utc).lines().skip(1) {
        assert!(line.width() <= 80, "{line}");
    }
}
