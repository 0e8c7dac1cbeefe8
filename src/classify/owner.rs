//! Is whoever started it still there? The parent says so only sometimes.

use super::evidence::Adoption;
use crate::catalog::{Identification, Role};
use crate::instance::Instance;
use crate::process::{Pid, ProcessRecord, Uid};
use crate::roles::Roles;
use crate::tree::Tree;

/// Who is above the root.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Owner {
    Alive { pid: Pid, name: String },
    Gone { pid: Pid, how: Adoption },
    Unknown { pid: Pid },
}

/// Whether the process above is the one that started it, or one that adopts for others. A parent
/// that is not in the table, and the pid 0 of a container's exec, are not known.
pub(super) fn owner(root: &ProcessRecord, tree: &Tree<'_>, roles: &Roles) -> Owner {
    let pid = root.parent;
    let Some(parent) = tree.parent(root) else {
        // Some tables leave init out; it is init all the same.
        return if pid == Pid::INIT {
            Owner::Gone { pid, how: Adoption::Init }
        } else {
            Owner::Unknown { pid }
        };
    };
    // A zombie's children are handed on at once: this row is a moment old.
    if parent.is_zombie() {
        return Owner::Unknown { pid };
    }
    let role = roles.role(pid);
    // In a container the client, a supervisor or a server may itself be pid 1: then it owns.
    let owns = matches!(role, Some(Role::Client | Role::Supervisor | Role::Server | Role::Launcher));
    if pid == Pid::INIT && !owns {
        // A container's pid 1 that does not tell its command line may be the client.
        let hides = may_hide(parent, root) && role != Some(Role::Init);
        return if hides { Owner::Unknown { pid } } else { Owner::Gone { pid, how: Adoption::Init } };
    }
    if role == Some(Role::Init) {
        // Somebody else's service manager adopts nothing of ours.
        match parent.uid {
            None => return Owner::Unknown { pid },
            uid if uid == root.uid || uid == Some(Uid(0)) => {
                return Owner::Gone { pid, how: Adoption::Subreaper };
            }
            Some(_) => {}
        }
    }
    if may_hide(parent, root) {
        return Owner::Unknown { pid };
    }
    if parent.id.start > root.id.start {
        return Owner::Gone { pid, how: Adoption::StartedLater };
    }
    Owner::Alive { pid, name: name_of(parent, roles) }
}

/// A helper without a wire to tell is tied to a dead instance when the process that made its group
/// or session has ended, nobody else is left in it, and no other process of that server lives. (A
/// browser's crash handler has a group of its own and a browser beside it.)
pub(super) fn is_tied_to_the_dead(instance: &Instance<'_>, tree: &Tree<'_>, roles: &Roles) -> bool {
    let outside = || tree.living().filter(|record| !instance.contains(record.pid()));
    let made_by_the_dead = |leader: Option<Pid>, of: fn(&ProcessRecord) -> Option<Pid>| {
        leader.is_some_and(|leader| {
            let alone = !outside().any(|other| other.pid() == leader || of(other) == Some(leader));
            leader != instance.root.pid() && alone
        })
    };
    let same_server = |known: &Identification| {
        known.name == instance.server && matches!(known.role, Role::Server | Role::Launcher | Role::Helper)
    };
    let used = outside().any(|other| roles.get(other.pid()).is_some_and(same_server));
    let group = made_by_the_dead(instance.root.group, |record| record.group);
    let session = made_by_the_dead(instance.root.session, |record| record.session);
    (group || session) && !used
}

/// One of ours that does not tell its command line may be a launcher of this very instance; so may
/// one of whom not even the user could be read.
fn may_hide(above: &ProcessRecord, root: &ProcessRecord) -> bool {
    above.argv.is_none() && (above.uid.is_none() || above.uid == root.uid)
}

/// Did every process of ours above the root, up to a client, tell its command line? One that does
/// not may be a launcher in disguise.
pub(super) fn line_read(root: &ProcessRecord, tree: &Tree<'_>, roles: &Roles) -> bool {
    tree.ancestors(root)
        .into_iter()
        .take_while(|above| above.pid() > Pid::INIT && roles.role(above.pid()) != Some(Role::Client))
        .all(|above| !may_hide(above, root))
}

/// The name people know a process by.
pub(super) fn name_of(record: &ProcessRecord, roles: &Roles) -> String {
    roles.get(record.pid()).map_or_else(|| record.comm.to_string(), |known| known.name.clone())
}
