//! What libproc writes, read byte by byte at the offsets of xnu's `bsd/sys/proc_info.h`.
//!
//! Reading bytes, not casting structs, keeps this free of `unsafe` and testable where there is no
//! Mac; `headers.rs` lays the C structs out again, and does not compile for macOS if an offset
//! or a size here differs from theirs.

use crate::bytes::RawText;
use crate::process::{Pid, StartTime, State, Uid};

/// Offsets and sizes in bytes.
pub(super) mod at {
    pub(in super::super) const BSD_FLAGS: usize = 0;
    pub(in super::super) const BSD_STATUS: usize = 4;
    pub(in super::super) const BSD_PPID: usize = 16;
    pub(in super::super) const BSD_UID: usize = 20;
    pub(in super::super) const BSD_COMM: usize = 48;
    pub(in super::super) const BSD_NAME: usize = 64;
    pub(in super::super) const BSD_PGID: usize = 100;
    pub(in super::super) const BSD_TDEV: usize = 108;
    pub(in super::super) const BSD_START_SEC: usize = 120;
    pub(in super::super) const BSD_START_USEC: usize = 128;
    pub(in super::super) const BSD_SIZE: usize = 136;

    pub(in super::super) const SHORT_PPID: usize = 4;
    pub(in super::super) const SHORT_PGID: usize = 8;
    pub(in super::super) const SHORT_STATUS: usize = 12;
    pub(in super::super) const SHORT_COMM: usize = 16;
    pub(in super::super) const SHORT_UID: usize = 36;
    pub(in super::super) const SHORT_SIZE: usize = 64;

    pub(in super::super) const TASK_RESIDENT: usize = 8;
    pub(in super::super) const TASK_SIZE: usize = 96;

    pub(in super::super) const CWD_PATH: usize = 152;
    pub(in super::super) const CWD_PATH_SIZE: usize = 1024;
    pub(in super::super) const CWD_SIZE: usize = 2352;

    pub(in super::super) const FD_SIZE: usize = 8;
    pub(in super::super) const OPEN_FLAGS: usize = 0;

    pub(in super::super) const VNODE_MODE: usize = 28;
    pub(in super::super) const VNODE_RDEV: usize = 140;
    pub(in super::super) const VNODE_SIZE: usize = 176;

    pub(in super::super) const PIPE_HANDLE: usize = 160;
    pub(in super::super) const PIPE_PEER: usize = 168;
    pub(in super::super) const PIPE_SIZE: usize = 184;

    pub(in super::super) const SOCKET_SO: usize = 160;
    pub(in super::super) const SOCKET_STATE: usize = 192;
    pub(in super::super) const SOCKET_KIND: usize = 256;
    pub(in super::super) const SOCKET_UN_CONN_SO: usize = 264;
    pub(in super::super) const SOCKET_IN_LPORT: usize = 268;
    pub(in super::super) const SOCKET_TCP_STATE: usize = 344;
    pub(in super::super) const SOCKET_SIZE: usize = 792;
}

/// `struct proc_bsdinfo`, or the short form that is told of other users' processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bsd {
    pub(super) parent: Pid,
    pub(super) group: Pid,
    pub(super) uid: Uid,
    pub(super) state: State,
    pub(super) comm: RawText,
    /// A debugger is attached to it.
    pub(super) traced: bool,
    /// Device number of the controlling terminal.
    pub(super) terminal: Option<u32>,
    /// Microseconds since the epoch; `None` where the kernel does not say (another user's).
    pub(super) start: Option<StartTime>,
}

/// One end of something, on a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// One end of a pipe. Handles are kernel addresses, hashed; the peer is 0 once it is closed.
    Pipe { own: u64, peer: u64, writes: bool },
    /// A unix socket. `peer` is 0 once the other end is closed (or for one never connected).
    Socket { own: u64, peer: u64, hears: bool, speaks: bool },
    /// A TCP socket that listens on this port.
    Listening(u16),
    /// A TCP connection, by its local port.
    Connected(u16),
    /// `/dev/null`.
    Null,
    /// A terminal.
    Terminal,
    /// A file or another device.
    File,
    /// Anything else, or not readable.
    Unknown,
}

/// proc_info.h: PROC_FLAG_TRACED.
const TRACED: u32 = 2;

/// Reads `PROC_PIDTBSDINFO`.
pub(super) fn bsd(bytes: &[u8]) -> Option<Bsd> {
    let bytes = bytes.get(..at::BSD_SIZE)?;
    // proc_info.h: PROC_FLAG_CONTROLT, has a controlling terminal; NODEV is all ones.
    let terminal = u32_at(bytes, at::BSD_TDEV)
        .filter(|device| *device != u32::MAX && u32_at(bytes, at::BSD_FLAGS).is_some_and(|f| f & 0x80 != 0));
    let seconds = u64_at(bytes, at::BSD_START_SEC)?;
    let start = seconds.checked_mul(1_000_000)?.checked_add(u64_at(bytes, at::BSD_START_USEC)?)?;
    // The name has up to 32 bytes and may be empty; comm is cut at 16.
    let name = text(&bytes[at::BSD_NAME..at::BSD_PGID - 4]);
    let comm = if name.is_empty() { text(&bytes[at::BSD_COMM..at::BSD_NAME]) } else { name };
    Some(Bsd {
        parent: Pid(u32_at(bytes, at::BSD_PPID)?),
        group: Pid(u32_at(bytes, at::BSD_PGID)?),
        uid: Uid(u32_at(bytes, at::BSD_UID)?),
        state: state(u32_at(bytes, at::BSD_STATUS)?),
        comm,
        traced: u32_at(bytes, at::BSD_FLAGS)? & TRACED != 0,
        terminal,
        start: Some(StartTime(start)),
    })
}

/// Reads `PROC_PIDT_SHORTBSDINFO`, which the kernel answers for every user's processes.
pub(super) fn short(bytes: &[u8]) -> Option<Bsd> {
    let bytes = bytes.get(..at::SHORT_SIZE)?;
    Some(Bsd {
        parent: Pid(u32_at(bytes, at::SHORT_PPID)?),
        group: Pid(u32_at(bytes, at::SHORT_PGID)?),
        uid: Uid(u32_at(bytes, at::SHORT_UID)?),
        state: state(u32_at(bytes, at::SHORT_STATUS)?),
        comm: text(&bytes[at::SHORT_COMM..at::SHORT_COMM + 16]),
        traced: false,
        terminal: None,
        start: None,
    })
}

/// Resident bytes from `PROC_PIDTASKINFO`.
pub(super) fn resident(bytes: &[u8]) -> Option<u64> {
    u64_at(bytes.get(..at::TASK_SIZE)?, at::TASK_RESIDENT)
}

/// The working directory from `PROC_PIDVNODEPATHINFO`.
pub(super) fn cwd(bytes: &[u8]) -> Option<RawText> {
    let bytes = bytes.get(..at::CWD_SIZE)?;
    Some(text(&bytes[at::CWD_PATH..at::CWD_PATH + at::CWD_PATH_SIZE])).filter(|path| !path.is_empty())
}

/// Number and type of each descriptor, from `PROC_PIDLISTFDS`.
pub(super) fn descriptors(bytes: &[u8]) -> impl Iterator<Item = (i32, u32)> + '_ {
    bytes.chunks_exact(at::FD_SIZE).filter_map(|one| Some((u32_at(one, 0)?.cast_signed(), u32_at(one, 4)?)))
}

/// Reads `PROC_PIDFDPIPEINFO`.
pub(super) fn pipe(bytes: &[u8]) -> Option<End> {
    let bytes = bytes.get(..at::PIPE_SIZE)?;
    let (own, peer) = (u64_at(bytes, at::PIPE_HANDLE)?, u64_at(bytes, at::PIPE_PEER)?);
    // fcntl.h: FWRITE is 2.
    (own != 0).then_some(End::Pipe { own, peer, writes: u32_at(bytes, at::OPEN_FLAGS)? & 2 != 0 })
}

/// Reads `PROC_PIDFDSOCKETINFO`.
pub(super) fn socket(bytes: &[u8]) -> Option<End> {
    let bytes = bytes.get(..at::SOCKET_SIZE)?;
    // Ports are in network byte order, in the first two bytes of an int.
    let port = u16::from_be_bytes([*bytes.get(at::SOCKET_IN_LPORT)?, *bytes.get(at::SOCKET_IN_LPORT + 1)?]);
    match u32_at(bytes, at::SOCKET_KIND)? {
        // SOCKINFO_TCP, and of its states TSI_S_LISTEN and TSI_S_ESTABLISHED.
        2 => Some(match u32_at(bytes, at::SOCKET_TCP_STATE)? {
            1 => End::Listening(port),
            4 => End::Connected(port),
            _ => End::Unknown,
        }),
        // SOCKINFO_UN, with SOI_S_CANTSENDMORE and SOI_S_CANTRCVMORE for a half that was shut down.
        3 => {
            let state = u32_at(bytes, at::SOCKET_STATE)?;
            Some(End::Socket {
                own: u64_at(bytes, at::SOCKET_SO)?,
                peer: u64_at(bytes, at::SOCKET_UN_CONN_SO)?,
                hears: state & 0x20 == 0,
                speaks: state & 0x10 == 0,
            })
        }
        _ => Some(End::Unknown),
    }
}

/// Reads `PROC_PIDFDVNODEINFO`; `null` is the device number of `/dev/null`.
pub(super) fn vnode(bytes: &[u8], null: Option<u32>, is_terminal: impl Fn(u32) -> bool) -> Option<End> {
    let bytes = bytes.get(..at::VNODE_SIZE)?;
    let device = u32_at(bytes, at::VNODE_RDEV)?;
    // sys/stat.h: S_IFMT and S_IFCHR.
    let is_device = u32_at(bytes, at::VNODE_MODE)? & 0o170_000 == 0o020_000;
    Some(match device {
        device if is_device && Some(device) == null => End::Null,
        device if is_device && is_terminal(device) => End::Terminal,
        _ => End::File,
    })
}

/// sys/proc.h: SIDL 1, SRUN 2, SSLEEP 3, SSTOP 4, SZOMB 5; a living process is always SRUN.
fn state(status: u32) -> State {
    match status {
        5 => State::Zombie,
        4 => State::Stopped,
        2 => State::Other('R'),
        1 | 3 => State::Other('S'),
        _ => State::Other('?'),
    }
}

/// Up to the first zero.
fn text(bytes: &[u8]) -> RawText {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default().into()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_le_bytes(*four))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|eight| u64::from_le_bytes(*eight))
}

#[cfg(test)]
mod tests;
