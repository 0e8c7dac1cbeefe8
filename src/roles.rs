//! What part each process of a snapshot plays: by its own argv, then by its environment, then by the wires it holds.

mod exec;
mod identity;

use std::collections::BTreeMap;
use std::rc::Rc;

pub(crate) use identity::is_tool_job;
use identity::{Identity, Part, is_looked_at, line, started_as_server};

use crate::catalog::{Basis, Catalog, Identification, Names, Role};
use crate::process::{OtherEnd, Pid, ProcessRecord, Stdio};
use crate::program::Resolution;
use crate::tree::Tree;

/// The processes that play a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Sorted by pid.
    known: Vec<Known>,
    /// Identified by argv, but not confirmed by anything else read so far; sorted by pid.
    unproven: Vec<Pid>,
}

/// What one process is. Copies of one line share it: a machine has hundreds of them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    pid: Pid,
    is: Rc<Part>,
}

impl Known {
    fn new(pid: Pid, what: Identification, runs: Resolution) -> Known {
        Known { pid, is: Rc::new(Part::new(what, runs)) }
    }
}

impl Roles {
    /// Identifies every living process.
    pub(crate) fn assign(tree: &Tree<'_>, catalog: &Catalog) -> Roles {
        let mut roles = Roles::default();
        roles.identify_all(tree.living(), tree, catalog);
        roles
    }

    /// Re-identifies only rows whose details were read; drops rows that vanished.
    /// The catalog must be the one these roles were assigned by.
    pub(crate) fn after_details(self, tree: &Tree<'_>, catalog: &Catalog) -> Roles {
        self.reidentified(tree, catalog, is_looked_at)
    }

    /// Re-identifies by a catalog that also has the entries of configuration files: rows whose details were read, and
    /// rows that may match an entry.
    pub(crate) fn after_configurations(self, tree: &Tree<'_>, catalog: &Catalog) -> Roles {
        self.reidentified(tree, catalog, |record| is_looked_at(record) || catalog.may_be_configured(record))
    }

    /// Identifies changed rows again and drops rows that vanished.
    fn reidentified(
        mut self,
        tree: &Tree<'_>,
        catalog: &Catalog,
        changed: impl Fn(&ProcessRecord) -> bool,
    ) -> Roles {
        let stays = |pid: Pid| tree.get(pid).is_some_and(|record| !changed(record));
        self.known.retain(|known| stays(known.pid));
        self.unproven.retain(|pid| stays(*pid));
        // Collected so that `changed` runs once per row: `identify_all` goes through the rows more than once.
        let rows: Vec<&ProcessRecord> = tree.living().filter(|record| changed(record)).collect();
        self.identify_all(rows.into_iter(), tree, catalog);
        self
    }

    /// Takes these processes for servers because a person said that they start one, whatever they are called. A process
    /// whose own name gives it a role keeps that role.
    pub(crate) fn with_servers(mut self, tree: &Tree<'_>, pids: &[Pid]) -> Roles {
        self.name_started_by_exec(tree, pids);
        self.overrule(self.acting_clients(tree));
        self
    }

    fn name_started_by_exec(&mut self, tree: &Tree<'_>, pids: &[Pid]) {
        let nameless = |pid: &&Pid| self.role(**pid).is_none_or(|role| role == Role::Wrapper);
        let records = pids.iter().filter(nameless).filter_map(|pid| tree.get(*pid));
        let found = records.map(|record| {
            let (what, runs) = exec::started(record);
            Known::new(record.pid(), what, runs)
        });
        let found = found.collect();
        self.overrule(found);
    }

    /// Identifies these rows and adds what they are.
    fn identify_all<'r>(
        &mut self,
        rows: impl Iterator<Item = &'r ProcessRecord> + Clone,
        tree: &Tree<'_>,
        catalog: &Catalog,
    ) {
        // Each distinct line is judged once: a machine has many shells, and a hundred copies of one server.
        let (mut names, mut lines) = (Names::default(), BTreeMap::new());
        for record in rows.clone().filter(|record| catalog.may_identify(record, &mut names)) {
            let identity = match line(record) {
                Some(line) => lines.entry(line).or_insert_with(|| Identity::of(record, catalog)).clone(),
                None => Identity::of(record, catalog),
            };
            match identity {
                Identity::Nothing => {}
                Identity::Unproven => self.unproven.push(record.pid()),
                Identity::Known(is) => self.known.push(Known { pid: record.pid(), is }),
            }
        }
        self.known.sort_unstable_by_key(|known| known.pid);
        self.unproven.sort_unstable();
        let by_environment: Vec<_> = rows
            .clone()
            .filter(|record| started_as_server(record) && !catalog.is_known_tool(record))
            .filter(|record| self.role(record.pid()).is_none_or(|role| role == Role::Wrapper))
            .filter(|record| tree.parent(record).is_none_or(|parent| self.stands_alone(parent)))
            .filter(|record| !self.is_a_persons(record, tree, catalog) && !catalog.is_development(record))
            .map(|record| {
                let runs = self.resolution(record.pid()).cloned().unwrap_or_else(|| Resolution::of(record));
                let name = runs.name().map_or_else(|| record.comm.to_string(), str::to_owned);
                let what = Identification { role: Role::Server, name, basis: Basis::Environment };
                Known::new(record.pid(), what, runs)
            })
            .collect();
        self.overrule(by_environment);
        let adopts = |pid: Pid| pid == Pid::INIT || self.role(pid) == Some(Role::Init);
        let marked = rows.filter(|record| exec::is_marked_server(record, tree, adopts));
        let marked: Vec<Pid> = marked.map(ProcessRecord::pid).collect();
        self.name_started_by_exec(tree, &marked);
        self.overrule(self.acting_clients(tree));
    }

    /// Replaces what was known of these processes.
    fn overrule(&mut self, found: Vec<Known>) {
        if found.is_empty() {
            return;
        }
        self.known.retain(|known| found.iter().all(|other| other.pid != known.pid));
        self.known.extend(found);
        self.known.sort_unstable_by_key(|known| known.pid);
    }

    /// Processes that hold both other ends of a server's wire and are on no wire themselves: clients, whatever their
    /// names. One that is on a wire is a gateway or a proxy, and plays the part that its name gives it.
    fn acting_clients(&self, tree: &Tree<'_>) -> Vec<Known> {
        let serving =
            self.known.iter().filter(|known| matches!(known.is.what.role, Role::Server | Role::Launcher));
        let mut found: Vec<Known> = Vec::new();
        for (server, stdio) in
            serving.filter_map(|known| Some((known.pid, tree.get(known.pid)?.details.stdio.as_ref()?)))
        {
            let (OtherEnd::Held(writers), OtherEnd::Held(readers)) = (stdio.stdin(), stdio.stdout()) else {
                continue;
            };
            for pid in writers.iter().filter(|pid| **pid != server && readers.contains(pid)) {
                let Some(record) = tree.get(*pid) else { continue };
                let off_wire = record.details.stdio.as_ref().and_then(Stdio::is_off_wire);
                let acts = match self.role(*pid) {
                    None | Some(Role::Wrapper) => off_wire != Some(false),
                    Some(Role::Server | Role::Launcher) => off_wire == Some(true),
                    Some(Role::Client | Role::Helper | Role::Supervisor | Role::Init) => false,
                };
                if acts && found.iter().all(|other| other.pid != *pid) {
                    let runs = self.resolution(*pid).cloned().unwrap_or_else(|| Resolution::of(record));
                    let name = self.get(*pid).map(|known| known.name.as_str()).or(runs.name());
                    let name = name.map_or_else(|| record.comm.to_string(), str::to_owned);
                    let basis = Basis::ActsAsClient { server };
                    let what = Identification { role: Role::Client, name, basis };
                    found.push(Known::new(*pid, what, runs));
                }
            }
        }
        found
    }

    /// What a process is, where that is known.
    pub fn get(&self, pid: Pid) -> Option<&Identification> {
        self.known(pid).map(|known| &known.is.what)
    }

    /// What a server or a launcher really runs.
    pub(crate) fn resolution(&self, pid: Pid) -> Option<&Resolution> {
        self.known(pid)?.is.runs.as_deref()
    }

    fn known(&self, pid: Pid) -> Option<&Known> {
        let at = self.known.binary_search_by_key(&pid, |known| known.pid).ok()?;
        self.known.get(at)
    }

    /// The part a process plays, where it plays one.
    pub fn role(&self, pid: Pid) -> Option<Role> {
        self.get(pid).map(|identification| identification.role)
    }

    /// All pids that play this part, ascending.
    pub fn all(&self, role: Role) -> Vec<Pid> {
        self.known.iter().filter(|known| known.is.what.role == role).map(|known| known.pid).collect()
    }

    /// Its argv names a role, but something else must confirm it, and does not or was not read yet.
    pub fn is_unproven(&self, pid: Pid) -> bool {
        self.unproven.binary_search(&pid).is_ok()
    }

    /// Below a server or its launcher it is a member of that instance, not a server of its own.
    fn stands_alone(&self, parent: &ProcessRecord) -> bool {
        let part = self.role(parent.pid());
        !started_as_server(parent) && !matches!(part, Some(Role::Server | Role::Launcher | Role::Helper))
    }

    /// The environment is handed down to all that a server opens for the person: a program with a window, and what was
    /// started in it, up to a client.
    fn is_a_persons(&self, record: &ProcessRecord, tree: &Tree<'_>, catalog: &Catalog) -> bool {
        let is_client = |above: &&ProcessRecord| self.role(above.pid()) == Some(Role::Client);
        let above = || tree.ancestors(record).into_iter().take_while(|above| !is_client(above));
        record.details.display
            || above().any(|above| above.details.display || catalog.is_persons_program(above))
    }
}
