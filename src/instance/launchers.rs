//! Finds the launchers above each server, and so the root of each instance.

use std::collections::BTreeSet;

use super::pipeline::{self, share_a_wire};
use crate::bytes::to_text;
use crate::catalog::Role;
use crate::look::Look;
use crate::process::{OtherEnd, Pid, ProcessRecord};
use crate::program::{self, Beside, Resolution};

/// The roots and launchers of all instances.
#[derive(Debug, Default)]
pub(super) struct LauncherChains {
    /// The topmost launcher or server above each server, by pid.
    pub(super) roots: Vec<Pid>,
    /// Processes above a server that were found to be its launchers.
    pub(super) launchers: BTreeSet<Pid>,
    /// Servers below another server that are instances of their own.
    pub(super) separate: BTreeSet<Pid>,
    /// Processes above a server that may be its launchers, and their children beside it. Their descriptors were not read
    /// and would decide it.
    pub(super) undecided: Vec<Pid>,
}

/// Does a process above a server belong to its instance?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Belongs {
    Yes,
    No,
    /// Its descriptors were not read and would decide it.
    Undecided,
}

impl LauncherChains {
    /// Goes up from every server and launcher as long as the process above belongs to the instance too.
    pub(super) fn find(look: &Look<'_>) -> LauncherChains {
        let mut found = LauncherChains { separate: separate(look), ..LauncherChains::default() };
        let mut tops: BTreeSet<Pid> = look.roles.all(Role::Server).into_iter().collect();
        tops.extend(look.roles.all(Role::Launcher));
        let parent_of = |pid: Pid| look.tree.parent(look.tree.get(pid)?).map(ProcessRecord::pid);
        // A process is checked again whenever one more of its children became a top. A pid in `below` never becomes a
        // top again, so this ends. All processes of a loop in the table end up in `below`.
        let mut below: BTreeSet<Pid> = BTreeSet::new();
        let mut waiting: BTreeSet<Pid> = tops.iter().filter_map(|top| parent_of(*top)).collect();
        while let Some(pid) = waiting.pop_first() {
            let Some(parent) = look.tree.get(pid).filter(|parent| !parent.is_zombie()) else { continue };
            if !below.contains(&pid) {
                match belongs(look, &tops, parent) {
                    Belongs::No => continue,
                    Belongs::Undecided => {
                        found.undecided.push(pid);
                        found.undecided.extend(unread_children(look, pid));
                        continue;
                    }
                    Belongs::Yes => {}
                }
            }
            let children = look.tree.children(pid).map(ProcessRecord::pid);
            let taken: Vec<Pid> =
                children.filter(|child| !found.separate.contains(child) && tops.remove(child)).collect();
            if taken.is_empty() {
                continue;
            }
            found.launchers.insert(pid);
            // Tops among the children of a taken process are taken as well.
            waiting.extend(&taken);
            below.extend(taken);
            if !below.contains(&pid) && tops.insert(pid) {
                waiting.extend(parent_of(pid));
            }
        }
        found.roots = tops.into_iter().collect();
        found.roots.sort_unstable();
        found
    }
}

/// Does this parent of tops belong to their instance? A launcher or server belongs by its role. Any other process is a
/// launcher only when all it runs belongs to the instance and the wire goes through it: a script that also starts the
/// person's web server is an owner.
fn belongs(look: &Look<'_>, tops: &BTreeSet<Pid>, parent: &ProcessRecord) -> Belongs {
    if parent.pid() <= Pid(2) {
        return Belongs::No;
    }
    let role = look.roles.role(parent.pid());
    match role {
        Some(Role::Server | Role::Launcher) => return Belongs::Yes,
        Some(Role::Client | Role::Supervisor | Role::Init | Role::Helper) => return Belongs::No,
        Some(Role::Wrapper) | None => {}
    }
    let runs = look.resolution(parent);
    let children = || look.tree.children(parent.pid()).filter(|child| !child.is_zombie());
    let servers: Vec<&ProcessRecord> = children().filter(|child| tops.contains(&child.pid())).collect();
    let inside: BTreeSet<Pid> = servers
        .iter()
        .flat_map(|top| look.tree.descend(top.pid(), |_| false))
        .map(ProcessRecord::pid)
        .collect();
    let script = runs.runs_shell_script();
    let wrapped = role == Some(Role::Wrapper) && !script;
    let runs_only_them = || servers.iter().all(|server| runs_exactly(parent, &look.resolution(server)));
    if servers.is_empty()
        || look.catalog.has_more_to_do(parent, &runs)
        || !wrapped && !script && !runs_only_them()
    {
        return Belongs::No;
    }
    // In `server & backup; wait` the shell is an owner.
    let beside = |server: &&ProcessRecord| runs.beside_child(&look.resolution(server)).unwrap_or_default();
    if servers.iter().any(|server| beside(server) != Beside::Nothing) {
        return Belongs::No;
    }
    let others = || children().filter(|child| !inside.contains(&child.pid()));
    let read = |child: &&ProcessRecord| child.details.stdio.is_some();
    if others().filter(read).any(|child| !pipeline::passes_on(child, parent, &inside)) {
        return Belongs::No;
    }
    if !others().all(|child| read(&child)) {
        return Belongs::Undecided;
    }
    if wrapped { Belongs::Yes } else { wire_goes_through(parent, script, &servers) }
}

/// Children whose descriptors were not read.
fn unread_children(look: &Look<'_>, pid: Pid) -> impl Iterator<Item = Pid> {
    let children = look.tree.children(pid).filter(|child| !child.is_zombie());
    children.filter(|child| child.details.stdio.is_none()).map(ProcessRecord::pid)
}

/// Servers below another server that are instances of their own: known roots, and servers that a gateway no longer uses.
/// Both directions of their wire are closed, and the gateway's own wire is known not to be.
fn separate(look: &Look<'_>) -> BTreeSet<Pid> {
    let ends = |record: &ProcessRecord| {
        let stdio = record.details.stdio.as_ref();
        stdio.map_or([false; 2], |stdio| [stdio.stdin(), stdio.stdout()].map(|end| end == OtherEnd::Closed))
    };
    let unread = |record: &ProcessRecord| {
        let stdio = record.details.stdio.as_ref();
        stdio.is_none_or(|stdio| [stdio.stdin(), stdio.stdout()].contains(&OtherEnd::Unread))
    };
    let serving = |pid: Pid| matches!(look.roles.role(pid), Some(Role::Server | Role::Launcher));
    let below_a_gateway = |record: &&ProcessRecord| {
        let above = look.tree.ancestors(record);
        // The first launcher or server above must be the gateway itself, not a launcher of this server.
        above.iter().find(|above| serving(above.pid())).is_some_and(|above| {
            look.roles.role(above.pid()) == Some(Role::Server) && !unread(above) && ends(above) != [true; 2]
        })
    };
    let pids = look.roles.all(Role::Server).into_iter().chain(look.roles.all(Role::Launcher));
    let closed = pids.filter_map(|pid| look.tree.get(pid)).filter(|record| ends(record) == [true; 2]);
    let below_gateways = closed.filter(below_a_gateway).map(ProcessRecord::pid);
    below_gateways.chain(look.roots.iter().copied()).collect()
}

/// Does the wire go through this parent? A wrapper script of a shell must hold the server's own wire on 0 or 1. Any other
/// program, which runs nothing but the server's command, may instead be on a wire itself while the server's pipes end in
/// it.
fn wire_goes_through(parent: &ProcessRecord, script: bool, servers: &[&ProcessRecord]) -> Belongs {
    let Some(own) = &parent.details.stdio else { return Belongs::Undecided };
    let mut undecided = false;
    for server in servers {
        let Some(theirs) = &server.details.stdio else {
            undecided = true;
            continue;
        };
        let ends_in_parent = [theirs.stdin(), theirs.stdout()]
            .iter()
            .any(|end| matches!(end, OtherEnd::Held(pids) if pids.contains(&parent.pid())));
        if share_a_wire(own, theirs) || !script && ends_in_parent && own.is_wire() {
            return Belongs::Yes;
        }
    }
    if undecided { Belongs::Undecided } else { Belongs::No }
}

/// Can a client below another one talk only to that one and its members? It is on the same wire, or only members hold
/// both ends of its own.
pub(super) fn talks_only_to(below: &ProcessRecord, client: &ProcessRecord, inside: &BTreeSet<Pid>) -> bool {
    let Some(own) = &below.details.stdio else { return false };
    let held_inside =
        |end| matches!(end, OtherEnd::Held(pids) if pids.iter().all(|pid| inside.contains(pid)));
    let same = || client.details.stdio.as_ref().is_some_and(|wire| wire.is_wire() && share_a_wire(own, wire));
    held_inside(own.stdin()) && held_inside(own.stdout()) || same()
}

/// Does the command line of `parent` end in exactly the command that `server` runs?
fn runs_exactly(parent: &ProcessRecord, server: &Resolution) -> bool {
    /// The command must begin within this many words. Before it are options, of a sandbox for example.
    const MOST_WORDS: usize = 64;
    let Some(argv) = &parent.argv else { return false };
    let Some(theirs) = &server.program else { return false };
    let words: Vec<_> = argv.iter().map(to_text).collect();
    (1..words.len().min(MOST_WORDS)).any(|at| {
        let found = program::resolve_words(&words[at..]).program;
        found.is_some_and(|found| {
            found.args == theirs.args && found.names.iter().any(|name| theirs.names.contains(name))
        })
    })
}
