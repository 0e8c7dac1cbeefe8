//! Looking at Linux: `/proc` for processes, `sock_diag` for sockets.

mod answers;
mod chunks;
mod details;
mod end;
mod errors;
mod fds;
mod ffi;
mod holders;
mod inet;
mod inodes;
mod kernel;
mod probe;
mod proc;
mod sockets;
mod table;
#[cfg(test)]
mod tests;
mod threads;
mod udp;

pub use end::{command, environment, identity, lineage, wait_for_end};
pub use kernel::OsKernel;
pub(crate) use probe::unix_socket;

use std::collections::BTreeSet;

use rustix::process::geteuid;

use self::answers::{KernelAnswers, LazyDir};
use self::details::ReadDetails;
use self::errors::{if_there, unless_exhausted};
use self::fds::FdTable;
use self::holders::{HolderNaming, Holders};
use self::proc::Proc;
use self::sockets::Sockets;
use self::threads::Threads;
use super::SysError;
use super::descriptors::{FdObservation, Others, Row, Wires, is_told_to_show, runs_python};
use crate::process::{
    Details, Interest, LazyDetails, OtherEnd, Pid, ProcessRecord, SCHEMA, Snapshot, Uid, UidPrecision, Viewer,
};
use crate::tree::Tree;

pub(super) fn snapshot(
    owners: UidPrecision,
    interest: &mut dyn FnMut(&Snapshot) -> Interest,
) -> Result<Snapshot, SysError> {
    take_as(Pid(std::process::id()), owners, interest)
}

/// The rows of this process and of its ancestors, as the first stage reads them.
pub(super) fn ancestors() -> Result<Snapshot, SysError> {
    let mut proc = Proc::open()?;
    let viewer = Viewer { pid: Pid(std::process::id()), uid: Uid(geteuid().as_raw()) };
    let mut processes: Vec<ProcessRecord> = Vec::new();
    let mut next = viewer.pid;
    while processes.iter().all(|row| row.pid() != next) {
        let mut rows = table::rows(&mut proc, &[next], viewer.uid, UidPrecision::Exact)?;
        let Some(row) = rows.pop() else { break };
        next = row.parent;
        processes.push(row);
    }
    Ok(of_rows(viewer, processes))
}

fn of_rows(viewer: Viewer, processes: Vec<ProcessRecord>) -> Snapshot {
    Snapshot {
        schema: SCHEMA,
        os: "linux".to_owned(),
        taken_at: chrono::Utc::now(),
        viewer,
        systemd: !processes.iter().any(|row| row.pid() == Pid::INIT) && systemd_is_pid_1(),
        unreadable: Vec::new(),
        processes,
    }
}

/// Both stages. The descriptors of the process `viewer` do not count.
fn take_as(
    viewer: Pid,
    owners: UidPrecision,
    interest: &mut dyn FnMut(&Snapshot) -> Interest,
) -> Result<Snapshot, SysError> {
    let mut proc = Proc::open()?;
    let own = Uid(geteuid().as_raw());
    let processes = {
        let pids = proc.pids()?;
        table::rows(&mut proc, &pids, own, owners)?
    };
    let viewer = Viewer { pid: viewer, uid: own };
    let mut snapshot = of_rows(viewer, processes);
    let mut reader = DetailReader {
        proc,
        sockets: Sockets::new(),
        holders: Holders::new(viewer),
        not_leaked: BTreeSet::new(),
    };
    // The processes whose details were read; `true` with their descriptors.
    let mut read: BTreeSet<(Pid, bool)> = BTreeSet::new();
    // The processes whose stdin or environment was checked. The list is sorted and searched, because it may have
    // thousands of entries.
    let mut stdin_seen: Vec<Pid> = Vec::new();
    let mut environment_seen: BTreeSet<Pid> = BTreeSet::new();
    loop {
        let Interest { surely, above, mut if_wired, mut if_marked } = interest(&snapshot);
        if_marked.retain(|pid| environment_seen.insert(*pid));
        let marked = table::marked(&mut reader.proc, &if_marked)?;
        if_wired.sort_unstable();
        let new: Vec<Pid> =
            if_wired.iter().copied().filter(|pid| stdin_seen.binary_search(pid).is_err()).collect();
        let wired = table::wired(&mut reader.proc, &new)?;
        stdin_seen = if_wired;
        let whole: Vec<Pid> =
            surely.into_iter().chain(wired).chain(marked).filter(|pid| read.insert((*pid, true))).collect();
        let above: Vec<Pid> = above
            .into_iter()
            .filter(|pid| !read.contains(&(*pid, true)) && read.insert((*pid, false)))
            .collect();
        if whole.is_empty() && above.is_empty() {
            snapshot.unreadable = reader.holders.unreadable.into_iter().collect();
            return Ok(snapshot);
        }
        reader.read_details(&mut snapshot, whole, &above)?;
    }
}

/// Reads details. It is kept for the whole run, so that the lists of sockets and the descriptors of all processes are
/// read at most once.
struct DetailReader {
    proc: Proc,
    sockets: Sockets,
    holders: Holders,
    /// Processes that are certainly not leaked: an ancestor holds their wire, or they have none.
    not_leaked: BTreeSet<Pid>,
}

/// The descriptors of a process, interpreted.
struct Holdings {
    /// It is in use, because an ancestor holds the wire or it has a terminal. No more holders are looked for.
    settled: bool,
    wires: Wires,
    others: Others,
}

/// Is pid 1 systemd? Needed where hidepid hides pid 1. systemd creates `/run/systemd/system` first (sd_booted(3)). A
/// container may show that folder of its host, so the answer is only valid in the first PID namespace.
fn systemd_is_pid_1() -> bool {
    /// `PROC_PID_INIT_INO` of the kernel's `include/linux/proc_ns.h`.
    const FIRST: &str = "pid:[4026531836]";
    std::path::Path::new("/run/systemd/system").is_dir()
        && std::fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == FIRST)
}

impl DetailReader {
    /// The second stage: reads the details of the processes in `whole` and `above`, of those in `above` without their
    /// descriptors.
    fn read_details(
        &mut self,
        snapshot: &mut Snapshot,
        mut whole: Vec<Pid>,
        above: &[Pid],
    ) -> Result<(), SysError> {
        whole.sort_unstable();
        let tree = Tree::new(snapshot);
        let mut seen: Vec<(Pid, Option<ReadDetails>)> = Vec::new();
        for (at, with_descriptors) in places(&tree, &whole, above) {
            if let Some(record) = snapshot.processes.get(at as usize) {
                seen.push((record.pid(), self.read_one(record, with_descriptors)?));
            }
        }
        // This begins when the descriptors of all of them are read, because most questions about one process are
        // answered by the descriptors of another.
        let mut held: Vec<(usize, &ProcessRecord, Holdings)> = Vec::new();
        for (at, (pid, read)) in seen.iter().enumerate() {
            if let Some(ReadDetails { details, descriptors: Some(rows), .. }) = read
                && let Some(record) = tree.get(*pid)
            {
                held.push((at, record, self.holdings(&tree, record, &whole, details, rows)));
            }
        }
        for (_, record, held) in held.iter().filter(|(_, _, held)| !held.settled) {
            self.holders.prepare(&mut self.proc, &tree, record, &held.wires, &held.others);
        }
        for (at, record, held) in held {
            let Some((_, Some(ReadDetails { details, .. }))) = seen.get_mut(at) else { continue };
            let pid = record.pid();
            let mut naming = HolderNaming { holders: &mut self.holders, proc: &mut self.proc, tree: &tree };
            let observation = FdObservation::new(pid, &held.wires, &held.others, &mut naming);
            if observation.stdio.stdin() == OtherEnd::Closed {
                let Some(threads) = unless_exhausted(Threads::of(&mut self.proc, pid), pid, "task")? else {
                    continue;
                };
                details.tracer = threads.tracer.or(details.tracer);
                if threads.has_own_descriptors {
                    continue;
                }
            }
            let displays = &observation.channels.displays;
            let shows = is_told_to_show(record.argv.as_ref(), details.env.as_ref(), displays);
            observation.note(details);
            details.display |= shows;
        }
        drop(tree);
        write_details(snapshot, seen);
        Ok(())
    }

    /// `None` if the process has ended.
    fn read_one(
        &mut self,
        record: &ProcessRecord,
        with_descriptors: bool,
    ) -> Result<Option<ReadDetails>, SysError> {
        let (proc, pid) = (&mut self.proc, record.pid());
        let Some(place) = if_there(proc.place(pid, with_descriptors), pid, "")? else { return Ok(None) };
        let Some(mut read) = details::read(proc, &place, record)? else { return Ok(None) };
        if let Some(fds) = place.fds()
            && let Some(table) = unless_exhausted(FdTable::read(fds), pid, "fd")?
        {
            self.holders.add(pid, &table);
            read.descriptors = Some(table.objects(fds));
        }
        Ok(Some(read))
    }

    /// Interprets the descriptors of a process.
    fn holdings(
        &mut self,
        tree: &Tree<'_>,
        record: &ProcessRecord,
        whole: &[Pid],
        details: &Details,
        rows: &[Row],
    ) -> Holdings {
        let mut answers = KernelAnswers {
            id: record.id,
            rows,
            proc: &mut self.proc,
            sockets: &mut self.sockets,
            holders: &mut self.holders,
            dir: LazyDir::default(),
        };
        let mut wires = Wires::look(rows, runs_python(record, details.exe.as_ref()), &mut answers);
        let doubtful = |pid| whole.binary_search(&pid).is_ok() && !self.not_leaked.contains(&pid);
        let settled =
            answers.holders.is_plainly_in_use(answers.proc, &tree.ancestors(record), &wires, doubtful);
        let others = Others::look(rows, &mut wires, settled, &mut answers);
        if settled || wires.sights().next().is_none() {
            self.not_leaked.insert(record.pid());
        }
        Holdings { settled, wires, others }
    }
}

/// The indices in the table of the processes to read, each with whether its descriptors are read too. They are in the
/// order of the table, as `write_details` needs them.
fn places(tree: &Tree<'_>, whole: &[Pid], above: &[Pid]) -> Vec<(u32, bool)> {
    let place = |pid: &Pid, with_descriptors| Some((tree.place(*pid)?, with_descriptors));
    let whole = whole.iter().filter_map(|pid| place(pid, true));
    let above = above.iter().filter_map(|pid| place(pid, false));
    let mut places: Vec<(u32, bool)> = whole.chain(above).collect();
    places.sort_unstable_by_key(|(at, with_descriptors)| (*at, !with_descriptors));
    places.dedup_by_key(|(at, _)| *at);
    places
}

/// Writes the details that were read into the table, and removes the rows of processes that are gone.
fn write_details(snapshot: &mut Snapshot, seen: Vec<(Pid, Option<ReadDetails>)>) {
    let own = snapshot.viewer.uid;
    let mut seen = seen.into_iter().peekable();
    // Both are in the order of the table.
    snapshot.processes.retain_mut(|record| {
        // `peek` moves nothing. A value that was read is large, and most rows have none.
        if seen.peek().is_none_or(|(pid, _)| *pid != record.pid()) {
            return true;
        }
        let Some((_, Some(read))) = seen.next() else { return false };
        let ReadDetails { uid, rss, details, .. } = read;
        record.uid = Some(uid);
        // The process belongs to another user after all. A look uses no command line of such a process, even if it can
        // be read.
        if uid != own && own != Uid(0) {
            record.argv = None;
        }
        record.rss = rss;
        record.details = LazyDetails::from(details);
        true
    });
}
