//! What a process holds: its descriptors, as far as they are pipes and sockets.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use rustix::fs::{Mode, OFlags, RawDir, openat};

use super::proc::number;
use crate::sys::procfs::FdTarget;

/// One end of a wire, and what a process must hold to hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum End {
    /// A descriptor that can read from the pipe with this inode.
    Reader(u64),
    /// A descriptor that can write to it.
    Writer(u64),
    /// The unix socket with this inode.
    Socket(u64),
}

impl End {
    /// What the link of such a descriptor says.
    pub(super) fn target(self) -> FdTarget {
        match self {
            End::Reader(inode) | End::Writer(inode) => FdTarget::Pipe(inode),
            End::Socket(inode) => FdTarget::Socket(inode),
        }
    }
}

/// The descriptors of one process: those that are pipes or sockets, and the first three.
#[derive(Clone, Debug, Default)]
pub(super) struct FdTable {
    rows: Vec<(u32, FdTarget)>,
    first: [Option<FdTarget>; 3],
}

impl FdTable {
    /// Reads `fd/` below a process's directory. An error is "not known", often EACCES: another user's,
    /// or a process that is not dumpable. A table without any row is one as well: so it looks when
    /// the process is ending, and when its first thread has ended and others go on with all it holds.
    pub(super) fn read(dir: BorrowedFd<'_>) -> io::Result<FdTable> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fds = openat(dir, "fd", flags, Mode::empty())?;
        let mut table = FdTable::default();
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut link = [MaybeUninit::uninit(); 64];
        let mut entries = RawDir::new(&fds, &mut buffer);
        let mut seen = false;
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let Some(fd) = number(entry.file_name().to_bytes()) else { continue };
            seen = true;
            // A descriptor that was closed meanwhile is none. A text that fills the buffer is a path.
            let Ok((text, _)) = rustix::fs::readlinkat_raw(&fds, entry.file_name(), &mut link) else {
                continue;
            };
            let target = FdTarget::parse(text);
            if let Some(first) = table.first.get_mut(fd as usize) {
                *first = Some(target);
            }
            if matches!(target, FdTarget::Pipe(_) | FdTarget::Socket(_)) {
                table.rows.push((fd, target));
            }
        }
        if seen { Ok(table) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// stdin, stdout or stderr; `None` when there is no such descriptor.
    pub(super) fn first(&self, fd: u32) -> Option<FdTarget> {
        self.first.get(fd as usize).copied().flatten()
    }

    /// All rows: descriptor and target, pipes and sockets only.
    pub(super) fn rows(&self) -> &[(u32, FdTarget)] {
        &self.rows
    }

    /// The inodes of all sockets.
    pub(super) fn sockets(&self) -> impl Iterator<Item = u64> + '_ {
        self.rows.iter().filter_map(|(_, target)| match target {
            FdTarget::Socket(inode) => Some(*inode),
            _ => None,
        })
    }
}
