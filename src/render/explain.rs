//! Explains one process: all evidence for and against ending it, in sentences.

use std::fmt::Write as _;

use super::Scene;
use super::clean::clean;
use super::columns::holds_all;
use super::figures::{age, command, count};
use super::grid::paragraph;
use super::sentence::{Leaning, leaning, sentence};
use super::style::{self, Screen};
use crate::catalog::{Identification, Role};
use crate::classify::{ClientStatus, Conversation, Finding, Verdict};
use crate::instance::Instance;
use crate::process::{Pid, ProcessRecord};
use crate::units::show_size;

/// The ancestors of a process, and its working folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Whereabouts {
    /// The short names of its ancestors, the topmost first, and of the process itself at the end.
    pub(crate) chain: Vec<String>,
    /// Its working folder.
    pub(crate) folder: Option<String>,
    /// The git repository around that folder. It is not looked for if the table is recorded.
    pub(crate) repository: Option<String>,
    /// The process that `mcp-reap exec` became and whose marker it carries.
    pub(crate) marked_by: Option<Pid>,
}

impl Whereabouts {
    fn show(&self, page: &mut Page) {
        if self.chain.len() > 1 {
            page.paragraph("", &format!("Ancestors: {}", self.chain.join(" > ")));
        }
        let Some(folder) = &self.folder else { return };
        let repository = match &self.repository {
            Some(repository) if repository == folder => ", a git repository".to_owned(),
            Some(repository) => format!(", in the git repository {repository}"),
            None => String::new(),
        };
        page.paragraph("", &format!("It works in {folder}{repository}."));
    }
}

/// The text that is being written. Everything that is added is cleaned.
struct Page {
    text: String,
    screen: Screen,
}

impl Page {
    /// Adds a line of any length.
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "{}", clean(text));
    }

    /// Adds a text in as many lines as it needs, each after a margin.
    fn paragraph(&mut self, margin: &str, text: &str) {
        self.text += &paragraph(margin, &clean(text), self.screen.width);
    }

    /// Adds a title.
    fn title(&mut self, title: &str) {
        let _ = writeln!(self.text, "\n{}", self.screen.paint(style::TITLE, title));
    }

    /// Adds a line with the verdict in its colour between two texts.
    fn verdict(&mut self, before: &str, scene: &Scene<'_>, finding: &Finding<'_>, after: &str) {
        let style = style::verdict(finding.verdict, scene.reaps(finding));
        let verdict = self.screen.paint(style, finding.verdict.as_str());
        let _ = writeln!(self.text, "{}{verdict}{}", clean(before), clean(after));
    }
}

/// Explains the instance that a process is a member of.
pub(crate) fn instance(
    scene: &Scene<'_>,
    finding: &Finding<'_>,
    pid: Pid,
    place: &Whereabouts,
    screen: Screen,
) -> String {
    let mut page = Page { text: String::new(), screen };
    let members = &finding.instance.members;
    if let Some(member) = members.iter().find(|member| member.record.pid() == pid) {
        page.line(&format!("{pid}  {}", command(member.record)));
    }
    summary(&mut page, scene, finding, place);
    for (wanted, title) in
        [(Leaning::Neutral, "What it is"), (Leaning::For, "For ending it"), (Leaning::Against, "Against")]
    {
        let mut evidence = finding.evidence.iter().filter(|seen| leaning(seen) == wanted).peekable();
        if evidence.peek().is_some() {
            page.title(title);
        }
        evidence.for_each(|seen| page.paragraph("  ", &sentence(seen)));
    }
    page.title("Its processes");
    for member in members {
        page.line(&format!("  {} {}", member.record.pid(), command(member.record)));
    }
    page.text
}

/// Adds what the instance is, its client, its folder, and what a run would do.
fn summary(page: &mut Page, scene: &Scene<'_>, finding: &Finding<'_>, place: &Whereabouts) {
    let Instance { server, root, members, .. } = &finding.instance;
    let (processes, size) = (count(members.len(), "process"), show_size(finding.rss));
    let root = root.pid();
    page.line(&format!(
        "It belongs to an instance of {server} with root {root}: {processes}, {size}, {} old.",
        age(finding)
    ));
    if let Some(client) = &finding.client {
        page.line(&format!("Its client is {} ({}).", client.name, client.pid));
    }
    if let Some(Conversation { id, newest }) = &finding.conversation {
        let newest = if *newest { "the newest" } else { "not the newest" };
        page.line(&format!("It was started for the conversation {id}, {newest} of its client."));
    }
    place.show(page);
    if let Some(held) = holds_all(&finding.instance.listening()) {
        page.paragraph("", &format!("It {held}."));
    }
    page.verdict("Verdict: ", scene, finding, &format!(", {}.", finding.reason));
    match (scene.reaps(finding), scene.withheld(finding)) {
        (true, _) => page.line("A run would end it."),
        (false, Some(why)) => {
            page.line(&format!("A run would leave it alone all the same: {}.", why.as_str()));
        }
        (false, None) if finding.verdict == Verdict::Undetermined => page.line(
            "A run would leave it alone: something that decides is not known, and only what is proven unused is ended.",
        ),
        (false, None) => page.line("A run would leave it alone."),
    }
}

/// Explains a process that is no member of any instance.
pub(crate) fn stranger(
    scene: &Scene<'_>,
    record: &ProcessRecord,
    known: Option<&Identification>,
    program: Option<&str>,
    place: &Whereabouts,
    screen: Screen,
) -> String {
    let mut page = Page { text: String::new(), screen };
    page.line(&format!("{}  {}", record.pid(), command(record)));
    place.show(&mut page);
    if let Some(known) = known.filter(|known| known.role == Role::Client) {
        client(&mut page, scene, record.pid(), &known.name);
        return page.text;
    }
    let what = match known.map(|known| known.role) {
        Some(Role::Supervisor) => "It starts and watches processes for others",
        Some(Role::Init) => "It adopts processes whose parent has ended",
        Some(Role::Wrapper) => "It runs another program, and nothing of what it runs is an MCP server",
        _ => "It is not taken for an MCP server, a launcher or a helper of one",
    };
    let name = known.map(|known| format!(" ({})", known.name)).unwrap_or_default();
    page.line(&format!("{what}{name}."));
    page.line("A run would leave it alone.");
    page.title("What was looked at");
    if let Some(root) = place.marked_by {
        let mark = format!(
            "It carries the mark of process {root}, which mcp-reap exec started. Everything that such a server starts does; \
             the mark alone makes it no part of it."
        );
        page.paragraph("  ", &mark);
    }
    page.line(&match program {
        Some(program) => format!("  What really runs is {program}; no rule names it a server."),
        None => "  Its command line does not show what really runs.".to_owned(),
    });
    page.paragraph(
        "  ",
        "Its ancestors and descendants were looked at too: it is below no MCP launcher or server.",
    );
    // A `[[server]]` rule needs a program that could be read, and makes no sense for a program that is known as another
    // thing.
    let teachable = program.is_some()
        && record.pid() > Pid(2)
        && record.uid == Some(scene.snapshot.viewer.uid)
        && known.is_none_or(|known| known.role == Role::Wrapper);
    if teachable {
        page.line("");
        page.paragraph(
            "",
            "To have it taken for one, add a [[server]] rule with its program to the configuration file.",
        );
    }
    page.text
}

/// Explains a client: its state, and its instances.
fn client(page: &mut Page, scene: &Scene<'_>, pid: Pid, name: &str) {
    page.line(&format!("It is the client {name}, which starts MCP servers and talks to them."));
    let status = scene.judgement.clients.iter().find(|client| client.pid == pid);
    if let Some(ClientStatus { orphaned, reason: Some(reason), .. }) = status {
        let proof = if *orphaned {
            "Nobody can talk to it any more"
        } else {
            "Nobody is seen to use it, which proves nothing"
        };
        page.paragraph("", &format!("{proof}: {reason}."));
    }
    page.line("A run would leave it alone.");
    let mut findings = scene.worst_first();
    findings.retain(|finding| finding.client.as_ref().is_some_and(|client| client.pid == pid));
    if findings.is_empty() {
        page.line("");
        return page.line("It has no MCP instance now.");
    }
    page.title("Its instances");
    for finding in findings {
        let Instance { server, root, .. } = &finding.instance;
        page.verdict(
            &format!("  {server} ({}), ", root.pid()),
            scene,
            finding,
            &format!(": {}", finding.reason),
        );
    }
}
