//! The little that is read of `/proc` again while processes are ended, directly in front of each signal too.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, openat, readlinkat, statat};
use rustix::io::Errno;

use crate::process::{Pid, ProcessId, ProcessState, StartTime, Uid};
use crate::sys::procfs::{self, FdTarget};

/// `/proc`, open, of our own PID namespace.
#[derive(Debug)]
pub(super) struct Proc {
    dir: OwnedFd,
    /// What `/proc/self/ns/pid` points to, `pid:[4026531836]`; `None` where the kernel was built
    /// without PID namespaces, so that there can be no other.
    namespace: Option<OsString>,
}

/// A process as `/proc/PID/stat` shows it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StatRow {
    pub(super) parent: Pid,
    /// 0 where its leader is outside our PID namespace.
    pub(super) group: Pid,
    pub(super) session: Pid,
    pub(super) start: StartTime,
    /// Ended, with no thread left.
    pub(super) zombie: bool,
    pub(super) stopped: bool,
    /// Stopped by a tracer at this moment.
    pub(super) traced: bool,
    /// A thread of the kernel's own (PF_KTHREAD): exact, where "pid 2 and its children" would take a container's
    /// second process for kthreadd.
    pub(super) is_kernels: bool,
    /// Processor time used, in clock ticks.
    pub(super) cpu_ticks: u64,
}

/// The most that is read of a file, in bytes: arguments may be as long as a program makes them, and no more is
/// needed.
const MOST: u64 = 64 << 10;

impl Proc {
    /// Opens `/proc` and makes sure that the numbers in it are the numbers signals go to.
    pub(super) fn open() -> io::Result<Proc> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open("/proc", flags, Mode::empty())?;
        // A /proc mounted for another PID namespace numbers processes differently.
        let own = readlinkat(&dir, "self", Vec::new())?;
        if own.to_bytes() != std::process::id().to_string().as_bytes() {
            return Err(io::Error::other("/proc is that of another PID namespace"));
        }
        let namespace = match readlinkat(&dir, "self/ns/pid", Vec::new()) {
            Ok(target) => Some(OsString::from_vec(target.into_bytes())),
            Err(Errno::NOENT) => None,
            Err(errno) => return Err(errno.into()),
        };
        Ok(Proc { dir, namespace })
    }

    /// One process's row.
    pub(super) fn row(&self, pid: Pid) -> Result<StatRow, Errno> {
        let file = openat(&self.dir, format!("{pid}/stat"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        // 52 numbers of at most 20 digits and a name of at most 64 bytes; the kernel writes it at once.
        let mut buffer = [0; 2048];
        let length = rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut buffer))?;
        parse(&buffer[..length]).ok_or(Errno::PROTO)
    }

    /// One of its files, at most [`MOST`] bytes of it.
    pub(super) fn text(&self, pid: Pid, file: &str) -> io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = openat(&self.dir, format!("{pid}/{file}"), flags, Mode::empty())?;
        let mut bytes = Vec::new();
        File::from(file).take(MOST).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The numbers of its threads.
    pub(super) fn threads(&self, pid: Pid) -> io::Result<Vec<u32>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = openat(&self.dir, format!("{pid}/task"), flags, Mode::empty())?;
        let names = rustix::fs::Dir::new(folder)?;
        let mut threads = Vec::new();
        for entry in names {
            threads.extend(entry?.file_name().to_str().ok().and_then(|name| name.parse::<u32>().ok()));
        }
        Ok(threads)
    }

    /// The effective user: the owner of the directory, which is right even for a process that
    /// is not dumpable and whose files therefore show root.
    pub(super) fn uid(&self, pid: Pid) -> Result<Uid, Errno> {
        statat(&self.dir, pid.to_string(), AtFlags::empty()).map(|stat| Uid(stat.st_uid))
    }

    /// Whether it is in our PID namespace and not in one below (a container's).
    pub(super) fn same_namespace(&self, pid: Pid) -> Result<bool, Errno> {
        let Some(ours) = &self.namespace else { return Ok(true) };
        let theirs = readlinkat(&self.dir, format!("{pid}/ns/pid"), Vec::new())?;
        Ok(theirs.as_bytes() == ours.as_encoded_bytes())
    }

    /// The process of our own namespace that made the one in which this process lives: the parent of that namespace's
    /// first process. `None` where another process put it there (`nsenter`, `docker exec`).
    pub(super) fn maker_of_namespace(&self, pid: Pid) -> Result<Option<ProcessId>, Errno> {
        /// Far deeper than processes are nested; a table that changes meanwhile may lead in circles.
        const DEEPEST: usize = 256;
        let mut top = pid;
        for _ in 0..DEEPEST {
            let above = self.row(top)?.parent;
            if above <= Pid::INIT {
                return Ok(None);
            }
            if self.same_namespace(above)? {
                let maker = ProcessId { pid: above, start: self.row(above)?.start };
                return Ok(self.is_first_of_namespace(top).then_some(maker));
            }
            top = above;
        }
        Ok(None)
    }

    /// Is it number 1 of its own PID namespace?
    fn is_first_of_namespace(&self, pid: Pid) -> bool {
        self.text(pid, "status").is_ok_and(|text| procfs::status(&text).innermost == Some(Pid::INIT))
    }

    /// The pipes and sockets on its descriptors, by descriptor.
    pub(super) fn wires(&self, pid: Pid) -> Result<Vec<(u32, u64)>, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = openat(&self.dir, format!("{pid}/fd"), flags, Mode::empty())?;
        let mut wires = Vec::new();
        for entry in Dir::read_from(&dir)? {
            let entry = entry?;
            let Some(fd) = number(entry.file_name().to_bytes()) else { continue };
            match readlinkat(&dir, entry.file_name(), Vec::new()) {
                Ok(link) => match FdTarget::parse(link.as_bytes()) {
                    FdTarget::Pipe(inode) | FdTarget::Socket(inode) => wires.push((fd, inode)),
                    _ => {}
                },
                // Closed since the folder was listed.
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(wires)
    }

    /// All numbers in the table.
    pub(super) fn pids(&self) -> Result<Vec<Pid>, Errno> {
        let mut pids = Vec::new();
        for entry in Dir::read_from(&self.dir)? {
            pids.extend(number(entry?.file_name().to_bytes()).map(Pid));
        }
        Ok(pids)
    }
}

fn number(name: &[u8]) -> Option<u32> {
    std::str::from_utf8(name).ok()?.parse().ok()
}

fn parse(stat: &[u8]) -> Option<StatRow> {
    let stat = procfs::stat(stat)?;
    let state = ProcessState::from_letter(stat.state);
    Some(StatRow {
        parent: stat.parent,
        group: stat.group,
        session: stat.session,
        start: StartTime(stat.start_ticks),
        // A leader that ended before its other threads is shown as a zombie too.
        zombie: state == ProcessState::Zombie && stat.threads <= 1,
        stopped: state.is_stopped(),
        traced: state == ProcessState::Traced,
        is_kernels: stat.kernel_thread,
        cpu_ticks: stat.cpu_ticks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_that_ended_before_its_threads_is_no_zombie_and_has_done_what_they_did() {
        let row = |state: &str, threads: u32| {
            let text = format!(
                "42 (x) Z 1 1) {state} 77 5 6 0 -1 4194560 1 0 0 0 3 4 0 0 20 0 {threads} 0 990011 8192 12"
            );
            parse(text.as_bytes()).expect("a row")
        };
        let living = row("Z", 2);
        assert_eq!((living.zombie, living.cpu_ticks, living.start), (false, 7, StartTime(990_011)));
        assert!(row("Z", 1).zombie && row("X", 0).zombie && !row("S", 1).zombie);
        assert!(row("T", 1).stopped && row("t", 1).stopped && !row("R", 1).stopped);
    }

    #[test]
    fn our_own_row_is_ours() {
        let proc = Proc::open().expect("/proc");
        let me = Pid(std::process::id());
        let row = proc.row(me).expect("our row");
        assert_eq!(row.parent, Pid(std::os::unix::process::parent_id()));
        assert_eq!(proc.uid(me), Ok(Uid(rustix::process::geteuid().as_raw())));
        assert_eq!(proc.same_namespace(me), Ok(true));
        assert!(proc.pids().expect("a list").contains(&me));
    }
}
