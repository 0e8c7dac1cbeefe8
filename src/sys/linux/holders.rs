//! Which process holds the other end: first the ancestors are read, and only if none of them does, all processes.

use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::rc::Rc;

use super::fds::FdTable;
use super::inodes::InodeMap;
use super::proc::Proc;
use super::table;
use crate::process::{Pid, ProcessRecord, Uid, Viewer};
use crate::sys::descriptors::{Access, End, Naming, Others, Sight, Wires};
use crate::sys::procfs::{self, FdTarget};
use crate::tree::Tree;

/// Whose descriptors were read, and what they hold. Grows as far as the questions need it; kept for a whole run, so
/// that every process is read once at most.
pub(super) struct Holders {
    viewer: Viewer,
    /// Processes whose descriptors were read, or could not be.
    read: BTreeSet<Pid>,
    /// Those of which something could not be.
    refused: BTreeSet<Pid>,
    /// The viewer's user's among them, once every process was read.
    pub(super) unreadable: BTreeSet<Pid>,
    /// By the target of a link.
    index: InodeMap<FdTarget, Vec<Held>>,
    /// What was found in it; forgotten when it grows.
    found: InodeMap<End, Rc<[Pid]>>,
    everybody: bool,
}

/// A descriptor of a process.
struct Held {
    pid: Pid,
    fd: u32,
    /// What can be done through it, once that was requested: `Err` where it cannot be read.
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
            everybody: false,
        }
    }

    /// Takes in what a process holds.
    pub(super) fn add(&mut self, pid: Pid, table: &FdTable) {
        if table.is_partly_unread() {
            self.refused.insert(pid);
        }
        if !self.read.insert(pid) || pid == self.viewer.pid {
            // Our own descriptors do not count: they are the questions, or were inherited from our parent.
            return;
        }
        self.found.clear();
        for (fd, target) in table.ends() {
            self.index.entry(target).or_default().push(Held { pid, fd, access: None });
        }
    }

    /// The process is in use, whatever else it holds: a terminal that is held lies on 0 or 1, or an ancestor is seen
    /// to hold the wire in every direction, and is not itself one of those that are looked at and may be leaked.
    ///
    /// An ancestor that holds the other end and not the process's own is its client, or the proxy that talks to it,
    /// and most looks end here (a handful of tables). A launcher that merely passes the wire on holds the process's
    /// own end.
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
                        // A table that cannot be read has no holders to name.
                        self.learn(proc, pid);
                        self.holds(proc, pid, other) && !self.holds(proc, pid, own) && !doubtful(pid)
                    })
                })
    }

    /// Reads whatever it takes to name the ends of a process that is not settled: the descriptors of every process,
    /// once in a run (2 us per descriptor), where it matters who holds the wire, and where another end is held by
    /// nobody below the process.
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
                self.learn(proc, ancestor.pid());
            }
        }
        let pid = record.pid();
        let ways = others.ways().map(|end| (end, false));
        let ends: Vec<(End, bool)> = ways.chain(others.callers().map(|end| (end, true))).collect();
        if self.everybody || (ends.is_empty() && !wires.wants_names()) {
            return;
        }
        let below: BTreeSet<Pid> = tree.descend(pid, |_| false).iter().map(|row| row.pid()).collect();
        for pid in &below {
            self.learn(proc, *pid);
        }
        let mut inside = |(end, own): &(End, bool)| {
            // Both ends of a pipe in the process itself would mean that a careless client left them open in it.
            let found = self.who(proc, *end);
            !found.is_empty() && found.iter().all(|held| below.contains(held) || (*own && *held == pid))
        };
        if wires.wants_names() || !ends.iter().all(&mut inside) {
            self.read_everybody(proc, tree);
        }
    }

    fn read_everybody(&mut self, proc: &mut Proc, tree: &Tree<'_>) {
        self.everybody = true;
        let own = self.viewer.uid;
        for record in tree.living() {
            let readable = own == Uid(0) || record.uid == Some(own);
            // A thread of the kernel has no group, and nothing open.
            let kernels = record.group == Pid(0) && (record.pid() == Pid(2) || record.parent == Pid(2));
            let pid = record.pid();
            if readable && !kernels && !self.learn(proc, pid) && record.uid == Some(own) {
                // The row's user may be provisional. One that has ended holds nothing.
                if proc.uid_of(pid).is_ok_and(|uid| Uid(uid) == own) {
                    self.unreadable.insert(pid);
                }
            }
        }
    }

    /// Reads what a process holds. False where it is alive and its table, or a part of it, could not be read, now or
    /// before.
    fn learn(&mut self, proc: &mut Proc, pid: Pid) -> bool {
        if !self.read.contains(&pid) {
            match proc.fds_of(pid).and_then(|fds| FdTable::read(fds.as_fd())) {
                Ok(table) => self.add(pid, &table),
                Err(error) => {
                    if !(table::gone(&error) && holds_nothing(proc, pid)) {
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

    /// What can be done through a descriptor of a process that lies on a pipe.
    pub(super) fn access(&mut self, proc: &mut Proc, pid: Pid, fd: u32, pipe: u64) -> Option<Access> {
        let mut held = self.index.get_mut(&FdTarget::Pipe(pipe)).into_iter().flatten();
        match held.find(|held| held.pid == pid && held.fd == fd) {
            Some(held) => held.access(proc),
            None => proc.access(pid, fd),
        }
    }

    /// Was another process than this one seen to hold the end? `false` also means that it was not looked for: where
    /// many share a pipe, the kernel is asked for less.
    pub(super) fn is_held_beside(&mut self, proc: &mut Proc, pid: Pid, end: End) -> bool {
        /// One call each; the kernel's own answer takes four.
        const FEW: usize = 8;
        let Some(all) = self.index.get_mut(&target(end)).filter(|all| all.len() <= FEW) else { return false };
        all.iter_mut().filter(|held| held.pid != pid).any(|held| held.is_at(end, proc))
    }

    /// Who holds an end. Found once for each: a pipe that hundreds of processes write their log to
    /// stands in the question of each of them.
    fn who(&mut self, proc: &mut Proc, end: End) -> Rc<[Pid]> {
        if let Some(found) = self.found.get(&end) {
            return Rc::clone(found);
        }
        let all = self.index.get_mut(&target(end)).into_iter().flatten();
        let found: Rc<[Pid]> = at_end(all, end, proc).into();
        self.found.insert(end, Rc::clone(&found));
        found
    }
}

impl Held {
    fn access(&mut self, proc: &mut Proc) -> Option<Access> {
        let Held { pid, fd, access } = self;
        access.get_or_insert_with(|| proc.access(*pid, *fd).ok_or(())).ok()
    }

    /// It lies on this end of its pipe or socket.
    fn is_at(&mut self, end: End, proc: &mut Proc) -> bool {
        match end {
            End::Socket(_) => true,
            End::Reader(_) => self.access(proc).is_some_and(|access| access.read),
            End::Writer(_) => self.access(proc).is_some_and(|access| access.write),
        }
    }
}

/// On what the descriptors of an end lie.
fn target(end: End) -> FdTarget {
    match end {
        End::Reader(inode) | End::Writer(inode) => FdTarget::Pipe(inode),
        End::Socket(inode) => FdTarget::Socket(inode),
    }
}

/// The processes of those descriptors that lie on an end, each once.
fn at_end<'h>(held: impl Iterator<Item = &'h mut Held>, end: End, proc: &mut Proc) -> Vec<Pid> {
    let mut pids: Vec<Pid> = held.filter_map(|held| held.is_at(end, proc).then_some(held.pid)).collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}

/// An empty table is also what a process shows whose first thread has ended, while others go on with all it holds.
fn holds_nothing(proc: &mut Proc, pid: Pid) -> bool {
    if proc.read_of(pid, "stat", 4 << 10).is_err() {
        return true;
    }
    procfs::stat(&proc.text).is_none_or(|stat| stat.state != b'Z' || stat.threads < 2)
}

/// The holders, with what it takes to read one more descriptor.
pub(super) struct Named<'a> {
    pub(super) holders: &'a mut Holders,
    pub(super) proc: &'a mut Proc,
    pub(super) tree: &'a Tree<'a>,
}

impl Naming for Named<'_> {
    fn holders(&mut self, end: End) -> Rc<[Pid]> {
        self.holders.who(self.proc, end)
    }

    fn holders_beside(&mut self, pid: Pid, end: End) -> Vec<Pid> {
        let Named { holders, proc, .. } = self;
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
        let Holders { everybody, refused, viewer, .. } = &*self.holders;
        *everybody && refused.is_empty() && viewer.uid == Uid(0)
    }

    fn is_below(&self, pid: Pid, above: Pid) -> bool {
        self.tree.is_below(pid, above)
    }
}
