//! Which process holds the other end: first the ancestors are read, and only if none of them does, all processes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;

use super::fds::FdTable;
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
    read: HashSet<Pid>,
    /// Those of which something could not be.
    refused: HashSet<Pid>,
    /// The viewer's user's among them, once every process was read.
    pub(super) unreadable: BTreeSet<Pid>,
    /// By the target of a link.
    index: HashMap<FdTarget, Vec<Held>>,
    /// What was found in it; forgotten when it grows.
    found: HashMap<End, Rc<[Pid]>>,
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
            read: HashSet::new(),
            refused: HashSet::new(),
            unreadable: BTreeSet::new(),
            index: HashMap::new(),
            found: HashMap::new(),
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
        for (fd, target) in table.rows() {
            self.index.entry(*target).or_default().push(Held { pid, fd: *fd, access: None });
        }
    }

    /// The process is in use, whatever else it holds: a terminal that is held lies on 0 or 1, or an ancestor is seen
    /// to hold the wire in every direction, and is not itself one of those that are looked at and may be leaked.
    ///
    /// An ancestor that holds the other end and not the process's own is its client, or the proxy that talks to it,
    /// and most looks end here (a handful of tables). A launcher that merely passes the wire on holds the process's
    /// own end.
    pub(super) fn settle(
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
                        let _ = self.learn(proc, pid);
                        self.who(proc, other).contains(&pid)
                            && !self.who(proc, own).contains(&pid)
                            && !doubtful(pid)
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
                let _ = self.learn(proc, ancestor.pid());
            }
        }
        let pid = record.pid();
        let ways = others.ways().map(|end| (end, false));
        let ends: Vec<(End, bool)> = ways.chain(others.callers().map(|end| (end, true))).collect();
        if self.everybody || (ends.is_empty() && !wires.wants_names()) {
            return;
        }
        let below: HashSet<Pid> = tree.descend(pid, |_| false).iter().map(|row| row.pid()).collect();
        for pid in &below {
            let _ = self.learn(proc, *pid);
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
            if readable && !kernels && self.learn(proc, pid).is_err() && record.uid == Some(own) {
                // The row's user may be provisional. One that has ended holds nothing.
                if proc.uid_of(pid).is_ok_and(|uid| Uid(uid) == own) {
                    self.unreadable.insert(pid);
                }
            }
        }
    }

    /// Reads what a process holds.
    ///
    /// # Errors
    /// Is it alive, and could its table, or a part of it, not be read, now or before?
    fn learn(&mut self, proc: &mut Proc, pid: Pid) -> io::Result<()> {
        let refused = || io::Error::from(io::ErrorKind::PermissionDenied);
        if self.read.contains(&pid) {
            return if self.refused.contains(&pid) { Err(refused()) } else { Ok(()) };
        }
        let table = match proc.dir_of(pid).and_then(|dir| FdTable::read(dir.as_fd())) {
            Ok(table) => table,
            Err(error) if table::gone(&error) && holds_nothing(proc, pid) => FdTable::default(),
            Err(_) => {
                self.refused.insert(pid);
                FdTable::default()
            }
        };
        self.add(pid, &table);
        if self.refused.contains(&pid) { Err(refused()) } else { Ok(()) }
    }

    /// Who holds an end. Found once for each: a pipe that hundreds of processes write their log to
    /// stands in the question of each of them.
    fn who(&mut self, proc: &mut Proc, end: End) -> Rc<[Pid]> {
        if let Some(found) = self.found.get(&end) {
            return Rc::clone(found);
        }
        let target = match end {
            End::Reader(inode) | End::Writer(inode) => FdTarget::Pipe(inode),
            End::Socket(inode) => FdTarget::Socket(inode),
        };
        let mut pids: Vec<Pid> = Vec::new();
        for Held { pid, fd, access } in self.index.get_mut(&target).into_iter().flatten() {
            let mut access = || *access.get_or_insert_with(|| proc.access(*pid, *fd).ok_or(()));
            let holds = match end {
                End::Socket(_) => true,
                End::Reader(_) => access().is_ok_and(|access| access.read),
                End::Writer(_) => access().is_ok_and(|access| access.write),
            };
            if holds {
                pids.push(*pid);
            }
        }
        pids.sort_unstable();
        pids.dedup();
        let found: Rc<[Pid]> = pids.into();
        self.found.insert(end, Rc::clone(&found));
        found
    }
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

    fn masters(&mut self, terminal: u32) -> Vec<Pid> {
        let masters = self.holders.index.get(&FdTarget::Master).into_iter().flatten();
        let mut pids: Vec<Pid> = masters
            .filter(|held| self.proc.terminal_of_master(held.pid, held.fd) == Some(terminal))
            .map(|held| held.pid)
            .collect();
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    fn sees_everybody(&self) -> bool {
        let Holders { everybody, refused, viewer, .. } = &*self.holders;
        *everybody && refused.is_empty() && viewer.uid == Uid(0)
    }

    fn is_below(&self, pid: Pid, above: Pid) -> bool {
        let record = self.tree.get(pid);
        record.is_some_and(|record| {
            self.tree.ancestors(record).into_iter().any(|ancestor| ancestor.pid() == above)
        })
    }
}
