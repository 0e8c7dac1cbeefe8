//! The first stage: a row for every process, with as few system calls as there are answers.
//!
//! 4 for `stat` and whose that file is, 3 for `cmdline` where it may matter: 7 for a process of ours, 5 for
//! another user's, 4 for a thread of the kernel. No `status`, no threads, no environment, no descriptors.

use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};

use super::proc::{MOST_ENVIRON, Proc};
use crate::bytes::Lines;
use crate::marker::VARIABLE;
use crate::process::{Pid, ProcessRecord, ProcessState, StartTime, Uid, UidPrecision};
use crate::sys::procfs::{self, Stat};

/// The most of a command line that is read, in bytes. More is cut: it then equals no configured
/// command, which is a reason to leave it alone.
const MOST_ARGV: usize = 256 << 10;

/// From this many processes on, a second core pays for its start: 0.1 ms against 10 to 20 us a process.
const WORTH_TWO: usize = 300;

/// What turns the kernel's units into ours; constant during a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    /// Seconds since the epoch at which the machine booted.
    boot: f64,
    /// Clock ticks per second.
    ticks: f64,
    /// Bytes per page.
    page: u64,
}

impl Units {
    /// Read once per run: two looks that read the clocks twice would see each process start at two
    /// slightly different moments.
    ///
    /// `/proc/stat` has the boot time as well (btime), but in whole seconds, slow to read, and made up
    /// by lxcfs in some containers. The clocks are also right in a time namespace: the kernel adds
    /// the same offset to CLOCK_BOOTTIME and to the start times it shows there.
    pub(super) fn get() -> Units {
        static UNITS: OnceLock<Units> = OnceLock::new();
        *UNITS.get_or_init(|| Units {
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

/// A row for each of these processes that is still there.
pub(super) fn rows(proc: &mut Proc, pids: &[Pid], own: Uid, owners: UidPrecision) -> Vec<ProcessRecord> {
    let scan = Scan { own, owners, units: Units::get(), now: seconds(ClockId::Realtime) };
    in_two(proc, pids, &|proc, pids, rows| scan.rows(proc, pids, rows))
}

/// Those of these processes whose stdin may be a pipe or a socket.
pub(super) fn wired(proc: &mut Proc, pids: &[Pid]) -> Vec<Pid> {
    in_two(proc, pids, &|proc, pids, wired| {
        for (pid, wired) in pids.iter().zip(wired) {
            *wired = proc.may_be_wired(*pid).then_some(*pid);
        }
    })
}

/// Those of these processes whose environment carries the marker of `mcp-reap exec`.
pub(super) fn marked(proc: &mut Proc, pids: &[Pid]) -> Vec<Pid> {
    in_two(proc, pids, &|proc, pids, marked| {
        for (pid, marked) in pids.iter().zip(marked) {
            *marked = is_marked(proc, *pid).then_some(*pid);
        }
    })
}

fn is_marked(proc: &mut Proc, pid: Pid) -> bool {
    if proc.read_of(pid, "environ", MOST_ENVIRON).is_err() {
        return false;
    }
    let found = procfs::evidence(&proc.text, &[VARIABLE]).is_some_and(|found| !found.is_empty());
    // It holds secrets.
    proc.text.fill(0);
    found
}

/// How many processes a thread takes at a time, of so many: few enough that the threads end together, however unevenly the
/// kernel serves them, and enough for equal command lines to meet.
fn chunk(processes: usize) -> usize {
    (processes / 100).clamp(16, 256)
}

/// Asks something about each process, on two cores where there are many.
fn in_two<T: Send>(
    proc: &mut Proc,
    pids: &[Pid],
    ask: &(impl Fn(&mut Proc, &[Pid], &mut [Option<T>]) + Sync),
) -> Vec<T> {
    // A place for each from the start: growing, or putting two halves together, would hold the rows
    // twice for a moment, and that moment would be the peak.
    let mut answers: Vec<Option<T>> = Vec::new();
    answers.resize_with(pids.len(), || None);
    let chunk = chunk(pids.len());
    let chunks = Mutex::new(pids.chunks(chunk).zip(answers.chunks_mut(chunk)));
    let next = || chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = |proc: &mut Proc| {
        while let Some((pids, answers)) = next() {
            ask(proc, pids, answers);
        }
    };
    if pids.len() >= WORTH_TWO
        && let Ok(mut twin) = proc.twin()
    {
        std::thread::scope(|scope| {
            scope.spawn(|| work(&mut twin));
            work(proc);
        });
    } else {
        work(proc);
    }
    // In place, as std does it for `filter_map` and not for `flatten`: what is left lies where it came from.
    #[allow(clippy::filter_map_identity)]
    answers.into_iter().filter_map(|answer| answer).collect()
}

/// The start of a process as it stands in its stat line, if that can be read.
pub(super) fn parse_start(text: &[u8]) -> Option<StartTime> {
    procfs::stat(text).map(|stat| StartTime(stat.start_ticks))
}

/// What the rows of one table have in common.
struct Scan {
    own: Uid,
    owners: UidPrecision,
    units: Units,
    now: f64,
}

impl Scan {
    /// The rows of some processes, whose command lines lie in one piece.
    fn rows(&self, proc: &mut Proc, pids: &[Pid], rows: &mut [Option<ProcessRecord>]) {
        let mut lines = Lines::default();
        let mut places = Vec::with_capacity(pids.len());
        for (pid, row) in pids.iter().zip(&mut *rows) {
            let mut place = None;
            *row = self.row(proc, *pid, |line| place = Some(lines.keep(line)));
            places.push(place);
        }
        let piece = lines.into_piece();
        for (row, place) in rows.iter_mut().zip(places) {
            if let (Some(row), Some(place)) = (row, place) {
                row.argv = Some(piece.argv(place));
            }
        }
    }

    /// One row but for its command line, which is handed over.
    fn row(&self, proc: &mut Proc, pid: Pid, keep: impl FnOnce(&[u8])) -> Option<ProcessRecord> {
        let Scan { own, units, now, .. } = *self;
        // In this order: all that is read after `stat` belongs to the process whose start stands there or
        // to a later one with its number, and the second stage finds the later one out by its start.
        let owner = Uid(proc.stat_and_owner(pid).ok()?);
        let stat = procfs::stat(&proc.text).filter(|stat| stat.threads > 0)?;
        let uid = match self.owners {
            // The kernel's own threads are root's, and there are hundreds: no need to ask.
            _ if stat.kernel_thread => Uid(0),
            UidPrecision::Provisional if owner == own => own,
            _ => Uid(proc.uid_of(pid).ok()?),
        };
        let mut record = ProcessRecord::new(pid, StartTime(stat.start_ticks));
        record.parent = stat.parent;
        (record.group, record.session) = (stat.group, stat.session);
        record.uid = Some(uid);
        record.started_at = units.epoch(stat.start_ticks);
        record.state = state(&stat);
        // Without a terminal there is nothing to make room for.
        if let Some(name) = procfs::tty_name(stat.tty_nr) {
            record.details.tty = Some(name);
        }
        record.rss = stat.rss_pages.saturating_mul(units.page);
        record.cpu = share(stat.cpu_ticks as f64 / units.ticks, now - record.started_at);
        record.comm = stat.comm;
        let kernel_thread = stat.kernel_thread;
        let readable = uid == own || own == Uid(0);
        let mut line = None;
        if readable && !kernel_thread && !record.is_zombie() {
            match proc.read_of(pid, "cmdline", MOST_ARGV) {
                Ok(()) => line = procfs::arguments(&proc.text),
                Err(error) if gone(&error) => return None,
                // It is there, and what could not be read stays not known.
                Err(_) => {}
            }
        }
        if let Some(line) = line {
            keep(line);
        } else if !kernel_thread && self.owners == UidPrecision::Provisional {
            // One of ours that hides its command line may be a launcher of anything.
            record.uid = Some(Uid(proc.uid_of(pid).ok()?));
        }
        Some(record)
    }
}

/// The process ended: no such directory any more, or nothing behind it.
pub(super) fn gone(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::NOENT | Errno::SRCH))
}

/// A leader that ended before its other threads shows `Z`, but the process goes on in them, holds
/// what it held, and takes signals.
pub(super) fn state(stat: &Stat) -> ProcessState {
    match ProcessState::from_letter(stat.state) {
        ProcessState::Zombie if stat.threads > 1 => ProcessState::Other(b'S'),
        state => state,
    }
}

/// Ended, with no thread left.
pub(super) fn is_zombie(stat: &Stat) -> bool {
    state(stat) == ProcessState::Zombie
}

/// Percent of one core since the start; `None` where the start is too recent.
fn share(used: f64, age: f64) -> Option<f32> {
    (age >= 0.1).then(|| ((used / age * 1000.0).round() / 10.0) as f32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
        assert_eq!(share(1.0, 0.0), None);
        assert_eq!(share(1.0, -5.0), None);
        assert_eq!(share(2.0, 4.0), Some(50.0));
    }

    #[test]
    fn two_looks_agree_on_a_start_to_the_last_bit() {
        let start = |ticks| Units::get().epoch(ticks).to_bits();
        assert_eq!(start(123_456), start(123_456));
    }

    #[test]
    fn two_threads_see_what_one_sees() {
        let mut proc = Proc::open().unwrap();
        let own = Uid(rustix::process::geteuid().as_raw());
        let me = Pid(std::process::id());
        // The same process often enough for a second thread, and some numbers without a process.
        let mut pids = vec![me; WORTH_TWO];
        pids.extend([Pid(u32::MAX); 7]);
        let rows = rows(&mut proc, &pids, own, UidPrecision::Exact);
        assert_eq!(rows.len(), WORTH_TWO);
        assert!(rows.capacity() >= pids.len(), "collected in place: the table is not held twice");
        assert!(rows.iter().all(|row| row.id == rows[0].id && row.argv == rows[0].argv));
    }
}
