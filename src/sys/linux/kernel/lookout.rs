//! Looking again on Linux while processes are ended.

use std::time::Duration;

use rustix::io::Errno;

use super::{OsKernel, refusal, same_start};
use crate::bytes::Argv;
use crate::process::{Pid, ProcessId};
use crate::reap::{Activity, Family, Lookout, ProcessRow, Refusal, Wire};
use crate::sys::procfs;

/// 0 is outside our PID namespace.
fn visible(leader: Pid) -> Option<Pid> {
    Some(leader).filter(|leader| leader.0 > 0)
}

impl Lookout for OsKernel {
    fn family(&mut self) -> Family {
        let Ok(pids) = self.proc.pids() else { return Family::default() };
        // Where hidepid hides other users' processes, pid 1 is missing.
        let mut family = Family { rows: Vec::with_capacity(pids.len()), complete: pids.contains(&Pid::INIT) };
        for pid in pids {
            let seen = self.proc.row(pid).and_then(|row| Ok((row, self.proc.uid(pid)?)));
            let (row, uid) = match seen {
                Ok((row, _)) if row.is_kernels => continue,
                Ok(seen) => seen,
                Err(errno) => {
                    // Most often it ended meanwhile.
                    family.complete &= matches!(errno, Errno::NOENT | Errno::SRCH);
                    continue;
                }
            };
            family.rows.push(ProcessRow {
                id: ProcessId { pid, start: row.start },
                parent: row.parent,
                group: visible(row.group),
                session: visible(row.session),
                uid: Some(uid),
                ours: self.all_users || uid == self.uid,
                zombie: row.zombie,
                stopped: row.stopped,
                started_at: self.units.epoch(row.start.0),
                lineage: None,
            });
        }
        family
    }

    /// Pipes and sockets take their inode numbers from one counter of 32 bits (fs/inode.c,
    /// get_next_ino), so within seconds no number comes twice.
    fn wires(&mut self, id: ProcessId) -> Option<Vec<Wire>> {
        let wires = self.proc.wires(id.pid).ok()?;
        self.is_still_there(id).then(|| wires.into_iter().map(|(fd, number)| Wire { fd, number }).collect())
    }

    fn argv(&mut self, id: ProcessId) -> Argv {
        let argv = procfs::argv(&self.proc.text(id.pid, "cmdline").unwrap_or_default()).unwrap_or_default();
        if self.is_still_there(id) { argv } else { Argv::default() }
    }

    fn tracer(&mut self, id: ProcessId) -> Result<Option<Pid>, Refusal> {
        let failed = |error: std::io::Error| {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            match refusal(errno) {
                Refusal::Denied(why) => {
                    Refusal::Denied(format!("whether it is traced cannot be read: {why}"))
                }
                gone => gone,
            }
        };
        // A debugger can be attached to a single thread. A thread that ends meanwhile is not traced any more.
        let mut found = Vec::new();
        for thread in self.proc.threads(id.pid).map_err(failed)? {
            match self.proc.text(id.pid, &format!("task/{thread}/status")) {
                Ok(status) => found.push(tracer_in(&status)),
                Err(_) if thread != id.pid.0 => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let row = self.proc.row(id.pid).map_err(refusal)?;
        same_start(row, id)?;
        if found.contains(&None) {
            return Err(Refusal::Denied("whether it is traced cannot be read".to_owned()));
        }
        let tracer = found.into_iter().flatten().find(|tracer| tracer.0 > 0);
        // TracerPid is 0 where the tracer is outside of our PID namespace (task_pid_nr_ns).
        if row.traced && tracer.is_none() {
            return Err(Refusal::Denied("is stopped by a tracer that cannot be seen".to_owned()));
        }
        Ok(tracer)
    }

    fn activity(&mut self, id: ProcessId) -> Option<Activity> {
        let io = self.proc.text(id.pid, "io").ok();
        let row = self.proc.row(id.pid).ok().filter(|row| row.start == id.start && !row.zombie)?;
        let ticks = rustix::param::clock_ticks_per_second().max(1);
        let cpu = Duration::from_secs_f64(row.cpu_ticks as f64 / ticks as f64);
        Some(Activity { cpu, written: io.as_deref().and_then(written_in) })
    }
}

impl OsKernel {
    /// Asked after something was read of a process: then what was read was its own.
    fn is_still_there(&self, id: ProcessId) -> bool {
        self.proc.row(id.pid).is_ok_and(|row| row.start == id.start && !row.zombie)
    }
}

/// `TracerPid:\t4242` of `/proc/PID/status` (proc_pid_status(5)); 0 is none.
fn tracer_in(status: &[u8]) -> Option<Pid> {
    number_in(status, "TracerPid:").and_then(|number| u32::try_from(number).ok()).map(Pid)
}

/// `wchar` and `write_bytes` of `/proc/PID/io` (proc_pid_io(5)): what was handed to write(2), and what pages of files
/// that are mapped came to the disk.
fn written_in(io: &[u8]) -> Option<u64> {
    Some(number_in(io, "wchar:")?.saturating_add(number_in(io, "write_bytes:").unwrap_or(0)))
}

fn number_in(text: &[u8], field: &str) -> Option<u64> {
    let mut lines = text.split(|byte| *byte == b'\n');
    let rest = lines.find_map(|line| line.strip_prefix(field.as_bytes()))?;
    std::str::from_utf8(rest).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_at_the_beginning_of_a_line_only() {
        let status = b"Name:\tTracerPid: 7\nState:\tS (sleeping)\nTracerPid:\t42\nUid:\t0\n";
        assert_eq!(tracer_in(status), Some(Pid(42)));
        assert_eq!((tracer_in(b"Name:\tTracerPid: 7\n"), tracer_in(b"TracerPid:\tx\n")), (None, None));
        assert_eq!(written_in(b"rchar: 9\nwchar: 5\nsyscr: 1\nwrite_bytes: 4096\n"), Some(4101));
        assert_eq!((written_in(b"wchar: 5\n"), written_in(b"")), (Some(5), None));
    }
}
