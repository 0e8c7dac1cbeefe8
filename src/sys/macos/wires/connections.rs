//! Finds the socket at the other side of a connection, among all processes that were read.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

use crate::sys::descriptors::Other;
use crate::sys::macos::layout::{Endpoint, FdTarget, Tcp, Unix};

/// The connections and datagram sockets of all processes that were read.
#[derive(Debug, Default)]
pub(in crate::sys::macos) struct Connections {
    /// TCP connections by their two sides. The socket at the other side has them reversed.
    tcp: BTreeMap<(Endpoint, Endpoint), u64>,
    /// UDP sockets that are connected, by their numbers.
    calling: BTreeMap<u64, Tcp>,
    /// UDP sockets that take datagrams from any sender, by port.
    bound: BTreeMap<u16, BTreeSet<u64>>,
    /// Unix datagram sockets, by the socket to which they are connected.
    unix: BTreeMap<u64, BTreeSet<u64>>,
}

impl Connections {
    /// Adds the sockets of a process.
    pub(in crate::sys::macos) fn add<'e>(&mut self, targets: impl Iterator<Item = &'e FdTarget>) {
        for target in targets {
            match target {
                FdTarget::Connected(tcp) => {
                    self.tcp.insert((tcp.local, tcp.remote), tcp.own);
                }
                FdTarget::Calling(udp) => {
                    self.calling.insert(udp.own, *udp);
                }
                FdTarget::Datagrams { own, port } => {
                    self.bound.entry(*port).or_default().insert(*own);
                }
                FdTarget::Unix(unix) if unix.datagrams && unix.peer != 0 => {
                    self.unix.entry(unix.peer).or_default().insert(unix.own);
                }
                _ => {}
            }
        }
    }

    /// The socket at the other side; unseen if it is on another machine, or in a process that could not be read.
    pub(super) fn other(&self, tcp: &Tcp) -> Other {
        let here = is_here(tcp).then(|| self.tcp.get(&(tcp.remote, tcp.local))).flatten();
        here.map_or(Other::Unseen, |own| Other::Held(*own))
    }

    /// The UDP sockets that are connected to this port on this machine, or on a multicast group.
    pub(super) fn callers(&self, own: u64, port: u16) -> Vec<Other> {
        let calls = |udp: &&Tcp| {
            udp.own != own && udp.remote.port == port && (is_here(udp) || is_group(udp.remote.address))
        };
        self.calling.values().filter(calls).map(|udp| Other::Held(udp.own)).collect()
    }

    /// The socket to which a UDP socket is connected, and whether that is certain. It is the socket that is connected back, or
    /// else the only one that receives datagrams from any sender on that port. A socket that was not found may be in another
    /// user's process, so it is never known to be closed.
    pub(super) fn called(&self, udp: &Tcp) -> (Other, bool) {
        let back = |far: &&Tcp| far.own != udp.own && (far.local, far.remote) == (udp.remote, udp.local);
        if let Some(back) = self.calling.values().find(back) {
            return (Other::Held(back.own), true);
        }
        let bound = self.bound.get(&udp.remote.port).filter(|_| is_here(udp));
        match bound.map(|bound| bound.iter().copied().collect::<Vec<u64>>()).as_deref() {
            Some([one]) => (Other::Held(*one), true),
            Some([_, _, ..]) => (Other::Unseen, false),
            Some([]) | None => (Other::Unseen, true),
        }
    }

    /// The datagram sockets that are connected to this unix socket, and the one that it is connected to.
    pub(super) fn peers(&self, socket: &Unix) -> Vec<Other> {
        let called = (socket.peer != 0).then_some(socket.peer);
        let all = self.unix.get(&socket.own).into_iter().flatten().copied().chain(called);
        let all: BTreeSet<u64> = all.filter(|number| *number != socket.own).collect();
        all.into_iter().map(Other::Held).collect()
    }
}

/// May the other side be on this machine? It may if it has the same address, or the loopback address.
pub(super) fn is_here(tcp: &Tcp) -> bool {
    let loopback = |address: Ipv6Addr| match address.to_ipv4_mapped() {
        Some(address) => address.is_loopback(),
        None => address.is_loopback(),
    };
    tcp.remote.address == tcp.local.address || loopback(tcp.remote.address)
}

fn is_group(address: Ipv6Addr) -> bool {
    address.to_ipv4_mapped().map_or(address.is_multicast(), |address| address.is_multicast())
}
