//! Ports a process listens on, and who is connected to them.
//!
//! `/proc/net/tcp` walks the kernel's whole table of connections, 4 ms for each family on a machine
//! with 7 sockets; `sock_diag` goes through the listening ones alone, in microseconds. So the file is
//! read only for another network namespace and where `sock_diag` is not to be had.

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd};

use super::probe::Probe;
use super::proc::{Proc, Shape, link_at, read_at};
use crate::sys::procfs::{TCP_ESTABLISHED, TCP_LISTEN, TcpRow, tcp_table};

/// The most of one socket list that is read, in bytes: about 400,000 sockets.
const MOST_LIST: usize = 64 << 20;

/// The sockets of the network namespaces that were met, each list read once.
pub(super) struct Net {
    /// Ours, as its link says; `None` when that cannot be read.
    own: Option<Vec<u8>>,
    /// By namespace and state.
    lists: HashMap<(Vec<u8>, u8), Option<Vec<TcpRow>>>,
}

impl Net {
    pub(super) fn new() -> Net {
        Net { own: std::fs::read_link("/proc/self/ns/net").ok().map(bytes), lists: HashMap::new() }
    }

    /// True when the process lives in our network namespace.
    pub(super) fn is_here(&self, dir: BorrowedFd<'_>) -> bool {
        self.own.is_some() && link_at(dir, "ns/net").ok() == self.own
    }

    /// Ports it listens on with these sockets, lowest first, and the number of established connections to them that do
    /// not come from the process itself. `None` where that could not be read.
    pub(super) fn ports(
        &mut self,
        proc: &mut Proc,
        probe: &mut Probe,
        dir: BorrowedFd<'_>,
        own: &[u64],
    ) -> (Option<Vec<u16>>, Option<u32>) {
        if own.is_empty() {
            return (Some(Vec::new()), Some(0));
        }
        let Ok(namespace) = link_at(dir, "ns/net") else { return (None, None) };
        let Some(listening) = self.list(proc, probe, dir, &namespace, TCP_LISTEN) else {
            return (None, None);
        };
        let mut ports: Vec<u16> =
            listening.iter().filter(|row| own.contains(&row.inode)).map(|row| row.local.port()).collect();
        ports.sort_unstable();
        ports.dedup();
        if ports.is_empty() {
            return (Some(ports), Some(0));
        }
        let connected = self
            .list(proc, probe, dir, &namespace, TCP_ESTABLISHED)
            .map(|rows| u32::try_from(inbound(rows, &ports, own)).unwrap_or(u32::MAX));
        (Some(ports), connected)
    }

    fn list(
        &mut self,
        proc: &mut Proc,
        probe: &mut Probe,
        dir: BorrowedFd<'_>,
        namespace: &[u8],
        state: u8,
    ) -> Option<&Vec<TcpRow>> {
        let here = self.own.as_deref() == Some(namespace);
        self.lists
            .entry((namespace.to_vec(), state))
            .or_insert_with(|| {
                let quick = if here { probe.tcp(state) } else { None };
                quick.or_else(|| slow(proc, dir, state))
            })
            .as_ref()
    }
}

/// Reads both lists of the process's namespace.
fn slow(proc: &mut Proc, dir: BorrowedFd<'_>, state: u8) -> Option<Vec<TcpRow>> {
    read_at(dir.as_fd(), "net/tcp", MOST_LIST, Shape::Rows, &mut proc.text).ok()?;
    let mut rows = tcp_table(&proc.text);
    // No such file where the kernel has no IPv6.
    if read_at(dir.as_fd(), "net/tcp6", MOST_LIST, Shape::Rows, &mut proc.text).is_ok() {
        rows.extend(tcp_table(&proc.text));
    }
    rows.retain(|row| row.state == state);
    Some(rows)
}

/// Established connections to these ports, without those whose other side is one of these sockets.
fn inbound(rows: &[TcpRow], ports: &[u16], own: &[u64]) -> usize {
    let from_itself = |row: &TcpRow| {
        rows.iter().any(|far| far.local == row.remote && far.remote == row.local && own.contains(&far.inode))
    };
    rows.iter().filter(|row| ports.contains(&row.local.port()) && !from_itself(row)).count()
}

fn bytes(path: std::path::PathBuf) -> Vec<u8> {
    use std::os::unix::ffi::OsStringExt as _;
    path.into_os_string().into_vec()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(local: &str, remote: &str, inode: u64) -> TcpRow {
        let address = |text: &str| text.parse().unwrap();
        TcpRow { local: address(local), remote: address(remote), state: TCP_ESTABLISHED, inode }
    }

    #[test]
    fn only_what_comes_in_from_others_counts() {
        let rows = [
            row("10.0.0.1:8080", "10.0.0.9:5000", 11),
            row("10.0.0.1:8080", "10.0.0.9:5001", 0), // not accepted yet
            row("10.0.0.1:40000", "10.0.0.7:443", 12), // goes out
            row("127.0.0.1:8080", "127.0.0.1:41000", 13),
            row("127.0.0.1:41000", "127.0.0.1:8080", 14), // to itself
            row("127.0.0.1:8080", "127.0.0.1:42000", 15),
            row("127.0.0.1:42000", "127.0.0.1:8080", 99), // from somebody else
        ];
        assert_eq!(inbound(&rows, &[8080], &[11, 12, 13, 14, 15]), 3);
        assert_eq!(inbound(&rows, &[9090], &[11]), 0);
    }
}
