//! What `exec` hands to its guardian: numbers only, because anybody can read a command line.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::time::Duration;

use crate::process::{Pid, ProcessId, StartTime};

/// How exactly one process is known, beyond its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessHandle {
    /// By a pidfd of it, on this descriptor (Linux).
    Pidfd(i32),
    /// By a number that no other process gets until the machine restarts (macOS).
    Unique(u64),
}

impl fmt::Display for ProcessHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProcessHandle::Pidfd(fd) => write!(f, "{fd}"),
            ProcessHandle::Unique(id) => write!(f, "u{id}"),
        }
    }
}

impl FromStr for ProcessHandle {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<ProcessHandle, ParseIntError> {
        match text.strip_prefix('u') {
            Some(id) => id.parse().map(ProcessHandle::Unique),
            None => text.parse().map(ProcessHandle::Pidfd),
        }
    }
}

/// One guardian's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardArgs {
    /// The process to guard, which becomes the server.
    pub root: ProcessId,
    /// Which one that is.
    pub root_by: ProcessHandle,
    /// The client's number; 0 for one outside this PID namespace.
    pub client: u32,
    /// Which one that is; `None` where it was gone already, or cannot be watched.
    pub client_by: Option<ProcessHandle>,
    /// What tells of a hang-up of the server's stdin: on Linux an epoll instance in which it is registered, on macOS a
    /// duplicate of it. `None` where nothing hangs up there.
    pub stdin_fd: Option<i32>,
    /// Where the guardian says that it watches.
    pub ready_fd: i32,
    /// The marker's id.
    pub marker: String,
    /// How long the client may read on after it closed stdin; `None`: as the configuration says.
    pub linger: Option<Duration>,
    /// The engine whose container carries the label, as it was typed.
    pub engine: Option<String>,
}

impl GuardArgs {
    /// The client had ended before it could be watched. One outside this PID namespace never ends, as far as can be
    /// seen.
    pub fn client_is_gone(&self) -> bool {
        self.client_by.is_none() && self.client != 0
    }

    /// The descriptors that the guardian was given.
    pub fn descriptors(&self) -> Vec<i32> {
        let pidfd = |known: ProcessHandle| match known {
            ProcessHandle::Pidfd(fd) => Some(fd),
            ProcessHandle::Unique(_) => None,
        };
        let known = [Some(self.root_by), self.client_by];
        let pidfds = known.into_iter().flatten().filter_map(pidfd);
        pidfds.chain(self.stdin_fd).chain([self.ready_fd]).collect()
    }

    /// `mcp-reap guard root=4242@881:5 ...`
    pub fn command_line(&self) -> Vec<String> {
        let mut line = vec![
            "mcp-reap".to_owned(),
            "guard".to_owned(),
            format!("root={}@{}:{}", self.root.pid, self.root.start.0, self.root_by),
            format!("client={}:{}", self.client, self.client_by.map_or("-".to_owned(), |by| by.to_string())),
            format!("ready={}", self.ready_fd),
            format!("marker={}", self.marker),
        ];
        line.extend(self.stdin_fd.map(|fd| format!("stdin={fd}")));
        line.extend(self.linger.map(|linger| format!("linger={}", linger.as_millis())));
        line.extend(self.engine.as_ref().map(|engine| format!("engine={engine}")));
        line
    }

    /// Reads the words after `guard`; `None` for anything that `exec` did not write.
    pub fn parse(words: &[String]) -> Option<GuardArgs> {
        let get = |key: &str| words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        let (root, root_by) = get("root")?.split_once(':')?;
        let (pid, start) = root.split_once('@')?;
        let (client, client_by) = get("client")?.split_once(':')?;
        let optional = |key: &str| match get(key) {
            Some(text) => text.parse::<u64>().ok().map(Some),
            None => Some(None),
        };
        Some(GuardArgs {
            root: ProcessId { pid: Pid(pid.parse().ok()?), start: StartTime(start.parse().ok()?) },
            root_by: root_by.parse().ok()?,
            client: client.parse().ok()?,
            client_by: if client_by == "-" { None } else { Some(client_by.parse().ok()?) },
            stdin_fd: optional("stdin")?.map(i32::try_from).transpose().ok()?,
            ready_fd: get("ready")?.parse().ok()?,
            marker: get("marker")?.to_owned(),
            linger: optional("linger")?.map(Duration::from_millis),
            engine: get("engine").map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::marker::Marker;

    #[test]
    fn a_guardian_reads_what_it_was_given_and_nothing_that_is_cut() {
        let mut args = GuardArgs {
            root: ProcessId { pid: Pid(4242), start: StartTime(881) },
            root_by: ProcessHandle::Pidfd(5),
            client: 4100,
            client_by: Some(ProcessHandle::Pidfd(6)),
            stdin_fd: Some(7),
            ready_fd: 8,
            marker: "p77.0000002a".into(),
            linger: Some(Duration::from_millis(1500)),
            engine: Some("podman".into()),
        };
        let line = args.command_line();
        assert_eq!(line[..3], ["mcp-reap", "guard", "root=4242@881:5"]);
        assert_eq!(GuardArgs::parse(&line[2..]), Some(args.clone()));
        let marker = Marker { root: args.root, id: args.marker.clone() };
        assert_eq!(Marker::of_guardian(&line.iter().collect()), Some(marker), "for who looks from outside");
        assert_eq!((args.descriptors(), args.client_is_gone()), (vec![5, 6, 7, 8], false));
        args = GuardArgs { client_by: None, stdin_fd: None, linger: None, engine: None, ..args };
        assert_eq!(GuardArgs::parse(&args.command_line()[2..]), Some(args.clone()));
        assert_eq!((args.descriptors(), args.client_is_gone()), (vec![5, 8], true));
        assert!(!GuardArgs { client: 0, ..args.clone() }.client_is_gone(), "outside this PID namespace");
        let (root_by, client_by) = (ProcessHandle::Unique(77), Some(ProcessHandle::Unique(1)));
        args = GuardArgs { root_by, client_by, ..args };
        assert_eq!(args.command_line()[2..4], ["root=4242@881:u77", "client=4100:u1"]);
        assert_eq!(GuardArgs::parse(&args.command_line()[2..]), Some(args.clone()));
        assert_eq!(args.descriptors(), [8]);
        for missing in 2..6 {
            let mut cut = line.clone();
            cut.remove(missing);
            assert_eq!(GuardArgs::parse(&cut[2..]), None, "without {}", line[missing]);
        }
        assert_eq!(GuardArgs::parse(&[]), None);
    }
}
