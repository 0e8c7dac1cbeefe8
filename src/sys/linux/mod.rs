//! Looking at Linux: `/proc` for processes, `sock_diag` for sockets.

mod end;
mod fds;
mod holders;
mod kernel;
mod net;
mod probe;
mod proc;
mod stdio;
mod table;
#[cfg(test)]
mod tests;

pub(super) use end::{identity, wait_for_end};
pub use kernel::OsKernel;

use std::collections::{BTreeSet, HashMap};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::process::geteuid;

use self::fds::FdTable;
use self::holders::Holders;
use self::net::Net;
use self::probe::Probe;
use self::proc::{Proc, Shape, link_at, read_at};
use self::stdio::Draft;
use super::{EVIDENCE_VARIABLES, SysError, procfs};
use crate::bytes::RawText;
use crate::process::{Interest, Listener, Pid, ProcessRecord, SCHEMA, Snapshot, Uid, Viewer};

/// The most of an environment that is read, in bytes. The kernel allows 6 MB; one that is larger is
/// "not known", because the variable that matters may stand in the rest.
const MOST_ENVIRON: usize = 1 << 20;

pub(super) fn snapshot(interest: &mut dyn FnMut(&Snapshot) -> Interest) -> Result<Snapshot, SysError> {
    take(Pid(std::process::id()), interest)
}

/// The two stages, as `viewer`: what that process holds does not count.
fn take(viewer: Pid, interest: &mut dyn FnMut(&Snapshot) -> Interest) -> Result<Snapshot, SysError> {
    let mut proc = Proc::open()?;
    let own = Uid(geteuid().as_raw());
    let pids = proc.pids()?;
    let processes = table::rows(&mut proc, &pids, own);
    let viewer = Viewer { pid: viewer, uid: own };
    let mut snapshot = Snapshot {
        schema: SCHEMA,
        os: "linux".to_owned(),
        taken_at: chrono::Utc::now(),
        viewer,
        systemd: false,
        unreadable: Vec::new(),
        processes,
    };
    // Whoever was looked at, and whether for what it holds as well.
    let mut looked: BTreeSet<(Pid, bool)> = BTreeSet::new();
    let mut asked: Vec<Pid> = Vec::new();
    loop {
        let Interest { surely, above, mut if_wired } = interest(&snapshot);
        if_wired.sort_unstable();
        let ask: Vec<Pid> =
            if_wired.iter().copied().filter(|pid| asked.binary_search(pid).is_err()).collect();
        let wired = table::wired(&mut proc, &ask);
        asked = if_wired;
        let whole: Vec<Pid> =
            surely.into_iter().chain(wired).filter(|pid| looked.insert((*pid, true))).collect();
        let above: Vec<Pid> = above
            .into_iter()
            .filter(|pid| !looked.contains(&(*pid, true)) && looked.insert((*pid, false)))
            .collect();
        if whole.is_empty() && above.is_empty() {
            return Ok(snapshot);
        }
        look_closely(&mut proc, &mut snapshot, whole, &above);
    }
}

/// The second stage: fills in the rest for those that deserve it.
fn look_closely(proc: &mut Proc, snapshot: &mut Snapshot, mut whole: Vec<Pid>, above: &[Pid]) {
    whole.sort_unstable();
    let mut probe = Probe::new();
    let mut net = Net::new();
    let mut drafts: HashMap<Pid, (Draft, FdTable)> = HashMap::new();
    let mut gone: Vec<Pid> = Vec::new();
    for record in &mut snapshot.processes {
        let pid = record.pid();
        let wire = whole.binary_search(&pid).is_ok();
        if !wire && !above.contains(&pid) {
            continue;
        }
        match look_at(proc, &mut probe, &mut net, record, wire) {
            Err(Gone) => gone.push(pid),
            Ok(held) => drafts.extend(held.map(|held| (pid, held))),
        }
    }
    snapshot.processes.retain(|record| !gone.contains(&record.pid()));

    let mut holders = Holders::new(snapshot);
    let mut questions = Vec::new();
    for (pid, (draft, table)) in &drafts {
        holders.add(*pid, table);
        questions.extend(draft.questions());
    }
    holders.prepare(proc, &questions);
    let mut stdio: HashMap<Pid, _> =
        drafts.iter().map(|(pid, (draft, _))| (*pid, draft.finish(proc, &holders))).collect();
    for record in &mut snapshot.processes {
        if let Some(wire) = stdio.remove(&record.pid()) {
            record.details.stdio = Some(wire);
        }
    }
}

/// The process ended, and perhaps another has its number: it is not in this table.
struct Gone;

/// What a process holds, and what the kernel says of its wire; `None` where its descriptors may not be
/// seen.
type Held = Option<(Draft, FdTable)>;

fn look_at(
    proc: &mut Proc,
    probe: &mut Probe,
    net: &mut Net,
    record: &mut ProcessRecord,
    wire: bool,
) -> Result<Held, Gone> {
    let pid = record.pid();
    let Ok(dir) = proc.dir_of(pid) else { return Err(Gone) };
    let dir = dir.as_fd();
    let text =
        |proc: &mut Proc, file: &str, most| read_at(dir, file, most, Shape::Piece, &mut proc.text).is_ok();
    // From here on everything is read of the process behind `dir`, whatever becomes of its number.
    if !text(proc, "stat", 4 << 10) || table::parse_start(&proc.text) != Some(record.id.start) {
        return Err(Gone);
    }
    if text(proc, "status", 64 << 10) {
        let status = procfs::status(&proc.text);
        record.rss = status.rss.unwrap_or(record.rss);
        record.details.swap = status.swap;
        record.details.foreign_namespace = status.namespaces.is_some_and(|count| count != 1);
    }
    if text(proc, "cgroup", 64 << 10) {
        record.details.cgroup = procfs::cgroup(&proc.text);
    }
    if text(proc, "environ", MOST_ENVIRON) && proc.text.len() < MOST_ENVIRON {
        record.details.env = Some(procfs::evidence(&proc.text, &EVIDENCE_VARIABLES));
    }
    // The environment holds secrets; nothing of it stays behind in the buffer.
    proc.text.fill(0);
    record.details.exe = path(dir, "exe");
    record.details.cwd = path(dir, "cwd");
    if !wire {
        return Ok(None);
    }
    let Ok(table) = FdTable::read(dir) else { return Ok(None) };
    let draft = stdio::draft(proc, probe, pid, dir, &table, || net.is_here(dir));
    // Most servers have no other sockets than their wire, and then nothing needs to be asked.
    let sockets: Vec<u64> = table.sockets().filter(|inode| !draft.is_unix(*inode)).collect();
    let (ports, connected) = net.ports(proc, probe, dir, &sockets);
    record.details.listening = ports.map(|ports| ports.into_iter().map(Listener::Tcp).collect());
    record.details.connected = connected;
    Ok(Some((draft, table)))
}

/// Where a link of the process's directory points.
fn path(dir: BorrowedFd<'_>, link: &str) -> Option<RawText> {
    link_at(dir, link).ok().map(|target| RawText::from(procfs::undeleted(&target)))
}
