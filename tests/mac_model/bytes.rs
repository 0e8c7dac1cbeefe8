//! The structs of xnu's `bsd/sys/proc_info.h` and `bsd/sys/resource.h`, written field after field in the order of the
//! headers, each at the next place where a C compiler puts it. Deliberately without the offsets that the program reads
//! at: that both agree is what is tested.

use std::net::IpAddr;

/// A struct under construction.
#[derive(Default)]
pub struct Struct(Vec<u8>);

impl Struct {
    fn aligned(mut self, to: usize) -> Struct {
        while !self.0.len().is_multiple_of(to) {
            self.0.push(0);
        }
        self
    }

    pub fn u8(mut self, value: u8) -> Struct {
        self.0.push(value);
        self
    }

    pub fn u16(self, value: u16) -> Struct {
        self.aligned(2).raw(&value.to_le_bytes())
    }

    pub fn u32(self, value: u32) -> Struct {
        self.aligned(4).raw(&value.to_le_bytes())
    }

    pub fn u64(self, value: u64) -> Struct {
        self.aligned(8).raw(&value.to_le_bytes())
    }

    /// This many 32-bit fields that nobody here looks at, with a value that would be noticed.
    pub fn junk32(self, fields: usize) -> Struct {
        (0..fields).fold(self, |made, _| made.u32(0x5a5a_5a5a))
    }

    pub fn junk64(self, fields: usize) -> Struct {
        (0..fields).fold(self, |made, _| made.u64(0x5a5a_5a5a_5a5a_5a5a))
    }

    pub fn raw(mut self, bytes: &[u8]) -> Struct {
        self.0.extend_from_slice(bytes);
        self
    }

    /// A field of this many bytes; what does not fit is cut, and the last byte is a zero.
    pub fn text(self, text: &[u8], size: usize) -> Struct {
        let mut field = text[..text.len().min(size - 1)].to_vec();
        field.resize(size, 0);
        self.raw(&field)
    }

    pub fn end(self, alignment: usize) -> Vec<u8> {
        self.aligned(alignment).0
    }
}

/// `struct proc_bsdinfo`.
pub struct Bsd<'a> {
    pub flags: u32,
    pub status: u32,
    pub pid: u32,
    pub ppid: u32,
    pub uid: u32,
    pub name: &'a [u8],
    pub pgid: u32,
    pub tdev: u32,
    pub start_us: u64,
}

impl Bsd<'_> {
    pub fn long(&self) -> Vec<u8> {
        let ids = Struct::default().u32(self.flags).u32(self.status).u32(0).u32(self.pid).u32(self.ppid);
        // uid, gid, ruid, rgid, svuid, svgid, rfu_1.
        let ids = ids.u32(self.uid).u32(20).u32(self.uid).u32(20).u32(self.uid).u32(20).junk32(1);
        let names = ids.text(self.name, 16).text(self.name, 32);
        // nfiles, pgid, pjobc, tdev, tpgid, nice.
        let rest = names.junk32(1).u32(self.pgid).junk32(1).u32(self.tdev).junk32(2);
        rest.u64(self.start_us / 1_000_000).u64(self.start_us % 1_000_000).end(8)
    }

    pub fn short(&self) -> Vec<u8> {
        let head = Struct::default().u32(self.pid).u32(self.ppid).u32(self.pgid).u32(self.status);
        // uid, gid, ruid, rgid, svuid, svgid, rfu.
        head.text(self.name, 16).u32(self.flags).u32(self.uid).junk32(6).end(4)
    }
}

/// `struct proc_uniqidentifierinfo`.
pub fn unique(own: u64, parent: u64, version: u32) -> Vec<u8> {
    Struct::default().raw(&[0x5a; 16]).u64(own).u64(parent).u32(version).junk32(1).junk64(2).end(8)
}

/// `struct proc_taskinfo`.
pub fn task(resident: u64) -> Vec<u8> {
    Struct::default().junk64(1).u64(resident).junk64(4).junk32(12).end(8)
}

/// `struct rusage_info_v2`.
pub fn usage(user: u64, system: u64, footprint: u64, written: u64) -> Vec<u8> {
    let times = Struct::default().raw(&[0x5a; 16]).u64(user).u64(system);
    // pkg_idle_wkups, interrupt_wkups, pageins, wired_size, resident_size; after the footprint: two absolute times, six
    // numbers of children, bytes read.
    times.junk64(5).u64(footprint).junk64(9).u64(written).end(8)
}

/// `struct vinfo_stat`.
fn stat(made: Struct, mode: u16, rdev: u32) -> Struct {
    let made = made.u32(1).u16(mode).u16(1).u64(7).u32(501).u32(20);
    made.junk64(8).u64(0).u64(0).u32(4096).u32(0).u32(0).u32(rdev).junk64(2)
}

/// `struct vnode_info`.
fn vnode_info(made: Struct, mode: u16, rdev: u32) -> Struct {
    stat(made, mode, rdev).junk32(4)
}

/// `struct proc_vnodepathinfo`: the working directory and the root directory, which is empty without chroot(2).
pub fn directories(cwd: &[u8]) -> Vec<u8> {
    let made = vnode_info(Struct::default(), 0o040_755, 0).text(cwd, 1024);
    vnode_info(made, 0, 0).text(b"", 1024).end(8)
}

/// `struct proc_fileinfo`.
fn file_info(open_flags: u32, closes_on_exec: bool) -> Struct {
    // PROC_FP_SHARED is 1, PROC_FP_CLEXEC 2.
    Struct::default().u32(open_flags).u32(1 | if closes_on_exec { 2 } else { 0 }).u64(0).u32(1).u32(0)
}

/// `struct vnode_fdinfo`.
pub fn vnode(open_flags: u32, closes_on_exec: bool, mode: u16, rdev: u32) -> Vec<u8> {
    vnode_info(file_info(open_flags, closes_on_exec), mode, rdev).end(8)
}

/// `struct pipe_fdinfo`.
pub fn pipe(open_flags: u32, closes_on_exec: bool, handle: u64, peer: u64) -> Vec<u8> {
    stat(file_info(open_flags, closes_on_exec), 0o010_660, 0).u64(handle).u64(peer).junk32(2).end(8)
}

/// The part of `struct socket_info` that all families have.
pub struct Socket {
    pub handle: u64,
    pub datagrams: bool,
    pub family: u32,
    pub options: u16,
    pub state: u16,
    pub kind: u32,
}

impl Socket {
    fn head(&self, closes_on_exec: bool) -> Struct {
        let made = stat(file_info(3, closes_on_exec), 0o140_000, 0).u64(self.handle).junk64(1);
        let made = made.u32(if self.datagrams { 2 } else { 1 }).u32(0).u32(self.family);
        // linger; qlen, incqlen, qlimit, timeo; error; oobmark.
        let made = made.u16(self.options).u16(0x5a5a).u16(self.state).u16(0x5a5a).u16(0x5a5a).u16(0x5a5a);
        let made = made.u16(0x5a5a).u16(0x5a5a).junk32(1);
        // Two `struct sockbuf_info`: five 32-bit and two 16-bit numbers.
        made.junk32(12).u32(self.kind).junk32(1)
    }

    /// Up to the size of `struct socket_fdinfo`, with its union of 528 bytes at the end.
    fn whole(made: Struct) -> Vec<u8> {
        let mut bytes = made.end(1);
        bytes.resize(24 + 240 + 528, 0);
        bytes
    }

    pub fn unix(&self, closes_on_exec: bool, peer: u64, name: &[u8], peer_name: &[u8]) -> Vec<u8> {
        // `struct sockaddr_un` in a field of SOCK_MAXADDRLEN bytes: length, family, path.
        let address = |name: &[u8]| {
            let mut address = vec![0; 255];
            if !name.is_empty() {
                address[0] = u8::try_from(name.len() + 2).unwrap();
                address[1] = 1;
                address[2..2 + name.len()].copy_from_slice(name);
            }
            address
        };
        let made = self.head(closes_on_exec).u64(peer).junk64(1);
        Socket::whole(made.raw(&address(name)).raw(&address(peer_name)))
    }

    /// `addresses`: the local and the foreign one.
    pub fn inet(
        &self,
        closes_on_exec: bool,
        ports: (u16, u16),
        addresses: (IpAddr, IpAddr),
        tcp_state: u32,
    ) -> Vec<u8> {
        let (local, remote) = ports;
        let port = |port: u16| u32::from(port.to_be());
        // struct in_sockinfo: ports, gencnt, flags, flow, vflag and ttl, rfu, two addresses, tos and 12 bytes of IPv6.
        let made = self.head(closes_on_exec).u32(port(remote)).u32(port(local)).junk64(1).junk32(2);
        let raw = |address: IpAddr| match address {
            // struct in4in6_addr: whatever stands before it.
            IpAddr::V4(four) => [&[0x5a; 12][..], &four.octets()].concat(),
            IpAddr::V6(six) => six.octets().to_vec(),
        };
        let version = if addresses.0.is_ipv4() { 1 } else { 2 };
        let made =
            made.u8(version).u8(64).junk32(1).raw(&raw(addresses.1)).raw(&raw(addresses.0)).u8(0).junk32(3);
        Socket::whole(made.u32(tcp_state))
    }
}

/// What `sysctl(KERN_PROCARGS2)` hands over.
pub fn arguments(path: &str, argv: &[String], env: Option<&[String]>) -> Vec<u8> {
    let mut bytes = i32::try_from(argv.len()).unwrap().to_le_bytes().to_vec();
    bytes.extend(path.as_bytes());
    bytes.push(0);
    // The path came with `executable_path=` before it, 16 bytes, so the padding is that of the path alone.
    while !(bytes.len() - 4).is_multiple_of(8) {
        bytes.push(0);
    }
    let words = argv.iter().chain(env.into_iter().flatten());
    for word in words {
        bytes.extend(word.as_bytes());
        bytes.push(0);
    }
    if env.is_some() {
        bytes.extend(b"ptr_munge=\0main_stack=\0");
    }
    bytes
}
