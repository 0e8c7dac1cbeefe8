//! Served channels: the ways other than the wire by which an outside process can talk to an instance.

use super::proof::Answer;
use crate::instance::Instance;
use crate::look::Look;
use crate::process::{Listener, Pid, ProcessRecord, StdioKind};

/// The channels of an instance's launchers and servers. A socket of a helper (a browser's debugging port) does not count,
/// because it is for its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Channels {
    /// What it serves on.
    pub(super) listening: Vec<Listener>,
    /// Connections from outside the instance.
    pub(super) connected: u32,
    /// The processes at the other ends of these connections, where they could be named.
    pub(super) callers: Vec<Pid>,
    /// Holders of a connection that a member opened: its owner, an ancestor or a client.
    pub(super) talks_to: Vec<Pid>,
    /// The transport that its command line announces, or the socket that makes it a daemon.
    pub(super) announced: Option<String>,
    /// Listening sockets or connections could not be read.
    pub(super) unread: bool,
    /// There is a terminal on 0 or 1 whose master is held by an unknown process.
    pub(super) terminal: bool,
}

impl Channels {
    /// The channels that the members serve. `counterpart` tells whether a process is the owner, an ancestor or a client.
    pub(super) fn of(
        instance: &Instance<'_>,
        look: &Look<'_>,
        counterpart: impl Fn(Pid) -> bool,
    ) -> Channels {
        let chain: Vec<&ProcessRecord> = instance.launchers_and_servers().collect();
        let mut channels = Channels {
            listening: Vec::new(),
            connected: 0,
            callers: Vec::new(),
            talks_to: Vec::new(),
            announced: None,
            unread: false,
            terminal: false,
        };
        for record in &chain {
            let details = &record.details;
            match &details.listening {
                Some(listening) => channels.listening.extend(listening.iter().cloned()),
                None => channels.unread = true,
            }
            let outside = details.outbound_peers.iter().filter(|pid| !instance.contains(**pid));
            channels.talks_to.extend(outside.copied().filter(|pid| counterpart(*pid)));
            if let Some(stdio) = &details.stdio {
                let kinds = [stdio.stdin_kind, stdio.stdout_kind()];
                channels.terminal |= kinds.contains(&StdioKind::Tty);
            }
        }
        channels.count_connections(instance, &chain);
        channels.listening.sort_unstable();
        channels.listening.dedup();
        channels.callers.sort_unstable();
        channels.callers.dedup();
        channels.talks_to.sort_unstable();
        channels.talks_to.dedup();
        channels.announced = announced(instance, &chain, look, &channels.listening);
        channels
    }

    /// Counts the connections that any member serves, because a worker may have taken them from its server. Connections
    /// between members (a server and its browser) do not count. A helper that could not be read (a browser's sandboxed
    /// process) is taken to serve nobody.
    fn count_connections(&mut self, instance: &Instance<'_>, chain: &[&ProcessRecord]) {
        for record in instance.members.iter().map(|member| member.record) {
            let details = &record.details;
            let (inside, outside): (Vec<Pid>, Vec<Pid>) =
                details.connected_peers.iter().partition(|pid| instance.contains(**pid));
            self.callers.extend(outside);
            match details.connected {
                Some(count) => {
                    let inside = u32::try_from(inside.len()).unwrap_or(u32::MAX);
                    self.connected = self.connected.saturating_add(count.saturating_sub(inside));
                }
                None => self.unread |= chain.iter().any(|member| member.pid() == record.pid()),
            }
        }
    }

    /// Is an outside process connected?
    pub(super) fn live(&self) -> Answer<()> {
        if self.connected > 0 || !self.talks_to.is_empty() {
            Answer::Yes(())
        } else if self.unread {
            Answer::Unread
        } else {
            Answer::No
        }
    }

    /// Does it serve on anything?
    pub(super) fn serves(&self) -> Answer<()> {
        if !self.listening.is_empty() || self.announced.is_some() || self.connected > 0 {
            Answer::Yes(())
        } else if self.unread {
            Answer::Unread
        } else {
            Answer::No
        }
    }
}

/// The evidence that makes it a daemon: an HTTP transport in its command line together with a listening TCP port, a
/// published container port, or any listening socket other than TCP.
fn announced(
    instance: &Instance<'_>,
    chain: &[&ProcessRecord],
    look: &Look<'_>,
    listening: &[Listener],
) -> Option<String> {
    // A browser's debugging port was for its server, which is gone.
    if instance.is_left_over() {
        return None;
    }
    if let Some(socket) = listening.iter().find(|listener| matches!(listener, Listener::Other(_))) {
        return Some(socket.to_string());
    }
    // A worker that runs the same program as the server may be the one that listens.
    let program = |record: &ProcessRecord| look.resolution(record).name().map(str::to_owned);
    let programs: Vec<String> = chain.iter().filter_map(|record| program(record)).collect();
    let works = |record: &&ProcessRecord| program(record).is_some_and(|name| programs.contains(&name));
    let workers = instance.members.iter().map(|member| member.record).filter(works);
    let of_workers = workers.filter_map(|record| record.details.listening.as_ref()).flatten();
    let ports: Vec<u16> = listening
        .iter()
        .chain(of_workers)
        .filter_map(|listener| match listener {
            Listener::Tcp(port) => Some(*port),
            Listener::Other(_) => None,
        })
        .collect();
    chain.iter().find_map(|record| look.catalog.announced_transport(record, &look.resolution(record), &ports))
}
