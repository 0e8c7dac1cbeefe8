//! Parses `/proc/net/tcp` and `tcp6`, the slow lists of TCP sockets, for systems where `sock_diag` cannot be used.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// One TCP socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpRow {
    /// Our side; a mapped IPv4 address is given as IPv4.
    pub local: SocketAddr,
    /// The other side.
    pub remote: SocketAddr,
    /// The kernel's number of the state: 1 is established, 10 is listening.
    pub state: u8,
    /// The socket's inode; 0 for a connection that is not accepted yet.
    pub inode: u64,
}

/// Parses `/proc/net/tcp` or `tcp6` (proc_pid_net(5)). Invalid rows are skipped.
///
/// ```text
///   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
///    0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 81234 ...
/// ```
pub fn tcp_table(bytes: &[u8]) -> Vec<TcpRow> {
    bytes.split(|byte| *byte == b'\n').filter_map(row).collect()
}

fn row(line: &[u8]) -> Option<TcpRow> {
    let mut fields = std::str::from_utf8(line).ok()?.split_ascii_whitespace().skip(1);
    let local = address(fields.next()?)?;
    let remote = address(fields.next()?)?;
    let state = u8::from_str_radix(fields.next()?, 16).ok()?;
    let inode = fields.nth(5)?.parse().ok()?;
    Some(TcpRow { local, remote, state, inode })
}

/// `0100007F:1F90`: the address as 32-bit words in the machine's byte order, then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = [0; 16];
    for (at, word) in bytes.chunks_mut(4).zip(ip.as_bytes().chunks(8)) {
        let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        at.copy_from_slice(&word.to_ne_bytes());
    }
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3])),
        32 => IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn rows_of_both_families_are_read() {
        let text = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 81234 1 x 100
   1: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 55 1
   2: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:C350 01 0:0 0:0 0 0 0 0 1
   3: 0100007F nonsense
";
        let rows = tcp_table(text);
        let shown: Vec<_> = rows
            .iter()
            .map(|row| format!("{} {} {} {}", row.local, row.remote, row.state, row.inode))
            .collect();
        assert_eq!(
            shown,
            [
                "127.0.0.1:8080 0.0.0.0:0 10 81234",
                "[::1]:3000 [::]:0 10 55",
                "127.0.0.1:8080 127.0.0.1:50000 1 0"
            ]
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, text in "( *[0-9A-F:\u{e9}]{0,34}){0,12}") {
            let _ = (tcp_table(&bytes), tcp_table(text.as_bytes()));
        }
    }
}
