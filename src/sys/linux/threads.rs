//! Reads what only single threads of a process show: a debugger, and their own descriptors. This is read only of
//! processes whose stdin is closed.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rustix::fs::RawDir;

use super::errors::undecided;
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
    /// Reads the threads of a process. A thread that ends meanwhile, or that may not be read, is left out.
    pub(super) fn of(proc: &mut Proc, pid: Pid) -> io::Result<Threads> {
        let mut found = Threads::default();
        let dir = match proc.dir_of(pid).and_then(|dir| folder(dir.as_fd(), "task")) {
            Ok(dir) => dir,
            Err(error) if undecided(&error) => return Err(error),
            Err(_) => return Ok(found),
        };
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut entries = RawDir::new(&dir, &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            let Some(thread) = number(entry.file_name().to_bytes()).filter(|thread| *thread != pid.0) else {
                continue;
            };
            found.has_own_descriptors |= share_descriptors(pid.0, thread).is_ok_and(|shared| !shared);
            let path = format!("{thread}/status");
            match read_at(dir.as_fd(), &path, 64 << 10, Shape::Piece, &mut proc.text) {
                Ok(()) => {
                    let tracer = procfs::status(&proc.text).tracer.filter(|tracer| *tracer != Pid(0));
                    found.tracer = found.tracer.or(tracer);
                }
                Err(error) if undecided(&error) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(found)
    }
}
