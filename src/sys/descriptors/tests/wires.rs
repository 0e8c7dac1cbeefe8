//! Tables of wires.

use super::*;
use crate::process::{OtherEnd, StdioKind};

#[test]
fn each_direction_is_seen_for_itself() {
    use OtherEnd::{Absent, Closed, Held, Unread};
    let terminal = |gone| Object::Terminal { number: Some(3), gone };
    let shut = |hears, speaks| {
        let unix = true;
        let (other, origin) = (Other::Held(8), Origin::Pair);
        Socket::Connected(Connection { own: 7, other, origin, unix, hears, speaks, display: Display::No })
    };
    let tcp_gone = Socket::Connected(Connection {
        own: 7,
        other: Other::Gone,
        origin: Origin::Accepted,
        unix: false,
        hears: true,
        speaks: true,
        display: Display::No,
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
        (stdio.stdin_kind, stdio.stdin() == OtherEnd::Closed && stdio.stdout() == OtherEnd::Closed)
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
    // Elsewhere it is found while it is held.
    let held = on_null().reads(8, 1).writes(9, 2).held(End::Writer(1), CLIENT).held(End::Reader(2), CLIENT);
    let stdio = held.stdio();
    assert_eq!(
        (stdio.stdin_kind, stdio.stdin(), stdio.stdout()),
        (StdioKind::Pipe, OtherEnd::Held(&[CLIENT]), OtherEnd::Held(&[CLIENT]))
    );
    assert_eq!((stdio.stdin_id, stdio.stdout_id, stdio.other_peers), (Some(1), Some(2), Some(vec![])));
}
