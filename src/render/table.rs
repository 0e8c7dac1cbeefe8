//! The report for people: a table with one line for each instance, as wide as the terminal.

use std::fmt::Write as _;

use super::clean::clean;
use super::columns;
pub use super::columns::Columns;
use super::figures::{count, size_of};
use super::grid::paragraph;
use super::style::{self, Screen};
use super::{Order, Scene, hints, tree};
use crate::classify::{Finding, Verdict};
use crate::plan;
use crate::units::show_size;

/// What to show of each instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// The processes of each instance.
    pub tree: bool,
    /// The processes of instances that are ended.
    pub tree_of_ended: bool,
    /// Which columns.
    pub columns: Columns,
    /// Which instances come first.
    pub order: Order,
    /// Only some instances are shown, so clients, zombies and copies are not mentioned.
    pub part: bool,
}

/// All instances, the worst on top.
pub fn list(scene: &Scene<'_>, screen: Screen, detail: Detail) -> String {
    let findings = scene.sorted(detail.order);
    let notes = if detail.part { String::new() } else { notes(scene, screen) };
    table(scene, &findings, screen, detail) + &notes
}

/// The instances that are ended, each with its members, and below them those that are withheld.
pub fn plan(scene: &Scene<'_>, screen: Screen) -> String {
    let findings: Vec<_> =
        scene.worst_first().into_iter().filter(|f| scene.reaps(f) || scene.withheld(f).is_some()).collect();
    table(scene, &findings, screen, Detail { tree_of_ended: true, ..Detail::default() })
}

/// One sentence: how many instances and processes are ended, and what stays and why. With the `memory` of the machine, in
/// bytes, also how much of it all instances take.
pub fn summary(scene: &Scene<'_>, memory: Option<u64>) -> String {
    let targets = &scene.plan.targets;
    let processes: usize = targets.iter().map(|target| target.members.len()).sum();
    let mut text = match targets.len() {
        0 => "nothing to end".to_owned(),
        n => {
            let (instances, rss) = (count(n, "instance"), show_size(scene.plan.rss()));
            format!("{instances} to end: {}, {rss}", count(processes, "process"))
        }
    };
    let left = scene.plan.withheld.iter().filter(|withheld| withheld.why == plan::Why::Left).count();
    if left > 0 {
        let _ = write!(text, "; {} ended by itself", count(left, "instance"));
    }
    // If a person chose instances, the others are not shown.
    let chosen = scene.plan.choice != plan::Choice::Unused;
    let mut stays: Vec<String> = Vec::new();
    for verdict in
        [Verdict::InUse, Verdict::Managed, Verdict::Allowed, Verdict::Detached, Verdict::Undetermined]
    {
        let n = scene.left_by(verdict).count();
        if n > 0 && !chosen {
            stays.push(format!("{n} {}", verdict.as_str()));
        }
    }
    let withheld = scene.plan.withheld.len() - left;
    if withheld > 0 {
        stays.push(format!("{withheld} withheld"));
    }
    if !stays.is_empty() {
        let _ = write!(text, "; left alone: {}", stays.join(", "));
    }
    if memory.is_some() && !chosen && !scene.judgement.findings.is_empty() {
        let there = |finding: &&Finding<'_>| scene.withheld(finding) != Some(plan::Why::Left);
        let there = scene.judgement.findings.iter().filter(there);
        let rss = there.fold(0u64, |sum, finding| sum.saturating_add(finding.rss));
        let _ = write!(text, "; all instances take {}", size_of(rss, memory));
    }
    text
}

fn table(scene: &Scene<'_>, findings: &[&Finding<'_>], screen: Screen, detail: Detail) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let lines = columns::layout(scene, findings, screen.width, detail.columns).whole(columns::SERVER, screen);
    let mut out = format!("{}\n", lines[0]);
    for (finding, line) in findings.iter().zip(&lines[1..]) {
        // The verdict is the first word of the line. No verdict contains a space.
        let end = line.find(' ').unwrap_or(line.len());
        let verdict = screen.paint(style::verdict(finding.verdict, scene.reaps(finding)), &line[..end]);
        let _ = writeln!(out, "{verdict}{}", &line[end..]);
        if detail.tree || detail.tree_of_ended && scene.reaps(finding) {
            for member in tree::members(scene, &finding.instance, screen) {
                let _ = writeln!(out, "{member}");
            }
        }
    }
    out
}

/// Notes below the table: clients that nobody uses, zombies, servers in many copies.
fn notes(scene: &Scene<'_>, screen: Screen) -> String {
    let mut out = String::new();
    for client in &scene.judgement.clients {
        let Some(reason) = &client.reason else { continue };
        let kind = if client.orphaned { "orphaned client" } else { "client that nobody is seen to use" };
        let text = format!("{kind}: {} ({}), {reason}", client.name, client.pid);
        out.push_str(&paragraph("", &clean(&text), screen.width));
    }
    let related: Vec<_> = scene.judgement.related_zombies().collect();
    if let [first, rest @ ..] = related.as_slice() {
        let others = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        let _ = writeln!(
            out,
            "zombies: {} ({}){others}, dead already; its parent {} should collect it",
            clean(&first.command),
            first.pid,
            first.parent
        );
    }
    for hint in hints::containers(scene).into_iter().chain(hints::copies(scene)) {
        out.push_str(&paragraph("", &hint, screen.width));
    }
    let strangers = scene.judgement.zombies.len() - related.len();
    if strangers > 0 {
        let text = format!("{} of programs that have nothing to do with MCP", count(strangers, "zombie"));
        let _ = writeln!(out, "{}", screen.paint(style::FAINT, &text));
    }
    out
}
