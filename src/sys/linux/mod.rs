//! Looking at Linux: `/proc` for processes, `sock_diag` for sockets.

mod answers;
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

use std::collections::BTreeSet;

use rustix::process::geteuid;

use self::answers::{KernelAnswers, LazyDir};
use self::fds::FdTable;
use self::holders::{Holders, Named};
use self::proc::{MOST_ENVIRON, Place, Proc};
use self::sockets::Sockets;
use self::threads::Threads;
use super::descriptors::{FdObservation, Others, Row, Wires, is_told_to_show, runs_python};
use super::{EVIDENCE_VARIABLES, SysError, procfs};
use crate::bytes::RawText;
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
    // Whoever was looked at, and whether for what it holds as well.
    let mut looked: BTreeSet<(Pid, bool)> = BTreeSet::new();
    let mut asked: Vec<Pid> = Vec::new();
    let mut environments: BTreeSet<Pid> = BTreeSet::new();
    loop {
        let Interest { surely, above, mut if_wired, mut if_marked } = interest(&snapshot);
        if_marked.retain(|pid| environments.insert(*pid));
        let marked = table::marked(&mut reader.proc, &if_marked);
        if_wired.sort_unstable();
        let ask: Vec<Pid> =
            if_wired.iter().copied().filter(|pid| asked.binary_search(pid).is_err()).collect();
        let wired = table::wired(&mut reader.proc, &ask);
        asked = if_wired;
        let whole: Vec<Pid> =
            surely.into_iter().chain(wired).chain(marked).filter(|pid| looked.insert((*pid, true))).collect();
        let above: Vec<Pid> = above
            .into_iter()
            .filter(|pid| !looked.contains(&(*pid, true)) && looked.insert((*pid, false)))
            .collect();
        if whole.is_empty() && above.is_empty() {
            snapshot.unreadable = reader.holders.unreadable.into_iter().collect();
            return Ok(snapshot);
        }
        reader.read_details(&mut snapshot, whole, &above);
    }
}

/// What reading details needs, kept for the whole run: each list of sockets, and the descriptors of all processes, are read once.
struct DetailReader {
    proc: Proc,
    sockets: Sockets,
    holders: Holders,
    /// Processes that were looked at and cannot turn out to be leaked: an ancestor holds their wire, or they
    /// have none.
    sound: BTreeSet<Pid>,
}

/// What a process holds.
struct Holdings {
    /// An ancestor holds the wire.
    settled: bool,
    wires: Wires,
    others: Others,
}

/// Whose it is, its memory in bytes, all that was read of it, and its descriptors.
type ReadDetails = Result<(Uid, u64, Details, Option<Vec<Row>>), Gone>;

/// Where hidepid hides pid 1, the machine itself may say what it is: systemd makes `/run/systemd/system` before anything
/// else (sd_booted(3)), but a container may show its host's, so only in the first PID namespace.
fn systemd_is_pid_1() -> bool {
    /// `PROC_PID_INIT_INO` of the kernel's `include/linux/proc_ns.h`.
    const FIRST: &str = "pid:[4026531836]";
    std::path::Path::new("/run/systemd/system").is_dir()
        && std::fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == FIRST)
}

/// The process ended, and perhaps another has its number: it is not in this table.
struct Gone;

impl DetailReader {
    /// The second stage: fills in the rest for those that deserve it.
    fn read_details(&mut self, snapshot: &mut Snapshot, mut whole: Vec<Pid>, above: &[Pid]) {
        whole.sort_unstable();
        let tree = Tree::new(snapshot);
        let mut seen: Vec<(Pid, ReadDetails)> = Vec::new();
        for (at, wire) in places(&tree, &whole, above) {
            if let Some(record) = snapshot.processes.get(at as usize) {
                seen.push((record.pid(), self.read_one(record, wire)));
            }
        }
        // Only when the descriptors of all of them were read: most questions about one are answered by another's.
        let mut held: Vec<(usize, &ProcessRecord, Holdings)> = Vec::new();
        for (at, (pid, look)) in seen.iter().enumerate() {
            if let Ok((.., details, Some(rows))) = look
                && let Some(record) = tree.get(*pid)
            {
                held.push((at, record, self.holdings(&tree, record, &whole, details, rows)));
            }
        }
        for (_, record, held) in held.iter().filter(|(_, _, held)| !held.settled) {
            self.holders.prepare(&mut self.proc, &tree, record, &held.wires, &held.others);
        }
        for (at, record, held) in held {
            let Some((_, Ok((.., details, _)))) = seen.get_mut(at) else { continue };
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

    fn read_one(&mut self, record: &ProcessRecord, wire: bool) -> ReadDetails {
        let proc = &mut self.proc;
        let Ok(place) = proc.place(record.pid(), wire) else { return Err(Gone) };
        let (uid, rss, details) = details(proc, &place, record)?;
        // What may not be listed is not known.
        let table = place.fds().and_then(|fds| Some((fds, FdTable::read(fds).ok()?)));
        let Some((fds, table)) = table else { return Ok((uid, rss, details, None)) };
        self.holders.add(record.pid(), &table);
        Ok((uid, rss, details, Some(table.objects(fds))))
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

/// Where the rows of those lie that are looked at, and whether for what they hold as well, in the order of the table: so it
/// is gone through when they are noted.
fn places(tree: &Tree<'_>, whole: &[Pid], above: &[Pid]) -> Vec<(u32, bool)> {
    let place = |pid: &Pid, wire| Some((tree.place(*pid)?, wire));
    let wired = whole.iter().filter_map(|pid| place(pid, true));
    let others = above.iter().filter_map(|pid| place(pid, false));
    let mut places: Vec<(u32, bool)> = wired.chain(others).collect();
    places.sort_unstable_by_key(|(at, wire)| (*at, !wire));
    places.dedup_by_key(|(at, _)| *at);
    places
}

/// Everything of a process but what it holds.
fn details(proc: &mut Proc, place: &Place, record: &ProcessRecord) -> Result<(Uid, u64, Details), Gone> {
    let text = |proc: &mut Proc, file: &'static str, most| place.read(file, most, &mut proc.text).is_ok();
    let mut details = Details::from(record.details.clone());
    let (mut uid, mut rss) = (None, record.rss);
    // From here on everything is read of the process behind `place`, whatever becomes of its number.
    if !text(proc, "../stat", 4 << 10) || table::parse_start(&proc.text) != Some(record.id.start) {
        return Err(Gone);
    }
    if text(proc, "../status", 64 << 10) {
        let status = procfs::status(&proc.text);
        uid = status.uid;
        rss = status.rss.unwrap_or(rss);
        details.swap = status.swap;
        details.foreign_namespace = status.namespaces.is_some_and(|count| count != 1);
        details.namespace_pid = status.innermost.filter(|_| details.foreign_namespace);
        details.tracer = status.tracer;
    }
    if text(proc, "../cgroup", 64 << 10) {
        details.cgroup = procfs::cgroup(&proc.text);
    }
    if text(proc, "../environ", MOST_ENVIRON) && proc.text.len() < MOST_ENVIRON {
        details.env = procfs::evidence(&proc.text, &EVIDENCE_VARIABLES);
    }
    // The environment holds secrets; nothing of it stays behind in the buffer.
    proc.text.fill(0);
    details.exe = path(place, "../exe");
    details.cwd = path(place, "../cwd");
    // Exactly whose it is, where the row's may be provisional: so says the owner of the directory, too, but not of a file.
    let uid = match uid {
        Some(uid) => uid,
        None => Uid(place.uid().map_err(|_| Gone)?),
    };
    Ok((uid, rss, details))
}

/// Where a link of the process's directory points.
fn path(place: &Place, link: &'static str) -> Option<RawText> {
    place.link(link).ok().map(|target| RawText::from(procfs::undeleted(&target)))
}

/// Writes what was seen into the table, and takes out the rows of processes that are gone.
fn note(snapshot: &mut Snapshot, seen: Vec<(Pid, ReadDetails)>) {
    let own = snapshot.viewer.uid;
    let mut seen = seen.into_iter().peekable();
    // In the order of the table, as it was gone through.
    snapshot.processes.retain_mut(|record| {
        // Peeked at, since what was read is large and most rows are not concerned.
        if seen.peek().is_none_or(|(pid, _)| *pid != record.pid()) {
            return true;
        }
        let Some((_, Ok((uid, rss, details, _)))) = seen.next() else { return false };
        record.uid = Some(uid);
        // Another user's, after all: of these no command line is read, whichever files show.
        if uid != own && own != Uid(0) {
            record.argv = None;
        }
        record.rss = rss;
        record.details = LazyDetails::from(details);
        true
    });
}
