//! What belongs to a server under `mcp-reap exec`: its tree, and of what left that tree and carries its marker, what no
//! other carrier can have started.
//!
//! The marker makes a candidate, not a member: everything that a server ever starts inherits it, and a terminal
//! multiplexer, a daemon for all sessions or another client are nobody's to end with the server. Nor is what these started
//! and left behind, and once its parent is gone nobody can see that they did.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::persons::is_persons;
use crate::catalog::Catalog;
use crate::process::{Pid, ProcessId, ProcessRecord, StdioKind};
use crate::program::Resolution;
use crate::tree::Tree;

/// What says which terminal a process was started in: its kind, and the session of tmux, GNU screen and zellij.
pub const TERMINAL_VARIABLES: [&str; 4] = ["TERM", "TMUX", "STY", "ZELLIJ_SESSION_NAME"];

/// A server under `exec`, and what may belong to it.
#[derive(Debug)]
pub struct Family<'l, 'a> {
    /// Everybody.
    pub tree: &'l Tree<'a>,
    /// The process that `exec` became.
    pub root: ProcessId,
    /// Its session; `None` where that is not known.
    pub session: Option<Pid>,
    /// What its environment says of the terminal that it was started in; `None` where that is not known.
    pub environment: Option<&'l BTreeMap<String, String>>,
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
    /// `closely`: all was read of everything that may belong to it, and what programs are is known. Before that whoever
    /// listens or is a person's is not known.
    pub fn tops(
        &self,
        closely: Option<&Catalog>,
        is_own: impl Fn(&ProcessRecord) -> bool,
    ) -> Vec<&'a ProcessRecord> {
        let living_root = self.tree.get(self.root.pid);
        let living_root = living_root.filter(|record| record.id == self.root && !record.is_zombie());
        let own_life = |record: &ProcessRecord| {
            let alone = |catalog| self.is_in_a_terminal(record) || self.leads_its_own_life(record, catalog);
            self.is_elsewhere(record) || closely.is_some_and(alone)
        };
        let adopted =
            || self.carriers.iter().filter_map(|pid| self.tree.get(*pid)).filter(|r| self.is_adopted(r));
        // A server with a wire of its own starts helpers of its own, which have its wire or its marker.
        let stranger = |record: &&ProcessRecord| own_life(record) || is_own(record) && !record.is_wired();
        let strangers: Vec<&ProcessRecord> =
            adopted().filter(|record| closely.is_some() && stranger(record)).collect();
        let ours = adopted().filter(|record| {
            !own_life(record)
                && !is_own(record)
                && !strangers.iter().any(|stranger| self.may_have_started(stranger, record))
        });
        living_root.into_iter().chain(ours).collect()
    }

    fn is_adopted(&self, record: &ProcessRecord) -> bool {
        // One with the root's number and another start is somebody else's process.
        record.id != self.root
            && !record.is_zombie()
            && self.adopters.contains(&record.parent)
            && !self.adopters.contains(&record.pid())
            && record.id.start >= self.root.start
    }

    /// May a carrier that leads a life of its own have started this one, through a parent that is gone? A terminal
    /// multiplexer that the server opened hands the marker on to every job that the person puts into the background
    /// there. It cannot have started what is older, what never left the session that it left itself, and what has a
    /// connection that it has not.
    fn may_have_started(&self, stranger: &ProcessRecord, record: &ProcessRecord) -> bool {
        let stayed = self.is_at_home(record) && !self.is_at_home(stranger);
        let kept_the_wire = record.is_wired() && !stranger.is_wired();
        stranger.id.start <= record.id.start && !stayed && !kept_the_wire
    }

    fn is_at_home(&self, record: &ProcessRecord) -> bool {
        known(record.session).is_some_and(|session| self.session == Some(session))
    }

    /// Does it read from or write to a terminal, or was it started in another one than the server? A job that a
    /// person put into the background outlives its terminal, the multiplexer of that too, and keeps its environment.
    fn is_in_a_terminal(&self, record: &ProcessRecord) -> bool {
        let stdio = record.details.stdio.as_ref();
        let on_one = stdio.is_some_and(|stdio| {
            stdio.stdin_kind == StdioKind::Tty || stdio.stdout_kind == Some(StdioKind::Tty)
        });
        let of_root = |name: &str| self.environment.and_then(|environment| environment.get(name));
        let differs = |name: &&str| {
            record.env_var(name).is_some_and(|value| of_root(name).map(String::as_str) != Some(value))
        };
        on_one || TERMINAL_VARIABLES.iter().any(differs)
    }

    /// Another terminal than the root's, somebody else's session, or a job of a shell. A process that leaves its tree keeps
    /// the session it was born into or opens one of its own, whose group it leads or is in. A shell with job control gives
    /// each of its jobs a group, and its jobs outlive it when they are told to.
    fn is_elsewhere(&self, record: &ProcessRecord) -> bool {
        let at_home = self.is_at_home(record);
        if record.details.tty.is_some() {
            let root = self.tree.get(self.root.pid).filter(|root| root.id == self.root);
            let group = root.and_then(|root| known(root.group));
            let leads_a_job = record.group == record.pid();
            return !at_home || leads_a_job && group.is_some_and(|group| record.group != group);
        }
        let session = known(record.session).filter(|session| !at_home && *session != record.pid());
        let Some(session) = session else { return false };
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
pub(super) fn known(leader: Pid) -> Option<Pid> {
    (leader != Pid(0)).then_some(leader)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::process::{Listener, ProcessState, SCHEMA, Snapshot, StartTime, Stdio, Uid, Viewer};

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
        let family =
            Family { tree: &tree, root: ROOT, session: Some(Pid(90)), environment: None, carriers, adopters };
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

    /// All carriers, each with nothing on 0 to 2 and no socket, but for what `change` makes of them.
    fn closely(rows: &[(u32, u32, u64, char)], change: impl Fn(&mut ProcessRecord)) -> Vec<u32> {
        let mut snapshot = table(rows);
        for record in &mut snapshot.processes {
            record.argv = Some(["/opt/tools/indexer"].into());
            record.details.listening = Some(Vec::new());
            record.details.stdio = Some(Stdio::of_kind(StdioKind::Null));
            if record.pid() != ROOT.pid {
                (record.session, record.group) = (record.pid(), record.pid());
            }
            change(record);
        }
        let carriers = &snapshot.processes.iter().map(ProcessRecord::pid).collect();
        let environment = &BTreeMap::from([("TERM".to_owned(), "xterm".to_owned())]);
        let (tree, adopters) = (&Tree::new(&snapshot), &[Pid(1)]);
        let family = Family {
            tree,
            root: ROOT,
            session: Some(Pid(90)),
            environment: Some(environment),
            carriers,
            adopters,
        };
        let found = family.tops(Some(&Catalog::builtin()), |_| false);
        found.iter().map(|record| record.pid().0).collect()
    }

    #[test]
    fn what_a_carrier_with_a_life_of_its_own_may_have_started_is_left() {
        let rows = [(100, 40, 50, 'S'), (110, 1, 60, 'S'), (120, 1, 70, 'S')];
        let daemon = |record: &mut ProcessRecord| {
            if record.pid() == Pid(110) {
                record.details.listening = Some(vec![Listener::Tcp(8080)]);
            }
        };
        assert_eq!(closely(&rows, |_| {}), [100, 110, 120]);
        assert_eq!(closely(&rows, daemon), [100]);
        let with = |change: fn(&mut ProcessRecord)| {
            closely(&rows, |record| {
                daemon(record);
                change(record);
            })
        };
        for (what, change) in [
            (
                "it is older",
                (|record| {
                    if record.pid() == Pid(120) {
                        record.id.start = StartTime(59);
                    }
                }) as fn(&mut ProcessRecord),
            ),
            ("it never left the session that the other one left", |record| {
                if record.pid() == Pid(120) {
                    record.session = Pid(90);
                }
            }),
            ("it has a wire that the other one has not", |record| {
                if record.pid() == Pid(120) {
                    record.details.stdio = Some(Stdio::of_kind(StdioKind::Pipe));
                }
            }),
        ] {
            assert_eq!(with(change), [100, 120], "{what}");
        }
        for (what, change) in [
            ("both never left their session", (|record| record.session = Pid(90)) as fn(&mut ProcessRecord)),
            ("both have a wire", |record| record.details.stdio = Some(Stdio::of_kind(StdioKind::Pipe))),
            ("which is older is not known", |record| {
                if record.pid() != ROOT.pid {
                    record.id.start = StartTime(60);
                }
            }),
        ] {
            assert_eq!(with(change), [100], "{what}");
        }
    }

    #[test]
    fn what_was_started_in_another_terminal_is_none() {
        let rows = [(100, 40, 50, 'S'), (120, 1, 70, 'S')];
        for (name, value, expected) in [
            ("TERM", "xterm", &[100, 120][..]),
            ("TERM", "screen", &[100]),
            ("STY", "7.pts-0.host", &[100]),
            ("SHELL", "/bin/zsh", &[100, 120]),
        ] {
            let found = closely(&rows, |record| {
                record.details.env = Some(BTreeMap::from([(name.to_owned(), value.to_owned())]));
            });
            assert_eq!(found, expected, "{name}={value}");
        }
    }
}
