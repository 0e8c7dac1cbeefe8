//! Reads the descriptors of a process, with one call for each.

use std::io;

use super::calls::{Calls, errno, flavor};
use super::layout::{self, FdTarget, at};
use super::wires::{Fd, Fds};
use crate::process::Pid;
use crate::sys::descriptors::Object;

/// sys/proc_info.h: types of descriptors.
const VNODE: u32 = 1;
const SOCKET: u32 = 2;
const PIPE: u32 = 6;

/// Reads descriptors, and knows the device number of `/dev/null`.
#[derive(Debug)]
pub(super) struct Reader<'c, C> {
    calls: &'c C,
    null: Option<u32>,
}

impl<'c, C: Calls> Reader<'c, C> {
    pub(super) fn new(calls: &'c C) -> Reader<'c, C> {
        Reader { calls, null: calls.null_device() }
    }

    /// All pipes and sockets of a process, and its standard descriptors. `None` when they may not be read, or the process
    /// ended meanwhile.
    pub(super) fn fds(&self, pid: Pid) -> Option<Fds> {
        let list = self.list(pid)?;
        let fds = layout::descriptors(&list)
            .filter_map(|(fd, kind)| Some((u32::try_from(fd).ok()?, self.fd(pid, fd, kind)?)));
        Some(fds.collect())
    }

    /// One descriptor; `None` for one that does not matter: a file above the standard descriptors, a kqueue.
    fn fd(&self, pid: Pid, fd: i32, kind: u32) -> Option<Fd> {
        let standard = (0..=2).contains(&fd);
        let (target, closes_on_exec) = match kind {
            PIPE => read(&self.info::<{ at::PIPE_SIZE }>(pid, fd, flavor::FD_PIPE), layout::pipe),
            SOCKET => read(&self.info::<{ at::SOCKET_SIZE }>(pid, fd, flavor::FD_SOCKET), layout::socket),
            VNODE if standard => {
                let answer = self.info::<{ at::VNODE_SIZE }>(pid, fd, flavor::FD_VNODE);
                let is_terminal = |device| self.is_terminal(device);
                match read(&answer, |bytes| layout::vnode(bytes, self.null, is_terminal)) {
                    (FdTarget::Plain(Object::Unread), _) if self.is_revoked(pid, fd, &answer) => {
                        (FdTarget::Plain(Object::Terminal { number: None, gone: true }), None)
                    }
                    read => read,
                }
            }
            _ if standard => (FdTarget::Plain(Object::Other), None),
            _ => return None,
        };
        Some(Fd { target, closes_on_exec })
    }

    /// Was this descriptor revoked? When the leader of a session ends, its terminal is revoked. The descriptor stays, but
    /// calls on its vnode fail (xnu: `vn_stat` of a dead vnode is EBADF). The same holds for a file on a volume that was
    /// unmounted by force, through which nobody talks either. A descriptor that was closed meanwhile is no longer listed.
    fn is_revoked<const SIZE: usize>(&self, pid: Pid, fd: i32, answer: &io::Result<[u8; SIZE]>) -> bool {
        let bad = answer.as_ref().is_err_and(|error| error.raw_os_error() == Some(errno::EBADF));
        bad && self
            .list(pid)
            .is_some_and(|list| layout::descriptors(&list).any(|listed| listed == (fd, VNODE)))
    }

    /// Reads one struct about one descriptor. It is also an error when the kernel did not fill all of it.
    fn info<const SIZE: usize>(&self, pid: Pid, fd: i32, flavor: i32) -> io::Result<[u8; SIZE]> {
        let mut bytes = [0; SIZE];
        let length = self.calls.fd_info(pid, fd, flavor, &mut bytes)?;
        if length == SIZE { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// The whole list, which may be empty. Reads it again with more room when it came back full.
    fn list(&self, pid: Pid) -> Option<Vec<u8>> {
        let mut room = 256 * at::FD_SIZE;
        loop {
            let mut bytes = vec![0; room];
            let length = self.calls.pid_info(pid, flavor::LIST_FDS, 0, &mut bytes).ok()?;
            if length < room {
                bytes.truncate(length);
                return Some(bytes);
            }
            room *= 2;
        }
    }

    fn is_terminal(&self, device: u32) -> bool {
        let name = self.calls.device_name(device);
        name.is_some_and(|name| name.starts_with("tty") || name == "console")
    }
}

/// The answer of a call, or [`Object::Unread`]. A call that failed (the descriptor was closed meanwhile, access was refused,
/// no memory) does not mean that there is no such descriptor.
fn read<const SIZE: usize>(
    answer: &io::Result<[u8; SIZE]>,
    parse: impl Fn(&[u8]) -> Option<FdTarget>,
) -> (FdTarget, Option<bool>) {
    match answer {
        Ok(bytes) => (parse(bytes).unwrap_or(FdTarget::Plain(Object::Unread)), layout::closes_on_exec(bytes)),
        Err(_) => (FdTarget::Plain(Object::Unread), None),
    }
}
