//! A small world of descriptors, and what must be seen in it; then the same with answers that fail.
#![allow(clippy::unwrap_used)]

mod others;
mod properties;
mod wires;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::*;
use crate::process::Stdio;

const SERVER: Pid = Pid(10);
const CLIENT: Pid = Pid(5);
const CHILD: Pid = Pid(11);
const LAUNCHER: Pid = Pid(9);

/// What is true, and which answers fail.
#[derive(Clone, Debug, Default)]
pub(in crate::sys) struct World {
    rows: Vec<Row>,
    access: BTreeMap<u32, Access>,
    keeps: BTreeSet<u32>,
    sockets: BTreeMap<u64, Socket>,
    holders: BTreeMap<End, Vec<Pid>>,
    /// Answers by their number that are "not known".
    failing: BTreeSet<usize>,
    asked: usize,
}

impl World {
    fn reads(mut self, fd: u32, pipe: u64) -> World {
        self.rows.push((fd, Object::Pipe(pipe)));
        self.access.insert(fd, Access { read: true, write: false });
        self.held(End::Reader(pipe), SERVER)
    }

    fn writes(mut self, fd: u32, pipe: u64) -> World {
        self.rows.push((fd, Object::Pipe(pipe)));
        self.access.insert(fd, Access { read: false, write: true });
        self.held(End::Writer(pipe), SERVER)
    }

    fn socket(mut self, fd: u32, id: u64, socket: Socket) -> World {
        self.rows.push((fd, Object::Socket(id)));
        self.sockets.insert(id, socket);
        self.held(End::Socket(id), SERVER)
    }

    fn pair(self, fd: u32, id: u64, other: Other) -> World {
        let socket = connection(id, other, Origin::Pair);
        self.socket(fd, id, socket)
    }

    fn other(mut self, fd: u32, object: Object) -> World {
        self.rows.push((fd, object));
        self
    }

    fn held(mut self, end: End, pid: Pid) -> World {
        self.holders.entry(end).or_default().push(pid);
        self
    }

    fn keeps(mut self, fd: u32) -> World {
        self.keeps.insert(fd);
        self
    }

    /// Nobody else's descriptors can be read.
    fn hide(mut self) -> World {
        for pids in self.holders.values_mut() {
            pids.retain(|pid| *pid == SERVER);
        }
        self
    }

    fn fails(&mut self) -> bool {
        self.asked += 1;
        self.failing.contains(&(self.asked - 1))
    }

    fn seen_when(mut self, settled: bool) -> FdObservation {
        let rows = self.rows.clone();
        let mut wires = Wires::look(&rows, true, &mut self);
        let others = Others::look(&rows, &mut wires, settled, &mut self);
        FdObservation::new(SERVER, &wires, &others, &mut self)
    }

    fn seen(self) -> FdObservation {
        self.seen_when(false)
    }

    fn stdio(self) -> Stdio {
        self.seen().stdio
    }
}

impl Answers for World {
    fn access(&mut self, fd: u32) -> Option<Access> {
        if self.fails() { None } else { self.access.get(&fd).copied() }
    }

    fn pipe(&mut self, _fd: u32, id: u64, way: Way) -> Sight {
        let (own, other) = match way {
            Way::In => (End::Reader(id), End::Writer(id)),
            Way::Out => (End::Writer(id), End::Reader(id)),
        };
        if self.fails() {
            Sight::Unknown
        } else if self.holders.contains_key(&other) {
            Sight::Open { own, other }
        } else {
            Sight::Closed
        }
    }

    fn socket(&mut self, _fd: u32, id: u64) -> Socket {
        if self.fails() { Socket::Unread } else { self.sockets[&id].clone() }
    }

    fn closes_on_exec(&mut self, fd: u32) -> Option<bool> {
        if self.fails() { None } else { Some(!self.keeps.contains(&fd)) }
    }
}

impl Naming for World {
    fn sees_everybody(&self) -> bool {
        false
    }

    fn holders(&mut self, end: End) -> Rc<[Pid]> {
        let found = self.holders.get(&end).cloned().unwrap_or_default();
        // A holder whose descriptors cannot be read is not named.
        if self.fails() { Rc::from([]) } else { found.into() }
    }

    fn masters(&mut self, terminal: u32) -> Vec<Pid> {
        if terminal == 3 { vec![CLIENT] } else { Vec::new() }
    }

    fn is_below(&self, pid: Pid, above: Pid) -> bool {
        pid == CHILD && above == SERVER
    }
}

fn connection(own: u64, other: Other, origin: Origin) -> Socket {
    let unix = true;
    Socket::Connected(Connection {
        own,
        other,
        origin,
        unix,
        hears: true,
        speaks: true,
        display: Display::No,
    })
}

fn serves(name: &str) -> Socket {
    Socket::Serves { name: Listener::Other(name.to_owned()), waiting: Vec::new() }
}

/// On pipes whose other ends the client holds.
fn live() -> World {
    let world = World::default().reads(0, 1).writes(1, 2);
    world.held(End::Writer(1), CLIENT).held(End::Reader(2), CLIENT)
}

fn dead() -> World {
    World::default().reads(0, 1).writes(1, 2)
}

fn on_null() -> World {
    World::default().other(0, Object::Null).other(1, Object::Null)
}
