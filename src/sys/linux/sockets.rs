//! What a socket is, whatever its family: one list for each, read once in a run and only where a process that is looked
//! at has a socket that needs it.
//!
//! A unix socket is requested by its inode, in 3 us; from the 33rd request on the whole list is cheaper. For TCP there
//! is no such question: `sock_diag` walks all connections (1 to 4 ms), `/proc/net/tcp` the whole table of them (4 ms
//! for each family on a machine with 7 sockets), so the file is read only for another network namespace and where
//! `sock_diag` is not to be had.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::inet::Inet;
use super::inodes::InodeMap;
use super::probe::Probe;
use super::proc::{Shape, link_at, read_at};
use super::udp::Udp;
use crate::process::Listener;
use crate::sys::descriptors::{
    Connection, Display, Origin, Other, Socket, is_display, is_runtimes_own, unix_listener,
};
use crate::sys::procfs::{
    SOCK_DGRAM, TCP_ESTABLISHED, TCP_LISTEN, UnixRow, UnixSocket, tcp_table, unix_table,
};

/// The most of one socket list that is read, in bytes: about 400,000 sockets.
const MOST_LIST: usize = 64 << 20;

/// The most unix sockets that are requested one by one.
const MOST_SINGLE: usize = 32;

/// How often the list of TCP sockets is read again in one run for a socket that was not in it.
const MOST_READ_AGAIN: usize = 3;

/// The sockets of the network namespaces that were met.
pub(super) struct Sockets {
    probe: Probe,
    /// Our network namespace, as its link shows it; `None` when that cannot be read.
    own: Option<Vec<u8>>,
    unix: InodeMap<u32, UnixSocket>,
    singles: usize,
    /// Whether the whole list could be read; `None` before that was tried.
    dumped: Option<bool>,
    /// `None` before it was read; `Some(None)` where `sock_diag` is not to be had.
    #[allow(clippy::option_option, reason = "not read yet, and not to be had")]
    tcp: Option<Option<Inet>>,
    /// As `tcp`.
    #[allow(clippy::option_option, reason = "not read yet, and not to be had")]
    udp: Option<Option<Udp>>,
    /// How often the list of TCP sockets was read again.
    read_again: usize,
    /// Of other network namespaces, and of ours where `sock_diag` is not to be had.
    slow: HashMap<Vec<u8>, Slow>,
    text: Vec<u8>,
}

/// The lists of `/proc/PID/net`.
#[derive(Default)]
struct Slow {
    tcp: Option<Inet>,
    udp: Option<Udp>,
    unix: Option<Vec<UnixRow>>,
}

impl Sockets {
    pub(super) fn new() -> Sockets {
        Sockets {
            probe: Probe::new(),
            own: std::fs::read_link("/proc/self/ns/net").ok().map(bytes),
            unix: InodeMap::default(),
            singles: 0,
            dumped: None,
            tcp: None,
            udp: None,
            read_again: 0,
            slow: HashMap::new(),
            text: Vec::new(),
        }
    }

    /// What the socket on a descriptor is, where it is a unix socket of our network namespace.
    pub(super) fn unix_of_ours(&mut self, fd: u32, inode: u64) -> Option<Socket> {
        let found = self.unix(inode)?;
        Some(self.unix_socket(&found, fd > 1))
    }

    /// What any other socket on a descriptor is; `dir` is the process's directory.
    pub(super) fn other(&mut self, dir: BorrowedFd<'_>, fd: u32, inode: u64) -> Socket {
        // The kernel's name of the protocol, by the very descriptor: right in every namespace.
        let path = format!("/proc/self/fd/{}/fd/{fd}", dir.as_raw_fd());
        let mut name = [0; 32];
        let Ok(length) = rustix::fs::getxattr(path, "system.sockprotoname", &mut name) else {
            return Socket::Unread;
        };
        let name = name.get(..length).unwrap_or_default();
        match name.strip_suffix(b"\0").unwrap_or(name) {
            b"TCP" | b"TCPv6" | b"MPTCP" | b"MPTCPv6" => self.tcp(dir, inode),
            b"UDP" | b"UDPv6" => self.udp(dir, inode),
            b"UNIX" | b"UNIX-STREAM" => self.foreign_unix(dir, inode),
            b"AF_VSOCK" => Socket::Opaque(Listener::Other("vsock".to_owned())),
            // They talk to the kernel, or see the packets of others.
            b"NETLINK" | b"PACKET" | b"RAW" | b"RAWv6" | b"PING" | b"PINGv6" | b"ALG" | b"XDP" | b"KEY" => {
                Socket::Nothing
            }
            _ => Socket::Unread,
        }
    }

    fn unix(&mut self, inode: u64) -> Option<UnixSocket> {
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

    /// Reads the whole list, once; says whether it could be read.
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

    /// The socket at which this one waits to be accepted; 0 where it is not found. It stands only in the whole list.
    fn listener_of(&mut self, inode: u32) -> u32 {
        let read = self.dump();
        let mut all = self.unix.values().filter(|_| read);
        all.find(|row| row.waiting.contains(&inode)).map_or(0, |row| row.inode)
    }

    /// A datagram socket with a name takes datagrams from any sender, or from the one that it is connected to. Who is
    /// connected to it stands only in the whole list.
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

    /// `named`: the other side's name is wanted as well, which takes another question; of a wire it is not.
    fn unix_socket(&mut self, socket: &UnixSocket, named: bool) -> Socket {
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
                // A peer of inode 0 that did not shut down is one that is not accepted yet: it waits at a socket that listens.
                Some(0) if socket.shutdown == 3 || socket.kind == SOCK_DGRAM => Other::Gone,
                Some(0) if named => other(self.listener_of(socket.inode)),
                Some(peer) => other(peer),
                None => Other::Unseen,
            },
            origin: match (name, &far_name, socket.peer) {
                (Some(_), ..) => Origin::Accepted,
                (None, Some(_), _) => Origin::Opened,
                // A side that waits to be accepted has opened the connection.
                (None, None, Some(0)) if socket.shutdown != 3 => Origin::Opened,
                (None, None, _) => Origin::Pair,
            },
            unix: true,
            hears: socket.shutdown & 1 == 0,
            speaks: socket.shutdown & 2 == 0,
            display: if far_name.is_some_and(|name| is_display(&name)) { Display::Yes } else { Display::No },
        })
    }

    fn tcp(&mut self, dir: BorrowedFd<'_>, inode: u64) -> Socket {
        let Some(here) = self.is_here(dir) else { return Socket::Unread };
        if here {
            let probe = &mut self.probe;
            let mut read = || Some(Inet::new(probe.tcp()?, local_ports()));
            let known = self.tcp.get_or_insert_with(&mut read);
            // It may have been opened since the list was read; one that is neither bound nor connected is in no list.
            if known.as_ref().is_some_and(|inet| !inet.has(inode)) {
                if self.read_again >= MOST_READ_AGAIN {
                    return Socket::Unread;
                }
                self.read_again += 1;
                *known = read();
            }
            if let Some(inet) = known {
                return inet.socket(inode);
            }
        }
        self.slow(dir).and_then(|slow| slow.tcp.as_ref()).map_or(Socket::Unread, |inet| inet.socket(inode))
    }

    fn udp(&mut self, dir: BorrowedFd<'_>, inode: u64) -> Socket {
        let Some(here) = self.is_here(dir) else { return Socket::Unread };
        if here {
            let probe = &mut self.probe;
            let known = self.udp.get_or_insert_with(|| Some(Udp::new(probe.udp()?, local_ports())));
            if let Some(udp) = known {
                return udp.socket(inode);
            }
        }
        self.slow(dir).and_then(|slow| slow.udp.as_ref()).map_or(Socket::Unread, |udp| udp.socket(inode))
    }

    /// A unix socket that `sock_diag` does not know: it lies in another network namespace, where only listening ones
    /// are marked. Any other bound socket may serve.
    fn foreign_unix(&mut self, dir: BorrowedFd<'_>, inode: u64) -> Socket {
        let rows = self.slow(dir).and_then(|slow| slow.unix.as_ref());
        let Some(row) = rows.and_then(|rows| rows.iter().find(|row| row.inode == inode)) else {
            return Socket::Unread;
        };
        let origin = match &row.name {
            Some(name) if is_runtimes_own(name) => return Socket::Nothing,
            Some(name) if row.listens => return Socket::Opaque(unix_listener(name)),
            // Who is connected to it is not in that list.
            Some(name) if row.kind == SOCK_DGRAM && !is_automatic(name) => {
                return Socket::Opaque(unix_listener(name));
            }
            _ if !row.connected => return Socket::Nothing,
            // It was accepted, and whether its client is still there cannot be seen.
            Some(_) => Origin::Unknown,
            // Nor did a connection come in by it.
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

    /// Is the process in our network namespace?
    fn is_here(&self, dir: BorrowedFd<'_>) -> Option<bool> {
        let theirs = link_at(dir, "ns/net").ok()?;
        Some(*self.own.as_ref()? == theirs)
    }

    /// The lists of the process's namespace.
    fn slow(&mut self, dir: BorrowedFd<'_>) -> Option<&Slow> {
        let namespace = link_at(dir, "ns/net").ok()?;
        let here = self.own.as_ref() == Some(&namespace);
        let text = &mut self.text;
        Some(self.slow.entry(namespace).or_insert_with(|| {
            let mut read = |file: &str| {
                read_at(dir, file, MOST_LIST, Shape::Rows, text).ok().map(|()| std::mem::take(text))
            };
            // No file of version 6 where the kernel has none.
            let mut inet = |four: &str, six: &str| {
                let mut rows = tcp_table(&read(four)?);
                rows.extend(read(six).iter().flat_map(|text| tcp_table(text)));
                Some(rows)
            };
            // The range of ports of another namespace cannot be read.
            let range = if here { local_ports() } else { None };
            let tcp = inet("net/tcp", "net/tcp6").map(|rows| Inet::new(rows, range.clone()));
            let udp = inet("net/udp", "net/udp6").map(|rows| Udp::new(rows, range));
            Slow { tcp, udp, unix: read("net/unix").map(|text| unix_table(&text)) }
        }))
    }
}

fn other(inode: u32) -> Other {
    if inode == 0 { Other::Unseen } else { Other::Held(u64::from(inode)) }
}

/// The name that the kernel gives to a datagram socket that needs one to get answers: five hexadecimal digits in the
/// abstract namespace (unix(7), autobind).
fn is_automatic(name: &[u8]) -> bool {
    matches!(name, [0, rest @ ..] if rest.len() == 5 && rest.iter().all(u8::is_ascii_hexdigit))
}

/// The ports that the kernel gives to a socket that asks for none, in our network namespace.
fn local_ports() -> Option<RangeInclusive<u16>> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut numbers = text.split_ascii_whitespace().map(str::parse);
    Some(numbers.next()?.ok()?..=numbers.next()?.ok()?)
}

fn bytes(path: std::path::PathBuf) -> Vec<u8> {
    use std::os::unix::ffi::OsStringExt as _;
    path.into_os_string().into_vec()
}

#[cfg(test)]
mod tests;
