//! The model as the program sees it: every call answers in bytes, with the kernel's own error numbers, and takes a little
//! time in which other things happen.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use mcp_reap::process::{Pid, Uid, Viewer};
use mcp_reap::services::launchd::{Answer, Question};
use mcp_reap::sys::macos::calls::{Kevent, USAGE_SIZE};
use mcp_reap::sys::macos::{Calls, Kqueue};

use crate::bytes::{self, Bsd, Socket};
use crate::world::{Body, File, Life, Unix, World};

pub const EPERM: i32 = 1;
pub const ESRCH: i32 = 3;
pub const EBADF: i32 = 9;
pub const ENOMEM: i32 = 12;
pub const EINVAL: i32 = 22;
const ENOENT: i32 = 2;
const ENOTSOCK: i32 = 38;
const EMFILE: i32 = 24;
pub const EDEADLK: i32 = 11;
pub const ETIMEDOUT: i32 = 60;

/// Device numbers as macOS has them.
const NULL: u32 = 0x0300_0002;
const TTYS: u32 = 0x1000_0000;

const LOOPBACK: (IpAddr, IpAddr) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST));

/// The calls, to make one of them fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Pids,
    PidInfo(i32),
    FdInfo,
    Path,
    Arguments,
    Usage,
    Session,
    Kill,
    Kqueue,
    Watch,
    Next,
}

impl Kind {
    /// What the kernel may answer, by its sources.
    pub fn errnos(self) -> &'static [i32] {
        match self {
            Kind::Pids => &[ENOMEM, EPERM],
            Kind::PidInfo(_) => &[ESRCH, EPERM, ENOMEM, EINVAL],
            Kind::FdInfo => &[EBADF, ESRCH, EPERM, ENOMEM, ENOTSOCK, ENOENT],
            Kind::Path => &[ESRCH, ENOENT, EPERM],
            Kind::Arguments => &[EINVAL, ENOMEM, 5],
            Kind::Usage => &[ESRCH, EPERM],
            Kind::Session => &[ESRCH, EPERM],
            Kind::Kill => &[ESRCH, EPERM, EINVAL],
            Kind::Kqueue => &[EMFILE, ENOMEM],
            Kind::Watch => &[ESRCH, ENOMEM, 13],
            Kind::Next => &[EBADF, ENOMEM],
        }
    }
}

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// This call, counted from 1.
    One(u64, i32),
    /// All of a kind from this call on.
    All(Kind, u64, i32),
}

type Happening = Box<dyn FnMut(&mut World)>;

/// A handle on the machine; clones are the same one.
#[derive(Clone)]
pub struct Machine {
    pub world: Rc<RefCell<World>>,
    inner: Rc<RefCell<Inner>>,
}

struct Inner {
    calls: Vec<Kind>,
    fault: Option<Fault>,
    /// What happens right before this call.
    before: BTreeMap<u64, Happening>,
    /// The system has `proc_signal_with_audittoken`.
    tokens: bool,
    /// Waits that begin later than this fail with `ETIMEDOUT`: who waits for ever is to be seen.
    until: u64,
    /// What launchctl does not answer, or says of a domain.
    answers: BTreeMap<String, Answer>,
}

impl Machine {
    pub fn of(world: World) -> Machine {
        let inner = Inner {
            calls: Vec::new(),
            fault: None,
            before: BTreeMap::new(),
            tokens: true,
            until: u64::MAX,
            answers: BTreeMap::new(),
        };
        Machine { world: Rc::new(RefCell::new(world)), inner: Rc::new(RefCell::new(inner)) }
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<Kind> {
        self.inner.borrow().calls.clone()
    }

    pub fn fail(&self, fault: Fault) {
        self.inner.borrow_mut().fault = Some(fault);
    }

    pub fn before(&self, call: u64, happening: impl FnMut(&mut World) + 'static) {
        self.inner.borrow_mut().before.insert(call, Box::new(happening));
    }

    /// From so many microseconds on, every wait fails with `ETIMEDOUT`.
    pub fn ends_after(&self, time: u64) {
        self.inner.borrow_mut().until = self.world.borrow().now + time;
    }

    pub fn without_tokens(&self) {
        self.inner.borrow_mut().tokens = false;
    }

    pub fn answer(&self, domain: &str, answer: Answer) {
        self.inner.borrow_mut().answers.insert(domain.to_owned(), answer);
    }

    /// What `launchctl` prints. The session is the desktop's.
    pub fn launchctl(&self, question: &Question) -> Answer {
        let (world, inner) = (self.world.borrow(), self.inner.borrow());
        let (asked, domain) = match question {
            Question::List => ("list", "gui/501"),
            Question::Print(domain) => (domain.as_str(), domain.as_str()),
        };
        if let Some(answer) = inner.answers.get(asked) {
            return answer.clone();
        }
        let Some(jobs) = world.jobs.get(domain) else { return Answer::NoDomain };
        let alive: Vec<&(String, u32)> =
            jobs.iter().filter(|(_, pid)| world.processes.contains_key(pid)).collect();
        Answer::Output(match question {
            Question::List => {
                let lines = alive.iter().map(|(label, pid)| format!("{pid}\t0\t{label}\n"));
                format!("PID\tStatus\tLabel\n-\t0\tcom.apple.idle\n{}", lines.collect::<String>())
            }
            Question::Print(_) => {
                let lines = alive.iter().map(|(label, pid)| format!("\t\t{pid:>8}      - \t{label}\n"));
                format!(
                    "{domain} = {{\n\ttype = user\n\tservices = {{\n{}\t}}\n}}\n",
                    lines.collect::<String>()
                )
            }
        })
    }

    /// The clock goes on by 3 us, what is due happens, and the call is made, or fails.
    fn call<T>(&self, kind: Kind, answer: impl FnOnce(&mut World) -> Result<T, i32>) -> io::Result<T> {
        let (number, happening, fault) = {
            let mut inner = self.inner.borrow_mut();
            inner.calls.push(kind);
            let number = inner.calls.len() as u64;
            (number, inner.before.remove(&number), inner.fault)
        };
        let mut world = self.world.borrow_mut();
        let now = world.now + 3;
        world.advance(now);
        if let Some(mut happening) = happening {
            happening(&mut world);
        }
        let failed = match fault {
            Some(Fault::One(at, errno)) if at == number => Some(errno),
            Some(Fault::All(of, from, errno)) if of == kind && number >= from => Some(errno),
            _ => None,
        };
        let result = failed.map_or_else(|| answer(&mut world), Err);
        result.map_err(io::Error::from_raw_os_error)
    }
}

/// proc_find: nobody on the way out after `proc_refdrain`, and no zombie.
fn find(world: &World, pid: Pid) -> Result<&Body, i32> {
    world.processes.get(&pid.0).filter(|body| body.life <= Life::Exiting).ok_or(ESRCH)
}

/// proc_find_zombref: also those.
fn find_zombie(world: &World, pid: Pid) -> Result<&Body, i32> {
    world.processes.get(&pid.0).ok_or(ESRCH)
}

fn uid(world: &World) -> u32 {
    world.processes[&world.viewer].uid
}

/// proc_security_policy with CHECK_SAME_USER.
fn may_look(world: &World, body: &Body) -> Result<(), i32> {
    if uid(world) == 0 || uid(world) == body.uid { Ok(()) } else { Err(EPERM) }
}

fn give(bytes: &[u8], buffer: &mut [u8]) -> Result<usize, i32> {
    let room = buffer.get_mut(..bytes.len()).ok_or(ENOMEM)?;
    room.copy_from_slice(bytes);
    Ok(bytes.len())
}

fn bsd<'a>(world: &World, pid: Pid, body: &'a Body) -> Bsd<'a> {
    let traced = body.real_parent.is_some();
    let controlled = body.terminal.is_some();
    let exiting = body.life >= Life::Exiting;
    // PROC_FLAG_LP64 is 0x10.
    let flags = 0x10 + u32::from(traced) * 2 + u32::from(exiting) * 4 + u32::from(controlled) * 0x80;
    let status = match (body.life, body.stopped) {
        (Life::Zombie, _) => 5,
        (_, true) => 4,
        _ => 2,
    };
    // The terminal of the session, also of those that have none any more.
    let tdev = body.terminal.map_or(u32::MAX, |minor| TTYS | minor);
    let gone = world.revoked.contains(&body.terminal.unwrap_or(u32::MAX));
    let tdev = if gone { u32::MAX } else { tdev };
    let (ppid, uid, pgid) = (body.ppid, body.uid, body.pgid);
    Bsd { flags, status, pid: pid.0, ppid, uid, name: body.name.as_bytes(), pgid, tdev, start_us: body.start }
}

impl Calls for Machine {
    type Kqueue = Queue;

    fn pids(&self) -> io::Result<Vec<Pid>> {
        self.call(Kind::Pids, |world| Ok(world.processes.keys().rev().copied().map(Pid).collect()))
    }

    fn pid_info(&self, pid: Pid, flavor: i32, arg: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.call(Kind::PidInfo(flavor), |world| {
            let size = match flavor {
                1 => 8,
                3 => 136,
                4 => 96,
                9 => 2352,
                13 => 64,
                17 => 56,
                _ => return Err(EINVAL),
            };
            if buffer.len() < size {
                return Err(ENOMEM);
            }
            let zombies = arg != 0 && matches!(flavor, 3 | 13 | 17);
            let body = match find(world, pid) {
                Err(_) if zombies => find_zombie(world, pid)?,
                found => found?,
            };
            if !matches!(flavor, 13 | 17) {
                may_look(world, body)?;
            }
            match flavor {
                1 if body.sealed => Err(EPERM),
                1 => give(&descriptors(world, body, buffer.len()), buffer),
                3 => give(&bsd(world, pid, body).long(), buffer),
                4 => give(&bytes::task(body.footprint / 2), buffer),
                9 => give(&bytes::directories(body.cwd.as_bytes()), buffer),
                13 => give(&bsd(world, pid, body).short(), buffer),
                _ => give(&bytes::unique(body.unique, body.punique, body.version), buffer),
            }
        })
    }

    fn fd_info(&self, pid: Pid, fd: i32, flavor: i32, buffer: &mut [u8]) -> io::Result<usize> {
        self.call(Kind::FdInfo, |world| {
            let body = find(world, pid)?;
            may_look(world, body)?;
            let slot = body.fds.get(&fd).ok_or(EBADF)?;
            let cloexec = slot.closes_on_exec;
            let bytes = match (flavor, &world.files[&slot.file]) {
                (6, File::Pipe { peer, writes }) => {
                    bytes::pipe(if *writes { 2 } else { 1 }, cloexec, slot.file, peer.unwrap_or(0))
                }
                (3, File::Unix(unix)) => unix_bytes(slot.file, unix, cloexec),
                (3, File::Tcp { local, remote, listens }) => {
                    let state = if *listens { 1 } else { 4 };
                    let addresses = world.addresses.get(&slot.file).copied().unwrap_or(LOOPBACK);
                    inet(slot.file, false).inet(cloexec, (*local, *remote), addresses, state)
                }
                (3, File::Udp { port }) => inet(slot.file, true).inet(cloexec, (*port, 0), LOOPBACK, 0),
                (3, File::Vsock) => Socket { kind: 7, family: 40, ..inet(slot.file, false) }.inet(
                    cloexec,
                    (0, 0),
                    LOOPBACK,
                    0,
                ),
                (1, File::Terminal(minor)) if world.revoked.contains(minor) => return Err(EBADF),
                (1, File::Terminal(minor)) => bytes::vnode(3, cloexec, 0o020_620, TTYS | minor),
                (1, File::Null) => bytes::vnode(3, cloexec, 0o020_666, NULL),
                (1, File::Regular) => bytes::vnode(3, cloexec, 0o100_644, 0),
                (1, File::NamedPipe) => bytes::vnode(3, cloexec, 0o010_644, 0),
                (3, _) => return Err(ENOTSOCK),
                _ => return Err(EBADF),
            };
            give(&bytes, buffer)
        })
    }

    fn path(&self, pid: Pid, buffer: &mut [u8]) -> io::Result<usize> {
        self.call(Kind::Path, |world| give(find(world, pid)?.path.as_bytes(), buffer))
    }

    fn arguments(&self, pid: Pid, buffer: &mut [u8]) -> io::Result<usize> {
        self.call(Kind::Arguments, |world| {
            let body = find(world, pid).map_err(|_| EINVAL)?;
            if may_look(world, body).is_err() || body.life != Life::Lives || pid.0 == 0 {
                return Err(EINVAL);
            }
            let env = (!body.restricted).then_some(body.env.as_slice());
            give(&bytes::arguments(&body.executed, &body.argv, env), buffer)
        })
    }

    fn usage(&self, pid: Pid, buffer: &mut [u8; USAGE_SIZE]) -> io::Result<()> {
        self.call(Kind::Usage, |world| {
            let body = find_zombie(world, pid)?;
            may_look(world, body)?;
            let bytes =
                bytes::usage(body.ticks / 2, body.ticks - body.ticks / 2, body.footprint, body.written);
            give(&bytes, buffer).map(drop)
        })
    }

    fn timebase(&self) -> (u32, u32) {
        (125, 3)
    }

    fn device_name(&self, device: u32) -> Option<String> {
        match device {
            NULL => Some("null".to_owned()),
            tty if tty & TTYS != 0 => Some(format!("ttys{:03}", tty & 0xffff)),
            _ => None,
        }
    }

    fn null_device(&self) -> Option<u32> {
        Some(NULL)
    }

    fn session(&self, pid: Pid) -> io::Result<Pid> {
        self.call(Kind::Session, |world| Ok(Pid(find(world, pid)?.sid)))
    }

    fn kill(&self, pid: Pid, signal: i32) -> io::Result<()> {
        self.call(Kind::Kill, |world| {
            let Ok(body) = find(world, pid) else {
                // pzfind: a zombie takes any signal.
                let zombie = find_zombie(world, pid).is_ok_and(|body| body.life == Life::Zombie);
                return if zombie { Ok(()) } else { Err(ESRCH) };
            };
            let (allowed, unique) = (pid.0 > 1 && may_look(world, body).is_ok(), body.unique);
            if !allowed {
                return Err(EPERM);
            }
            world.signals.push((pid.0, unique, signal));
            world.deliver(pid.0, signal);
            Ok(())
        })
    }

    fn kill_version(&self, pid: Pid, version: u32, signal: i32) -> Option<io::Result<()>> {
        if !self.inner.borrow().tokens {
            return None;
        }
        Some(self.call(Kind::Kill, |world| {
            let body = find(world, pid)?;
            if body.version != version {
                return Err(ESRCH);
            }
            let unique = body.unique;
            if pid.0 <= 1 || may_look(world, body).is_err() {
                return Err(EPERM);
            }
            world.signals.push((pid.0, unique, signal));
            world.deliver(pid.0, signal);
            Ok(())
        }))
    }

    fn kqueue(&self) -> io::Result<Queue> {
        let owner = self.world.borrow().viewer;
        let (number, fd) = self.call(Kind::Kqueue, |world| Ok(world.kqueue(owner)))?;
        Ok(Queue { machine: self.clone(), number, owner, fd })
    }

    fn close(&self, fd: i32) -> io::Result<()> {
        let mut world = self.world.borrow_mut();
        let viewer = world.viewer;
        let open = world.processes[&viewer].fds.contains_key(&fd);
        world.close(viewer, fd);
        if open { Ok(()) } else { Err(io::Error::from_raw_os_error(EBADF)) }
    }

    fn viewer(&self) -> Viewer {
        let world = self.world.borrow();
        Viewer { pid: Pid(world.viewer), uid: Uid(uid(&world)) }
    }

    fn time_of_day(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(i64::try_from(self.world.borrow().now).unwrap()).unwrap()
    }

    fn now(&self) -> Duration {
        Duration::from_micros(self.world.borrow().now)
    }

    fn sleep(&self, time: Duration) {
        let mut world = self.world.borrow_mut();
        let until = world.now + u64::try_from(time.as_micros()).unwrap();
        world.advance(until);
    }
}

fn inet(handle: u64, datagrams: bool) -> Socket {
    Socket { handle, datagrams, family: 2, options: 0, state: 2, kind: if datagrams { 1 } else { 2 } }
}

fn unix_bytes(handle: u64, unix: &Unix, cloexec: bool) -> Vec<u8> {
    // SS_ISCONNECTED 2, SS_CANTSENDMORE 0x10, SS_CANTRCVMORE 0x20; SO_ACCEPTCONN 2.
    let state = if unix.peer.is_some() { 2 } else { 0 };
    let state = state | if unix.mute { 0x10 } else { 0 } | if unix.deaf { 0x20 } else { 0 };
    let options = if unix.listens { 2 } else { 0 };
    let socket = Socket { handle, datagrams: false, family: 1, options, state, kind: 3 };
    socket.unix(cloexec, unix.peer.unwrap_or(0), &unix.name, &unix.peer_name)
}

/// `struct proc_fdinfo` for each, as many as fit.
fn descriptors(world: &World, body: &Body, room: usize) -> Vec<u8> {
    let kind = |file: &File| match file {
        File::Pipe { .. } => 6_u32,
        File::Unix(_) | File::Tcp { .. } | File::Udp { .. } | File::Vsock => 2,
        File::Kqueue => 5,
        File::Null | File::Regular | File::NamedPipe | File::Terminal(_) => 1,
    };
    let one = |(fd, slot): (&i32, &crate::world::Slot)| {
        [fd.to_le_bytes(), kind(&world.files[&slot.file]).to_le_bytes()].concat()
    };
    body.fds.iter().take(room / 8).flat_map(one).collect()
}

/// A kqueue of the model: a descriptor of the process that made it.
pub struct Queue {
    machine: Machine,
    number: usize,
    owner: u32,
    fd: i32,
}

impl Queue {
    fn is_open(&self, world: &World) -> bool {
        let slot = world.processes.get(&self.owner).and_then(|body| body.fds.get(&self.fd));
        slot.is_some_and(|slot| world.files[&slot.file] == File::Kqueue)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        if let Ok(mut world) = self.machine.world.try_borrow_mut()
            && self.is_open(&world)
        {
            world.close(self.owner, self.fd);
        }
    }
}

impl Kqueue for Queue {
    fn add(&self, change: Kevent) -> io::Result<()> {
        self.machine.call(Kind::Watch, |world| {
            if !self.is_open(world) {
                return Err(EBADF);
            }
            world.add_note(self.number, self.owner, change)
        })
    }

    /// Where nothing will ever happen any more, a wait without an end is `EDEADLK`: in truth it never returns.
    fn next(&self, timeout: Option<Duration>) -> io::Result<Vec<Kevent>> {
        let late = self.machine.inner.borrow().until;
        self.machine.call(Kind::Next, |world| match self.is_open(world) {
            true if world.now > late => Err(ETIMEDOUT),
            true => Ok(()),
            false => Err(EBADF),
        })?;
        let mut world = self.machine.world.borrow_mut();
        let until = timeout.map(|time| world.now + u64::try_from(time.as_micros()).unwrap());
        loop {
            let happened = world.happened(self.number);
            if !happened.is_empty() || until.is_some_and(|until| world.now >= until) {
                return Ok(happened);
            }
            let next = match (world.next(), until) {
                (Some(next), Some(until)) => next.clamp(world.now + 1, until),
                (Some(next), None) => next.max(world.now + 1),
                (None, Some(until)) => until,
                (None, None) => return Err(io::Error::from_raw_os_error(EDEADLK)),
            };
            world.advance(next);
        }
    }
}
