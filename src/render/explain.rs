//! All evidence for and against one process, in sentences.

use std::fmt::Write as _;
use std::time::Duration;

use super::Scene;
use super::clean::clean;
use super::columns::holds_all;
use super::figures::command;
use super::grid::paragraph;
use super::sentence::{Leaning, sentence};
use super::style::{self, Screen};
use crate::catalog::{Identification, Role};
use crate::classify::Finding;
use crate::process::{Pid, ProcessRecord};
use crate::units::{show_duration, show_size};

/// Where a process stands: what is above it, and the folder that it works in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// Its ancestors by short names, the topmost first, and itself at the end.
    pub chain: Vec<String>,
    /// The folder that it works in.
    pub folder: Option<String>,
    /// The git repository around that folder; never looked for in a recorded table.
    pub repository: Option<String>,
    /// The process that `mcp-reap exec` became and whose marker it carries.
    pub marked_by: Option<Pid>,
}

impl Whereabouts {
    fn lines(&self, screen: Screen) -> String {
        let mut out = String::new();
        if self.chain.len() > 1 {
            let chain = format!("Ancestors: {}", self.chain.join(" > "));
            out.push_str(&paragraph("", &clean(&chain), screen.width));
        }
        let folder = match (&self.folder, &self.repository) {
            (Some(folder), Some(repository)) if folder == repository => {
                format!("It works in {folder}, a git repository.")
            }
            (Some(folder), Some(repository)) => {
                format!("It works in {folder}, in the git repository {repository}.")
            }
            (Some(folder), None) => format!("It works in {folder}."),
            (None, _) => return out,
        };
        out + &paragraph("", &clean(&folder), screen.width)
    }
}

/// Explains the instance that a process is a member of.
#[must_use]
pub fn instance(
    scene: &Scene<'_>,
    finding: &Finding<'_>,
    pid: Pid,
    place: &Whereabouts,
    screen: Screen,
) -> String {
    let mut out = String::new();
    let part = finding.instance.members.iter().find(|m| m.record.pid() == pid);
    if let Some(member) = part {
        let _ = writeln!(out, "{pid}  {}", clean(&command(member.record)));
    }
    out.push_str(&summary(scene, finding, place, screen));
    let said: Vec<(Leaning, String)> = finding.evidence.iter().map(sentence).collect();
    for (leaning, title) in
        [(Leaning::Neutral, "What it is"), (Leaning::For, "For ending it"), (Leaning::Against, "Against")]
    {
        let of: Vec<&String> = said.iter().filter(|(l, _)| *l == leaning).map(|(_, text)| text).collect();
        if of.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{}", screen.paint(style::title(), title));
        for text in of {
            out.push_str(&paragraph("  ", &clean(text), screen.width));
        }
    }
    let _ = writeln!(out, "\n{}", screen.paint(style::title(), "Its processes"));
    for member in &finding.instance.members {
        let _ = writeln!(out, "  {} {}", member.record.pid(), clean(&command(member.record)));
    }
    out
}

/// What it is, whose, where, and what a run would do.
fn summary(scene: &Scene<'_>, finding: &Finding<'_>, place: &Whereabouts, screen: Screen) -> String {
    let mut out = String::new();
    let verdict =
        screen.paint(style::verdict(finding.verdict, scene.reaps(finding)), finding.verdict.as_str());
    let _ = writeln!(
        out,
        "It belongs to an instance of {} with root {}: {}, {}, {} old.",
        clean(&finding.instance.server),
        finding.instance.root.pid(),
        super::table::count(finding.instance.members.len(), "process"),
        show_size(finding.rss),
        show_duration(Duration::from_secs(finding.age as u64)),
    );
    if let Some(client) = &finding.client {
        let _ = writeln!(out, "Its client is {} ({}).", clean(&client.name), client.pid);
    }
    if let Some(conversation) = &finding.conversation {
        let newest = if conversation.newest { "the newest" } else { "not the newest" };
        let _ = writeln!(
            out,
            "It was started for the conversation {}, {newest} of its client.",
            clean(&conversation.id)
        );
    }
    out.push_str(&place.lines(screen));
    if let Some(held) = holds_all(&finding.instance.listening()) {
        out.push_str(&paragraph("", &clean(&format!("It {held}.")), screen.width));
    }
    let _ = writeln!(out, "Verdict: {verdict}, {}.", clean(&finding.reason));
    let end = match (scene.reaps(finding), scene.withheld(finding)) {
        (true, _) => "A run would end it.".to_owned(),
        (false, Some(why)) => format!("A run would leave it alone all the same: {}.", why.as_str()),
        (false, None) => "A run would leave it alone.".to_owned(),
    };
    let _ = writeln!(out, "{end}");
    out
}

/// Says of a process that it is no member of any instance, and what was looked at.
#[must_use]
pub fn stranger(
    scene: &Scene<'_>,
    record: &ProcessRecord,
    known: Option<&Identification>,
    program: Option<&str>,
    place: &Whereabouts,
    screen: Screen,
) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}  {}", record.pid(), clean(&command(record)));
    out.push_str(&place.lines(screen));
    if let Some(known) = known.filter(|known| known.role == Role::Client) {
        return out + &client(scene, record.pid(), &known.name, screen);
    }
    let what = match known.map(|known| known.role) {
        Some(Role::Supervisor) => "It starts and watches processes for others",
        Some(Role::Init) => "It adopts processes whose parent has ended",
        Some(Role::Wrapper) => "It runs another program, and nothing of what it runs is an MCP server",
        _ => "It is not taken for an MCP server, a launcher or a helper of one",
    };
    let name = known.map(|known| format!(" ({})", known.name)).unwrap_or_default();
    let _ = writeln!(out, "{what}{}.", clean(&name));
    let _ = writeln!(out, "A run would leave it alone.");
    let _ = writeln!(out, "\n{}", screen.paint(style::title(), "What was looked at"));
    if let Some(root) = place.marked_by {
        let mark = format!(
            "It carries the mark of process {root}, which mcp-reap exec started. Everything that such a server starts does; \
             the mark alone makes it no part of it."
        );
        out.push_str(&paragraph("  ", &mark, screen.width));
    }
    match program {
        Some(program) => {
            let _ = writeln!(out, "  What really runs is {}; no rule names it a server.", clean(program));
        }
        None => {
            let _ = writeln!(out, "  Its command line does not show what really runs.");
        }
    }
    out.push_str(&paragraph(
        "  ",
        "Its ancestors and descendants were looked at too: it is below no MCP launcher or server.",
        screen.width,
    ));
    // A rule can only name a program that could be read, and what is known as something else is not to be taught.
    let teachable = program.is_some()
        && record.pid() > Pid(2)
        && record.uid == Some(scene.snapshot.viewer.uid)
        && known.is_none_or(|known| known.role == Role::Wrapper);
    if !teachable {
        return out;
    }
    out.push('\n');
    out.push_str(&paragraph(
        "",
        "To have it taken for one, add a [[server]] rule with its program to the configuration file.",
        screen.width,
    ));
    out
}

/// What a client is, and which instances are its own.
fn client(scene: &Scene<'_>, pid: Pid, name: &str, screen: Screen) -> String {
    let status = scene.judgement.clients.iter().find(|client| client.pid == pid);
    let mut out = format!("It is the client {}, which starts MCP servers and talks to them.\n", clean(name));
    if let Some((status, reason)) = status.and_then(|status| Some((status, status.reason.as_ref()?))) {
        let proof = if status.orphaned {
            "Nobody can talk to it any more"
        } else {
            "Nobody is seen to use it, which proves nothing"
        };
        out.push_str(&paragraph("", &clean(&format!("{proof}: {reason}.")), screen.width));
    }
    out.push_str("A run would leave it alone.\n");
    let of = |finding: &&&Finding<'_>| finding.client.as_ref().is_some_and(|client| client.pid == pid);
    let findings = scene.worst_first();
    let its: Vec<_> = findings.iter().filter(of).collect();
    if its.is_empty() {
        out.push_str("\nIt has no MCP instance now.\n");
        return out;
    }
    let _ = writeln!(out, "\n{}", screen.paint(style::title(), "Its instances"));
    for finding in its {
        let verdict = finding.verdict.as_str();
        let verdict = screen.paint(style::verdict(finding.verdict, scene.reaps(finding)), verdict);
        let (server, root) = (clean(&finding.instance.server), finding.instance.root.pid());
        let _ = writeln!(out, "  {server} ({root}), {verdict}: {}", clean(&finding.reason));
    }
    out
}
