//! Reads single files of `/proc` again while processes are ended, also directly before each signal.

use std::io;

use rustix::fs::{Dir, readlinkat};
use rustix::io::Errno;

use super::super::errors::gone;
use super::super::proc::{Proc, folder, link_at, number};
use crate::process::{Pid, ProcessId, StartTime};
use crate::sys::procfs::{self, FdTarget, ProcStatus, Stat};

/// The most that is read of a file, in bytes. A program can make its arguments longer, but no more is needed.
pub(super) const MOST: usize = 64 << 10;

impl Proc {
    /// The row of a process.
    pub(super) fn row(&mut self, pid: Pid) -> io::Result<Stat> {
        self.read_of(pid, "stat", 4 << 10)?;
        procfs::stat(&self.text).ok_or_else(|| Errno::PROTO.into())
    }

    /// The status of a process.
    fn status(&mut self, pid: Pid) -> io::Result<ProcStatus> {
        self.read_of(pid, "status", MOST)?;
        Ok(procfs::status(&self.text))
    }

    /// The status of each thread of a process. A thread that ends meanwhile is left out.
    pub(super) fn threads(&mut self, pid: Pid) -> io::Result<Vec<ProcStatus>> {
        let mut found = Vec::new();
        for entry in Dir::new(folder(self.root(), &format!("{pid}/task"))?)? {
            let Some(thread) = number(entry?.file_name().to_bytes()) else { continue };
            match self.read_of(pid, &format!("task/{thread}/status"), MOST) {
                Ok(()) => found.push(procfs::status(&self.text)),
                Err(error) if thread != pid.0 && gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Is the process in our PID namespace, and not in one below it (a container's)? True if the kernel was built
    /// without PID namespaces.
    pub(super) fn same_namespace(&self, pid: Pid) -> io::Result<bool> {
        match link_at(self.root(), "self/ns/pid") {
            Ok(ours) => Ok(link_at(self.root(), &format!("{pid}/ns/pid"))? == ours),
            Err(error) if Errno::from_io_error(&error) == Some(Errno::NOENT) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The process of our own PID namespace that made the namespace of this process: the parent of that namespace's
    /// first process. `None` if the process was put there by another one (`nsenter`, `docker exec`).
    pub(super) fn maker_of_namespace(&mut self, pid: Pid) -> io::Result<Option<ProcessId>> {
        /// Processes are never nested this deeply. The bound ends a loop, which a table that changes meanwhile may
        /// contain.
        const DEEPEST: usize = 256;
        let mut top = pid;
        for _ in 0..DEEPEST {
            let above = self.row(top)?.parent;
            if above <= Pid::INIT {
                return Ok(None);
            }
            if self.same_namespace(above)? {
                let maker = ProcessId { pid: above, start: StartTime(self.row(above)?.start_ticks) };
                return Ok(self.is_first_of_namespace(top).then_some(maker));
            }
            top = above;
        }
        Ok(None)
    }

    /// Is it pid 1 of its PID namespace?
    fn is_first_of_namespace(&mut self, pid: Pid) -> bool {
        self.status(pid).is_ok_and(|status| status.innermost == Some(Pid::INIT))
    }

    /// The pipes and sockets on its descriptors, by descriptor.
    pub(super) fn wires(&self, pid: Pid) -> io::Result<Vec<(u32, u64)>> {
        let dir = folder(self.root(), &format!("{pid}/fd"))?;
        let mut wires = Vec::new();
        for entry in Dir::read_from(&dir)? {
            let entry = entry?;
            let Some(fd) = number(entry.file_name().to_bytes()) else { continue };
            match readlinkat(&dir, entry.file_name(), Vec::new()) {
                Ok(link) => match FdTarget::parse(link.as_bytes()) {
                    FdTarget::Pipe(inode) | FdTarget::Socket(inode) => wires.push((fd, inode)),
                    _ => {}
                },
                // The descriptor was closed after the folder was listed.
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(wires)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::table::{is_zombie, state};
    use super::*;

    #[test]
    fn a_leader_that_ended_before_its_threads_is_no_zombie_and_has_done_what_they_did() {
        let row = |state: &str, threads: u32| {
            let text = format!(
                "42 (x) Z 1 1) {state} 77 5 6 0 -1 4194560 1 0 0 0 3 4 0 0 20 0 {threads} 0 990011 8192 12"
            );
            procfs::stat(text.as_bytes()).expect("a row")
        };
        let living = row("Z", 2);
        assert_eq!((is_zombie(&living), living.cpu_ticks, living.start_ticks), (false, 7, 990_011));
        assert!(is_zombie(&row("Z", 1)) && is_zombie(&row("X", 0)) && !is_zombie(&row("S", 1)));
        let stopped = |letter| state(&row(letter, 1)).is_stopped();
        assert!(stopped("T") && stopped("t") && !stopped("R"));
    }

    #[test]
    fn our_own_row_is_ours() {
        let mut proc = Proc::open().expect("/proc");
        let me = Pid(std::process::id());
        let row = proc.row(me).expect("our row");
        assert_eq!(row.parent, Pid(std::os::unix::process::parent_id()));
        assert_eq!(proc.uid_of(me).expect("an owner"), rustix::process::geteuid().as_raw());
        assert!(proc.same_namespace(me).expect("a namespace"));
        assert!(proc.pids().expect("a list").contains(&me));
    }
}
