#![allow(clippy::unwrap_used)]

use super::*;
use crate::process::{OtherEnd, ProcessRecord, Snapshot, StartTime, Stdio, StdioKind};
use crate::sys::descriptors::{FdObservation, Others, Wires};
use crate::sys::macos::layout::{Endpoint, FdTarget as On};

const SERVER: Pid = Pid(10);
const CLIENT: Pid = Pid(5);
const CHILD: Pid = Pid(11);

fn reads(own: u64, peer: u64) -> On {
    On::Pipe { own, peer, writes: false }
}

fn writes(own: u64, peer: u64) -> On {
    On::Pipe { own, peer, writes: true }
}

fn pair(own: u64, peer: u64) -> On {
    On::Unix(Unix { own, peer, hears: true, speaks: true, ..Unix::default() })
}

const HERE: &str = "::ffff:127.0.0.1";

/// Where a socket may lie.
const OWN: u64 = 1 << 50;

fn tcp(own: u64, local: (&str, u16), remote: (&str, u16)) -> On {
    let side = |(address, port): (&str, u16)| Endpoint { address: address.parse().unwrap(), port };
    On::Connected(Tcp { own, local: side(local), remote: side(remote) })
}

fn datagrams(own: u64, port: u16) -> On {
    On::Datagrams { own: OWN + own, port }
}

fn calling(own: u64, local: (&str, u16), remote: (&str, u16)) -> On {
    match tcp(OWN + own, local, remote) {
        On::Connected(udp) => On::Calling(udp),
        other => other,
    }
}

fn gone(own: u64) -> On {
    On::Unix(Unix { own, ..Unix::default() })
}

fn named(name: &[u8], listens: bool, peer: u64) -> On {
    let name = name.to_vec();
    On::Unix(Unix { own: 70, peer, listens, hears: true, speaks: true, name, ..Unix::default() })
}

fn fds(held: &[(u32, On)]) -> Fds {
    held.iter().map(|(fd, end)| (*fd, Fd { target: end.clone(), closes_on_exec: Some(true) })).collect()
}

fn seen(server: &[(u32, On)], others: &[(Pid, &[(u32, On)])]) -> FdObservation {
    let mut child = ProcessRecord::new(CHILD, StartTime(1));
    child.parent = SERVER;
    let processes = [SERVER, CLIENT].map(|pid| ProcessRecord::new(pid, StartTime(1)));
    let table = r#"{"schema":1,"os":"macos","taken_at":"2026-03-01T10:00:00Z","viewer":{"pid":70,"uid":501},"processes":[]}"#;
    let mut snapshot = Snapshot::from_json(table.as_bytes()).expect("a table");
    snapshot.processes = processes.into_iter().chain([child]).collect();
    let mut holders = Holders::new(Tree::new(&snapshot));
    let own = fds(server);
    holders.add(SERVER, &own);
    for (pid, held) in others {
        holders.add(*pid, &fds(held));
    }
    let mut connections = Connections::default();
    let theirs = others.iter().map(|(_, held)| fds(held));
    std::iter::once(own.clone()).chain(theirs).for_each(|fds| connections.add(targets(&fds)));
    let rows = rows(&own);
    let mut asked = Asked { fds: &own, connections: &connections };
    let mut wires = Wires::look(&rows, true, &mut asked);
    let others = Others::look(&rows, &mut wires, false, &mut asked);
    FdObservation::new(SERVER, &wires, &others, &mut holders)
}

fn judged(server: &[(u32, On)], client: &[(u32, On)]) -> Stdio {
    seen(server, &[(CLIENT, client)]).stdio
}

fn shown(stdio: &Stdio) -> (StdioKind, OtherEnd<'_>, OtherEnd<'_>) {
    (stdio.stdin_kind, stdio.stdin(), stdio.stdout())
}

const HELD: OtherEnd<'_> = OtherEnd::Held(&[CLIENT]);

#[test]
fn pipes_are_held_by_who_has_their_other_ends() {
    let server = [(0, reads(1, 2)), (1, writes(3, 4))];
    let client = [(7, writes(2, 1)), (8, reads(4, 3)), (9, reads(4, 3))];
    assert_eq!(shown(&judged(&server, &client)), (StdioKind::Pipe, HELD, HELD));
    let unseen = judged(&server, &[]);
    assert_eq!(shown(&unseen), (StdioKind::Pipe, OtherEnd::Unread, OtherEnd::Unread));
    let closed = judged(&[(0, reads(1, 0)), (1, writes(3, 0))], &client);
    assert_eq!(shown(&closed), (StdioKind::Pipe, OtherEnd::Closed, OtherEnd::Closed));
    let wrong = judged(&[(0, writes(1, 0)), (1, On::Plain(Object::Null))], &[]);
    assert_eq!(wrong.stdin(), OtherEnd::Unread, "the wrong end of a pipe tells nothing of stdin");
}

#[test]
fn a_socketpair_is_judged_in_each_direction() {
    let client = [(7, pair(2, 1)), (8, pair(4, 3))];
    let open = judged(&[(0, pair(1, 2)), (1, pair(3, 4))], &client);
    assert_eq!(shown(&open), (StdioKind::Socket, HELD, HELD));
    let deaf = On::Unix(Unix { own: 1, peer: 2, speaks: true, ..Unix::default() });
    let deaf = judged(&[(0, deaf), (1, pair(3, 4))], &client);
    assert_eq!(shown(&deaf), (StdioKind::Socket, OtherEnd::Closed, HELD));
    let dead = judged(&[(0, gone(1)), (1, gone(3))], &client);
    assert_eq!(shown(&dead), (StdioKind::Socket, OtherEnd::Closed, OtherEnd::Closed));
}

#[test]
fn a_question_that_failed_is_no_closed_descriptor() {
    let stdio = judged(&[(0, On::Plain(Object::Unread)), (1, writes(3, 0))], &[]);
    assert_eq!(shown(&stdio), (StdioKind::Unknown, OtherEnd::Unread, OtherEnd::Closed));
    let above = seen(&[(0, reads(1, 0)), (1, writes(3, 0)), (5, On::Plain(Object::Unread))], &[]);
    assert_eq!((above.stdio.other_peers, above.channels.listening), (None, None));
    assert_eq!(judged(&[], &[]).stdin_kind, StdioKind::Closed);
}

#[test]
fn a_listening_or_unconnected_socket_is_no_moved_wire() {
    let idle = On::Unix(Unix { own: 1, hears: true, speaks: true, ..Unix::default() });
    for socket in [named(b"/tmp/x.sock", true, 0), idle] {
        for fd in [5, 6, 7] {
            let stdio = judged(
                &[(0, On::Plain(Object::Null)), (1, On::Plain(Object::Null)), (fd, socket.clone())],
                &[],
            );
            assert_eq!(shown(&stdio), (StdioKind::Null, OtherEnd::Absent, OtherEnd::Absent));
            assert_eq!(stdio.other_peers, Some(vec![]));
        }
    }
}

#[test]
fn a_wire_moved_away_from_0_and_1_is_found() {
    let client = [(7, writes(2, 1)), (8, reads(4, 3))];
    let bell = [(3, reads(8, 9)), (4, writes(9, 8))];
    let server = |stdin: On, stdout: On| {
        let moved = [(0, On::Plain(Object::Null)), (1, On::Plain(Object::Null)), (6, stdin), (7, stdout)];
        [moved.as_slice(), bell.as_slice()].concat()
    };
    let live = judged(&server(reads(1, 2), writes(3, 4)), &client);
    assert_eq!(shown(&live), (StdioKind::Pipe, HELD, HELD));
    let dead = judged(&server(reads(1, 0), writes(3, 0)), &client);
    assert_eq!(shown(&dead), (StdioKind::Pipe, OtherEnd::Closed, OtherEnd::Closed));
    let own = judged(&[(0, On::Plain(Object::Null)), (3, pair(8, 9)), (4, pair(9, 8))], &[]);
    assert_eq!(shown(&own).0, StdioKind::Null, "an event loop's own pair");
}

#[test]
fn what_is_no_wire_says_nothing() {
    for (end, kind) in [
        (On::Plain(Object::Null), StdioKind::Null),
        (On::Plain(Object::Terminal { number: None, gone: false }), StdioKind::Tty),
        (On::Plain(Object::NamedPipe), StdioKind::Pipe),
        (On::Plain(Object::File), StdioKind::File),
        (On::Plain(Object::Other), StdioKind::Unknown),
    ] {
        assert_eq!(judged(&[(0, end)], &[]).stdin_kind, kind);
    }
}

#[test]
fn only_an_open_wire_is_worth_a_look_at_everybody() {
    assert!(is_open(&fds(&[(0, reads(1, 2))])));
    assert!(!is_open(&fds(&[(0, reads(1, 0)), (1, On::Plain(Object::File))])));
}

#[test]
fn what_serves_is_listed_and_who_came_in_is_counted() {
    let connected = |local, remote| tcp(OWN, (HERE, local), (HERE, remote));
    let channels = |held: &[(u32, On)]| {
        let channels = seen(held, &[(CLIENT, &[(3, pair(71, 70))])]).channels;
        let listening = channels.listening.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
        (listening.map(|all| all.join(" ")), channels.connected, channels.connected_peers)
    };
    let none = || Some(String::new());
    let cases: [(&[(u32, On)], _); 8] = [
        (
            &[(3, On::Listening(80)), (4, On::Listening(80)), (5, connected(80, 50000))],
            (Some("80".to_owned()), Some(1), vec![]),
        ),
        (&[(3, connected(80, 50000))], (none(), Some(1), vec![])),
        (&[(3, connected(50001, 443))], (none(), Some(0), vec![])),
        (&[(3, connected(50001, 50002))], (none(), None, vec![])),
        (
            &[(3, datagrams(7, 5353)), (4, datagrams(8, 60000))],
            (Some("udp:5353".to_owned()), Some(0), vec![]),
        ),
        (&[(3, named(b"/tmp/x.sock", true, 0))], (Some("unix:/tmp/x.sock".to_owned()), Some(0), vec![])),
        (&[(3, named(b"/tmp/x.sock", false, 71))], (none(), Some(1), vec![CLIENT])),
        (&[(3, On::Opaque("vsock"))], (Some("vsock".to_owned()), None, vec![])),
    ];
    for (held, expected) in cases {
        assert_eq!(channels(held), expected, "{held:?}");
    }
}

#[test]
fn a_client_of_a_datagram_socket_is_one_that_is_connected_to_it_or_the_one_it_is_connected_to() {
    let peers = |held: On, other: On| {
        let channels = seen(&[(3, held)], &[(CLIENT, &[(9, other)])]).channels;
        (channels.connected, channels.connected_peers, channels.outbound_peers)
    };
    let by_client = || (Some(1), vec![CLIENT], vec![]);
    let nobody = || (Some(0), vec![], vec![]);
    let calls = |port| calling(1, (HERE, 50_000), (HERE, port));
    assert_eq!(peers(datagrams(0, 5353), calls(5353)), by_client());
    assert_eq!(peers(datagrams(0, 60_000), calls(60_000)), by_client(), "a port that nobody chose");
    assert_eq!(peers(datagrams(0, 5353), calls(5354)), nobody());
    let far = calling(1, ("::ffff:10.0.0.1", 50_000), ("::ffff:10.0.0.9", 5353));
    assert_eq!(peers(datagrams(0, 5353), far), nobody(), "another machine's port");
    let group = calling(1, ("::ffff:10.0.0.1", 50_000), ("::ffff:224.0.0.251", 5353));
    assert_eq!(peers(datagrams(0, 5353), group), by_client());
    // The server's own is connected.
    let served = calling(0, (HERE, 5353), (HERE, 50_000));
    assert_eq!(peers(served.clone(), calls(5353)), by_client());
    assert_eq!(peers(served.clone(), datagrams(1, 50_000)), by_client());
    assert_eq!(peers(served, On::Plain(Object::Null)), (Some(1), vec![], vec![]), "it may be there");
    let calls_out = calling(0, (HERE, 50_000), (HERE, 5353));
    assert_eq!(peers(calls_out.clone(), datagrams(1, 5353)), (Some(0), vec![], vec![CLIENT]));
    assert_eq!(peers(calls_out, On::Plain(Object::Null)), nobody());
    let unix = |own, peer, name: &[u8]| {
        let name = name.to_vec();
        On::Unix(Unix { own, peer, datagrams: true, hears: true, speaks: true, name, ..Unix::default() })
    };
    assert_eq!(peers(unix(70, 0, b"/tmp/d"), unix(71, 70, b"")), by_client());
    assert_eq!(peers(unix(70, 71, b"/tmp/d"), unix(71, 0, b"/tmp/c")), by_client());
    assert_eq!(peers(unix(70, 0, b"/tmp/d"), unix(71, 72, b"")), nobody());
    for held in [datagrams(0, 5353), calls(5353), unix(70, 0, b"/tmp/d")] {
        assert!(is_open(&fds(&[(3, held)])));
    }
    assert!(!is_open(&fds(&[(3, datagrams(0, 60_000))])));
}

#[test]
fn the_other_side_of_a_tcp_connection_is_named_by_its_reversed_ends() {
    let served = tcp(OWN, (HERE, 80), (HERE, 50_000));
    let peers = |held: &[(u32, On)], pid: Pid, other: On| {
        let channels = seen(held, &[(pid, &[(9, other)])]).channels;
        (channels.connected, channels.connected_peers)
    };
    let theirs = tcp(OWN + 1, (HERE, 50_000), (HERE, 80));
    assert_eq!(peers(&[(3, served.clone())], CLIENT, theirs.clone()), (Some(1), vec![CLIENT]));
    assert_eq!(peers(&[(3, served.clone())], CHILD, theirs.clone()), (Some(0), vec![]), "its own helper's");
    assert_eq!(
        peers(&[(3, served.clone()), (4, theirs.clone())], CLIENT, On::Plain(Object::Null)),
        (Some(0), vec![]),
        "its own"
    );
    let both = [(3, served.clone()), (4, On::Listening(80))];
    assert_eq!(peers(&both, CLIENT, theirs), (Some(1), vec![CLIENT]));
    // The same ports between other addresses are other connections; who is far away has no name here.
    for (local, remote) in [("10.0.0.1", "10.0.0.2"), ("10.0.0.1", "10.0.0.1")] {
        let mapped = |address: &str| format!("::ffff:{address}");
        let (local, remote) = (mapped(local), mapped(remote));
        let elsewhere = tcp(OWN + 2, (&remote, 50_000), (&local, 80));
        assert_eq!(peers(&[(3, served.clone())], CLIENT, elsewhere.clone()), (Some(1), vec![]));
        let here = tcp(OWN, (&local, 80), (&remote, 50_000));
        let named = if local == remote { vec![CLIENT] } else { vec![] };
        assert_eq!(peers(&[(3, here)], CLIENT, elsewhere), (Some(1), named));
    }
    let six = tcp(OWN, ("::1", 80), ("::1", 50_000));
    assert_eq!(
        peers(&[(3, six)], CLIENT, tcp(OWN + 1, ("::1", 50_000), ("::1", 80))),
        (Some(1), vec![CLIENT])
    );
}

#[test]
fn who_is_at_the_other_side_of_a_connection_that_it_opened_is_named_too() {
    let server = [(3, tcp(OWN, (HERE, 50_000), (HERE, 9000)))];
    let client: &[(u32, On)] = &[(9, tcp(OWN + 1, (HERE, 9000), (HERE, 50_000)))];
    assert_eq!(seen(&server, &[(CLIENT, client)]).channels.outbound_peers, [CLIENT]);
    assert_eq!(seen(&server, &[]).channels.outbound_peers, []);
    assert!(is_open(&fds(&server)));
    let far = [(3, tcp(OWN, ("2001:db8::1", 50_000), ("2001:db8::2", 443)))];
    assert!(!is_open(&fds(&far)), "far away nobody is asked");
}
