//! Reads the descriptors of a process from `/proc/PID/fd`.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, RawDir, major, minor, statat};
use rustix::io::Errno;

use super::proc::number;
use crate::sys::descriptors::{Object, Row};
use crate::sys::procfs::FdTarget;

/// The descriptors of one process.
#[derive(Clone, Debug, Default)]
pub(super) struct FdTable {
    rows: Vec<(u32, FdTarget)>,
    /// Descriptors whose links could not be read. The owner of `fd/` may list it, but to read its links takes
    /// CAP_SYS_PTRACE if the process is not dumpable or is in another user namespace.
    unread: Vec<u32>,
}

impl FdTable {
    /// Reads the `fd/` of a process. An error means that the descriptors are not known; it is often EACCES, for a
    /// process of another user or one that is not dumpable. A directory without entries is an error too: a process that
    /// is ending shows one, and so does a process whose first thread has ended while others still hold its descriptors.
    pub(super) fn read(fds: BorrowedFd<'_>) -> io::Result<FdTable> {
        let mut table = FdTable::default();
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut link = [MaybeUninit::uninit(); 64];
        let mut entries = RawDir::new(fds, &mut buffer);
        let mut seen = false;
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let Some(fd) = number(entry.file_name().to_bytes()) else { continue };
            seen = true;
            // A target that fills the buffer is a path.
            match rustix::fs::readlinkat_raw(fds, entry.file_name(), &mut link) {
                Ok((text, _)) => table.rows.push((fd, FdTarget::parse(text))),
                // The descriptor was closed meanwhile.
                Err(Errno::NOENT) => {}
                Err(_) => table.unread.push(fd),
            }
        }
        if seen { Ok(table) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// The descriptors that are pipes, sockets or masters of terminals.
    pub(super) fn ends(&self) -> impl Iterator<Item = (u32, FdTarget)> + '_ {
        let is_end =
            |target: &FdTarget| matches!(target, FdTarget::Pipe(_) | FdTarget::Socket(_) | FdTarget::Master);
        self.rows.iter().copied().filter(move |(_, target)| is_end(target))
    }

    /// Are there descriptors whose links could not be read?
    pub(super) fn is_partly_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// The descriptors for the shared interpretation (`sys::descriptors`). `fds` is the directory they were read from.
    pub(super) fn objects(&self, fds: BorrowedFd<'_>) -> Vec<Row> {
        let known = self.rows.iter().filter_map(|(fd, target)| {
            let object = match target {
                target if *fd < 3 => describe(fds, *fd, *target),
                FdTarget::Pipe(inode) => Object::Pipe(*inode),
                FdTarget::Socket(inode) => Object::Socket(*inode),
                // A file, a device, or a pipe with a name.
                FdTarget::Path { .. } if is_named_pipe(fds, *fd) => Object::NamedPipe,
                _ => return None,
            };
            Some((*fd, object))
        });
        known.chain(self.unread.iter().map(|fd| (*fd, Object::Unread))).collect()
    }
}

fn is_named_pipe(fds: BorrowedFd<'_>, fd: u32) -> bool {
    statat(fds, itoa::Buffer::new().format(fd), AtFlags::empty())
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
}

/// The object of one of the first three descriptors.
fn describe(fds: BorrowedFd<'_>, fd: u32, target: FdTarget) -> Object {
    let (number, deleted) = match target {
        FdTarget::Pipe(inode) => return Object::Pipe(inode),
        FdTarget::Socket(inode) => return Object::Socket(inode),
        FdTarget::Other => return Object::Other,
        FdTarget::Terminal { number, deleted } => (Some(number), deleted),
        FdTarget::Path { deleted } => (None, deleted),
        FdTarget::Master => (None, false),
    };
    let Ok(stat) = statat(fds, itoa::Buffer::new().format(fd), AtFlags::empty()) else {
        return Object::Unread;
    };
    let device = (major(stat.st_rdev), minor(stat.st_rdev));
    match (FileType::from_raw_mode(stat.st_mode), device) {
        (FileType::Fifo, _) => Object::NamedPipe,
        (FileType::Socket, _) => Object::Other,
        (FileType::CharacterDevice, (1, 3)) => Object::Null,
        // Terminals: pseudo (136 to 143), virtual and serial (4), the console and /dev/tty itself (5).
        (FileType::CharacterDevice, (136..=143, _)) => Object::Terminal { number, gone: deleted },
        (FileType::CharacterDevice, (4, _) | (5, 0 | 1)) => Object::Terminal { number: None, gone: false },
        _ => Object::File,
    }
}
