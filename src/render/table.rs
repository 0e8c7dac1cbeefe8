//! The report for people: one line per instance, aligned, as wide as the terminal.

use std::fmt::Write as _;
use std::time::Duration;

use super::clean::{clean, fit};
pub use super::figures::count;
use super::grid::{self, Column};
use super::style::{self, Look};
use super::{Scene, tree};
use crate::classify::{Finding, Verdict};
use crate::units::{show_duration, show_size};

const fn left(title: &'static str) -> Column {
    Column { title, right: false }
}

const fn right(title: &'static str) -> Column {
    Column { title, right: true }
}

const NARROW: [Column; 7] =
    [left("VERDICT"), left("SERVER"), left("CLIENT"), right("PID"), right("AGE"), right("RSS"), left("WHY")];

/// With what there is room for on a wide terminal.
const WIDE: [Column; 11] = [
    left("VERDICT"),
    left("SERVER"),
    left("CLIENT"),
    right("PID"),
    right("AGE"),
    right("RSS"),
    right("SWAP"),
    right("CPU"),
    left("PORTS"),
    left("TTY"),
    left("WHY"),
];

/// The server's name gives way on a narrow terminal.
const SERVER: usize = 1;

/// What to show of each instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Its processes.
    pub tree: bool,
    /// Swap, CPU, ports and terminal too.
    pub wide: bool,
}

/// All instances, the worst on top.
#[must_use]
pub fn list(scene: &Scene<'_>, look: Look, detail: Detail) -> String {
    let findings = scene.worst_first();
    table(scene, &findings, look, detail) + &notes(scene)
}

/// Only what is to be ended, each with its members.
#[must_use]
pub fn plan(scene: &Scene<'_>, look: Look) -> String {
    let findings: Vec<_> = scene.worst_first().into_iter().filter(|f| scene.reaps(f)).collect();
    table(scene, &findings, look, Detail { tree: true, wide: false })
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

fn table(scene: &Scene<'_>, findings: &[&Finding<'_>], look: Look, detail: Detail) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let columns: &[Column] = if detail.wide { &WIDE } else { &NARROW };
    let rows: Vec<Vec<String>> = findings.iter().map(|finding| row(scene, finding, detail.wide)).collect();
    let mut lines = grid::lines(columns, &rows, SERVER, look.width).into_iter();
    let mut out = String::new();
    let _ = writeln!(out, "{}", look.paint(style::title(), &lines.next().unwrap_or_default()));
    for (finding, line) in findings.iter().zip(lines) {
        // The verdict is the first word; none of them has a space in it.
        let end = line.find(' ').unwrap_or(line.len());
        let verdict = look.paint(style::verdict(finding.verdict, scene.reaps(finding)), &line[..end]);
        let _ = writeln!(out, "{verdict}{}", &line[end..]);
        if detail.tree {
            for member in tree::members(scene, &finding.instance, look) {
                let _ = writeln!(out, "{}", look.paint(style::faint(), &member));
            }
        }
    }
    out
}

fn row(scene: &Scene<'_>, finding: &Finding<'_>, wide: bool) -> Vec<String> {
    let why = match scene.withheld(finding) {
        Some(why) => format!("{}; left alone: {}", finding.reason, why.as_str()),
        None => finding.reason.clone(),
    };
    let client = finding.client.as_ref().map_or("-".to_owned(), |c| format!("{} {}", c.name, c.pid));
    let mut cells = vec![
        finding.verdict.as_str().to_owned(),
        fit(&clean(&finding.instance.server), 32),
        clean(&client),
        finding.instance.root.pid().to_string(),
        show_duration(Duration::from_secs(finding.age as u64)),
        show_size(finding.rss),
    ];
    if wide {
        cells.extend(more(finding));
    }
    cells.push(clean(&why));
    cells
}

/// Swap, CPU, ports and terminal; `-` where nothing is known or there is none.
fn more(finding: &Finding<'_>) -> [String; 4] {
    let records = || finding.instance.members.iter().map(|member| member.record);
    let or_none =
        |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
    let swap = records().filter_map(|record| record.closer.swap).reduce(u64::saturating_add);
    let cpu = records().filter_map(|record| record.cpu).reduce(|a, b| a + b);
    let mut ports: Vec<u16> =
        records().filter_map(|record| record.closer.listening.as_ref()).flatten().copied().collect();
    ports.sort_unstable();
    ports.dedup();
    let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
    [
        or_none(swap.map(show_size)),
        or_none(cpu.map(|share| format!("{share:.1}%"))),
        fit(&or_none(Some(ports.join(","))), 17),
        or_none(finding.instance.root.tty.as_deref().map(clean)),
    ]
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
