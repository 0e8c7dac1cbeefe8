//! Reads the machine for a guardian: the details of its own server, and only rows of all other processes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;

use super::host::Host;
use crate::bytes::Argv;
use crate::catalog::{Catalog, Role};
use crate::classify::Scout;
use crate::instance::exec_server::ExecServer;
use crate::marker::{Marker, VARIABLE};
use crate::policy::Policy;
use crate::process::{Interest, Pid, ProcessRecord, Snapshot};
use crate::program::Resolution;
use crate::reap::Lineage;
use crate::roles::Roles;
use crate::tree::Tree;

/// The server that is guarded.
pub(super) struct Guarded<H> {
    /// The machine.
    pub(super) host: H,
    /// The marker, which names the root.
    pub(super) marker: Marker,
    /// The session of its root. A process with a terminal in another session is not part of the server.
    pub(super) session: Option<Pid>,
    /// The processes that adopt orphans on this machine.
    pub(super) adopters: Vec<Pid>,
    /// The command line behind `exec`.
    pub(super) command: Argv,
    /// Whether the command is a script for a shell.
    pub(super) shell_script: bool,
    /// The evidence variables in the environment of `exec`, which the server and everything that it starts inherit.
    pub(super) environment: Option<BTreeMap<String, String>>,
    /// The unique numbers of the root and of every member that was seen (macOS). A process that one of them forked
    /// belongs to this server.
    pub(super) born: RefCell<BTreeSet<u64>>,
}

/// One look.
pub(super) struct GuardedLook {
    pub(super) snapshot: Snapshot,
    pub(super) roles: Roles,
    pub(super) catalog: Catalog,
    /// The topmost processes of the server: its root, and those that left its tree.
    pub(super) tops: Vec<Pid>,
}

impl<H: Host> Guarded<H> {
    /// The table with the details of the server's processes, and the pids of these. There are none if nothing is left.
    pub(super) fn read_members(&self) -> anyhow::Result<(Snapshot, Vec<Pid>)> {
        let snapshot = self
            .host
            .snapshot(&mut |table| self.members(table).into())
            .context("failed to read the process table")?;
        let tops = self.tops(&snapshot, true, |_| false);
        let tree = Tree::new(&snapshot);
        let members = tops.iter().flat_map(|top| tree.descend(*top, |_| false));
        let members: Vec<Pid> =
            members.filter(|record| !record.is_zombie()).map(ProcessRecord::pid).collect();
        let lineages = members.iter().filter_map(|pid| self.host.lineage(*pid));
        self.born.borrow_mut().extend(lineages.map(|lineage| lineage.own));
        Ok((snapshot, members))
    }

    /// A look for a judgement. `servers`: topmost processes that the catalog does not know are servers, because the
    /// person put `exec` in front of them.
    pub(super) fn look(&self, policy: &Policy, servers: bool) -> anyhow::Result<GuardedLook> {
        let catalog = Catalog::builtin().with_rules(&policy.servers);
        let scout = RefCell::new(Scout::new(&catalog));
        let mut snapshot = self
            .host
            .snapshot(&mut |table| self.interest(table, &scout))
            .context("failed to read the process table")?;
        let closely: Vec<Pid> = snapshot
            .processes
            .iter()
            .filter(|record| record.details.cgroup.is_some() || record.details.stdio.is_some())
            .map(ProcessRecord::pid)
            .collect();
        self.host.services(&mut snapshot, &closely);
        let mut roles = scout.into_inner().into_look(&snapshot).roles;
        // A server of another name that left the tree and is on no wire is a daemon, and judged on its own.
        let name = self.name();
        let is_separate = |record: &ProcessRecord| {
            roles.get(record.pid()).is_some_and(|known| match known.role {
                Role::Client => true,
                Role::Server | Role::Launcher => record.is_off_wire() == Some(true) && known.name != name,
                _ => false,
            })
        };
        let tops = self.tops(&snapshot, true, is_separate);
        // Such a process was started below the root and now has another parent, which has adopted it.
        let adopted = |record: &&mut ProcessRecord| {
            tops.contains(&record.pid())
                && record.id != self.marker.root
                && self.adopters.contains(&record.parent)
        };
        for record in snapshot.processes.iter_mut().filter(adopted) {
            record.details.adopted = Some(true);
        }
        if servers {
            self.fill_in_environments(&mut snapshot, &tops);
            let tree = Tree::new(&snapshot);
            let serves =
                |pid: &Pid| tree.get(*pid).is_some_and(|record| Resolution::of(record).runs_one_program());
            let serving: Vec<Pid> = tops.iter().copied().filter(serves).collect();
            roles = roles.with_servers(&tree, &serving);
        }
        Ok(GuardedLook { snapshot, roles, catalog, tops })
    }

    /// Gives members whose environment cannot be read the environment of `exec`. Otherwise they would count as possible
    /// jobs of a client's shell tool. The environment of `exec` shows whether they are.
    fn fill_in_environments(&self, snapshot: &mut Snapshot, tops: &[Pid]) {
        let tree = Tree::new(snapshot);
        let members = tops.iter().flat_map(|top| tree.descend(*top, |_| false));
        let members: BTreeSet<Pid> = members.map(ProcessRecord::pid).collect();
        for record in snapshot.processes.iter_mut().filter(|record| members.contains(&record.pid())) {
            if record.details.env.is_none() {
                record.details.env.clone_from(&self.environment);
            }
        }
    }

    /// Was the root a server, by its command line? Needed when the root is gone.
    pub(super) fn was_a_server(&self, policy: &Policy) -> bool {
        let catalog = Catalog::builtin().with_rules(&policy.servers);
        was_a_server(&self.command, self.shell_script, &catalog)
    }

    /// The name of the server, by its command line.
    pub(super) fn name(&self) -> String {
        let record = ProcessRecord::with_argv(self.command.clone());
        let known = Catalog::builtin().identify(&record).map(|known| known.name);
        let resolved = || Resolution::of(&record).name().map(str::to_owned);
        known.or_else(resolved).unwrap_or_else(|| "server".to_owned())
    }

    /// The processes whose details the judgement of this server needs: its own and those above.
    fn interest(&self, table: &Snapshot, scout: &RefCell<Scout<'_>>) -> Interest {
        let Interest { surely, .. } = scout.borrow_mut().interest(table);
        let tree = Tree::new(table);
        let mut ours: BTreeSet<Pid> = self.members(table).into_iter().collect();
        let mine: Vec<&ProcessRecord> = ours.iter().filter_map(|pid| tree.get(*pid)).collect();
        let line: BTreeSet<Pid> =
            mine.iter().flat_map(|record| tree.ancestors(record)).map(ProcessRecord::pid).collect();
        ours.extend(surely.into_iter().filter(|pid| line.contains(pid)));
        let above = line.into_iter().filter(|pid| !ours.contains(pid)).collect();
        Interest { surely: ours.into_iter().collect(), above, ..Interest::default() }
    }

    fn members(&self, table: &Snapshot) -> Vec<Pid> {
        let tree = Tree::new(table);
        let tops = self.tops(table, false, |_| false);
        let below = tops.iter().flat_map(|top| tree.descend(*top, |_| false));
        below.map(ProcessRecord::pid).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The topmost processes of the server. `closely`: the details of all processes that may belong to it were read.
    fn tops(
        &self,
        table: &Snapshot,
        closely: bool,
        is_separate: impl Fn(&ProcessRecord) -> bool,
    ) -> Vec<Pid> {
        let carriers = self.carriers(table);
        let tree = Tree::new(table);
        let catalog = (closely && !carriers.is_empty()).then(Catalog::builtin);
        let server = ExecServer {
            tree: &tree,
            root: self.marker.root,
            session: self.session,
            environment: self.environment.as_ref(),
            carriers: &carriers,
            adopters: &self.adopters,
        };
        server.tops(catalog.as_ref(), is_separate).iter().map(|top| top.pid()).collect()
    }

    /// Adopted processes of this user that carry the marker. If the environment cannot be read (macOS hides that of its
    /// own programs), a process that a member forked counts as one.
    fn carriers(&self, table: &Snapshot) -> BTreeSet<Pid> {
        let entry = format!("{VARIABLE}={}", self.marker);
        let born = |lineage: Lineage| self.born.borrow().contains(&lineage.parent);
        let carries = |pid: &Pid| match self.host.environment(*pid) {
            Some(bytes) => bytes.split(|byte| *byte == 0).any(|v| v == entry.as_bytes()),
            None => self.host.lineage(*pid).is_some_and(born),
        };
        self.adopted(table).map(ProcessRecord::pid).filter(carries).collect()
    }

    /// Is there an adopted process whose environment cannot be read yet? During exec(2) the parent may go on and end
    /// before the new program's environment is in place (fs/exec.c, `exec_mmap`).
    pub(super) fn is_any_in_exec(&self, table: &Snapshot) -> bool {
        /// In seconds; far longer than an exec takes. Older processes do not count, because some never show an
        /// environment.
        const AN_EXEC: f64 = 5.0;
        let mut young = self.adopted(table).filter(|record| table.age(record) < AN_EXEC);
        young.any(|record| self.host.environment(record.pid()).is_none_or(|bytes| bytes.is_empty()))
    }

    fn adopted<'t>(&'t self, table: &'t Snapshot) -> impl Iterator<Item = &'t ProcessRecord> {
        table.processes.iter().filter(|record| {
            self.adopters.contains(&record.parent)
                && !record.is_zombie()
                && record.uid == Some(table.viewer.uid)
                && record.id.start >= self.marker.root.start
                && record.pid() != table.viewer.pid
        })
    }
}

/// Was a program with this command line a server? A script, a command line or a session of a shell was none, nor was a
/// tool: their processes may be jobs that are meant to outlive them.
fn was_a_server(command: &Argv, shell_script: bool, catalog: &Catalog) -> bool {
    let record = ProcessRecord::with_argv(command.clone());
    let runs = Resolution::of(&record);
    if !runs.line.is_empty() {
        return false;
    }
    match catalog.identify(&record).map(|known| known.role) {
        Some(Role::Server | Role::Launcher) => true,
        Some(Role::Client | Role::Supervisor | Role::Init | Role::Helper) => false,
        Some(Role::Wrapper) | None => {
            let script = shell_script || runs.runs_shell_script();
            runs.runs_one_program() && !script && (runs.is_inline() || !catalog.is_known_tool(&record))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_that_is_gone_was_a_server_only_where_its_command_line_says_so() {
        for (line, shell_script, expected) in [
            (&["python3", "-c", "serve()"][..], false, true),
            (&["python3", "/srv/notes.py"], false, true),
            (&["npx", "-y", "notes"], false, true),
            (&["/opt/notes/notes"], false, true),
            (&["/opt/notes/notes"], true, false),
            (&["/opt/notes-mcp"], true, true),
            (&["sh", "deploy.sh"], false, false),
            (&["bash", "-i"], false, false),
            (&["bash", "-c", "nohup notes & exit 0"], false, false),
            (&["bash", "-c", "nohup notes-mcp & exit 0"], false, false),
            (&["make", "deploy"], false, false),
            (&["codex"], false, false),
        ] {
            let command = line.iter().copied().collect::<Argv>();
            let was = was_a_server(&command, shell_script, &Catalog::builtin());
            assert_eq!(was, expected, "{line:?} {shell_script}");
        }
    }
}
