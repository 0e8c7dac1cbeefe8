//! Tells whether the other end of a socket is still open. To poll(2) a socket looks hung up also when its own side shut it
//! down.
//!
//! The kernel does not show which side shut down one direction. shutdown(2) writes into the sockets of both ends
//! (<https://github.com/torvalds/linux/blob/v6.18/net/unix/af_unix.c>, `unix_shutdown`), and sets the same bits when the
//! writer stops writing as when the reader stops reading. So only the close of the other end counts as a hang-up.

use crate::guard::events::PeerState;
use crate::sys::unix_socket;

/// `SHUTDOWN_MASK`: shut down for reading and writing.
const BOTH_WAYS: u8 = 3;

/// The state of the other end of the unix socket with this inode.
pub(super) fn peer_state(inode: u64) -> PeerState {
    match unix_socket(inode) {
        // A closed peer has no inode (net/unix/diag.c, `sk_diag_dump_peer`).
        Some(socket) if socket.peer == Some(0) => PeerState::Gone,
        Some(socket) if socket.peer.is_some() && socket.shutdown == BOTH_WAYS => PeerState::ShutBothWays,
        _ => PeerState::There,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use nix::sys::socket::{MsgFlags, recv};
    use std::net::Shutdown;
    use std::os::fd::{AsRawFd as _, OwnedFd};
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn only_the_close_of_the_other_end_is_an_end() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let file = std::fs::File::from(OwnedFd::from(ours.try_clone().unwrap()));
        let inode = file.metadata().unwrap().ino();
        assert_eq!(unix_socket(inode).unwrap().peer.map(|peer| peer != 0), Some(true));
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
        shutdown: u8,
        peer_is_there: bool,
        unread: u64,
        polled: rustix::event::PollFlags,
        end_of_input: bool,
    }

    fn seen(end: &UnixStream) -> Seen {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let file = std::fs::File::from(OwnedFd::from(end.try_clone().unwrap()));
        let socket = unix_socket(file.metadata().unwrap().ino()).unwrap();
        let mut polled = [PollFd::new(end, PollFlags::IN | PollFlags::OUT | PollFlags::RDHUP)];
        poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap();
        let polled = polled[0].revents();
        let mut byte = [0];
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        let peeked = recv(end.as_raw_fd(), &mut byte, flags);
        Seen {
            shutdown: socket.shutdown,
            peer_is_there: socket.peer != Some(0),
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
        assert_eq!(by_client.0.shutdown, 1, "RCV_SHUTDOWN at the server's end, whoever did it");
        assert_eq!(by_client.1.shutdown, 2, "SEND_SHUTDOWN at the client's");
        assert!(by_client.0.end_of_input && by_client.0.peer_is_there);
    }
}
