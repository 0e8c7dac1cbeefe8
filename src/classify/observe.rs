//! Observes one instance: collects the answers from which the verdict follows. Each may be "not read".

use super::channel::Channels;
use super::evidence::Evidence;
use super::management::Management;
use super::owner::{Owner, may_hide, owner};
use super::wire::{Wire, WireState};
use crate::catalog::Role;
use crate::instance::{Instance, Member, Part, is_personal, is_personal_program};
use crate::look::Look;
use crate::marker::Marker;
use crate::policy::{AllowRule, Candidate, Policy};
use crate::process::{OtherEnd, Pid, ProcessRecord, StdioKind};
use crate::program::Beside;

/// The rule that allows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AllowedBy {
    pub(super) pid: Pid,
    pub(super) rule: String,
    pub(super) reason: Option<String>,
}

/// All answers about one instance, except whether its wire is dead, which also depends on the other instances.
#[derive(Clone, Debug)]
pub(super) struct Observation {
    pub(super) allowed: Option<AllowedBy>,
    pub(super) management: Management,
    pub(super) owner: Owner,
    pub(super) wire: Wire,
    pub(super) channels: Channels,
    /// A process that may be a client or a launcher of this instance, because its command line or wire could not be read.
    pub(super) hidden: Option<Pid>,
    /// A helper that may belong to a person, because its descriptors could not be read.
    pub(super) unread_helper: Option<Pid>,
    /// Pids from the root's parent up.
    pub(super) ancestors: Vec<Pid>,
    /// Members that belong to the person: a browser or editor that a person works in, or a process in a terminal.
    pub(super) persons: Vec<Pid>,
    /// The shell above it, if it runs another command only after the server exits with success.
    pub(super) awaited_by: Option<Pid>,
}

impl Observation {
    /// Answers all questions about one instance.
    pub(super) fn of(instance: &Instance<'_>, look: &Look<'_>, policy: &Policy) -> Observation {
        let Look { tree, roles, .. } = look;
        let above = tree.ancestors(instance.root);
        let counterpart = |pid: Pid| {
            let known = roles.role(pid);
            known == Some(Role::Client)
                || known != Some(Role::Init)
                    && pid > Pid::INIT
                    && above.iter().any(|record| record.pid() == pid)
        };
        Observation {
            allowed: allowed(instance, look, policy),
            management: Management::of(instance, tree, roles),
            owner: owner(instance.root, look),
            wire: Wire::of(instance),
            channels: Channels::of(instance, look, counterpart),
            hidden: hidden(instance, look),
            unread_helper: unread_helper(instance, look),
            ancestors: above.iter().map(|record| record.pid()).collect(),
            persons: persons(instance, look),
            awaited_by: awaited_by(instance, look),
        }
    }

    /// All evidence, in the order of the questions.
    pub(super) fn evidence(&self, instance: &Instance<'_>, look: &Look<'_>) -> Vec<Evidence> {
        let mut list = identified(instance, look);
        if instance.is_left_over() {
            list.push(Evidence::LeftOver);
        }
        list.extend(marked(instance));
        if let Some(by) = &self.allowed {
            list.push(Evidence::Allowed { pid: by.pid, rule: by.rule.clone(), reason: by.reason.clone() });
        }
        list.push(match &self.owner {
            Owner::Alive { pid, name } => Evidence::OwnerAlive { pid: *pid, name: name.clone() },
            Owner::Gone { pid, how } => Evidence::OwnerGone { pid: *pid, how: *how },
            Owner::Unknown { pid } => Evidence::OwnerUnknown { pid: *pid },
        });
        list.extend(self.management.evidence());
        list.extend(self.wire_evidence(instance));
        list.extend(self.channel_evidence());
        list.extend(self.hidden.map(|pid| Evidence::Hidden { pid }));
        list.extend(self.unread_helper.map(|pid| Evidence::UnreadHelper { pid }));
        list.extend(self.persons.iter().map(|pid| Evidence::PersonBelow { pid: *pid }));
        list.extend(self.awaited_by.map(|pid| Evidence::Awaited { pid }));
        list.extend(instance.clients_below.iter().map(|pid| Evidence::ClientBelow { pid: *pid }));
        list
    }

    fn wire_evidence(&self, instance: &Instance<'_>) -> Vec<Evidence> {
        let Wire { stdin, stdout, other } = &self.wire;
        let absent = |state| state == WireState::Absent;
        let mut list = Vec::new();
        if absent(stdin.state()) && absent(stdout.state()) {
            let stdio = instance.root.details.stdio.as_ref();
            list.push(Evidence::NoWire { stdin: stdio.map_or(StdioKind::Unknown, |stdio| stdio.stdin_kind) });
        }
        let no_wire = !list.is_empty();
        for (direction, wire) in [("stdin", stdin), ("stdout", stdout), ("other", other)] {
            if !absent(wire.state()) || !no_wire && direction != "other" {
                list.push(Evidence::Wire { direction, state: wire.state(), holders: wire.holders.clone() });
            }
        }
        list
    }

    fn channel_evidence(&self) -> Vec<Evidence> {
        let Channels { listening, connected, callers, talks_to, announced, unread, .. } = &self.channels;
        let mut list = Vec::new();
        if !listening.is_empty() {
            list.push(Evidence::Listening { ports: listening.clone() });
        }
        if *connected > 0 || !listening.is_empty() && !unread {
            list.push(Evidence::Connected { count: *connected, pids: callers.clone() });
        }
        if *unread {
            list.push(Evidence::NetworkUnknown);
        }
        list.extend(talks_to.iter().map(|pid| Evidence::TalksTo { pid: *pid }));
        list.extend(announced.clone().map(|transport| Evidence::Announced { transport }));
        list
    }
}

/// The first process that may be a client or a launcher because something of it is hidden. It is a member without a
/// readable command line, or a process between the root and its client, which may be a launcher on a wire of its own. Or
/// it is above a further server whose wire could not be read: the holder of that wire would be a client.
fn hidden(instance: &Instance<'_>, look: &Look<'_>) -> Option<Pid> {
    let is_client = |pid: Pid| look.roles.role(pid) == Some(Role::Client);
    let above = look.tree.ancestors(instance.root).into_iter();
    let mut above = above.take_while(|record| record.pid() > Pid::INIT && !is_client(record.pid()));
    if let Some(record) = above.find(|record| may_hide(record, instance.root)) {
        return Some(record.pid());
    }
    if instance.unread_above.is_some() {
        return instance.unread_above;
    }
    let unread = |record: &ProcessRecord| {
        let ends = record.details.stdio.as_ref().map(|stdio| [stdio.stdin(), stdio.stdout()]);
        ends.is_none_or(|ends| ends.contains(&OtherEnd::Unread))
    };
    let silent = instance.members.iter().map(|member| member.record).find(|record| record.argv.is_none());
    let further = || instance.further_servers(&look.roles).find(|record| unread(record));
    silent.or_else(further).map(ProcessRecord::pid)
}

/// A helper whose descriptors could not be read. It may have a window or a person's terminal, and a person's program
/// withholds the instance. Processes of an automated browser do not count: Chrome's sandboxed processes hide their
/// descriptors.
fn unread_helper(instance: &Instance<'_>, look: &Look<'_>) -> Option<Pid> {
    let is_a_browsers = |record: &ProcessRecord| {
        let above =
            look.tree.ancestors(record).into_iter().take_while(|above| instance.contains(above.pid()));
        std::iter::once(record).chain(above).any(|one| {
            look.roles.role(one.pid()) == Some(Role::Helper)
                || look.catalog.is_of_an_automated_browser(one, || look.resolution(one))
        })
    };
    let unread =
        |record: &ProcessRecord| record.details.stdio.is_none() || record.details.listening.is_none();
    let helpers =
        instance.members.iter().filter(|member| member.part == Part::Helper).map(|member| member.record);
    helpers.into_iter().find(|record| unread(record) && !is_a_browsers(record)).map(ProcessRecord::pid)
}

fn allowed(instance: &Instance<'_>, look: &Look<'_>, policy: &Policy) -> Option<AllowedBy> {
    let (pid, rule) = allowing(instance, look, &policy.allow)?;
    Some(AllowedBy { pid, rule: rule.origin.clone(), reason: rule.reason.clone() })
}

/// The first rule that matches a member, and that member.
fn allowing<'r>(
    instance: &Instance<'_>,
    look: &Look<'_>,
    rules: &'r [AllowRule],
) -> Option<(Pid, &'r AllowRule)> {
    if rules.is_empty() {
        return None;
    }
    let entry = |record: &ProcessRecord| {
        look.catalog.entry(record, &look.resolution(record)).map(|entry| entry.entry.clone())
    };
    let entries: Vec<String> = instance.launchers_and_servers().filter_map(entry).collect();
    instance.members.iter().find_map(|member| {
        let runs = look.resolution(member.record);
        let (record, server, program) = (member.record, instance.server.as_str(), runs.name());
        let candidate = Candidate { record, server, entries: &entries, program };
        let rule = rules.iter().find(|rule| rule.matches(candidate))?;
        Some((record.pid(), rule))
    })
}

/// The rules that match no member of these instances. They contain a mistake, or their server is not running.
pub fn idle_rules<'r>(
    instances: &[&Instance<'_>],
    look: &Look<'_>,
    rules: &'r [AllowRule],
) -> Vec<&'r AllowRule> {
    let met = |rule: &&AllowRule| {
        let rule = std::slice::from_ref(*rule);
        instances.iter().any(|instance| allowing(instance, look, rule).is_some())
    };
    rules.iter().filter(|rule| !met(rule)).collect()
}

fn identified(instance: &Instance<'_>, look: &Look<'_>) -> Vec<Evidence> {
    let named = |role| matches!(role, Role::Server | Role::Launcher | Role::Helper);
    let pids = instance.members.iter().map(|member| member.record.pid());
    pids.filter_map(|pid| Some((pid, look.roles.get(pid)?)))
        .filter(|(_, known)| named(known.role))
        .map(|(pid, known)| Evidence::Identified { pid, basis: known.basis.clone() })
        .collect()
}

/// Evidence for members that carry the marker of `mcp-reap exec` and left the tree, or for a root that left another tree.
fn marked(instance: &Instance<'_>) -> Vec<Evidence> {
    let own = Marker::of(instance.root).filter(|marker| marker.root != instance.root.id);
    let own = own.map(|marker| (instance.root.pid(), marker.root.pid));
    let all = instance.marked.iter().copied().chain(own);
    all.map(|(pid, root)| Evidence::Marked { pid, root }).collect()
}

/// A shell above the root with a line such as `server && notify` or `set -e; server; notify`, in which `notify` would never
/// run if the server were ended. A line that was not understood may be such a line.
fn awaited_by(instance: &Instance<'_>, look: &Look<'_>) -> Option<Pid> {
    let above = look.tree.parent(instance.root)?;
    let beside = look.resolution(above).beside_child(&look.resolution(instance.root));
    matches!(beside, Some(Beside::DependsOnStatus | Beside::Unread)).then(|| above.pid())
}

/// Members that belong to the person, whatever started them: processes with a window or in a terminal that is held outside,
/// editors, multiplexers, and browsers that are not automated. The terminal of a server does not count here, because the
/// server is then in use anyway.
fn persons(instance: &Instance<'_>, look: &Look<'_>) -> Vec<Pid> {
    let inside = |pid: Pid| instance.contains(pid);
    let of_a_person = |member: &&Member<'_>| match member.part {
        Part::Server => is_personal_program(member.record, look.catalog, || look.resolution(member.record)),
        _ => is_personal(member.record, look.catalog, || look.resolution(member.record), inside),
    };
    instance.members.iter().filter(of_a_person).map(|member| member.record.pid()).collect()
}
