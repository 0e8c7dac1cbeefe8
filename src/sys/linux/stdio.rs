//! The wire a process was started with, on whatever descriptors it lies now.
//!
//! Nearly always it is on 0 and 1. Programs that want to keep strangers' prints out of it move it
//! away: the Python SDK duplicates both ends to numbers above 2 and puts `/dev/null` on 0 and 1;
//! others only point 1 at 2. So:
//!
//! - 0 is a pipe or a socket: that is stdin, and what the kernel says of it counts. stdout is 1 when
//!   that is a wire of its own; when 1 is the same as 2, or no wire at all, any other open way out
//!   of the process may be stdout and speaks for a living reader, never against one.
//! - 0 is `/dev/null` or closed: a way in and a way out, both above 2 and both held by somebody who
//!   is neither the process nor below it, are a moved wire in use. Dead ones prove nothing (a
//!   daemon keeps the pipes of a child that ended), so then stdin simply says nothing.
//! - Pipes and socketpairs with both ends in the process are libuv's and asyncio's own, if both close
//!   on exec: an end that a careless client left open came through exec. The pipe on 2 is the log; a
//!   socket whose peer has a name is a connection to some service, not to a client.
//! - 0 is a terminal whose device is deleted: its other side is gone, and nobody will ever type there
//!   again. The kind is then `closed`, as if there were no descriptor. Of a wire it says nothing:
//!   a daemon started by hand outlives its terminal.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, major, minor, statat};

use super::fds::{End, FdTable};
use super::holders::{Holders, Question};
use super::probe::{Probe, Sight, Way};
use super::proc::{Access, Proc};
use crate::process::{Pid, Stdio, StdioKind};
use crate::sys::procfs::{FdTarget, TCP_ESTABLISHED};

/// So many other ways in or out are looked at; a process with more is no plain server, and is left
/// at "not known".
const MOST_OTHERS: usize = 16;

/// What stdin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fd {
    Wire(FdTarget),
    /// A pipe with a name: the kernel tells a newcomer nothing about its writers.
    NamedPipe,
    Null,
    Tty {
        gone: bool,
    },
    File,
    Closed,
    Unknown,
}

/// What is known of a process's wire before its holders are.
#[derive(Debug)]
pub(super) struct Draft {
    pid: Pid,
    stdin: Fd,
    /// What the kernel says of descriptors 0 and 1.
    first: [Sight; 2],
    /// What it says of other ways in and out, where 0 or 1 is not the wire.
    others: [Vec<Sight>; 2],
    /// There are others that could not be asked about, or too many.
    blurred: bool,
}

/// Looks at one process. `dir` is its directory, `here` asks whether it lives in our network namespace.
pub(super) fn draft(
    proc: &mut Proc,
    probe: &mut Probe,
    pid: Pid,
    dir: BorrowedFd<'_>,
    table: &FdTable,
    here: impl FnOnce() -> bool,
) -> Draft {
    let stdin = describe(dir, table);
    let (stdout, stderr) = (wire(table, 1), wire(table, 2));
    let mut draft =
        Draft { pid, stdin, first: [Sight::Unknown; 2], others: [Vec::new(), Vec::new()], blurred: false };
    if let Fd::Wire(target) = stdin {
        draft.first[0] = probe.ask(dir, 0, target, Way::In);
    }
    if let Some(target) = stdout {
        draft.first[1] = probe.ask(dir, 1, target, Way::Out);
    }
    let own_stdout = stdout.is_some() && stdout != stderr;
    let settled = match stdin {
        Fd::Wire(_) => own_stdout || matches!(draft.first[1], Sight::Open { .. }),
        Fd::Null | Fd::Closed => false,
        _ => true,
    };
    if !settled {
        others(&mut draft, proc, probe, dir, table, here, stderr);
    }
    draft
}

impl Draft {
    /// True for a socket that is known to be a unix one.
    pub(super) fn is_unix(&self, inode: u64) -> bool {
        self.first
            .iter()
            .any(|sight| matches!(sight, Sight::Open { own: End::Socket(own), .. } if *own == inode))
    }

    /// Whom to look for.
    pub(super) fn questions(&self) -> Vec<Question> {
        let all = [&self.first[..], &self.others[0], &self.others[1]].concat();
        let moved = !matches!(self.stdin, Fd::Wire(_));
        if moved && !self.may_be_moved() {
            return Vec::new();
        }
        let ask = |sight| self.question(sight).map(|question| Question { moved, ..question });
        all.into_iter().filter_map(ask).collect()
    }

    /// The answer, when the holders of all [`Draft::questions`] have been looked for.
    pub(super) fn finish(&self, proc: &mut Proc, holders: &Holders<'_>) -> Stdio {
        let kind = match self.stdin {
            Fd::Wire(FdTarget::Socket(_)) => StdioKind::Socket,
            Fd::Wire(_) | Fd::NamedPipe => StdioKind::Pipe,
            Fd::Null => StdioKind::Null,
            Fd::Tty { gone: false } => StdioKind::Tty,
            Fd::File => StdioKind::File,
            Fd::Tty { gone: true } | Fd::Closed => StdioKind::Closed,
            Fd::Unknown => StdioKind::Unknown,
        };
        let says_nothing = Stdio::of_kind(kind);
        match self.stdin {
            Fd::Wire(_) => Stdio {
                kind,
                stdin_peers: self.peers(proc, holders, self.first[0]),
                stdout_peers: self.stdout_peers(proc, holders),
                ..Stdio::of_kind(kind)
            },
            Fd::Null | Fd::Closed => self.moved(proc, holders).unwrap_or(says_nothing),
            _ => says_nothing,
        }
    }

    fn question(&self, sight: Sight) -> Option<Question> {
        match sight {
            Sight::Open { own, other } => Some(Question { pid: self.pid, own, other, moved: false }),
            _ => None,
        }
    }

    /// Holders of the other end in one direction.
    fn peers(&self, proc: &mut Proc, holders: &Holders<'_>, sight: Sight) -> Option<Vec<Pid>> {
        match sight {
            Sight::Closed => Some(Vec::new()),
            Sight::Unknown => None,
            Sight::Open { .. } => holders.of(proc, self.question(sight)?),
        }
    }

    fn stdout_peers(&self, proc: &mut Proc, holders: &Holders<'_>) -> Option<Vec<Pid>> {
        match self.first[1] {
            Sight::Open { .. } => self.peers(proc, holders, self.first[1]),
            first => {
                let (outside, hidden) = self.outside(proc, holders, &self.others[1]);
                match (outside.is_empty(), hidden || self.blurred || first == Sight::Unknown) {
                    (false, _) => Some(outside),
                    (true, true) => None,
                    (true, false) => Some(Vec::new()),
                }
            }
        }
    }

    /// A wire that was moved away and is in use, or may be.
    fn moved(&self, proc: &mut Proc, holders: &Holders<'_>) -> Option<Stdio> {
        if !self.may_be_moved() {
            return None;
        }
        let outs = [&self.first[1..], &self.others[1]].concat();
        let (stdin, stdin_hidden) = self.outside(proc, holders, &self.others[0]);
        let (stdout, stdout_hidden) = self.outside(proc, holders, &outs);
        let socket =
            self.others[0].iter().all(|sight| matches!(sight, Sight::Open { own: End::Socket(_), .. }));
        let kind = if socket { StdioKind::Socket } else { StdioKind::Pipe };
        let known = |peers: Vec<Pid>| (!peers.is_empty()).then_some(peers);
        let some_in = !stdin.is_empty() || stdin_hidden || self.blurred;
        let some_out = !stdout.is_empty() || stdout_hidden || self.blurred;
        (some_in && some_out).then(|| Stdio {
            stdin_peers: known(stdin),
            stdout_peers: known(stdout),
            ..Stdio::of_kind(kind)
        })
    }

    /// There is an open way in and an open way out, or there may be.
    fn may_be_moved(&self) -> bool {
        let open = |sight: &Sight| matches!(sight, Sight::Open { .. });
        let out = self.others[1].iter().any(open) || open(&self.first[1]);
        self.blurred || (self.others[0].iter().any(open) && out)
    }

    /// Who outside the process holds one of these; and whether one is held by nobody who can be seen.
    fn outside(&self, proc: &mut Proc, holders: &Holders<'_>, sights: &[Sight]) -> (Vec<Pid>, bool) {
        let mut outside = Vec::new();
        let mut hidden = false;
        for question in sights.iter().filter_map(|sight| self.question(*sight)) {
            outside.extend(holders.outside(proc, question));
            hidden |= !holders.anybody(proc, question);
        }
        outside.sort_unstable();
        outside.dedup();
        (outside, hidden)
    }
}

/// The pipe or socket on one of the first three descriptors.
fn wire(table: &FdTable, fd: u32) -> Option<FdTarget> {
    table.first(fd).filter(|target| matches!(target, FdTarget::Pipe(_) | FdTarget::Socket(_)))
}

/// What stdin is.
fn describe(dir: BorrowedFd<'_>, table: &FdTable) -> Fd {
    let deleted = match table.first(0) {
        None => return Fd::Closed,
        Some(FdTarget::Path { deleted }) => deleted,
        Some(FdTarget::Other) => return Fd::Unknown,
        Some(wire) => return Fd::Wire(wire),
    };
    let Ok(stat) = statat(dir, "fd/0", AtFlags::empty()) else { return Fd::Unknown };
    let device = (major(stat.st_rdev), minor(stat.st_rdev));
    match (FileType::from_raw_mode(stat.st_mode), device) {
        (FileType::Fifo, _) => Fd::NamedPipe,
        (FileType::Socket, _) => Fd::Unknown,
        (FileType::CharacterDevice, (1, 3)) => Fd::Null,
        // Terminals: pseudo (136 to 143), virtual and serial (4), the console and /dev/tty itself (5).
        (FileType::CharacterDevice, (136..=143, _)) => Fd::Tty { gone: deleted },
        (FileType::CharacterDevice, (4, _) | (5, 0 | 1)) => Fd::Tty { gone: false },
        _ => Fd::File,
    }
}

/// Asks about every other way in and out of the process.
fn others(
    draft: &mut Draft,
    proc: &mut Proc,
    probe: &mut Probe,
    dir: BorrowedFd<'_>,
    table: &FdTable,
    here: impl FnOnce() -> bool,
    stderr: Option<FdTarget>,
) {
    let taken = |target: FdTarget| Some(target) == stderr || Fd::Wire(target) == draft.stdin;
    let mut ends: Vec<(u32, FdTarget, Access)> = Vec::new();
    for (fd, target) in table.rows().iter().filter(|(fd, target)| *fd > 2 && !taken(*target)) {
        let access = match target {
            FdTarget::Pipe(_) => proc.access(draft.pid, *fd),
            _ => Some(Access { read: true, write: true }),
        };
        ends.extend(access.map(|access| (*fd, *target, access)));
    }
    let (pipes, sockets): (Vec<_>, Vec<_>) =
        ends.into_iter().partition(|(_, target, _)| matches!(target, FdTarget::Pipe(_)));
    let pid = draft.pid;
    // Made by the process itself, as far as one can see.
    let mut homemade = |fds: &[u32]| fds.iter().all(|fd| proc.closes_on_exec(pid, *fd) == Some(true));
    // Both ends of a pipe in one process: its own bell.
    let mut bell = |pipe: FdTarget| {
        let ends: Vec<_> = pipes.iter().filter(|(_, target, _)| *target == pipe).collect();
        let fds: Vec<u32> = ends.iter().map(|(fd, ..)| *fd).collect();
        let both =
            ends.iter().any(|(.., access)| access.read) && ends.iter().any(|(.., access)| access.write);
        both && homemade(&fds)
    };
    let mut asked: Vec<(FdTarget, bool)> = Vec::new();
    for (fd, target, access) in &pipes {
        if asked.contains(&(*target, access.read)) || bell(*target) {
            continue;
        }
        asked.push((*target, access.read));
        let (way, list) = if access.read { (Way::In, 0) } else { (Way::Out, 1) };
        draft.others[list].push(probe.ask(dir, *fd, *target, way));
    }
    // Only in our own network namespace, and where the kernel answers at all, is "no such unix socket"
    // the answer for a socket of another family.
    if !sockets.is_empty() {
        draft.blurred = !(probe.works() && here());
    }
    draft.blurred |= sockets.len() + asked.len() > MOST_OTHERS;
    if draft.blurred {
        return;
    }
    for (fd, target, _) in &sockets {
        let FdTarget::Socket(inode) = *target else { continue };
        let peer =
            probe.unix(inode).filter(|socket| socket.state == TCP_ESTABLISHED).and_then(|own| own.peer);
        let Some(peer) = peer.filter(|peer| *peer != 0) else { continue };
        let far = FdTarget::Socket(u64::from(peer));
        let both = |row: &&(u32, FdTarget, Access)| row.1 == *target || row.1 == far;
        let inside = sockets.iter().any(|(_, other, _)| *other == far);
        let pair: Vec<u32> = sockets.iter().filter(both).map(|(fd, ..)| *fd).collect();
        if !(inside && homemade(&pair)) && probe.unix(u64::from(peer)).is_none_or(|peer| !peer.named) {
            draft.others[0].push(probe.ask(dir, *fd, *target, Way::In));
            draft.others[1].push(probe.ask(dir, *fd, *target, Way::Out));
        }
    }
}
