//! UDP sockets: which of them serve, and which are connected to each other.
//!
//! A UDP socket that called connect(2) has a remote address and receives datagrams only from there. This is the only
//! sign of a client in this protocol: a client that sends with sendto(2) cannot be seen.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use super::inet::is_local;
use crate::process::Listener;
use crate::sys::descriptors::{Connection, Display, Origin, Other, Socket};
use crate::sys::procfs::{TCP_CLOSE, TcpRow};

/// All UDP sockets of one network namespace.
pub(super) struct Udp {
    rows: Vec<TcpRow>,
    /// Indices into `rows`, as in the next two maps.
    by_inode: HashMap<u64, usize>,
    by_local_port: HashMap<u16, Vec<usize>>,
    by_remote_port: HashMap<u16, Vec<usize>>,
    /// The addresses of this machine, as far as its sockets are bound to them.
    own: BTreeSet<IpAddr>,
    /// The ephemeral ports: the kernel gives one to a socket that did not choose a port. `None` if not known.
    range: Option<RangeInclusive<u16>>,
}

impl Udp {
    pub(super) fn new(rows: Vec<TcpRow>, range: Option<RangeInclusive<u16>>) -> Udp {
        let mut by_inode = HashMap::new();
        let mut by_local_port: HashMap<u16, Vec<usize>> = HashMap::new();
        let mut by_remote_port: HashMap<u16, Vec<usize>> = HashMap::new();
        for (at, row) in rows.iter().enumerate() {
            by_inode.insert(row.inode, at);
            by_local_port.entry(row.local.port()).or_default().push(at);
            by_remote_port.entry(row.remote.port()).or_default().push(at);
        }
        let own = rows.iter().map(|row| row.local.ip()).filter(|ip| !ip.is_unspecified()).collect();
        Udp { rows, by_inode, by_local_port, by_remote_port, own, range }
    }

    /// The socket with this inode. A socket that is in no list is neither bound nor connected.
    pub(super) fn socket(&self, inode: u64) -> Socket {
        let Some(row) = self.by_inode.get(&inode).map(|at| self.rows[*at]) else { return Socket::Nothing };
        match row.state {
            TCP_CLOSE => self.unconnected(&row),
            _ => self.connected(&row),
        }
    }

    /// A socket that receives datagrams from any sender. It serves if its port was chosen for it or if another socket
    /// is connected to it.
    fn unconnected(&self, row: &TcpRow) -> Socket {
        let port = row.local.port();
        let calls = |at: &&usize| {
            let far = &self.rows[**at];
            far.inode != row.inode && is_connected(far) && self.reaches(far, row.local)
        };
        let waiting: Vec<Other> =
            self.at(&self.by_remote_port, port).filter(calls).map(|at| other(&self.rows[*at])).collect();
        if waiting.is_empty() && self.is_ephemeral(port) {
            return Socket::Nothing;
        }
        Socket::Serves { name: Listener::Other(format!("udp:{port}")), waiting }
    }

    /// A connected socket. If its port was chosen for it, the other side is a client, otherwise a server.
    fn connected(&self, row: &TcpRow) -> Socket {
        let takes = |at: &&usize| {
            let far = &self.rows[**at];
            far.inode != row.inode && self.reaches(row, far.local)
        };
        let found: Vec<&TcpRow> =
            self.at(&self.by_local_port, row.remote.port()).filter(takes).map(|at| &self.rows[*at]).collect();
        // A socket that is connected back to this one receives its datagrams; else one that is bound to exactly the
        // remote address; else any other.
        let back = |far: &TcpRow| is_connected(far) && far.remote == row.local;
        let exact = |far: &TcpRow| !is_connected(far) && far.local == row.remote;
        let nearest = [&back as &dyn Fn(&TcpRow) -> bool, &exact, &|far: &TcpRow| !is_connected(far)]
            .into_iter()
            .map(|near| found.iter().filter(|far| near(far)).copied().collect::<Vec<_>>())
            .find(|near| !near.is_empty())
            .unwrap_or_default();
        let (other, sure) = match nearest[..] {
            [] if self.is_own(row) => (Other::Gone, true),
            [] => (Other::Unseen, true),
            [one] => (other(one), true),
            // These sockets share the port, and the kernel chooses one of them.
            [one, ..] => (other(one), false),
        };
        let chosen = self.range.is_some() && !self.is_ephemeral(row.local.port());
        let origin = match (chosen, sure && self.range.is_some()) {
            (true, _) => Origin::Accepted,
            (false, true) => Origin::Opened,
            (false, false) => Origin::Unknown,
        };
        let other = if chosen && !sure { Other::Unseen } else { other };
        Socket::Connected(Connection::inet(row.inode, other, origin, Display::No))
    }

    /// Can datagrams of the connected socket `from` reach a socket that is bound to `local`? A socket that is bound to
    /// no address receives datagrams for all addresses of this machine and for multicast groups.
    fn reaches(&self, from: &TcpRow, local: SocketAddr) -> bool {
        let to = from.remote;
        to.port() == local.port()
            && (to.ip() == local.ip()
                || to.ip().is_multicast()
                || local.ip().is_unspecified() && self.is_own(from))
    }

    /// Is the other side an address of this machine?
    fn is_own(&self, row: &TcpRow) -> bool {
        let to = row.remote.ip();
        is_local(row) || to.is_unspecified() || row.local.ip().is_loopback() || self.own.contains(&to)
    }

    fn is_ephemeral(&self, port: u16) -> bool {
        self.range.as_ref().is_some_and(|range| range.contains(&port))
    }

    fn at<'m>(&self, map: &'m HashMap<u16, Vec<usize>>, port: u16) -> impl Iterator<Item = &'m usize> {
        map.get(&port).into_iter().flatten()
    }
}

fn is_connected(row: &TcpRow) -> bool {
    row.state != TCP_CLOSE
}

/// The other side of a connection with this socket. A socket without an inode belongs to the kernel.
fn other(row: &TcpRow) -> Other {
    if row.inode == 0 { Other::Unseen } else { Other::Held(row.inode) }
}

#[cfg(test)]
mod tests;
