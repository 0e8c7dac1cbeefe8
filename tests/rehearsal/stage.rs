//! The kernel of paper: a small world of processes in which time moves only when someone waits or
//! sends. It keeps the kernel's own rules: children inherit group and session, orphans are handed to
//! pid 1, and a number is given again only when no process, group or session bears it any more.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use mcp_reap::bytes::Argv;
use mcp_reap::process::{Pid, ProcessId, StartTime, Uid};
use mcp_reap::reap::{
    Activity, HeldPipe, Kernel, Lookout, MemberEvent, ProcessRow, ProcessTable, Recorder, Refusal, Signal,
    Step,
};

/// The person's login shell and the client, which both live on.
pub const SHELL: u32 = 40;
pub const CLIENT: u32 = 50;

/// Where a process stands among groups and sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the client's group and session: a plain spawn.
    Clients,
    /// In a group of its own.
    OwnGroup,
    /// In a session of its own, and so in a group of its own.
    OwnSession,
}

/// What a process has on its descriptors 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// `/dev/null` and the like.
    Null,
    /// Wires that its client made for it.
    Own,
    /// Such a wire on 1 alone.
    Out,
    /// The client's own, passed on.
    Clients,
    /// What cannot be read.
    Hidden,
}

/// What lies on the descriptors 0, 1 and 7; `None` where it cannot be read.
pub type Wires = Option<[Option<u64>; 3]>;

/// The last of them.
const FAR: u32 = 7;

impl Line {
    pub fn wires(self, pid: u32) -> Wires {
        let (stdin, stdout) = (u64::from(pid), u64::from(pid) + 1_000_000);
        match self {
            Line::Null => Some([None; 3]),
            Line::Own => Some([Some(stdin), Some(stdout), None]),
            Line::Out => Some([None, Some(stdout), None]),
            Line::Clients => Line::Own.wires(CLIENT),
            Line::Hidden => None,
        }
    }
}

/// How one process of the play behaves.
#[derive(Clone, Debug)]
pub struct Role {
    /// Ends this many ms after SIGTERM; `None` ignores it.
    pub on_term: Option<u64>,
    /// Ends this many ms after SIGKILL; `None` hangs in the kernel.
    pub on_kill: Option<u64>,
    /// Ends by itself at this time.
    pub at: Option<u64>,
    /// Belongs to somebody else.
    pub denied: bool,
    /// Is held, but no signal is let through.
    pub shielded: bool,
    /// Is stopped and hears SIGTERM only after SIGCONT.
    pub stopped: bool,
    /// Its number belongs to another process when we come.
    pub reused: bool,
    /// Has a child from the beginning that the plan did not know.
    pub forks: bool,
    /// Forks at the moment it ends on SIGTERM or by itself.
    pub forks_dying: bool,
    /// Starts a child again whenever it has ended.
    pub respawns: bool,
    /// Its number goes to a stranger as soon as that can be.
    pub number_taken: bool,
    /// Had put a daemon into the background long ago, which lives on and forks too.
    pub daemon: bool,
    pub place: Place,
    pub line: Line,
}

/// Obeys after 20 ms.
pub fn obedient() -> Role {
    Role {
        on_term: Some(20),
        on_kill: Some(1),
        at: None,
        denied: false,
        shielded: false,
        stopped: false,
        reused: false,
        forks: false,
        forks_dying: false,
        respawns: false,
        number_taken: false,
        daemon: false,
        place: Place::Clients,
        line: Line::Null,
    }
}

/// Hears only SIGKILL.
pub fn stubborn() -> Role {
    Role { on_term: None, ..obedient() }
}

/// Everything that happened, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    Intent(ProcessId, Signal),
    Sent(ProcessId, Signal, Duration),
    Note(ProcessId, &'static str),
    /// The record could not be kept.
    Failed,
}

pub type Script = Rc<RefCell<Vec<Said>>>;

/// One process of the world.
#[derive(Clone, Debug)]
pub struct Body {
    pub start: u64,
    pub parent: u32,
    pub group: u32,
    pub session: u32,
    pub wires: Wires,
    pub role: Role,
    /// Planned, or born to somebody who is ours.
    pub ours: bool,
    /// Has ended, and its parent does not collect it.
    pub zombie: bool,
    /// Who traces it.
    pub tracer: Option<u32>,
    ends: Option<(Duration, bool)>,
    heard_term: bool,
    running: bool,
}

/// What becomes of a process, given its number.
type Change = fn(u32, &mut Body);

pub struct Stage {
    pub now: Duration,
    pub world: BTreeMap<u32, Body>,
    /// What one signal costs.
    pub cost: Duration,
    pub interrupt_at: Option<Duration>,
    /// Interrupted after this many signals.
    pub interrupt_after: Option<usize>,
    pub sent: usize,
    pub looks: usize,
    pub last_look: Duration,
    /// What one look costs.
    pub look_cost: Duration,
    /// Who gets the orphans; pid 1, or a subreaper of the world.
    pub adopter: u32,
    /// From this look on, not all of the table can be read.
    pub blind_from: Option<usize>,
    /// What the person's service manager runs.
    pub manager: Option<u32>,
    /// What else processes run, from this time on in ms.
    pub lines: BTreeMap<u32, (u64, &'static [&'static str])>,
    /// How many who are not ours were ever there.
    pub strangers: usize,
    next: u32,
    clock: u64,
    /// When the client forks somebody who is handed on, and daemons fork.
    bustle: Vec<Duration>,
    /// Who comes from elsewhere, and when.
    arrivals: Vec<(Duration, u32, Body)>,
    /// What becomes of whom, and when.
    changes: Vec<(Duration, u32, Change)>,
    script: Script,
}

impl Stage {
    pub fn new(roles: &[Role], script: Script) -> Stage {
        let mut stage = Stage {
            now: Duration::ZERO,
            world: BTreeMap::new(),
            cost: Duration::ZERO,
            interrupt_at: None,
            interrupt_after: None,
            sent: 0,
            looks: 0,
            last_look: Duration::ZERO,
            look_cost: Duration::ZERO,
            adopter: 1,
            blind_from: None,
            manager: None,
            lines: BTreeMap::new(),
            strangers: 0,
            next: 10_000,
            clock: 10_000,
            bustle: [0, 10, 300, 900, 4_990, 5_000, 5_001].map(Duration::from_millis).to_vec(),
            arrivals: Vec::new(),
            changes: Vec::new(),
            script,
        };
        let stranger = || Role { on_term: None, on_kill: Some(0), ..obedient() };
        stage.put(1, 0, 1, 1, stranger(), false);
        stage.put(SHELL, 1, SHELL, SHELL, stranger(), false);
        stage.put(CLIENT, SHELL, CLIENT, SHELL, stranger(), false);
        stage.body(CLIENT).wires = Line::Own.wires(CLIENT);
        for (i, role) in roles.iter().enumerate() {
            let pid = pid(i);
            let (group, session) = match role.place {
                Place::Clients => (CLIENT, SHELL),
                Place::OwnGroup => (pid, SHELL),
                Place::OwnSession => (pid, pid),
            };
            stage.put(pid, 1, group, session, role.clone(), !role.reused);
            let body = stage.body(pid);
            body.start = u64::from(pid) + u64::from(role.reused);
            body.ends = role.at.map(|at| (Duration::from_millis(at), true));
            body.wires = role.line.wires(pid);
            if role.daemon {
                stage.fork_as(pid, 1, stranger(), false);
            }
            if role.forks || role.respawns {
                stage.fork(pid, obedient());
            }
        }
        stage
    }

    fn put(&mut self, pid: u32, parent: u32, group: u32, session: u32, role: Role, ours: bool) {
        self.clock += 1;
        self.strangers += usize::from(!ours);
        let (start, running) = (self.clock, !role.stopped);
        let (ends, heard_term, wires) = (None, false, Some([None; 3]));
        let (zombie, tracer) = (false, None);
        let body = Body {
            start,
            parent,
            group,
            session,
            wires,
            role,
            ours,
            zombie,
            tracer,
            ends,
            heard_term,
            running,
        };
        self.world.insert(pid, body);
    }

    /// A child in its parent's group and session, with its wires.
    fn fork(&mut self, parent: u32, role: Role) {
        let ours = self.world[&parent].ours;
        self.fork_as(parent, parent, role, ours);
    }

    fn fork_as(&mut self, from: u32, parent: u32, role: Role, ours: bool) {
        self.next += 1;
        let (group, session) = (self.world[&from].group, self.world[&from].session);
        let wires = self.world[&from].wires;
        self.put(self.next, parent, group, session, role, ours);
        self.body(self.next).wires = wires;
    }

    /// One of the world, to be changed.
    pub fn body(&mut self, pid: u32) -> &mut Body {
        self.world.get_mut(&pid).unwrap()
    }

    /// Somebody who comes from elsewhere.
    pub fn arrive_at(&mut self, at: Duration, pid: u32, body: Body) {
        self.arrivals.push((at, pid, body));
    }

    /// Somebody deaf who is nobody's business and stands somewhere, from the beginning.
    pub fn settle_in(&mut self, pid: u32) {
        self.put(pid, 1, pid, pid, Role { on_term: None, ..obedient() }, false);
    }

    /// A child of a planned member, in its group and session and on its wires; an orphan of it when that has ended.
    pub fn child_at(&mut self, ms: u64, index: usize, role: Role) -> u32 {
        self.grandchild_at(ms, pid(index), role)
    }

    /// The same of anybody who is there, or will be.
    pub fn grandchild_at(&mut self, ms: u64, parent: u32, role: Role) -> u32 {
        let arrived = self.arrivals.iter().find(|(_, pid, _)| *pid == parent).map(|(.., body)| body.clone());
        let mut body = arrived.unwrap_or_else(|| self.world[&parent].clone());
        (body.parent, body.role, body.ours, body.zombie) = (parent, role, true, false);
        (body.ends, body.heard_term, body.running) = (None, false, true);
        self.arrive(ms, body)
    }

    /// A deaf stranger in somebody's group and session, on no wire.
    pub fn stranger_in(&mut self, ms: u64, group: &Body, parent: u32) -> u32 {
        let mut body = group.clone();
        (body.parent, body.role, body.ours) = (parent, stubborn(), false);
        (body.wires, body.ends) = (Some([None; 3]), None);
        self.strangers += 1;
        self.arrive(ms, body)
    }

    /// Somebody deaf whom another forked twice, so that it comes to the adopter.
    pub fn orphan_of(&mut self, ms: u64, parent: u32) -> u32 {
        let arrived = self.arrivals.iter().find(|(_, pid, _)| *pid == parent).map(|(.., body)| body.clone());
        let mut body = arrived.unwrap_or_else(|| self.world[&parent].clone());
        (body.parent, body.role) = (1, stubborn());
        self.strangers += usize::from(!body.ours);
        self.arrive(ms, body)
    }

    fn arrive(&mut self, ms: u64, mut body: Body) -> u32 {
        self.next += 1;
        self.clock += 1;
        body.start = self.clock;
        if ms == 0 {
            self.world.insert(self.next, body);
        } else {
            self.arrivals.push((Duration::from_millis(ms), self.next, body));
        }
        self.next
    }

    /// At this time a process opens a session of its own.
    pub fn leaves_at(&mut self, at: Duration, pid: u32) {
        self.changes.push((at, pid, |pid, body| (body.group, body.session) = (pid, pid)));
    }

    /// From this time on a debugger holds it.
    pub fn traced_from(&mut self, at: Duration, pid: u32, by: u32) {
        assert_eq!(by, SHELL);
        self.changes.push((at, pid, |_, body| body.tracer = Some(SHELL)));
    }

    /// Lets happen what is due.
    fn catch_up(&mut self) {
        let due = |at: &Duration| *at <= self.now;
        let (arrived, changed): (Vec<_>, Vec<_>) = (
            self.arrivals.extract_if(.., |(at, ..)| due(at)).collect(),
            self.changes.extract_if(.., |(at, ..)| due(at)).collect(),
        );
        for (_, pid, mut body) in arrived {
            if body.parent != 1 && !self.world.contains_key(&body.parent) {
                body.parent = self.adopter;
            }
            self.world.insert(pid, body);
        }
        for (_, pid, change) in changed {
            if let Some(body) = self.world.get_mut(&pid) {
                change(pid, body);
            }
        }
        while self.bustle.first().is_some_and(|at| *at <= self.now) {
            self.bustle.remove(0);
            let stranger = Role { on_term: None, ..obedient() };
            // The client's own double-forks: in the group of many a target, and nobody's child.
            self.fork_as(CLIENT, 1, stranger.clone(), false);
            let daemons: Vec<u32> = self
                .world
                .iter()
                .filter(|(_, b)| b.parent == 1 && !b.ours && b.group != CLIENT)
                .map(|(p, _)| *p)
                .collect();
            for daemon in daemons {
                self.fork_as(daemon, daemon, stranger.clone(), false);
            }
        }
        loop {
            let due = self.world.iter().filter_map(|(pid, body)| Some((body.ends?, *pid)));
            let Some(((_, gently), pid)) = due.filter(|((at, _), _)| *at <= self.now).min() else { return };
            self.end(pid, gently);
        }
    }

    fn end(&mut self, pid: u32, gently: bool) {
        let body = self.world[&pid].clone();
        if gently && body.role.forks_dying {
            self.fork(pid, obedient());
        }
        self.world.remove(&pid);
        for child in self.world.values_mut().filter(|child| child.parent == pid) {
            child.parent = self.adopter;
        }
        if self.world.get(&body.parent).is_some_and(|parent| parent.role.respawns) {
            self.fork(body.parent, obedient());
        }
        let borne = self.world.values().any(|other| other.group == pid || other.session == pid);
        if body.role.number_taken && !borne {
            // A stranger with a child, and with one that was handed on: all that could be confused.
            self.put(pid, SHELL, pid, SHELL, stubborn(), false);
            self.fork(pid, stubborn());
            self.fork_as(pid, 1, stubborn(), false);
        }
    }

    fn end_in(&mut self, pid: u32, after: Option<u64>, gently: bool) {
        let Some(after) = after else { return };
        let end = (self.now + Duration::from_millis(after), gently);
        let body = self.world.get_mut(&pid).unwrap();
        body.ends = Some(body.ends.map_or(end, |earlier| earlier.min(end)));
    }

    fn is(&self, id: &ProcessId) -> bool {
        self.world.get(&id.pid.0).is_some_and(|body| body.start == id.start.0)
    }
}

impl Kernel for Stage {
    type Held = ProcessId;

    fn hold(&mut self, id: ProcessId) -> Result<ProcessId, Refusal> {
        self.catch_up();
        match self.world.get(&id.pid.0) {
            None => Err(Refusal::Gone),
            Some(body) if body.zombie => Err(Refusal::Gone),
            Some(body) if body.start != id.start.0 => Err(Refusal::Reused),
            Some(body) if body.role.denied => Err(Refusal::Denied("another user's".to_owned())),
            Some(_) => Ok(id),
        }
    }

    fn signal(&mut self, held: &ProcessId, signal: Signal) -> Result<(), Refusal> {
        self.catch_up();
        if !self.is(held) {
            return Err(Refusal::Gone);
        }
        let pid = held.pid.0;
        let body = self.world.get_mut(&pid).unwrap();
        if body.role.shielded {
            return Err(Refusal::Denied("operation not permitted".to_owned()));
        }
        self.script.borrow_mut().push(Said::Sent(*held, signal, self.now));
        self.sent += 1;
        match signal {
            Signal::Cont => body.running = true,
            Signal::Term => body.heard_term = true,
            Signal::Kill => {}
        }
        let (hears, role) = (body.heard_term && body.running, body.role.clone());
        if signal == Signal::Kill {
            self.end_in(pid, role.on_kill, false);
        } else if hears {
            self.end_in(pid, role.on_term, true);
        }
        self.now += self.cost;
        Ok(())
    }

    fn wait(&mut self, held: &[&ProcessId], deadline: Duration) -> Vec<bool> {
        self.catch_up();
        while self.now < deadline && self.interrupted().is_none() && held.iter().any(|id| self.is(id)) {
            let next = self.world.values().filter_map(|body| Some(body.ends?.0)).min().unwrap_or(deadline);
            let soon = next.min(deadline).min(self.interrupt_at.unwrap_or(Duration::MAX));
            self.now = self.now.max(soon);
            self.catch_up();
        }
        held.iter().map(|id| !self.is(id)).collect()
    }

    fn now(&self) -> Duration {
        self.now
    }

    fn interrupted(&self) -> Option<i32> {
        let late = self.interrupt_at.is_some_and(|at| at <= self.now);
        (late || self.interrupt_after.is_some_and(|n| self.sent >= n)).then_some(2)
    }
}

impl Lookout for Stage {
    fn process_table(&mut self) -> ProcessTable {
        self.catch_up();
        self.looks += 1;
        self.last_look = self.now;
        self.now += self.look_cost;
        let row = |(pid, body): (&u32, &Body)| ProcessRow {
            id: ProcessId { pid: Pid(*pid), start: StartTime(body.start) },
            parent: Pid(body.parent),
            group: Some(Pid(body.group)),
            session: Some(Pid(body.session)),
            uid: Some(Uid(1000)),
            ours: !body.role.denied,
            zombie: body.zombie,
            stopped: !body.running,
            started_at: 2.0,
            lineage: None,
        };
        let complete = self.blind_from.is_none_or(|look| self.looks < look);
        ProcessTable { rows: self.world.iter().map(row).collect(), complete }
    }

    fn wires(&mut self, id: ProcessId) -> Option<Vec<HeldPipe>> {
        let wires = if self.is(&id) { self.world[&id.pid.0].wires? } else { return None };
        let on = |(fd, number): (u32, Option<u64>)| Some(HeldPipe { fd, number: number? });
        Some([0, 1, FAR].into_iter().zip(wires).filter_map(on).collect())
    }

    fn argv(&mut self, id: ProcessId) -> Argv {
        if self.manager == Some(id.pid.0) {
            return Argv::from(["/usr/lib/systemd/systemd", "--user"]);
        }
        match self.lines.get(&id.pid.0) {
            Some((from, words)) if self.now >= Duration::from_millis(*from) => words.iter().collect(),
            _ => Argv::from([format!("worker {}", id.pid)]),
        }
    }

    fn tracer(&mut self, id: ProcessId) -> Result<Option<Pid>, Refusal> {
        self.catch_up();
        if self.is(&id) { Ok(self.world[&id.pid.0].tracer.map(Pid)) } else { Err(Refusal::Gone) }
    }

    fn activity(&mut self, _: ProcessId) -> Option<Activity> {
        None
    }
}

/// Who keeps the record.
pub struct Notes {
    pub script: Script,
    /// Fails from this many calls on, as a full disk does.
    pub full_after: Option<usize>,
    pub calls: usize,
}

impl Notes {
    fn room(&mut self) -> Result<(), &'static str> {
        self.calls += 1;
        if self.full_after.is_some_and(|n| self.calls > n) {
            self.script.borrow_mut().push(Said::Failed);
            return Err("no space left");
        }
        Ok(())
    }
}

impl Recorder for Notes {
    type Error = &'static str;

    fn intend(&mut self, intents: &[MemberEvent<'_>]) -> Result<(), &'static str> {
        self.room()?;
        for event in intents {
            let Step::Intent(signal) = event.step else { panic!("not an intent: {event:?}") };
            self.script.borrow_mut().push(Said::Intent(event.member.id, signal));
        }
        Ok(())
    }

    fn note(&mut self, event: &MemberEvent<'_>) -> Result<(), &'static str> {
        self.room()?;
        let what = match &event.step {
            Step::Intent(_) => panic!("intents go through intend"),
            Step::Signalled(_) => "signalled",
            Step::Ended(outcome) => outcome.as_str(),
        };
        self.script.borrow_mut().push(Said::Note(event.member.id, what));
        Ok(())
    }
}

pub fn pid(index: usize) -> u32 {
    100 + u32::try_from(index).unwrap()
}

pub fn id(index: usize) -> ProcessId {
    ProcessId { pid: Pid(pid(index)), start: StartTime(u64::from(pid(index))) }
}
