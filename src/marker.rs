//! The marker that a server under `exec` carries, with all that it starts: whose it is, and who watches over it.
//!
//! `MCP_REAP_EXEC=<root pid>,<start>,<id>`. The id names the stdin that the guardian watches (`p` a pipe,
//! `s` a socket, its inode; `-` for one that is not watched) and ends with a number of its own:
//! `p81234.9f3c21d0`.

use std::fmt;

use crate::bytes::{Argv, to_text};
use crate::process::{Pid, ProcessId, ProcessRecord, StartTime, StdioKind};
use crate::tree::Tree;

/// The variable's name.
pub const VARIABLE: &str = "MCP_REAP_EXEC";

/// What is in the variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The process that `exec` became.
    pub root: ProcessId,
    /// Of this one start, also the value of the label of its container.
    pub id: String,
}

impl Marker {
    /// A new marker for a process and the stdin it has.
    pub fn new(root: ProcessId, stdin: Option<WireId>, salt: u32) -> Marker {
        let wire = stdin.map_or_else(|| "-".to_owned(), |wire| wire.to_string());
        Marker { root, id: format!("{wire}.{salt:08x}") }
    }

    /// Reads the variable; `None` for anything that `exec` did not write.
    pub fn parse(value: &str) -> Option<Marker> {
        let mut words = value.splitn(3, ',');
        let pid = words.next()?.parse().ok().map(Pid)?;
        let start = words.next()?.parse().ok().map(StartTime)?;
        let id = words.next().filter(|id| is_plain(id))?;
        Some(Marker { root: ProcessId { pid, start }, id: id.to_owned() })
    }

    /// The marker in the environment of a process, where that was read.
    pub fn of(record: &ProcessRecord) -> Option<Marker> {
        record.env_var(VARIABLE).and_then(Marker::parse)
    }

    /// The marker in an environment, each variable ended by a zero.
    pub fn in_environment(bytes: &[u8]) -> Option<Marker> {
        let value = |word: &[u8]| {
            let value = word.strip_prefix(VARIABLE.as_bytes())?.strip_prefix(b"=")?;
            Marker::parse(std::str::from_utf8(value).ok()?)
        };
        bytes.split(|byte| *byte == 0).find_map(value)
    }

    /// The marker of the server that a guardian with this command line watches; `None` for any other program.
    pub fn of_guardian(argv: &Argv) -> Option<Marker> {
        let mut words = argv.iter();
        if words.next() != Some(b"mcp-reap") || words.next() != Some(b"guard") {
            return None;
        }
        let words: Vec<_> = words.map(to_text).collect();
        let get = |key: &str| words.iter().find_map(|word| word.strip_prefix(key));
        let (root, _) = get("root=")?.split_once(':')?;
        let (pid, start) = root.split_once('@')?;
        let root = ProcessId { pid: Pid(pid.parse().ok()?), start: StartTime(start.parse().ok()?) };
        get("marker=").filter(|id| is_plain(id)).map(|id| Marker { root, id: id.to_owned() })
    }

    /// Does a guardian of this server live, or may one? `carrier` is a process of the server, and a process of the same
    /// user that started later and hides its command line may be any.
    pub fn is_guarded(&self, carrier: &ProcessRecord, tree: &Tree<'_>) -> bool {
        let may_watch = |record: &ProcessRecord| match &record.argv {
            Some(argv) => Marker::of_guardian(argv).as_ref() == Some(self),
            // Of the kernel's threads, whose parent is pid 2, none has a command line.
            None => {
                let same_user = record.uid.is_none() || record.uid == carrier.uid;
                same_user && record.id.start >= self.root.start && record.parent != Pid(2)
            }
        };
        tree.living().any(may_watch)
    }

    /// Is the process that `exec` became alive? Another process with its number is not it.
    pub fn root_lives(&self, tree: &Tree<'_>) -> bool {
        tree.get(self.root.pid).is_some_and(|record| record.id == self.root && !record.is_zombie())
    }

    /// Does this process have the stdin that the guardian was given to watch?
    pub fn is_on_the_wire(&self, record: &ProcessRecord) -> bool {
        let Some(stdio) = &record.details.stdio else { return false };
        let wire = match stdio.stdin_kind {
            StdioKind::Pipe => stdio.stdin_id.map(WireId::Pipe),
            StdioKind::Socket => stdio.stdin_id.map(WireId::Socket),
            _ => None,
        };
        self.names(wire)
    }

    /// Was the process that `exec` became given a stdin that hangs up?
    pub fn is_on_a_wire(&self) -> bool {
        !self.id.starts_with('-')
    }

    /// Does its guardian watch exactly this stdin?
    pub fn names(&self, stdin: Option<WireId>) -> bool {
        stdin.is_some() && stdin == WireId::of_id(&self.id)
    }
}

/// Letters that need no quoting anywhere, in a label of a container least of all.
fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b))
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.root.pid, self.root.start.0, self.id)
    }
}

/// A stdin that can hang up, by its inode. Pipes and sockets have one numbering each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireId {
    /// A pipe without a name.
    Pipe(u64),
    /// A socket.
    Socket(u64),
}

impl WireId {
    /// The stdin that a marker's id names.
    pub fn of_id(id: &str) -> Option<WireId> {
        let (wire, _) = id.split_once('.')?;
        let number = |digits: &str| digits.parse().ok();
        match wire.split_at_checked(1)? {
            ("p", inode) => number(inode).map(WireId::Pipe),
            ("s", inode) => number(inode).map(WireId::Socket),
            _ => None,
        }
    }
}

impl fmt::Display for WireId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WireId::Pipe(inode) => write!(f, "p{inode}"),
            WireId::Socket(inode) => write!(f, "s{inode}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read_and_anything_else_is_no_marker() {
        let root = ProcessId { pid: Pid(4242), start: StartTime(881) };
        let marker = Marker::new(root, Some(WireId::Pipe(77)), 0x9f3c);
        assert_eq!(marker.to_string(), "4242,881,p77.00009f3c");
        assert_eq!(Marker::parse(&marker.to_string()), Some(marker));
        for wrong in ["", "1", "1,2", "x,2,p1.0", "1,y,p1.0", "1,2,", "1,2,a b", "1,2,a,b", "1,2,$(id)"] {
            assert_eq!(Marker::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn in_an_environment_only_the_variable_itself_is_a_marker() {
        let of = |text: &str| Marker::in_environment(text.as_bytes()).map(|marker| marker.root.pid.0);
        assert_eq!(of("HOME=/h\0MCP_REAP_EXEC=42,881,p7.0\0A=b\0"), Some(42));
        for none in ["", "A=MCP_REAP_EXEC=42,881,p7.0\0", "MCP_REAP_EXEC_X=42,881,p7.0\0", "MCP_REAP_EXEC\0"]
        {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn a_guardian_is_known_by_its_command_line_and_only_for_its_own_server() {
        let marker = Marker { root: ProcessId { pid: Pid(4242), start: StartTime(881) }, id: "p7.0".into() };
        let of = |line: &str| Marker::of_guardian(&line.split(' ').collect());
        let line = "mcp-reap guard root=4242@881:5 client=1:6 ready=8 marker=p7.0 stdin=7";
        assert_eq!(of(line), Some(marker));
        for other in [
            "mcp-reap list root=4242@881:5 marker=p7.0",
            "vim guard root=4242@881:5 marker=p7.0",
            "mcp-reap guard root=4242:5 marker=p7.0",
            "mcp-reap guard root=4242@881:5",
            "mcp-reap guard",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn only_the_very_same_stdin_is_named() {
        let root = ProcessId { pid: Pid(1), start: StartTime(1) };
        let of = |wire| Marker::new(root, wire, 7);
        assert!(of(Some(WireId::Pipe(77))).names(Some(WireId::Pipe(77))));
        for (marker, stdin) in [
            (of(Some(WireId::Pipe(77))), Some(WireId::Pipe(7))),
            (of(Some(WireId::Pipe(77))), Some(WireId::Socket(77))),
            (of(Some(WireId::Pipe(77))), None),
            (of(None), None),
            (of(None), Some(WireId::Pipe(77))),
        ] {
            assert!(!marker.names(stdin), "{marker} {stdin:?}");
        }
        assert!(of(Some(WireId::Socket(7))).is_on_a_wire() && !of(None).is_on_a_wire());
        for none in ["", "p77", "-.0", "p.0", "x7.0", ".0", "\u{e4}7.0"] {
            assert_eq!(WireId::of_id(none), None, "{none}");
        }
    }
}
