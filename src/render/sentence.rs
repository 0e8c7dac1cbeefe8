//! Evidence in full sentences.

use crate::classify::{Adoption, Evidence, WireState};
use crate::process::{Pid, StdioKind};
use crate::units::{show_duration, show_size};

/// Which way a piece of evidence points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaning {
    /// Towards ending.
    For,
    /// Towards leaving alone.
    Against,
    /// Says what it is.
    Neutral,
}

/// One piece of evidence as a sentence, and which way it points.
#[must_use]
pub fn sentence(evidence: &Evidence) -> (Leaning, String) {
    use Leaning::{Against, For, Neutral};
    match evidence {
        Evidence::Identified { pid, by, what } => {
            (Neutral, format!("Process {pid} is known by {}: {}.", source(by), in_words(by, what)))
        }
        Evidence::OwnerAlive { pid, name } => {
            (Against, format!("Its owner {name} ({pid}), the parent of its root, is alive."))
        }
        Evidence::OwnerGone { pid, how } => {
            let how = match how {
                Adoption::Init => "pid 1, which adopts orphans".to_owned(),
                Adoption::Subreaper => format!("{pid}, a process that adopts orphans"),
                Adoption::StartedLater => {
                    format!("{pid}, a process that started later and so must have adopted it")
                }
            };
            (For, format!("Whoever started it has ended: its parent is now {how}."))
        }
        Evidence::OwnerUnknown { pid: Pid(0) } => {
            (Against, "Its parent is outside this PID namespace, so its owner may be alive.".to_owned())
        }
        Evidence::OwnerUnknown { pid } => {
            (Against, format!("Whether its parent {pid} started it and lives is not known."))
        }
        Evidence::Managed { manager, unit, main_pid } => {
            (Against, format!("{manager} runs it: {main_pid} is the main process of {unit}."))
        }
        Evidence::MaybeManaged { unit } => (
            Against,
            format!("It is in the cgroup of {unit}, and that unit's main process could not be asked for."),
        ),
        Evidence::Unmanaged { unit, main_pid: Pid(0) } => (
            For,
            format!("It is in the cgroup of {unit}, which has no main process any more: it leaked there."),
        ),
        Evidence::Unmanaged { unit, main_pid } => (
            For,
            format!(
                "It is in the cgroup of {unit}, but that unit's main process is {main_pid}: it is not managed."
            ),
        ),
        Evidence::Wire { direction, state, holders } => wire(direction, *state, holders),
        Evidence::NoWire { stdin } => {
            (Neutral, format!("Its stdin is {}, which says nothing about use.", stdin_kind(*stdin)))
        }
        Evidence::Listening { ports } => (Against, format!("It listens on {}.", list(ports))),
        Evidence::Connected { count: 0 } => (For, "Nobody is connected to its ports.".to_owned()),
        Evidence::Connected { count } => (Against, format!("{count} connections to its ports are open.")),
        Evidence::NetworkUnknown => (Against, "Its ports or connections could not be read.".to_owned()),
        Evidence::Allowed { pid, rule, reason } => {
            let why = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            (Against, format!("{rule} allows process {pid}{why}."))
        }
        Evidence::Limit { limit, value, bound } => {
            let show = |n: u64| match *limit {
                "max_rss" => show_size(n),
                "max_age" => show_duration(std::time::Duration::from_secs(n)),
                _ => n.to_string(),
            };
            (For, format!("It breaks {limit}: {}, at most {} allowed.", show(*value), show(*bound)))
        }
        Evidence::ClientBelow { pid } => (Against, format!("The client {pid} was started below it.")),
        Evidence::OrphanedClient { pid } => {
            (For, format!("Whoever started the client {pid} has ended, and its stdio is closed."))
        }
        Evidence::LeftOver => (For, "Only a helper is left; the server that started it is gone.".to_owned()),
    }
}

fn source(by: &str) -> &'static str {
    match by {
        "catalog" => "what it runs",
        "rule" => "a [[server]] rule",
        "configured" => "a client's MCP configuration",
        "environment" => "its environment",
        _ => "its parent",
    }
}

/// `mcp-server-notes (word mcp)`, which is the program and the catalog's rule, for people.
fn in_words(by: &str, what: &str) -> String {
    let parts = what.strip_suffix(')').and_then(|what| what.rsplit_once(" ("));
    let Some((program, (kind, value))) =
        parts.and_then(|(program, rule)| Some((program, rule.split_once(' ')?))).filter(|_| by == "catalog")
    else {
        return what.to_owned();
    };
    match kind {
        "word" => format!("{program}, for the word \"{value}\" in its name"),
        "name" => format!("{program}, by this name"),
        "scope" => format!("{program}, for its scope {value}"),
        "image" => format!("{program}, an image of {value}"),
        "folder" => format!("{program}, for the folder {value} it lies in"),
        "option" => format!("{program}, for the option {value}"),
        "command" => format!("{program}, for the command {value}"),
        _ => what.to_owned(),
    }
}

fn wire(direction: &str, state: WireState, holders: &[Pid]) -> (Leaning, String) {
    let verb = if direction == "stdin" { "writes to" } else { "reads" };
    match state {
        WireState::Held => {
            let them = list(holders);
            let hold = if holders.len() == 1 { "holds" } else { "hold" };
            (Leaning::Against, format!("{them} {hold} the other end of its {direction}."))
        }
        WireState::Closed => {
            (Leaning::For, format!("Nobody {verb} its {direction}: the other end is closed."))
        }
        WireState::Unknown => {
            (Leaning::Against, format!("Who holds the other end of its {direction} could not be read."))
        }
        WireState::Absent => (Leaning::Neutral, format!("Its {direction} does not leave the instance.")),
    }
}

fn stdin_kind(kind: StdioKind) -> &'static str {
    match kind {
        StdioKind::Pipe => "a pipe inside the instance",
        StdioKind::Socket => "a socket inside the instance",
        StdioKind::Null => "/dev/null",
        StdioKind::Tty => "a terminal",
        StdioKind::File => "a file",
        StdioKind::Closed => "closed",
        StdioKind::Unknown => "something else",
    }
}

fn list<T: std::fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_the_catalog_is_told_in_words_and_what_is_no_rule_as_it_is() {
        for (by, what, told) in [
            ("catalog", "mcp-server-notes (word mcp)", "mcp-server-notes, for the word \"mcp\" in its name"),
            ("catalog", "@acme/x (scope @acme)", "@acme/x, for its scope @acme"),
            ("catalog", "/opt/a (b)/mcp (name mcp)", "/opt/a (b)/mcp, by this name"),
            ("catalog", "chrome (profile x)", "chrome (profile x)"),
            ("catalog", "plain", "plain"),
            ("rule", "notes.py (word mcp)", "notes.py (word mcp)"),
        ] {
            assert_eq!(in_words(by, what), told);
        }
    }
}
