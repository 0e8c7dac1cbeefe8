//! The arguments that `exec` gives to its guardian. Of the server's command they contain only a container engine, because
//! every user can read a command line.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::time::Duration;

use crate::process::{Pid, ProcessId, StartTime};

/// Identifies one process, beyond its pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessHandle {
    /// The descriptor of its pidfd (Linux).
    Pidfd(i32),
    /// A number that no other process gets until the machine restarts (macOS).
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

/// The arguments of a guardian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardArgs {
    /// The process to guard, which becomes the server.
    pub root: ProcessId,
    /// The handle of that process.
    pub root_handle: ProcessHandle,
    /// The client's pid; 0 for a client outside this PID namespace.
    pub client: u32,
    /// The handle of the client; `None` if it had ended already, or cannot be watched.
    pub client_handle: Option<ProcessHandle>,
    /// On Linux an epoll instance in which the server's stdin is registered, on macOS a duplicate of that stdin. `None` for
    /// a stdin that never hangs up.
    pub stdin_fd: Option<i32>,
    /// The pipe on which the guardian reports that it watches.
    pub ready_fd: i32,
    /// The marker's id.
    pub marker: String,
    /// How long the client may still read after it closed stdin; `None` for the time in the configuration.
    pub linger: Option<Duration>,
    /// The engine that runs the labelled container, as it was typed; `None` without a container.
    pub engine: Option<String>,
}

impl GuardArgs {
    /// Had the client ended before it could be watched? A client outside this PID namespace counts as one that never ends.
    pub fn client_is_gone(&self) -> bool {
        self.client_handle.is_none() && self.client != 0
    }

    /// The descriptors that are passed to the guardian.
    pub fn descriptors(&self) -> Vec<i32> {
        let pidfd = |known: ProcessHandle| match known {
            ProcessHandle::Pidfd(fd) => Some(fd),
            ProcessHandle::Unique(_) => None,
        };
        let known = [Some(self.root_handle), self.client_handle];
        let pidfds = known.into_iter().flatten().filter_map(pidfd);
        pidfds.chain(self.stdin_fd).chain([self.ready_fd]).collect()
    }

    /// `mcp-reap guard root=4242@881:5 ...`
    pub fn command_line(&self) -> Vec<String> {
        let mut line = vec![
            "mcp-reap".to_owned(),
            "guard".to_owned(),
            format!("root={}@{}:{}", self.root.pid, self.root.start.0, self.root_handle),
            format!(
                "client={}:{}",
                self.client,
                self.client_handle.map_or("-".to_owned(), |by| by.to_string())
            ),
            format!("ready={}", self.ready_fd),
            format!("marker={}", self.marker),
        ];
        line.extend(self.stdin_fd.map(|fd| format!("stdin={fd}")));
        line.extend(self.linger.map(|linger| format!("linger={}", linger.as_millis())));
        line.extend(self.engine.as_ref().map(|engine| format!("engine={engine}")));
        line
    }

    /// Parses the words after `guard`; `None` for words that [`GuardArgs::command_line`] did not write.
    pub fn parse(words: &[String]) -> Option<GuardArgs> {
        let get = |key: &str| words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        let (root, root_handle) = get("root")?.split_once(':')?;
        let (pid, start) = root.split_once('@')?;
        let (client, client_handle) = get("client")?.split_once(':')?;
        let optional = |key: &str| match get(key) {
            Some(text) => text.parse::<u64>().ok().map(Some),
            None => Some(None),
        };
        Some(GuardArgs {
            root: ProcessId { pid: Pid(pid.parse().ok()?), start: StartTime(start.parse().ok()?) },
            root_handle: root_handle.parse().ok()?,
            client: client.parse().ok()?,
            client_handle: if client_handle == "-" { None } else { Some(client_handle.parse().ok()?) },
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
            root_handle: ProcessHandle::Pidfd(5),
            client: 4100,
            client_handle: Some(ProcessHandle::Pidfd(6)),
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
        args = GuardArgs { client_handle: None, stdin_fd: None, linger: None, engine: None, ..args };
        assert_eq!(GuardArgs::parse(&args.command_line()[2..]), Some(args.clone()));
        assert_eq!((args.descriptors(), args.client_is_gone()), (vec![5, 8], true));
        assert!(!GuardArgs { client: 0, ..args.clone() }.client_is_gone(), "outside this PID namespace");
        let (root_handle, client_handle) = (ProcessHandle::Unique(77), Some(ProcessHandle::Unique(1)));
        args = GuardArgs { root_handle, client_handle, ..args };
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
