//! Reads the state of processes on macOS while a run goes on.

use std::time::Duration;

use super::super::calls::{Calls, errno};
use super::super::end::lineage_by;
use super::super::table::{args, bsd, session, tracer, usage};
use super::{MacKernel, has_ended, refusal};
use crate::bytes::Argv;
use crate::process::{Pid, ProcessId, ProcessState, StartTime};
use crate::reap::{Activity, HeldPipe, Lookout, ProcessRow, ProcessTable, Refusal};

impl<C: Calls> Lookout for MacKernel<C> {
    fn process_table(&mut self) -> ProcessTable {
        let Ok(pids) = self.calls.pids() else { return ProcessTable::default() };
        let mut table = ProcessTable { rows: Vec::with_capacity(pids.len()), complete: true };
        for pid in pids {
            let seen = match bsd(&self.calls, pid) {
                Ok(seen) => seen,
                Err(error) => {
                    // A process that ended meanwhile is not missing.
                    table.complete &= error.raw_os_error() == Some(errno::ESRCH);
                    continue;
                }
            };
            // The start of other users' processes is not known, and is not used.
            let start = seen.start.unwrap_or(StartTime(0));
            table.rows.push(ProcessRow {
                id: ProcessId { pid, start },
                parent: seen.parent,
                group: Some(seen.group).filter(|group| group.0 > 0),
                session: session(&self.calls, pid),
                uid: Some(seen.uid),
                ours: seen.start.is_some() && (self.all_users || seen.uid == self.uid),
                // An exiting process receives no signals, and only its pid is left.
                zombie: seen.exiting || seen.state == ProcessState::Zombie,
                stopped: seen.state == ProcessState::Stopped,
                started_at: start.0 as f64 / 1e6,
                lineage: lineage_by(&self.calls, pid).ok(),
            });
        }
        table
    }

    /// Always `None`: the kernel identifies pipes and sockets by their addresses in its memory, which another one may get
    /// later. [`ProcessRow::lineage`] is the proof on macOS.
    fn wires(&mut self, _: ProcessId) -> Option<Vec<HeldPipe>> {
        None
    }

    fn argv(&mut self, id: ProcessId) -> Argv {
        let argv = args(&self.calls, id.pid, &mut self.buffer).map(|args| args.argv).unwrap_or_default();
        if has_ended(&self.calls, id) { Argv::default() } else { argv }
    }

    fn tracer(&mut self, id: ProcessId) -> Result<Option<Pid>, Refusal> {
        let seen = bsd(&self.calls, id.pid).map_err(|error| refusal(&error))?;
        match (seen.start, tracer(&seen)) {
            (Some(start), _) if start != id.start => Err(Refusal::Reused),
            (Some(_), Some(tracer)) => Ok(Some(tracer).filter(|tracer| *tracer != Pid(0))),
            _ => Err(Refusal::Denied("whether it is traced cannot be read".to_owned())),
        }
    }

    /// On macOS only bytes that were written to disk are counted, not those written to a pipe.
    fn activity(&mut self, id: ProcessId) -> Option<Activity> {
        let usage = usage(&self.calls, id.pid)?;
        let cpu = to_time(usage.ticks, self.calls.timebase());
        (!has_ended(&self.calls, id)).then_some(Activity { cpu, written: Some(usage.written) })
    }
}

/// One tick is a nanosecond on Intel and 125/3 of one on Apple's own processors.
fn to_time(ticks: u64, (numer, denom): (u32, u32)) -> Duration {
    let nanos = u128::from(ticks) * u128::from(numer) / u128::from(denom.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_as_long_as_the_machine_says() {
        assert_eq!(to_time(24_000_000, (125, 3)), Duration::from_secs(1), "Apple's own");
        assert_eq!(to_time(1_000_000_000, (1, 1)), Duration::from_secs(1), "Intel");
        assert_eq!(to_time(u64::MAX, (125, 3)), Duration::from_nanos(u64::MAX));
        assert_eq!(to_time(5, (1, 0)), Duration::from_nanos(5));
    }
}
