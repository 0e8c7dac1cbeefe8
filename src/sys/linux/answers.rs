//! The few questions about one process that its descriptors raise, answered by Linux.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, statat};

use super::probe;
use super::proc::{Shape, read_at};
use super::sockets::Sockets;
use crate::sys::descriptors::{Access, Answers, Sight, Socket, Way};
use crate::sys::procfs;

/// About the process whose directory this is: whatever becomes of its number, all answers are about that one.
pub(super) struct KernelAnswers<'a> {
    pub(super) dir: BorrowedFd<'a>,
    pub(super) sockets: &'a mut Sockets,
    pub(super) text: &'a mut Vec<u8>,
}

impl Answers for KernelAnswers<'_> {
    /// The mode bits of the link itself show it (proc_pid_fd(5)), which is one call where `fdinfo` takes three.
    fn access(&mut self, fd: u32) -> Option<Access> {
        let mode = statat(self.dir, format!("fd/{fd}"), AtFlags::SYMLINK_NOFOLLOW).ok()?.st_mode;
        Some(Access { read: mode & 0o400 != 0, write: mode & 0o200 != 0 })
    }

    fn pipe(&mut self, fd: u32, id: u64, way: Way) -> Sight {
        probe::pipe(self.dir, fd, id, way)
    }

    fn socket(&mut self, fd: u32, id: u64) -> Socket {
        self.sockets.socket(self.dir, fd, id)
    }

    fn closes_on_exec(&mut self, fd: u32) -> Option<bool> {
        read_at(self.dir, &format!("fdinfo/{fd}"), 4 << 10, Shape::Piece, self.text).ok()?;
        procfs::closes_on_exec(self.text)
    }
}
