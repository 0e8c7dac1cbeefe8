//! What the scenes see with their own eyes: straight from `/proc`, sharing no code with mcp-reap.

use std::fs;
use std::time::{Duration, Instant};

/// A process, told apart from a later one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Who {
    /// Its number.
    pub(crate) pid: u32,
    /// Clock ticks between boot and its start.
    pub(crate) start: u64,
}

/// The fields of `/proc/PID/stat` that matter here.
#[derive(Clone, Debug)]
pub(crate) struct Stat {
    pub(crate) who: Who,
    pub(crate) comm: String,
    pub(crate) state: char,
    pub(crate) parent: u32,
}

/// Reads `PID (comm) S PPID ... starttime` (proc_pid_stat(5)); comm may hold spaces and brackets.
pub(crate) fn stat(pid: u32) -> Option<Stat> {
    let bytes = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let (open, close) = (text.find('(')?, text.rfind(')')?);
    let rest: Vec<&str> = text[close + 2..].split(' ').collect();
    Some(Stat {
        who: Who { pid, start: rest.get(19)?.parse().ok()? },
        comm: text[open + 1..close].to_owned(),
        state: rest.first()?.chars().next()?,
        parent: rest.get(1)?.parse().ok()?,
    })
}

/// The clock that starts are told in, in ticks.
pub(crate) fn ticks_since_boot() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second();
    (now.tv_sec as u64) * rustix::param::clock_ticks_per_second() + (now.tv_nsec as u64) / tick
}

/// The process that has this number now.
pub(crate) fn who(pid: u32) -> Who {
    stat(pid).unwrap_or_else(|| panic!("no process {pid}")).who
}

impl Who {
    /// Runs still; a zombie does not.
    pub(crate) fn is_alive(self) -> bool {
        stat(self.pid).is_some_and(|s| s.who == self && !matches!(s.state, 'Z' | 'X'))
    }

    /// Not even a zombie is left, so its number may be used again.
    pub(crate) fn is_collected(self) -> bool {
        stat(self.pid).is_none_or(|s| s.who != self)
    }

    /// Its parent at this moment.
    pub(crate) fn parent(self) -> u32 {
        stat(self.pid).filter(|s| s.who == self).unwrap_or_else(|| panic!("{self:?} is gone")).parent
    }
}

/// Everyone in this namespace.
pub(crate) fn everyone() -> Vec<Stat> {
    let mut all: Vec<Stat> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(stat)
        .collect();
    all.sort_by_key(|s| s.who);
    all
}

/// The table as text, for the story of a scene that failed.
pub(crate) fn table() -> String {
    let row = |s: Stat| {
        let argv = fs::read(format!("/proc/{}/cmdline", s.who.pid)).unwrap_or_default();
        let argv = String::from_utf8_lossy(&argv).trim_end_matches('\0').replace('\0', " ");
        format!("{:>6} {:>6} {} {:<15} {}\n", s.who.pid, s.parent, s.state, s.comm, argv.escape_debug())
    };
    everyone().into_iter().map(row).collect()
}

/// Polls until something is so; a scene that waits in vain fails with `what`.
pub(crate) fn until(what: &str, so: impl FnMut() -> bool) {
    assert!(within(Duration::from_secs(10), so), "waited 10 s in vain until {what}");
}

/// Polls until something is so, however long it takes.
pub(crate) fn until_ever(so: impl FnMut() -> bool) {
    within(Duration::from_secs(u64::from(u32::MAX)), so);
}

/// Polls until something is so or the time is over; says which.
pub(crate) fn within(limit: Duration, mut so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if so() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        // Short against what is waited for (process start-up, some ms), long against a poll (10 us).
        std::thread::sleep(Duration::from_millis(2));
    }
}
