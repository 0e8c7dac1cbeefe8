//! What the kernel said of a process's descriptors, as answers to the shared judgement of them. Pure: the descriptors
//! come from `fds.rs`.

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

/// The ports that the kernel picks from when a program asks for none: IPPORT_HIFIRSTAUTO and IPPORT_HILASTAUTO of
/// netinet/in.h, unless somebody has set `net.inet.ip.portrange` to something else.
const LOCAL_PORTS: RangeInclusive<u16> = 49152..=65535;

/// What lies on its descriptors.
pub(super) fn targets(fds: &Fds) -> impl Iterator<Item = &FdTarget> {
    fds.values().map(|held| &held.target)
}

/// The table as the shared judgement of it wants it.
pub(super) fn rows(fds: &Fds) -> Vec<Row> {
    fds.iter().map(|(fd, held)| (*fd, object(&held.target))).collect()
}

fn object(target: &FdTarget) -> Object {
    match target {
        FdTarget::Pipe { own, peer, .. } => Object::Pipe(pipe_id(*own, *peer)),
        FdTarget::Unix(unix) => Object::Socket(unix.own),
        FdTarget::Connected(tcp) | FdTarget::Calling(tcp) => Object::Socket(tcp.own),
        FdTarget::Plain(object) => *object,
        // Of these no number is known, and none is asked for: each stands for itself, by one that is too small for a
        // kernel's address.
        FdTarget::Listening(port) => Object::Socket(u64::from(*port)),
        FdTarget::Datagrams { own, .. } => Object::Socket(*own),
        FdTarget::Opaque(_) | FdTarget::Idle => Object::Socket(1 << 18),
    }
}

/// Each end of a pipe has a handle of its own; the smaller one stands for both.
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
            // The wrong end tells nothing of that direction.
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
                // A port that nobody chose serves where somebody knows it all the same.
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

    /// A UDP socket that is connected: to a client of its own, where its port was chosen for it, and else to a server.
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

/// Whether any of these is open at its far end, and that may be on this machine, so that it takes a look at everybody else to
/// say by whom; or takes datagrams, so that only such a look says whether anybody is connected.
pub(super) fn is_open(fds: &Fds) -> bool {
    fds.values().any(|held| match &held.target {
        FdTarget::Pipe { peer, .. } => *peer != 0,
        FdTarget::Unix(unix) => unix.peer != 0 || unix.datagrams && !unix.name.is_empty(),
        FdTarget::Connected(tcp) | FdTarget::Calling(tcp) => is_here(tcp),
        FdTarget::Datagrams { port, .. } => !LOCAL_PORTS.contains(port),
        _ => false,
    })
}

/// Who holds which end, over all processes that could be read.
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

    /// Which terminal a descriptor of a master belongs to is not told.
    fn masters(&mut self, _: u32) -> Vec<Pid> {
        Vec::new()
    }

    fn is_below(&self, pid: Pid, above: Pid) -> bool {
        self.tree.is_below(pid, above)
    }
}

#[cfg(test)]
mod tests;
