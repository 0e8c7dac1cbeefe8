//! Is the process that started an instance still there? The parent shows it only sometimes.

use super::evidence::Adoption;
use crate::catalog::Role;
use crate::look::Look;
use crate::process::{Pid, ProcessRecord, Uid};
use crate::roles::Roles;

/// What is above the root.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Owner {
    Alive { pid: Pid, name: String },
    Gone { pid: Pid, how: Adoption },
    Unknown { pid: Pid },
}

/// Programs that reap zombies for the program they start. Only as pid 1 of a container do they adopt for others.
const CHILD_REAPERS: [&str; 4] = ["catatonit", "docker-init", "dumb-init", "tini"];

/// Whether the process above is the one that started the root, or one that adopts for others.
///
/// Adoption is proven by a known init as parent, by the person's own `systemd --user`, or by a parent that is younger
/// than its child (where starts are counted by a clock that is never set). A parent that is not in the table, a pid 1
/// that is no known init, and a parent whose command line is hidden prove nothing.
pub(super) fn owner(root: &ProcessRecord, look: &Look<'_>) -> Owner {
    let Look { snapshot, tree, roles, .. } = look;
    let pid = root.parent;
    let unknown = Owner::Unknown { pid };
    if root.details.adopted == Some(true) {
        return Owner::Gone { pid, how: Adoption::Init };
    }
    if pid == Pid::INIT && snapshot.os == "macos" {
        // launchd starts jobs and adopts orphans; only its unique ids show which.
        return unknown;
    }
    let Some(parent) = tree.parent(root) else {
        return if pid == Pid::INIT && snapshot.systemd {
            Owner::Gone { pid, how: Adoption::Init }
        } else {
            unknown
        };
    };
    // A zombie's children are handed on at once: this row is a moment old.
    if parent.is_zombie() {
        return unknown;
    }
    let known = roles.get(pid);
    match known.map(|known| known.role) {
        Some(Role::Init) if pid == Pid::INIT => return Owner::Gone { pid, how: Adoption::Init },
        Some(Role::Init) if known.is_some_and(|known| !CHILD_REAPERS.contains(&known.name.as_str())) => {
            // Another person's service manager adopts nothing of ours.
            match parent.uid {
                None => return unknown,
                uid if uid == root.uid || uid == Some(Uid(0)) => {
                    return Owner::Gone { pid, how: Adoption::Subreaper };
                }
                Some(_) => {}
            }
        }
        // In a container the client, a supervisor or a server may itself be pid 1: then it owns.
        Some(Role::Client | Role::Supervisor | Role::Server | Role::Launcher) => {}
        _ if pid != Pid::INIT => {}
        _ if parent.argv.is_none() && snapshot.systemd => return Owner::Gone { pid, how: Adoption::Init },
        _ => return unknown,
    }
    if may_hide(parent, root) {
        return unknown;
    }
    if parent.id.start > root.id.start && snapshot.os == "linux" {
        return Owner::Gone { pid, how: Adoption::StartedLater };
    }
    Owner::Alive { pid, name: name_of(parent, roles) }
}

/// A process of this user whose command line cannot be read may be a launcher of this very instance; so may one whose
/// user could not be read either.
pub(super) fn may_hide(above: &ProcessRecord, root: &ProcessRecord) -> bool {
    above.argv.is_none() && (above.uid.is_none() || above.uid == root.uid)
}

/// The name people know a process by.
pub(super) fn name_of(record: &ProcessRecord, roles: &Roles) -> String {
    roles.get(record.pid()).map_or_else(|| record.comm.to_string(), |known| known.name.clone())
}
