//! From a server up: which processes above it are its launchers.

use std::collections::{BTreeSet, HashSet};

use super::pipeline::{self, share_a_wire};
use crate::bytes::to_text;
use crate::catalog::Role;
use crate::look::Look;
use crate::process::{OtherEnd, Pid, ProcessRecord};
use crate::program::{self, Beside, Resolution};

/// The roots of all instances.
#[derive(Debug, Default)]
pub(super) struct Tops {
    /// The topmost launcher or server above every server, ascending.
    pub(super) roots: Vec<Pid>,
    /// Processes above a server that were found to be its launchers.
    pub(super) launchers: HashSet<Pid>,
    /// Servers below another server that are instances of their own.
    pub(super) apart: HashSet<Pid>,
    /// Processes above a server that may be launchers, and their children beside it: their descriptors, which were not
    /// read, would show it.
    pub(super) undecided: Vec<Pid>,
}

/// Does a process above a server belong to its instance?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Belongs {
    Yes,
    No,
    /// Its descriptors would show it, and were not read.
    Undecided,
}

/// Goes up from every server and launcher as long as the process above belongs to the instance too.
pub(super) fn tops(look: &Look<'_>) -> Tops {
    Line { look }.tops()
}

/// The way up, in one look.
struct Line<'l, 'a> {
    look: &'l Look<'a>,
}

impl Line<'_, '_> {
    fn tops(&self) -> Tops {
        let mut found = Tops { apart: self.apart(), ..Tops::default() };
        let mut tops: HashSet<Pid> = self.look.roles.all(Role::Server).into_iter().collect();
        tops.extend(self.look.roles.all(Role::Launcher));
        let parent_of = |pid: Pid| self.look.tree.parent(self.look.tree.get(pid)?).map(ProcessRecord::pid);
        // A process above a top may take it in, and is checked again when one more below it became a top. A pid that
        // was taken in never comes back, so this ends, and a loop in the table loses all its tops.
        let mut below: HashSet<Pid> = HashSet::new();
        let mut waiting: BTreeSet<Pid> = tops.iter().filter_map(|top| parent_of(*top)).collect();
        while let Some(pid) = waiting.pop_first() {
            let Some(parent) = self.look.tree.get(pid).filter(|parent| !parent.is_zombie()) else { continue };
            if !below.contains(&pid) {
                match self.belongs(&tops, parent) {
                    Belongs::No => continue,
                    Belongs::Undecided => {
                        found.undecided.push(pid);
                        found.undecided.extend(self.unread_children(pid));
                        continue;
                    }
                    Belongs::Yes => {}
                }
            }
            let children = self.look.tree.children(pid).map(ProcessRecord::pid);
            let taken: Vec<Pid> =
                children.filter(|child| !found.apart.contains(child) && tops.remove(child)).collect();
            if taken.is_empty() {
                continue;
            }
            found.launchers.insert(pid);
            // What is below them goes with them.
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

    /// A launcher or server belongs by its role. Any other process is a launcher only when all it runs belongs to the
    /// instance and the wire goes through it: a script that also starts the person's web server is an owner.
    fn belongs(&self, tops: &HashSet<Pid>, parent: &ProcessRecord) -> Belongs {
        if parent.pid() <= Pid(2) {
            return Belongs::No;
        }
        let role = self.look.roles.role(parent.pid());
        match role {
            Some(Role::Server | Role::Launcher) => return Belongs::Yes,
            Some(Role::Client | Role::Supervisor | Role::Init | Role::Helper) => return Belongs::No,
            Some(Role::Wrapper) | None => {}
        }
        let runs = self.look.resolution(parent);
        let children = || self.look.tree.children(parent.pid()).filter(|child| !child.is_zombie());
        let servers: Vec<&ProcessRecord> = children().filter(|child| tops.contains(&child.pid())).collect();
        let inside: HashSet<Pid> = servers
            .iter()
            .flat_map(|top| self.look.tree.descend(top.pid(), |_| false))
            .map(ProcessRecord::pid)
            .collect();
        let script = runs.runs_shell_script();
        let wrapped = role == Some(Role::Wrapper) && !script;
        let runs_only_them =
            || servers.iter().all(|server| runs_exactly(parent, &self.look.resolution(server)));
        if servers.is_empty()
            || self.look.catalog.has_more_to_do(parent, &runs)
            || !wrapped && !script && !runs_only_them()
        {
            return Belongs::No;
        }
        // `server & backup; wait`: the shell is an owner.
        let beside =
            |server: &&ProcessRecord| runs.beside_child(&self.look.resolution(server)).unwrap_or_default();
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
    fn unread_children(&self, pid: Pid) -> impl Iterator<Item = Pid> {
        let children = self.look.tree.children(pid).filter(|child| !child.is_zombie());
        children.filter(|child| child.details.stdio.is_none()).map(ProcessRecord::pid)
    }

    /// Servers below another server that a gateway no longer uses: both directions of their wire are closed, and the
    /// gateway's own are known not to be. And what is known to be a root.
    fn apart(&self) -> HashSet<Pid> {
        let ends = |record: &ProcessRecord| {
            let stdio = record.details.stdio.as_ref();
            stdio.map_or([false; 2], |stdio| {
                [stdio.stdin(), stdio.stdout()].map(|end| end == OtherEnd::Closed)
            })
        };
        let unread = |record: &ProcessRecord| {
            let stdio = record.details.stdio.as_ref();
            stdio.is_none_or(|stdio| [stdio.stdin(), stdio.stdout()].contains(&OtherEnd::Unread))
        };
        let serving = |pid: Pid| matches!(self.look.roles.role(pid), Some(Role::Server | Role::Launcher));
        let below_a_gateway = |record: &&ProcessRecord| {
            let above = self.look.tree.ancestors(record);
            // Its launchers are on the same wire; the first process above that serves and is not is the gateway.
            above.iter().find(|above| serving(above.pid())).is_some_and(|above| {
                self.look.roles.role(above.pid()) == Some(Role::Server)
                    && !unread(above)
                    && ends(above) != [true; 2]
            })
        };
        let pids = self.look.roles.all(Role::Server).into_iter().chain(self.look.roles.all(Role::Launcher));
        let closed =
            pids.filter_map(|pid| self.look.tree.get(pid)).filter(|record| ends(record) == [true; 2]);
        let below_gateways = closed.filter(below_a_gateway).map(ProcessRecord::pid);
        below_gateways.chain(self.look.roots.iter().copied()).collect()
    }
}

/// A wrapper script of a shell holds the server's own wire on 0 or 1. The wire of any other program, which runs nothing
/// but the server's command, may also go through it: it is on a wire itself, and the server's pipes end in it. A test
/// runner or an agent that passes its stdio on has more to do.
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

/// Can a client below another one talk only to it and what belongs to it? It is on the same wire, or both ends of
/// its own are held by members alone.
pub(super) fn talks_only_to(below: &ProcessRecord, client: &ProcessRecord, inside: &HashSet<Pid>) -> bool {
    let Some(own) = &below.details.stdio else { return false };
    let held_inside =
        |end| matches!(end, OtherEnd::Held(pids) if pids.iter().all(|pid| inside.contains(pid)));
    let same = || client.details.stdio.as_ref().is_some_and(|wire| wire.is_wire() && share_a_wire(own, wire));
    held_inside(own.stdin()) && held_inside(own.stdout()) || same()
}

/// The command line of `parent` ends in exactly the command that `server` runs.
fn runs_exactly(parent: &ProcessRecord, server: &Resolution) -> bool {
    /// Options of a sandbox; more words than that are looked at in vain.
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
