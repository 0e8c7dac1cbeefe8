//! Finds out whether a service manager runs an instance.

use super::evidence::Evidence;
use crate::catalog::{Basis, Role};
use crate::instance::Instance;
use crate::process::{Pid, ProcessRecord, Service};
use crate::roles::Roles;
use crate::tree::Tree;

/// Whether systemd or launchd runs an instance.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Management {
    Managed { manager: String, unit: String, main_pid: Pid },
    Unknown { unit: String },
    No { leaked_from: Option<(String, Pid)> },
}

impl Management {
    /// Looks for the main process of a unit among the members and above the root, up to the first client, terminal or
    /// adopter. A process that was started from a terminal is not managed, although the terminal program may be a unit.
    /// Being in a unit's cgroup proves nothing, unless that service is active without a main process.
    pub(super) fn of(instance: &Instance<'_>, tree: &Tree<'_>, roles: &Roles) -> Management {
        // A client that is known only by the wires it holds does not count, because it may be a service's main process.
        let ends_the_line = |pid: Pid| {
            roles.get(pid).is_some_and(|known| match known.role {
                Role::Init => true,
                Role::Client => !matches!(known.basis, Basis::ActsAsClient { .. }),
                _ => false,
            })
        };
        let above = tree.ancestors(instance.root).into_iter().take_while(|record| {
            record.pid() > Pid::INIT && record.details.tty.is_none() && !ends_the_line(record.pid())
        });
        let members = instance.members.iter().map(|member| member.record);
        let line: Vec<&ProcessRecord> = members.chain(above).collect();
        if let Some((manager, unit, main_pid)) = line.iter().find_map(|record| managed(record)) {
            return Management::Managed { manager, unit, main_pid };
        }
        if let Some(unit) = line.iter().find_map(|record| unanswered(record)) {
            return Management::Unknown { unit };
        }
        let service = instance.root.details.service.as_ref();
        let leaked_from = service.and_then(|service| Some((service.name.clone(), service.main_pid?)));
        Management::No { leaked_from }
    }

    pub(super) fn evidence(&self) -> Option<Evidence> {
        match self {
            Management::Managed { manager, unit, main_pid } => {
                Some(Evidence::Managed { manager: manager.clone(), unit: unit.clone(), main_pid: *main_pid })
            }
            Management::Unknown { unit } => Some(Evidence::MaybeManaged { unit: unit.clone() }),
            Management::No { leaked_from: Some((unit, main)) } => {
                Some(Evidence::Unmanaged { unit: unit.clone(), main_pid: *main })
            }
            Management::No { leaked_from: None } => None,
        }
    }
}

/// Is this the main process of its unit, or in a service that is active without one? The environment shows a main process
/// too: SYSTEMD_EXEC_PID is its pid, and children inherit the value.
fn managed(record: &ProcessRecord) -> Option<(String, String, Pid)> {
    let pid = record.pid();
    if let Some(service) = manages(record) {
        let is_main = service.main_pid == Some(pid);
        let without_main = service.active && service.main_pid == Some(Pid(0));
        if is_main || without_main {
            let main = if is_main { pid } else { Pid(0) };
            return Some((service.manager.clone(), service.name.clone(), main));
        }
    }
    let named = record.env_var("SYSTEMD_EXEC_PID")?.parse().ok()?;
    (pid == Pid(named)).then(|| {
        let path = record.details.cgroup.as_deref();
        let leaf = path.and_then(|path| path.rsplit('/').next()).unwrap_or("a unit");
        ("systemd".to_owned(), leaf.to_owned(), pid)
    })
}

/// The service that manages a process. A scope contains processes that another program started, and a slice only other
/// units; neither manages any process.
fn manages(record: &ProcessRecord) -> Option<&Service> {
    let holds = |service: &&Service| [".scope", ".slice"].iter().any(|kind| service.name.ends_with(kind));
    record.details.service.as_ref().filter(|service| service.manager != "systemd" || !holds(service))
}

/// The unit of a process, if that unit's main process is not known. Where no manager answers (in a container), a cgroup
/// named like a service is a reason to leave the process alone.
fn unanswered(record: &ProcessRecord) -> Option<String> {
    match &record.details.service {
        Some(_) => {
            manages(record).filter(|service| service.main_pid.is_none()).map(|service| service.name.clone())
        }
        None => {
            let leaf = record.details.cgroup.as_deref()?.rsplit('/').next()?;
            leaf.ends_with(".service").then(|| leaf.to_owned())
        }
    }
}
