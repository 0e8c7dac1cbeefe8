//! The role of each process of a snapshot, by its own argv, then by its environment, then by the wires it holds.

mod exec;
mod identity;

use std::collections::BTreeMap;
use std::rc::Rc;

pub(crate) use identity::is_tool_job;
use identity::{Identified, Identity, has_details, identity_key, started_as_server};

use crate::catalog::{Basis, Catalog, Identification, Names, Role};
use crate::process::{OtherEnd, Pid, ProcessRecord};
use crate::program::Resolution;
use crate::tree::Tree;

/// The processes that have a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Sorted by pid.
    known: Vec<Known>,
    /// Processes whose argv names a role that is not confirmed by anything read so far; sorted by pid.
    unproven: Vec<Pid>,
}

/// One identified process. Copies of one command line, of which a machine may have hundreds, share their identification.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    pid: Pid,
    identified: Rc<Identified>,
}

impl Known {
    fn new(pid: Pid, identification: Identification, runs: Resolution) -> Known {
        Known { pid, identified: Rc::new(Identified::new(identification, runs)) }
    }

    fn role(&self) -> Role {
        self.identified.identification.role
    }
}

impl Roles {
    /// Identifies every living process.
    pub(crate) fn assign(tree: &Tree<'_>, catalog: &Catalog) -> Roles {
        let mut roles = Roles::default();
        roles.identify_all(tree.living(), tree, catalog);
        roles
    }

    /// Identifies rows again whose details were read, and drops rows that vanished. The catalog must be the one by which
    /// these roles were assigned.
    pub(crate) fn after_details(self, tree: &Tree<'_>, catalog: &Catalog) -> Roles {
        self.reidentified(tree, catalog, has_details)
    }

    /// Identifies rows again by a catalog that also has the entries of configuration files: rows whose details were read,
    /// and rows that may match an entry.
    pub(crate) fn after_configurations(self, tree: &Tree<'_>, catalog: &Catalog) -> Roles {
        self.reidentified(tree, catalog, |record| has_details(record) || catalog.may_be_configured(record))
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

    /// Makes these processes servers, because the person put `exec` in front of them. A process whose own name gives it
    /// a role keeps that role.
    pub(crate) fn with_servers(mut self, tree: &Tree<'_>, pids: &[Pid]) -> Roles {
        self.add_started_by_exec(tree, pids);
        self.replace(self.acting_clients(tree));
        self
    }

    fn add_started_by_exec(&mut self, tree: &Tree<'_>, pids: &[Pid]) {
        let without_role = |pid: &&Pid| self.role(**pid).is_none_or(|role| role == Role::Wrapper);
        let records = pids.iter().filter(without_role).filter_map(|pid| tree.get(*pid));
        let found = records.map(|record| {
            let (identification, runs) = exec::identify_started(record);
            Known::new(record.pid(), identification, runs)
        });
        let found = found.collect();
        self.replace(found);
    }

    /// Identifies these rows and adds those that have a role.
    fn identify_all<'r>(
        &mut self,
        rows: impl Iterator<Item = &'r ProcessRecord> + Clone,
        tree: &Tree<'_>,
        catalog: &Catalog,
    ) {
        // Equal processes are identified once: a machine has many shells, and may have a hundred copies of one server.
        let (mut names, mut identities) = (Names::default(), BTreeMap::new());
        for record in rows.clone().filter(|record| catalog.may_identify(record, &mut names)) {
            let identity = match identity_key(record) {
                Some(key) => identities.entry(key).or_insert_with(|| Identity::of(record, catalog)).clone(),
                None => Identity::of(record, catalog),
            };
            match identity {
                Identity::Nothing => {}
                Identity::Unproven => self.unproven.push(record.pid()),
                Identity::Known(identified) => self.known.push(Known { pid: record.pid(), identified }),
            }
        }
        self.known.sort_unstable_by_key(|known| known.pid);
        self.unproven.sort_unstable();
        let servers = rows.clone().filter(|record| self.is_server_by_environment(record, tree, catalog));
        let servers: Vec<Known> = servers.map(|record| self.server_by_environment(record)).collect();
        self.replace(servers);
        let adopts = |pid: Pid| pid == Pid::INIT || self.role(pid) == Some(Role::Init);
        let marked = rows.filter(|record| exec::is_marked_server(record, tree, adopts));
        let marked: Vec<Pid> = marked.map(ProcessRecord::pid).collect();
        self.add_started_by_exec(tree, &marked);
        self.replace(self.acting_clients(tree));
    }

    /// Is it a server without a known name, which its environment shows to be one? Nothing else may explain the process: a
    /// role by its name, a parent that is a server, a person, or a developer's tool.
    fn is_server_by_environment(&self, record: &ProcessRecord, tree: &Tree<'_>, catalog: &Catalog) -> bool {
        started_as_server(record)
            && !catalog.is_known_tool(record)
            && self.role(record.pid()).is_none_or(|role| role == Role::Wrapper)
            && tree.parent(record).is_none_or(|parent| self.can_start_servers(parent))
            && !self.is_of_a_person(record, tree, catalog)
            && !catalog.is_development(record)
    }

    fn server_by_environment(&self, record: &ProcessRecord) -> Known {
        let runs = self.resolution(record.pid()).cloned().unwrap_or_else(|| Resolution::of(record));
        let name = runs.name().map_or_else(|| record.comm.to_string(), str::to_owned);
        let server = Identification { role: Role::Server, name, basis: Basis::Environment };
        Known::new(record.pid(), server, runs)
    }

    /// Replaces the identification of these processes.
    fn replace(&mut self, found: Vec<Known>) {
        if found.is_empty() {
            return;
        }
        self.known.retain(|known| found.iter().all(|other| other.pid != known.pid));
        self.known.extend(found);
        self.known.sort_unstable_by_key(|known| known.pid);
    }

    /// Processes that hold both other ends of a server's wire and are on no wire themselves. These are clients, whatever
    /// their names. A process that is on a wire itself is a gateway or a proxy, and has the role that its name gives it.
    fn acting_clients(&self, tree: &Tree<'_>) -> Vec<Known> {
        let serving = self.known.iter().filter(|known| matches!(known.role(), Role::Server | Role::Launcher));
        let mut found: Vec<Known> = Vec::new();
        for (server, stdio) in
            serving.filter_map(|known| Some((known.pid, tree.get(known.pid)?.details.stdio.as_ref()?)))
        {
            let (OtherEnd::Held(writers), OtherEnd::Held(readers)) = (stdio.stdin(), stdio.stdout()) else {
                continue;
            };
            let holds_both = writers.iter().filter(|pid| **pid != server && readers.contains(pid));
            for record in holds_both.filter_map(|pid| tree.get(*pid)) {
                let is_new = found.iter().all(|other| other.pid != record.pid());
                if is_new && self.acts_as_client(record) {
                    found.push(self.acting_client(record, server));
                }
            }
        }
        found
    }

    /// Is this holder of both other ends a client? A process without a role or a wrapper is, unless it is known to be on a
    /// wire itself. A server or launcher is only if it is known to be on none.
    fn acts_as_client(&self, record: &ProcessRecord) -> bool {
        let off_wire = record.is_off_wire();
        match self.role(record.pid()) {
            None | Some(Role::Wrapper) => off_wire != Some(false),
            Some(Role::Server | Role::Launcher) => off_wire == Some(true),
            Some(Role::Client | Role::Helper | Role::Supervisor | Role::Init) => false,
        }
    }

    fn acting_client(&self, record: &ProcessRecord, server: Pid) -> Known {
        let pid = record.pid();
        let runs = self.resolution(pid).cloned().unwrap_or_else(|| Resolution::of(record));
        let name = self.get(pid).map(|known| known.name.as_str()).or(runs.name());
        let name = name.map_or_else(|| record.comm.to_string(), str::to_owned);
        let basis = Basis::ActsAsClient { server };
        Known::new(pid, Identification { role: Role::Client, name, basis }, runs)
    }

    /// The role of a process, with its name and the evidence for it.
    pub fn get(&self, pid: Pid) -> Option<&Identification> {
        self.known(pid).map(|known| &known.identified.identification)
    }

    /// The program that a server, launcher or client really runs; `None` for other processes.
    pub(crate) fn resolution(&self, pid: Pid) -> Option<&Resolution> {
        self.known(pid)?.identified.runs.as_deref()
    }

    fn known(&self, pid: Pid) -> Option<&Known> {
        let at = self.known.binary_search_by_key(&pid, |known| known.pid).ok()?;
        self.known.get(at)
    }

    /// The role of a process, where it has one.
    pub fn role(&self, pid: Pid) -> Option<Role> {
        self.known(pid).map(Known::role)
    }

    /// All pids that have this role, ascending.
    pub fn all(&self, role: Role) -> Vec<Pid> {
        self.known.iter().filter(|known| known.role() == role).map(|known| known.pid).collect()
    }

    /// Does its argv name a role that must be confirmed by something that was not read yet or does not confirm it?
    pub fn is_unproven(&self, pid: Pid) -> bool {
        self.unproven.binary_search(&pid).is_ok()
    }

    /// Can a child of this parent be a server of its own? Below a server or its launcher it is a member of that instance.
    fn can_start_servers(&self, parent: &ProcessRecord) -> bool {
        let role = self.role(parent.pid());
        !started_as_server(parent) && !matches!(role, Some(Role::Server | Role::Launcher | Role::Helper))
    }

    /// Does it have a window, or is it below a program of the person that no client stands between? All programs that a
    /// server opens for the person inherit its environment.
    fn is_of_a_person(&self, record: &ProcessRecord, tree: &Tree<'_>, catalog: &Catalog) -> bool {
        let is_client = |above: &&ProcessRecord| self.role(above.pid()) == Some(Role::Client);
        let above = || tree.ancestors(record).into_iter().take_while(|above| !is_client(above));
        record.details.display
            || above().any(|above| above.details.display || catalog.is_persons_program(above))
    }
}
