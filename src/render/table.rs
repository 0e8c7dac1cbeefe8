//! The report for people: one line per instance, aligned, as wide as the terminal.

use std::fmt::Write as _;
use std::time::Duration;

use super::clean::{clean, fit};
pub use super::figures::count;
use super::figures::size_of;
use super::grid::{self, Column};
use super::style::{self, Look};
use super::{Scene, tree};
use crate::classify::{Finding, Verdict};
use crate::plan;
use crate::process::Listener;
use crate::units::{show_duration, show_size};

/// What stands in a column, in the order of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Verdict,
    Server,
    Client,
    Pid,
    Age,
    Rss,
    Swap,
    Cpu,
    Ports,
    Tty,
    Why,
}

use Cell::{Age, Client, Cpu, Pid, Ports, Rss, Server, Swap, Tty, Why};

const NARROW: [Cell; 7] = [Cell::Verdict, Server, Client, Pid, Age, Rss, Why];

/// With what there is room for on a wide terminal.
const WIDE: [Cell; 11] = [Cell::Verdict, Server, Client, Pid, Age, Rss, Swap, Cpu, Ports, Tty, Why];

/// Where even the rest leaves no room for the reason: it names the client itself then.
const NARROWEST: [Cell; 6] = [Cell::Verdict, Server, Pid, Age, Rss, Why];

/// The server's name gives way on a narrow terminal.
const SERVER: usize = 1;

/// From here on there is room for all columns.
const ROOM: usize = 140;

/// So many columns of a reason that goes on in the next line are good to read.
const READABLE: usize = 30;

/// What to show of each instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Its processes.
    pub tree: bool,
    /// Only of those that are ended.
    pub tree_of_ended: bool,
    /// Which columns.
    pub columns: Columns,
}

/// Which columns to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Columns {
    /// Those that matter.
    #[default]
    Few,
    /// Swap, CPU, ports and terminal too, where the terminal is wide enough for them.
    AsThereIsRoom,
    /// All of them, whatever it looks like.
    All,
}

/// All instances, the worst on top.
#[must_use]
pub fn list(scene: &Scene<'_>, look: Look, detail: Detail) -> String {
    let findings = scene.worst_first();
    table(scene, &findings, look, detail) + &notes(scene, look)
}

/// What is to be ended, each with its members, and below it what would be but is withheld.
#[must_use]
pub fn plan(scene: &Scene<'_>, look: Look) -> String {
    let findings: Vec<_> =
        scene.worst_first().into_iter().filter(|f| scene.reaps(f) || scene.withheld(f).is_some()).collect();
    table(scene, &findings, look, Detail { tree_of_ended: true, ..Detail::default() })
}

/// One sentence: how many instances and processes are to go, and what stays and why.
#[must_use]
pub fn summary(scene: &Scene<'_>) -> String {
    summary_of(scene, None)
}

/// [`summary`] on a machine with this much memory, in bytes: also how much of it all instances take.
#[must_use]
pub fn summary_of(scene: &Scene<'_>, memory: Option<u64>) -> String {
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
    let mut stays: Vec<String> = Vec::new();
    let stays_on = |f: &&Finding<'_>| !scene.reaps(f) && scene.withheld(f).is_none();
    for verdict in
        [Verdict::InUse, Verdict::Managed, Verdict::Allowed, Verdict::Detached, Verdict::Undetermined]
    {
        let of = |f: &&Finding<'_>| f.verdict == verdict;
        let n = scene.judgement.findings.iter().filter(stays_on).filter(of).count();
        if n > 0 {
            stays.push(format!("{n} {}", verdict.as_str()));
        }
    }
    let withheld = scene.plan.withheld.len() - left;
    if withheld > 0 {
        stays.push(format!("{withheld} withheld"));
    }
    // Of what was not chosen there is nothing to say where a person chose.
    let chosen = scene.plan.choice != plan::Choice::Unused;
    if chosen {
        stays.retain(|part| part.ends_with("withheld"));
    }
    if !stays.is_empty() {
        let _ = write!(text, "; left alone: {}", stays.join(", "));
    }
    if memory.is_some() && !chosen && !scene.judgement.findings.is_empty() {
        let rss = scene.judgement.findings.iter().map(|finding| finding.rss).sum();
        let _ = write!(text, "; all instances take {}", size_of(rss, memory));
    }
    text
}

fn table(scene: &Scene<'_>, findings: &[&Finding<'_>], look: Look, detail: Detail) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let (columns, rows) = layout(scene, findings, look.width, detail.columns);
    let mut lines = grid::whole(&columns, &rows, SERVER, look.width).into_iter();
    let mut out = String::new();
    let _ = writeln!(out, "{}", look.paint(style::title(), &lines.next().unwrap_or_default()));
    for (finding, line) in findings.iter().zip(lines) {
        // The verdict is the first word; none of them has a space in it.
        let end = line.find(' ').unwrap_or(line.len());
        let verdict = look.paint(style::verdict(finding.verdict, scene.reaps(finding)), &line[..end]);
        let _ = writeln!(out, "{verdict}{}", &line[end..]);
        if detail.tree || detail.tree_of_ended && scene.reaps(finding) {
            for member in tree::members(scene, &finding.instance, look) {
                let _ = writeln!(out, "{member}");
            }
        }
    }
    out
}

/// The columns that leave the most room for the reason that it needs, and the rows in them: what the
/// evidence says is what people came for, so the others give way to it and not the other way round.
fn layout(
    scene: &Scene<'_>,
    findings: &[&Finding<'_>],
    width: Option<usize>,
    columns: Columns,
) -> (Vec<Column>, Vec<Vec<String>>) {
    let of = |cells: &[Cell]| {
        let rows = findings.iter().map(|finding| row(scene, finding, cells)).collect();
        (cells.iter().map(|cell| cell.column()).collect(), rows)
    };
    let choices: &[&[Cell]] = match columns {
        Columns::All => &[&WIDE],
        Columns::AsThereIsRoom if width.is_some_and(|width| width >= ROOM) => &[&WIDE, &NARROW, &NARROWEST],
        Columns::AsThereIsRoom | Columns::Few => &[&NARROW, &NARROWEST],
    };
    let roomy = |(columns, rows): &(Vec<Column>, Vec<Vec<String>>)| {
        width.is_none_or(|width| grid::is_roomy(columns, rows, READABLE, width))
    };
    let last = choices.last().copied().unwrap_or(&NARROWEST);
    choices.iter().map(|cells| of(cells)).find(roomy).unwrap_or_else(|| of(last))
}

impl Cell {
    fn column(self) -> Column {
        let (title, right) = match self {
            Cell::Verdict => ("VERDICT", false),
            Server => ("SERVER", false),
            Client => ("CLIENT", false),
            Pid => ("PID", true),
            Age => ("AGE", true),
            Rss => ("RSS", true),
            Swap => ("SWAP", true),
            Cpu => ("CPU", true),
            Ports => ("PORTS", false),
            Tty => ("TTY", false),
            Why => ("WHY", false),
        };
        Column { title, right }
    }
}

fn row(scene: &Scene<'_>, finding: &Finding<'_>, cells: &[Cell]) -> Vec<String> {
    let [swap, cpu, ports, tty] = if cells.contains(&Swap) { more(finding) } else { Default::default() };
    let client = finding.client.as_ref().map(|client| format!("{} {}", client.name, client.pid));
    let text = |cell: &Cell| match cell {
        Cell::Verdict => finding.verdict.as_str().to_owned(),
        Server => fit(&clean(&finding.instance.server), 32),
        Client => client.as_deref().map_or_else(|| "-".to_owned(), clean),
        Pid => finding.instance.root.pid().to_string(),
        Age => show_duration(Duration::from_secs(finding.age as u64)),
        Rss => show_size(finding.rss),
        Swap => swap.clone(),
        Cpu => cpu.clone(),
        Ports => ports.clone(),
        Tty => tty.clone(),
        Why => clean(&why(scene, finding, cells.contains(&Client))),
    };
    cells.iter().map(text).collect()
}

/// The reason, why it is left alone all the same, and the client where nothing else names it.
fn why(scene: &Scene<'_>, finding: &Finding<'_>, client_is_named: bool) -> String {
    let mut text = finding.reason.clone();
    if let Some(why) = scene.withheld(finding) {
        let stays = if why == plan::Why::Left { "" } else { "left alone: " };
        let _ = write!(text, "; {stays}{}", why.as_str());
    }
    if let Some(client) = finding.client.as_ref().filter(|_| !client_is_named) {
        let named = format!("{} ({})", client.name, client.pid);
        if !text.contains(&named) {
            let _ = write!(text, "; client {named}");
        }
    }
    text
}

/// Swap, CPU, ports and terminal; `-` where nothing is known or there is none.
fn more(finding: &Finding<'_>) -> [String; 4] {
    let records = || finding.instance.members.iter().map(|member| member.record);
    let or_none =
        |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
    let swap = records().filter_map(|record| record.details.swap).reduce(u64::saturating_add);
    let cpu = records().filter_map(|record| record.cpu).reduce(|a, b| a + b);
    let mut ports: Vec<&Listener> =
        records().filter_map(|record| record.details.listening.as_ref()).flatten().collect();
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
fn notes(scene: &Scene<'_>, look: Look) -> String {
    let mut out = String::new();
    for client in scene.judgement.clients.iter().filter(|client| client.orphaned) {
        let _ = writeln!(
            out,
            "orphaned client: {} ({}), nobody can talk to it any more",
            clean(&client.name),
            client.pid
        );
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
    let strangers = scene.judgement.zombies.len() - related.len();
    if strangers > 0 {
        let text = format!("{} of programs that have nothing to do with MCP", count(strangers, "zombie"));
        let _ = writeln!(out, "{}", look.paint(style::faint(), &text));
    }
    out
}
