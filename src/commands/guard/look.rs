//! What a guardian sees of the machine: its own server in detail, all else only as rows.

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
use crate::process::{Interest, Pid, ProcessRecord, Snapshot, StartTime};
use crate::program::Resolution;
use crate::reap::Lineage;
use crate::roles::Roles;
use crate::tree::Tree;

/// The server that is guarded.
pub(super) struct Guarded<H> {
    /// Where it runs.
    pub(super) host: H,
    /// Its root and its marker.
    pub(super) marker: Marker,
    /// The session of its root: a process with a terminal in another one is not part of it.
    pub(super) session: Option<Pid>,
    /// The processes that adopt orphans here.
    pub(super) adopters: Vec<Pid>,
    /// The command line behind `exec`.
    pub(super) command: Argv,
    /// The command is a script for a shell.
    pub(super) shell_script: bool,
    /// What the environment of `exec` says, which all that it became and started was handed.
    pub(super) environment: Option<BTreeMap<String, String>>,
    /// Numbers of the root and of every member that was seen, where the system gives each to one process only: a
    /// process that one of them forked was born to this server.
    pub(super) born: RefCell<BTreeSet<u64>>,
}

/// One look.
pub(super) struct GuardedLook {
    pub(super) snapshot: Snapshot,
    pub(super) roles: Roles,
    pub(super) catalog: Catalog,
    /// The tops of what belongs to the server.
    pub(super) tops: Vec<Pid>,
}

impl<H: Host> Guarded<H> {
    /// The table with everything about the server's own processes, and what is below a top. `None` where
    /// nothing of it is left.
    pub(super) fn glance(&self) -> anyhow::Result<(Snapshot, Vec<Pid>)> {
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

    /// A look for a judgement. `servers`: tops that no catalog knows are servers because the person put
    /// `exec` in front of them.
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
        let client = |record: &ProcessRecord| roles.role(record.pid()) == Some(Role::Client);
        let tops = self.tops(&snapshot, true, client);
        // It was born below the root, and the root is not its parent: its parent adopted it.
        let adopted = |record: &&mut ProcessRecord| {
            tops.contains(&record.pid())
                && record.id != self.marker.root
                && self.adopters.contains(&record.parent)
        };
        for record in snapshot.processes.iter_mut().filter(adopted) {
            record.details.adopted = Some(true);
        }
        if servers {
            self.show_environments(&mut snapshot, &tops);
            let tree = Tree::new(&snapshot);
            let serves =
                |pid: &Pid| tree.get(*pid).is_some_and(|record| Resolution::of(record).runs_one_program());
            let serving: Vec<Pid> = tops.iter().copied().filter(serves).collect();
            roles = roles.with_servers(&tree, &serving);
        }
        Ok(GuardedLook { snapshot, roles, catalog, tops })
    }

    /// Members that hide their environment may be jobs of a client's shell tool, as far as a look can tell; but what
    /// `exec` became was started as a server, and whether it was such a job then, the environment of `exec` says.
    fn show_environments(&self, snapshot: &mut Snapshot, tops: &[Pid]) {
        let tree = Tree::new(snapshot);
        let members = tops.iter().flat_map(|top| tree.descend(*top, |_| false));
        let members: BTreeSet<Pid> = members.map(ProcessRecord::pid).collect();
        for record in snapshot.processes.iter_mut().filter(|record| members.contains(&record.pid())) {
            if record.details.env.is_none() {
                record.details.env.clone_from(&self.environment);
            }
        }
    }

    /// Was the root a server, as far as its command line tells? Asked when it is gone.
    pub(super) fn was_a_server(&self, policy: &Policy) -> bool {
        let catalog = Catalog::builtin().with_rules(&policy.servers);
        was_a_server(&self.command, self.shell_script, &catalog)
    }

    /// Its name, by its command line.
    pub(super) fn name(&self) -> String {
        let mut record = ProcessRecord::new(self.marker.root.pid, self.marker.root.start);
        record.argv = Some(self.command.clone());
        let known = Catalog::builtin().identify(&record).map(|known| known.name);
        let resolved = || Resolution::of(&record).name().map(str::to_owned);
        known.or_else(resolved).unwrap_or_else(|| "server".to_owned())
    }

    /// What the judgement wants to know, as far as it is about this server: its processes and those above.
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

    /// `closely`: all was read of everything that may be ours.
    fn tops(&self, table: &Snapshot, closely: bool, is_client: impl Fn(&ProcessRecord) -> bool) -> Vec<Pid> {
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
        server.tops(catalog.as_ref(), is_client).iter().map(|top| top.pid()).collect()
    }

    /// Adopted processes of ours that carry the marker. Where the environment is not shown (macOS keeps that of the
    /// system's programs to itself), a process that a member forked is one.
    fn carriers(&self, table: &Snapshot) -> BTreeSet<Pid> {
        let entry = format!("{VARIABLE}={}", self.marker);
        let born = |lineage: Lineage| self.born.borrow().contains(&lineage.parent);
        let carries = |pid: &Pid| match self.host.environment(*pid) {
            Some(bytes) => bytes.split(|byte| *byte == 0).any(|v| v == entry.as_bytes()),
            None => self.host.lineage(*pid).is_some_and(born),
        };
        self.adopted(table).map(ProcessRecord::pid).filter(carries).collect()
    }

    /// Is there an adopted process whose environment cannot be read yet? exec(2) lets the parent go on, and
    /// end, before the new program's environment is in its place (fs/exec.c, `exec_mmap`).
    pub(super) fn somebody_is_in_exec(&self, table: &Snapshot) -> bool {
        /// Far longer than an exec takes, in seconds. Some processes never show an environment.
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

/// A script, a line or a session of a shell and a tool are no servers: what these leave behind may be jobs that are to
/// outlive them.
fn was_a_server(command: &Argv, shell_script: bool, catalog: &Catalog) -> bool {
    let mut record = ProcessRecord::new(Pid(0), StartTime(0));
    record.argv = Some(command.clone());
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
