//! What `exec` hands to its guardian: numbers only, because anybody can read a command line.

use std::time::Duration;

use crate::process::{Pid, ProcessId, StartTime};

/// In place of a descriptor: the client was gone already, or cannot be watched.
pub const CLIENT_GONE: i32 = -1;

/// One guardian's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The process to guard, which becomes the server.
    pub root: ProcessId,
    /// A pidfd of it.
    pub root_fd: i32,
    /// The client's number; 0 for one outside this PID namespace.
    pub client: u32,
    /// A pidfd of it, or [`CLIENT_GONE`].
    pub client_fd: i32,
    /// A duplicate of the server's stdin; `None` where nothing hangs up there.
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

impl Ticket {
    /// `mcp-reap guard root=4242@881:5 ...`
    #[must_use]
    pub fn command_line(&self) -> Vec<String> {
        let mut line = vec![
            "mcp-reap".to_owned(),
            "guard".to_owned(),
            format!("root={}@{}:{}", self.root.pid, self.root.start.0, self.root_fd),
            format!("client={}:{}", self.client, self.client_fd),
            format!("ready={}", self.ready_fd),
            format!("marker={}", self.marker),
        ];
        line.extend(self.stdin_fd.map(|fd| format!("stdin={fd}")));
        line.extend(self.linger.map(|linger| format!("linger={}", linger.as_millis())));
        line.extend(self.engine.as_ref().map(|engine| format!("engine={engine}")));
        line
    }

    /// Reads the words after `guard`; `None` for anything that `exec` did not write.
    #[must_use]
    pub fn parse(words: &[String]) -> Option<Ticket> {
        let get = |key: &str| words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        let (root, root_fd) = get("root")?.split_once(':')?;
        let (pid, start) = root.split_once('@')?;
        let (client, client_fd) = get("client")?.split_once(':')?;
        let optional = |key: &str| match get(key) {
            Some(text) => text.parse::<u64>().ok().map(Some),
            None => Some(None),
        };
        Some(Ticket {
            root: ProcessId { pid: Pid(pid.parse().ok()?), start: StartTime(start.parse().ok()?) },
            root_fd: root_fd.parse().ok()?,
            client: client.parse().ok()?,
            client_fd: client_fd.parse().ok()?,
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

    #[test]
    fn a_guardian_reads_what_it_was_given_and_nothing_that_is_cut() {
        let mut ticket = Ticket {
            root: ProcessId { pid: Pid(4242), start: StartTime(881) },
            root_fd: 5,
            client: 4100,
            client_fd: 6,
            stdin_fd: Some(7),
            ready_fd: 8,
            marker: "p77.0000002a".into(),
            linger: Some(Duration::from_millis(1500)),
            engine: Some("podman".into()),
        };
        let line = ticket.command_line();
        assert_eq!(line[..3], ["mcp-reap", "guard", "root=4242@881:5"]);
        assert_eq!(Ticket::parse(&line[2..]), Some(ticket.clone()));
        ticket = Ticket { client_fd: CLIENT_GONE, stdin_fd: None, linger: None, engine: None, ..ticket };
        assert_eq!(Ticket::parse(&ticket.command_line()[2..]), Some(ticket));
        for missing in 2..6 {
            let mut cut = line.clone();
            cut.remove(missing);
            assert_eq!(Ticket::parse(&cut[2..]), None, "without {}", line[missing]);
        }
        assert_eq!(Ticket::parse(&[]), None);
    }
}
