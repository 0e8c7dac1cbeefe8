//! Looking at Linux: `/proc` for processes, `sock_diag` for sockets.

mod answers;
mod details;
mod end;
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
use self::details::{Gone, ReadDetails};
use self::fds::FdTable;
use self::holders::{Holders, Named};
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

/// The rows of this process and of its ancestors: the first stage, of these few alone.
pub(super) fn ancestors() -> Result<Snapshot, SysError> {
    let mut proc = Proc::open()?;
    let viewer = Viewer { pid: Pid(std::process::id()), uid: Uid(geteuid().as_raw()) };
    let mut processes: Vec<ProcessRecord> = Vec::new();
    let mut next = viewer.pid;
    while processes.iter().all(|row| row.pid() != next) {
        let Some(row) = table::rows(&mut proc, &[next], viewer.uid, UidPrecision::Exact).pop() else { break };
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

/// The two stages, as `viewer`: what that process holds does not count.
fn take_as(
    viewer: Pid,
    owners: UidPrecision,
    interest: &mut dyn FnMut(&Snapshot) -> Interest,
) -> Result<Snapshot, SysError> {
    let mut proc = Proc::open()?;
    let own = Uid(geteuid().as_raw());
    let processes = {
        let pids = proc.pids()?;
        table::rows(&mut proc, &pids, own, owners)
    };
    let viewer = Viewer { pid: viewer, uid: own };
    let mut snapshot = of_rows(viewer, processes);
    let mut reader =
        DetailReader { proc, sockets: Sockets::new(), holders: Holders::new(viewer), sound: BTreeSet::new() };
    // Whose details were read; true: with their descriptors.
    let mut read: BTreeSet<(Pid, bool)> = BTreeSet::new();
    // Whose stdin and whose environment were looked at. Sorted lists: there may be thousands in them.
    let mut stdin_seen: Vec<Pid> = Vec::new();
    let mut environment_seen: BTreeSet<Pid> = BTreeSet::new();
    loop {
        let Interest { surely, above, mut if_wired, mut if_marked } = interest(&snapshot);
        if_marked.retain(|pid| environment_seen.insert(*pid));
        let marked = table::marked(&mut reader.proc, &if_marked);
        if_wired.sort_unstable();
        let new: Vec<Pid> =
            if_wired.iter().copied().filter(|pid| stdin_seen.binary_search(pid).is_err()).collect();
        let wired = table::wired(&mut reader.proc, &new);
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
        reader.read_details(&mut snapshot, whole, &above);
    }
}

/// What reading details needs. It is kept for the whole run, so that the lists of sockets and the descriptors of all
/// processes are read once at most.
struct DetailReader {
    proc: Proc,
    sockets: Sockets,
    holders: Holders,
    /// Processes that cannot turn out to be leaked: an ancestor holds their wire, or they have none.
    sound: BTreeSet<Pid>,
}

/// What a process holds.
struct Holdings {
    /// An ancestor holds the wire.
    settled: bool,
    wires: Wires,
    others: Others,
}

/// Where hidepid hides pid 1, the machine itself may say what it is: systemd makes `/run/systemd/system` before anything
/// else (sd_booted(3)), but a container may show its host's, so only in the first PID namespace.
fn systemd_is_pid_1() -> bool {
    /// `PROC_PID_INIT_INO` of the kernel's `include/linux/proc_ns.h`.
    const FIRST: &str = "pid:[4026531836]";
    std::path::Path::new("/run/systemd/system").is_dir()
        && std::fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == FIRST)
}

impl DetailReader {
    /// The second stage: reads the details of these processes; of those in `above` without what they hold.
    fn read_details(&mut self, snapshot: &mut Snapshot, mut whole: Vec<Pid>, above: &[Pid]) {
        whole.sort_unstable();
        let tree = Tree::new(snapshot);
        let mut seen: Vec<(Pid, Result<ReadDetails, Gone>)> = Vec::new();
        for (at, wire) in places(&tree, &whole, above) {
            if let Some(record) = snapshot.processes.get(at as usize) {
                seen.push((record.pid(), self.read_one(record, wire)));
            }
        }
        // Only when the descriptors of all of them were read: most questions about one are answered by another's.
        let mut held: Vec<(usize, &ProcessRecord, Holdings)> = Vec::new();
        for (at, (pid, read)) in seen.iter().enumerate() {
            if let Ok(ReadDetails { details, descriptors: Some(rows), .. }) = read
                && let Some(record) = tree.get(*pid)
            {
                held.push((at, record, self.holdings(&tree, record, &whole, details, rows)));
            }
        }
        for (_, record, held) in held.iter().filter(|(_, _, held)| !held.settled) {
            self.holders.prepare(&mut self.proc, &tree, record, &held.wires, &held.others);
        }
        for (at, record, held) in held {
            let Some((_, Ok(ReadDetails { details, .. }))) = seen.get_mut(at) else { continue };
            let pid = record.pid();
            let mut named = Named { holders: &mut self.holders, proc: &mut self.proc, tree: &tree };
            let observation = FdObservation::new(pid, &held.wires, &held.others, &mut named);
            if observation.stdio.stdin() == OtherEnd::Closed {
                let threads = Threads::of(&mut self.proc, pid);
                details.tracer = threads.tracer.or(details.tracer);
                if threads.holds_its_own {
                    continue;
                }
            }
            let displays = &observation.channels.displays;
            let told = is_told_to_show(record.argv.as_ref(), details.env.as_ref(), displays);
            observation.note(details);
            details.display |= told;
        }
        drop(tree);
        note(snapshot, seen);
    }

    fn read_one(&mut self, record: &ProcessRecord, wire: bool) -> Result<ReadDetails, Gone> {
        let proc = &mut self.proc;
        let Ok(place) = proc.place(record.pid(), wire) else { return Err(Gone) };
        let mut read = details::read(proc, &place, record)?;
        if let Some(fds) = place.fds()
            && let Ok(table) = FdTable::read(fds)
        {
            self.holders.add(record.pid(), &table);
            read.descriptors = Some(table.objects(fds));
        }
        Ok(read)
    }

    /// What the descriptors of a process mean.
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
        let doubtful = |pid| whole.binary_search(&pid).is_ok() && !self.sound.contains(&pid);
        let settled =
            answers.holders.is_plainly_in_use(answers.proc, &tree.ancestors(record), &wires, doubtful);
        let others = Others::look(rows, &mut wires, settled, &mut answers);
        if settled || wires.sights().next().is_none() {
            self.sound.insert(record.pid());
        }
        Holdings { settled, wires, others }
    }
}

/// The places in the table of the processes to read, and whether their descriptors are read too; in the order of the
/// table, which `note` relies on.
fn places(tree: &Tree<'_>, whole: &[Pid], above: &[Pid]) -> Vec<(u32, bool)> {
    let place = |pid: &Pid, wire| Some((tree.place(*pid)?, wire));
    let wired = whole.iter().filter_map(|pid| place(pid, true));
    let others = above.iter().filter_map(|pid| place(pid, false));
    let mut places: Vec<(u32, bool)> = wired.chain(others).collect();
    places.sort_unstable_by_key(|(at, wire)| (*at, !wire));
    places.dedup_by_key(|(at, _)| *at);
    places
}

/// Writes what was seen into the table, and takes out the rows of processes that are gone.
fn note(snapshot: &mut Snapshot, seen: Vec<(Pid, Result<ReadDetails, Gone>)>) {
    let own = snapshot.viewer.uid;
    let mut seen = seen.into_iter().peekable();
    // Both are in the order of the table.
    snapshot.processes.retain_mut(|record| {
        // Peeked at, since what was read is large and most rows are not concerned.
        if seen.peek().is_none_or(|(pid, _)| *pid != record.pid()) {
            return true;
        }
        let Some((_, Ok(read))) = seen.next() else { return false };
        let ReadDetails { uid, rss, details, .. } = read;
        record.uid = Some(uid);
        // It is another user's after all, and a look reads no command line of these, even where a file shows one.
        if uid != own && own != Uid(0) {
            record.argv = None;
        }
        record.rss = rss;
        record.details = LazyDetails::from(details);
        true
    });
}
