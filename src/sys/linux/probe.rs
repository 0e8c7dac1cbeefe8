//! Queries to the kernel that take a few microseconds and read no other process: is the other end of a pipe held, and
//! which sockets are there?

use std::os::fd::{BorrowedFd, OwnedFd};

use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, fstat, openat};

use crate::sys::descriptors::{End, Sight, Way};
use crate::sys::procfs::{
    DiagMessage, TcpRow, UnixSocket, messages, tcp_diag_row, tcp_dump_request, udp_dump_request,
    unix_diag_row, unix_dump_request, unix_request,
};

/// The unix socket with this inode, asked for once; `None` as for [`Probe::unix`].
pub(crate) fn unix_socket(inode: u64) -> Option<UnixSocket> {
    Probe::new().unix(inode)
}

/// The netlink socket for queries about sockets (sock_diag(7)).
pub(super) struct Probe {
    /// `None` if NETLINK_SOCK_DIAG is not available, as in a sandbox without that address family.
    diag: Option<OwnedFd>,
    answer: Vec<u8>,
}

impl Probe {
    pub(super) fn new() -> Probe {
        // The kernel answers during the request. Without waiting, a lost answer becomes "not known".
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let diag = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkSockDiag).ok();
        Probe { diag, answer: Vec::new() }
    }

    /// The unix socket with this inode; `None` if it is no unix socket, is in another network namespace, or cannot be
    /// queried.
    pub(super) fn unix(&mut self, inode: u64) -> Option<UnixSocket> {
        let request = unix_request(u32::try_from(inode).ok()?);
        let mut found = None;
        self.query(&request, |body| found = unix_diag_row(body).or(found.take()))?;
        found.filter(|socket| u64::from(socket.inode) == inode)
    }

    /// All unix sockets of our network namespace.
    pub(super) fn all_unix(&mut self) -> Option<Vec<UnixSocket>> {
        let mut rows = Vec::new();
        self.query(&unix_dump_request(), |body| rows.extend(unix_diag_row(body)))?;
        Some(rows)
    }

    /// All TCP sockets of our network namespace.
    pub(super) fn tcp(&mut self) -> Option<Vec<TcpRow>> {
        self.both_families(tcp_dump_request)
    }

    /// All UDP sockets of our network namespace.
    pub(super) fn udp(&mut self) -> Option<Vec<TcpRow>> {
        self.both_families(udp_dump_request)
    }

    fn both_families(&mut self, request: fn(bool) -> Vec<u8>) -> Option<Vec<TcpRow>> {
        let mut rows = Vec::new();
        for v6 in [false, true] {
            self.query(&request(v6), |body| rows.extend(tcp_diag_row(body)))?;
        }
        Some(rows)
    }

    /// Sends one query and passes each row of the answer to `row`; `None` if the answer is not complete.
    fn query(&mut self, request: &[u8], mut row: impl FnMut(&[u8])) -> Option<()> {
        let answered = self.exchange(request, &mut row);
        if answered.is_none() {
            // What may still arrive must not be taken for the answer to the next query.
            *self = Probe::new();
        }
        answered?.then_some(())
    }

    /// `Some(true)`: the answer is complete. `Some(false)`: the kernel refused, or there is no netlink socket. `None`:
    /// the answer broke off, and the rest of it may still arrive.
    fn exchange(&mut self, request: &[u8], row: &mut impl FnMut(&[u8])) -> Option<bool> {
        /// The kernel fills at most this much for each read of a dump (NLMSG_GOODSIZE is below it).
        const ROOM: usize = 32 << 10;
        let Probe { diag: Some(diag), answer } = self else { return Some(false) };
        let dump = u16::from_ne_bytes([request[6], request[7]]) & 0x300 != 0;
        rustix::io::write(&diag, request).ok().filter(|sent| *sent == request.len())?;
        loop {
            answer.clear();
            answer.reserve(ROOM);
            let count = rustix::io::read(&diag, rustix::buffer::spare_capacity(answer)).ok()?;
            if count == 0 {
                return None;
            }
            for message in messages(answer) {
                match message {
                    DiagMessage::Row(body) => row(body),
                    DiagMessage::Done => return Some(true),
                    DiagMessage::Error(_) => return Some(false),
                }
            }
            if !dump {
                return Some(true);
            }
        }
    }
}

/// Is the other end of a pipe held? The pipe is opened once more in the process's own direction, for one poll(2).
///
/// The kernel sets POLLHUP for a reader if and only if no writer is left anywhere, and POLLERR for a writer if and only
/// if no reader is left. The process holds this direction already, so no process can notice that it is opened once
/// more. O_NONBLOCK and O_NOCTTY prevent harm if the descriptor refers to something else by now.
pub(super) fn pipe(dir: BorrowedFd<'_>, fd: u32, inode: u64, way: Way) -> Sight {
    let (access, events) = match way {
        Way::In => (OFlags::RDONLY, PollFlags::IN),
        Way::Out => (OFlags::WRONLY, PollFlags::OUT),
    };
    let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    // EACCES: its owner is another user, or the process is not dumpable.
    let Ok(end) = openat(dir, format!("fd/{fd}"), flags, Mode::empty()) else { return Sight::Unknown };
    let same = fstat(&end)
        .is_ok_and(|stat| stat.st_ino == inode && FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
    let mut polled = [PollFd::new(&end, events)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    if !same || poll(&mut polled, Some(&now)).is_err() {
        return Sight::Unknown;
    }
    let events = polled[0].revents();
    match way {
        Way::In if events.contains(PollFlags::HUP) => Sight::Closed,
        Way::Out if events.contains(PollFlags::ERR) => Sight::Closed,
        Way::In => Sight::Open { own: End::Reader(inode), other: End::Writer(inode) },
        Way::Out => Sight::Open { own: End::Writer(inode), other: End::Reader(inode) },
    }
}
