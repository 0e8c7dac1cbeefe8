//! Reads the process table of macOS.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::super::SysError;
use super::calls::{Calls, USAGE_SIZE, errno, flavor};
use super::fds::Reader;
use super::layout::{self, Bsd, FdTarget, Unique, Usage, at};
use super::procargs::{self, ProcArgs};
use super::wires::{self, Asked, Connections, Fds, Holders};
use crate::bytes::RawText;
use crate::process::{Interest, Pid, ProcessRecord, ProcessState, SCHEMA, Snapshot, StartTime, Uid, Viewer};
use crate::sys::EVIDENCE_VARIABLES;
use crate::sys::descriptors::{FdObservation, Object, Others, Wires, is_told_to_show, runs_python};
use crate::tree::Tree;

/// sys/syslimits.h: ARG_MAX, the most that arguments and environment can take together.
pub(super) const ARG_MAX: usize = 1024 * 1024;

/// sys/proc_info.h: PROC_PIDPATHINFO_MAXSIZE.
const PATH_MAX: usize = 4096;

/// Reads a row of every process, and the details of those that are of interest: working directory, descriptors and
/// ports cost several calls each.
///
/// # Errors
/// When the kernel does not list its processes.
pub fn snapshot_by(
    calls: &impl Calls,
    interest: &mut dyn FnMut(&Snapshot) -> Interest,
) -> Result<Snapshot, SysError> {
    let pids = calls.pids().map_err(|source| SysError::Io { what: "list the processes".into(), source })?;
    let viewer = calls.viewer();
    let mut buffer = vec![0; ARG_MAX];
    let taken_at = calls.time_of_day();
    let launchd = unique(calls, Pid::INIT).ok();
    let mut processes = Vec::with_capacity(pids.len());
    for pid in pids {
        let Ok(bsd) = bsd(calls, pid) else { continue };
        let mut record = record(calls, pid, &bsd, viewer, &mut buffer);
        if bsd.parent == Pid::INIT {
            record.details.adopted = adopted(launchd, unique(calls, pid).ok());
        }
        processes.push(record);
    }
    let (os, systemd, unreadable) = ("macos".into(), false, Vec::new());
    let mut snapshot = Snapshot { schema: SCHEMA, os, taken_at, viewer, systemd, unreadable, processes };
    let mut looked: BTreeSet<Pid> = BTreeSet::new();
    loop {
        // To read stdin alone takes the same calls as to read all descriptors. Environments came with the arguments, and
        // one that the kernel hides cannot be read in any other way.
        let Interest { surely, above, if_wired, if_marked: _ } = interest(&snapshot);
        let wanted = surely.into_iter().chain(above).chain(if_wired);
        let close: Vec<Pid> = wanted.filter(|pid| looked.insert(*pid)).collect();
        if close.is_empty() {
            return Ok(snapshot);
        }
        look_closely(calls, &mut snapshot, &close);
    }
}

/// The kernel's information about a process: in full, or the short form for another user's.
///
/// # Errors
/// `ESRCH` when no process, not even a zombie, has this pid.
pub(super) fn bsd(calls: &impl Calls, pid: Pid) -> io::Result<Bsd> {
    // With an argument other than 0 the kernel also answers for zombies (xnu, proc_info.c:
    // `if (arg) findzomb = 1`) and exiting processes.
    let mut bytes = [0; at::BSD_SIZE];
    match calls.pid_info(pid, flavor::BSD, 1, &mut bytes) {
        Ok(length) => layout::bsd(&bytes[..length]).ok_or_else(unreadable),
        Err(error) if error.raw_os_error() == Some(errno::EPERM) => {
            let mut bytes = [0; at::SHORT_SIZE];
            let length = calls.pid_info(pid, flavor::SHORT_BSD, 1, &mut bytes)?;
            layout::short(&bytes[..length]).ok_or_else(unreadable)
        }
        Err(error) => Err(error),
    }
}

/// The unique numbers of a process of any user, which may be a zombie.
///
/// # Errors
/// `ESRCH` when no process has this pid.
pub(super) fn unique(calls: &impl Calls, pid: Pid) -> io::Result<Unique> {
    let mut bytes = [0; at::UNIQUE_SIZE];
    let length = calls.pid_info(pid, flavor::UNIQUE, 1, &mut bytes)?;
    layout::unique(&bytes[..length]).ok_or_else(unreadable)
}

/// The arguments of a process; `None` for zombies and other users' processes.
pub(super) fn args(calls: &impl Calls, pid: Pid, buffer: &mut [u8]) -> Option<ProcArgs> {
    let length = calls.arguments(pid, buffer).ok()?;
    procargs::parse(&buffer[..length])
}

/// Time used, memory and bytes written.
pub(super) fn usage(calls: &impl Calls, pid: Pid) -> Option<Usage> {
    let mut bytes = [0; USAGE_SIZE];
    calls.usage(pid, &mut bytes).ok()?;
    layout::usage(&bytes)
}

/// The session of a process, which no other call returns.
pub(super) fn session(calls: &impl Calls, pid: Pid) -> Option<Pid> {
    calls.session(pid).ok().filter(|session| session.0 > 0)
}

/// Was a process whose parent is launchd forked by another process?
fn adopted(launchd: Option<Unique>, process: Option<Unique>) -> Option<bool> {
    let (launchd, process) = (launchd?, process?);
    (process.parent != 0).then_some(process.parent != launchd.id)
}

fn record(calls: &impl Calls, pid: Pid, bsd: &Bsd, viewer: Viewer, buffer: &mut [u8]) -> ProcessRecord {
    let start = bsd.start.unwrap_or(StartTime(0));
    let mut record = ProcessRecord::new(pid, start);
    record.parent = bsd.parent;
    record.group = bsd.group;
    record.session = session(calls, pid).unwrap_or(Pid(0));
    record.uid = Some(bsd.uid);
    record.state =
        if bsd.exiting && bsd.state != ProcessState::Zombie { ProcessState::Other(b'E') } else { bsd.state };
    record.comm = bsd.comm.clone();
    record.started_at = start.0 as f64 / 1e6;
    if let Some(name) = bsd.terminal.and_then(|device| calls.device_name(device)) {
        record.details.tty = Some(name.into());
    }
    if bsd.uid == viewer.uid || viewer.uid == Uid(0) {
        record.rss = usage(calls, pid).map_or_else(|| resident(calls, pid), |usage| usage.footprint);
        if let Some(args) = args(calls, pid, buffer) {
            record.details.env = evidence(&args.env);
            // Homebrew's programs are started through links; the kernel returns the path of the file itself.
            record.details.exe = Some(path(calls, pid).unwrap_or(args.exe));
            record.argv = Some(args.argv);
        }
    }
    record
}

/// The tracer of a process, which becomes its parent (xnu, mach_process.c: PT_ATTACH). `Pid(0)` for none; `None` for another
/// user's process, for which the kernel does not return it.
pub(super) fn tracer(bsd: &Bsd) -> Option<Pid> {
    bsd.start.map(|_| if bsd.traced { bsd.parent } else { Pid(0) })
}

fn resident(calls: &impl Calls, pid: Pid) -> u64 {
    let mut task = [0; at::TASK_SIZE];
    let length = calls.pid_info(pid, flavor::TASK, 0, &mut task).unwrap_or(0);
    layout::resident(&task[..length]).unwrap_or(0)
}

fn path(calls: &impl Calls, pid: Pid) -> Option<RawText> {
    let mut bytes = [0; PATH_MAX];
    let length = calls.path(pid, &mut bytes).ok()?;
    bytes.get(..length).filter(|path| path.starts_with(b"/")).map(RawText::from)
}

/// The variables that are evidence; `None` when the kernel showed no environment at all.
fn evidence(env: &[RawText]) -> Option<BTreeMap<String, String>> {
    let split = |word: &RawText| {
        let text = word.to_text();
        let (name, value) = text.split_once('=')?;
        EVIDENCE_VARIABLES.contains(&name).then(|| (name.to_owned(), value.to_owned()))
    };
    (!env.is_empty()).then(|| env.iter().filter_map(split).collect())
}

fn look_closely(calls: &impl Calls, snapshot: &mut Snapshot, close: &[Pid]) {
    let reader = Reader::new(calls);
    let fds: BTreeMap<Pid, Fds> = close.iter().filter_map(|pid| Some((*pid, reader.fds(*pid)?))).collect();
    let mut holders = Holders::new(Tree::new(snapshot));
    let mut connections = Connections::default();
    fds.values().for_each(|own| connections.add(wires::targets(own)));
    let mut unreadable: BTreeSet<Pid> = BTreeSet::new();
    // Only for an open end are the descriptors of all processes read to find its holder.
    if fds.values().any(wires::is_open) {
        for record in &snapshot.processes {
            let ours = record.uid == Some(snapshot.viewer.uid) || snapshot.viewer.uid == Uid(0);
            // Our own descriptors do not count, because we inherited them.
            if !ours || record.is_zombie() || record.pid() == snapshot.viewer.pid {
                continue;
            }
            let theirs = fds.get(&record.pid()).cloned().or_else(|| reader.fds(record.pid()));
            let all = theirs
                .as_ref()
                .is_some_and(|fds| fds.values().all(|fd| fd.target != FdTarget::Plain(Object::Unread)));
            if !all && may_hold(calls, record) {
                unreadable.insert(record.pid());
            }
            if let Some(theirs) = theirs {
                holders.add(record.pid(), &theirs);
                connections.add(wires::targets(&theirs));
            }
        }
    }
    let python = snapshot.processes.iter().filter(|row| runs_python(row, row.details.exe.as_ref()));
    let python: BTreeSet<Pid> = python.map(ProcessRecord::pid).collect();
    let mut seen: BTreeMap<Pid, FdObservation> = BTreeMap::new();
    for (pid, own) in &fds {
        let rows = wires::rows(own);
        let mut asked = Asked { fds: own, connections: &connections };
        let mut wires = Wires::look(&rows, python.contains(pid), &mut asked);
        let others = Others::look(&rows, &mut wires, false, &mut asked);
        seen.insert(*pid, FdObservation::new(*pid, &wires, &others, &mut holders));
    }
    drop(holders);
    for record in &mut snapshot.processes {
        let Some(observation) = seen.remove(&record.pid()) else { continue };
        let details = &mut record.details;
        let displays = &observation.channels.displays;
        let shows = is_told_to_show(record.argv.as_ref(), details.env.as_ref(), displays);
        observation.note(details);
        details.display |= shows;
        let mut bytes = [0; at::CWD_SIZE];
        let length = calls.pid_info(record.pid(), flavor::DIRECTORY, 0, &mut bytes).unwrap_or(0);
        record.details.cwd = layout::cwd(&bytes[..length]);
        record.details.tracer = bsd(calls, record.pid()).ok().as_ref().and_then(tracer);
    }
    unreadable.extend(&snapshot.unreadable);
    snapshot.unreadable = unreadable.into_iter().collect();
}

/// May a process whose descriptors were not read hold any? Not if it has ended, is exiting, or is another one than in the
/// table.
fn may_hold(calls: &impl Calls, record: &ProcessRecord) -> bool {
    match bsd(calls, record.pid()) {
        Ok(bsd) => {
            let same = bsd.start.is_none_or(|start| start == record.id.start);
            same && !bsd.exiting && bsd.state != ProcessState::Zombie
        }
        Err(error) => error.raw_os_error() != Some(errno::ESRCH),
    }
}

fn unreadable() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}
