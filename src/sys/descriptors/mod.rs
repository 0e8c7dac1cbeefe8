//! What the descriptors of a process mean: its stdio connection, the other ends that lead out of it, what it serves on
//! and who is connected. One piece of code for every system.
//!
//! Nothing is read here. A system lists the descriptors ([`Row`]), answers the few questions that follow
//! ([`Answers`]) and says which other process holds an end ([`Naming`]); each of the three may answer "not known". What was not
//! read is never taken for "not held": a property test lets any answer fail and shows it.

mod finish;
mod others;
mod runtime;
#[cfg(test)]
pub(super) mod tests;
mod wire;

pub(super) use finish::FdObservation;
pub(super) use others::Others;
pub(super) use runtime::{is_display, is_runtimes_own, is_told_to_show, unix_listener};
pub(super) use wire::{Wires, runs_python};

use std::rc::Rc;

use crate::process::{Listener, Pid};

/// One end of a pipe or socket, and what a process must hold to hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum End {
    /// A descriptor that can read from the pipe with this number.
    Reader(u64),
    /// A descriptor that can write to it.
    Writer(u64),
    /// The socket with this number.
    Socket(u64),
}

impl End {
    /// The number of its pipe or socket.
    fn id(self) -> u64 {
        match self {
            End::Reader(id) | End::Writer(id) | End::Socket(id) => id,
        }
    }
}

/// What lies on a descriptor. Numbers tell pipes from each other, and sockets from each other; the two ends of a pipe
/// have the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Object {
    /// One end of a pipe without a name.
    Pipe(u64),
    /// A socket of any family.
    Socket(u64),
    /// A pipe with a name: it can get a new writer at any time, so it is never known to be closed.
    NamedPipe,
    /// `/dev/null`.
    Null,
    /// A terminal.
    Terminal {
        /// Its number, where it is a pseudo terminal.
        number: Option<u32>,
        /// Its master is closed.
        gone: bool,
    },
    /// A file or another device.
    File,
    /// Something that can lead somewhere, but not what that is.
    Other,
    /// The descriptor is there, and what lies on it could not be read.
    Unread,
}

/// A descriptor and what lies on it. Above 2 only pipes, sockets and what could not be read are listed.
pub(super) type Row = (u32, Object);

/// What can be done through a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access {
    /// It can read.
    pub(super) read: bool,
    /// It can write.
    pub(super) write: bool,
}

/// Which way the bytes go, seen from the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Its stdin.
    In,
    /// Its stdout.
    Out,
}

/// What the kernel says of one direction of a pipe or socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Nobody anywhere holds the other end.
    Closed,
    /// Somebody does.
    Open {
        /// What the process itself holds.
        own: End,
        /// What that holder has.
        other: End,
    },
    /// The kernel gave no answer.
    Unknown,
}

/// What a socket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Socket {
    /// It serves: it listens, or takes datagrams from any sender.
    Serves {
        /// How it is shown.
        name: Listener,
        /// Connections that wait to be accepted, each by the client's socket.
        waiting: Vec<Other>,
    },
    /// It is connected, or was.
    Connected(Connection),
    /// Neither, or of a family by which no outside process can talk to it (netlink).
    Nothing,
    /// It may serve, and neither its state nor its connections can be read (vsock).
    Opaque(Listener),
    /// What it is could not be read.
    Unread,
}

/// One side of a connection, or of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    /// The number of this socket.
    pub(super) own: u64,
    /// Who is on the other side.
    pub(super) other: Other,
    /// How it came to be.
    pub(super) origin: Origin,
    /// A unix socket, of which the kernel says when the other side is gone. A TCP connection is never a dead wire: what
    /// is known of it may come from a list, and the other side may be far away.
    pub(super) unix: bool,
    /// Something can still come in.
    pub(super) hears: bool,
    /// Something can still go out.
    pub(super) speaks: bool,
    /// The other side is a display server's.
    pub(super) display: Display,
}

/// Whether the other side of a connection is a display server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Display {
    /// It is not.
    No,
    /// By the name of its socket it is.
    Yes,
    /// By its port it may be the X display with this number (`ssh -X`, `host:0`): if the process was told to show its window
    /// there.
    OverTcp(u16),
}

impl Display {
    /// X11 is spoken on port 6000 and the number of the display; sshd forwards displays from 10 on. Up to 6063 is
    /// [assigned].
    ///
    /// [assigned]: https://www.iana.org/assignments/service-names-port-numbers
    pub(super) fn of_port(remote: u16) -> Display {
        match remote {
            6000..=6063 => Display::OverTcp(remote - 6000),
            _ => Display::No,
        }
    }
}

impl Connection {
    /// A connection of TCP or UDP. Nothing says of one that a half of it was shut.
    pub(super) fn inet(own: u64, other: Other, origin: Origin, display: Display) -> Connection {
        Connection { own, other, origin, unix: false, hears: true, speaks: true, display }
    }
}

/// The other side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    /// The socket with this number.
    Held(u64),
    /// It is closed.
    Gone,
    /// Another machine, or no process that could be named: as far as is known, it is there.
    Unseen,
}

/// How a connection came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Both ends were made at once (socketpair(2)).
    Pair,
    /// It came in through a listening socket.
    Accepted,
    /// The process opened it.
    Opened,
    /// One of the two last.
    Unknown,
}

/// What a system answers about the descriptors of one process.
pub(super) trait Answers {
    /// Which way a pipe's descriptor goes; `None` when that cannot be read.
    fn access(&mut self, fd: u32) -> Option<Access>;
    /// One direction of a pipe.
    fn pipe(&mut self, fd: u32, id: u64, way: Way) -> Sight;
    /// What a socket is.
    fn socket(&mut self, fd: u32, id: u64) -> Socket;
    /// Does this descriptor close on exec? Then it did not come from the parent of the program.
    fn closes_on_exec(&mut self, fd: u32) -> Option<bool>;
}

/// Who holds what, as far as it was looked for.
pub(super) trait Naming {
    /// Processes that hold an end, by number; empty when none was found.
    fn holders(&mut self, end: End) -> Rc<[Pid]>;
    /// The same without one of them, of which need not be known whether it holds the end.
    fn holders_beside(&mut self, pid: Pid, end: End) -> Vec<Pid> {
        self.holders(end).iter().copied().filter(|held| *held != pid).collect()
    }
    /// Processes that hold the master of a pseudo terminal; empty when none was found.
    fn masters(&mut self, terminal: u32) -> Vec<Pid>;
    /// `pid` is a descendant of `above`.
    fn is_below(&self, pid: Pid, above: Pid) -> bool;
    /// Every descriptor of every process was read, so that the holders that were found are all there are.
    fn sees_everybody(&self) -> bool;
}

impl Socket {
    /// One direction of it, where it is a wire.
    pub(super) fn sight(&self, way: Way) -> Sight {
        let Socket::Connected(connection) = self else { return Sight::Unknown };
        let open = match way {
            Way::In => connection.hears,
            Way::Out => connection.speaks,
        };
        match connection.other {
            Other::Gone if connection.unix => Sight::Closed,
            _ if connection.unix && !open => Sight::Closed,
            Other::Held(other) => Sight::Open { own: End::Socket(connection.own), other: End::Socket(other) },
            Other::Gone | Other::Unseen => Sight::Unknown,
        }
    }
}
