//! Which processes are a server's under `exec`: its tree, and what left the tree and carries the marker.
//!
//! The marker makes a candidate, not a member: everything that a server ever starts inherits it, and a
//! terminal multiplexer, a daemon for all sessions or another client are nobody's to end with the server.

use std::collections::BTreeSet;

use crate::process::{Pid, ProcessId, ProcessRecord};
use crate::tree::Tree;

/// The tops of everything that belongs to a root: the root itself as long as it lives, and carriers of
/// its marker that an adopter has now. What is below a top is for the ordinary grouping to say.
///
/// `adopters` take in the orphans of this place. `is_own` says of a process that it leads a life of its
/// own: it listens, is a client, has another terminal. Nothing below such a process is a top either.
#[must_use]
pub fn tops<'a>(
    tree: &Tree<'a>,
    root: ProcessId,
    carriers: &BTreeSet<Pid>,
    adopters: &[Pid],
    is_own: impl Fn(&ProcessRecord) -> bool,
) -> Vec<&'a ProcessRecord> {
    let living_root = tree.get(root.pid).filter(|record| record.id == root && !record.is_zombie());
    let adopted = carriers.iter().filter_map(|pid| tree.get(*pid)).filter(|record| {
        // One with the root's number and another start is somebody else's process.
        record.id != root
            && !record.is_zombie()
            && adopters.contains(&record.parent)
            && !adopters.contains(&record.pid())
            && record.id.start >= root.start
            && !is_own(record)
    });
    living_root.into_iter().chain(adopted).collect()
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
        let found = tops(&Tree::new(&snapshot), ROOT, &carriers, &[Pid(1), Pid(7)], is_own);
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
