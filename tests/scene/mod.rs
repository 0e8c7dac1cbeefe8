//! Process tables written by hand, in few words.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use mcp_reap::catalog::Catalog;
use mcp_reap::classify::{self, Judgement, Verdict};
use mcp_reap::look::Look;
use mcp_reap::plan::Plan;
use mcp_reap::policy::Policy;
use mcp_reap::process::{
    Listener, Pid, ProcessRecord, ProcessState, Service, Snapshot, StartTime, Stdio, StdioKind, Uid, Viewer,
};

/// 2026-11-20T14:00:00Z.
pub const NOW: f64 = 1_795_183_200.0;
pub const ME: u32 = 1000;

/// A table under construction.
#[derive(Clone)]
pub struct Table {
    pub snapshot: Snapshot,
}

/// One line a process, as a person would want to see a counterexample.
impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for r in &self.snapshot.processes {
            let age = NOW - r.started_at;
            let stdio = r.details.stdio.as_ref().map(|s| (s.stdin_kind, &s.stdin_peers, &s.stdout_peers));
            let unit = r.details.service.as_ref().map(|s| s.main_pid);
            writeln!(
                f,
                "\n{} <- {} uid {:?} {:?} age {age} {:?} ports {:?} {:?} unit {unit:?} env {:?} {:?}",
                r.pid(),
                r.parent,
                r.uid,
                r.state,
                stdio,
                r.details.listening,
                r.details.connected,
                r.details.env,
                r.command(),
            )?;
        }
        Ok(())
    }
}

/// A row under construction; all about it has a default that says nothing against ending it.
pub struct Row<'a>(&'a mut ProcessRecord);

impl Table {
    /// A machine with pid 1 (systemd) and mcp-reap itself, started from a shell.
    pub fn new() -> Table {
        let mut table = Table {
            snapshot: Snapshot {
                schema: 1,
                os: "linux".to_owned(),
                taken_at: chrono::DateTime::from_timestamp(NOW as i64, 0).unwrap(),
                viewer: Viewer { pid: Pid(900), uid: Uid(ME) },
                systemd: false,
                unreadable: Vec::new(),
                processes: Vec::new(),
            },
        };
        table.add(1, 0, "/sbin/init").uid(0).age(900_000.0);
        table.add(800, 1, "-bash").age(80_000.0).tty("pts/9");
        table.add(900, 800, "mcp-reap --dry-run").age(0.1).tty("pts/9");
        table
    }

    /// Adds a process; the words of `command` are its argv.
    pub fn add(&mut self, pid: u32, parent: u32, command: &str) -> Row<'_> {
        let argv: Vec<_> = command.split(' ').map(Into::into).collect();
        self.add_argv(pid, parent, argv)
    }

    /// Adds a process whose argv is one string, as npm leaves it.
    pub fn add_title(&mut self, pid: u32, parent: u32, title: &str) -> Row<'_> {
        self.add_argv(pid, parent, vec![title.into()])
    }

    /// Adds a process with this argv.
    pub fn add_argv(&mut self, pid: u32, parent: u32, argv: Vec<mcp_reap::bytes::RawText>) -> Row<'_> {
        let mut record = ProcessRecord::new(Pid(pid), StartTime(u64::from(pid)));
        let program = argv.first().map(ToString::to_string).unwrap_or_default();
        let comm: String = program.rsplit('/').next().unwrap().chars().take(15).collect();
        record.parent = Pid(parent);
        record.group = Pid(pid);
        record.session = Pid(pid);
        record.uid = Some(Uid(ME));
        record.started_at = NOW - 3600.0;
        record.rss = 50 << 20;
        record.comm = comm.as_str().into();
        record.argv = Some(argv.iter().collect());
        record.details.env = Some(BTreeMap::new());
        record.details.cgroup = Some("/user.slice/user-1000.slice/session-3.scope".to_owned());
        record.details.stdio = Some(Stdio::of_kind(StdioKind::Null));
        record.details.listening = Some(Vec::new());
        record.details.connected = Some(0);
        self.snapshot.processes.push(record);
        Row(self.snapshot.processes.last_mut().unwrap()).age(3600.0)
    }

    /// The row of a process that was added.
    pub fn row(&mut self, pid: u32) -> Row<'_> {
        Row(self.snapshot.processes.iter_mut().find(|r| r.pid() == Pid(pid)).unwrap())
    }

    /// The ordinary npx tree: npm exec -> sh -c -> node, on one wire.
    pub fn npx(&mut self, first: u32, parent: u32, wire: Wire) -> &mut Table {
        self.add_title(first, parent, "npm exec @modelcontextprotocol/server-memory").wire(wire);
        self.add_argv(first + 1, first, vec!["sh".into(), "-c".into(), "'mcp-server-memory'".into()])
            .wire(wire);
        self.add(
            first + 2,
            first + 1,
            "node /home/u/.npm/_npx/15b07286cbcc3329/node_modules/.bin/mcp-server-memory",
        )
        .wire(wire);
        self
    }

    pub fn without(mut self, pid: u32) -> Table {
        self.snapshot.processes.retain(|record| record.pid() != Pid(pid));
        self
    }

    pub fn judge(&self, policy: &Policy) -> Judgement<'_> {
        self.judge_and_plan(policy).0
    }

    pub fn plan(&self, policy: &Policy) -> Plan {
        self.judge_and_plan(policy).1
    }

    pub fn judge_and_plan(&self, policy: &Policy) -> (Judgement<'_>, Plan) {
        static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::builtin);
        if policy.servers.is_empty() {
            return self.judge_by(&CATALOG, policy);
        }
        // Findings live as long as what they were judged by.
        self.judge_by(Box::leak(Box::new(Catalog::builtin().with_rules(&policy.servers))), policy)
    }

    pub fn judge_by<'t>(&'t self, catalog: &'t Catalog, policy: &Policy) -> (Judgement<'t>, Plan) {
        let look = Look::new(&self.snapshot, catalog);
        let judgement = classify::judge(&look, policy);
        let plan = Plan::of_unused(&judgement, &look, policy);
        (judgement, plan)
    }

    /// The verdict on the instance that has this member.
    pub fn verdict(&self, policy: &Policy, pid: u32) -> Option<Verdict> {
        let judgement = self.judge(policy);
        let of = |f: &&classify::Finding<'_>| f.instance.contains(Pid(pid));
        judgement.findings.iter().find(of).map(|f| f.verdict)
    }

    /// All pids that would be ended, ascending.
    pub fn ended(&self, policy: &Policy) -> Vec<u32> {
        let plan = self.plan(policy);
        let mut pids: Vec<u32> = plan.targets.iter().flat_map(|t| &t.members).map(|m| m.id.pid.0).collect();
        pids.sort_unstable();
        pids
    }
}

/// Both directions of a wire.
#[derive(Clone, Copy, Debug)]
pub enum Wire {
    /// Held by this process.
    Held(u32),
    /// Nobody at the other end.
    Closed,
    /// stdin closed, stdout still held.
    HalfClosed(u32),
    /// There is one, but not who holds it.
    Unknown,
    /// /dev/null.
    Null,
}

impl Row<'_> {
    pub fn uid(self, uid: u32) -> Self {
        self.0.uid = Some(Uid(uid));
        self
    }

    /// Seconds.
    pub fn age(self, age: f64) -> Self {
        self.0.started_at = NOW - age;
        self.0.id.start = StartTime((1_000_000_000.0 - age * 100.0) as u64);
        self
    }

    pub fn tty(self, tty: &str) -> Self {
        self.0.details.tty = Some(tty.into());
        self.0.details.stdio = Some(Stdio::of_kind(StdioKind::Tty));
        self
    }

    /// In the process group and session of this process, as a server that a client spawned plainly.
    pub fn born_into(self, leader: u32) -> Self {
        self.0.group = Pid(leader);
        self.0.session = Pid(leader);
        self
    }

    pub fn rss(self, bytes: u64) -> Self {
        self.0.rss = bytes;
        self
    }

    pub fn state(self, letter: char) -> Self {
        self.0.state = ProcessState::from_letter(letter as u8);
        self
    }

    pub fn wire(self, wire: Wire) -> Self {
        let (kind, stdin, stdout) = match wire {
            Wire::Held(pid) => (StdioKind::Socket, Some(vec![Pid(pid)]), Some(vec![Pid(pid)])),
            Wire::Closed => (StdioKind::Socket, Some(vec![]), Some(vec![])),
            Wire::HalfClosed(pid) => (StdioKind::Socket, Some(vec![]), Some(vec![Pid(pid)])),
            Wire::Unknown => (StdioKind::Socket, None, None),
            Wire::Null => (StdioKind::Null, None, None),
        };
        // Rows with the same wire have the same end of it, as the members of one tree do.
        let id = match wire {
            Wire::Held(pid) => Some(u64::from(pid) * 10),
            Wire::Closed => Some(1),
            Wire::HalfClosed(pid) => Some(u64::from(pid) * 10 + 1),
            Wire::Unknown => Some(2),
            Wire::Null => None,
        };
        self.0.details.stdio = Some(Stdio {
            stdin_peers: stdin,
            stdout_peers: stdout,
            stdin_id: id,
            stdout_id: id,
            ..Stdio::of_kind(kind)
        });
        self
    }

    pub fn listens(self, port: u16, connected: u32) -> Self {
        self.0.details.listening = Some(vec![Listener::Tcp(port)]);
        self.0.details.connected = Some(connected);
        self
    }

    pub fn env(self, pairs: &[(&str, &str)]) -> Self {
        self.0.details.env = Some(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
        self
    }

    pub fn unit(self, name: &str, main_pid: Option<u32>) -> Self {
        self.0.details.cgroup = Some(format!("/system.slice/{name}"));
        self.0.details.service = Some(Service {
            manager: "systemd".to_owned(),
            name: name.to_owned(),
            main_pid: main_pid.map(Pid),
            active: false,
        });
        self
    }

    pub fn change(self, change: impl FnOnce(&mut ProcessRecord)) -> Self {
        change(self.0);
        self
    }
}
