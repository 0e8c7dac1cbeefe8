//! The process table of macOS.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use chrono::Utc;

use super::super::{SysError, ffi};
use super::fds::Reader;
use super::layout::{self, Bsd, at};
use super::procargs::{self, ProcArgs};
use super::wires::{self, Asked, Fds, Holders};
use crate::bytes::RawText;
use crate::process::{Details, Interest, Pid, ProcessRecord, SCHEMA, Snapshot, StartTime, Uid, Viewer};
use crate::sys::EVIDENCE_VARIABLES;
use crate::sys::descriptors::{Observation, Others, Wires, runs_python};
use crate::tree::Tree;

/// sys/syslimits.h: ARG_MAX, the most that arguments and environment can take together.
const ARG_MAX: usize = 1024 * 1024;

/// Looks at everybody, and at those that are of interest more closely: directory, descriptors and
/// ports cost several questions each.
///
/// # Errors
/// When the kernel does not list its processes.
pub(in super::super) fn snapshot(
    interest: &mut dyn FnMut(&Snapshot) -> Interest,
) -> Result<Snapshot, SysError> {
    let pids = ffi::pids().map_err(|source| SysError::Io { what: "list the processes".into(), source })?;
    let viewer = Viewer { pid: Pid(std::process::id()), uid: Uid(rustix::process::geteuid().as_raw()) };
    let mut buffer = vec![0; ARG_MAX];
    let taken_at = Utc::now();
    let processes =
        pids.into_iter().filter_map(|pid| Some(record(pid, &bsd(pid).ok()?, viewer, &mut buffer))).collect();
    let unreadable = Vec::new();
    let mut snapshot = Snapshot {
        schema: SCHEMA,
        os: "macos".into(),
        taken_at,
        viewer,
        systemd: false,
        unreadable,
        processes,
    };
    let mut looked: BTreeSet<Pid> = BTreeSet::new();
    loop {
        // To see what stdin is takes the same questions here as to see all the rest.
        let Interest { surely, above, if_wired } = interest(&snapshot);
        let wanted = surely.into_iter().chain(above).chain(if_wired);
        let close: Vec<Pid> = wanted.filter(|pid| looked.insert(*pid)).collect();
        if close.is_empty() {
            return Ok(snapshot);
        }
        look_closely(&mut snapshot, &close);
    }
}

/// What the kernel says of a process: in full, or of other users' in short.
///
/// # Errors
/// `ESRCH` when there is none of this number, a zombie included.
pub(super) fn bsd(pid: Pid) -> io::Result<Bsd> {
    // With an argument that is not 0 the kernel answers for zombies too (xnu, proc_info.c:
    // `if (arg) findzomb = 1`).
    let mut bytes = [0; at::BSD_SIZE];
    match ffi::pid_info(pid, libc::PROC_PIDTBSDINFO, 1, &mut bytes) {
        Ok(length) => layout::bsd(&bytes[..length]).ok_or_else(unreadable),
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
            let mut bytes = [0; at::SHORT_SIZE];
            let length = ffi::pid_info(pid, libc::PROC_PIDT_SHORTBSDINFO, 1, &mut bytes)?;
            layout::short(&bytes[..length]).ok_or_else(unreadable)
        }
        Err(error) => Err(error),
    }
}

/// What a process runs; `None` for zombies and other users' processes.
pub(super) fn args(pid: Pid, buffer: &mut [u8]) -> Option<ProcArgs> {
    let length = ffi::proc_args(pid, buffer).ok()?;
    procargs::parse(&buffer[..length])
}

fn record(pid: Pid, bsd: &Bsd, viewer: Viewer, buffer: &mut [u8]) -> ProcessRecord {
    let start = bsd.start.unwrap_or(StartTime(0));
    let mut record = ProcessRecord::new(pid, start);
    record.parent = bsd.parent;
    record.group = Some(bsd.group);
    record.uid = Some(bsd.uid);
    record.state = bsd.state;
    record.comm = bsd.comm.clone();
    record.started_at = start.0 as f64 / 1e6;
    record.tty = bsd.terminal.and_then(ffi::device_name).map(Into::into);
    if bsd.uid == viewer.uid || viewer.uid == Uid(0) {
        let mut task = [0; at::TASK_SIZE];
        let length = ffi::pid_info(pid, libc::PROC_PIDTASKINFO, 0, &mut task).unwrap_or(0);
        record.rss = layout::resident(&task[..length]).unwrap_or(0);
        if let Some(args) = args(pid, buffer) {
            record.details.env = evidence(&args.env);
            record.details.exe = Some(args.exe);
            record.argv = Some(args.argv);
        }
    }
    record
}

/// The few variables that are evidence; `None` when the kernel showed no environment at all.
fn evidence(env: &[RawText]) -> Option<BTreeMap<String, String>> {
    let split = |word: &RawText| {
        let text = word.to_text();
        let (name, value) = text.split_once('=')?;
        EVIDENCE_VARIABLES.contains(&name).then(|| (name.to_owned(), value.to_owned()))
    };
    (!env.is_empty()).then(|| env.iter().filter_map(split).collect())
}

fn look_closely(snapshot: &mut Snapshot, close: &[Pid]) {
    let reader = Reader::new();
    let fds: BTreeMap<Pid, Fds> = close.iter().filter_map(|pid| Some((*pid, reader.fds(*pid)?))).collect();
    let mut holders = Holders::new(Tree::new(snapshot));
    let mut unreadable: BTreeSet<Pid> = BTreeSet::new();
    // A closed end needs no holder; only an open one is worth a question to everybody.
    if fds.values().any(wires::is_open) {
        for record in &snapshot.processes {
            let ours = record.uid == Some(snapshot.viewer.uid) || snapshot.viewer.uid == Uid(0);
            // Our own descriptors do not count: they came from whoever started us.
            if !ours || record.is_zombie() || record.pid() == snapshot.viewer.pid {
                continue;
            }
            match fds.get(&record.pid()).cloned().or_else(|| reader.fds(record.pid())) {
                Some(theirs) => {
                    if theirs.values().any(|held| held.end == layout::End::Unread) {
                        unreadable.insert(record.pid());
                    }
                    holders.add(record.pid(), &theirs);
                }
                // It ended meanwhile, or it may not be looked into: then nothing is certain.
                None if bsd(record.pid()).is_ok_and(|bsd| Some(bsd.uid) == record.uid) => {
                    unreadable.insert(record.pid());
                }
                None => {}
            }
        }
    }
    let python = snapshot.processes.iter().filter(|row| runs_python(row, row.details.exe.as_ref()));
    let python: BTreeSet<Pid> = python.map(ProcessRecord::pid).collect();
    let mut seen: BTreeMap<Pid, Observation> = BTreeMap::new();
    for (pid, own) in &fds {
        let rows = wires::rows(own);
        let mut wires = Wires::look(&rows, python.contains(pid), &mut Asked(own));
        let others = Others::look(&rows, &mut wires, false, &mut Asked(own));
        seen.insert(*pid, Observation::new(*pid, &wires, &others, &mut holders));
    }
    drop(holders);
    for record in &mut snapshot.processes {
        let Some(observation) = seen.remove(&record.pid()) else { continue };
        note(&mut record.details, observation);
        let mut bytes = [0; at::CWD_SIZE];
        let length = ffi::pid_info(record.pid(), libc::PROC_PIDVNODEPATHINFO, 0, &mut bytes).unwrap_or(0);
        record.details.cwd = layout::cwd(&bytes[..length]);
    }
    unreadable.extend(&snapshot.unreadable);
    snapshot.unreadable = unreadable.into_iter().collect();
}

fn note(details: &mut Details, seen: Observation) {
    details.stdio = Some(seen.stdio);
    details.listening = seen.channels.listening;
    details.connected = seen.channels.connected;
    details.connected_peers = seen.channels.connected_peers;
    details.outbound_peers = seen.channels.outbound_peers;
    details.display = seen.channels.display;
}

fn unreadable() -> io::Error {
    io::Error::from_raw_os_error(libc::EIO)
}
