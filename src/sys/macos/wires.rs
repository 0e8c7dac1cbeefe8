//! What the kernel said of a process's descriptors, as answers to the shared judgement of them. Pure: the descriptors
//! come from `fds.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::ops::RangeInclusive;
use std::rc::Rc;

use super::layout::{Endpoint, FdTarget, Tcp, Unix};
use crate::process::{Listener, Pid};
use crate::sys::descriptors::{
    Access, Answers, Connection, End, Naming, Object, Origin, Other, Row, Sight, Socket, Way, is_display,
    is_runtimes_own, unix_listener,
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

/// The table as the shared judgement of it wants it.
pub(super) fn rows(fds: &Fds) -> Vec<Row> {
    fds.iter().map(|(fd, held)| (*fd, object(&held.target))).collect()
}

fn object(target: &FdTarget) -> Object {
    match target {
        FdTarget::Pipe { own, peer, .. } => Object::Pipe(pipe_id(*own, *peer)),
        FdTarget::Unix(unix) => Object::Socket(unix.own),
        FdTarget::Connected(tcp) => Object::Socket(tcp.own),
        FdTarget::Plain(object) => *object,
        // Of these no number is known, and none is asked for: each stands for itself, by one that is too small for a
        // kernel's address.
        FdTarget::Listening(port) => Object::Socket(u64::from(*port)),
        FdTarget::Datagrams(port) => Object::Socket(1 << 17 | u64::from(*port)),
        FdTarget::Opaque(_) | FdTarget::Idle => Object::Socket(1 << 18),
    }
}

/// Each end of a pipe has a handle of its own; the smaller one stands for both.
fn pipe_id(own: u64, peer: u64) -> u64 {
    if peer == 0 { own } else { own.min(peer) }
}

/// The TCP connections of all processes that were read, by their two sides: the other side of one has them reversed.
#[derive(Debug, Default)]
pub(super) struct Connections(BTreeMap<(Endpoint, Endpoint), u64>);

impl Connections {
    /// Adds those of a process.
    pub(super) fn add(&mut self, fds: &Fds) {
        for held in fds.values() {
            if let FdTarget::Connected(tcp) = &held.target {
                self.0.insert((tcp.local, tcp.remote), tcp.own);
            }
        }
    }

    /// The socket at the other side. Another machine's is unseen, and so is one of a process that could not be read.
    fn other(&self, tcp: &Tcp) -> Other {
        let here = is_here(tcp).then(|| self.0.get(&(tcp.remote, tcp.local))).flatten();
        here.map_or(Other::Unseen, |own| Other::Held(*own))
    }
}

/// The other side may be on this machine: it has the same address, or the loopback's.
fn is_here(tcp: &Tcp) -> bool {
    let loopback = |address: Ipv6Addr| match address.to_ipv4_mapped() {
        Some(address) => address.is_loopback(),
        None => address.is_loopback(),
    };
    tcp.remote.address == tcp.local.address || loopback(tcp.remote.address)
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
            FdTarget::Unix(socket) => unix(socket),
            FdTarget::Listening(port) => Socket::Serves { name: Listener::Tcp(*port), waiting: Vec::new() },
            FdTarget::Connected(tcp) => self.tcp(tcp),
            FdTarget::Datagrams(port) if LOCAL_PORTS.contains(port) => Socket::Nothing,
            FdTarget::Datagrams(port) => {
                Socket::Serves { name: other(format!("udp:{port}")), waiting: Vec::new() }
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
        Socket::Connected(Connection::tcp(tcp.own, self.connections.other(tcp), origin))
    }
}

fn unix(socket: &Unix) -> Socket {
    let (named, called) = (!socket.name.is_empty(), !socket.peer_name.is_empty());
    let shut = !socket.hears && !socket.speaks;
    if is_runtimes_own(&socket.name) {
        return Socket::Nothing;
    }
    if named && (socket.listens || (socket.datagrams && socket.peer == 0)) {
        return Socket::Serves { name: unix_listener(&socket.name), waiting: Vec::new() };
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
        display: is_display(&socket.peer_name),
    })
}

/// Whether any of these is open at its far end, and that may be on this machine, so that it takes a look at everybody else to
/// say by whom.
pub(super) fn is_open(fds: &Fds) -> bool {
    fds.values().any(|held| match &held.target {
        FdTarget::Pipe { peer, .. } => *peer != 0,
        FdTarget::Unix(unix) => unix.peer != 0,
        FdTarget::Connected(tcp) => is_here(tcp),
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
            FdTarget::Connected(tcp) => Some(End::Socket(tcp.own)),
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
