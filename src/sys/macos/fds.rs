//! The descriptors of a process, one question each.

use std::os::unix::fs::MetadataExt;

use super::super::ffi;
use super::layout::{self, End, at};
use super::wires::{Fd, Fds};
use crate::process::Pid;

/// sys/proc_info.h: the flavors of `proc_pidfdinfo` that the libc crate does not name.
const PROC_PIDFDVNODEINFO: i32 = 1;
const PROC_PIDFDSOCKETINFO: i32 = 3;
const PROC_PIDFDPIPEINFO: i32 = 6;

/// Reads descriptors; remembers what `/dev/null` is.
#[derive(Debug)]
pub(super) struct Reader {
    null: Option<u32>,
}

impl Reader {
    pub(super) fn new() -> Reader {
        let null = std::fs::metadata("/dev/null").ok().and_then(|null| u32::try_from(null.rdev()).ok());
        Reader { null }
    }

    /// All pipes and sockets of a process, and what its standard descriptors are. `None` when it
    /// may not be looked into, or ended while we did.
    pub(super) fn fds(&self, pid: Pid) -> Option<Fds> {
        let list = list(pid)?;
        let fds = layout::descriptors(&list)
            .filter_map(|(fd, kind)| Some((u32::try_from(fd).ok()?, self.fd(pid, fd, kind)?)));
        Some(fds.collect())
    }

    /// `None` for what says nothing: a file above the standard descriptors, a kqueue.
    fn fd(&self, pid: Pid, fd: i32, kind: u32) -> Option<Fd> {
        let standard = (0..=2).contains(&fd);
        // prox_fdtype's values are small and not negative.
        let (end, closes_on_exec) = match kind.cast_signed() {
            libc::PROX_FDTYPE_PIPE => {
                let bytes = info::<{ at::PIPE_SIZE }>(pid, fd, PROC_PIDFDPIPEINFO);
                read(bytes.as_ref(), layout::pipe)
            }
            libc::PROX_FDTYPE_SOCKET => {
                let bytes = info::<{ at::SOCKET_SIZE }>(pid, fd, PROC_PIDFDSOCKETINFO);
                read(bytes.as_ref(), layout::socket)
            }
            libc::PROX_FDTYPE_VNODE if standard => {
                let bytes = info::<{ at::VNODE_SIZE }>(pid, fd, PROC_PIDFDVNODEINFO);
                read(bytes.as_ref(), |bytes| layout::vnode(bytes, self.null, is_terminal))
            }
            _ if standard => (End::Unknown, None),
            _ => return None,
        };
        Some(Fd { end, closes_on_exec })
    }
}

/// A question that failed (the descriptor was closed meanwhile, access was refused, no memory) is not "no such
/// descriptor".
fn read<const SIZE: usize>(
    bytes: Option<&[u8; SIZE]>,
    parse: impl Fn(&[u8]) -> Option<End>,
) -> (End, Option<bool>) {
    match bytes {
        Some(bytes) => (parse(bytes).unwrap_or(End::Unread), layout::closes_on_exec(bytes)),
        None => (End::Unread, None),
    }
}

/// One struct about one descriptor; `None` when the kernel did not fill all of it.
fn info<const SIZE: usize>(pid: Pid, fd: i32, flavor: i32) -> Option<[u8; SIZE]> {
    let mut bytes = [0; SIZE];
    (ffi::fd_info(pid, fd, flavor, &mut bytes).ok()? == SIZE).then_some(bytes)
}

/// The whole list; asked again with more room when it came back full.
fn list(pid: Pid) -> Option<Vec<u8>> {
    let mut room = 256 * at::FD_SIZE;
    loop {
        let mut bytes = vec![0; room];
        let length = ffi::pid_info(pid, libc::PROC_PIDLISTFDS, 0, &mut bytes).ok()?;
        if length < room {
            bytes.truncate(length);
            return Some(bytes);
        }
        room *= 2;
    }
}

fn is_terminal(device: u32) -> bool {
    ffi::device_name(device).is_some_and(|name| name.starts_with("tty") || name == "console")
}
