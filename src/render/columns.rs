//! The columns of the list: which of them fit, and their content.

use std::fmt::Write as _;

use super::Scene;
use super::clean::{clean, fit};
use super::figures::{age, client, list};
use super::grid::{Column, Grid};
use crate::classify::{Conversation, Finding};
use crate::plan;
use crate::process::Listener;
use crate::units::show_size;

/// The content of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Verdict,
    Server,
    /// The user, if not all instances belong to the viewer.
    User,
    Client,
    Pid,
    Age,
    Rss,
    Swap,
    /// The average over its whole life. The current use would take two looks some time apart.
    Cpu,
    Ports,
    Tty,
    Session,
    Why,
}

use Cell::{Age, Client, Cpu, Pid, Ports, Rss, Server, Session, Swap, Tty, User, Verdict, Why};

/// All columns in their order: the title, whether it holds numbers, and the narrowest layout that has it.
#[rustfmt::skip] // a table
const COLUMNS: [(Cell, &str, bool, u8); 13] = [
    (Verdict, "VERDICT", false, NARROWEST),
    (Server, "SERVER", false, NARROWEST),
    (User, "USER", false, NARROWEST),
    (Client, "CLIENT", false, NARROW),
    (Pid, "PID", true, NARROWEST),
    (Age, "AGE", true, NARROWEST),
    (Rss, "RSS", true, NARROWEST),
    (Swap, "SWAP", true, MIDDLE),
    (Cpu, "AVG CPU", true, MIDDLE),
    (Ports, "PORTS", false, WIDE),
    (Tty, "TTY", false, WIDE),
    (Session, "SESSION", false, WIDE),
    (Why, "WHY", false, NARROWEST),
];

/// The layout for a terminal where [`NARROW`] leaves no room for the reason. The reason names the client itself then.
const NARROWEST: u8 = 0;
/// The layout with the client.
const NARROW: u8 = 1;
/// The layout with memory and processor use.
const MIDDLE: u8 = 2;
/// The layout for a wide terminal, with all columns.
const WIDE: u8 = 3;

/// The index of the server's name, the column that is shortened on a narrow terminal.
pub(super) const SERVER: usize = 1;

/// From this width on there is room for memory and processor use.
const SOME_ROOM: usize = 120;

/// From this width on there is room for all columns.
const ROOM: usize = 140;

/// The least width of a reason that continues in the next line.
const READABLE: usize = 30;

/// Which columns to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Columns {
    /// The usual ones.
    #[default]
    Few,
    /// Also swap, CPU, ports, terminal and conversation, if the terminal is wide enough and an instance has one.
    AsThereIsRoom,
    /// All, whatever the width.
    All,
}

/// The columns and the rows. The reason matters most to people, so columns are left out until it has the room that it
/// needs.
pub(super) fn layout(
    scene: &Scene<'_>,
    findings: &[&Finding<'_>],
    width: Option<usize>,
    columns: Columns,
) -> Grid {
    // An empty column would take room from the reason.
    let any = |cell| findings.iter().any(|finding| more(finding, cell).is_some());
    let is_shown = |cell| match cell {
        User => scene.has_other_users(),
        Session => any(cell),
        Swap | Cpu | Ports | Tty => columns == Columns::All || any(cell),
        _ => true,
    };
    let of = |layout: u8| {
        let shown = COLUMNS.iter().filter(|(cell, _, _, least)| *least <= layout && is_shown(*cell));
        let (cells, columns): (Vec<Cell>, Vec<Column>) =
            shown.map(|(cell, title, right, _)| (*cell, Column { title, right: *right })).unzip();
        Grid::new(columns, findings.iter().map(|finding| row(scene, finding, &cells)).collect())
    };
    let (least, most) = match (columns, width) {
        (Columns::All, _) => (WIDE, WIDE),
        (Columns::AsThereIsRoom, Some(ROOM..)) => (NARROWEST, WIDE),
        (Columns::AsThereIsRoom, Some(SOME_ROOM..)) => (NARROWEST, MIDDLE),
        (Columns::AsThereIsRoom | Columns::Few, _) => (NARROWEST, NARROW),
    };
    let roomy = |grid: &Grid| width.is_none_or(|width| grid.is_roomy(READABLE, width));
    (least..=most).rev().map(of).find(roomy).unwrap_or_else(|| of(least))
}

fn row(scene: &Scene<'_>, finding: &Finding<'_>, cells: &[Cell]) -> Vec<String> {
    let text = |cell: &Cell| match cell {
        Verdict => finding.verdict.as_str().to_owned(),
        Server => fit(&clean(&finding.instance.server), 32),
        User => clean(&scene.user_of(finding)),
        Client => client(finding),
        Pid => finding.instance.root.pid().to_string(),
        Age => age(finding),
        Rss => show_size(finding.rss),
        Swap | Cpu | Ports | Tty | Session => more(finding, *cell).unwrap_or_else(|| "-".to_owned()),
        Why => clean(&why(scene, finding, cells)),
    };
    cells.iter().map(text).collect()
}

/// The reason, with why the instance is withheld, and with the client and the ports if no column has them.
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

/// `holds port 3000` or `holds ports 3000, 9222`, for people who want to free a port. `None` if it holds none.
fn holds(sockets: &[&Listener]) -> Option<String> {
    let ports: Vec<&Listener> = sockets.iter().copied().filter(|socket| is_port(socket)).collect();
    Some(format!("holds {}", called("port", &ports)?))
}

/// [`holds`] with all its other sockets: `holds port 3000 and socket unix:/run/x.sock`.
pub(super) fn holds_all(sockets: &[&Listener]) -> Option<String> {
    let (ports, others): (Vec<&Listener>, Vec<&Listener>) =
        sockets.iter().partition(|socket| is_port(socket));
    let parts: Vec<String> =
        [called("port", &ports), called("socket", &others)].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("holds {}", parts.join(" and ")))
}

fn is_port(socket: &Listener) -> bool {
    matches!(socket, Listener::Tcp(_))
}

fn called(what: &str, some: &[&Listener]) -> Option<String> {
    let plural = if some.len() == 1 { "" } else { "s" };
    (!some.is_empty()).then(|| format!("{what}{plural} {}", list(some)))
}

/// The content of an optional column; `None` if the instance has none or it is not known.
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
        Verdict | Server | User | Client | Pid | Age | Rss | Why => None,
    }
}

/// The beginning of a conversation's id, as `git` shortens ids, and whether it is the newest.
fn session(conversation: &Conversation) -> String {
    let id = clean(&conversation.id);
    let short = if id.contains(' ') { fit(&id, 16) } else { id.chars().take(8).collect() };
    if conversation.newest { format!("{short} newest") } else { short }
}
