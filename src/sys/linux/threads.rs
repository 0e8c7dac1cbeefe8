//! Reads what only single threads of a process show: a debugger, and their own descriptors. This is read only of
//! processes whose stdin is closed.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rustix::fs::RawDir;

use super::ffi::share_descriptors;
use super::proc::{Proc, Shape, folder, number, read_at};
use crate::process::Pid;
use crate::sys::procfs;

/// What the threads of a process show, except the first thread.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Threads {
    /// The debugger of one of them. It can be attached to a single thread (`strace -p TID`).
    pub(super) tracer: Option<Pid>,
    /// One of them has its own table of descriptors (`unshare(CLONE_FILES)`), which `/proc/PID/fd` does not show.
    pub(super) has_own_descriptors: bool,
}

impl Threads {
    /// Reads the threads of a process. A thread that ends meanwhile is left out.
    pub(super) fn of(proc: &mut Proc, pid: Pid) -> Threads {
        let mut found = Threads::default();
        let Ok(dir) = proc.dir_of(pid).and_then(|dir| folder(dir.as_fd(), "task")) else { return found };
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut entries = RawDir::new(&dir, &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            let Some(thread) = number(entry.file_name().to_bytes()).filter(|thread| *thread != pid.0) else {
                continue;
            };
            found.has_own_descriptors |= share_descriptors(pid.0, thread).is_ok_and(|shared| !shared);
            if read_at(dir.as_fd(), &format!("{thread}/status"), 64 << 10, Shape::Piece, &mut proc.text)
                .is_ok()
            {
                found.tracer =
                    found.tracer.or(procfs::status(&proc.text).tracer.filter(|tracer| *tracer != Pid(0)));
            }
        }
        found
    }
}
