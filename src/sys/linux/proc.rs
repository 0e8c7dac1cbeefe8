//! Reading `/proc`: few system calls, buffers that are used again.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir, SeekFrom, fstat, openat, seek, statat};
use rustix::io::Errno;

use crate::process::Pid;
use crate::sys::descriptors::Access;
use crate::sys::{SysError, procfs};

/// What a reading buffer starts with, in bytes; a stat line has about 350.
const FIRST: usize = 8 << 10;

/// The most of an environment that is read, in bytes. The kernel allows 6 MB; one that is larger is
/// "not known", because the variable that matters may stand in the rest.
pub(super) const MOST_ENVIRON: usize = 1 << 20;

/// How the end of a file is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// The kernel hands it over in one piece: a read that leaves room was the last.
    Piece,
    /// Rows, of which each read gives some: only an empty read is the end.
    Rows,
}

/// The process file system, opened once, of our own PID namespace.
#[derive(Debug)]
pub(super) struct Proc {
    root: OwnedFd,
    /// The path of the file that is opened next, relative to `/proc`.
    path: String,
    /// What was read last.
    pub(super) text: Vec<u8>,
}

impl Proc {
    /// Opens `/proc` and makes sure that its numbers are ours.
    pub(super) fn open() -> Result<Proc, SysError> {
        let io = |source: io::Error| SysError::Io { what: "read /proc".to_owned(), source };
        let root = folder(CWD, "/proc").map_err(io)?;
        let mut proc = Proc { root, path: String::new(), text: Vec::with_capacity(FIRST) };
        // The link alone could be right by chance; NSpid (Linux 4.1) has one number only at home.
        let own = std::process::id().to_string();
        let link = link_at(proc.root(), "self").map_err(io)?;
        proc.read("self/status", 1 << 20, Shape::Piece).map_err(io)?;
        let namespaces = procfs::status(&proc.text).namespaces;
        if link != own.as_bytes() || namespaces.is_some_and(|count| count != 1) {
            return Err(SysError::ForeignProc);
        }
        Ok(proc)
    }

    /// `/proc` itself.
    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Another handle on the same `/proc`, with buffers of its own.
    pub(super) fn twin(&self) -> io::Result<Proc> {
        let root = self.root.try_clone()?;
        Ok(Proc { root, path: String::new(), text: Vec::with_capacity(FIRST) })
    }

    /// The numbers of all processes.
    pub(super) fn pids(&self) -> Result<Vec<Pid>, SysError> {
        let failed = |error: Errno| SysError::Io { what: "list /proc".to_owned(), source: error.into() };
        // A look before this one has read the folder to its end.
        seek(&self.root, SeekFrom::Start(0)).map_err(failed)?;
        let mut pids = Vec::new();
        let mut buffer = vec![MaybeUninit::uninit(); 32 << 10];
        let mut entries = RawDir::new(&self.root, &mut buffer);
        while let Some(entry) = entries.next() {
            pids.extend(number(entry.map_err(failed)?.file_name().to_bytes()).map(Pid));
        }
        Ok(pids)
    }

    /// Reads a file below `/proc` into [`Proc::text`].
    pub(super) fn read(&mut self, path: &str, most: usize, shape: Shape) -> io::Result<()> {
        read_at(self.root.as_fd(), path, most, shape, &mut self.text)
    }

    /// Reads `/proc/PID/FILE` into [`Proc::text`].
    pub(super) fn read_of(&mut self, pid: Pid, file: &str, most: usize) -> io::Result<()> {
        self.point(pid, file);
        read_at(self.root.as_fd(), &self.path, most, Shape::Piece, &mut self.text)
    }

    /// Reads `/proc/PID/stat` into [`Proc::text`] and says who owns that file: the effective user, or for a process that is
    /// not dumpable whoever is root in its user namespace. [`Proc::uid_of`] tells, for four times the price.
    pub(super) fn stat_and_owner(&mut self, pid: Pid) -> io::Result<u32> {
        self.point(pid, "stat");
        let file = openat(&self.root, &*self.path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let owner = fstat(&file)?.st_uid;
        read_all(file.as_fd(), 4 << 10, Shape::Piece, &mut self.text)?;
        Ok(owner)
    }

    /// The effective user: owner of the directory, also of a process that is not dumpable, whose files
    /// all belong to root (`task_dump_owner` in the kernel's fs/proc/base.c).
    pub(super) fn uid_of(&mut self, pid: Pid) -> io::Result<u32> {
        self.point(pid, "");
        Ok(statat(&self.root, &*self.path, AtFlags::empty())?.st_uid)
    }

    /// The directory of one process. Whatever is opened below it belongs to that very process, also
    /// when its number is used again meanwhile.
    pub(super) fn dir_of(&mut self, pid: Pid) -> io::Result<OwnedFd> {
        self.point(pid, "");
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(&self.root, &*self.path, flags, Mode::empty())?)
    }

    /// The directory of a process's descriptors.
    pub(super) fn fds_of(&mut self, pid: Pid) -> io::Result<OwnedFd> {
        self.point(pid, "fd");
        folder(self.root.as_fd(), &self.path)
    }

    /// A place from which all files of one process are read. `fds`: its descriptors, too, where they may be listed.
    pub(super) fn place(&mut self, pid: Pid, fds: bool) -> io::Result<Place> {
        if fds && let Ok(dir) = self.fds_of(pid) {
            return Ok(Place { dir, fds: true });
        }
        Ok(Place { dir: self.dir_of(pid)?, fds: false })
    }

    /// Whether a process's stdin may be a pipe or a socket: not when it is `/dev/null`, a terminal,
    /// closed, or not to be seen.
    pub(super) fn may_be_wired(&mut self, pid: Pid) -> bool {
        self.point(pid, "fd/0");
        let mut buffer = [MaybeUninit::uninit(); 64];
        let link = rustix::fs::readlinkat_raw(&self.root, &*self.path, &mut buffer);
        link.is_ok_and(|(text, _)| {
            *text != *b"/dev/null" && !text.starts_with(b"/dev/pts/") && !text.starts_with(b"/dev/tty")
        })
    }

    /// Can this descriptor of a process read, can it write? The mode bits of the link itself show it
    /// (proc_pid_fd(5)), which is one call where `fdinfo` takes three.
    pub(super) fn access(&mut self, pid: Pid, fd: u32) -> Option<Access> {
        self.point(pid, "fd/");
        self.path.push_str(itoa::Buffer::new().format(fd));
        let mode = statat(&self.root, &*self.path, AtFlags::SYMLINK_NOFOLLOW).ok()?.st_mode;
        Some(Access { read: mode & 0o400 != 0, write: mode & 0o200 != 0 })
    }

    /// The pseudo terminal whose master this descriptor is.
    pub(super) fn terminal_of_master(&mut self, pid: Pid, fd: u32) -> Option<u32> {
        self.read_of(pid, &format!("fdinfo/{fd}"), 4 << 10).ok()?;
        procfs::terminal_of_master(&self.text)
    }

    /// `PID/FILE`, without an allocation.
    fn point(&mut self, pid: Pid, file: &str) {
        self.path.clear();
        self.path.push_str(itoa::Buffer::new().format(pid.0));
        self.path.push('/');
        self.path.push_str(file);
    }
}

/// A folder, to be listed.
pub(super) fn folder(dir: BorrowedFd<'_>, path: &str) -> io::Result<OwnedFd> {
    Ok(openat(dir, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// The directory of one process, or its `fd`, from which the files beside it are reached just as well: one directory is
/// opened for all. Whatever is read by it belongs to that very process, whatever becomes of its number.
pub(super) struct Place {
    dir: OwnedFd,
    fds: bool,
}

impl Place {
    /// `fd/`, where it could be opened.
    pub(super) fn fds(&self) -> Option<BorrowedFd<'_>> {
        self.fds.then(|| self.dir.as_fd())
    }

    /// Reads a file of the process, named as it is reached from `fd/`: `../stat`.
    pub(super) fn read(&self, file: &'static str, most: usize, text: &mut Vec<u8>) -> io::Result<()> {
        read_at(self.dir.as_fd(), self.path(file), most, Shape::Piece, text)
    }

    /// Where a link of the process points, named alike.
    pub(super) fn link(&self, link: &'static str) -> io::Result<Vec<u8>> {
        link_at(self.dir.as_fd(), self.path(link))
    }

    /// The effective user of the process.
    pub(super) fn uid(&self) -> io::Result<u32> {
        let path = if self.fds { ".." } else { "." };
        Ok(statat(&self.dir, path, AtFlags::empty())?.st_uid)
    }

    fn path(&self, beside: &'static str) -> &'static str {
        if self.fds { beside } else { beside.strip_prefix("../").unwrap_or(beside) }
    }
}

/// Reads a file below a directory, at most `most` bytes of it.
pub(super) fn read_at(
    dir: BorrowedFd<'_>,
    path: &str,
    most: usize,
    shape: Shape,
    text: &mut Vec<u8>,
) -> io::Result<()> {
    let file = openat(dir, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    read_all(file.as_fd(), most, shape, text)
}

fn read_all(file: BorrowedFd<'_>, most: usize, shape: Shape, text: &mut Vec<u8>) -> io::Result<()> {
    text.clear();
    while text.len() < most {
        if text.capacity() == text.len() {
            text.reserve(text.len().max(FIRST));
        }
        let room = text.capacity() - text.len();
        match rustix::io::read(file, spare_capacity(text)) {
            Ok(0) => break,
            Ok(count) if count < room && shape == Shape::Piece => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    text.truncate(most);
    Ok(())
}

/// The text of a link below a directory.
pub(super) fn link_at(dir: BorrowedFd<'_>, path: &str) -> io::Result<Vec<u8>> {
    Ok(rustix::fs::readlinkat(dir, path, Vec::with_capacity(256))?.into_bytes())
}

/// A name that is a number, as those of processes and descriptors are.
pub(super) fn number(name: &[u8]) -> Option<u32> {
    // There is one for each process and descriptor, and by way of a str it took three times as long.
    u32::try_from(procfs::natural(name)?).ok()
}
