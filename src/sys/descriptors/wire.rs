//! Finds the stdio connection of a process, also where it was moved to other descriptors.
//!
//! Nearly always it is on 0 and 1. Each of the two is looked at separately, because the object on 0 does not show who reads
//! from 1. The Python SDK moves its wire to 6 and 7 and puts `/dev/null` on 0 and 1; only in this exact form a moved wire
//! can be known to be closed. Another program with `/dev/null` on 0 and a way in and a way out above 2 may have moved its
//! wire there. If both are held, it is in use ([`super::Others`] finds them). If they are closed, that proves nothing,
//! because a daemon keeps the pipes of a child that ended.

use super::{Access, Answers, Connection, Object, Origin, Row, Sight, Socket, Way};
use crate::bytes::RawText;
use crate::process::{ProcessRecord, StdioKind};

/// The descriptors to which the Python SDK moves the wire (`mcp` 2.3, `stdio_server`): the first two free ones after those
/// of the event loop.
const MOVED: [u32; 2] = [6, 7];

/// One direction of the wire.
#[derive(Clone, Debug)]
pub(in crate::sys) struct FdDirection {
    pub(super) kind: StdioKind,
    /// The number of the pipe or socket.
    pub(super) id: Option<u64>,
    /// `None` where there is no other end.
    pub(super) sight: Option<Sight>,
    /// A pseudo terminal whose master is held.
    pub(super) terminal: Option<u32>,
}

/// Both directions, before the holders of the other ends are known.
#[derive(Clone, Debug)]
pub(in crate::sys) struct Wires {
    pub(super) stdin: FdDirection,
    pub(super) stdout: FdDirection,
    /// The descriptors of the two directions.
    pub(super) fds: [u32; 2],
    /// The answers about sockets on these descriptors, which are asked for only once.
    pub(super) asked: Vec<(u64, Socket)>,
}

impl Wires {
    /// Looks at one process. `python` tells whether its program is Python. In any other program, pipes on 6 and 7 may belong
    /// to a child that ended.
    pub(in crate::sys) fn look(rows: &[Row], python: bool, answers: &mut impl Answers) -> Wires {
        let mut asked = Vec::new();
        let (first, second) = (object(rows, 0), object(rows, 1));
        let moved = python && (first, second) == (Some(Object::Null), Some(Object::Null));
        let fds = if moved && is_moved(rows, answers, &mut asked) { MOVED } else { [0, 1] };
        let stdin = direction(rows, fds[0], Way::In, answers, &mut asked);
        let stdout = direction(rows, fds[1], Way::Out, answers, &mut asked);
        Wires { stdin, stdout, fds, asked }
    }

    /// The states of the directions that have another end.
    pub(in crate::sys) fn sights(&self) -> impl Iterator<Item = Sight> + '_ {
        self.stdin.sight.iter().chain(&self.stdout.sight).copied()
    }

    /// Is it on a terminal whose master is held?
    pub(in crate::sys) fn is_on_a_terminal(&self) -> bool {
        self.stdin.kind == StdioKind::Tty || self.stdout.kind == StdioKind::Tty
    }

    /// Is it open in every direction that it has? Then one holder is enough to know that it is in use.
    pub(in crate::sys) fn is_open(&self) -> bool {
        let mut sights = self.sights().peekable();
        sights.peek().is_some() && sights.all(|sight| matches!(sight, Sight::Open { .. }))
    }

    /// Does it matter which process holds an end? Not for a socket on stdout alone, which cannot be a dead wire and is nearly
    /// always the journal of a desktop program.
    pub(in crate::sys) fn wants_names(&self) -> bool {
        let log = self.stdin.sight.is_none() && self.stdout.kind == StdioKind::Socket;
        !log && self.sights().any(|sight| matches!(sight, Sight::Open { .. }))
    }

    /// Is this unix socket the wire?
    pub(super) fn has_socket(&self, id: u64) -> bool {
        let of_wire =
            |direction: &FdDirection| direction.id == Some(id) && direction.kind == StdioKind::Socket;
        (of_wire(&self.stdin) || of_wire(&self.stdout))
            && self.asked.iter().any(|(asked, socket)| {
                *asked == id && matches!(socket, Socket::Connected(connection) if connection.unix)
            })
    }
}

/// Is the executable Python: `python3.12`, `pypy3`, or `Python` on macOS? If it could not be read, the first word of the
/// command line decides. The comm does not, because it may be the name of a script.
pub(in crate::sys) fn runs_python(record: &ProcessRecord, exe: Option<&RawText>) -> bool {
    let first = record.argv.as_ref().and_then(|argv| argv.first());
    let path = exe.map(RawText::as_bytes).or(first).unwrap_or_default();
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_ascii_lowercase();
    name.starts_with(b"python") || name.starts_with(b"pypy")
}

/// The object of a descriptor; `None` when there is no such descriptor.
pub(super) fn object(rows: &[Row], fd: u32) -> Option<Object> {
    rows.iter().find(|(row, _)| *row == fd).map(|(_, object)| *object)
}

/// A socket, looked up once.
pub(super) fn socket(fd: u32, id: u64, answers: &mut impl Answers, asked: &mut Vec<(u64, Socket)>) -> Socket {
    if let Some((_, socket)) = asked.iter().find(|(known, _)| *known == id) {
        return socket.clone();
    }
    let socket = answers.socket(fd, id);
    asked.push((id, socket.clone()));
    socket
}

/// Are there a read end of one pipe and a write end of another, or sockets of pairs, on the descriptors that the Python SDK
/// uses?
fn is_moved(rows: &[Row], answers: &mut impl Answers, asked: &mut Vec<(u64, Socket)>) -> bool {
    let [stdin, stdout] = MOVED;
    match (object(rows, stdin), object(rows, stdout)) {
        (Some(Object::Pipe(one)), Some(Object::Pipe(two))) => {
            one != two
                && answers.access(stdin) == Some(Access { read: true, write: false })
                && answers.access(stdout) == Some(Access { read: false, write: true })
        }
        (Some(Object::Socket(one)), Some(Object::Socket(two))) => {
            [(stdin, one), (stdout, two)].into_iter().all(|(fd, id)| {
                let found = socket(fd, id, answers, asked);
                matches!(found, Socket::Connected(Connection { origin: Origin::Pair, unix: true, .. }))
            })
        }
        _ => false,
    }
}

fn direction(
    rows: &[Row],
    fd: u32,
    way: Way,
    answers: &mut impl Answers,
    asked: &mut Vec<(u64, Socket)>,
) -> FdDirection {
    let unknown = Some(Sight::Unknown);
    let (kind, id, sight, terminal) = match object(rows, fd) {
        Some(Object::Pipe(id)) => (StdioKind::Pipe, Some(id), Some(answers.pipe(fd, id, way)), None),
        Some(Object::Socket(id)) => {
            let sight = socket(fd, id, answers, asked).sight(way);
            (StdioKind::Socket, Some(id), Some(sight), None)
        }
        Some(Object::NamedPipe) => (StdioKind::Pipe, None, unknown, None),
        Some(Object::Null) => (StdioKind::Null, None, None, None),
        Some(Object::Terminal { number, gone: false }) => (StdioKind::Tty, None, None, number),
        Some(Object::File) => (StdioKind::File, None, None, None),
        // A terminal that is gone is no dead wire, because a daemon that was started by hand outlives its terminal.
        Some(Object::Terminal { gone: true, .. }) | None => (StdioKind::Closed, None, None, None),
        Some(Object::Other | Object::Unread) => (StdioKind::Unknown, None, unknown, None),
    };
    FdDirection { kind, id, sight, terminal }
}
