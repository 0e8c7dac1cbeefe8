//! What only the threads of a process tell, each by itself. It is read of the few whose stdin nobody holds.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rustix::fs::RawDir;

use super::ffi::share_descriptors;
use super::proc::{Proc, Shape, folder, number, read_at};
use crate::process::Pid;
use crate::sys::procfs;

/// The threads of one process, but the first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Threads {
    /// Who traces one of them: a debugger can be attached to a single thread (`strace -p TID`).
    pub(super) tracer: Option<Pid>,
    /// One has a table of descriptors of its own (`unshare(CLONE_FILES)`), which `/proc/PID/fd` does not show.
    pub(super) holds_its_own: bool,
}

impl Threads {
    /// Looks at them. A thread that ends meanwhile tells nothing, and needs nothing.
    pub(super) fn of(proc: &mut Proc, pid: Pid) -> Threads {
        let mut found = Threads::default();
        let Ok(dir) = proc.dir_of(pid).and_then(|dir| folder(dir.as_fd(), "task")) else { return found };
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut entries = RawDir::new(&dir, &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            let Some(thread) = number(entry.file_name().to_bytes()).filter(|thread| *thread != pid.0) else {
                continue;
            };
            found.holds_its_own |= share_descriptors(pid.0, thread).is_ok_and(|shared| !shared);
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
