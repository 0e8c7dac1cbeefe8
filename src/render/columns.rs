//! The columns of the list: which there is room for, and what stands in them.

use std::fmt::Write as _;
use std::time::Duration;

use super::Scene;
use super::clean::{clean, fit};
use super::grid::{self, Column};
use crate::classify::{Conversation, Finding};
use crate::plan;
use crate::process::Listener;
use crate::units::{show_duration, show_size};

/// What stands in a column, in the order of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Verdict,
    Server,
    /// Whose it is, where not all are the viewer's.
    User,
    Client,
    Pid,
    Age,
    Rss,
    Swap,
    Cpu,
    Ports,
    Tty,
    Session,
    Why,
}

use Cell::{Age, Client, Cpu, Pid, Ports, Rss, Server, Session, Swap, Tty, User, Why};

const NARROW: [Cell; 8] = [Cell::Verdict, Server, User, Client, Pid, Age, Rss, Why];

/// With what makes people look for it: a fan that runs, a machine that swaps.
const MIDDLE: [Cell; 10] = [Cell::Verdict, Server, User, Client, Pid, Age, Rss, Swap, Cpu, Why];

/// With what there is room for on a wide terminal.
const WIDE: [Cell; 13] =
    [Cell::Verdict, Server, User, Client, Pid, Age, Rss, Swap, Cpu, Ports, Tty, Session, Why];

/// Where even the rest leaves no room for the reason: it names the client itself then.
const NARROWEST: [Cell; 7] = [Cell::Verdict, Server, User, Pid, Age, Rss, Why];

/// The server's name gives way on a narrow terminal.
pub(super) const SERVER: usize = 1;

/// From here on there is room for memory and processor.
const SOME_ROOM: usize = 120;

/// From here on there is room for all columns.
const ROOM: usize = 140;

/// So many columns of a reason that goes on in the next line are good to read.
const READABLE: usize = 30;

/// Which columns to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Columns {
    /// Those that matter.
    #[default]
    Few,
    /// Swap, CPU, ports, terminal and conversation too, where the terminal is wide enough and there is any of it.
    AsThereIsRoom,
    /// All of them, whatever it looks like.
    All,
}

/// The columns that leave the most room for the reason that it needs, and the rows in them: what the
/// evidence says is what people look for, so the others give way to it and not the other way round.
pub(super) fn layout(
    scene: &Scene<'_>,
    findings: &[&Finding<'_>],
    width: Option<usize>,
    columns: Columns,
) -> (Vec<Column>, Vec<Vec<String>>) {
    let of = |cells: &[Cell]| {
        let cells: Vec<Cell> = cells
            .iter()
            .copied()
            .filter(
                |cell| if *cell == User { scene.has_other_users() } else { columns.show(*cell, findings) },
            )
            .collect();
        let rows = findings.iter().map(|finding| row(scene, finding, &cells)).collect();
        (cells.iter().map(|cell| cell.column()).collect(), rows)
    };
    let choices: &[&[Cell]] = match (columns, width) {
        (Columns::All, _) => &[&WIDE],
        (Columns::AsThereIsRoom, Some(ROOM..)) => &[&WIDE, &MIDDLE, &NARROW, &NARROWEST],
        (Columns::AsThereIsRoom, Some(SOME_ROOM..)) => &[&MIDDLE, &NARROW, &NARROWEST],
        (Columns::AsThereIsRoom | Columns::Few, _) => &[&NARROW, &NARROWEST],
    };
    let roomy = |(columns, rows): &(Vec<Column>, Vec<Vec<String>>)| {
        width.is_none_or(|width| grid::is_roomy(columns, rows, READABLE, width))
    };
    let last = choices.last().copied().unwrap_or(&NARROWEST);
    choices.iter().map(|cells| of(cells)).find(roomy).unwrap_or_else(|| of(last))
}

impl Columns {
    /// A column in which nothing stands takes room from the reason.
    fn show(self, cell: Cell, findings: &[&Finding<'_>]) -> bool {
        let optional = match self {
            Columns::All => cell == Session,
            Columns::AsThereIsRoom | Columns::Few => matches!(cell, Swap | Cpu | Ports | Tty | Session),
        };
        !optional || findings.iter().any(|finding| more(finding, cell).is_some())
    }
}

impl Cell {
    fn column(self) -> Column {
        let (title, right) = match self {
            Cell::Verdict => ("VERDICT", false),
            Server => ("SERVER", false),
            User => ("USER", false),
            Client => ("CLIENT", false),
            Pid => ("PID", true),
            Age => ("AGE", true),
            Rss => ("RSS", true),
            Swap => ("SWAP", true),
            // Of the whole life: what it does now takes two looks a while apart.
            Cpu => ("AVG CPU", true),
            Ports => ("PORTS", false),
            Tty => ("TTY", false),
            Session => ("SESSION", false),
            Why => ("WHY", false),
        };
        Column { title, right }
    }
}

fn row(scene: &Scene<'_>, finding: &Finding<'_>, cells: &[Cell]) -> Vec<String> {
    let client = finding.client.as_ref().map(|client| format!("{} {}", client.name, client.pid));
    let text = |cell: &Cell| match cell {
        Cell::Verdict => finding.verdict.as_str().to_owned(),
        Server => fit(&clean(&finding.instance.server), 32),
        User => clean(&scene.user_of(finding)),
        Client => client.as_deref().map_or_else(|| "-".to_owned(), clean),
        Pid => finding.instance.root.pid().to_string(),
        Age => show_duration(Duration::from_secs(finding.age as u64)),
        Rss => show_size(finding.rss),
        Swap | Cpu | Ports | Tty | Session => more(finding, *cell).unwrap_or_else(|| "-".to_owned()),
        Why => clean(&why(scene, finding, cells)),
    };
    cells.iter().map(text).collect()
}

/// The reason, why it is left alone after all, and the client and the ports where no column names them.
fn why(scene: &Scene<'_>, finding: &Finding<'_>, cells: &[Cell]) -> String {
    let mut text = finding.reason.clone();
    let ports = finding.instance.listening();
    let named = text.contains("listens on") || text.contains("serves by");
    if let Some(held) = holds(&ports).filter(|_| !named && !cells.contains(&Ports)) {
        let _ = write!(text, "; {held}");
    }
    if let Some(why) = scene.withheld(finding) {
        let stays = if why == plan::Why::Left { "" } else { "left alone: " };
        let _ = write!(text, "; {stays}{}", why.as_str());
    }
    if let Some(client) = finding.client.as_ref().filter(|_| !cells.contains(&Client)) {
        let named = format!("{} ({})", client.name, client.pid);
        if !text.contains(&named) {
            let _ = write!(text, "; client {named}");
        }
    }
    text
}

/// `holds port 3000`, `holds ports 3000, 9222`: freeing one is what people look for. `None` where it holds none.
#[must_use]
fn holds(sockets: &[&Listener]) -> Option<String> {
    let (ports, _) = ports_and_sockets(sockets);
    (!ports.is_empty()).then(|| format!("holds {}", called("port", &ports)))
}

/// Its ports with all its other sockets: `holds port 3000 and socket unix:/run/x.sock`.
#[must_use]
pub(super) fn holds_all(sockets: &[&Listener]) -> Option<String> {
    let (ports, others) = ports_and_sockets(sockets);
    let parts: Vec<String> = [("port", ports), ("socket", others)]
        .iter()
        .filter(|(_, some)| !some.is_empty())
        .map(|(what, some)| called(what, some))
        .collect();
    (!parts.is_empty()).then(|| format!("holds {}", parts.join(" and ")))
}

fn ports_and_sockets(sockets: &[&Listener]) -> (Vec<String>, Vec<String>) {
    let (ports, others): (Vec<&Listener>, Vec<&Listener>) =
        sockets.iter().partition(|socket| matches!(socket, Listener::Tcp(_)));
    let shown = |some: Vec<&Listener>| some.iter().map(ToString::to_string).collect();
    (shown(ports), shown(others))
}

fn called(what: &str, some: &[String]) -> String {
    let plural = if some.len() == 1 { "" } else { "s" };
    format!("{what}{plural} {}", some.join(", "))
}

/// What stands in a column that not every list has; `None` where nothing is known or there is none.
fn more(finding: &Finding<'_>, cell: Cell) -> Option<String> {
    match cell {
        Swap => finding.instance.swap().filter(|swap| *swap > 0).map(show_size),
        Cpu => finding.instance.cpu().map(|share| format!("{share:.1}%")),
        Ports => {
            let ports: Vec<String> = finding.instance.listening().iter().map(ToString::to_string).collect();
            (!ports.is_empty()).then(|| fit(&clean(&ports.join(",")), 17))
        }
        Tty => finding.instance.root.details.tty.as_deref().map(clean),
        Session => finding.conversation.as_ref().map(session),
        Cell::Verdict | Server | User | Client | Pid | Age | Rss | Why => None,
    }
}

/// The beginning of its id, as `git` shortens one, and whether it is the newest.
fn session(conversation: &Conversation) -> String {
    let id = clean(&conversation.id);
    let short = if id.contains(' ') { fit(&id, 16) } else { id.chars().take(8).collect() };
    if conversation.newest { format!("{short} newest") } else { short }
}
