//! Looking again on macOS while processes are ended.

use rustix::process;

use super::super::table::{args, bsd};
use super::{OsKernel, ffi, has_ended, refusal};
use crate::bytes::Argv;
use crate::process::{Pid, ProcessId, ProcessState, StartTime};
use crate::reap::{Activity, Family, Lookout, ProcessRow, Refusal, Wire};

impl Lookout for OsKernel {
    fn family(&mut self) -> Family {
        let Ok(pids) = ffi::pids() else { return Family::default() };
        let mut family = Family { rows: Vec::with_capacity(pids.len()), complete: true };
        for pid in pids {
            let seen = match bsd(pid) {
                Ok(seen) => seen,
                Err(error) => {
                    // Most often it ended meanwhile.
                    family.complete &= error.raw_os_error() == Some(libc::ESRCH);
                    continue;
                }
            };
            // Of other users' processes the start is not told; nobody asks for it.
            let start = seen.start.unwrap_or(StartTime(0));
            family.rows.push(ProcessRow {
                id: ProcessId { pid, start },
                parent: seen.parent,
                group: Some(seen.group).filter(|group| group.0 > 0),
                session: session(pid),
                uid: Some(seen.uid),
                ours: seen.start.is_some() && (self.all_users || seen.uid == self.uid),
                zombie: seen.state == ProcessState::Zombie,
                stopped: seen.state == ProcessState::Stopped,
                started_at: start.0 as f64 / 1e6,
            });
        }
        family
    }

    /// The kernel names pipes and sockets by where they lie in its memory, and the next may lie in the
    /// same place: no proof.
    fn wires(&mut self, _: ProcessId) -> Option<Vec<Wire>> {
        None
    }

    fn argv(&mut self, id: ProcessId) -> Argv {
        let argv = args(id.pid, &mut self.buffer).map(|args| args.argv).unwrap_or_default();
        if has_ended(id) { Argv::default() } else { argv }
    }

    /// A tracer becomes the parent of what it traces (xnu, mach_process.c: PT_ATTACH).
    fn tracer(&mut self, id: ProcessId) -> Result<Option<Pid>, Refusal> {
        let seen = bsd(id.pid).map_err(|error| refusal(&error))?;
        match seen.start {
            None => Err(Refusal::Denied("whether it is traced cannot be read".to_owned())),
            Some(start) if start != id.start => Err(Refusal::Reused),
            Some(_) => Ok(seen.traced.then_some(seen.parent)),
        }
    }

    /// Only what came to the disk is counted as written here; so little as a pipe is not.
    fn activity(&mut self, id: ProcessId) -> Option<Activity> {
        let (cpu, written) = ffi::usage(id.pid).ok()?;
        (!has_ended(id)).then_some(Activity { cpu, written: Some(written) })
    }
}

/// bsdinfo does not tell it.
fn session(pid: Pid) -> Option<Pid> {
    let pid = i32::try_from(pid.0).ok().and_then(process::Pid::from_raw)?;
    let session = process::getsid(Some(pid)).ok()?;
    Some(Pid(session.as_raw_nonzero().get().unsigned_abs()))
}
