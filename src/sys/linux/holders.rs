//! Finds the processes that hold the other end of a wire. The descriptors of the ancestors are read first, and those of
//! all processes only if no ancestor holds it.

use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::rc::Rc;

use super::errors::{gone, undecided};
use super::fds::FdTable;
use super::inodes::InodeMap;
use super::proc::Proc;
use crate::process::{Pid, ProcessRecord, Uid, Viewer};
use crate::sys::descriptors::{Access, End, Naming, Others, Sight, Wires};
use crate::sys::procfs::{self, FdTarget};
use crate::tree::Tree;

/// The descriptors of all processes that were read so far. More are read when a question needs them. The value is kept
/// for the whole run, so that every process is read at most once.
pub(super) struct Holders {
    viewer: Viewer,
    /// Processes whose descriptors were read, or could not be read.
    read: BTreeSet<Pid>,
    /// Those of them whose descriptors could not all be read.
    refused: BTreeSet<Pid>,
    /// Those of them that belong to the viewer's user. Filled when all processes are read.
    pub(super) unreadable: BTreeSet<Pid>,
    /// All descriptors, by their target.
    index: InodeMap<FdTarget, Vec<HeldDescriptor>>,
    /// The holders that were found in `index`. Cleared when `index` grows.
    found: InodeMap<End, Rc<[Pid]>>,
    all_read: bool,
}

/// A descriptor of a process.
struct HeldDescriptor {
    pid: Pid,
    fd: u32,
    /// Its access mode, once that was requested; `Err` if it cannot be read.
    access: Option<Result<Access, ()>>,
}

impl Holders {
    pub(super) fn new(viewer: Viewer) -> Holders {
        Holders {
            viewer,
            read: BTreeSet::new(),
            refused: BTreeSet::new(),
            unreadable: BTreeSet::new(),
            index: InodeMap::default(),
            found: InodeMap::default(),
            all_read: false,
        }
    }

    /// Adds the descriptors of a process.
    pub(super) fn add(&mut self, pid: Pid, table: &FdTable) {
        if table.is_partly_unread() {
            self.refused.insert(pid);
        }
        if !self.read.insert(pid) || pid == self.viewer.pid {
            // Our own descriptors do not count: we opened them for this look or inherited them from our parent.
            return;
        }
        self.found.clear();
        for (fd, target) in table.ends() {
            self.index.entry(target).or_default().push(HeldDescriptor { pid, fd, access: None });
        }
    }

    /// Is the process in use, whatever its other descriptors are? It is when a terminal that is held is on 0 or 1. It
    /// also is when in every direction of its wire an ancestor holds the other end, and that ancestor is not
    /// `doubtful`, which means that it may itself be leaked.
    ///
    /// An ancestor that holds the other end but not the process's own end is its client, or a proxy that talks to it. A
    /// launcher that only passes the wire on holds the process's own end. For most processes this check suffices, and
    /// the descriptors of a few ancestors are all that is read.
    pub(super) fn is_plainly_in_use(
        &mut self,
        proc: &mut Proc,
        ancestors: &[&ProcessRecord],
        wires: &Wires,
        doubtful: impl Fn(Pid) -> bool,
    ) -> bool {
        wires.is_on_a_terminal()
            || wires.is_open()
                && wires.sights().all(|sight| {
                    let Sight::Open { own, other } = sight else { return false };
                    ancestors.iter().any(|ancestor| {
                        let pid = ancestor.pid();
                        // If the descriptors cannot be read, `holds` is false for both ends.
                        self.read_descriptors(proc, pid);
                        self.holds(proc, pid, other) && !self.holds(proc, pid, own) && !doubtful(pid)
                    })
                })
    }

    /// Reads the descriptors that are needed to name the holders of a process's ends. These are the descriptors of all
    /// processes (2 us each, once in a run) if the holders of the wire matter, or if no process below this one holds
    /// one of the other ends.
    pub(super) fn prepare(
        &mut self,
        proc: &mut Proc,
        tree: &Tree<'_>,
        record: &ProcessRecord,
        wires: &Wires,
        others: &Others,
    ) {
        if others.calls_somebody() {
            for ancestor in tree.ancestors(record) {
                self.read_descriptors(proc, ancestor.pid());
            }
        }
        let pid = record.pid();
        let ways = others.ways().map(|end| (end, false));
        let ends: Vec<(End, bool)> = ways.chain(others.callers().map(|end| (end, true))).collect();
        if self.all_read || (ends.is_empty() && !wires.wants_names()) {
            return;
        }
        let below: BTreeSet<Pid> = tree.descend(pid, |_| false).iter().map(|row| row.pid()).collect();
        for pid in &below {
            self.read_descriptors(proc, *pid);
        }
        let mut inside = |(end, own): &(End, bool)| {
            // If the process holds both ends of a pipe itself, its client left them open in it by mistake.
            let found = self.holders_of(proc, *end);
            !found.is_empty() && found.iter().all(|held| below.contains(held) || (*own && *held == pid))
        };
        if wires.wants_names() || !ends.iter().all(&mut inside) {
            self.read_all(proc, tree);
        }
    }

    fn read_all(&mut self, proc: &mut Proc, tree: &Tree<'_>) {
        self.all_read = true;
        let own = self.viewer.uid;
        for record in tree.living() {
            let readable = own == Uid(0) || record.uid == Some(own);
            // A kernel thread has no process group and no open descriptors.
            let kernels = record.group == Pid(0) && (record.pid() == Pid(2) || record.parent == Pid(2));
            let pid = record.pid();
            if readable && !kernels && !self.read_descriptors(proc, pid) && record.uid == Some(own) {
                // The row's user may be provisional, so it is read exactly.
                let is_ours = match proc.uid_of(pid) {
                    Ok(uid) => Uid(uid) == own,
                    Err(error) => undecided(&error),
                };
                if is_ours {
                    self.unreadable.insert(pid);
                }
            }
        }
    }

    /// Reads the descriptors of a process, unless they were read before. Returns false if the process is alive and not
    /// all of its descriptors could be read.
    fn read_descriptors(&mut self, proc: &mut Proc, pid: Pid) -> bool {
        if !self.read.contains(&pid) {
            match proc.fds_of(pid).and_then(|fds| FdTable::read(fds.as_fd())) {
                Ok(table) => self.add(pid, &table),
                Err(error) => {
                    if !(gone(&error) && holds_nothing(proc, pid)) {
                        self.refused.insert(pid);
                    }
                    self.add(pid, &FdTable::default());
                }
            }
        }
        !self.refused.contains(&pid)
    }

    /// Does this process hold the end?
    fn holds(&mut self, proc: &mut Proc, pid: Pid, end: End) -> bool {
        let held = self.index.get_mut(&target(end)).into_iter().flatten();
        held.filter(|held| held.pid == pid).any(|held| held.is_at(end, proc))
    }

    /// The access mode of a descriptor of a process that refers to this pipe.
    pub(super) fn access(&mut self, proc: &mut Proc, pid: Pid, fd: u32, pipe: u64) -> Option<Access> {
        let mut held = self.index.get_mut(&FdTarget::Pipe(pipe)).into_iter().flatten();
        match held.find(|held| held.pid == pid && held.fd == fd) {
            Some(held) => held.access(proc),
            None => proc.access(pid, fd),
        }
    }

    /// Was a process other than `pid` seen to hold this end? `false` may also mean that this was not checked: if many
    /// descriptors refer to the pipe, a query to the kernel is cheaper.
    pub(super) fn is_held_by_another(&mut self, proc: &mut Proc, pid: Pid, end: End) -> bool {
        /// Each takes up to one call; a query to the kernel takes four.
        const FEW: usize = 8;
        let Some(all) = self.index.get_mut(&target(end)).filter(|all| all.len() <= FEW) else { return false };
        all.iter_mut().filter(|held| held.pid != pid).any(|held| held.is_at(end, proc))
    }

    /// The processes that hold an end. The result is kept, because hundreds of processes may write to one pipe, and the
    /// question then comes up for each of them.
    fn holders_of(&mut self, proc: &mut Proc, end: End) -> Rc<[Pid]> {
        if let Some(found) = self.found.get(&end) {
            return Rc::clone(found);
        }
        let all = self.index.get_mut(&target(end)).into_iter().flatten();
        let found: Rc<[Pid]> = at_end(all, end, proc).into();
        self.found.insert(end, Rc::clone(&found));
        found
    }
}

impl HeldDescriptor {
    fn access(&mut self, proc: &mut Proc) -> Option<Access> {
        let HeldDescriptor { pid, fd, access } = self;
        access.get_or_insert_with(|| proc.access(*pid, *fd).ok_or(())).ok()
    }

    /// Does it refer to this end of its pipe or socket?
    fn is_at(&mut self, end: End, proc: &mut Proc) -> bool {
        match end {
            End::Socket(_) => true,
            End::Reader(_) => self.access(proc).is_some_and(|access| access.read),
            End::Writer(_) => self.access(proc).is_some_and(|access| access.write),
        }
    }
}

/// The target that all descriptors of an end have.
fn target(end: End) -> FdTarget {
    match end {
        End::Reader(inode) | End::Writer(inode) => FdTarget::Pipe(inode),
        End::Socket(inode) => FdTarget::Socket(inode),
    }
}

/// The processes that have one of these descriptors on this end, each once.
fn at_end<'h>(held: impl Iterator<Item = &'h mut HeldDescriptor>, end: End, proc: &mut Proc) -> Vec<Pid> {
    let mut pids: Vec<Pid> = held.filter_map(|held| held.is_at(end, proc).then_some(held.pid)).collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}

/// Does a process with an empty `fd/` really hold nothing? If only its first thread has ended, `fd/` is empty too, and
/// the other threads still hold the descriptors.
fn holds_nothing(proc: &mut Proc, pid: Pid) -> bool {
    if let Err(error) = proc.read_of(pid, "stat", 4 << 10) {
        return !undecided(&error);
    }
    procfs::stat(&proc.text).is_none_or(|stat| stat.state != b'Z' || stat.threads < 2)
}

/// [`Holders`] as a [`Naming`], with what it needs to read the access mode of one more descriptor.
pub(super) struct HolderNaming<'a> {
    pub(super) holders: &'a mut Holders,
    pub(super) proc: &'a mut Proc,
    pub(super) tree: &'a Tree<'a>,
}

impl Naming for HolderNaming<'_> {
    fn holders(&mut self, end: End) -> Rc<[Pid]> {
        self.holders.holders_of(self.proc, end)
    }

    fn holders_beside(&mut self, pid: Pid, end: End) -> Vec<Pid> {
        let HolderNaming { holders, proc, .. } = self;
        if let Some(found) = holders.found.get(&end) {
            return found.iter().copied().filter(|held| *held != pid).collect();
        }
        let all = holders.index.get_mut(&target(end)).into_iter().flatten();
        at_end(all.filter(|held| held.pid != pid), end, proc)
    }

    fn masters(&mut self, terminal: u32) -> Vec<Pid> {
        let masters = self.holders.index.get(&FdTarget::Master).into_iter().flatten();
        let mut found: Vec<Pid> = masters
            .filter(|held| self.proc.terminal_of_master(held.pid, held.fd) == Some(terminal))
            .map(|held| held.pid)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn sees_everybody(&self) -> bool {
        let Holders { all_read, refused, viewer, .. } = &*self.holders;
        *all_read && refused.is_empty() && viewer.uid == Uid(0)
    }

    fn is_below(&self, pid: Pid, above: Pid) -> bool {
        self.tree.is_below(pid, above)
    }
}
