//! Finds out whether the process that started an instance is still alive. The parent does not always show that.

use super::evidence::Adoption;
use crate::catalog::{Identification, Role};
use crate::look::Look;
use crate::process::{Pid, ProcessRecord, Snapshot, Uid};
use crate::roles::Roles;

/// What is above the root.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Owner {
    Alive { pid: Pid, name: String },
    Gone { pid: Pid, how: Adoption },
    Unknown { pid: Pid },
}

/// Programs that reap zombies for the program they start. They adopt orphans only as pid 1 of a container.
const CHILD_REAPERS: [&str; 4] = ["catatonit", "docker-init", "dumb-init", "tini"];

/// Did the root's parent start it, or adopt it?
///
/// Adoption is proven by a known init as parent, by the person's own `systemd --user`, or by a parent that is younger
/// than its child (where starts are counted by a clock that is never set). A parent that is not in the table, a pid 1
/// that is no known init, and a parent whose command line is hidden prove nothing.
pub(super) fn owner(root: &ProcessRecord, look: &Look<'_>) -> Owner {
    let above = Above::of(root.parent, look);
    let pid = above.pid;
    match (above.stands_to(root), above.row) {
        (Standing::Adopted(how), _) => Owner::Gone { pid, how },
        (Standing::Started, Some(parent)) => Owner::Alive { pid, name: name_of(parent, &look.roles) },
        _ => Owner::Unknown { pid },
    }
}

/// The process above, looked up once for all its children.
pub(super) struct Above<'l> {
    pid: Pid,
    snapshot: &'l Snapshot,
    row: Option<&'l ProcessRecord>,
    known: Option<&'l Identification>,
}

/// What a process above is to one of its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Started,
    Adopted(Adoption),
    Unknown,
}

impl<'l> Above<'l> {
    pub(super) fn of(pid: Pid, look: &'l Look<'_>) -> Above<'l> {
        Above { pid, snapshot: look.snapshot, row: look.tree.get(pid), known: look.roles.get(pid) }
    }

    pub(super) fn is_client(&self) -> bool {
        self.known.is_some_and(|known| known.role == Role::Client)
    }

    /// Did it start this child, or adopt it?
    pub(super) fn stands_to(&self, child: &ProcessRecord) -> Standing {
        let Above { pid, snapshot, row, known } = *self;
        let adopted = Standing::Adopted(Adoption::Init);
        if child.details.adopted == Some(true) {
            return adopted;
        }
        if pid == Pid::INIT && snapshot.os == "macos" {
            // launchd starts jobs and adopts orphans; only its unique ids tell which.
            return Standing::Unknown;
        }
        let Some(parent) = row.filter(|parent| parent.pid() != child.pid()) else {
            return if pid == Pid::INIT && snapshot.systemd { adopted } else { Standing::Unknown };
        };
        // A process hands its children on when it ends, so a row with a zombie as parent is out of date.
        if parent.is_zombie() {
            return Standing::Unknown;
        }
        match known.map(|known| known.role) {
            Some(Role::Init) if pid == Pid::INIT => return adopted,
            Some(Role::Init) if known.is_some_and(|known| !CHILD_REAPERS.contains(&known.name.as_str())) => {
                // The service manager of another user adopts no process of ours.
                match parent.uid {
                    None => return Standing::Unknown,
                    uid if uid == child.uid || uid == Some(Uid(0)) => {
                        return Standing::Adopted(Adoption::Subreaper);
                    }
                    Some(_) => {}
                }
            }
            // In a container a client, a supervisor or a server may be pid 1 itself. Then it is an owner.
            Some(Role::Client | Role::Supervisor | Role::Server | Role::Launcher) => {}
            _ if pid == Pid::INIT && parent.argv.is_none() && snapshot.systemd => return adopted,
            _ if pid == Pid::INIT => return Standing::Unknown,
            _ => {}
        }
        if may_hide(parent, child) {
            return Standing::Unknown;
        }
        if parent.id.start > child.id.start && snapshot.os == "linux" {
            return Standing::Adopted(Adoption::StartedLater);
        }
        Standing::Started
    }
}

/// May a process above be a launcher of this instance, because its command line could not be read? Only if it is of the
/// same user, or its user could not be read either.
pub(super) fn may_hide(above: &ProcessRecord, root: &ProcessRecord) -> bool {
    above.argv.is_none() && (above.uid.is_none() || above.uid == root.uid)
}

/// The name of a process that people know.
pub(super) fn name_of(record: &ProcessRecord, roles: &Roles) -> String {
    roles.get(record.pid()).map_or_else(|| record.comm.to_string(), |known| known.name.clone())
}
