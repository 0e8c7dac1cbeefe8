//! The kind and state of a socket of any family. The list of a family is read once in a run, and only if a process
//! whose details are read has such a socket.
//!
//! A unix socket is queried by its inode, which takes 3 us; from the 33rd query on the whole list is cheaper. For TCP
//! there is no query by inode: `sock_diag` walks all connections (1 to 4 ms), and `/proc/net/tcp` its whole hash table
//! (4 ms for each family on a machine with 7 sockets). So the file is read only for another network namespace, and
//! where `sock_diag` is not available.

mod unix;

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::errors::gone;
use super::inet::Inet;
use super::inodes::InodeMap;
use super::probe::Probe;
use super::proc::{Shape, link_at, read_at};
use super::udp::Udp;
use crate::process::Listener;
use crate::sys::descriptors::Socket;
use crate::sys::procfs::{UnixRow, UnixSocket, tcp_table, unix_table};

/// The most of one socket list that is read, in bytes: about 400,000 sockets.
const MOST_LIST: usize = 64 << 20;

/// The most unix sockets that are queried one by one.
const MOST_SINGLE: usize = 32;

/// How often the list of TCP sockets is read again in one run for a socket that was not in it.
const MOST_READ_AGAIN: usize = 3;

/// The sockets of all network namespaces in which a process was read.
pub(super) struct Sockets {
    probe: Probe,
    /// Our network namespace, as its link shows it; `None` when that cannot be read.
    own: Option<Vec<u8>>,
    unix: InodeMap<u32, UnixSocket>,
    singles: usize,
    /// Whether the whole list could be read; `None` before that was tried.
    dumped: Option<bool>,
    /// `None` before it was read; `Some(None)` if `sock_diag` is not available.
    #[allow(clippy::option_option, reason = "not read yet, and not available")]
    tcp: Option<Option<Inet>>,
    /// As `tcp`.
    #[allow(clippy::option_option, reason = "not read yet, and not available")]
    udp: Option<Option<Udp>>,
    /// How often the list of TCP sockets was read again.
    read_again: usize,
    /// The lists in `/proc` of other network namespaces, and of ours if `sock_diag` is not available.
    in_proc: HashMap<Vec<u8>, ProcNet>,
    text: Vec<u8>,
}

/// The lists of `/proc/PID/net`.
#[derive(Default)]
struct ProcNet {
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
            in_proc: HashMap::new(),
            text: Vec::new(),
        }
    }

    /// The socket on a descriptor, if it is a unix socket of our network namespace.
    pub(super) fn unix_of_ours(&mut self, fd: u32, inode: u64) -> Option<Socket> {
        let found = self.unix(inode)?;
        Some(self.unix_socket(&found, fd > 1))
    }

    /// Any other socket on a descriptor; `dir` is the process's directory.
    pub(super) fn other(&mut self, dir: BorrowedFd<'_>, fd: u32, inode: u64) -> Socket {
        // The kernel's name of the protocol, read through the descriptor itself. It is right in every namespace.
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
            // These talk to the kernel, or receive packets that are addressed to other sockets.
            b"NETLINK" | b"PACKET" | b"RAW" | b"RAWv6" | b"PING" | b"PINGv6" | b"ALG" | b"XDP" | b"KEY" => {
                Socket::Nothing
            }
            _ => Socket::Unread,
        }
    }

    fn tcp(&mut self, dir: BorrowedFd<'_>, inode: u64) -> Socket {
        let Some(here) = self.is_here(dir) else { return Socket::Unread };
        if here {
            let probe = &mut self.probe;
            let mut read = || Some(Inet::new(probe.tcp()?, local_ports()));
            let known = self.tcp.get_or_insert_with(&mut read);
            // The socket may have been opened after the list was read. Or it is neither bound nor connected, and is in
            // no list.
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
        self.proc_net(dir).and_then(|net| net.tcp.as_ref()).map_or(Socket::Unread, |inet| inet.socket(inode))
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
        self.proc_net(dir).and_then(|net| net.udp.as_ref()).map_or(Socket::Unread, |udp| udp.socket(inode))
    }

    /// Is the process in our network namespace?
    fn is_here(&self, dir: BorrowedFd<'_>) -> Option<bool> {
        let theirs = link_at(dir, "ns/net").ok()?;
        Some(*self.own.as_ref()? == theirs)
    }

    /// The lists in `/proc` of the process's network namespace.
    fn proc_net(&mut self, dir: BorrowedFd<'_>) -> Option<&ProcNet> {
        let namespace = link_at(dir, "ns/net").ok()?;
        let here = self.own.as_ref() == Some(&namespace);
        let text = &mut self.text;
        Some(self.in_proc.entry(namespace).or_insert_with(|| {
            let mut read =
                |file: &str| read_at(dir, file, MOST_LIST, Shape::Rows, text).map(|()| std::mem::take(text));
            // The file of version 6 is missing if the kernel has no IPv6.
            let mut inet = |four: &str, six: &str| {
                let mut rows = tcp_table(&read(four).ok()?);
                match read(six) {
                    Ok(text) => rows.extend(tcp_table(&text)),
                    Err(error) if gone(&error) => {}
                    Err(_) => return None,
                }
                Some(rows)
            };
            // The range of ports of another namespace cannot be read.
            let range = if here { local_ports() } else { None };
            let tcp = inet("net/tcp", "net/tcp6").map(|rows| Inet::new(rows, range.clone()));
            let udp = inet("net/udp", "net/udp6").map(|rows| Udp::new(rows, range));
            ProcNet { tcp, udp, unix: read("net/unix").ok().map(|text| unix_table(&text)) }
        }))
    }
}

/// The ephemeral ports of our network namespace: the kernel gives one to a socket that did not choose a port.
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
