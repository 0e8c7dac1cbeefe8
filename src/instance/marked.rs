//! Servers under `mcp-reap exec` in the look of an ordinary run: which of them have no guardian, and which processes left
//! their trees. Which of these belong to a server is decided in [`super::exec_server`], as it is in a guardian.

use std::collections::BTreeSet;

use super::exec_server::{ExecServer, known};
use crate::catalog::Role;
use crate::look::Look;
use crate::marker::Marker;
use crate::process::{OtherEnd, Pid, ProcessRecord};

/// The processes that adopt orphans, pid 1 among them.
fn adopters(look: &Look<'_>) -> Vec<Pid> {
    let mut pids = look.roles.all(Role::Init);
    pids.push(Pid::INIT);
    pids
}

/// The marker of the server that this process represents in the look. It is the process that `exec` became or, once that
/// is gone, the first server or launcher that still has its stdin.
///
/// `None` while a guardian lives, which judges that server itself; and where the stdin never hangs up, because then nothing
/// proves that a process which left the tree is unused.
fn represented(record: &ProcessRecord, look: &Look<'_>) -> Option<Marker> {
    let marker = Marker::of(record).filter(|marker| look.judges_marked && marker.is_on_a_wire())?;
    let serves = |pid: Pid| matches!(look.roles.role(pid), Some(Role::Server | Role::Launcher));
    let has_its_stdin = |other: &ProcessRecord| {
        serves(other.pid()) && Marker::of(other).as_ref() == Some(&marker) && marker.is_on_the_wire(other)
    };
    let first = || look.tree.living().find(|other| has_its_stdin(other));
    let represents = record.id == marker.root
        || has_its_stdin(record)
            && !marker.root_lives(&look.tree)
            && first().map(ProcessRecord::pid) == Some(record.pid());
    (represents && !marker.is_guarded(record, &look.tree)).then_some(marker)
}

/// The topmost processes that left the tree of these members and belong to them by a marker, each with the root of that
/// marker.
pub(super) fn adopted<'a>(look: &Look<'a>, members: &[&'a ProcessRecord]) -> Vec<(&'a ProcessRecord, Pid)> {
    let mut found: Vec<(&ProcessRecord, Pid)> = Vec::new();
    for (record, marker) in members.iter().filter_map(|record| Some((*record, represented(record, look)?))) {
        let carriers = carriers(&marker, look);
        let adopters = adopters(look);
        let server = ExecServer {
            tree: &look.tree,
            root: marker.root,
            session: known(record.session),
            environment: record.details.env.as_ref(),
            carriers: &carriers,
            adopters: &adopters,
        };
        let name = look.roles.get(record.pid()).map(|known| known.name.as_str());
        let tops = server.tops(Some(look.catalog), |carrier| is_judged_alone(carrier, look, name));
        let tops = || tops.iter().copied().filter(|top| members.iter().all(|m| m.pid() != top.pid()));
        // When the root is gone and a process goes on without input, the root was a script that left jobs behind.
        if record.id == marker.root || !tops().any(goes_on_without_input) {
            found.extend(tops().map(|top| (top, marker.root.pid)));
        }
    }
    found.sort_by_key(|(top, _)| top.pid());
    found.dedup_by_key(|(top, _)| top.pid());
    found
}

/// A client, a process above one, a server that has a wire, and a server of another name are judged on their own. A server
/// on no wire that another one put into the background is a daemon, under `exec` as without it. One with the name of the
/// server under `exec` was forked by it.
fn is_judged_alone(carrier: &ProcessRecord, look: &Look<'_>, server: Option<&str>) -> bool {
    let below = look.tree.descend(carrier.pid(), |_| false);
    below.iter().any(|record| look.roles.role(record.pid()) == Some(Role::Client))
        || look.roles.get(carrier.pid()).is_some_and(|known| match known.role {
            Role::Server | Role::Launcher => {
                carrier.is_off_wire() != Some(true) || Some(known.name.as_str()) != server
            }
            Role::Client | Role::Supervisor | Role::Init => true,
            Role::Wrapper | Role::Helper => false,
        })
}

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
    /// Orphans whose environment was not read and may contain such a server's marker.
    pub environments: Vec<Pid>,
    /// Orphans that carry such a marker, and the processes below them.
    pub carriers: Vec<Pid>,
}

/// The orphans that may belong to a server under `exec`; none where each such server has its guardian.
pub fn unread(look: &Look<'_>) -> Unread {
    let mut markers: Vec<Marker> = Vec::new();
    for marker in look.tree.living().filter_map(|record| represented(record, look)) {
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
