//! Answers the questions that the shared interpretation of descriptors has about one process, on Linux.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::holders::Holders;
use super::proc::{Proc, Shape, read_at};
use super::sockets::Sockets;
use super::{probe, table};
use crate::process::ProcessId;
use crate::sys::descriptors::{Access, Answers, End, Object, Row, Sight, Socket, Way};
use crate::sys::procfs;

/// The answers about one process. They come from the descriptors that were already read, and only where these do not
/// suffice from the kernel.
pub(super) struct KernelAnswers<'a> {
    pub(super) id: ProcessId,
    /// The descriptors of the process.
    pub(super) rows: &'a [Row],
    pub(super) proc: &'a mut Proc,
    pub(super) sockets: &'a mut Sockets,
    pub(super) holders: &'a mut Holders,
    pub(super) dir: LazyDir,
}

/// The directory of the process, opened when a question needs it. For most processes none does.
#[derive(Default)]
#[allow(clippy::option_option, reason = "not opened yet, and not there")]
pub(super) struct LazyDir(Option<Option<OwnedFd>>);

impl LazyDir {
    /// `None` when the process has ended. The open directory belongs to this process, also when its pid is reused.
    fn get(&mut self, proc: &mut Proc, id: ProcessId) -> Option<BorrowedFd<'_>> {
        let open = || {
            let dir = proc.dir_of(id.pid).ok()?;
            read_at(dir.as_fd(), "stat", 4 << 10, Shape::Piece, &mut proc.text).ok()?;
            (table::parse_start(&proc.text) == Some(id.start)).then_some(dir)
        };
        self.0.get_or_insert_with(open).as_ref().map(AsFd::as_fd)
    }
}

impl Answers for KernelAnswers<'_> {
    fn access(&mut self, fd: u32) -> Option<Access> {
        match self.rows.iter().find(|(row, _)| *row == fd) {
            Some((_, Object::Pipe(id))) => self.holders.access(self.proc, self.id.pid, fd, *id),
            _ => self.proc.access(self.id.pid, fd),
        }
    }

    /// If another process was seen to hold the other end, that is the answer, and it saves the four calls of the probe.
    fn pipe(&mut self, fd: u32, id: u64, way: Way) -> Sight {
        let (own, other) = match way {
            Way::In => (End::Reader(id), End::Writer(id)),
            Way::Out => (End::Writer(id), End::Reader(id)),
        };
        if self.holders.is_held_by_another(self.proc, self.id.pid, other) {
            return Sight::Open { own, other };
        }
        let dir = self.dir.get(self.proc, self.id);
        dir.map_or(Sight::Unknown, |dir| probe::pipe(dir, fd, id, way))
    }

    fn socket(&mut self, fd: u32, id: u64) -> Socket {
        if let Some(found) = self.sockets.unix_of_ours(fd, id) {
            return found;
        }
        let dir = self.dir.get(self.proc, self.id);
        dir.map_or(Socket::Unread, |dir| self.sockets.other(dir, fd, id))
    }

    fn closes_on_exec(&mut self, fd: u32) -> Option<bool> {
        let dir = self.dir.get(self.proc, self.id)?;
        read_at(dir, &format!("fdinfo/{fd}"), 4 << 10, Shape::Piece, &mut self.proc.text).ok()?;
        procfs::closes_on_exec(&self.proc.text)
    }
}
