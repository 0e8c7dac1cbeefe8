//! What lies on a descriptor of our own, and whether its other end is still there.

use super::calls::{Calls, flavor};
use super::layout::{self, FdTarget, at};

/// A pipe or a socket on a descriptor of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnWire {
    /// A socket, and no pipe.
    pub socket: bool,
    /// Where it lies in the kernel's memory, hashed: no other pipe or socket has the number as long as we hold it.
    pub number: u64,
    /// Nobody holds the other end any more. A unix socket that its own side shut down still has its peer, and a TCP
    /// connection does not tell.
    pub other_end_is_gone: bool,
    /// Both directions of a unix socket were shut down, and somebody holds the other end.
    pub shut_both_ways: bool,
}

/// What is on a descriptor of this process; `None` for what is no pipe and no socket, a pipe with a name, and what cannot
/// be read.
pub fn own_wire_by(calls: &impl Calls, fd: i32) -> Option<OwnWire> {
    let me = calls.viewer().pid;
    let mut bytes = [0; at::PIPE_SIZE];
    if let Ok(at::PIPE_SIZE) = calls.fd_info(me, fd, flavor::FD_PIPE, &mut bytes) {
        let FdTarget::Pipe { own, peer, .. } = layout::pipe(&bytes)? else { return None };
        return Some(OwnWire {
            socket: false,
            number: own,
            other_end_is_gone: peer == 0,
            shut_both_ways: false,
        });
    }
    let mut bytes = [0; at::SOCKET_SIZE];
    let length = calls.fd_info(me, fd, flavor::FD_SOCKET, &mut bytes).ok()?;
    let bytes = bytes.get(..length)?;
    // One that was never connected has no peer either, and nothing of it is shut.
    let shut = match layout::socket(bytes)? {
        FdTarget::Unix(unix) if !unix.hears && !unix.speaks => Some(unix.peer == 0),
        _ => None,
    };
    Some(OwnWire {
        socket: true,
        number: layout::socket_number(bytes)?,
        other_end_is_gone: shut == Some(true),
        shut_both_ways: shut == Some(false),
    })
}
