//! What belongs to a server under `mcp-reap exec` and left its tree: processes that carry its marker.
//!
//! The marker makes a candidate, not a member: everything that a server ever starts inherits it, and a terminal
//! multiplexer, a daemon for all sessions or another client are nobody's to end with the server. A guardian and every
//! ordinary look choose the members by this one piece of code.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::persons::is_persons;
use crate::catalog::{Catalog, Role};
use crate::look::Look;
use crate::marker::Marker;
use crate::process::{OtherEnd, Pid, ProcessId, ProcessRecord, Stdio};
use crate::program::Resolution;
use crate::tree::Tree;

/// A server under `exec`, and what may belong to it.
#[derive(Debug)]
pub struct Family<'l, 'a> {
    /// The process table.
    pub tree: &'l Tree<'a>,
    /// The process that `exec` became.
    pub root: ProcessId,
    /// Its session; `None` where that is not known.
    pub session: Option<Pid>,
    /// Processes that carry its marker.
    pub carriers: &'l BTreeSet<Pid>,
    /// The processes that take in the orphans of this place.
    pub adopters: &'l [Pid],
}

impl<'a> Family<'_, 'a> {
    /// The tops of everything that belongs to the root: the root itself as long as it lives, and carriers of its marker that
    /// an adopter has now. What is below a top is for the ordinary grouping to say, and nothing below a process that
    /// leads a life of its own is a top.
    ///
    /// `closely`: the catalog, once the details of everything that may belong to it were read. Before that it is not known
    /// which process listens or is a person's.
    #[must_use]
    pub fn tops(
        &self,
        closely: Option<&Catalog>,
        is_own: impl Fn(&ProcessRecord) -> bool,
    ) -> Vec<&'a ProcessRecord> {
        let living_root = self.tree.get(self.root.pid);
        let living_root = living_root.filter(|record| record.id == self.root && !record.is_zombie());
        let adopted = self.carriers.iter().filter_map(|pid| self.tree.get(*pid)).filter(|record| {
            // One with the root's number and another start is somebody else's process.
            record.id != self.root
                && !record.is_zombie()
                && self.adopters.contains(&record.parent)
                && !self.adopters.contains(&record.pid())
                && record.id.start >= self.root.start
                && !self.is_elsewhere(record)
                && !is_own(record)
                && closely.is_none_or(|catalog| !self.leads_its_own_life(record, catalog))
        });
        living_root.into_iter().chain(adopted).collect()
    }

    /// Another terminal than the root's, somebody else's session, or a job of a shell. A process that leaves its tree keeps
    /// the session it was born into or opens one of its own, whose group it leads or is in. A shell with job control gives
    /// each of its jobs a group, and its jobs outlive it when they are told to.
    fn is_elsewhere(&self, record: &ProcessRecord) -> bool {
        let session = known(record.session);
        let at_home = session.is_some() && session == self.session;
        if record.details.tty.is_some() {
            let root = self.tree.get(self.root.pid).filter(|root| root.id == self.root);
            let group = root.and_then(|root| known(root.group));
            let leads_a_job = record.group == record.pid();
            return !at_home || leads_a_job && group.is_some_and(|group| record.group != group);
        }
        let Some(session) = session.filter(|session| !at_home && *session != record.pid()) else {
            return false;
        };
        match self.tree.get(session).filter(|leader| !leader.is_zombie()) {
            Some(leader) => !self.is_inside(leader),
            None => record.group != session,
        }
    }

    fn is_inside(&self, record: &ProcessRecord) -> bool {
        let ours = |pid: Pid| pid == self.root.pid || self.carriers.contains(&pid);
        ours(record.pid()) || self.tree.ancestors(record).iter().any(|above| ours(above.pid()))
    }

    /// Does it serve on a socket, or is something in its tree a person's? What could not be read is left alone.
    fn leads_its_own_life(&self, record: &ProcessRecord, catalog: &Catalog) -> bool {
        let listens = record.details.listening.as_ref().is_none_or(|sockets| !sockets.is_empty());
        // What the person works in, and what started it and waits for it.
        let below = self.tree.descend(record.pid(), |_| false);
        let inside = |pid: Pid| below.iter().any(|record| record.pid() == pid);
        listens
            || record.details.foreign_namespace
            || below
                .iter()
                .any(|record| is_persons(record, catalog, || Cow::Owned(Resolution::of(record)), inside))
    }
}

/// A group or session whose leader can be seen.
fn known(leader: Pid) -> Option<Pid> {
    (leader != Pid(0)).then_some(leader)
}

/// Beside pid 1, the processes of a table that take in orphans.
fn adopters(look: &Look<'_>) -> Vec<Pid> {
    let mut pids = look.roles.all(Role::Init);
    pids.push(Pid::INIT);
    pids
}

/// The marker that this process stands for in its look: it is the process that `exec` became, or that is gone and this
/// one is the first that goes on with its stdin. `None` without a stdin that hangs up, for then nothing proves anything
/// of what left the tree; and while a guardian lives, whose business it is.
fn stands_for(record: &ProcessRecord, look: &Look<'_>) -> Option<Marker> {
    let marker = Marker::of(record).filter(|marker| look.judges_marked && marker.is_on_a_wire())?;
    let serves = |pid: Pid| matches!(look.roles.role(pid), Some(Role::Server | Role::Launcher));
    let goes_on = |other: &ProcessRecord| {
        serves(other.pid()) && Marker::of(other).as_ref() == Some(&marker) && marker.is_on_the_wire(other)
    };
    let stands = record.id == marker.root
        || goes_on(record)
            && !marker.root_lives(&look.tree)
            && look.tree.living().find(|other| goes_on(other)).map(ProcessRecord::pid) == Some(record.pid());
    (stands && !marker.is_guarded(record, &look.tree)).then_some(marker)
}

/// What carries the marker of a member, left the tree and belongs to it: the tops, each with its marker's root.
pub(super) fn adopted<'a>(look: &Look<'a>, members: &[&'a ProcessRecord]) -> Vec<(&'a ProcessRecord, Pid)> {
    let mut found: Vec<(&ProcessRecord, Pid)> = Vec::new();
    for (record, marker) in members.iter().filter_map(|record| Some((*record, stands_for(record, look)?))) {
        let carriers = carriers(&marker, look);
        let adopters = adopters(look);
        let family = Family {
            tree: &look.tree,
            root: marker.root,
            session: known(record.session),
            carriers: &carriers,
            adopters: &adopters,
        };
        let tops = family.tops(Some(look.catalog), |carrier| is_judged_alone(carrier, look));
        let tops = || tops.iter().copied().filter(|top| members.iter().all(|m| m.pid() != top.pid()));
        // Without the process that exec became, a batch that it put into the background tells what is left: jobs.
        if record.id == marker.root || !tops().any(goes_on_without_input) {
            found.extend(tops().map(|top| (top, marker.root.pid)));
        }
    }
    found.sort_by_key(|(top, _)| top.pid());
    found.dedup_by_key(|(top, _)| top.pid());
    found
}

/// A client, what is above one, and a server that has a wire: its own judgement says more.
fn is_judged_alone(carrier: &ProcessRecord, look: &Look<'_>) -> bool {
    let below = look.tree.descend(carrier.pid(), |_| false);
    below.iter().any(|record| look.roles.role(record.pid()) == Some(Role::Client))
        || match look.roles.role(carrier.pid()) {
            Some(Role::Server | Role::Launcher) => carrier.details.stdio.as_ref().is_none_or(has_a_wire),
            Some(Role::Client | Role::Supervisor | Role::Init) => true,
            Some(Role::Wrapper | Role::Helper) | None => false,
        }
}

fn has_a_wire(stdio: &Stdio) -> bool {
    stdio.is_off_wire() != Some(true)
}

/// Its input has ended, and its output is no wire that is dead as well.
fn goes_on_without_input(record: &ProcessRecord) -> bool {
    let stdio = record.details.stdio.as_ref();
    stdio.is_some_and(|stdio| stdio.stdin() == OtherEnd::Closed && stdio.stdout() != OtherEnd::Closed)
}

fn carriers(marker: &Marker, look: &Look<'_>) -> BTreeSet<Pid> {
    let carry = look.tree.living().filter(|record| Marker::of(record).as_ref() == Some(marker));
    carry.map(ProcessRecord::pid).collect()
}

/// What is still to be read for servers under `exec` without a guardian.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Orphans of which the environment may show that they carry such a server's marker.
    pub environments: Vec<Pid>,
    /// Those that do, and what is below them.
    pub carriers: Vec<Pid>,
}

/// Which orphans may belong to a server under `exec`. Nothing is asked of anybody where each such server has its guardian.
#[must_use]
pub fn unread(look: &Look<'_>) -> Unread {
    let mut markers: Vec<Marker> = Vec::new();
    for marker in look.tree.living().filter_map(|record| stands_for(record, look)) {
        if !markers.contains(&marker) {
            markers.push(marker);
        }
    }
    let mut unread = Unread::default();
    let Some(first) = markers.iter().map(|marker| marker.root.start).min() else { return unread };
    let adopters = adopters(look);
    let viewer = look.snapshot.viewer;
    let orphans = look.tree.living().filter(|record| {
        adopters.contains(&record.parent)
            && record.uid == Some(viewer.uid)
            && record.id.start >= first
            && record.pid() != viewer.pid
    });
    for record in orphans {
        match Marker::of(record) {
            None if record.details.env.is_none() => unread.environments.push(record.pid()),
            Some(marker) if markers.contains(&marker) => {
                let below = look.tree.descend(record.pid(), |_| false);
                unread.carriers.extend(below.iter().map(|record| record.pid()));
            }
            _ => {}
        }
    }
    unread
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::process::{ProcessState, SCHEMA, Snapshot, StartTime, Uid, Viewer};

    const ROOT: ProcessId = ProcessId { pid: Pid(100), start: StartTime(50) };

    /// `pid parent start`, each with its state.
    fn table(rows: &[(u32, u32, u64, char)]) -> Snapshot {
        let record = |&(pid, parent, start, state): &(u32, u32, u64, char)| {
            let mut record = ProcessRecord::new(Pid(pid), StartTime(start));
            (record.parent, record.state) = (Pid(parent), ProcessState::from_letter(state as u8));
            (record.session, record.group) = (Pid(90), Pid(90));
            record
        };
        Snapshot {
            schema: SCHEMA,
            os: "linux".into(),
            taken_at: chrono::DateTime::from_timestamp(1_000, 0).unwrap(),
            viewer: Viewer { pid: Pid(900), uid: Uid(1000) },
            systemd: false,
            unreadable: Vec::new(),
            processes: rows.iter().map(record).collect(),
        }
    }

    fn of(rows: &[(u32, u32, u64, char)], carriers: &[u32], own: &[u32]) -> Vec<u32> {
        let snapshot = table(rows);
        let carriers = carriers.iter().copied().map(Pid).collect();
        let is_own = |record: &ProcessRecord| own.contains(&record.pid().0);
        let tree = Tree::new(&snapshot);
        let (carriers, adopters) = (&carriers, &[Pid(1), Pid(7)]);
        let family = Family { tree: &tree, root: ROOT, session: Some(Pid(90)), carriers, adopters };
        let found = family.tops(None, is_own);
        found.iter().map(|record| record.pid().0).collect()
    }

    #[test]
    fn the_living_root_and_its_adopted_carriers_are_the_tops() {
        let rows = [(100, 40, 50, 'S'), (101, 100, 51, 'S'), (102, 1, 52, 'S'), (103, 7, 53, 'S')];
        assert_eq!(of(&rows, &[100, 101, 102, 103], &[]), [100, 102, 103]);
        assert_eq!(of(&rows[1..], &[101, 102, 103], &[]), [102, 103], "also when the root is gone");
    }

    #[test]
    fn what_leads_a_life_of_its_own_or_is_below_it_is_none() {
        // A tmux server, its pane and what runs in it; all carry the marker.
        let rows = [(100, 40, 50, 'S'), (110, 1, 60, 'S'), (111, 110, 61, 'S'), (112, 111, 62, 'S')];
        assert_eq!(of(&rows, &[100, 110, 111, 112], &[110]), [100]);
        // A carrier below somebody who carries nothing was started by that process.
        let rows = [(100, 40, 50, 'S'), (120, 1, 60, 'S'), (121, 120, 61, 'S')];
        assert_eq!(of(&rows, &[100, 121], &[]), [100]);
    }

    #[test]
    fn nobody_else_is_one() {
        for (what, rows, carriers) in [
            ("a stranger with the root's number", vec![(100, 1, 99, 'S')], vec![]),
            ("an orphan without the marker", vec![(102, 1, 60, 'S')], vec![]),
            ("a carrier that is older than the root", vec![(102, 1, 49, 'S')], vec![102]),
            ("a zombie", vec![(100, 40, 50, 'Z'), (102, 1, 60, 'Z')], vec![100, 102]),
            ("the adopter itself", vec![(7, 1, 60, 'S')], vec![7]),
            ("a carrier that was not in the table", vec![], vec![102]),
        ] {
            assert_eq!(of(&rows, &carriers, &[]), [0; 0], "{what}");
        }
    }
}
