//! Tells whether the other end of a socket is still open. To poll(2) a socket looks hung up also when its own side shut it
//! down.
//!
//! The kernel does not show which side shut down one direction. shutdown(2) writes into the sockets of both ends
//! (<https://github.com/torvalds/linux/blob/v6.18/net/unix/af_unix.c>, `unix_shutdown`), and sets the same bits when the
//! writer stops writing as when the reader stops reading. So only the close of the other end counts as a hang-up.

use std::os::fd::OwnedFd;

use super::events::PeerState;

/// The state of the other end of this unix socket. A closed peer has no inode (net/unix/diag.c, `sk_diag_dump_peer`).
pub fn peer_state(inode: u64) -> PeerState {
    let Some(answer) = ask(inode) else { return PeerState::There };
    match (peer_of(&answer), shut_ways(&answer)) {
        (Some(0), _) => PeerState::Gone,
        (Some(_), Some(BOTH_WAYS)) => PeerState::ShutBothWays,
        _ => PeerState::There,
    }
}

/// `SHUTDOWN_MASK`: shut down for reading and writing.
const BOTH_WAYS: u8 = 3;

fn ask(inode: u64) -> Option<Vec<u8>> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let diag: OwnedFd =
        socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkSockDiag).ok()?;
    // struct nlmsghdr and struct unix_diag_req (sock_diag(7)): this inode, in any state, with its peer.
    let mut request = Vec::with_capacity(40);
    request.extend(40_u32.to_ne_bytes());
    request.extend(20_u16.to_ne_bytes()); // SOCK_DIAG_BY_FAMILY
    request.extend(1_u16.to_ne_bytes()); // NLM_F_REQUEST
    request.extend([0; 8]);
    request.extend([1, 0, 0, 0]); // AF_UNIX
    request.extend(u32::MAX.to_ne_bytes());
    request.extend(u32::try_from(inode).ok()?.to_ne_bytes());
    request.extend(4_u32.to_ne_bytes()); // UDIAG_SHOW_PEER
    request.extend([0xff; 8]);
    rustix::io::write(&diag, &request).ok()?;
    let mut answer = vec![0; 4096];
    // The kernel answers within the write above, so this read does not wait.
    let length = rustix::io::read(&diag, &mut answer[..]).ok()?;
    answer.truncate(length);
    Some(answer)
}

/// The inode of the peer.
fn peer_of(message: &[u8]) -> Option<u32> {
    const UNIX_DIAG_PEER: u16 = 2;
    Some(u32::from_ne_bytes(attribute(message, UNIX_DIAG_PEER)?.get(..4)?.try_into().ok()?))
}

/// The directions that were shut down at this end.
fn shut_ways(message: &[u8]) -> Option<u8> {
    const UNIX_DIAG_SHUTDOWN: u16 = 6;
    attribute(message, UNIX_DIAG_SHUTDOWN)?.first().copied()
}

/// An attribute of a netlink message that begins with a `struct unix_diag_msg` of 16 bytes.
fn attribute(message: &[u8], wanted: u16) -> Option<&[u8]> {
    let two = |at: usize| Some(u16::from_ne_bytes(message.get(at..at + 2)?.try_into().ok()?));
    let four = |at: usize| Some(u32::from_ne_bytes(message.get(at..at + 4)?.try_into().ok()?));
    if two(4)? != 20 {
        return None;
    }
    let end = (four(0)? as usize).min(message.len());
    let mut at = 32;
    while at + 4 <= end {
        let (length, kind) = (usize::from(two(at)?), two(at + 2)?);
        if kind == wanted {
            return message.get(at + 4..(at + length).min(end));
        }
        at += length.max(4).next_multiple_of(4);
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use nix::sys::socket::{MsgFlags, recv};
    use std::net::Shutdown;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn only_the_close_of_the_other_end_is_an_end() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let file = std::fs::File::from(OwnedFd::from(ours.try_clone().unwrap()));
        let inode = file.metadata().unwrap().ino();
        assert_eq!(ask(inode).and_then(|answer| peer_of(&answer)).map(|peer| peer != 0), Some(true));
        assert_eq!(peer_state(inode), PeerState::There);
        ours.shutdown(Shutdown::Write).unwrap();
        assert_eq!(peer_state(inode), PeerState::There, "they can still write");
        theirs.shutdown(Shutdown::Write).unwrap();
        assert_eq!(peer_state(inode), PeerState::ShutBothWays, "they still have their end");
        drop(theirs);
        assert_eq!(peer_state(inode), PeerState::Gone);
        assert_eq!(peer_state(1), PeerState::There, "no such socket is not known");
    }

    /// All that the kernel tells of a socket to somebody who has it, or asks for it: the bits of both directions, what is
    /// still to be read, and what poll(2) says.
    #[derive(Debug, PartialEq)]
    struct Seen {
        shutdown: Option<u8>,
        peer_is_there: bool,
        unread: u64,
        polled: rustix::event::PollFlags,
        end_of_input: bool,
    }

    fn seen(end: &UnixStream) -> Seen {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let file = std::fs::File::from(OwnedFd::from(end.try_clone().unwrap()));
        let answer = ask(file.metadata().unwrap().ino()).unwrap();
        let mut polled = [PollFd::new(end, PollFlags::IN | PollFlags::OUT | PollFlags::RDHUP)];
        poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap();
        let polled = polled[0].revents();
        let mut byte = [0];
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        let peeked = recv(end.as_raw_fd(), &mut byte, flags);
        Seen {
            shutdown: shut_ways(&answer),
            peer_is_there: peer_of(&answer) != Some(0),
            unread: rustix::io::ioctl_fionread(end).unwrap(),
            polled,
            end_of_input: peeked == Ok(0),
        }
    }

    #[test]
    fn who_shut_down_one_direction_cannot_be_told() {
        let both = |shut: fn(&UnixStream, &UnixStream)| {
            let (server, client) = UnixStream::pair().unwrap();
            let before = seen(&server);
            shut(&server, &client);
            assert_ne!(seen(&server), before, "it is seen that it was");
            (seen(&server), seen(&client))
        };
        let by_client = both(|_, client| client.shutdown(Shutdown::Write).unwrap());
        let by_server = both(|server, _| server.shutdown(Shutdown::Read).unwrap());
        assert_eq!(by_client, by_server);
        assert_eq!(by_client.0.shutdown, Some(1), "RCV_SHUTDOWN at the server's end, whoever did it");
        assert_eq!(by_client.1.shutdown, Some(2), "SEND_SHUTDOWN at the client's");
        assert!(by_client.0.end_of_input && by_client.0.peer_is_there);
    }

    #[test]
    fn a_message_that_is_cut_names_no_peer() {
        for message in [&[][..], &[0; 16], &[0xff; 33], &[40, 0, 0, 0, 20, 0]] {
            assert_eq!(peer_of(message), None);
        }
    }
}
