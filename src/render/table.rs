//! The report for people: one line per instance, aligned, as wide as the terminal.

use std::fmt::Write as _;
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::Scene;
use super::clean::{clean, fit};
pub use super::figures::count;
use super::json::command;
use super::style::{self, Look};
use crate::classify::{Finding, Verdict};
use crate::instance::Part;
use crate::process::ProcessRecord;
use crate::units::{show_duration, show_size};

/// A column: its title, and whether numbers stand at its right edge.
struct Column {
    title: &'static str,
    right: bool,
}

const COLUMNS: [Column; 7] = [
    Column { title: "VERDICT", right: false },
    Column { title: "SERVER", right: false },
    Column { title: "CLIENT", right: false },
    Column { title: "PID", right: true },
    Column { title: "AGE", right: true },
    Column { title: "RSS", right: true },
    Column { title: "WHY", right: false },
];

/// All instances, the worst on top.
#[must_use]
pub fn list(scene: &Scene<'_>, look: Look, tree: bool) -> String {
    let findings = scene.worst_first();
    table(scene, &findings, look, tree) + &notes(scene)
}

/// Only what is to be ended, each with its members.
#[must_use]
pub fn plan(scene: &Scene<'_>, look: Look) -> String {
    let findings: Vec<_> = scene.worst_first().into_iter().filter(|f| scene.reaps(f)).collect();
    table(scene, &findings, look, true)
}

/// One sentence: how many instances and processes are to go, and what stays and why.
#[must_use]
pub fn summary(scene: &Scene<'_>) -> String {
    let targets = &scene.plan.targets;
    let processes: usize = targets.iter().map(|target| target.members.len()).sum();
    let mut text = if targets.is_empty() {
        "nothing to end".to_owned()
    } else {
        format!(
            "{} to end: {}, {}",
            count(targets.len(), "instance"),
            count(processes, "process"),
            show_size(scene.plan.rss())
        )
    };
    let mut stays: Vec<String> = Vec::new();
    let left = |f: &&Finding<'_>| !scene.reaps(f);
    for verdict in
        [Verdict::InUse, Verdict::Managed, Verdict::Allowed, Verdict::Detached, Verdict::Undetermined]
    {
        let of = |f: &&Finding<'_>| f.verdict == verdict;
        let n = scene.judgement.findings.iter().filter(left).filter(of).count();
        if n > 0 {
            stays.push(format!("{n} {}", verdict.as_str()));
        }
    }
    let withheld = scene.plan.withheld.len();
    if withheld > 0 {
        stays.push(format!("{withheld} withheld"));
    }
    if !stays.is_empty() {
        let _ = write!(text, "; left alone: {}", stays.join(", "));
    }
    text
}

fn table(scene: &Scene<'_>, findings: &[&Finding<'_>], look: Look, tree: bool) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let rows: Vec<[String; 7]> = findings.iter().map(|finding| row(scene, finding)).collect();
    let widths: Vec<usize> = (0..COLUMNS.len())
        .map(|i| rows.iter().map(|row| row[i].width()).chain([COLUMNS[i].title.width()]).max().unwrap_or(0))
        .collect();
    // The last column takes what is left of the line.
    let before: usize = widths[..6].iter().map(|width| width + 2).sum();
    let rest = look.width.map_or(usize::MAX, |width| width.saturating_sub(before).max(12));
    let mut out = String::new();
    let titles = COLUMNS.map(|column| column.title.to_owned());
    let _ = writeln!(out, "{}", look.paint(style::title(), &line(&titles, &widths, rest)));
    for (finding, row) in findings.iter().zip(&rows) {
        let verdict = pad(&row[0], widths[0], false);
        let text = line(row, &widths, rest);
        let painted = look.paint(style::verdict(finding.verdict, scene.reaps(finding)), &verdict);
        let _ = writeln!(out, "{painted}{}", &text[verdict.len()..]);
        if tree {
            for member in &finding.instance.members {
                let _ = writeln!(
                    out,
                    "{}",
                    look.paint(
                        style::faint(),
                        &member_line(scene, finding, member.record, member.part, look)
                    )
                );
            }
        }
    }
    out
}

fn row(scene: &Scene<'_>, finding: &Finding<'_>) -> [String; 7] {
    let why = match scene.withheld(finding) {
        Some(why) => format!("{}; left alone: {}", finding.reason, why.as_str()),
        None => finding.reason.clone(),
    };
    let client = finding.client.as_ref().map_or("-".to_owned(), |c| format!("{} {}", c.name, c.pid));
    [
        finding.verdict.as_str().to_owned(),
        fit(&clean(&finding.instance.server), 32),
        clean(&client),
        finding.instance.root.pid().to_string(),
        show_duration(Duration::from_secs(finding.age as u64)),
        show_size(finding.rss),
        clean(&why),
    ]
}

fn line(cells: &[String; 7], widths: &[usize], rest: usize) -> String {
    let mut text = String::new();
    for (i, cell) in cells.iter().enumerate().take(6) {
        text.push_str(&pad(cell, widths[i], COLUMNS[i].right));
        text.push_str("  ");
    }
    text.push_str(&fit(&cells[6], rest));
    text
}

fn pad(text: &str, width: usize, right: bool) -> String {
    let fill = " ".repeat(width.saturating_sub(text.width()));
    if right { fill + text } else { text.to_owned() + &fill }
}

/// `  └ 4250 server    41 MB  node .../mcp-server-memory  exited`
fn member_line(
    scene: &Scene<'_>,
    finding: &Finding<'_>,
    record: &ProcessRecord,
    part: Part,
    look: Look,
) -> String {
    let instance = &finding.instance;
    let mut depth = 0;
    let mut parent = record.parent;
    while let Some(above) = instance.members.iter().find(|m| m.record.pid() == parent) {
        depth += 1;
        if above.record.pid() == instance.root.pid() || depth > instance.members.len() {
            break;
        }
        parent = above.record.parent;
    }
    let part = match part {
        Part::Launcher => "launcher",
        Part::Server => "server",
        Part::Helper => "helper",
    };
    let ended = scene.results.and_then(|results| results.iter().find(|ended| ended.member.id == record.id));
    let ended = ended.map(|ended| format!("{}: ", ended.outcome.as_str())).unwrap_or_default();
    let head = format!("  {}{} {part} {} ", "  ".repeat(depth), record.pid(), show_size(record.rss));
    let room = look.width.map_or(usize::MAX, |width| width.saturating_sub(head.width()).max(12));
    head + &fit(&(ended + &clean(&command(record))), room)
}

/// What is not an instance but worth knowing: orphaned clients and zombies.
fn notes(scene: &Scene<'_>) -> String {
    let mut out = String::new();
    for client in scene.judgement.clients.iter().filter(|client| client.orphaned) {
        let _ = writeln!(
            out,
            "orphaned client: {} ({}), nobody can talk to it any more",
            clean(&client.name),
            client.pid
        );
    }
    if let [first, rest @ ..] = scene.judgement.zombies.as_slice() {
        let others = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        let _ = writeln!(
            out,
            "zombies: {} ({}){others}, dead already; its parent {} should collect it",
            clean(&first.command),
            first.pid,
            first.parent
        );
    }
    out
}
