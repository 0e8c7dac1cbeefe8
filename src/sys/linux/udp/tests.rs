#![allow(clippy::unwrap_used)]

use super::*;
use crate::sys::procfs::TCP_ESTABLISHED;

const RANGE: RangeInclusive<u16> = 32768..=60999;

const ANY: &str = "0.0.0.0:0";

fn row(local: &str, remote: &str, inode: u64) -> TcpRow {
    let address = |text: &str| text.parse().unwrap();
    let state = if remote == ANY || remote == "[::]:0" { TCP_CLOSE } else { TCP_ESTABLISHED };
    TcpRow { local: address(local), remote: address(remote), state, inode }
}

/// What the socket with inode 10 is, whose row is the first.
fn seen(rows: &[TcpRow], range: Option<RangeInclusive<u16>>) -> Socket {
    Udp::new(rows.to_vec(), range).socket(10)
}

fn serves(port: u16, waiting: &[Other]) -> Socket {
    Socket::Serves { name: Listener::Other(format!("udp:{port}")), waiting: waiting.to_vec() }
}

#[test]
fn it_serves_on_a_port_that_was_chosen() {
    let bound = |port: u16| [row(&format!("0.0.0.0:{port}"), ANY, 10)];
    assert_eq!(seen(&bound(5353), Some(RANGE)), serves(5353, &[]));
    assert_eq!(seen(&bound(5353), None), serves(5353, &[]));
    assert_eq!(seen(&bound(40000), Some(RANGE)), Socket::Nothing);
    assert_eq!(Udp::new(bound(5353).to_vec(), Some(RANGE)).socket(11), Socket::Nothing);
}

#[test]
fn whoever_is_connected_to_its_port_is_a_client() {
    let (v4, v6) = ("127.0.0.1:5353", "[::1]:5353");
    let cases = [
        (v4, "127.0.0.1:40000", v4, true),
        (v6, "[::1]:40000", v6, true),
        ("0.0.0.0:5353", "127.0.0.1:40000", v4, true),
        ("[::]:5353", "127.0.0.1:40000", v4, true),
        ("[::]:5353", "[::1]:40000", v6, true),
        // By another address of this machine.
        ("0.0.0.0:5353", "10.0.0.1:40000", "10.0.0.1:5353", true),
        ("0.0.0.0:5353", "127.0.0.1:40000", "10.0.0.1:5353", true),
        // To a group.
        ("0.0.0.0:5353", "10.0.0.1:40000", "224.0.0.251:5353", true),
        // To the same port of another machine, of another address, and to another port.
        ("0.0.0.0:5353", "10.0.0.1:40000", "10.0.0.9:5353", false),
        (v4, "10.0.0.1:40000", "10.0.0.1:5353", false),
        (v4, "127.0.0.1:40000", "127.0.0.1:5354", false),
    ];
    for (bound, local, remote, client) in cases {
        let rows =
            [row(bound, if bound.starts_with('[') { "[::]:0" } else { ANY }, 10), row(local, remote, 99)];
        let waiting: &[Other] = if client { &[Other::Held(99)] } else { &[] };
        assert_eq!(seen(&rows, Some(RANGE)), serves(5353, waiting), "{bound} {local} {remote}");
    }
    // Where the kernel chose the port, a client shows that it serves.
    let given = [row("127.0.0.1:40001", ANY, 10), row("127.0.0.1:40000", "127.0.0.1:40001", 99)];
    assert_eq!(seen(&given, Some(RANGE)), serves(40001, &[Other::Held(99)]));
}

#[test]
fn it_is_connected_to_a_client_by_a_port_that_was_chosen_and_else_to_a_server() {
    let (own, far) = ("127.0.0.1:5353", "127.0.0.1:40000");
    let out = ("127.0.0.1:40000", "127.0.0.1:5353");
    let elsewhere = ("10.0.0.1:40000", "10.0.0.9:53");
    let cases = [
        (vec![row(own, far, 10), row(far, own, 99)], Origin::Accepted, Other::Held(99)),
        (vec![row(own, far, 10), row(far, ANY, 99)], Origin::Accepted, Other::Held(99)),
        (vec![row(own, far, 10), row("0.0.0.0:40000", ANY, 99)], Origin::Accepted, Other::Held(99)),
        // It left.
        (vec![row(own, far, 10)], Origin::Accepted, Other::Gone),
        (vec![row(own, far, 10), row(far, "127.0.0.1:5354", 99)], Origin::Accepted, Other::Gone),
        // Another machine's client may be there.
        (vec![row("10.0.0.1:5353", "10.0.0.9:40000", 10)], Origin::Accepted, Other::Unseen),
        (vec![row(out.0, out.1, 10), row(out.1, ANY, 99)], Origin::Opened, Other::Held(99)),
        (vec![row(out.0, out.1, 10)], Origin::Opened, Other::Gone),
        (vec![row(elsewhere.0, elsewhere.1, 10)], Origin::Opened, Other::Unseen),
        // The one that is connected back comes before one that takes datagrams from any sender.
        (
            vec![row(own, far, 10), row("0.0.0.0:40000", ANY, 98), row(far, own, 99)],
            Origin::Accepted,
            Other::Held(99),
        ),
        // Two share a port: which of them it is cannot be said.
        (vec![row(own, far, 10), row(far, ANY, 98), row(far, ANY, 99)], Origin::Accepted, Other::Unseen),
        (
            vec![row(out.0, out.1, 10), row(out.1, ANY, 98), row(out.1, ANY, 99)],
            Origin::Unknown,
            Other::Held(98),
        ),
    ];
    for (rows, origin, other) in cases {
        match seen(&rows, Some(RANGE)) {
            Socket::Connected(connection) => {
                assert_eq!((connection.origin, connection.other), (origin, other), "{rows:?}");
            }
            socket => panic!("{socket:?} {rows:?}"),
        }
    }
    let Socket::Connected(unknown) = seen(&[row(own, far, 10), row(far, own, 99)], None) else { panic!() };
    assert_eq!((unknown.origin, unknown.other), (Origin::Unknown, Other::Held(99)));
}
