//! The server of a guardian: what the guardian's loop (`guard::watch`) asks about it and has done to it, on any
//! machine.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use super::end::{Rules, Scope, judge_and_end};
use super::host::Host;
use super::look::Guarded;
use super::unread_rules::UnreadRules;
use crate::bytes::Argv;
use crate::catalog::{Catalog, Role};
use crate::guard::args::GuardArgs;
use crate::guard::decide::{StdoutReader, TreeState};
use crate::guard::watch::{Grace, Judged, ServerControl};
use crate::marker::Marker;
use crate::policy::Policy;
use crate::process::{OtherEnd, Pid, ProcessId, ProcessRecord, Snapshot};
use crate::program::Resolution;
use crate::sys::EVIDENCE_VARIABLES;
use crate::tree::Tree;

/// How often the servers that a client left are judged: after 3 s, and after 2, 4, 8 and 16 s more.
const SESSION_LOOKS: u32 = 5;

/// The time between two looks that both have to find nothing.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// One guardian's server, on one machine.
pub struct Server<H> {
    guarded: Guarded<H>,
    client: Pid,
    /// The process that talks to the server, if it is above the one that started it.
    behind: Option<ProcessId>,
    /// The value of `exec --linger`, which overrides the configuration.
    linger: Option<Duration>,
    is_client: Option<bool>,
    looks: u32,
    unread_rules: UnreadRules,
}

impl<H: Host> Server<H> {
    /// A server whose root is still `exec`. Reads what can only be read before the root becomes the server.
    pub fn new(host: H, args: &GuardArgs) -> Server<H> {
        let root = args.root.pid;
        let (session, command) = (host.session(root), command_of(&host.command(root)));
        let adopters = vec![Pid::INIT, host.adopter()];
        let environment = host.environment(root).map(|bytes| evidence(&bytes));
        let born = host.lineage(root).map(|lineage| lineage.own).into_iter().collect();
        Server {
            guarded: Guarded {
                host,
                marker: Marker { root: args.root, id: args.marker.clone() },
                session,
                adopters,
                command,
                shell_script: false,
                environment,
                born: RefCell::new(born),
            },
            client: Pid(args.client),
            behind: None,
            linger: args.linger,
            is_client: None,
            looks: 0,
            unread_rules: UnreadRules::default(),
        }
    }
}

impl<H> Server<H> {
    /// Sets whether the command behind `exec` is a script for a shell, which its name may not show.
    pub fn of_a_shell_script(mut self, is_one: bool) -> Server<H> {
        self.guarded.shell_script = is_one;
        self
    }
}

impl<H: Host> Server<H> {
    /// Looks for the client behind a wrapper (`sh -c "mcp-reap exec -- server; true"`): the nearest process above the
    /// server that holds both other ends of its stdio. This is done only if the process that started `exec` is no
    /// client by its command line and runs another program, and as soon as the server has its guardian: when the client
    /// has closed its ends, they show no holder.
    pub fn with_the_client_behind(mut self) -> Server<H> {
        if self.client > Pid::INIT && passes_on(&self.guarded.host.command(self.client)) {
            self.behind = self.holder_of_both_ends().filter(|holder| holder.pid != self.client);
        }
        self
    }

    fn holder_of_both_ends(&self) -> Option<ProcessId> {
        let root = self.guarded.marker.root;
        let snapshot = self.guarded.host.snapshot(&mut |_| vec![root.pid].into()).ok()?;
        let tree = Tree::new(&snapshot);
        let record = tree.get(root.pid).filter(|record| record.id == root)?;
        let stdio = record.details.stdio.as_ref()?;
        let (OtherEnd::Held(writers), OtherEnd::Held(readers)) = (stdio.stdin(), stdio.stdout()) else {
            return None;
        };
        let holds_both =
            |above: &&&ProcessRecord| writers.contains(&above.pid()) && readers.contains(&above.pid());
        tree.ancestors(record).iter().find(holds_both).map(|above| above.id)
    }

    /// The pids of its client. The one that stands behind a wrapper is left out if it has ended.
    fn clients(&self, snapshot: &Snapshot) -> Vec<Pid> {
        let lives = |id: &ProcessId| snapshot.processes.iter().any(|record| record.id == *id);
        std::iter::once(self.client).chain(self.behind.filter(lives).map(|id| id.pid)).collect()
    }
}

/// Does this command line run another program, and is it no client?
fn passes_on(line: &Argv) -> bool {
    let record = ProcessRecord::with_argv(line.clone());
    let known = Catalog::builtin().identify(&record).map(|known| known.role);
    let runs = Resolution::of(&record);
    known != Some(Role::Client) && (runs.is_launched() || !runs.line.is_empty())
}

/// The evidence variables in an environment.
fn evidence(bytes: &[u8]) -> BTreeMap<String, String> {
    let words =
        bytes.split(|byte| *byte == 0).filter_map(|word| std::str::from_utf8(word).ok()?.split_once('='));
    let known = words.filter(|(name, _)| EVIDENCE_VARIABLES.contains(name));
    known.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The words behind `exec`.
pub(super) fn command_of(line: &Argv) -> Argv {
    let words: Vec<&[u8]> = line.iter().collect();
    let exec = words.iter().position(|word| *word == b"exec").map_or(words.len(), |at| at + 1);
    let mut words = words.get(exec..).unwrap_or_default();
    loop {
        words = match words {
            [b"--linger", _, rest @ ..] => rest,
            [option, rest @ ..] if option.starts_with(b"--linger=") => rest,
            [b"--", rest @ ..] => return rest.iter().copied().collect(),
            _ => return words.iter().copied().collect(),
        }
    }
}

impl<H: Host> ServerControl for Server<H> {
    fn guards_a_client(&mut self) -> bool {
        *self.is_client.get_or_insert_with(|| {
            let record = ProcessRecord::with_argv(self.guarded.command.clone());
            Catalog::builtin().identify(&record).is_some_and(|known| known.role == Role::Client)
        })
    }

    fn linger(&mut self) -> Duration {
        // While the configuration cannot be read nothing is ended, so the default does no harm.
        let configured = || self.guarded.host.settings().map(|settings| settings.linger);
        self.linger.or_else(|| configured().ok()).unwrap_or(Policy::default().linger)
    }

    fn reader(&mut self) -> StdoutReader {
        let Ok((snapshot, members)) = self.guarded.read_members() else { return StdoutReader::Other };
        self.reader_of(&snapshot, &members)
    }

    fn tree(&mut self) -> TreeState {
        // If the root had no wire, nothing can be proven about what it left.
        if !self.guarded.marker.is_on_a_wire() && !self.guards_a_client() {
            return TreeState::Nothing;
        }
        match self.tree_now() {
            // If a process forks and ends while the table is read, neither it nor its child may be seen.
            TreeState::Nothing => {
                self.guarded.host.sleep(LOOK_AGAIN);
                self.tree_now()
            }
            tree => tree,
        }
    }

    fn judge(&mut self, grace: Grace, pause: &mut dyn FnMut(Duration) -> bool) -> Judged {
        let scope = if self.guards_a_client() { Scope::Session } else { Scope::Server };
        let lingering: Vec<Pid> = match grace {
            Grace::Ahead { lingered: true, .. } => {
                std::iter::once(self.client).chain(self.behind.map(|id| id.pid)).collect()
            }
            Grace::Ahead { .. } | Grace::None => Vec::new(),
        };
        let judged = match self.guarded.host.settings().map(Rules::from) {
            Ok(rules) => judge_and_end(&self.guarded, &rules, scope, grace, &lingering, pause),
            Err(error) => {
                let why = super::super::output::with_causes(&error);
                Err(self.unread_rules.leave_alone(&self.guarded, &why, grace, pause).err().unwrap_or(error))
            }
        };
        self.looks += 1;
        match judged {
            Ok(Judged::SomethingLeft) if scope == Scope::Session && self.looks >= SESSION_LOOKS => {
                Judged::NothingLeft
            }
            Ok(judged) => judged,
            Err(error) => {
                super::super::output::log_to_file();
                tracing::warn!("guard: {}", super::super::output::with_causes(&error));
                Judged::SomethingLeft
            }
        }
    }
}

impl<H: Host> Server<H> {
    /// Which outside process reads the stdout of the server's processes.
    fn reader_of(&self, snapshot: &Snapshot, members: &[Pid]) -> StdoutReader {
        let mut readers: Vec<Pid> = Vec::new();
        let mut closed = false;
        let ours = |record: &&ProcessRecord| members.contains(&record.pid());
        for record in snapshot.processes.iter().filter(ours) {
            // A helper's own stdout belongs to the process that started it.
            let root = record.id == self.guarded.marker.root;
            match record.details.stdio.as_ref().map_or(OtherEnd::Unread, |stdio| stdio.stdout()) {
                OtherEnd::Closed => closed |= root,
                OtherEnd::Held(holders) => {
                    readers.extend(holders.iter().filter(|pid| !members.contains(pid)));
                }
                OtherEnd::Unread | OtherEnd::Absent if root => return StdoutReader::Other,
                OtherEnd::Unread | OtherEnd::Absent => {}
            }
        }
        let clients = self.clients(snapshot);
        match readers.iter().all(|reader| clients.contains(reader)) {
            true if !readers.is_empty() => StdoutReader::Client,
            true if closed => StdoutReader::Gone,
            _ => StdoutReader::Other,
        }
    }

    fn tree_now(&mut self) -> TreeState {
        // If the table cannot be read, the judgement is run. It leaves the server alone, and is repeated ever more
        // seldom.
        let Ok((snapshot, members)) = self.guarded.read_members() else { return TreeState::CutOff };
        let mut left = snapshot.processes.iter().filter(|record| members.contains(&record.pid())).peekable();
        if left.peek().is_none() {
            // `Connected` has the loop ask again in a moment.
            let soon = self.guarded.is_any_in_exec(&snapshot);
            return if soon { TreeState::Connected } else { TreeState::Nothing };
        }
        let connected = left.any(|record| match &record.details.stdio {
            Some(stdio) if stdio.is_wire() => stdio.stdin() != OtherEnd::Closed,
            _ => false,
        });
        if self.guards_a_client() {
            return TreeState::CutOff;
        }
        match self.reader_of(&snapshot, &members) {
            _ if connected => TreeState::Connected,
            StdoutReader::Client => TreeState::ReadByClient(Duration::ZERO),
            StdoutReader::Gone | StdoutReader::Other => TreeState::CutOff,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_exec_are_no_part_of_the_command() {
        for line in
            ["exec codex -q", "exec -- codex -q", "exec --linger 3s -- codex -q", "exec --linger=3s codex -q"]
        {
            let argv: Argv = std::iter::once("mcp-reap").chain(line.split(' ')).collect();
            assert_eq!(command_of(&argv), ["codex", "-q"].into_iter().collect::<Argv>(), "{line}");
        }
    }
}
