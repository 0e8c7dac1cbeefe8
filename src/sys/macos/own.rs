//! Looks at a descriptor of this process: its pipe or socket, and whether the other end is still open.

use super::calls::{Calls, flavor};
use super::layout::{self, FdTarget, at};

/// A pipe or a socket on a descriptor of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnWire {
    /// It is a socket, not a pipe.
    pub socket: bool,
    /// Its address in the kernel's memory, hashed. No other pipe or socket has this number while we hold it.
    pub number: u64,
    /// No process holds the other end any more. False for a unix socket that its own side shut down, which still has its
    /// peer, and always false for a TCP connection.
    pub other_end_is_gone: bool,
    /// Both directions of a unix socket were shut down, and a process holds the other end.
    pub shut_both_ways: bool,
}

/// The wire on a descriptor of this process; `None` for a named pipe, for a descriptor that is neither a pipe nor a socket,
/// and for one that cannot be read.
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
    // A socket that was never connected has no peer either, but was not shut down.
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
