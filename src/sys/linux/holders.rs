//! Who holds the other end: first the ancestors, and only if they do not, everybody.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;

use super::fds::{End, FdTable};
use super::proc::Proc;
use crate::process::{Pid, Snapshot, Uid};
use crate::sys::procfs::FdTarget;
use crate::tree::Tree;

/// A direction that the kernel says is open, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// The process whose wire it is.
    pub(super) pid: Pid,
    /// What it holds itself.
    pub(super) own: End,
    /// What is looked for.
    pub(super) other: End,
    /// It lies on a descriptor above 2, so it may also lead to a child.
    pub(super) moved: bool,
}

/// What is known of who holds what. Grows as far as the questions need it.
pub(super) struct Holders<'a> {
    tree: Tree<'a>,
    snapshot: &'a Snapshot,
    /// Processes whose descriptors were read, or could not be.
    read: HashSet<Pid>,
    /// By what a link says: process and descriptor.
    index: HashMap<FdTarget, Vec<(Pid, u32)>>,
    /// What was found in it; forgotten when it grows.
    found: RefCell<HashMap<End, Rc<[Pid]>>>,
}

impl<'a> Holders<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Holders<'a> {
        let (read, index, found) = (HashSet::new(), HashMap::new(), RefCell::default());
        Holders { tree: Tree::new(snapshot), snapshot, read, index, found }
    }

    /// Takes in what a process holds.
    pub(super) fn add(&mut self, pid: Pid, table: &FdTable) {
        if !self.read.insert(pid) || pid == self.snapshot.viewer.pid {
            // Our own descriptors do not count: they are the questions, or came from whoever started us.
            return;
        }
        self.found.get_mut().clear();
        for (fd, target) in table.rows() {
            self.index.entry(*target).or_default().push((pid, *fd));
        }
    }

    /// Reads whatever the questions need; call it with all of them, so that it happens once.
    ///
    /// An ancestor that holds the other end and not the process's own is its client, or the proxy that
    /// speaks to it: that answers the question, and most looks end here (a handful of tables). A
    /// launcher that merely passes the wire on holds the process's own end. A pipe above 2 whose other
    /// end is below the process leads to a child. Where neither answers, everybody's table is read,
    /// once: 2 us per descriptor.
    pub(super) fn prepare(&mut self, proc: &mut Proc, questions: &[Question]) {
        let mut open = false;
        for question in questions {
            open |= !(self.answered_by_an_ancestor(proc, *question)
                || question.moved && self.answered_by_a_child(proc, *question));
        }
        if open {
            self.read_everybody(proc);
        }
    }

    /// Those who hold the other end, by number; `None` when that is not known.
    ///
    /// Not known, and never "nobody", is also when the only ones found are the process itself, those
    /// who share its end, and its descendants: the kernel counts holders we cannot see (not dumpable,
    /// another user, outside our PID namespace, in flight between two processes).
    pub(super) fn of(&self, proc: &mut Proc, question: Question) -> Option<Vec<Pid>> {
        let found = self.who(proc, question.other);
        let sharing = self.who(proc, question.own);
        let below = self.below(question.pid);
        let insider = |pid: &Pid| sharing.contains(pid) || below.contains(pid);
        (!found.iter().all(insider)).then(|| found.to_vec())
    }

    /// Those who hold the other end and are neither the process nor below it.
    pub(super) fn outside(&self, proc: &mut Proc, question: Question) -> Vec<Pid> {
        let below = self.below(question.pid);
        self.who(proc, question.other).iter().copied().filter(|pid| !below.contains(pid)).collect()
    }

    /// True when somebody was found, whoever it is.
    pub(super) fn anybody(&self, proc: &mut Proc, question: Question) -> bool {
        !self.who(proc, question.other).is_empty()
    }

    fn below(&self, pid: Pid) -> HashSet<Pid> {
        self.tree.descend(pid, |_| false).iter().map(|row| row.pid()).collect()
    }

    fn answered_by_an_ancestor(&mut self, proc: &mut Proc, question: Question) -> bool {
        let Some(record) = self.tree.get(question.pid) else { return false };
        for ancestor in self.tree.ancestors(record) {
            // An error is a table that cannot be read: go on, and ask everybody if need be.
            let _ = self.learn(proc, ancestor.pid());
            if self.who(proc, question.other).contains(&ancestor.pid())
                && !self.who(proc, question.own).contains(&ancestor.pid())
            {
                return true;
            }
        }
        false
    }

    /// Somebody below holds the other end, and did not get it from the process itself, which would
    /// mean that a careless client left both ends open in it.
    fn answered_by_a_child(&mut self, proc: &mut Proc, question: Question) -> bool {
        let below = self.below(question.pid);
        for pid in &below {
            let _ = self.learn(proc, *pid);
        }
        let found = self.who(proc, question.other);
        !found.contains(&question.pid) && found.iter().any(|pid| below.contains(pid))
    }

    fn read_everybody(&mut self, proc: &mut Proc) {
        let own = self.snapshot.viewer.uid;
        for record in &self.snapshot.processes {
            let readable = own == Uid(0) || record.uid == Some(own);
            // A kernel thread has no group, and nothing open.
            if readable && !record.is_zombie() && record.group.is_some() {
                let _ = self.learn(proc, record.pid());
            }
        }
    }

    fn learn(&mut self, proc: &mut Proc, pid: Pid) -> io::Result<()> {
        if self.read.contains(&pid) {
            return Ok(());
        }
        let table = proc.dir_of(pid).and_then(|dir| FdTable::read(dir.as_fd()));
        self.add(pid, table.as_ref().unwrap_or(&FdTable::default()));
        table.map(|_| ())
    }

    /// Who holds an end. Found once for each: a pipe that hundreds of processes write their log to
    /// stands in the question of each of them.
    fn who(&self, proc: &mut Proc, end: End) -> Rc<[Pid]> {
        if let Some(found) = self.found.borrow().get(&end) {
            return Rc::clone(found);
        }
        let mut pids: Vec<Pid> = Vec::new();
        for (pid, fd) in self.index.get(&end.target()).into_iter().flatten() {
            let holds = match end {
                End::Socket(_) => true,
                End::Reader(_) => proc.access(*pid, *fd).is_some_and(|access| access.read),
                End::Writer(_) => proc.access(*pid, *fd).is_some_and(|access| access.write),
            };
            if holds {
                pids.push(*pid);
            }
        }
        pids.sort_unstable();
        pids.dedup();
        let found: Rc<[Pid]> = pids.into();
        self.found.borrow_mut().insert(end, Rc::clone(&found));
        found
    }
}
