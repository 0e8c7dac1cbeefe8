//! Whose hang-up is it? A socket that its own side shut down looks hung up to poll(2) while the other end is
//! still there.

use std::os::fd::OwnedFd;

/// Is the other end of this unix socket closed? Its peer has no inode then (net/unix/diag.c,
/// `sk_diag_dump_peer`). What cannot be asked is not gone.
#[must_use]
pub fn is_gone(inode: u64) -> bool {
    ask(inode).and_then(|answer| peer_of(&answer)) == Some(0)
}

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
    // The kernel answers while it is asked.
    let length = rustix::io::read(&diag, &mut answer[..]).ok()?;
    answer.truncate(length);
    Some(answer)
}

/// The inode of the peer, from a message with a `struct unix_diag_msg` of 16 bytes and its attributes.
fn peer_of(message: &[u8]) -> Option<u32> {
    let two = |at: usize| Some(u16::from_ne_bytes(message.get(at..at + 2)?.try_into().ok()?));
    let four = |at: usize| Some(u32::from_ne_bytes(message.get(at..at + 4)?.try_into().ok()?));
    if two(4)? != 20 {
        return None;
    }
    let end = (four(0)? as usize).min(message.len());
    let mut at = 32;
    while at + 4 <= end {
        let (length, kind) = (usize::from(two(at)?), two(at + 2)?);
        if kind == 2 && length >= 8 {
            return four(at + 4); // UNIX_DIAG_PEER
        }
        at += length.max(4).next_multiple_of(4);
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::net::Shutdown;
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn only_the_close_of_the_other_end_is_an_end() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let file = std::fs::File::from(OwnedFd::from(ours.try_clone().unwrap()));
        let inode = file.metadata().unwrap().ino();
        assert_eq!(ask(inode).and_then(|answer| peer_of(&answer)).map(|peer| peer != 0), Some(true));
        ours.shutdown(Shutdown::Both).unwrap();
        assert!(!is_gone(inode), "we shut it down, they still have their end");
        drop(theirs);
        assert!(is_gone(inode));
        assert!(!is_gone(1), "no such socket is not known");
    }

    #[test]
    fn a_message_that_is_cut_names_no_peer() {
        for message in [&[][..], &[0; 16], &[0xff; 33], &[40, 0, 0, 0, 20, 0]] {
            assert_eq!(peer_of(message), None);
        }
    }
}
