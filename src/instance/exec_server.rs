//! Finds the processes of a server under `mcp-reap exec`: its tree, and processes that left the tree and carry its
//! marker.
//!
//! The marker alone proves nothing, because everything that a server ever starts inherits it. A terminal multiplexer, a
//! daemon that serves all sessions or another client carries it too, and must not be ended with the server. Nor must the
//! processes that one of these started. Once their parent is gone nothing shows that it started them, so a carrier
//! is left out where that is possible.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::persons::is_personal;
use crate::catalog::Catalog;
use crate::process::{Pid, ProcessId, ProcessRecord, StdioKind};
use crate::program::Resolution;
use crate::tree::Tree;

/// Variables that show in which terminal a process was started: its kind, and the session of tmux, GNU screen or zellij.
pub const TERMINAL_VARIABLES: [&str; 4] = ["TERM", "TMUX", "STY", "ZELLIJ_SESSION_NAME"];

/// A server under `exec`, and the processes that may belong to it.
#[derive(Debug)]
pub struct ExecServer<'l, 'a> {
    /// All processes.
    pub tree: &'l Tree<'a>,
    /// The process that `exec` became.
    pub root: ProcessId,
    /// The root's session; `None` where that is not known.
    pub session: Option<Pid>,
    /// The root's environment, as far as it shows the terminal; `None` where that is not known.
    pub environment: Option<&'l BTreeMap<String, String>>,
    /// Processes that carry the server's marker.
    pub carriers: &'l BTreeSet<Pid>,
    /// The processes that adopt orphans here.
    pub adopters: &'l [Pid],
}

impl<'a> ExecServer<'_, 'a> {
    /// The topmost processes of the server: the root while it lives, and adopted carriers of its marker. The ordinary
    /// grouping adds what is below each of them.
    ///
    /// `catalog` is given once the details of all carriers were read. Before that it is not known which of them listen on
    /// a socket or belong to the person, and all of these are returned. `is_separate` tells which carriers are judged on
    /// their own.
    pub fn tops(
        &self,
        catalog: Option<&Catalog>,
        is_separate: impl Fn(&ProcessRecord) -> bool,
    ) -> Vec<&'a ProcessRecord> {
        let living_root = self.tree.get(self.root.pid);
        let living_root = living_root.filter(|record| record.id == self.root && !record.is_zombie());
        let adopted =
            || self.carriers.iter().filter_map(|pid| self.tree.get(*pid)).filter(|r| self.is_adopted(r));
        // A separate server that has a wire of its own is none of these: its helpers have its wire or its marker.
        let independent: Vec<&ProcessRecord> = adopted()
            .filter(|record| {
                catalog.is_some()
                    && (self.is_independent(record, catalog) || is_separate(record) && !record.is_wired())
            })
            .collect();
        let ours = adopted().filter(|record| {
            !self.is_independent(record, catalog)
                && !is_separate(record)
                && !independent.iter().any(|other| self.may_have_started(other, record))
        });
        living_root.into_iter().chain(ours).collect()
    }

    fn is_adopted(&self, record: &ProcessRecord) -> bool {
        // Compared with the start time, because another process may have the root's pid by now.
        record.id != self.root
            && !record.is_zombie()
            && self.adopters.contains(&record.parent)
            && !self.adopters.contains(&record.pid())
            && record.id.start >= self.root.start
    }

    /// Does a carrier live on its own: in another session or terminal, as a service, or for the person?
    fn is_independent(&self, record: &ProcessRecord, catalog: Option<&Catalog>) -> bool {
        self.is_elsewhere(record)
            || catalog.is_some_and(|catalog| {
                self.is_in_a_terminal(record) || self.serves_or_is_personal(record, catalog)
            })
    }

    /// May an independent carrier have started this one, through a parent that is gone? A terminal multiplexer that the
    /// server opened hands the marker on to every job that the person puts into the background there.
    ///
    /// It cannot have started a process that is older, one that is still in the root's session when it left that itself,
    /// or one that has a wire when it has none.
    fn may_have_started(&self, independent: &ProcessRecord, record: &ProcessRecord) -> bool {
        let stayed = self.is_in_root_session(record) && !self.is_in_root_session(independent);
        let kept_the_wire = record.is_wired() && !independent.is_wired();
        independent.id.start <= record.id.start && !stayed && !kept_the_wire
    }

    fn is_in_root_session(&self, record: &ProcessRecord) -> bool {
        known(record.session).is_some_and(|session| self.session == Some(session))
    }

    /// Does it read from or write to a terminal, or was it started in another terminal than the server? A job that a
    /// person put into the background may outlive its terminal and its multiplexer, but keeps its environment.
    fn is_in_a_terminal(&self, record: &ProcessRecord) -> bool {
        let stdio = record.details.stdio.as_ref();
        let is_on_a_terminal = stdio.is_some_and(|stdio| {
            stdio.stdin_kind == StdioKind::Tty || stdio.stdout_kind == Some(StdioKind::Tty)
        });
        let of_root = |name: &str| self.environment.and_then(|environment| environment.get(name));
        let differs = |name: &&str| {
            record.env_var(name).is_some_and(|value| of_root(name).map(String::as_str) != Some(value))
        };
        is_on_a_terminal || TERMINAL_VARIABLES.iter().any(differs)
    }

    /// Is it in another terminal than the root, in somebody else's session, or a job of a shell?
    ///
    /// A process that leaves its tree keeps its session, or opens a new one and leads a group there or is in one. A shell
    /// with job control gives each job a group of its own; a job may outlive the shell, and that may be intended.
    fn is_elsewhere(&self, record: &ProcessRecord) -> bool {
        let in_root_session = self.is_in_root_session(record);
        if record.details.tty.is_some() {
            let root = self.tree.get(self.root.pid).filter(|root| root.id == self.root);
            let group = root.and_then(|root| known(root.group));
            let leads_a_job = record.group == record.pid();
            return !in_root_session || leads_a_job && group.is_some_and(|group| record.group != group);
        }
        let session = known(record.session).filter(|session| !in_root_session && *session != record.pid());
        let Some(session) = session else { return false };
        match self.tree.get(session).filter(|leader| !leader.is_zombie()) {
            Some(leader) => !self.is_of_server(leader),
            None => record.group != session,
        }
    }

    /// Is it the root, a carrier, or below one of them?
    fn is_of_server(&self, record: &ProcessRecord) -> bool {
        let ours = |pid: Pid| pid == self.root.pid || self.carriers.contains(&pid);
        ours(record.pid()) || self.tree.ancestors(record).iter().any(|above| ours(above.pid()))
    }

    /// Does it listen on a socket, or does it or something below it belong to the person? A process whose sockets could
    /// not be read counts as listening.
    fn serves_or_is_personal(&self, record: &ProcessRecord, catalog: &Catalog) -> bool {
        let listens = record.details.listening.as_ref().is_none_or(|sockets| !sockets.is_empty());
        let below = self.tree.descend(record.pid(), |_| false);
        let inside = |pid: Pid| below.iter().any(|record| record.pid() == pid);
        listens
            || record.details.foreign_namespace
            || below
                .iter()
                .any(|record| is_personal(record, catalog, || Cow::Owned(Resolution::of(record)), inside))
    }
}

/// A group or session whose leader can be seen.
pub(super) fn known(leader: Pid) -> Option<Pid> {
    (leader != Pid(0)).then_some(leader)
}

#[cfg(test)]
mod tests;
