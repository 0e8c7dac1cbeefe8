//! The last step: finds the holders of the other ends, and writes the result into the row of the process.

use std::rc::Rc;

use super::wire::FdDirection;
use super::{End, Naming, Other, Others, Sight, Way, Wires};
use crate::process::{Details, Listener, Pid, Stdio, StdioKind};

/// The sockets that a process serves on, and the processes that are connected.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::sys) struct FdChannels {
    pub(in crate::sys) listening: Option<Vec<Listener>>,
    pub(in crate::sys) connected: Option<u32>,
    pub(in crate::sys) connected_peers: Vec<Pid>,
    pub(in crate::sys) outbound_peers: Vec<Pid>,
    pub(in crate::sys) display: bool,
    /// Numbers of X displays that it may be connected to over TCP.
    pub(in crate::sys) displays: Vec<u16>,
}

/// What is noted of the descriptors of one process.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sys) struct FdObservation {
    pub(in crate::sys) stdio: Stdio,
    pub(in crate::sys) channels: FdChannels,
}

impl FdObservation {
    /// Puts it together when the holders have been looked for.
    pub(in crate::sys) fn new(
        pid: Pid,
        wires: &Wires,
        others: &Others,
        naming: &mut impl Naming,
    ) -> FdObservation {
        let stdio = moved(pid, wires, others, naming).unwrap_or_else(|| Stdio {
            stdin_kind: wires.stdin.kind,
            stdout_kind: Some(wires.stdout.kind),
            stdin_peers: peers(pid, &wires.stdin, naming),
            stdout_peers: peers(pid, &wires.stdout, naming),
            other_peers: other_peers(pid, others, naming),
            stdin_id: wires.stdin.id,
            stdout_id: wires.stdout.id,
        });
        FdObservation { stdio, channels: channels(pid, others, naming) }
    }

    /// Writes it into a process's row.
    pub(in crate::sys) fn note(self, details: &mut Details) {
        details.stdio = Some(self.stdio);
        details.listening = self.channels.listening;
        details.connected = self.channels.connected;
        details.connected_peers = self.channels.connected_peers;
        details.outbound_peers = self.channels.outbound_peers;
        details.display = self.channels.display;
    }
}

/// Holders of the other end in one direction.
///
/// Returns `None`, not an empty list, if the only holders found are the process itself, processes that share its end, and
/// its descendants. The end is open, so there may be a holder that we cannot see: one that is not dumpable, of another user,
/// outside our PID namespace, or a descriptor in flight between two processes. If every process could be read, all holders
/// are returned, including the process itself (`strace` puts pipes of its own on 0 and 1).
fn peers(pid: Pid, direction: &FdDirection, naming: &mut impl Naming) -> Option<Vec<Pid>> {
    match direction.sight {
        Some(Sight::Closed) => Some(Vec::new()),
        Some(Sight::Unknown) => None,
        Some(Sight::Open { own, other }) => {
            let found = naming.holders_beside(pid, other);
            let sharing = naming.holders_beside(pid, own);
            let insider = |held: &Pid| sharing.contains(held) || naming.is_below(*held, pid);
            if !found.iter().all(insider) {
                return Some(found);
            }
            let all = if naming.sees_everybody() { naming.holders(other) } else { Rc::default() };
            (!all.is_empty()).then(|| all.to_vec())
        }
        None => {
            let masters = naming.masters(direction.terminal?);
            let outside: Vec<Pid> = masters.into_iter().filter(|held| *held != pid).collect();
            (!outside.is_empty()).then_some(outside)
        }
    }
}

/// The processes that hold an end and are neither the process itself nor below it; `None` if no holder was found.
fn outside(pid: Pid, end: End, naming: &mut impl Naming) -> Option<Vec<Pid>> {
    let found = naming.holders(end);
    let is_outside = |held: &Pid| *held != pid && !naming.is_below(*held, pid);
    (!found.is_empty()).then(|| found.iter().copied().filter(is_outside).collect())
}

fn other_peers(pid: Pid, others: &Others, naming: &mut impl Naming) -> Option<Vec<Pid>> {
    let (mut all, mut unread) = (Vec::new(), others.ways_unread);
    for (_, own, other) in &others.ways {
        if is_common_heritage(pid, *own, *other, naming) {
            continue;
        }
        match outside(pid, *other, naming) {
            Some(found) => all.extend(found),
            None => unread = true,
        }
    }
    (!unread).then(|| sorted(all))
}

/// Does a stranger also hold the process's own end? A stranger is neither an ancestor nor a descendant nor a holder of the
/// other end. Then a terminal or a tool left a descriptor open in all processes that ever ran in it, and no process uses it
/// to talk to one of them. pid 1, or another process that adopted this one, counts as a stranger too.
fn is_common_heritage(pid: Pid, own: End, other: End, naming: &mut impl Naming) -> bool {
    let (sharing, beyond) = (naming.holders(own), naming.holders(other));
    let related = |held: Pid| {
        held == pid || naming.is_below(held, pid) || held > Pid::INIT && naming.is_below(pid, held)
    };
    sharing.iter().any(|held| !related(*held) && !beyond.contains(held))
}

/// A wire that was moved away from 0, not in the way of the Python SDK, and is or may be in use: a way in and a way
/// out, each held by a process that is neither this one nor below it.
fn moved(pid: Pid, wires: &Wires, others: &Others, naming: &mut impl Naming) -> Option<Stdio> {
    if !matches!(wires.stdin.kind, StdioKind::Null | StdioKind::Closed) {
        return None;
    }
    let stdout = match wires.stdout.sight {
        Some(Sight::Open { own, other }) => Some((Way::Out, own, other)),
        _ => None,
    };
    let mut held = |wanted: Way| {
        let (mut pids, mut possible, mut id, mut socket) = (Vec::new(), false, None, false);
        for (way, own, other) in others.ways.iter().copied().chain(stdout) {
            if way != wanted {
                continue;
            }
            let found = outside(pid, other, naming);
            if found.as_ref().is_none_or(|found| !found.is_empty()) {
                possible = true;
                socket = matches!(own, End::Socket(_));
                id = Some(own.id());
            }
            pids.extend(found.unwrap_or_default());
        }
        (sorted(pids), possible, id, if socket { StdioKind::Socket } else { StdioKind::Pipe })
    };
    let (stdin, some_in, stdin_id, kind) = held(Way::In);
    let (stdout, some_out, stdout_id, stdout_kind) = held(Way::Out);
    let known = |pids: Vec<Pid>| (!pids.is_empty()).then_some(pids);
    (some_in && some_out).then(|| Stdio {
        stdin_kind: kind,
        stdout_kind: Some(stdout_kind),
        stdin_peers: known(stdin),
        stdout_peers: known(stdout),
        other_peers: (!others.ways_unread).then(Vec::new),
        stdin_id,
        stdout_id,
    })
}

fn channels(pid: Pid, others: &Others, naming: &mut impl Naming) -> FdChannels {
    let (mut connected, mut connected_peers, mut outbound) = (0_u32, Vec::new(), Vec::new());
    for other in &others.served {
        let found = match other {
            Other::Held(id) => outside(pid, End::Socket(*id), naming),
            _ => None,
        };
        match found.as_deref() {
            Some([]) => continue,
            // With several holders, the known one may be a member and an unseen one a stranger.
            Some([one]) => connected_peers.push(*one),
            _ => {}
        }
        connected += 1;
    }
    for id in &others.opened {
        outbound.extend(outside(pid, End::Socket(*id), naming).unwrap_or_default());
    }
    connected_peers.sort_unstable();
    FdChannels {
        listening: (!others.listening_unread).then(|| others.listening.iter().cloned().collect()),
        connected: (!others.served_unread).then_some(connected),
        connected_peers,
        outbound_peers: sorted(outbound),
        display: others.display,
        displays: others.displays.clone(),
    }
}

fn sorted(mut pids: Vec<Pid>) -> Vec<Pid> {
    pids.sort_unstable();
    pids.dedup();
    pids
}
