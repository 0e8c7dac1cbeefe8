//! Writes evidence in full sentences.

use super::figures::list;
use crate::catalog::{Basis, Rule};
use crate::classify::{Adoption, Evidence, Proof, WireState};
use crate::process::{Pid, Service, StdioKind};
use crate::units::{show_duration, show_size};

/// Whether a piece of evidence speaks for or against ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaning {
    /// It speaks for ending.
    For,
    /// It speaks for leaving alone.
    Against,
    /// It only describes the instance.
    Neutral,
}

/// Whether this piece of evidence speaks for or against ending.
pub(crate) fn leaning(evidence: &Evidence) -> Leaning {
    use Evidence as E;
    match evidence {
        E::Identified { .. }
        | E::NoWire { .. }
        | E::Wire { state: WireState::Absent, .. }
        | E::Marked { .. } => Leaning::Neutral,
        E::OwnerGone { .. } | E::Unmanaged { .. } | E::Connected { count: 0, .. } | E::DeadWire { .. } => {
            Leaning::For
        }
        E::Wire { direction, state: WireState::Closed, .. } if *direction != "other" => Leaning::For,
        E::Limit { .. } | E::OrphanedClient { .. } | E::LeftOver => Leaning::For,
        _ => Leaning::Against,
    }
}

/// One piece of evidence as a sentence.
pub(crate) fn sentence(evidence: &Evidence) -> String {
    use Evidence as E;
    match evidence {
        E::Identified { pid, basis } => format!("Process {pid} is known by {}.", known_by(basis)),
        E::OwnerAlive { pid, name } => format!("Its owner {name} ({pid}), the parent of its root, is alive."),
        E::OwnerGone { pid, how } => {
            format!("The process that started it has ended: its parent is now {}.", adopter(*pid, *how))
        }
        E::OwnerUnknown { pid: Pid(0) } => {
            "Its parent is outside this PID namespace, so its owner may be alive.".to_owned()
        }
        E::OwnerUnknown { pid } => format!(
            "Whether its parent {pid} started it or only adopted it is not known: its owner may be alive."
        ),
        E::Managed { manager, unit, main_pid } => {
            format!("{manager} runs it: {main_pid} is the main process of {unit}.")
        }
        E::MaybeManaged { unit } => maybe_managed(unit),
        E::Unmanaged { unit, main_pid: Pid(0) } => {
            format!("It is in the cgroup of {unit}, which has no main process any more: it leaked there.")
        }
        E::Unmanaged { unit, main_pid } => format!(
            "It is in the cgroup of {unit}, but that unit's main process is {main_pid}: it is not managed."
        ),
        E::Wire { direction, state, holders } => wire(direction, *state, holders),
        E::NoWire { stdin } => format!("Its stdin is {}, which says nothing about use.", stdin_kind(*stdin)),
        E::Listening { ports } => format!("It listens on {}.", list(ports)),
        E::Connected { count, pids } => connected(*count, pids),
        E::NetworkUnknown => {
            "Whether it serves on a socket, and who is connected to it, is not known.".to_owned()
        }
        E::TalksTo { pid } => format!("It is connected to {pid}, which started it or is a client."),
        E::Announced { transport } => format!("It is a daemon by what it announces: {transport}."),
        E::DeadWire { proof } => dead_wire(*proof).to_owned(),
        E::Hidden { pid } => format!("What process {pid} is to it is not known: it may be its client."),
        E::UnreadHelper { pid } => unread_helper(*pid),
        E::Allowed { pid, rule, reason } => {
            let why = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("{rule} allows process {pid}{why}.")
        }
        E::Limit { limit, value, bound } => {
            let (value, bound) = (amount(limit, *value), amount(limit, *bound));
            format!("It breaks {limit}: {value}, at most {bound} allowed.")
        }
        E::PersonBelow { pid } => {
            format!("Process {pid} below it belongs to a person: a window, a terminal or an editor.")
        }
        E::Awaited { pid } => format!("The shell {pid} above it may go on only if it ends by itself."),
        E::ClientBelow { pid } => format!("The client {pid} was started below it."),
        E::OrphanedClient { pid } => {
            format!("The process that started the client {pid} has ended, and its stdio is closed.")
        }
        E::Marked { pid, root } => {
            format!("Process {pid} carries the mark of process {root}, which mcp-reap exec started.")
        }
        E::LeftOver => "Only a helper is left; the server that started it is gone.".to_owned(),
    }
}

fn maybe_managed(unit: &str) -> String {
    match unit {
        Service::UNNAMED => "Whether it is a job of launchd is not known; a job is left alone.".to_owned(),
        unit => format!("It is in the cgroup of {unit}, whose main process is not known: {unit} may run it."),
    }
}

fn unread_helper(pid: Pid) -> String {
    format!("What its helper {pid} holds is not known: it may show a window to a person.")
}

fn connected(count: u32, pids: &[Pid]) -> String {
    let open = match count {
        0 => return "Nobody is connected to it.".to_owned(),
        1 => "One connection from outside is open".to_owned(),
        _ => format!("{count} connections from outside are open"),
    };
    if pids.is_empty() { format!("{open}.") } else { format!("{open}: by {}.", list(pids)) }
}

fn adopter(pid: Pid, how: Adoption) -> String {
    match how {
        Adoption::Init => "pid 1, which adopts orphans".to_owned(),
        Adoption::Subreaper => format!("{pid}, a process that adopts orphans"),
        Adoption::StartedLater => format!("{pid}, a process that started later and so must have adopted it"),
    }
}

fn amount(limit: &str, n: u64) -> String {
    match limit {
        "max_rss" => show_size(n),
        "max_age" => show_duration(std::time::Duration::from_secs(n)),
        _ => n.to_string(),
    }
}

fn known_by(basis: &Basis) -> String {
    match basis {
        Basis::Configured { .. } => format!("a client's MCP configuration: {basis}"),
        Basis::Plugin { .. } => format!("a client's plugin folder: {basis}"),
        Basis::Taught { .. } => format!("a [[server]] rule: {basis}"),
        Basis::SharedProfile { .. } | Basis::Environment => format!("its environment: {basis}"),
        Basis::Automated { profile } => format!("the profile folder {profile} of a browser without a window"),
        Basis::ActsAsClient { .. } => format!("its stdio: {basis}"),
        Basis::Exec => "the person's word: it was started by mcp-reap exec".to_owned(),
        Basis::Catalog { program, rule } => format!("what it runs: {program}, {}", because(rule)),
    }
}

fn because(rule: &Rule) -> String {
    match rule {
        Rule::Word(word) => format!("for the word \"{word}\" in its name"),
        Rule::Name(_) => "by this name".to_owned(),
        Rule::Scope(scope) => format!("for its scope {scope}"),
        Rule::Image(image) => format!("an image of {image}"),
        Rule::Folder(folder) => format!("for the folder {folder} it lies in"),
        Rule::Option(option) => format!("for the option {option}"),
        Rule::Command(command) => format!("for the command {command}"),
        Rule::Mode(mode) => format!("which is a server as {mode}"),
        Rule::Profile(profile) => format!("for the profile {profile}, which only a server makes"),
        Rule::Script(end) => format!("whose path ends in {end}"),
        // Processes that match these rules are no members of an instance.
        Rule::Client(_) | Rule::ClientPath(_) | Rule::Init(_) | Rule::Supervisor(_) | Rule::Wrapper(_) => {
            format!("by the rule \"{rule}\"")
        }
    }
}

fn dead_wire(proof: Proof) -> &'static str {
    match proof {
        Proof::Closed => "So nobody can talk to it over its stdio any more.",
        Proof::ClientMovedOn => {
            "Only a client that is no ancestor still holds its stdout: that client reconnected or is ending."
        }
        Proof::AmongTheDead => "Those that hold its stdio are unused servers themselves.",
    }
}

fn wire(direction: &str, state: WireState, holders: &[Pid]) -> String {
    let verb = if direction == "stdin" { "writes to" } else { "reads" };
    let hold = if holders.len() == 1 { "holds" } else { "hold" };
    match state {
        WireState::Held if holders.is_empty() => {
            format!("Its {direction} is a terminal, and somebody holds it.")
        }
        WireState::Held if direction == "other" => {
            format!("{} shares a pipe or socket pair with it.", list(holders))
        }
        _ if direction == "other" => {
            "Who shares its pipes and socket pairs beside stdio is not known.".to_owned()
        }
        WireState::Held => format!("{} {hold} the other end of its {direction}.", list(holders)),
        WireState::Closed => format!("Nobody {verb} its {direction}: the other end is closed."),
        WireState::Unknown => {
            format!("Who holds the other end of its {direction} is not known.")
        }
        WireState::Absent => format!("Its {direction} does not leave the instance."),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_is_known_by_is_shown_in_words() {
        let text = |text: &str| text.to_owned();
        let catalog = |program: &str, rule| Basis::Catalog { program: text(program), rule };
        for (basis, sentence) in [
            (
                catalog("mcp-server-notes", Rule::Word(text("mcp"))),
                "what it runs: mcp-server-notes, for the word \"mcp\" in its name",
            ),
            (catalog("@acme/x", Rule::Scope(text("@acme"))), "what it runs: @acme/x, for its scope @acme"),
            (
                catalog("/opt/a (b)/mcp", Rule::Name(text("mcp"))),
                "what it runs: /opt/a (b)/mcp, by this name",
            ),
            (
                Basis::Taught { program: text("notes.py"), pattern: text("notes*") },
                "a [[server]] rule: notes.py (notes*)",
            ),
            (
                Basis::Configured { client: text("cursor"), entry: text("fs") },
                "a client's MCP configuration: fs of cursor",
            ),
            (Basis::SharedProfile { profile: text("/p_") }, "its environment: profile /p_"),
        ] {
            assert_eq!(known_by(&basis), sentence);
        }
    }
}
