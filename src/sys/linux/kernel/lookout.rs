//! Reads processes again while they are ended, on Linux.

use std::time::Duration;

use super::super::errors::gone;
use super::super::table::{is_zombie, state};
use super::row::MOST;
use super::{OsKernel, refusal, same_start};
use crate::bytes::Argv;
use crate::process::{Pid, ProcessId, ProcessState, StartTime, Uid};
use crate::reap::{Activity, HeldPipe, Lookout, ProcessRow, ProcessTable, Refusal};
use crate::sys::procfs::{self, Stat};

/// `None` for 0, which stands for a process outside our PID namespace.
fn visible(leader: Pid) -> Option<Pid> {
    Some(leader).filter(|leader| leader.0 > 0)
}

impl Lookout for OsKernel {
    fn process_table(&mut self) -> ProcessTable {
        let Ok(pids) = self.proc.pids() else { return ProcessTable::default() };
        // If hidepid hides the processes of other users, pid 1 is missing.
        let mut table =
            ProcessTable { rows: Vec::with_capacity(pids.len()), complete: pids.contains(&Pid::INIT) };
        for pid in pids {
            let seen = self.proc.row(pid).and_then(|row| Ok((row, Uid(self.proc.uid_of(pid)?))));
            let (row, uid) = match seen {
                Ok((row, _)) if row.kernel_thread => continue,
                Ok(seen) => seen,
                Err(error) => {
                    // Most often the process has ended meanwhile.
                    table.complete &= gone(&error);
                    continue;
                }
            };
            table.rows.push(ProcessRow {
                id: ProcessId { pid, start: StartTime(row.start_ticks) },
                parent: row.parent,
                group: visible(row.group),
                session: visible(row.session),
                uid: Some(uid),
                ours: self.all_users || uid == self.uid,
                zombie: is_zombie(&row),
                stopped: state(&row).is_stopped(),
                started_at: self.units.epoch(row.start_ticks),
                lineage: None,
            });
        }
        table
    }

    /// Pipes and sockets get their inode numbers from one 32-bit counter (fs/inode.c, get_next_ino), so no number is
    /// reused within seconds.
    fn wires(&mut self, id: ProcessId) -> Option<Vec<HeldPipe>> {
        let wires = self.proc.wires(id.pid).ok()?;
        self.is_still_there(id)
            .then(|| wires.into_iter().map(|(fd, number)| HeldPipe { fd, number }).collect())
    }

    fn argv(&mut self, id: ProcessId) -> Argv {
        let read = self.proc.read_of(id.pid, "cmdline", MOST);
        let argv = read.ok().and_then(|()| procfs::argv(&self.proc.text)).unwrap_or_default();
        if self.is_still_there(id) { argv } else { Argv::default() }
    }

    fn tracer(&mut self, id: ProcessId) -> Result<Option<Pid>, Refusal> {
        let cannot = "whether it is traced cannot be read";
        // A debugger can be attached to a single thread.
        let threads = self.proc.threads(id.pid).map_err(|error| match refusal(error) {
            Refusal::Denied(why) => Refusal::Denied(format!("{cannot}: {why}")),
            gone => gone,
        })?;
        let found: Vec<Option<Pid>> = threads.iter().map(|status| status.tracer).collect();
        let row = self.proc.row(id.pid).map_err(refusal)?;
        same_start(&row, id)?;
        if found.contains(&None) {
            return Err(Refusal::Denied(cannot.to_owned()));
        }
        let tracer = found.into_iter().flatten().find(|tracer| tracer.0 > 0);
        // TracerPid is 0 where the tracer is outside of our PID namespace (task_pid_nr_ns).
        if state(&row) == ProcessState::Traced && tracer.is_none() {
            return Err(Refusal::Denied("is stopped by a tracer that cannot be seen".to_owned()));
        }
        Ok(tracer)
    }

    fn activity(&mut self, id: ProcessId) -> Option<Activity> {
        let read = self.proc.read_of(id.pid, "io", MOST);
        let written = read.ok().and_then(|()| written_in(&self.proc.text));
        let row = self.row_of(id)?;
        let ticks = rustix::param::clock_ticks_per_second().max(1);
        let cpu = Duration::from_secs_f64(row.cpu_ticks as f64 / ticks as f64);
        Some(Activity { cpu, written })
    }
}

impl OsKernel {
    /// The row of a process; `None` if it has ended.
    fn row_of(&mut self, id: ProcessId) -> Option<Stat> {
        self.proc.row(id.pid).ok().filter(|row| row.start_ticks == id.start.0 && !is_zombie(row))
    }

    /// Is the process still alive? If it is after something was read by its pid, that was read from this process.
    fn is_still_there(&mut self, id: ProcessId) -> bool {
        self.row_of(id).is_some()
    }
}

/// The sum of `wchar` and `write_bytes` of `/proc/PID/io` (proc_pid_io(5)): bytes passed to write(2), and bytes of
/// mapped files that were written to disk.
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
        let tracer_in = |status: &[u8]| procfs::status(status).tracer;
        assert_eq!(tracer_in(status), Some(Pid(42)));
        assert_eq!((tracer_in(b"Name:\tTracerPid: 7\n"), tracer_in(b"TracerPid:\tx\n")), (None, None));
        assert_eq!(written_in(b"rchar: 9\nwchar: 5\nsyscr: 1\nwrite_bytes: 4096\n"), Some(4101));
        assert_eq!((written_in(b"wchar: 5\n"), written_in(b"")), (Some(5), None));
    }
}
