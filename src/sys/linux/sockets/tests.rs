use super::*;
use crate::sys::descriptors::{Display, Origin, Other};
use crate::sys::procfs::{SOCK_DGRAM, TCP_CLOSE, TCP_ESTABLISHED, TCP_LISTEN};

fn socket(kind: u8, state: u8, name: Option<&[u8]>, peer: Option<u32>, shutdown: u8) -> UnixSocket {
    let name = name.map(<[u8]>::to_vec);
    UnixSocket { inode: 4_000_000_001, kind, state, peer, shutdown, name, waiting: vec![5, 0] }
}

fn judged(socket: &UnixSocket) -> Socket {
    let far = |inode, name: Option<&[u8]>| {
        let name = name.map(<[u8]>::to_vec);
        (inode, UnixSocket { inode, kind: 1, state: 1, peer: None, shutdown: 0, name, waiting: vec![] })
    };
    let mut sockets = Sockets::new();
    sockets.unix = [far(5, None), far(6, Some(b"/run/hub.sock")), far(7, Some(b"\0/tmp/.X11-unix/X0"))]
        .into_iter()
        .collect();
    sockets.unix_socket(socket, true)
}

#[test]
fn a_unix_socket_serves_or_is_connected_or_neither() {
    let serves =
        |name: &str, waiting: Vec<Other>| Socket::Serves { name: Listener::Other(name.to_owned()), waiting };
    let waiting = vec![Other::Held(5), Other::Unseen];
    let cases = [
        (socket(1, TCP_LISTEN, Some(b"/run/x.sock"), None, 0), serves("unix:/run/x.sock", waiting.clone())),
        (socket(5, TCP_LISTEN, Some(b"\0x"), None, 0), serves("unix:@x", waiting)),
        (socket(2, TCP_CLOSE, Some(b"/run/d"), None, 0), serves("unix:/run/d", vec![])),
        (socket(2, TCP_CLOSE, Some(b"\x000001a"), None, 0), Socket::Nothing),
        (socket(1, TCP_CLOSE, Some(b"/run/bound-only"), None, 0), Socket::Nothing),
        (socket(1, TCP_LISTEN, Some(b"/tmp/tsx-0/7.pipe"), None, 0), Socket::Nothing),
        (socket(1, TCP_CLOSE, None, None, 0), Socket::Nothing),
    ];
    for (socket, expected) in cases {
        assert_eq!(judged(&socket), expected, "{socket:?}");
    }
}

#[test]
fn a_connection_is_known_by_the_names_of_its_two_ends() {
    let at = |name: Option<&[u8]>, peer: Option<u32>, shutdown: u8| match judged(&socket(
        1,
        TCP_ESTABLISHED,
        name,
        peer,
        shutdown,
    )) {
        Socket::Connected(c) => (c.origin, c.other, c.display),
        other => panic!("{other:?}"),
    };
    let named: Option<&[u8]> = Some(b"/run/x.sock");
    assert_eq!(at(None, Some(5), 0), (Origin::Pair, Other::Held(5), Display::No));
    assert_eq!(at(None, Some(0), 3), (Origin::Pair, Other::Gone, Display::No));
    assert_eq!(at(named, Some(5), 0), (Origin::Accepted, Other::Held(5), Display::No));
    assert_eq!(at(named, Some(0), 3), (Origin::Accepted, Other::Gone, Display::No));
    assert_eq!(at(None, Some(6), 0), (Origin::Opened, Other::Held(6), Display::No));
    assert_eq!(at(None, Some(7), 0), (Origin::Opened, Other::Held(7), Display::Yes));
    // Neither is closed: the first waits in a backlog, of the second the kernel says nothing.
    assert_eq!(at(None, Some(0), 0), (Origin::Opened, Other::Unseen, Display::No));
    assert_eq!(at(None, Some(0), 1), (Origin::Opened, Other::Unseen, Display::No));
    let waits = |inode| {
        let mut sockets = Sockets::new();
        let mut listens = socket(1, TCP_LISTEN, Some(b"/run/hub.sock"), None, 0);
        (listens.inode, listens.waiting) = (9, vec![inode]);
        (sockets.dumped, sockets.unix) = (Some(true), std::iter::once((9, listens)).collect());
        match sockets.unix_socket(&socket(1, TCP_ESTABLISHED, None, Some(0), 0), true) {
            Socket::Connected(c) => (c.origin, c.other),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(waits(4_000_000_001), (Origin::Opened, Other::Held(9)), "in the backlog of this one");
    assert_eq!(waits(5), (Origin::Opened, Other::Unseen));
    assert_eq!(at(None, None, 0), (Origin::Pair, Other::Unseen, Display::No));
}

#[test]
fn a_datagram_sockets_clients_are_those_that_are_connected_to_it_and_the_one_that_it_is_connected_to() {
    let own = 4_000_000_001;
    let far = |inode, kind, peer| {
        let name = Some(b"\x00far".to_vec());
        (inode, UnixSocket { inode, kind, state: 1, peer, shutdown: 0, name, waiting: vec![] })
    };
    let seen = |read: bool, peer: Option<u32>, others: &[(u32, UnixSocket)]| {
        let mut sockets = Sockets::new();
        sockets.dumped = Some(read);
        sockets.unix = others.iter().cloned().collect();
        let state = if peer.is_some() { TCP_ESTABLISHED } else { TCP_CLOSE };
        sockets.unix_socket(&socket(SOCK_DGRAM, state, Some(b"/run/d"), peer, 0), true)
    };
    let name = Listener::Other("unix:/run/d".to_owned());
    let serves = |waiting: Vec<Other>| Socket::Serves { name: name.clone(), waiting };
    let calling = [far(5, SOCK_DGRAM, Some(own)), far(6, SOCK_DGRAM, Some(5)), far(7, SOCK_DGRAM, Some(own))];
    assert_eq!(seen(true, None, &calling), serves(vec![Other::Held(5), Other::Held(7)]));
    assert_eq!(seen(true, Some(5), &calling), serves(vec![Other::Held(5), Other::Held(7)]));
    assert_eq!(seen(true, Some(6), &calling[..2]), serves(vec![Other::Held(5), Other::Held(6)]));
    assert_eq!(seen(true, None, &calling[1..2]), serves(vec![]));
    assert_eq!(seen(true, Some(own), &[]), serves(vec![]), "to itself");
    assert_eq!(seen(true, Some(0), &[]), serves(vec![]), "the other one is gone");
    assert_eq!(seen(false, None, &calling), Socket::Opaque(name), "who calls could not be read");
}
