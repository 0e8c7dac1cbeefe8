//! The other ways out of a process: pipes and socket pairs above 2 that are not its wire, the sockets that it serves on, and
//! its connections.
//!
//! A pipe or socket pair with both ends in the process belongs to libuv or asyncio, if all its descriptors close on exec. An
//! end that a client left open would have come through exec. stderr proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::wire::{self, Wires};
use super::{Answers, Display, End, Object, Origin, Other, Row, Sight, Socket, Way};
use crate::process::Listener;

/// The most pipes and sockets of one process that are looked up, at 5 us each. Of a process with more, the rest is not
/// known.
const MOST: usize = 256;

/// What was found of one process.
#[derive(Clone, Debug, Default)]
pub(in crate::sys) struct Others {
    /// Open ways in and out that are not the wire, each with the process's own end and the other end.
    pub(super) ways: Vec<(Way, End, End)>,
    /// Some ways in or out could not be looked up.
    pub(super) ways_unread: bool,
    pub(super) listening: BTreeSet<Listener>,
    pub(super) listening_unread: bool,
    /// The other sides of connections that it serves.
    pub(super) served: Vec<Other>,
    pub(super) served_unread: bool,
    /// The other sides of connections that it opened.
    pub(super) opened: Vec<u64>,
    pub(super) display: bool,
    /// Numbers of X displays that it may be connected to over TCP.
    pub(super) displays: Vec<u16>,
}

impl Others {
    /// Looks at all descriptors that are not the wire.
    ///
    /// With `settled`, a process was seen to hold the wire, so nothing here can change the verdict. Then pipes with two
    /// descriptors in the process are not looked up.
    pub(in crate::sys) fn look(
        rows: &[Row],
        wires: &mut Wires,
        settled: bool,
        answers: &mut impl Answers,
    ) -> Others {
        let mut others = Others::default();
        if rows.iter().any(|(_, object)| *object == Object::Unread) {
            others.all_unread();
        }
        // Any process may open a named pipe at any time, so it is a way in that is never known to be closed.
        others.ways_unread |= rows.iter().any(|(fd, object)| *fd > 2 && *object == Object::NamedPipe);
        others.pipes(rows, wires, settled, answers);
        others.sockets(rows, wires, settled, answers);
        others
    }

    /// Ends whose holders should be found, because an outside process may hold them.
    pub(in crate::sys) fn ways(&self) -> impl Iterator<Item = End> + '_ {
        self.ways.iter().map(|(_, _, other)| *other)
    }

    /// The other ends of connections that it serves, whose holders should be found. Of connections that it opened, only its
    /// owner, its ancestors and clients matter as holders, and their descriptors are read anyway.
    pub(in crate::sys) fn callers(&self) -> impl Iterator<Item = End> + '_ {
        self.served.iter().filter_map(|other| match other {
            Other::Held(id) => Some(End::Socket(*id)),
            _ => None,
        })
    }

    /// Did it open a connection to a process on this machine?
    pub(in crate::sys) fn calls_somebody(&self) -> bool {
        !self.opened.is_empty()
    }

    fn pipes(&mut self, rows: &[Row], wires: &Wires, settled: bool, answers: &mut impl Answers) {
        let standard = |id| {
            wires.fds.iter().chain(&[0, 1, 2]).any(|fd| wire::object(rows, *fd) == Some(Object::Pipe(id)))
        };
        let mut pipes: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for (fd, object) in rows {
            if let Object::Pipe(id) = object
                && *fd > 2
                && !standard(*id)
            {
                pipes.entry(*id).or_default().push(*fd);
            }
        }
        self.ways_unread |= pipes.len() > MOST;
        for (id, fds) in pipes.iter().take(MOST) {
            if !(settled && fds.len() > 1) {
                self.pipe(*id, fds, answers);
            }
        }
    }

    /// One pipe, by all descriptors on which one of its ends lies.
    fn pipe(&mut self, id: u64, fds: &[u32], answers: &mut impl Answers) {
        let (mut reader, mut writer) = (None, None);
        for fd in fds {
            match answers.access(*fd) {
                Some(access) => {
                    reader = reader.or(access.read.then_some(*fd));
                    writer = writer.or(access.write.then_some(*fd));
                }
                None => self.ways_unread = true,
            }
        }
        // The event loop of a process wakes itself through a pipe with both ends in the process.
        if reader.is_some() && writer.is_some() && all_close_on_exec(fds, answers) {
            return;
        }
        for (fd, way) in [(reader, Way::In), (writer, Way::Out)] {
            if let Some(fd) = fd {
                self.way(way, answers.pipe(fd, id, way));
            }
        }
    }

    fn sockets(&mut self, rows: &[Row], wires: &mut Wires, settled: bool, answers: &mut impl Answers) {
        let mut seen: BTreeSet<u64> = BTreeSet::new();
        let sockets: Vec<(u32, u64)> = rows
            .iter()
            .filter_map(|(fd, object)| match object {
                Object::Socket(id) => Some((*fd, *id)),
                _ => None,
            })
            .collect();
        for (fd, id) in &sockets {
            // stderr proves nothing, and is nearly always a separate socket pair.
            if *fd == 2 || !seen.insert(*id) || wires.has_socket(*id) {
                continue;
            }
            if seen.len() > MOST {
                return self.all_unread();
            }
            let known = wires.asked.iter().any(|(asked, _)| asked == id);
            let socket = if known || *fd < 3 {
                wire::socket(*fd, *id, answers, &mut wires.asked)
            } else {
                answers.socket(*fd, *id)
            };
            self.socket(&socket, wires, settled, &sockets, answers);
        }
    }

    fn socket(
        &mut self,
        socket: &Socket,
        wires: &Wires,
        settled: bool,
        rows: &[(u32, u64)],
        answers: &mut impl Answers,
    ) {
        let connection = match socket {
            Socket::Nothing => return,
            Socket::Unread => return self.all_unread(),
            Socket::Opaque(name) => {
                self.listening.insert(name.clone());
                self.served_unread = true;
                return;
            }
            Socket::Serves { name, waiting } => {
                self.listening.insert(name.clone());
                self.served.extend(waiting.iter().filter(|other| **other != Other::Gone));
                return;
            }
            Socket::Connected(connection) => connection,
        };
        match connection.display {
            Display::No => {}
            Display::Yes => self.display = true,
            Display::OverTcp(number) => self.displays.push(number),
        }
        match (connection.origin, connection.other) {
            (_, Other::Gone) => {}
            (Origin::Accepted, other) => self.served.push(other),
            (Origin::Opened, Other::Held(other)) => self.opened.push(other),
            (Origin::Opened, Other::Unseen) => {}
            (Origin::Unknown, other) => {
                self.served_unread = true;
                if let Other::Held(other) = other {
                    self.opened.push(other);
                }
            }
            (Origin::Pair, Other::Unseen) => self.ways_unread = true,
            (Origin::Pair, Other::Held(other)) => {
                let log = rows.contains(&(2, connection.own));
                let of_wire = log || wires.stdin.id == Some(other) || wires.stdout.id == Some(other);
                let inside = rows.iter().any(|(_, id)| *id == other);
                let pair = rows.iter().filter(|(_, id)| *id == other || *id == connection.own);
                let pair: Vec<u32> = pair.map(|(fd, _)| *fd).collect();
                if of_wire || (inside && (settled || all_close_on_exec(&pair, answers))) {
                    return;
                }
                self.way(Way::In, socket.sight(Way::In));
                self.way(Way::Out, socket.sight(Way::Out));
            }
        }
    }

    fn all_unread(&mut self) {
        (self.ways_unread, self.listening_unread, self.served_unread) = (true, true, true);
    }

    fn way(&mut self, way: Way, sight: Sight) {
        match sight {
            Sight::Open { own, other } => self.ways.push((way, own, other)),
            Sight::Closed => {}
            Sight::Unknown => self.ways_unread = true,
        }
    }
}

fn all_close_on_exec(fds: &[u32], answers: &mut impl Answers) -> bool {
    fds.iter().all(|fd| answers.closes_on_exec(*fd) == Some(true))
}
