//! TCP sockets: which of them listen, and which connections were accepted.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use crate::process::Listener;
use crate::sys::descriptors::{Connection, Display, Origin, Other, Socket};
use crate::sys::procfs::{
    TCP_CLOSE, TCP_CLOSE_WAIT, TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_LISTEN, TCP_SYN_RECV,
    TCP_SYN_SENT, TcpRow,
};

/// TCP_NEW_SYN_RECV: a connection whose handshake has begun and that has no socket yet.
const TCP_NEW_SYN_RECV: u8 = 12;

/// All TCP sockets of one network namespace.
pub(super) struct Inet {
    by_inode: HashMap<u64, TcpRow>,
    by_addresses: HashMap<(SocketAddr, SocketAddr), TcpRow>,
    /// Listening sockets, by port.
    listening: HashMap<u16, Vec<TcpRow>>,
    /// Connections that wait to be accepted.
    waiting: Vec<TcpRow>,
    /// The ephemeral ports: the kernel gives one to a socket that did not choose a port. `None` if not known.
    range: Option<RangeInclusive<u16>>,
}

impl Inet {
    pub(super) fn new(rows: Vec<TcpRow>, range: Option<RangeInclusive<u16>>) -> Inet {
        let mut listening: HashMap<u16, Vec<TcpRow>> = HashMap::new();
        for row in rows.iter().filter(|row| row.state == TCP_LISTEN) {
            listening.entry(row.local.port()).or_default().push(*row);
        }
        let waiting = rows.iter().filter(|row| is_not_accepted(row)).copied().collect();
        let by_addresses = rows
            .iter()
            .filter(|row| row.state != TCP_LISTEN)
            .map(|row| ((row.local, row.remote), *row))
            .collect();
        let by_inode = rows.into_iter().filter(|row| row.inode != 0).map(|row| (row.inode, row)).collect();
        Inet { by_inode, by_addresses, listening, waiting, range }
    }

    pub(super) fn has(&self, inode: u64) -> bool {
        self.by_inode.contains_key(&inode)
    }

    /// The socket with this inode. A socket that is in no list is neither bound nor connected.
    pub(super) fn socket(&self, inode: u64) -> Socket {
        let Some(row) = self.by_inode.get(&inode) else { return Socket::Nothing };
        let port = row.local.port();
        match row.state {
            TCP_LISTEN => {
                let mine = self.waiting.iter().filter(|waiting| waiting.local.port() == port);
                Socket::Serves {
                    name: Listener::Tcp(port),
                    waiting: mine.map(|row| self.other(row)).collect(),
                }
            }
            TCP_CLOSE => Socket::Nothing,
            _ => Socket::Connected(Connection::inet(
                inode,
                self.other(row),
                self.origin(row),
                Display::of_port(row.remote.port()),
            )),
        }
    }

    /// The other side of a connection.
    fn other(&self, row: &TcpRow) -> Other {
        let far = self.by_addresses.get(&(row.remote, row.local));
        // A connection that waits to be accepted is held by the listening socket.
        let accepting = || far.filter(|far| is_not_accepted(far)).and_then(|far| self.listener(far.local));
        let held = far.map(|far| far.inode).filter(|inode| *inode != 0).or_else(accepting).map(Other::Held);
        match row.state {
            // The other side has shut down its sending direction. A client that did only that still has a socket.
            TCP_CLOSE_WAIT => match held {
                Some(held) => held,
                None if far.is_none() && !is_local(row) => Other::Unseen,
                None => Other::Gone,
            },
            TCP_ESTABLISHED | TCP_FIN_WAIT1 | TCP_FIN_WAIT2 | TCP_SYN_SENT | TCP_SYN_RECV
            | TCP_NEW_SYN_RECV => held.unwrap_or(Other::Unseen),
            _ => Other::Gone,
        }
    }

    /// The socket that listens on this address.
    fn listener(&self, local: SocketAddr) -> Option<u64> {
        let all = self.listening.get(&local.port())?;
        let at = |row: &&TcpRow| row.local.ip() == local.ip();
        let any = |row: &&TcpRow| row.local.ip().is_unspecified();
        all.iter().find(at).or_else(|| all.iter().find(any)).map(|row| row.inode).filter(|inode| *inode != 0)
    }

    /// Was the connection accepted or opened by the process? The list does not show that, but the two ports nearly
    /// always do.
    fn origin(&self, row: &TcpRow) -> Origin {
        let (local, remote) = (row.local.port(), row.remote.port());
        let fixed = |port: u16| self.range.as_ref().is_some_and(|range| !range.contains(&port));
        if self.listening.contains_key(&local) || fixed(local) {
            Origin::Accepted
        } else if row.state == TCP_SYN_SENT
            || fixed(remote)
            || (is_local(row) && self.listening.contains_key(&remote))
        {
            Origin::Opened
        } else {
            Origin::Unknown
        }
    }
}

/// Does this connection wait to be accepted?
fn is_not_accepted(row: &TcpRow) -> bool {
    let states = [TCP_ESTABLISHED, TCP_CLOSE_WAIT, TCP_SYN_RECV, TCP_NEW_SYN_RECV];
    row.inode == 0 && states.contains(&row.state)
}

/// Are both sides on this machine?
pub(super) fn is_local(row: &TcpRow) -> bool {
    row.remote.ip().is_loopback() || row.remote.ip() == row.local.ip()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const RANGE: RangeInclusive<u16> = 32768..=60999;

    fn row(local: &str, remote: &str, state: u8, inode: u64) -> TcpRow {
        let address = |text: &str| text.parse().unwrap();
        TcpRow { local: address(local), remote: address(remote), state, inode }
    }

    /// What is known of the connection with inode 10.
    fn seen(rows: &[TcpRow], range: Option<RangeInclusive<u16>>) -> (Origin, Other) {
        match Inet::new(rows.to_vec(), range).socket(10) {
            Socket::Connected(connection) => (connection.origin, connection.other),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_connection_came_in_where_somebody_listens_or_nobody_picks_such_a_port_to_go_out() {
        let listens = |port: u16| row(&format!("127.0.0.1:{port}"), "0.0.0.0:0", TCP_LISTEN, 1);
        let out = |local: &str, remote: &str| row(local, remote, TCP_ESTABLISHED, 10);
        let (here, there) = ("127.0.0.1:40000", "127.0.0.1:50000");
        let cases = [
            (vec![out("127.0.0.1:8080", there)], Some(RANGE), Origin::Accepted),
            (vec![out("127.0.0.1:8080", there)], None, Origin::Unknown),
            (vec![out(here, there), listens(40000)], Some(RANGE), Origin::Accepted),
            (vec![out(here, there), listens(40000)], None, Origin::Accepted),
            (vec![out(here, there), listens(50000)], Some(RANGE), Origin::Opened),
            (vec![out(here, there)], Some(RANGE), Origin::Unknown),
            (vec![out(here, "127.0.0.1:5432")], Some(RANGE), Origin::Opened),
            (vec![out("10.0.0.1:40000", "10.0.0.7:443")], Some(RANGE), Origin::Opened),
            // Somebody else listens on a port of that number, far away from that connection's.
            (vec![out("10.0.0.1:40000", "10.0.0.7:50000"), listens(50000)], Some(RANGE), Origin::Unknown),
            // It bound itself to such a port before it went out: rare, and then it is taken for a caller's.
            (vec![out("127.0.0.1:700", "127.0.0.1:2049"), listens(2049)], Some(RANGE), Origin::Accepted),
        ];
        for (rows, range, origin) in cases {
            assert_eq!(seen(&rows, range.clone()).0, origin, "{rows:?} {range:?}");
        }
    }

    #[test]
    fn the_other_side_is_held_gone_or_not_seen() {
        let (here, client, far) = ("127.0.0.1:8080", "127.0.0.1:50000", "10.0.0.9:50000");
        let own = |remote: &str, state| row(here, remote, state, 10);
        let theirs = |state, inode| row(client, here, state, inode);
        let (live, half) = (TCP_ESTABLISHED, TCP_CLOSE_WAIT);
        let cases = [
            (vec![own(client, live), theirs(TCP_ESTABLISHED, 99)], Other::Held(99)),
            (vec![own(client, live)], Other::Unseen),
            (vec![own(far, live)], Other::Unseen),
            (vec![own(client, half), theirs(TCP_FIN_WAIT2, 99)], Other::Held(99)),
            (vec![own(client, half), theirs(TCP_FIN_WAIT2, 0)], Other::Gone),
            (vec![own(client, half)], Other::Gone),
            (vec![own(far, half)], Other::Unseen),
            (vec![own(client, 9)], Other::Gone),
            (vec![own(client, TCP_FIN_WAIT2), theirs(TCP_CLOSE_WAIT, 99)], Other::Held(99)),
        ];
        for (rows, other) in cases {
            assert_eq!(seen(&rows, Some(RANGE)).1, other, "{rows:?}");
        }
    }

    #[test]
    fn one_that_is_not_accepted_yet_waits_at_the_socket_that_listens() {
        let (here, there) = ("127.0.0.1:40000", "127.0.0.1:50000");
        let own = row(here, there, TCP_ESTABLISHED, 10);
        let theirs = row(there, here, TCP_ESTABLISHED, 0);
        let listens = |address: &str, inode| row(address, "0.0.0.0:0", TCP_LISTEN, inode);
        let opened = |rows: &[TcpRow]| seen(rows, Some(RANGE));
        let (any, at) = (listens("0.0.0.0:50000", 98), listens(there, 99));
        assert_eq!(opened(&[own, theirs, any]), (Origin::Opened, Other::Held(98)));
        assert_eq!(opened(&[own, theirs, any, at]), (Origin::Opened, Other::Held(99)));
        let elsewhere = listens("10.0.0.1:50000", 98);
        assert_eq!(opened(&[own, theirs, elsewhere]), (Origin::Opened, Other::Unseen));
    }

    #[test]
    fn a_client_that_waits_to_be_accepted_is_seen_by_its_own_socket() {
        let rows = [
            row("0.0.0.0:8080", "0.0.0.0:0", TCP_LISTEN, 10),
            row("127.0.0.1:8080", "127.0.0.1:50000", TCP_ESTABLISHED, 0),
            row("127.0.0.1:50000", "127.0.0.1:8080", TCP_ESTABLISHED, 99),
            row("127.0.0.1:8080", "127.0.0.1:50001", TCP_CLOSE_WAIT, 0), // and left
            row("10.0.0.1:8080", "10.0.0.9:50000", TCP_ESTABLISHED, 0),
            row("127.0.0.1:9090", "127.0.0.1:50002", TCP_ESTABLISHED, 0), // another's
            row("127.0.0.1:8080", "127.0.0.1:50003", TCP_ESTABLISHED, 77), // accepted
        ];
        let waiting = vec![Other::Held(99), Other::Gone, Other::Unseen];
        let expected = Socket::Serves { name: Listener::Tcp(8080), waiting };
        assert_eq!(Inet::new(rows.to_vec(), Some(RANGE)).socket(10), expected);
        assert_eq!(Inet::new(Vec::new(), None).socket(10), Socket::Nothing);
    }
}
