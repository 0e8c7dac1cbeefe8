//! systemd: finds the unit of a process by its cgroup, and the main process of that unit.

use std::collections::{BTreeMap, BTreeSet};

use super::query::output;
use crate::process::{Pid, ProcessRecord, Service, Snapshot, Uid};

/// Which of the systemd managers runs a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Manager {
    /// The one that is pid 1.
    System,
    /// The `systemd --user` of this user.
    User(Uid),
    /// The `systemd --user` of another user, which would not answer.
    Foreign,
}

/// A place in the cgroup tree that belongs to a service unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct UnitPlace<'a> {
    manager: Manager,
    /// `term.service`.
    unit: &'a str,
    /// The cgroup of the unit itself, without the groups a delegated unit makes below it.
    path: &'a str,
}

/// What `systemctl show` prints of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unit {
    main_pid: Pid,
    /// Whether it is active or becoming active. Only then a service without a main process manages the processes in its
    /// cgroup.
    active: bool,
    control_group: String,
}

/// Queries a manager about units, by their names: the bare output of `systemctl show`.
pub(super) type Query<'a> = &'a mut dyn FnMut(Manager, &[&str]) -> Option<String>;

/// Fills in the services of `pids`, with one query per manager.
pub(super) fn fill(snapshot: &mut Snapshot, pids: &[Pid], query: Query<'_>) {
    let mut wanted = pids.to_vec();
    wanted.sort_unstable();
    // The details of most processes were not read, so that is checked first.
    let is_wanted = |record: &ProcessRecord| {
        (record.details.cgroup.is_some() || record.details.env.is_some())
            && wanted.binary_search(&record.pid()).is_ok()
    };
    let viewer = snapshot.viewer.uid;
    let mut units: BTreeMap<Manager, BTreeSet<&str>> = BTreeMap::new();
    for record in snapshot.processes.iter().filter(|record| is_wanted(record)) {
        if let Some(place) = record.details.cgroup.as_deref().and_then(|cgroup| place(cgroup, viewer))
            && place.manager != Manager::Foreign
            && is_plain_name(place.unit)
        {
            units.entry(place.manager).or_default().insert(place.unit);
        }
    }
    let mut known: BTreeMap<(Manager, String), Unit> = BTreeMap::new();
    for (manager, names) in units {
        let names: Vec<&str> = names.into_iter().collect();
        let units = parse_show(&query(manager, &names).unwrap_or_default());
        known.extend(units.into_iter().map(|(name, unit)| ((manager, name), unit)));
    }
    for record in snapshot.processes.iter_mut().filter(|record| is_wanted(record)) {
        record.details.service = service(record, viewer, &known);
    }
}

fn service(
    record: &ProcessRecord,
    viewer: Uid,
    known: &BTreeMap<(Manager, String), Unit>,
) -> Option<Service> {
    let place = record.details.cgroup.as_deref().and_then(|cgroup| place(cgroup, viewer));
    // systemd.exec(5): systemd sets this to the pid of the process that it executed. Children inherit the value, which is
    // then not their own pid. So a main process is known even if no manager answers.
    let executed = record.env_var("SYSTEMD_EXEC_PID").is_some_and(|pid| pid == record.pid().to_string());
    if place.is_none() && !executed {
        return None;
    }
    let answered = place.and_then(|place| {
        let unit = known.get(&(place.manager, place.unit.to_owned()))?;
        same_group(place.path, &unit.control_group).then_some(unit)
    });
    Some(Service {
        manager: "systemd".into(),
        name: place.map_or("unknown", |place| place.unit).into(),
        main_pid: if executed { Some(record.pid()) } else { answered.map(|unit| unit.main_pid) },
        active: answered.is_some_and(|unit| unit.active),
    })
}

/// The service of a cgroup; `None` for a scope (`session-3.scope`, `init.scope`, a container).
///
/// ```text
/// /user.slice/user-1000.slice/user@1000.service/app.slice/term.service/worker
///                             its manager                 the unit     the unit's own business
/// ```
/// Inside a cgroup namespace the path may begin below the manager: `/app.slice/term.service`.
fn place(cgroup: &str, viewer: Uid) -> Option<UnitPlace<'_>> {
    let mut manager = Manager::System;
    let mut found = None;
    let mut end = 0;
    for component in cgroup.split('/') {
        end += component.len() + 1;
        // systemd puts a `_` before a name that would be equal to one of the kernel's files.
        let name = component.strip_prefix('_').unwrap_or(component);
        if name.ends_with(".scope") {
            found = None;
        } else if name.ends_with(".service") {
            if let Some((_, last)) = found {
                manager = below(last, viewer).unwrap_or(manager);
            }
            found = Some((end - 1, name));
        }
    }
    let (end, unit) = found?;
    // systemd.special(7): the three slices that only user managers have.
    let top = cgroup.trim_start_matches('/').split('/').next().unwrap_or_default();
    if manager == Manager::System && ["app.slice", "session.slice", "background.slice"].contains(&top) {
        manager = Manager::User(viewer);
    }
    Some(UnitPlace { manager, unit, path: &cgroup[..end] })
}

/// The manager whose units lie below this service's cgroup: `user@1000.service` runs one.
fn below(service: &str, viewer: Uid) -> Option<Manager> {
    let uid = service.strip_prefix("user@")?.strip_suffix(".service")?;
    Some(if uid == viewer.0.to_string() { Manager::User(viewer) } else { Manager::Foreign })
}

/// Does `systemctl` take this as the name of one unit, and not as a pattern?
fn is_plain_name(unit: &str) -> bool {
    unit.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte))
}

/// Do the unit's cgroup of a process and that in the manager's answer mean the same group? Inside a cgroup namespace the
/// beginning of the path is missing. An equal last component is not enough.
fn same_group(seen: &str, answered: &str) -> bool {
    let (long, short) = if seen.len() < answered.len() { (answered, seen) } else { (seen, answered) };
    long == short || (short.starts_with('/') && short.matches('/').count() >= 2 && long.ends_with(short))
}

/// The output of `systemctl show --property=Id,ActiveState,MainPID,ControlGroup`: blocks of `key=value` with a
/// blank line between, in any order. A block without all four is no answer.
fn parse_show(output: &str) -> Vec<(String, Unit)> {
    let block = |block: &str| {
        let value = |key: &str| {
            block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned)
        };
        let main_pid = Pid(value("MainPID")?.parse().ok()?);
        // systemd(1): a unit that is starting or reloading counts as active.
        let active = ["active", "activating", "reloading"].contains(&value("ActiveState")?.as_str());
        Some((value("Id")?, Unit { main_pid, active, control_group: value("ControlGroup")? }))
    };
    output.split("\n\n").filter_map(block).collect()
}

/// Queries the real manager.
pub(super) fn query(manager: Manager, units: &[&str]) -> Option<String> {
    let mut args = Vec::new();
    let mut environment = Vec::new();
    match manager {
        Manager::System => {}
        Manager::User(uid) => {
            args.push("--user");
            // A cron job or a hook may have no XDG_RUNTIME_DIR, but the manager's socket is there.
            let runtime = std::env::var("XDG_RUNTIME_DIR").unwrap_or_else(|_| format!("/run/user/{}", uid.0));
            environment.push(("XDG_RUNTIME_DIR".to_owned(), runtime));
        }
        Manager::Foreign => return None,
    }
    args.extend(["show", "--no-pager", "--property=Id,ActiveState,MainPID,ControlGroup", "--"]);
    args.extend(units);
    output("systemctl", &args, &environment)
}

#[cfg(test)]
mod tests;
