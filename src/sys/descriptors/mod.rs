//! Interprets the descriptors of a process: its stdio connection, other ways out of it, the sockets that it serves on, and
//! the processes that are connected. The same code serves every system.
//!
//! Nothing is read here. A system lists the descriptors ([`Row`]), answers questions about them
//! ([`Answers`]) and finds the processes that hold an end ([`Naming`]). Each answer may be "not known", and an end that was
//! not read never counts as "not held". A property test shows that by letting any answer fail.

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

/// The object that a descriptor refers to. Its number identifies a pipe among pipes or a socket among sockets. The two ends
/// of a pipe have the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Object {
    /// One end of an anonymous pipe.
    Pipe(u64),
    /// A socket of any family.
    Socket(u64),
    /// A named pipe. It can get a new writer at any time, so it is never known to be closed.
    NamedPipe,
    /// `/dev/null`.
    Null,
    /// A terminal.
    Terminal {
        /// The number of a pseudo terminal.
        number: Option<u32>,
        /// The master is closed.
        gone: bool,
    },
    /// A file or another device.
    File,
    /// Another object that may have another end.
    Other,
    /// The descriptor is open, but its object could not be read.
    Unread,
}

/// A descriptor and its object. Above 2 only pipes, sockets and unread objects are listed.
pub(super) type Row = (u32, Object);

/// What can be done through a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access {
    /// It can read.
    pub(super) read: bool,
    /// It can write.
    pub(super) write: bool,
}

/// The direction of the data, seen from the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Its stdin.
    In,
    /// Its stdout.
    Out,
}

/// What the kernel reports about one direction of a pipe or socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// No process holds the other end.
    Closed,
    /// A process holds the other end.
    Open {
        /// The end that this process holds.
        own: End,
        /// The other end.
        other: End,
    },
    /// The kernel gave no answer.
    Unknown,
}

/// The kind and state of a socket.
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
    /// It may serve, but neither its state nor its connections can be read (vsock).
    Opaque(Listener),
    /// It could not be read.
    Unread,
}

/// One side of a connection, or of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    /// The number of this socket.
    pub(super) own: u64,
    /// The other side.
    pub(super) other: Other,
    /// How it was made.
    pub(super) origin: Origin,
    /// It is a unix socket, for which the kernel reports when the other side is gone. A TCP connection is never a dead wire,
    /// because its state may come from a list, and the other side may be on another machine.
    pub(super) unix: bool,
    /// Data can still come in.
    pub(super) hears: bool,
    /// Data can still go out.
    pub(super) speaks: bool,
    /// The other side is a display server's.
    pub(super) display: Display,
}

/// Whether the other side of a connection is a display server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Display {
    /// It is not.
    No,
    /// The name of its socket shows that it is.
    Yes,
    /// Its port is that of the X display with this number (`ssh -X`, `host:0`). It is a display server if the process was
    /// told to show its window there.
    OverTcp(u16),
}

impl Display {
    /// X11 uses port 6000 plus the number of the display, and sshd forwards displays from 10 on. The ports up to 6063 are
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
    /// A connection of TCP or UDP, for which it is not known whether a direction was shut down.
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
    /// It is on another machine, or in a process that was not found. It counts as open.
    Unseen,
}

/// How a connection was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Both ends were made together (socketpair(2)).
    Pair,
    /// It was accepted from a listening socket.
    Accepted,
    /// The process opened it.
    Opened,
    /// It was accepted or opened.
    Unknown,
}

/// What a system answers about the descriptors of one process.
pub(super) trait Answers {
    /// The access mode of a pipe's descriptor; `None` when it cannot be read.
    fn access(&mut self, fd: u32) -> Option<Access>;
    /// The state of one direction of a pipe.
    fn pipe(&mut self, fd: u32, id: u64, way: Way) -> Sight;
    /// The kind and state of a socket.
    fn socket(&mut self, fd: u32, id: u64) -> Socket;
    /// Does this descriptor close on exec? Then the process opened it itself, after its own exec.
    fn closes_on_exec(&mut self, fd: u32) -> Option<bool>;
}

/// Finds the processes that hold an end.
pub(super) trait Naming {
    /// The processes that hold an end, by pid; empty when none was found.
    fn holders(&mut self, end: End) -> Rc<[Pid]>;
    /// The holders other than `pid`, whose own descriptors need not be known.
    fn holders_beside(&mut self, pid: Pid, end: End) -> Vec<Pid> {
        self.holders(end).iter().copied().filter(|held| *held != pid).collect()
    }
    /// Processes that hold the master of a pseudo terminal; empty when none was found.
    fn masters(&mut self, terminal: u32) -> Vec<Pid>;
    /// Is `pid` a descendant of `above`?
    fn is_below(&self, pid: Pid, above: Pid) -> bool;
    /// Was every descriptor of every process read? Then there are no other holders than those that were found.
    fn sees_everybody(&self) -> bool;
}

impl Socket {
    /// The state of one direction, if this connection is a wire.
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
