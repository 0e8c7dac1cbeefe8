//! What xnu keeps: processes, open files, terminals, and what happens to them in time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::kqueue::Kq;

pub const TERM: i32 = 15;
pub const KILL: i32 = 9;
pub const CONT: i32 = 19;
const HUP: i32 = 1;

/// An open file: what several descriptors of several processes may share.
#[derive(Clone, Debug, PartialEq)]
pub enum File {
    /// `None`: the other end is closed.
    Pipe {
        peer: Option<u64>,
        writes: bool,
    },
    Unix(Unix),
    Tcp {
        local: u16,
        remote: u16,
        listens: bool,
    },
    Udp {
        port: u16,
    },
    Null,
    Regular,
    NamedPipe,
    Terminal(u32),
    Kqueue,
    Vsock,
}

/// A unix socket.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unix {
    pub peer: Option<u64>,
    pub listens: bool,
    /// Nothing comes in any more, nothing goes out.
    pub deaf: bool,
    pub mute: bool,
    pub name: Vec<u8>,
    pub peer_name: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    pub file: u64,
    pub closes_on_exec: bool,
}

/// How far a process is on its way out, in the order of xnu's `proc_exit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Life {
    Lives,
    /// P_LEXIT is set and its task is gone; it can still be found.
    Exiting,
    /// Nobody finds it any more (`proc_refdrain`); its descriptors are closed, its children handed on.
    Drained,
    /// NOTE_EXIT was sent.
    Reported,
    Zombie,
}

/// What it does when it is asked to end: after this many microseconds, or never.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Manners {
    pub on_term: Option<u64>,
    pub on_kill: Option<u64>,
    pub on_hup: bool,
    /// Starts a child, which leaves its session, in the moment it begins to end.
    pub forks_dying: bool,
    /// Its parent never collects it.
    pub uncollected: bool,
}

impl Default for Manners {
    fn default() -> Manners {
        Manners {
            on_term: Some(2_000),
            on_kill: Some(100),
            on_hup: true,
            forks_dying: false,
            uncollected: false,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Body {
    pub ppid: u32,
    pub pgid: u32,
    pub sid: u32,
    pub uid: u32,
    pub name: String,
    /// As it was executed, and where that file really lies.
    pub executed: String,
    pub path: String,
    pub argv: Vec<String>,
    pub env: Vec<String>,
    /// A program of the system's, whose environment is kept secret.
    pub restricted: bool,
    pub cwd: String,
    /// Microseconds since the epoch.
    pub start: u64,
    pub unique: u64,
    pub punique: u64,
    pub version: u32,
    pub life: Life,
    pub stopped: bool,
    pub asked_while_stopped: bool,
    pub terminal: Option<u32>,
    /// Who traces it; its parent meanwhile, and this is the one before.
    pub real_parent: Option<u32>,
    pub footprint: u64,
    pub ticks: u64,
    pub written: u64,
    pub fds: BTreeMap<i32, Slot>,
    pub manners: Manners,
    /// Its descriptors are kept from us (MAC policy).
    pub sealed: bool,
}

enum Step {
    Happens(Box<dyn FnOnce(&mut World)>),
    End(u32, u64),
    Drain(u32, u64),
    Report(u32, u64),
    Zombie(u32, u64),
    Collect(u32, u64),
}

/// Launchd's domains: label, and the process that runs as this job.
pub type Jobs = BTreeMap<String, Vec<(String, u32)>>;

pub struct World {
    /// Microseconds since the epoch.
    pub now: u64,
    pub processes: BTreeMap<u32, Body>,
    pub files: BTreeMap<u64, File>,
    pub revoked: BTreeSet<u32>,
    /// The local and the foreign address of TCP connections that are not the loopback's.
    pub addresses: BTreeMap<u64, (IpAddr, IpAddr)>,
    pub jobs: Jobs,
    /// Our own process.
    pub viewer: u32,
    /// Microseconds from one step of an end to the next.
    pub pace: u64,
    /// Signals that came through, and to whom.
    pub signals: Vec<(u32, u64, i32)>,
    /// Every process that ever was, by its unique number: its parent's, as it was forked.
    pub births: BTreeMap<u64, u64>,
    queue: Vec<(u64, Step)>,
    pub queues: Vec<Kq>,
    /// What came into an open file and was not read yet, in bytes.
    pub unread: BTreeMap<u64, u64>,
    /// The number given last.
    pub next_pid: u32,
    next_file: u64,
    next_unique: u64,
    next_version: u32,
}

impl World {
    /// kernel_task and launchd.
    pub fn new() -> World {
        let mut world = World {
            now: 1_772_355_600_000_000,
            processes: BTreeMap::new(),
            files: BTreeMap::new(),
            revoked: BTreeSet::new(),
            addresses: BTreeMap::new(),
            jobs: BTreeMap::from([("gui/501".to_owned(), Vec::new()), ("system".to_owned(), Vec::new())]),
            viewer: 0,
            pace: 0,
            signals: Vec::new(),
            births: BTreeMap::new(),
            queue: Vec::new(),
            queues: Vec::new(),
            unread: BTreeMap::new(),
            next_pid: 0,
            next_file: 0x9e37_79b9_0000,
            next_unique: 0,
            next_version: 100,
        };
        for (pid, path) in [(0, "kernel_task"), (1, "/sbin/launchd")] {
            let body = Body {
                ppid: 0,
                pgid: pid,
                sid: pid,
                uid: 0,
                name: path.rsplit('/').next().unwrap().to_owned(),
                executed: path.to_owned(),
                path: path.to_owned(),
                argv: vec![path.to_owned()],
                env: Vec::new(),
                restricted: true,
                cwd: "/".to_owned(),
                start: world.now - 86_400_000_000,
                unique: u64::from(pid),
                punique: 0,
                version: pid,
                life: Life::Lives,
                stopped: false,
                asked_while_stopped: false,
                terminal: None,
                real_parent: None,
                footprint: 12 << 20,
                ticks: 0,
                written: 0,
                fds: BTreeMap::new(),
                manners: Manners { on_term: None, on_kill: None, on_hup: false, ..Manners::default() },
                sealed: false,
            };
            world.processes.insert(pid, body);
        }
        world.next_pid = 100;
        world.next_unique = 100;
        world
    }

    pub fn file(&mut self, file: File) -> u64 {
        // A kernel address under a salt: no order in it.
        self.next_file =
            self.next_file.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f) | 1 << 40;
        self.files.insert(self.next_file, file);
        self.next_file
    }

    /// fork and exec in one, as posix_spawn does it.
    pub fn spawn(&mut self, parent: u32, argv: &[&str]) -> u32 {
        let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
        loop {
            self.next_pid = if self.next_pid >= 99_999 { 100 } else { self.next_pid + 1 };
            let pid = self.next_pid;
            let borne = |body: &Body| body.pgid == pid || body.sid == pid;
            if !self.processes.contains_key(&pid) && !self.processes.values().any(borne) {
                break;
            }
        }
        self.spawn_as(self.next_pid, parent, argv)
    }

    /// Under a number of the caller's choice, as if all others had been given out meanwhile.
    pub fn spawn_as(&mut self, pid: u32, parent: u32, argv: Vec<String>) -> u32 {
        let from = self.processes[&parent].clone();
        self.next_unique += 1;
        self.next_version += 1;
        self.now += 1;
        let program = argv[0].clone();
        let body = Body {
            ppid: parent,
            uid: if parent <= 1 { 501 } else { from.uid },
            pgid: if parent <= 1 { pid } else { from.pgid },
            sid: if parent <= 1 { pid } else { from.sid },
            name: program.rsplit('/').next().unwrap().chars().take(31).collect(),
            executed: program.clone(),
            path: program,
            env: vec!["HOME=/Users/kim".to_owned(), "API_KEY=sk-live-0123456789abcdef".to_owned()],
            restricted: false,
            cwd: "/Users/kim/src".to_owned(),
            start: self.now,
            unique: self.next_unique,
            punique: from.unique,
            version: self.next_version,
            life: Life::Lives,
            stopped: false,
            asked_while_stopped: false,
            real_parent: None,
            footprint: 60 << 20,
            ticks: 0,
            written: 0,
            fds: BTreeMap::new(),
            manners: Manners::default(),
            sealed: false,
            argv,
            ..from
        };
        self.births.insert(body.unique, body.punique);
        self.processes.insert(pid, body);
        pid
    }

    /// Puts an open file on a descriptor; what was there is closed.
    pub fn put(&mut self, pid: u32, fd: i32, file: u64, closes_on_exec: bool) {
        let slot = Slot { file, closes_on_exec };
        self.forget_notes(pid, fd);
        let before = self.processes.get_mut(&pid).unwrap().fds.insert(fd, slot);
        if let Some(before) = before {
            self.dropped(before.file);
        }
    }

    pub fn close(&mut self, pid: u32, fd: i32) {
        self.forget_notes(pid, fd);
        if let Some(slot) = self.processes.get_mut(&pid).unwrap().fds.remove(&fd) {
            self.dropped(slot.file);
        }
    }

    /// Those who hold an open file.
    pub fn holders(&self, file: u64) -> Vec<u32> {
        let holds = |body: &Body| body.fds.values().any(|slot| slot.file == file);
        self.processes.iter().filter(|(_, body)| holds(body)).map(|(pid, _)| *pid).collect()
    }

    /// The last descriptor of an open file may be gone.
    fn dropped(&mut self, file: u64) {
        if !self.holders(file).is_empty() {
            return;
        }
        let Some(gone) = self.files.remove(&file) else { return };
        let peer = match gone {
            File::Pipe { peer, .. } => peer,
            File::Unix(unix) => unix.peer,
            _ => None,
        };
        match peer.and_then(|peer| self.files.get_mut(&peer)) {
            Some(File::Pipe { peer, .. }) => *peer = None,
            // soisdisconnected: both halves.
            Some(File::Unix(unix)) => (unix.peer, unix.deaf, unix.mute) = (None, true, true),
            _ => return,
        }
        self.knote(peer.unwrap_or_default());
    }

    /// Begins the end of a process. With a pace of 0 all of it happens at once.
    pub fn exit(&mut self, pid: u32) {
        let Some(body) = self.processes.get_mut(&pid) else { return };
        if body.life != Life::Lives {
            return;
        }
        let (unique, forks) = (body.unique, body.manners.forks_dying);
        if forks {
            let child = self.spawn(pid, &["/usr/bin/late-helper"]);
            let body = self.processes.get_mut(&child).unwrap();
            (body.pgid, body.sid, body.manners.forks_dying) = (child, child, false);
        }
        self.processes.get_mut(&pid).unwrap().life = Life::Exiting;
        self.later(self.pace, Step::Drain(pid, unique));
    }

    /// Everything that is due by then.
    pub fn advance(&mut self, to: u64) {
        loop {
            self.queue.sort_by_key(|(at, _)| *at);
            if self.queue.first().is_none_or(|(at, _)| *at > to) {
                break;
            }
            let (at, step) = self.queue.remove(0);
            self.now = self.now.max(at);
            self.perform(step);
        }
        self.now = self.now.max(to);
    }

    /// When something will happen next.
    pub fn next(&self) -> Option<u64> {
        self.queue.iter().map(|(at, _)| *at).min()
    }

    /// Something that happens later, in microseconds from now.
    pub fn happens(&mut self, delay: u64, what: impl FnOnce(&mut World) + 'static) {
        self.queue.push((self.now + delay, Step::Happens(Box::new(what))));
    }

    fn later(&mut self, delay: u64, step: Step) {
        if delay == 0 && self.pace == 0 && !matches!(step, Step::End(..)) {
            self.perform(step);
        } else {
            self.queue.push((self.now + delay, step));
        }
    }

    fn is(&self, pid: u32, unique: u64) -> bool {
        self.processes.get(&pid).is_some_and(|body| body.unique == unique)
    }

    fn perform(&mut self, step: Step) {
        match step {
            Step::Happens(what) => what(self),
            Step::End(pid, unique) if self.is(pid, unique) => self.exit(pid),
            Step::Drain(pid, unique) if self.is(pid, unique) => self.drain(pid, unique),
            Step::Report(pid, unique) if self.is(pid, unique) => {
                self.processes.get_mut(&pid).unwrap().life = Life::Reported;
                self.knote_exit(unique);
                self.later(self.pace, Step::Zombie(pid, unique));
            }
            Step::Zombie(pid, unique) if self.is(pid, unique) => {
                let body = self.processes.get_mut(&pid).unwrap();
                body.life = Life::Zombie;
                let waits = body.manners.uncollected && body.ppid != 1;
                if !waits {
                    self.later(self.pace, Step::Collect(pid, unique));
                }
            }
            Step::Collect(pid, unique) if self.is(pid, unique) => {
                self.processes.remove(&pid);
            }
            _ => {}
        }
    }

    /// Descriptors, terminal, children.
    fn drain(&mut self, pid: u32, unique: u64) {
        let body = self.processes.get_mut(&pid).unwrap();
        body.life = Life::Drained;
        let (sid, terminal) = (body.sid, body.terminal);
        let slots = std::mem::take(&mut body.fds);
        for (fd, slot) in slots {
            self.forget_notes(pid, fd);
            self.dropped(slot.file);
        }
        if let Some(terminal) = terminal.filter(|_| sid == pid) {
            self.revoked.insert(terminal);
            let members = |body: &Body| body.sid == sid && body.terminal == Some(terminal);
            let members: Vec<u32> =
                self.processes.iter().filter(|(_, body)| members(body)).map(|(pid, _)| *pid).collect();
            for member in members {
                self.processes.get_mut(&member).unwrap().terminal = None;
                self.deliver(member, HUP);
            }
        }
        let children: Vec<u32> =
            self.processes.iter().filter(|(_, body)| body.ppid == pid).map(|(pid, _)| *pid).collect();
        for child in children {
            let body = self.processes.get_mut(&child).unwrap();
            body.ppid = body.real_parent.take().filter(|real| *real != pid).unwrap_or(1);
            if body.life == Life::Zombie {
                let unique = body.unique;
                self.later(self.pace, Step::Collect(child, unique));
            }
        }
        self.later(self.pace, Step::Report(pid, unique));
    }

    /// psignal.
    pub fn deliver(&mut self, pid: u32, signal: i32) {
        let Some(body) = self.processes.get_mut(&pid) else { return };
        if body.life != Life::Lives {
            return;
        }
        let unique = body.unique;
        let delay = match signal {
            TERM if body.stopped => {
                body.asked_while_stopped = true;
                None
            }
            TERM => body.manners.on_term,
            KILL => body.manners.on_kill,
            HUP => body.manners.on_hup.then_some(0),
            CONT => {
                body.stopped = false;
                std::mem::take(&mut body.asked_while_stopped).then_some(body.manners.on_term).flatten()
            }
            _ => None,
        };
        if let Some(delay) = delay {
            if delay == 0 {
                self.exit(pid);
            } else {
                self.queue.push((self.now + delay, Step::End(pid, unique)));
            }
        }
    }

    /// execve: another program under the same number. The parent of this moment becomes the original one.
    pub fn exec(&mut self, pid: u32, argv: &[&str]) {
        let parent = self.processes[&self.processes[&pid].ppid].unique;
        self.next_version += 1;
        let version = self.next_version;
        let body = self.processes.get_mut(&pid).unwrap();
        body.argv = argv.iter().map(|word| (*word).to_owned()).collect();
        (body.executed, body.path) = (argv[0].to_owned(), argv[0].to_owned());
        (body.version, body.punique) = (version, parent);
        let closed: Vec<i32> =
            body.fds.iter().filter(|(_, slot)| slot.closes_on_exec).map(|(fd, _)| *fd).collect();
        for fd in closed {
            self.close(pid, fd);
        }
    }

    /// ptrace(PT_ATTACH).
    pub fn trace(&mut self, pid: u32, tracer: u32) {
        let body = self.processes.get_mut(&pid).unwrap();
        body.real_parent = Some(body.ppid);
        body.ppid = tracer;
    }
}
