//! Tables of what else leads out of a process.

use super::*;

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
        ("a pipe with a name, which any process may open", dead().other(5, Object::NamedPipe), None),
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
        let mut wires = Wires::look(&rows, true, &mut world);
        let others = Others::look(&rows, &mut wires, settled, &mut world);
        assert!(others.ways.is_empty() && !others.ways_unread);
        world.asked
    };
    // The wire's two, and one of the pair.
    assert_eq!(count(true), 2 + 2);
    assert!(count(false) > count(true));
}
