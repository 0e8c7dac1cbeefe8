//! Unix sockets: which of them serve, and which are connected or wait to be accepted.

use std::os::fd::BorrowedFd;

use super::{MOST_SINGLE, Sockets};
use crate::sys::descriptors::{
    Connection, Display, Origin, Other, Socket, is_display, is_runtimes_own, unix_listener,
};
use crate::sys::procfs::{SOCK_DGRAM, TCP_ESTABLISHED, TCP_LISTEN, UnixSocket};

impl Sockets {
    pub(super) fn unix(&mut self, inode: u64) -> Option<UnixSocket> {
        let number = u32::try_from(inode).ok()?;
        if self.singles >= MOST_SINGLE {
            self.dump();
        }
        if let Some(found) = self.unix.get(&number) {
            return Some(found.clone());
        }
        self.singles += 1;
        let found = self.probe.unix(inode)?;
        self.unix.insert(number, found.clone());
        Some(found)
    }

    /// Reads the whole list once. Returns whether it could be read.
    fn dump(&mut self) -> bool {
        let probe = &mut self.probe;
        let unix = &mut self.unix;
        *self.dumped.get_or_insert_with(|| {
            let all = probe.all_unix();
            let read = all.is_some();
            unix.extend(all.into_iter().flatten().map(|row| (row.inode, row)));
            read
        })
    }

    /// The listening socket at which this one waits to be accepted; 0 if it is not found. Only the whole list shows
    /// that.
    fn listener_of(&mut self, inode: u32) -> u32 {
        let read = self.dump();
        let mut all = self.unix.values().filter(|_| read);
        all.find(|row| row.waiting.contains(&inode)).map_or(0, |row| row.inode)
    }

    /// A datagram socket with a name. It receives datagrams from any sender, or from the socket that it is connected
    /// to. Only the whole list shows which sockets are connected to it.
    fn datagrams(&mut self, socket: &UnixSocket, name: &[u8]) -> Socket {
        let name = unix_listener(name);
        if !self.dump() {
            return Socket::Opaque(name);
        }
        let own = Some(socket.inode);
        let calling = self.unix.values();
        let calling =
            calling.filter(|row| row.peer == own && row.kind == SOCK_DGRAM && Some(row.inode) != own);
        let called = socket.peer.filter(|peer| *peer != 0 && *peer != socket.inode);
        let mut inodes: Vec<u32> = calling.map(|row| row.inode).chain(called).collect();
        inodes.sort_unstable();
        inodes.dedup();
        Socket::Serves { name, waiting: inodes.into_iter().map(other).collect() }
    }

    /// The state of a unix socket. `named`: the name of the other side is needed too, which takes another query. A wire
    /// does not need it.
    pub(super) fn unix_socket(&mut self, socket: &UnixSocket, named: bool) -> Socket {
        let name = socket.name.as_deref();
        if name.is_some_and(is_runtimes_own) {
            return Socket::Nothing;
        }
        match (socket.state, name) {
            (TCP_LISTEN, Some(name)) => {
                let waiting = socket.waiting.iter().map(|inode| other(*inode)).collect();
                return Socket::Serves { name: unix_listener(name), waiting };
            }
            (_, Some(name)) if socket.kind == SOCK_DGRAM && !is_automatic(name) => {
                return self.datagrams(socket, name);
            }
            (TCP_ESTABLISHED, _) => {}
            _ => return Socket::Nothing,
        }
        let far = match socket.peer {
            Some(peer) if named && peer != 0 => self.unix(u64::from(peer)),
            _ => None,
        };
        let far_name = far.and_then(|far| far.name);
        Socket::Connected(Connection {
            own: u64::from(socket.inode),
            other: match socket.peer {
                // A peer with inode 0 that did not shut down waits to be accepted, at a listening socket.
                Some(0) if socket.shutdown == 3 || socket.kind == SOCK_DGRAM => Other::Gone,
                Some(0) if named => other(self.listener_of(socket.inode)),
                Some(peer) => other(peer),
                None => Other::Unseen,
            },
            origin: match (name, &far_name, socket.peer) {
                (Some(_), ..) => Origin::Accepted,
                (None, Some(_), _) => Origin::Opened,
                // The side that waits to be accepted has opened the connection.
                (None, None, Some(0)) if socket.shutdown != 3 => Origin::Opened,
                (None, None, _) => Origin::Pair,
            },
            unix: true,
            hears: socket.shutdown & 1 == 0,
            speaks: socket.shutdown & 2 == 0,
            display: if far_name.is_some_and(|name| is_display(&name)) { Display::Yes } else { Display::No },
        })
    }

    /// A unix socket that `sock_diag` does not show, because it is in another network namespace. The list in `/proc`
    /// shows which sockets listen. Any other bound socket may serve too.
    pub(super) fn foreign_unix(&mut self, dir: BorrowedFd<'_>, inode: u64) -> Socket {
        let rows = self.proc_net(dir).and_then(|net| net.unix.as_ref());
        let Some(row) = rows.and_then(|rows| rows.iter().find(|row| row.inode == inode)) else {
            return Socket::Unread;
        };
        let origin = match &row.name {
            Some(name) if is_runtimes_own(name) => return Socket::Nothing,
            Some(name) if row.listens => return Socket::Opaque(unix_listener(name)),
            // The list does not show which sockets are connected to it.
            Some(name) if row.kind == SOCK_DGRAM && !is_automatic(name) => {
                return Socket::Opaque(unix_listener(name));
            }
            _ if !row.connected => return Socket::Nothing,
            // It was accepted, and the list does not show whether its client is still connected.
            Some(_) => Origin::Unknown,
            // Without a name it was not accepted.
            None => Origin::Pair,
        };
        let (unix, hears, speaks, display) = (true, true, true, Display::No);
        Socket::Connected(Connection {
            own: inode,
            other: Other::Unseen,
            origin,
            unix,
            hears,
            speaks,
            display,
        })
    }
}

fn other(inode: u32) -> Other {
    if inode == 0 { Other::Unseen } else { Other::Held(u64::from(inode)) }
}

/// Did the kernel choose this name? A datagram socket without a name gets one so that it can receive answers: five
/// hexadecimal digits in the abstract namespace (unix(7), autobind).
fn is_automatic(name: &[u8]) -> bool {
    matches!(name, [0, rest @ ..] if rest.len() == 5 && rest.iter().all(u8::is_ascii_hexdigit))
}
