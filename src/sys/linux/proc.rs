//! Reads files of `/proc` with few system calls and with buffers that are reused.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir, SeekFrom, fstat, openat, seek, statat};
use rustix::io::Errno;

use super::errors::undecided;
use crate::process::Pid;
use crate::sys::descriptors::Access;
use crate::sys::{SysError, procfs};

/// The initial size of a buffer, in bytes. A stat line has about 350.
const FIRST: usize = 8 << 10;

/// The largest environment that is read, in bytes; the kernel allows 6 MB. A larger one is not known, because the
/// variable that matters may be in the rest of it.
pub(super) const MOST_ENVIRON: usize = 1 << 20;

/// How the end of a file is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// The kernel returns it in one piece: a read that leaves room in the buffer was the last.
    Piece,
    /// Rows, of which each read returns some: only an empty read is the end.
    Rows,
}

/// The process file system, opened once, of our own PID namespace.
#[derive(Debug)]
pub(super) struct Proc {
    root: OwnedFd,
    /// The path of the file that is opened next, relative to `/proc`.
    path: String,
    /// The content of the file that was read last.
    pub(super) text: Vec<u8>,
}

impl Proc {
    /// Opens `/proc` and checks that it is that of our own PID namespace.
    pub(super) fn open() -> Result<Proc, SysError> {
        let io = |source: io::Error| SysError::Io { what: "read /proc".to_owned(), source };
        let root = folder(CWD, "/proc").map_err(io)?;
        let mut proc = Proc { root, path: String::new(), text: Vec::with_capacity(FIRST) };
        // `/proc/self` alone could have our pid by chance. NSpid (Linux 4.1) has only one number if the namespace is
        // ours.
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

    /// Another handle on the same `/proc`, with its own buffers.
    pub(super) fn second_handle(&self) -> io::Result<Proc> {
        let root = self.root.try_clone()?;
        Ok(Proc { root, path: String::new(), text: Vec::with_capacity(FIRST) })
    }

    /// The pids of all processes.
    pub(super) fn pids(&self) -> Result<Vec<Pid>, SysError> {
        let failed = |error: Errno| SysError::Io { what: "list /proc".to_owned(), source: error.into() };
        // An earlier look may have read the folder to its end.
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
        self.set_path(pid, file);
        read_at(self.root.as_fd(), &self.path, most, Shape::Piece, &mut self.text)
    }

    /// Reads `/proc/PID/stat` into [`Proc::text`] and returns the owner of that file. This is the effective user, or
    /// for a process that is not dumpable the root of its user namespace. [`Proc::uid_of`] is always exact, and costs
    /// four times as much.
    pub(super) fn stat_and_owner(&mut self, pid: Pid) -> io::Result<u32> {
        self.set_path(pid, "stat");
        let file = openat(&self.root, &*self.path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let owner = fstat(&file)?.st_uid;
        read_all(file.as_fd(), 4 << 10, Shape::Piece, &mut self.text)?;
        Ok(owner)
    }

    /// The effective user of a process, which owns its directory. This also holds for a process that is not dumpable,
    /// whose files all belong to root (`task_dump_owner` in the kernel's fs/proc/base.c).
    pub(super) fn uid_of(&mut self, pid: Pid) -> io::Result<u32> {
        self.set_path(pid, "");
        Ok(statat(&self.root, &*self.path, AtFlags::empty())?.st_uid)
    }

    /// The directory of a process. Everything that is opened below it belongs to this process, also when its pid is
    /// reused.
    pub(super) fn dir_of(&mut self, pid: Pid) -> io::Result<OwnedFd> {
        self.set_path(pid, "");
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(&self.root, &*self.path, flags, Mode::empty())?)
    }

    /// The directory of a process's descriptors.
    pub(super) fn fds_of(&mut self, pid: Pid) -> io::Result<OwnedFd> {
        self.set_path(pid, "fd");
        folder(self.root.as_fd(), &self.path)
    }

    /// A place from which all files of a process are read. `fds`: its descriptors too, if they may be listed.
    pub(super) fn place(&mut self, pid: Pid, fds: bool) -> io::Result<Place> {
        if fds && let Ok(dir) = self.fds_of(pid) {
            return Ok(Place { dir, fds: true });
        }
        Ok(Place { dir: self.dir_of(pid)?, fds: false })
    }

    /// May the stdin of a process be a pipe or a socket? Not if it is `/dev/null`, a terminal or closed, or if it
    /// may not be read.
    pub(super) fn may_be_wired(&mut self, pid: Pid) -> bool {
        self.set_path(pid, "fd/0");
        let mut buffer = [MaybeUninit::uninit(); 64];
        let link = rustix::fs::readlinkat_raw(&self.root, &*self.path, &mut buffer);
        match link {
            Ok((text, _)) => {
                *text != *b"/dev/null" && !text.starts_with(b"/dev/pts/") && !text.starts_with(b"/dev/tty")
            }
            Err(error) => undecided(&error.into()),
        }
    }

    /// The access mode of a descriptor of a process. The mode bits of the link show it (proc_pid_fd(5)). That takes one
    /// call, where `fdinfo` takes three.
    pub(super) fn access(&mut self, pid: Pid, fd: u32) -> Option<Access> {
        self.set_path(pid, "fd/");
        self.path.push_str(itoa::Buffer::new().format(fd));
        let mode = statat(&self.root, &*self.path, AtFlags::SYMLINK_NOFOLLOW).ok()?.st_mode;
        Some(Access { read: mode & 0o400 != 0, write: mode & 0o200 != 0 })
    }

    /// The pseudo terminal whose master this descriptor is.
    pub(super) fn terminal_of_master(&mut self, pid: Pid, fd: u32) -> Option<u32> {
        self.read_of(pid, &format!("fdinfo/{fd}"), 4 << 10).ok()?;
        procfs::terminal_of_master(&self.text)
    }

    /// Sets the path to `PID/FILE`, without an allocation.
    fn set_path(&mut self, pid: Pid, file: &str) {
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

/// The open directory of a process, or its `fd/`. From `fd/` the other files are reached by `..`, so one open directory
/// is enough. Everything that is read through it belongs to this process, also when its pid is reused.
pub(super) struct Place {
    dir: OwnedFd,
    fds: bool,
}

impl Place {
    /// `fd/`, if it could be opened.
    pub(super) fn fds(&self) -> Option<BorrowedFd<'_>> {
        self.fds.then(|| self.dir.as_fd())
    }

    /// Reads a file of the process. `file` is its path from `fd/`, such as `../stat`.
    pub(super) fn read(&self, file: &'static str, most: usize, text: &mut Vec<u8>) -> io::Result<()> {
        read_at(self.dir.as_fd(), self.path(file), most, Shape::Piece, text)
    }

    /// The target of a link of the process. `link` is its path from `fd/`.
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

/// The target of a link below a directory.
pub(super) fn link_at(dir: BorrowedFd<'_>, path: &str) -> io::Result<Vec<u8>> {
    Ok(rustix::fs::readlinkat(dir, path, Vec::with_capacity(256))?.into_bytes())
}

/// A name that is a number, as those of processes and descriptors are.
pub(super) fn number(name: &[u8]) -> Option<u32> {
    // This runs for each process and descriptor. Parsing through a `str` takes three times as long.
    u32::try_from(procfs::natural(name)?).ok()
}
