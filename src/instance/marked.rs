//! Servers under `mcp-reap exec` in an ordinary look: which of them have no guardian, and what left their trees. Who belongs
//! to one is for [`super::family`] to say, as it is in a guardian.

use std::collections::BTreeSet;

use super::family::{Family, known};
use crate::catalog::Role;
use crate::look::Look;
use crate::marker::Marker;
use crate::process::{OtherEnd, Pid, ProcessRecord, Stdio};

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
            environment: record.details.env.as_ref(),
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
