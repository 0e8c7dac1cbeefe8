//! The first stage: reads a row for every process with as few system calls as possible.
//!
//! `stat` and its owner take 4 calls and `cmdline` takes 3. So a process of ours takes 7, one of another user 5, and a
//! kernel thread 4. The status, threads, environment and descriptors are not read.

use std::sync::OnceLock;

use rustix::time::{ClockId, clock_gettime};

use super::chunks::for_each_pid;
use super::errors::{gone, if_there, unless_exhausted};
use super::proc::{MOST_ENVIRON, Proc};
use crate::bytes::Lines;
use crate::marker::VARIABLE;
use crate::process::{Pid, ProcessRecord, ProcessState, StartTime, Uid, UidPrecision};
use crate::sys::SysError;
use crate::sys::procfs::{self, Stat};

/// The most that is read of a command line, in bytes. A longer one is cut off. It then equals no configured command,
/// and is left alone.
const MOST_ARGV: usize = 256 << 10;

/// The factors from the kernel's units to ours; constant during a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct KernelUnits {
    /// Seconds since the epoch at which the machine booted.
    boot: f64,
    /// Clock ticks per second.
    ticks: f64,
    /// Bytes per page.
    page: u64,
}

impl KernelUnits {
    /// The clocks are read once per run. Otherwise two looks would see slightly different starts of the same process.
    ///
    /// `/proc/stat` has the boot time too (btime), but only in whole seconds. It is slow to read, and in some
    /// containers lxcfs invents it. The clocks are also right in a time namespace: there the kernel adds one offset to
    /// CLOCK_BOOTTIME and to the start times that it shows.
    pub(super) fn get() -> KernelUnits {
        static UNITS: OnceLock<KernelUnits> = OnceLock::new();
        *UNITS.get_or_init(|| KernelUnits {
            boot: seconds(ClockId::Realtime) - seconds(ClockId::Boottime),
            ticks: rustix::param::clock_ticks_per_second().max(1) as f64,
            page: rustix::param::page_size() as u64,
        })
    }

    /// Seconds since the epoch of a start in ticks after boot.
    pub(super) fn epoch(self, start_ticks: u64) -> f64 {
        self.boot + start_ticks as f64 / self.ticks
    }
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A row for each of these processes that is still there. A row that is missing means that its process has ended or may
/// not be read. So every other error is an error of the whole table.
pub(super) fn rows(
    proc: &mut Proc,
    pids: &[Pid],
    own: Uid,
    owners: UidPrecision,
) -> Result<Vec<ProcessRecord>, SysError> {
    let scan = Scan { own, owners, units: KernelUnits::get(), now: seconds(ClockId::Realtime) };
    for_each_pid(proc, pids, &|proc, pids, rows| scan.rows(proc, pids, rows))
}

/// Those of these processes whose stdin may be a pipe or a socket.
pub(super) fn wired(proc: &mut Proc, pids: &[Pid]) -> Result<Vec<Pid>, SysError> {
    for_each_pid(proc, pids, &|proc, pids, wired| {
        for (pid, wired) in pids.iter().zip(wired) {
            *wired = proc.may_be_wired(*pid).then_some(*pid);
        }
        Ok(())
    })
}

/// Those of these processes whose environment carries the marker of `mcp-reap exec`.
pub(super) fn marked(proc: &mut Proc, pids: &[Pid]) -> Result<Vec<Pid>, SysError> {
    for_each_pid(proc, pids, &|proc, pids, marked| {
        for (pid, marked) in pids.iter().zip(marked) {
            *marked = is_marked(proc, *pid)?.then_some(*pid);
        }
        Ok(())
    })
}

fn is_marked(proc: &mut Proc, pid: Pid) -> Result<bool, SysError> {
    if unless_exhausted(proc.read_of(pid, "environ", MOST_ENVIRON), pid, "environ")?.is_none() {
        return Ok(false);
    }
    let found = procfs::evidence(&proc.text, &[VARIABLE]).is_some_and(|found| !found.is_empty());
    // The environment may contain secrets.
    proc.text.fill(0);
    Ok(found)
}

/// The start of a process in its stat line; `None` if that cannot be parsed.
pub(super) fn parse_start(text: &[u8]) -> Option<StartTime> {
    procfs::stat(text).map(|stat| StartTime(stat.start_ticks))
}

/// What all rows of one table are read with.
struct Scan {
    own: Uid,
    owners: UidPrecision,
    units: KernelUnits,
    now: f64,
}

impl Scan {
    /// Reads the rows of one chunk. Their command lines are stored in one piece of memory.
    fn rows(
        &self,
        proc: &mut Proc,
        pids: &[Pid],
        rows: &mut [Option<ProcessRecord>],
    ) -> Result<(), SysError> {
        let mut lines = Lines::default();
        let mut places = Vec::with_capacity(pids.len());
        for (pid, row) in pids.iter().zip(&mut *rows) {
            let mut place = None;
            *row = self.row(proc, *pid, |line| place = Some(lines.keep(line)))?;
            places.push(place);
        }
        let piece = lines.into_piece();
        for (row, place) in rows.iter_mut().zip(places) {
            if let (Some(row), Some(place)) = (row, place) {
                row.argv = Some(piece.argv(place));
            }
        }
        Ok(())
    }

    /// Reads one row. Its command line is passed to `keep`. `None` if the process has ended or may not be read.
    fn row(
        &self,
        proc: &mut Proc,
        pid: Pid,
        keep: impl FnOnce(&[u8]),
    ) -> Result<Option<ProcessRecord>, SysError> {
        let Scan { own, units, now, .. } = *self;
        // `stat` is read first. What is read after it belongs to the same process or to a later one with its pid, and
        // the second stage recognises a later one by its start.
        let Some(owner) = if_there(proc.stat_and_owner(pid), pid, "stat")? else { return Ok(None) };
        let Some(stat) = procfs::stat(&proc.text).filter(|stat| stat.threads > 0) else { return Ok(None) };
        let uid = match self.owners {
            // Kernel threads belong to root. There are hundreds, so no call is made for them.
            _ if stat.kernel_thread => Uid(0),
            UidPrecision::Provisional if Uid(owner) == own => own,
            _ => match if_there(proc.uid_of(pid), pid, "")? {
                Some(uid) => Uid(uid),
                None => return Ok(None),
            },
        };
        let mut record = ProcessRecord::new(pid, StartTime(stat.start_ticks));
        record.parent = stat.parent;
        (record.group, record.session) = (stat.group, stat.session);
        record.uid = Some(uid);
        record.started_at = units.epoch(stat.start_ticks);
        record.state = state(&stat);
        // Writing `details` allocates, so it is left alone if there is no terminal.
        if let Some(name) = procfs::tty_name(stat.tty_nr) {
            record.details.tty = Some(name);
        }
        record.rss = stat.rss_pages.saturating_mul(units.page);
        record.cpu = cpu_percent(stat.cpu_ticks as f64 / units.ticks, now - record.started_at);
        record.comm = stat.comm;
        let kernel_thread = stat.kernel_thread;
        let readable = uid == own || own == Uid(0);
        let mut line = None;
        if readable && !kernel_thread && !record.is_zombie() {
            match proc.read_of(pid, "cmdline", MOST_ARGV) {
                Ok(()) => line = procfs::arguments(&proc.text),
                Err(error) if gone(&error) => return Ok(None),
                // The process is there, and its command line is not known.
                unread => {
                    unless_exhausted(unread, pid, "cmdline")?;
                }
            }
        }
        if let Some(line) = line {
            keep(line);
        } else if !kernel_thread && self.owners == UidPrecision::Provisional {
            // A process of ours without a readable command line may be any launcher, so its user must be exact.
            let Some(uid) = if_there(proc.uid_of(pid), pid, "")? else { return Ok(None) };
            record.uid = Some(Uid(uid));
        }
        Ok(Some(record))
    }
}

/// The state of a process. If its first thread has ended before others, the kernel shows `Z`, but the process still
/// runs, holds its descriptors and receives signals.
pub(super) fn state(stat: &Stat) -> ProcessState {
    match ProcessState::from_letter(stat.state) {
        ProcessState::Zombie if stat.threads > 1 => ProcessState::Other(b'S'),
        state => state,
    }
}

/// Has it ended with all its threads?
pub(super) fn is_zombie(stat: &Stat) -> bool {
    state(stat) == ProcessState::Zombie
}

/// Percent of one core since the start; `None` if the start is too recent.
fn cpu_percent(used: f64, age: f64) -> Option<f32> {
    (age >= 0.1).then(|| ((used / age * 1000.0).round() / 10.0) as f32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::sys::linux::chunks::WORTH_TWO_THREADS;

    fn stat(state: char, threads: u32) -> Stat {
        let line = format!("5 (x) {state} 1 5 5 0 -1 0 0 0 0 0 0 0 0 0 20 0 {threads} 0 100 0 0");
        procfs::stat(line.as_bytes()).unwrap()
    }

    #[test]
    fn a_leader_that_ended_before_its_threads_is_not_dead() {
        assert_eq!(state(&stat('Z', 1)), ProcessState::Zombie);
        assert_eq!(state(&stat('Z', 2)), ProcessState::Other(b'S'));
        assert_eq!(state(&stat('T', 9)), ProcessState::Stopped);
    }

    #[test]
    fn a_share_needs_a_life() {
        assert_eq!(cpu_percent(1.0, 0.0), None);
        assert_eq!(cpu_percent(1.0, -5.0), None);
        assert_eq!(cpu_percent(2.0, 4.0), Some(50.0));
    }

    #[test]
    fn two_looks_agree_on_a_start_to_the_last_bit() {
        let start = |ticks| KernelUnits::get().epoch(ticks).to_bits();
        assert_eq!(start(123_456), start(123_456));
    }

    #[test]
    fn one_process_that_cannot_be_read_fails_the_table_on_each_thread() {
        let mut proc = Proc::open().unwrap();
        for many in [1, WORTH_TWO_THREADS as u32] {
            let pids: Vec<Pid> = (0..many).map(Pid).collect();
            let read = for_each_pid::<Pid>(&mut proc, &pids, &|_, pids, _| {
                if pids.contains(&Pid(many - 1)) {
                    let none_left = Err(rustix::io::Errno::MFILE.into());
                    if_there::<()>(none_left, Pid(many - 1), "stat")?;
                }
                Ok(())
            });
            assert!(read.unwrap_err().to_string().contains("/stat: Too many open files"), "of {many}");
        }
    }

    #[test]
    fn two_threads_see_what_one_sees() {
        let mut proc = Proc::open().unwrap();
        let own = Uid(rustix::process::geteuid().as_raw());
        let me = Pid(std::process::id());
        // The same process often enough for a second thread, and some numbers without a process.
        let mut pids = vec![me; WORTH_TWO_THREADS];
        pids.extend([Pid(u32::MAX); 7]);
        let rows = rows(&mut proc, &pids, own, UidPrecision::Exact).unwrap();
        assert_eq!(rows.len(), WORTH_TWO_THREADS);
        assert!(rows.capacity() >= pids.len(), "collected in place: the table is not held twice");
        assert!(rows.iter().all(|row| row.id == rows[0].id && row.argv == rows[0].argv));
    }
}
