//! The four questions to an instance, each answered with what was seen and each allowed to say
//! "not known": owner, managed, transport, network.

use super::evidence::{Evidence, WireState};
use super::owner::{Owner, is_tied_to_the_dead, line_read, owner};
use crate::catalog::{Catalog, Role};
use crate::instance::{Instance, Member, Part};
use crate::policy::{Candidate, Policy};
use crate::process::{Listener, Pid, ProcessRecord, Stdio, StdioKind};
use crate::roles::Roles;
use crate::tree::Tree;

/// Whether a service manager runs it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Management {
    Managed { manager: String, unit: String, main_pid: Pid },
    Unknown { unit: String },
    No { leaked_from: Option<(String, Pid)> },
}

/// One direction of the wire.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wire {
    pub(super) state: WireState,
    pub(super) holders: Vec<Pid>,
}

/// The rule that allows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AllowedBy {
    pub(super) pid: Pid,
    pub(super) rule: String,
    pub(super) reason: Option<String>,
}

/// All answers about one instance.
#[derive(Clone, Debug)]
pub(super) struct Observation {
    pub(super) allowed: Option<AllowedBy>,
    pub(super) owner: Owner,
    pub(super) management: Management,
    pub(super) stdin: Wire,
    pub(super) stdout: Wire,
    pub(super) ports: Option<Vec<Listener>>,
    pub(super) connected: Option<u32>,
    pub(super) left_over: bool,
    /// What is left over is tied to a dead instance.
    pub(super) tied: bool,
    /// Every process above and in it told its command line: none is a launcher or client in disguise.
    pub(super) all_read: bool,
    identified: Vec<Evidence>,
    clients_below: Vec<Pid>,
    stdin_kind: StdioKind,
}

/// Asks all questions about one instance.
pub(super) fn observe(
    instance: &Instance<'_>,
    tree: &Tree<'_>,
    roles: &Roles,
    catalog: &Catalog,
    policy: &Policy,
) -> Observation {
    let stdio = |direction: fn(&Stdio) -> &Option<Vec<Pid>>| wire(instance, direction);
    Observation {
        allowed: allowed(instance, catalog, policy),
        owner: owner(instance.root, tree, roles),
        management: management(instance, tree, roles),
        stdin: stdio(|s| &s.stdin_peers),
        stdout: stdio(|s| &s.stdout_peers),
        ports: ports(instance),
        connected: instance.members.iter().map(|m| m.record.details.connected).sum(),
        left_over: instance.is_left_over(),
        tied: instance.is_left_over() && is_tied_to_the_dead(instance, tree, roles),
        all_read: line_read(instance.root, tree, roles)
            && instance.members.iter().all(|member| member.record.argv.is_some()),
        identified: identified(instance, roles),
        clients_below: instance.clients_below.clone(),
        stdin_kind: instance.root.details.stdio.as_ref().map_or(StdioKind::Unknown, |s| s.kind),
    }
}

/// The main process of a unit is looked for among the members and above the root, up to the first
/// client or terminal: what somebody started from a terminal is not managed because the terminal
/// program is a unit. Being somewhere in a unit's cgroup proves nothing.
fn management(instance: &Instance<'_>, tree: &Tree<'_>, roles: &Roles) -> Management {
    let above = tree.ancestors(instance.root).into_iter().take_while(|record| {
        record.pid() > Pid::INIT
            && record.tty.is_none()
            && !matches!(roles.role(record.pid()), Some(Role::Client | Role::Init))
    });
    let line: Vec<&ProcessRecord> =
        instance.members.iter().map(|member| member.record).chain(above).collect();
    if let Some((manager, unit, main_pid)) = line.iter().find_map(|record| main_process(record)) {
        return Management::Managed { manager, unit, main_pid };
    }
    if let Some(unit) = line.iter().find_map(|record| unanswered(record)) {
        return Management::Unknown { unit };
    }
    let leaked_from =
        instance.root.details.service.as_ref().and_then(|s| s.main_pid.map(|main| (s.name.clone(), main)));
    Management::No { leaked_from }
}

/// The unit a process is in, where that unit's main process could not be asked for. Where there is
/// nobody to ask (a container), a cgroup that is named like a service speaks for leaving alone.
fn unanswered(record: &ProcessRecord) -> Option<String> {
    match &record.details.service {
        Some(service) => service.main_pid.is_none().then(|| service.name.clone()),
        None => {
            let leaf = record.details.cgroup.as_deref()?.rsplit('/').next()?;
            leaf.ends_with(".service").then(|| leaf.to_owned())
        }
    }
}

/// Is this process the main process of its unit? systemd also says so in the environment:
/// SYSTEMD_EXEC_PID is the main process's own pid, and children inherit the value.
fn main_process(record: &ProcessRecord) -> Option<(String, String, Pid)> {
    let pid = record.pid();
    if let Some(service) = record.details.service.as_ref().filter(|service| service.main_pid == Some(pid)) {
        return Some((service.manager.clone(), service.name.clone(), pid));
    }
    let told = record.env_var("SYSTEMD_EXEC_PID")?.parse().ok()?;
    (pid == Pid(told)).then(|| {
        let leaf =
            record.details.cgroup.as_deref().and_then(|path| path.rsplit('/').next()).unwrap_or("a unit");
        ("systemd".to_owned(), leaf.to_owned(), pid)
    })
}

/// One direction, over all launchers and servers (a helper's stdio belongs to the server that
/// started it). A holder outside the instance wins over everything, then what could not be read,
/// then a closed end. Ends that stay inside the instance (npm, tee, a worker) do not count.
fn wire(instance: &Instance<'_>, direction: fn(&Stdio) -> &Option<Vec<Pid>>) -> Wire {
    let (mut holders, mut closed, mut unknown) = (Vec::new(), false, false);
    let left_over = instance.is_left_over();
    let wired = |member: &&Member<'_>| left_over || member.part != Part::Helper;
    for member in instance.members.iter().filter(wired) {
        let peers = match &member.record.details.stdio {
            Some(stdio) => match stdio.kind {
                StdioKind::Pipe | StdioKind::Socket => direction(stdio).as_ref(),
                StdioKind::Unknown => None,
                StdioKind::Null | StdioKind::Tty | StdioKind::File | StdioKind::Closed => continue,
            },
            None => None,
        };
        let Some(peers) = peers else {
            unknown = true;
            continue;
        };
        closed |= peers.is_empty();
        holders.extend(peers.iter().copied().filter(|pid| !instance.contains(*pid)));
    }
    holders.sort_unstable();
    holders.dedup();
    let state = match (holders.is_empty(), unknown, closed) {
        (false, _, _) => WireState::Held,
        (true, true, _) => WireState::Unknown,
        (true, false, true) => WireState::Closed,
        (true, false, false) => WireState::Absent,
    };
    Wire { state, holders }
}

fn ports(instance: &Instance<'_>) -> Option<Vec<Listener>> {
    let mut ports = Vec::new();
    for member in &instance.members {
        ports.extend(member.record.details.listening.as_ref()?.iter().cloned());
    }
    ports.sort_unstable();
    ports.dedup();
    Some(ports)
}

fn allowed(instance: &Instance<'_>, catalog: &Catalog, policy: &Policy) -> Option<AllowedBy> {
    if policy.allow.is_empty() {
        return None;
    }
    instance.members.iter().find_map(|member| {
        let program = catalog.program(member.record);
        let candidate =
            Candidate { record: member.record, server: &instance.server, program: program.as_deref() };
        let rule = policy.allow.iter().find(|rule| rule.matches(candidate))?;
        Some(AllowedBy { pid: member.record.pid(), rule: rule.origin.clone(), reason: rule.reason.clone() })
    })
}

fn identified(instance: &Instance<'_>, roles: &Roles) -> Vec<Evidence> {
    let named = |role| matches!(role, Role::Server | Role::Launcher | Role::Helper);
    instance
        .members
        .iter()
        .filter_map(|member| Some((member.record.pid(), roles.get(member.record.pid())?)))
        .filter(|(_, known)| named(known.role))
        .map(|(pid, known)| Evidence::Identified { pid, basis: known.basis.clone() })
        .collect()
}

impl Observation {
    /// Everything that was seen, in the order of the questions.
    pub(super) fn evidence(&self) -> Vec<Evidence> {
        let mut list = self.identified.clone();
        if self.left_over {
            list.push(Evidence::LeftOver);
        }
        if let Some(by) = &self.allowed {
            list.push(Evidence::Allowed { pid: by.pid, rule: by.rule.clone(), reason: by.reason.clone() });
        }
        list.push(match &self.owner {
            Owner::Alive { pid, name } => Evidence::OwnerAlive { pid: *pid, name: name.clone() },
            Owner::Gone { pid, how } => Evidence::OwnerGone { pid: *pid, how: *how },
            Owner::Unknown { pid } => Evidence::OwnerUnknown { pid: *pid },
        });
        list.extend(self.management_evidence());
        if self.stdin.state == WireState::Absent && self.stdout.state == WireState::Absent {
            list.push(Evidence::NoWire { stdin: self.stdin_kind });
        } else {
            for (direction, wire) in [("stdin", &self.stdin), ("stdout", &self.stdout)] {
                let holders = wire.holders.clone();
                list.push(Evidence::Wire { direction, state: wire.state, holders });
            }
        }
        match (&self.ports, self.connected) {
            (None, _) => list.push(Evidence::NetworkUnknown),
            (Some(ports), _) if ports.is_empty() => {}
            (Some(ports), connected) => {
                list.push(Evidence::Listening { ports: ports.clone() });
                list.push(connected.map_or(Evidence::NetworkUnknown, |count| Evidence::Connected { count }));
            }
        }
        list.extend(self.clients_below.iter().map(|pid| Evidence::ClientBelow { pid: *pid }));
        list
    }

    fn management_evidence(&self) -> Option<Evidence> {
        match &self.management {
            Management::Managed { manager, unit, main_pid } => {
                Some(Evidence::Managed { manager: manager.clone(), unit: unit.clone(), main_pid: *main_pid })
            }
            Management::Unknown { unit } => Some(Evidence::MaybeManaged { unit: unit.clone() }),
            Management::No { leaked_from } => leaked_from
                .as_ref()
                .map(|(unit, main)| Evidence::Unmanaged { unit: unit.clone(), main_pid: *main }),
        }
    }
}
