//! A small world of descriptors, and what must be seen in it; then the same with answers that fail.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use proptest::prelude::*;

use super::*;
use crate::process::{OtherEnd, Stdio, StdioKind};

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

    fn fails(&mut self) -> bool {
        self.asked += 1;
        self.failing.contains(&(self.asked - 1))
    }

    fn seen_when(mut self, settled: bool) -> Observation {
        let rows = self.rows.clone();
        let mut wires = Wires::look(&rows, &mut self);
        let others = Others::look(&rows, &mut wires, settled, &mut self);
        Observation::new(SERVER, &wires, &others, &mut self)
    }

    fn seen(self) -> Observation {
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
    Socket::Connected(Connection { own, other, origin, unix, hears: true, speaks: true, display: false })
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

#[test]
fn each_direction_is_seen_for_itself() {
    use OtherEnd::{Absent, Closed, Held, Unread};
    let terminal = |gone| Object::Terminal { number: Some(3), gone };
    let shut = |hears, speaks| {
        let unix = true;
        let (other, origin) = (Other::Held(8), Origin::Pair);
        Socket::Connected(Connection { own: 7, other, origin, unix, hears, speaks, display: false })
    };
    let tcp_gone = Socket::Connected(Connection {
        own: 7,
        other: Other::Gone,
        origin: Origin::Accepted,
        unix: false,
        hears: true,
        speaks: true,
        display: false,
    });
    let cases: Vec<(&str, World, OtherEnd<'_>, OtherEnd<'_>)> = vec![
        ("held", live(), Held(&[CLIENT]), Held(&[CLIENT])),
        ("dead", dead(), Closed, Closed),
        ("held by one that is not seen", dead().held(End::Writer(1), SERVER), Unread, Closed),
        ("held by a child alone", dead().held(End::Reader(2), CHILD), Closed, Unread),
        (
            "held by a launcher that has the process's own end as well",
            dead().held(End::Writer(1), LAUNCHER).held(End::Reader(1), LAUNCHER),
            Unread,
            Closed,
        ),
        ("held by a tee", dead().held(End::Writer(1), LAUNCHER), Held(&[LAUNCHER]), Closed),
        (
            "stdout to somebody, nothing on 0",
            World::default().writes(1, 2).held(End::Reader(2), CLIENT),
            Absent,
            Held(&[CLIENT]),
        ),
        (
            "stdout to somebody, a file on 0",
            World::default().other(0, Object::File).writes(1, 2).held(End::Reader(2), CLIENT),
            Absent,
            Held(&[CLIENT]),
        ),
        ("null", on_null(), Absent, Absent),
        (
            "links that cannot be read",
            World::default().other(0, Object::Unread).other(1, Object::Unread),
            Unread,
            Unread,
        ),
        (
            "one that cannot be read beside one that is closed",
            World::default().reads(0, 1).other(1, Object::Unread),
            Closed,
            Unread,
        ),
        ("something else", World::default().other(0, Object::Other).writes(1, 2), Unread, Closed),
        (
            "pipes with names",
            World::default().other(0, Object::NamedPipe).other(1, Object::NamedPipe),
            Unread,
            Unread,
        ),
        (
            "a terminal",
            World::default().other(0, terminal(false)).other(1, terminal(false)),
            Held(&[CLIENT]),
            Held(&[CLIENT]),
        ),
        (
            "another terminal",
            World::default().other(0, Object::Terminal { number: None, gone: false }),
            Unread,
            Absent,
        ),
        (
            "a terminal that is gone",
            World::default().other(0, terminal(true)).other(1, terminal(true)),
            Absent,
            Absent,
        ),
        (
            "a pair",
            World::default()
                .pair(0, 7, Other::Held(8))
                .pair(1, 7, Other::Held(8))
                .held(End::Socket(8), CLIENT),
            Held(&[CLIENT]),
            Held(&[CLIENT]),
        ),
        ("a dead pair", World::default().pair(0, 7, Other::Gone).pair(1, 7, Other::Gone), Closed, Closed),
        (
            "a connection in a backlog",
            World::default().pair(0, 7, Other::Unseen).pair(1, 7, Other::Unseen),
            Unread,
            Unread,
        ),
        (
            "a client that said it is done",
            World::default()
                .socket(0, 7, shut(false, true))
                .socket(1, 7, shut(false, true))
                .held(End::Socket(8), CLIENT),
            Closed,
            Held(&[CLIENT]),
        ),
        ("a listening socket", World::default().socket(0, 7, serves("unix:x")).writes(1, 2), Unread, Closed),
        (
            "a TCP connection whose list says it is gone",
            World::default().socket(0, 7, tcp_gone.clone()).socket(1, 7, tcp_gone),
            Unread,
            Unread,
        ),
        (
            "/dev/null beside a listening socket",
            World::default().other(0, Object::Null).socket(1, 7, serves("unix:x")),
            Absent,
            Unread,
        ),
    ];
    for (what, world, stdin, stdout) in cases {
        let stdio = world.stdio();
        assert_eq!((stdio.stdin(), stdio.stdout()), (stdin, stdout), "{what}: {stdio:?}");
    }
}

#[test]
fn only_where_the_python_sdk_puts_it_a_moved_wire_is_known_to_be_dead() {
    let kind = |world: World| {
        let stdio = world.stdio();
        (stdio.kind, stdio.stdin() == OtherEnd::Closed && stdio.stdout() == OtherEnd::Closed)
    };
    assert_eq!(kind(on_null().reads(6, 1).writes(7, 2)), (StdioKind::Pipe, true));
    let gone = || on_null().pair(6, 7, Other::Gone).pair(7, 8, Other::Gone);
    assert_eq!(kind(gone()), (StdioKind::Socket, true));
    for world in [
        on_null().reads(7, 1).writes(6, 2),
        on_null().reads(5, 1).writes(6, 2),
        on_null().reads(6, 1).writes(7, 1),
        on_null().reads(6, 1).reads(7, 2),
        on_null().socket(6, 7, connection(7, Other::Gone, Origin::Accepted)).pair(7, 8, Other::Gone),
        World::default().other(0, Object::Null).other(1, Object::File).reads(6, 1).writes(7, 2),
        World::default().other(1, Object::Null).reads(6, 1).writes(7, 2),
        World::default().other(0, Object::File).other(1, Object::Null).reads(6, 1).writes(7, 2),
    ] {
        let shown = format!("{world:?}");
        let (kind, dead) = kind(world);
        assert!(!dead && !matches!(kind, StdioKind::Pipe | StdioKind::Socket), "{kind:?} {shown}");
    }
    // Elsewhere it is found while somebody holds it.
    let held = on_null().reads(8, 1).writes(9, 2).held(End::Writer(1), CLIENT).held(End::Reader(2), CLIENT);
    let stdio = held.stdio();
    assert_eq!(
        (stdio.kind, stdio.stdin(), stdio.stdout()),
        (StdioKind::Pipe, OtherEnd::Held(&[CLIENT]), OtherEnd::Held(&[CLIENT]))
    );
    assert_eq!((stdio.stdin_id, stdio.stdout_id, stdio.other_peers), (Some(1), Some(2), Some(vec![])));
}

#[test]
fn what_leads_out_above_2_is_named_and_its_own_is_not() {
    let bell = |world: World| world.reads(3, 30).writes(4, 30);
    let own_pair = |world: World| world.pair(3, 30, Other::Held(31)).pair(4, 31, Other::Held(30));
    let cases: Vec<(&str, World, Option<Vec<Pid>>)> = vec![
        ("nothing", dead(), Some(vec![])),
        ("a pipe of its client's", dead().reads(5, 3).held(End::Writer(3), CLIENT), Some(vec![CLIENT])),
        ("a dead pipe", dead().reads(5, 3), Some(vec![])),
        ("a pipe that nobody is seen to hold", dead().reads(5, 3).held(End::Writer(3), CLIENT).hide(), None),
        ("a pipe to its child", dead().writes(5, 3).held(End::Reader(3), CHILD), Some(vec![])),
        ("its bell", bell(dead()), Some(vec![])),
        (
            "a bell that came through exec",
            bell(dead()).keeps(3).held(End::Writer(30), CLIENT),
            Some(vec![CLIENT]),
        ),
        ("its own pair", own_pair(dead()), Some(vec![])),
        (
            "a pair that came through exec",
            own_pair(dead()).keeps(4).held(End::Socket(30), CLIENT),
            Some(vec![CLIENT]),
        ),
        (
            "a pair with somebody",
            dead().pair(5, 7, Other::Held(8)).held(End::Socket(8), CLIENT),
            Some(vec![CLIENT]),
        ),
        ("a dead pair", dead().pair(5, 7, Other::Gone), Some(vec![])),
        ("its log", dead().writes(2, 3).writes(5, 3).held(End::Reader(3), CLIENT), Some(vec![])),
        ("its wire once more", live().reads(5, 1).writes(6, 2), Some(vec![])),
        (
            "a connection is another matter",
            dead().socket(5, 7, connection(7, Other::Held(8), Origin::Opened)).held(End::Socket(8), CLIENT),
            Some(vec![]),
        ),
        ("a link that cannot be read", dead().other(5, Object::Unread), None),
        (
            "one seen and one not",
            dead().other(5, Object::Unread).reads(6, 3).held(End::Writer(3), CLIENT),
            None,
        ),
    ];
    for (what, world, expected) in cases {
        assert_eq!(world.stdio().other_peers, expected, "{what}");
    }
}

impl World {
    /// Nobody else's descriptors can be read.
    fn hide(mut self) -> World {
        for pids in self.holders.values_mut() {
            pids.retain(|pid| *pid == SERVER);
        }
        self
    }
}

#[test]
fn connections_from_outside_are_counted_and_named() {
    let accepted = |world: World, other| world.socket(5, 7, connection(7, other, Origin::Accepted));
    let held = |pid| accepted(on_null(), Other::Held(8)).held(End::Socket(8), pid);
    let unknown = on_null().socket(5, 7, connection(7, Other::Held(8), Origin::Unknown));
    type Case<'a> = (&'a str, World, Option<u32>, Vec<Pid>, Vec<Pid>);
    let cases: Vec<Case<'_>> = vec![
        ("a client", held(CLIENT), Some(1), vec![CLIENT], vec![]),
        ("a client in two processes", held(CLIENT).held(End::Socket(8), LAUNCHER), Some(1), vec![], vec![]),
        ("its child", held(CHILD), Some(0), vec![], vec![]),
        ("itself", held(SERVER), Some(0), vec![], vec![]),
        ("its child and a client", held(CHILD).held(End::Socket(8), CLIENT), Some(1), vec![CLIENT], vec![]),
        ("somebody unseen", accepted(on_null(), Other::Held(8)), Some(1), vec![], vec![]),
        ("another machine", accepted(on_null(), Other::Unseen), Some(1), vec![], vec![]),
        ("a client that is gone", accepted(on_null(), Other::Gone), Some(0), vec![], vec![]),
        ("who came in is not known", unknown.held(End::Socket(8), CLIENT), None, vec![], vec![CLIENT]),
        (
            "it called",
            on_null()
                .socket(5, 7, connection(7, Other::Held(8), Origin::Opened))
                .held(End::Socket(8), CLIENT),
            Some(0),
            vec![],
            vec![CLIENT],
        ),
        (
            "who waits",
            on_null()
                .socket(
                    5,
                    7,
                    Socket::Serves {
                        name: Listener::Tcp(80),
                        waiting: vec![Other::Held(8), Other::Gone, Other::Unseen],
                    },
                )
                .held(End::Socket(8), CLIENT),
            Some(2),
            vec![CLIENT],
            vec![],
        ),
        (
            "vsock",
            on_null().socket(5, 7, Socket::Opaque(Listener::Other("vsock".into()))),
            None,
            vec![],
            vec![],
        ),
        ("what it is is not known", on_null().socket(5, 7, Socket::Unread), None, vec![], vec![]),
    ];
    for (what, world, connected, peers, outbound) in cases {
        let channels = world.seen().channels;
        assert_eq!(
            (channels.connected, channels.connected_peers, channels.outbound_peers),
            (connected, peers, outbound),
            "{what}"
        );
    }
    let unread = on_null().socket(5, 7, Socket::Unread).seen();
    assert_eq!((unread.channels.listening, unread.stdio.other_peers), (None, None));
    let vsock = on_null().socket(5, 7, Socket::Opaque(Listener::Other("vsock".into()))).seen().channels;
    assert_eq!(vsock.listening.unwrap().len(), 1);
}

#[test]
fn a_process_that_is_settled_is_asked_nothing_about_its_own_pipes() {
    let world = live().reads(3, 30).writes(4, 30).pair(5, 7, Other::Held(8)).pair(6, 8, Other::Held(7));
    let count = |settled| {
        let mut world = world.clone();
        let rows = world.rows.clone();
        let mut wires = Wires::look(&rows, &mut world);
        let others = Others::look(&rows, &mut wires, settled, &mut world);
        assert!(others.ways.is_empty() && !others.ways_unread);
        world.asked
    };
    // The wire's two, and one of the pair.
    assert_eq!(count(true), 2 + 2);
    assert!(count(false) > count(true));
}

/// Any few descriptors, and any few holders of their other ends.
fn worlds() -> impl Strategy<Value = World> {
    let other = prop_oneof![(20..24u64).prop_map(Other::Held), Just(Other::Gone), Just(Other::Unseen)];
    let origin =
        prop_oneof![Just(Origin::Pair), Just(Origin::Accepted), Just(Origin::Opened), Just(Origin::Unknown)];
    let descriptor = prop_oneof![
        4 => (any::<bool>(), 1..5u64).prop_map(|(read, id)| (Object::Pipe(id), read, None)),
        3 => (20..24u64, other, origin, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(own, other, origin, unix, hears, speaks)| {
                let connection = Connection { own, other, origin, unix, hears, speaks, display: false };
                (Object::Socket(own), true, Some(Socket::Connected(connection)))
            }
        ),
        1 => (24..26u64).prop_map(|id| (Object::Socket(id), true, Some(serves("unix:x")))),
        2 => Just((Object::Null, true, None)),
        1 => Just((Object::File, true, None)),
        1 => Just((Object::Unread, true, None)),
    ];
    let holder = (prop_oneof![Just(CLIENT), Just(CHILD), Just(LAUNCHER), Just(SERVER)], 0..3u8, 1..26u64);
    let rows = proptest::collection::btree_map(0..9u32, (descriptor, any::<bool>()), 0..8);
    (rows, proptest::collection::vec(holder, 0..8)).prop_map(|(rows, holders)| {
        let mut world = World::default();
        for (fd, ((object, read, socket), keeps)) in rows {
            world = match (object, socket) {
                (Object::Pipe(id), _) if read => world.reads(fd, id),
                (Object::Pipe(id), _) => world.writes(fd, id),
                // One number is one socket.
                (Object::Socket(id), Some(socket)) => {
                    let known = world.sockets.get(&id).cloned().unwrap_or(socket);
                    world.socket(fd, id, known)
                }
                // Above 2 a system lists nothing else.
                (object, _) if fd < 3 || object == Object::Unread => world.other(fd, object),
                _ => world,
            };
            if keeps {
                world = world.keeps(fd);
            }
        }
        for (pid, what, id) in holders {
            let end = [End::Reader(id), End::Writer(id), End::Socket(id)][usize::from(what)];
            world = world.held(end, pid);
        }
        world
    })
}

proptest! {
    #[test]
    fn no_unread_answer_closes_a_wire_or_frees_a_process(
        world in worlds(),
        failing in proptest::collection::btree_set(0..40usize, 1..6),
        settled: bool,
    ) {
        let whole = world.clone().seen_when(settled);
        let torn = World { failing, ..world }.seen_when(settled);
        // With a way that is not known beside it, a closed one lets nobody go: the wire may have been moved there.
        let closed = |seen: &Observation| {
            let closed = |end: OtherEnd<'_>| end == OtherEnd::Closed;
            [closed(seen.stdio.stdin()), closed(seen.stdio.stdout())].map(|one| one && seen.stdio.other_peers.is_some())
        };
        for (torn_way, whole_way) in closed(&torn).into_iter().zip(closed(&whole)) {
            prop_assert!(!torn_way || whole_way, "{whole:?} {torn:?}");
        }
        let nobody = Some(Vec::new());
        // A wire that was found moved takes its holders along, seen or not.
        let open = |end: OtherEnd<'_>| matches!(end, OtherEnd::Held(_) | OtherEnd::Unread);
        let speaks = open(torn.stdio.stdin()) || open(torn.stdio.stdout());
        prop_assert!(
            torn.stdio.other_peers != nobody || whole.stdio.other_peers == nobody || speaks,
            "{whole:?} {torn:?}"
        );
        prop_assert!(torn.channels.connected != Some(0) || whole.channels.connected == Some(0), "{whole:?} {torn:?}");
        let silent = Some(Vec::new());
        prop_assert!(torn.channels.listening != silent || whole.channels.listening == silent, "{whole:?} {torn:?}");
    }
}
