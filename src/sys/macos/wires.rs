//! Turns the descriptors of processes, which `fds.rs` has read, into the answers that [`crate::sys::descriptors`] asks for. It
//! reads nothing itself.

mod connections;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::rc::Rc;

pub(super) use connections::Connections;
use connections::is_here;

use super::layout::{FdTarget, Tcp, Unix};
use crate::process::{Listener, Pid};
use crate::sys::descriptors::{
    Access, Answers, Connection, Display, End, Naming, Object, Origin, Other, Row, Sight, Socket, Way,
    is_display, is_runtimes_own, unix_listener,
};
use crate::tree::Tree;

/// The descriptors of one process by number.
pub(super) type Fds = BTreeMap<u32, Fd>;

/// One descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fd {
    pub(super) target: FdTarget,
    pub(super) closes_on_exec: Option<bool>,
}

/// The ports that the kernel chooses for a program that asks for none: IPPORT_HIFIRSTAUTO to IPPORT_HILASTAUTO of
/// netinet/in.h, unless `net.inet.ip.portrange` was changed.
const LOCAL_PORTS: RangeInclusive<u16> = 49152..=65535;

/// The objects of these descriptors.
pub(super) fn targets(fds: &Fds) -> impl Iterator<Item = &FdTarget> {
    fds.values().map(|held| &held.target)
}

/// The descriptors as rows for [`crate::sys::descriptors`].
pub(super) fn rows(fds: &Fds) -> Vec<Row> {
    fds.iter().map(|(fd, held)| (*fd, object(&held.target))).collect()
}

fn object(target: &FdTarget) -> Object {
    match target {
        FdTarget::Pipe { own, peer, .. } => Object::Pipe(pipe_id(*own, *peer)),
        FdTarget::Unix(unix) => Object::Socket(unix.own),
        FdTarget::Connected(tcp) | FdTarget::Calling(tcp) => Object::Socket(tcp.own),
        FdTarget::Plain(object) => *object,
        // These have no known number, and none is asked for. The port stands in for it; it is too small to be a kernel
        // address.
        FdTarget::Listening(port) => Object::Socket(u64::from(*port)),
        FdTarget::Datagrams { own, .. } => Object::Socket(*own),
        FdTarget::Opaque(_) | FdTarget::Idle => Object::Socket(1 << 18),
    }
}

/// The number of a pipe: each end has a handle of its own, and the smaller one is used for both.
fn pipe_id(own: u64, peer: u64) -> u64 {
    if peer == 0 { own } else { own.min(peer) }
}

/// The answers about one process.
pub(super) struct Asked<'a> {
    pub(super) fds: &'a Fds,
    pub(super) connections: &'a Connections,
}

impl Answers for Asked<'_> {
    fn access(&mut self, fd: u32) -> Option<Access> {
        match self.fds.get(&fd)?.target {
            FdTarget::Pipe { writes, .. } => Some(Access { read: !writes, write: writes }),
            _ => None,
        }
    }

    fn pipe(&mut self, fd: u32, id: u64, way: Way) -> Sight {
        let Some(Fd { target: FdTarget::Pipe { peer, writes, .. }, .. }) = self.fds.get(&fd) else {
            return Sight::Unknown;
        };
        match (way, writes, peer) {
            // This end of the pipe goes in the other direction.
            (Way::In, true, _) | (Way::Out, false, _) => Sight::Unknown,
            (_, _, 0) => Sight::Closed,
            (Way::In, ..) => Sight::Open { own: End::Reader(id), other: End::Writer(id) },
            (Way::Out, ..) => Sight::Open { own: End::Writer(id), other: End::Reader(id) },
        }
    }

    fn socket(&mut self, fd: u32, _: u64) -> Socket {
        let Some(held) = self.fds.get(&fd) else { return Socket::Unread };
        let other = |name: String| Listener::Other(name);
        match &held.target {
            FdTarget::Unix(socket) => unix(socket, self.connections),
            FdTarget::Listening(port) => Socket::Serves { name: Listener::Tcp(*port), waiting: Vec::new() },
            FdTarget::Connected(tcp) => self.tcp(tcp),
            FdTarget::Calling(udp) => self.calling(udp),
            FdTarget::Datagrams { own, port } => {
                let waiting = self.connections.callers(*own, *port);
                // A port that the kernel chose is a channel only if a client knows and uses it.
                if waiting.is_empty() && LOCAL_PORTS.contains(port) {
                    Socket::Nothing
                } else {
                    Socket::Serves { name: other(format!("udp:{port}")), waiting }
                }
            }
            FdTarget::Opaque(name) => Socket::Opaque(other((*name).to_owned())),
            FdTarget::Idle => Socket::Nothing,
            _ => Socket::Unread,
        }
    }

    fn closes_on_exec(&mut self, fd: u32) -> Option<bool> {
        self.fds.get(&fd)?.closes_on_exec
    }
}

impl Asked<'_> {
    /// A TCP connection.
    fn tcp(&self, tcp: &Tcp) -> Socket {
        let (local, remote) = (tcp.local.port, tcp.remote.port);
        let listens = |port| self.fds.values().any(|held| held.target == FdTarget::Listening(port));
        let origin = match (LOCAL_PORTS.contains(&local), LOCAL_PORTS.contains(&remote)) {
            _ if listens(local) => Origin::Accepted,
            (false, _) => Origin::Accepted,
            (true, false) => Origin::Opened,
            (true, true) => Origin::Unknown,
        };
        Socket::Connected(Connection::inet(
            tcp.own,
            self.connections.other(tcp),
            origin,
            Display::of_port(remote),
        ))
    }

    /// A connected UDP socket. Its other side is a client if its own port was chosen for it, and otherwise a server.
    fn calling(&self, udp: &Tcp) -> Socket {
        let (other, sure) = self.connections.called(udp);
        let origin = match (LOCAL_PORTS.contains(&udp.local.port), sure) {
            (false, _) => Origin::Accepted,
            (true, true) => Origin::Opened,
            (true, false) => Origin::Unknown,
        };
        Socket::Connected(Connection::inet(udp.own, other, origin, Display::No))
    }
}

fn unix(socket: &Unix, connections: &Connections) -> Socket {
    let (named, called) = (!socket.name.is_empty(), !socket.peer_name.is_empty());
    let shut = !socket.hears && !socket.speaks;
    if is_runtimes_own(&socket.name) {
        return Socket::Nothing;
    }
    if named && socket.listens {
        return Socket::Serves { name: unix_listener(&socket.name), waiting: Vec::new() };
    }
    if named && socket.datagrams {
        return Socket::Serves { name: unix_listener(&socket.name), waiting: connections.peers(socket) };
    }
    // Never connected.
    if socket.peer == 0 && !shut {
        return Socket::Nothing;
    }
    Socket::Connected(Connection {
        own: socket.own,
        // When the other side closes, both halves are shut (soisdisconnected in xnu's uipc_socket2.c).
        other: if socket.peer == 0 { Other::Gone } else { Other::Held(socket.peer) },
        origin: match (named, called) {
            (true, _) => Origin::Accepted,
            (false, true) => Origin::Opened,
            (false, false) => Origin::Pair,
        },
        unix: true,
        hears: socket.hears,
        speaks: socket.speaks,
        display: if is_display(&socket.peer_name) { Display::Yes } else { Display::No },
    })
}

/// Must the descriptors of all other processes be read? They must if the other end of any of these descriptors is open and
/// may be on this machine, to find its holder; and for a socket that receives datagrams, to find connected clients.
pub(super) fn is_open(fds: &Fds) -> bool {
    fds.values().any(|held| match &held.target {
        FdTarget::Pipe { peer, .. } => *peer != 0,
        FdTarget::Unix(unix) => unix.peer != 0 || unix.datagrams && !unix.name.is_empty(),
        FdTarget::Connected(tcp) | FdTarget::Calling(tcp) => is_here(tcp),
        FdTarget::Datagrams { port, .. } => !LOCAL_PORTS.contains(port),
        _ => false,
    })
}

/// The holders of all ends, over all processes that could be read.
pub(super) struct Holders<'a> {
    by_end: BTreeMap<End, Vec<Pid>>,
    tree: Tree<'a>,
}

impl<'a> Holders<'a> {
    pub(super) fn new(tree: Tree<'a>) -> Holders<'a> {
        Holders { by_end: BTreeMap::new(), tree }
    }

    /// Adds a process.
    pub(super) fn add(&mut self, pid: Pid, fds: &Fds) {
        let own = |held: &Fd| match &held.target {
            FdTarget::Pipe { own, peer, writes } => {
                let id = pipe_id(*own, *peer);
                Some(if *writes { End::Writer(id) } else { End::Reader(id) })
            }
            FdTarget::Unix(unix) => Some(End::Socket(unix.own)),
            FdTarget::Connected(tcp) | FdTarget::Calling(tcp) => Some(End::Socket(tcp.own)),
            FdTarget::Datagrams { own, .. } => Some(End::Socket(*own)),
            _ => None,
        };
        for end in fds.values().filter_map(own).collect::<BTreeSet<End>>() {
            self.by_end.entry(end).or_default().push(pid);
        }
    }
}

impl Naming for Holders<'_> {
    fn sees_everybody(&self) -> bool {
        false
    }

    fn holders(&mut self, end: End) -> Rc<[Pid]> {
        self.by_end.get(&end).map(|pids| Rc::from(pids.as_slice())).unwrap_or_default()
    }

    /// macOS does not show to which terminal the descriptor of a master belongs.
    fn masters(&mut self, _: u32) -> Vec<Pid> {
        Vec::new()
    }

    fn is_below(&self, pid: Pid, above: Pid) -> bool {
        self.tree.is_below(pid, above)
    }
}

#[cfg(test)]
mod tests;
