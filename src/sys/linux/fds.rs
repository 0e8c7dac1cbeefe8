//! What a process holds: its descriptors, as far as they are pipes and sockets.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, RawDir, major, minor, statat};
use rustix::io::Errno;

use super::proc::number;
use crate::sys::descriptors::{Object, Row};
use crate::sys::procfs::FdTarget;

/// The descriptors of one process: those that are pipes or sockets, and the first three.
#[derive(Clone, Debug, Default)]
pub(super) struct FdTable {
    rows: Vec<(u32, FdTarget)>,
    first: [Option<FdTarget>; 3],
    /// Descriptors above 2 on which something with a path lies: a file, a device, or a pipe with a name.
    paths: Vec<u32>,
    /// Descriptors that are there and whose links could not be read: `fd/` lists for whoever owns it, and its links need
    /// more (CAP_SYS_PTRACE where the process is not dumpable or in another user namespace).
    unread: Vec<u32>,
}

impl FdTable {
    /// Reads a process's `fd/`. An error is "not known", often EACCES: another user's,
    /// or a process that is not dumpable. A table without any row is one as well: so it looks when
    /// the process is ending, and when its first thread has ended and others go on with all it holds.
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
            // A text that fills the buffer is a path.
            let target = match rustix::fs::readlinkat_raw(fds, entry.file_name(), &mut link) {
                Ok((text, _)) => FdTarget::parse(text),
                // It was closed meanwhile.
                Err(Errno::NOENT) => continue,
                Err(_) => {
                    table.unread.push(fd);
                    continue;
                }
            };
            if let Some(first) = table.first.get_mut(fd as usize) {
                *first = Some(target);
            }
            if fd > 2 && matches!(target, FdTarget::Path { .. }) {
                table.paths.push(fd);
            }
            if matches!(target, FdTarget::Pipe(_) | FdTarget::Socket(_) | FdTarget::Master) {
                table.rows.push((fd, target));
            }
        }
        if seen { Ok(table) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// All rows: descriptor and target, pipes, sockets and masters of terminals only.
    pub(super) fn rows(&self) -> &[(u32, FdTarget)] {
        &self.rows
    }

    /// Some of it could not be read.
    pub(super) fn is_partly_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// The table as the shared judgement of it wants it; `fds` is the directory that it was read from.
    pub(super) fn objects(&self, fds: BorrowedFd<'_>) -> Vec<Row> {
        let first = (0..3).filter_map(|fd| {
            let target = self.first.get(fd as usize).copied().flatten()?;
            Some((fd, describe(fds, fd, target)))
        });
        let unread = self.unread.iter().map(|fd| (*fd, Object::Unread));
        let above = self.rows.iter().filter_map(|(fd, target)| match target {
            FdTarget::Pipe(inode) if *fd > 2 => Some((*fd, Object::Pipe(*inode))),
            FdTarget::Socket(inode) if *fd > 2 => Some((*fd, Object::Socket(*inode))),
            _ => None,
        });
        let named = self.paths.iter().filter(|fd| {
            statat(fds, itoa::Buffer::new().format(**fd), AtFlags::empty())
                .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
        });
        let named = named.map(|fd| (*fd, Object::NamedPipe));
        first.chain(unread).chain(above).chain(named).collect()
    }
}

/// What lies on one of the first three descriptors.
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
