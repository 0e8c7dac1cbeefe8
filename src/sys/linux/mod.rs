//! Looking at Linux: `/proc` for processes, `sock_diag` for sockets.

mod answers;
mod end;
mod fds;
mod ffi;
mod holders;
mod inet;
mod kernel;
mod probe;
mod proc;
mod sockets;
mod table;
#[cfg(test)]
mod tests;
mod threads;

pub(super) use end::{command, environment, identity, lineage, wait_for_end};
pub use kernel::OsKernel;

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::fstat;
use rustix::process::geteuid;

use self::answers::KernelAnswers;
use self::fds::FdTable;
use self::holders::{Holders, Named};
use self::proc::{Proc, Shape, link_at, read_at};
use self::sockets::Sockets;
use self::threads::Threads;
use super::descriptors::{Observation, Others, Wires, runs_python};
use super::{EVIDENCE_VARIABLES, SysError, procfs};
use crate::bytes::RawText;
use crate::process::{
    Details, Interest, LazyDetails, OtherEnd, Owners, Pid, ProcessRecord, SCHEMA, Snapshot, Uid, Viewer,
};
use crate::tree::Tree;

/// The most of an environment that is read, in bytes. The kernel allows 6 MB; one that is larger is
/// "not known", because the variable that matters may stand in the rest.
const MOST_ENVIRON: usize = 1 << 20;

pub(super) fn snapshot(
    owners: Owners,
    interest: &mut dyn FnMut(&Snapshot) -> Interest,
) -> Result<Snapshot, SysError> {
    take_as(Pid(std::process::id()), owners, interest)
}

/// The two stages, as `viewer`: what that process holds does not count.
fn take_as(
    viewer: Pid,
    owners: Owners,
    interest: &mut dyn FnMut(&Snapshot) -> Interest,
) -> Result<Snapshot, SysError> {
    let mut proc = Proc::open()?;
    let own = Uid(geteuid().as_raw());
    let processes = {
        let pids = proc.pids()?;
        table::rows(&mut proc, &pids, own, owners)
    };
    let viewer = Viewer { pid: viewer, uid: own };
    let mut snapshot = Snapshot {
        schema: SCHEMA,
        os: "linux".to_owned(),
        taken_at: chrono::Utc::now(),
        viewer,
        systemd: !processes.iter().any(|row| row.pid() == Pid::INIT) && systemd_is_pid_1(),
        unreadable: Vec::new(),
        processes,
    };
    let mut reader =
        DetailReader { proc, sockets: Sockets::new(), holders: Holders::new(viewer), sound: BTreeSet::new() };
    // Whoever was looked at, and whether for what it holds as well.
    let mut looked: BTreeSet<(Pid, bool)> = BTreeSet::new();
    let mut asked: Vec<Pid> = Vec::new();
    loop {
        let Interest { surely, above, mut if_wired } = interest(&snapshot);
        if_wired.sort_unstable();
        let ask: Vec<Pid> =
            if_wired.iter().copied().filter(|pid| asked.binary_search(pid).is_err()).collect();
        let wired = table::wired(&mut reader.proc, &ask);
        asked = if_wired;
        let whole: Vec<Pid> =
            surely.into_iter().chain(wired).filter(|pid| looked.insert((*pid, true))).collect();
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

/// Whose it is, its memory in bytes, and all that was read of it.
type ReadDetails = Result<(Uid, u64, Details, Option<Holdings>), Gone>;

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
        for record in &snapshot.processes {
            let pid = record.pid();
            let wire = whole.binary_search(&pid).is_ok();
            if wire || above.contains(&pid) {
                seen.push((pid, self.read_one(&tree, record, &whole, wire)));
            }
        }
        for (pid, look) in &seen {
            if let Ok((.., Some(held))) = look
                && !held.settled
                && let Some(record) = tree.get(*pid)
            {
                self.holders.prepare(&mut self.proc, &tree, record, &held.wires, &held.others);
            }
        }
        for (pid, look) in &mut seen {
            let Ok((.., details, Some(held))) = look else { continue };
            let mut named = Named { holders: &mut self.holders, proc: &mut self.proc, tree: &tree };
            let Observation { stdio, channels } =
                Observation::new(*pid, &held.wires, &held.others, &mut named);
            if stdio.stdin() == OtherEnd::Closed {
                let threads = Threads::of(&mut self.proc, *pid);
                details.tracer = threads.tracer.or(details.tracer);
                if threads.holds_its_own {
                    continue;
                }
            }
            details.stdio = Some(stdio);
            details.listening = channels.listening;
            details.connected = channels.connected;
            details.connected_peers = channels.connected_peers;
            details.outbound_peers = channels.outbound_peers;
            details.display = channels.display;
        }
        drop(tree);
        note(snapshot, seen);
    }

    fn read_one(
        &mut self,
        tree: &Tree<'_>,
        record: &ProcessRecord,
        whole: &[Pid],
        wire: bool,
    ) -> ReadDetails {
        let proc = &mut self.proc;
        let Ok(dir) = proc.dir_of(record.pid()) else { return Err(Gone) };
        let dir = dir.as_fd();
        let (uid, rss, details) = details(proc, dir, record)?;
        // What may not be listed is not known.
        let table = if wire { FdTable::read(dir).ok() } else { None };
        let Some(table) = table else { return Ok((uid, rss, details, None)) };
        self.holders.add(record.pid(), &table);
        let rows = table.objects(dir);
        let mut text = std::mem::take(&mut proc.text);
        let mut answers = KernelAnswers { dir, sockets: &mut self.sockets, text: &mut text };
        let mut wires = Wires::look(&rows, runs_python(record, details.exe.as_ref()), &mut answers);
        let doubtful = |pid| whole.binary_search(&pid).is_ok() && !self.sound.contains(&pid);
        let settled = self.holders.settle(proc, &tree.ancestors(record), &wires, doubtful);
        let others = Others::look(&rows, &mut wires, settled, &mut answers);
        proc.text = text;
        if settled || wires.sights().next().is_none() {
            self.sound.insert(record.pid());
        }
        Ok((uid, rss, details, Some(Holdings { settled, wires, others })))
    }
}

/// Everything of a process but what it holds.
fn details(
    proc: &mut Proc,
    dir: BorrowedFd<'_>,
    record: &ProcessRecord,
) -> Result<(Uid, u64, Details), Gone> {
    let text =
        |proc: &mut Proc, file: &str, most| read_at(dir, file, most, Shape::Piece, &mut proc.text).is_ok();
    let mut details = Details::from(record.details.clone());
    let (mut uid, mut rss) = (None, record.rss);
    // From here on everything is read of the process behind `dir`, whatever becomes of its number.
    if !text(proc, "stat", 4 << 10) || table::parse_start(&proc.text) != Some(record.id.start) {
        return Err(Gone);
    }
    if text(proc, "status", 64 << 10) {
        let status = procfs::status(&proc.text);
        uid = status.uid;
        rss = status.rss.unwrap_or(rss);
        details.swap = status.swap;
        details.foreign_namespace = status.namespaces.is_some_and(|count| count != 1);
        details.namespace_pid = status.innermost.filter(|_| details.foreign_namespace);
        details.tracer = status.tracer;
    }
    if text(proc, "cgroup", 64 << 10) {
        details.cgroup = procfs::cgroup(&proc.text);
    }
    if text(proc, "environ", MOST_ENVIRON) && proc.text.len() < MOST_ENVIRON {
        details.env = procfs::evidence(&proc.text, &EVIDENCE_VARIABLES);
    }
    // The environment holds secrets; nothing of it stays behind in the buffer.
    proc.text.fill(0);
    details.exe = path(dir, "exe");
    details.cwd = path(dir, "cwd");
    // Exactly whose it is, where the row's may be provisional: so says the owner of the directory, too, but not of a file.
    let uid = match uid {
        Some(uid) => uid,
        None => Uid(fstat(dir).map_err(|_| Gone)?.st_uid),
    };
    Ok((uid, rss, details))
}

/// Where a link of the process's directory points.
fn path(dir: BorrowedFd<'_>, link: &str) -> Option<RawText> {
    link_at(dir, link).ok().map(|target| RawText::from(procfs::undeleted(&target)))
}

/// Writes what was seen into the table, and takes out the rows of processes that are gone.
fn note(snapshot: &mut Snapshot, seen: Vec<(Pid, ReadDetails)>) {
    let own = snapshot.viewer.uid;
    let mut seen = seen.into_iter().peekable();
    // In the order of the table, as it was gone through.
    snapshot.processes.retain_mut(|record| match seen.next_if(|(pid, _)| *pid == record.pid()) {
        Some((_, Ok((uid, rss, details, _)))) => {
            record.uid = Some(uid);
            // Another user's, after all: of these no command line is read, whichever files show.
            if uid != own && own != Uid(0) {
                record.argv = None;
            }
            record.rss = rss;
            record.details = LazyDetails::from(details);
            true
        }
        Some((_, Err(Gone))) => false,
        None => true,
    });
}
