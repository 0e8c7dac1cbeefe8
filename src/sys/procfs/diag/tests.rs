#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn unix_body(attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut body = vec![AF_UNIX, 1, TCP_ESTABLISHED, 0];
    body.extend(901u32.to_ne_bytes());
    body.extend([7; 8]);
    body.extend(attributes.concat());
    body
}

#[test]
fn the_requests_have_the_kernels_sizes() {
    assert_eq!(unix_request(5).len(), 40);
    assert_eq!(unix_dump_request().len(), 40);
    assert_eq!(tcp_dump_request(true).len(), 72);
    assert_eq!(u32_at(&unix_request(5), 0), Some(40));
    assert_eq!(u32_at(&unix_request(5), 24), Some(5));
    assert_eq!(u32_at(&tcp_dump_request(false), 20), Some(!(1 << 6)));
}

#[test]
fn a_socket_tells_of_its_other_end() {
    let live = unix_body(&[attribute(UNIX_DIAG_PEER, &902u32.to_ne_bytes()), attribute(6, &[0])]);
    let live = unix_diag_row(&live).unwrap();
    assert_eq!((live.inode, live.kind, live.peer, live.shutdown, live.name), (901, 1, Some(902), 0, None));
    let dead = unix_body(&[attribute(UNIX_DIAG_PEER, &[0; 4]), attribute(6, &[3])]);
    let dead = unix_diag_row(&dead).unwrap();
    assert_eq!((dead.peer, dead.shutdown), (Some(0), 3));
    let named = |name: &[u8]| unix_diag_row(&unix_body(&[attribute(UNIX_DIAG_NAME, name)])).unwrap();
    assert_eq!(
        (named(b"/run/x.sock\0").peer, named(b"/run/x.sock\0").name),
        (None, Some(b"/run/x.sock".to_vec()))
    );
    assert_eq!(named(b"\0hub").name, Some(b"\0hub".to_vec()));
    assert_eq!(named(b"").name, None);
    let waiting = [7u32.to_ne_bytes(), 0u32.to_ne_bytes()].concat();
    assert_eq!(unix_diag_row(&unix_body(&[attribute(UNIX_DIAG_ICONS, &waiting)])).unwrap().waiting, [7, 0]);
}

#[test]
fn a_row_that_is_cut_is_no_row() {
    let body = unix_body(&[attribute(UNIX_DIAG_PEER, &902u32.to_ne_bytes())]);
    for length in 0..body.len() {
        // Cut before the attribute is "never connected", which is never taken for closed.
        assert!(unix_diag_row(&body[..length]).is_none_or(|row| row.peer.is_none()), "{length}");
    }
}

#[test]
fn a_tcp_socket_is_read() {
    let mut body = vec![0; 72];
    body[0] = AF_INET;
    body[1] = TCP_LISTEN;
    body[4..6].copy_from_slice(&8931u16.to_be_bytes());
    body[8..12].copy_from_slice(&[127, 0, 0, 1]);
    body[68..72].copy_from_slice(&77u32.to_ne_bytes());
    let row = tcp_diag_row(&body).unwrap();
    assert_eq!((row.local.to_string().as_str(), row.state, row.inode), ("127.0.0.1:8931", TCP_LISTEN, 77));
    body[0] = AF_UNIX;
    assert_eq!(tcp_diag_row(&body), None);
    assert_eq!(tcp_diag_row(&body[..71]), None);
}

#[test]
fn an_answer_is_split_into_its_messages() {
    let mut bytes = message(0, &[1, 2, 3]);
    bytes.push(0); // padding
    let mut error = message(0, &(-2i32).to_ne_bytes());
    error[4..6].copy_from_slice(&NLMSG_ERROR.to_ne_bytes());
    bytes.extend(&error);
    let mut done = message(0, &[]);
    done[4..6].copy_from_slice(&NLMSG_DONE.to_ne_bytes());
    bytes.extend(&done);
    bytes.extend(&done[..9]);
    let read: Vec<_> = messages(&bytes).collect();
    assert_eq!(read, [DiagMessage::Row(&[1, 2, 3]), DiagMessage::Error(2), DiagMessage::Done]);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_always_end(bytes: Vec<u8>) {
        let _ = messages(&bytes).count();
        let _ = (unix_diag_row(&bytes), tcp_diag_row(&bytes));
        let mut row = vec![AF_UNIX];
        row.extend(&bytes);
        let _ = unix_diag_row(&row);
    }
}
