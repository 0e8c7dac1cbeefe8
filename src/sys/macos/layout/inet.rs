//! The two sides of a TCP connection, from `struct in_sockinfo`.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::at;

/// `struct in_sockinfo` of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sys::macos) struct Tcp {
    /// The address of its socket in the kernel's memory, hashed.
    pub(in crate::sys::macos) own: u64,
    pub(in crate::sys::macos) local: Endpoint,
    pub(in crate::sys::macos) remote: Endpoint,
}

/// One side of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sys::macos) struct Endpoint {
    /// An IPv4 address is mapped into IPv6 (`::ffff:127.0.0.1`), as in a socket that accepts both.
    pub(in crate::sys::macos) address: Ipv6Addr,
    pub(in crate::sys::macos) port: u16,
}

/// Reads the addresses. `own` is the number of the socket.
pub(super) fn tcp(bytes: &[u8], own: u64, local: u16, remote: u16) -> Option<Tcp> {
    // proc_info.h: INI_IPV4 is 1; of its `struct in4in6_addr` only the last four bytes are the address.
    let v4 = bytes.get(at::SOCKET_IN_VFLAG)? & 1 != 0;
    let endpoint = |at: usize, port| {
        let bytes: &[u8; 16] = bytes.get(at..)?.first_chunk()?;
        let address = match bytes {
            [.., a, b, c, d] if v4 => Ipv4Addr::new(*a, *b, *c, *d).to_ipv6_mapped(),
            bytes => Ipv6Addr::from(*bytes),
        };
        Some(Endpoint { address, port })
    };
    Some(Tcp {
        own,
        local: endpoint(at::SOCKET_IN_LADDR, local)?,
        remote: endpoint(at::SOCKET_IN_FADDR, remote)?,
    })
}
