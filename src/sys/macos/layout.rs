//! Parses the structs of libproc, byte by byte at the offsets of xnu's `bsd/sys/proc_info.h`.
//!
//! Reading bytes instead of casting structs needs no `unsafe`, and can be tested on any system. `tests/mac_real/layout.sh` does
//! not compile if an offset or a size here differs from that of the C structs.

use super::calls::USAGE_SIZE;
use crate::bytes::RawText;
use crate::process::{Pid, ProcessState, StartTime, Uid};
use crate::sys::descriptors::Object;

pub(super) mod at;
mod inet;

pub(super) use inet::{Endpoint, Tcp};

/// `struct proc_bsdinfo`, or the short form that the kernel returns for other users' processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bsd {
    pub(super) parent: Pid,
    pub(super) group: Pid,
    pub(super) uid: Uid,
    pub(super) state: ProcessState,
    pub(super) comm: RawText,
    /// A debugger is attached to it.
    pub(super) traced: bool,
    /// It is exiting: it receives no signal any more, and its descriptors are or will be closed.
    pub(super) exiting: bool,
    /// Device number of the controlling terminal.
    pub(super) terminal: Option<u32>,
    /// Microseconds since the epoch; `None` for another user's process, for which the kernel does not return it.
    pub(super) start: Option<StartTime>,
}

/// The object that a descriptor refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FdTarget {
    /// One end of a pipe. Handles are kernel addresses, hashed; the peer is 0 once it is closed.
    Pipe { own: u64, peer: u64, writes: bool },
    /// A unix socket.
    Unix(Unix),
    /// A TCP socket that listens on this port.
    Listening(u16),
    /// A TCP connection.
    Connected(Tcp),
    /// A UDP socket that receives datagrams from any sender, on this port.
    Datagrams { own: u64, port: u16 },
    /// A UDP socket that is connected.
    Calling(Tcp),
    /// A socket of another family that may serve, with the text by which it is shown.
    Opaque(&'static str),
    /// A socket that is neither bound nor connected, or is connected to the kernel.
    Idle,
    /// Any other object. A terminal is gone when it was revoked, because the leader of its session ended. A descriptor that
    /// could not be read is [`Object::Unread`], and never left out.
    Plain(Object),
}

/// `struct un_sockinfo`, and the state of its socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unix {
    pub(super) own: u64,
    /// The peer; 0 for a socket that was never connected, or no longer is.
    pub(super) peer: u64,
    pub(super) listens: bool,
    pub(super) datagrams: bool,
    pub(super) hears: bool,
    pub(super) speaks: bool,
    /// Its own path. An accepted socket has the path of its listening socket.
    pub(super) name: Vec<u8>,
    /// The path of the other side.
    pub(super) peer_name: Vec<u8>,
}

/// `struct proc_uniqidentifierinfo`: numbers that are given only once until the machine restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unique {
    /// The process's own number, kept through exec.
    pub(super) id: u64,
    /// The number of the process that forked it, kept when it is handed on. Exec sets it anew from the parent of that
    /// moment (xnu: `proc_setpptr` for the copy that exec makes), so a process that was adopted before its exec looks like
    /// a child of launchd.
    pub(super) parent: u64,
    /// Changes with every exec.
    pub(super) version: u32,
}

/// The parts of `struct rusage_info_v2` that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Usage {
    /// Processor time, in ticks of `mach_timebase_info`.
    pub(super) ticks: u64,
    /// Memory in bytes as Activity Monitor shows it, including compressed pages.
    pub(super) footprint: u64,
    /// Bytes written to disks.
    pub(super) written: u64,
}

/// proc_info.h: PROC_FLAG_TRACED.
const TRACED: u32 = 2;
/// proc_info.h: PROC_FLAG_INEXIT.
const EXITING: u32 = 4;

/// Reads `PROC_PIDTBSDINFO`.
pub(super) fn bsd(bytes: &[u8]) -> Option<Bsd> {
    let bytes = bytes.get(..at::BSD_SIZE)?;
    // proc_info.h: PROC_FLAG_CONTROLT means that it has a controlling terminal; NODEV is all ones.
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
        exiting: u32_at(bytes, at::BSD_FLAGS)? & EXITING != 0,
        terminal,
        start: Some(StartTime(start)),
    })
}

/// Reads `PROC_PIDT_SHORTBSDINFO`, which the kernel returns for processes of every user.
pub(super) fn short(bytes: &[u8]) -> Option<Bsd> {
    let bytes = bytes.get(..at::SHORT_SIZE)?;
    Some(Bsd {
        parent: Pid(u32_at(bytes, at::SHORT_PPID)?),
        group: Pid(u32_at(bytes, at::SHORT_PGID)?),
        uid: Uid(u32_at(bytes, at::SHORT_UID)?),
        state: state(u32_at(bytes, at::SHORT_STATUS)?),
        comm: text(&bytes[at::SHORT_COMM..at::SHORT_COMM + 16]),
        traced: false,
        exiting: u32_at(bytes, at::SHORT_FLAGS)? & EXITING != 0,
        terminal: None,
        start: None,
    })
}

/// Resident bytes from `PROC_PIDTASKINFO`.
pub(super) fn resident(bytes: &[u8]) -> Option<u64> {
    u64_at(bytes.get(..at::TASK_SIZE)?, at::TASK_RESIDENT)
}

/// Reads `PROC_PIDUNIQIDENTIFIERINFO`.
pub(super) fn unique(bytes: &[u8]) -> Option<Unique> {
    let bytes = bytes.get(..at::UNIQUE_SIZE)?;
    let (id, parent) = (u64_at(bytes, at::UNIQUE_ID)?, u64_at(bytes, at::UNIQUE_PARENT)?);
    (id != 0).then_some(Unique { id, parent, version: u32_at(bytes, at::UNIQUE_VERSION)? })
}

/// Reads `struct rusage_info_v2`.
pub(super) fn usage(bytes: &[u8; USAGE_SIZE]) -> Option<Usage> {
    let (user, system) = (u64_at(bytes, at::USAGE_USER_TIME)?, u64_at(bytes, at::USAGE_SYSTEM_TIME)?);
    Some(Usage {
        ticks: user.saturating_add(system),
        footprint: u64_at(bytes, at::USAGE_FOOTPRINT)?,
        written: u64_at(bytes, at::USAGE_WRITTEN)?,
    })
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
pub(super) fn pipe(bytes: &[u8]) -> Option<FdTarget> {
    let bytes = bytes.get(..at::PIPE_SIZE)?;
    let (own, peer) = (u64_at(bytes, at::PIPE_HANDLE)?, u64_at(bytes, at::PIPE_PEER)?);
    // fcntl.h: FWRITE is 2.
    (own != 0).then_some(FdTarget::Pipe { own, peer, writes: u32_at(bytes, at::OPEN_FLAGS)? & 2 != 0 })
}

/// proc_info.h: PROC_FP_CLEXEC is 2.
pub(super) fn closes_on_exec(bytes: &[u8]) -> Option<bool> {
    Some(u32_at(bytes, at::FD_STATUS)? & 2 != 0)
}

/// The number of a socket of any family, from `PROC_PIDFDSOCKETINFO`.
pub(super) fn socket_number(bytes: &[u8]) -> Option<u64> {
    u64_at(bytes.get(..at::SOCKET_SIZE)?, at::SOCKET_SO).filter(|number| *number != 0)
}

/// Reads `PROC_PIDFDSOCKETINFO`.
pub(super) fn socket(bytes: &[u8]) -> Option<FdTarget> {
    let bytes = bytes.get(..at::SOCKET_SIZE)?;
    // Ports are in network byte order, in the first two bytes of an int.
    let port = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let (local, remote) = (port(at::SOCKET_IN_LPORT), port(at::SOCKET_IN_FPORT));
    // SOCK_DGRAM is 2.
    let datagrams = u32_at(bytes, at::SOCKET_TYPE)? == 2;
    Some(match u32_at(bytes, at::SOCKET_KIND)? {
        // SOCKINFO_IN.
        1 if datagrams && local != 0 && remote == 0 => {
            FdTarget::Datagrams { own: socket_number(bytes)?, port: local }
        }
        1 if datagrams && remote != 0 => {
            FdTarget::Calling(inet::tcp(bytes, socket_number(bytes)?, local, remote)?)
        }
        1 => FdTarget::Idle,
        // SOCKINFO_TCP, in all states in which the other side may be open: SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT (a client
        // that closed one direction looks like one that is gone), FIN_WAIT_1, FIN_WAIT_2.
        2 => match u32_at(bytes, at::SOCKET_TCP_STATE)? {
            1 => FdTarget::Listening(local),
            3 | 4 | 5 | 6 | 9 => FdTarget::Connected(inet::tcp(bytes, socket_number(bytes)?, local, remote)?),
            _ => FdTarget::Idle,
        },
        3 => FdTarget::Unix(unix(bytes, datagrams)?),
        // SOCKINFO_NDRV, KERN_EVENT, KERN_CTL.
        4..=6 => FdTarget::Idle,
        // SOCKINFO_VSOCK.
        7 => FdTarget::Opaque("vsock"),
        _ => FdTarget::Plain(Object::Other),
    })
}

/// `struct un_sockinfo`, with SOI_S_CANTSENDMORE and SOI_S_CANTRCVMORE for a half that was shut down, and SO_ACCEPTCONN.
fn unix(bytes: &[u8], datagrams: bool) -> Option<Unix> {
    let (state, options) = (u32_at(bytes, at::SOCKET_STATE)?, u32_at(bytes, at::SOCKET_OPTIONS)?);
    // A `struct sockaddr_un`: length, family, path.
    let name = |at: usize| {
        let path = bytes.get(at + 2..at + usize::from(bytes[at]).max(2)).unwrap_or_default();
        path.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()
    };
    Some(Unix {
        own: u64_at(bytes, at::SOCKET_SO)?,
        peer: u64_at(bytes, at::SOCKET_UN_CONN_SO)?,
        listens: options & 2 != 0,
        datagrams,
        hears: state & 0x20 == 0,
        speaks: state & 0x10 == 0,
        name: name(at::SOCKET_UN_ADDR),
        peer_name: name(at::SOCKET_UN_CADDR),
    })
}

/// Reads `PROC_PIDFDVNODEINFO`; `null` is the device number of `/dev/null`.
pub(super) fn vnode(bytes: &[u8], null: Option<u32>, is_terminal: impl Fn(u32) -> bool) -> Option<FdTarget> {
    let bytes = bytes.get(..at::VNODE_SIZE)?;
    let device = u32_at(bytes, at::VNODE_RDEV)?;
    // sys/stat.h: S_IFMT, S_IFIFO and S_IFCHR.
    let kind = u32_at(bytes, at::VNODE_MODE)? & 0o170_000;
    let is_device = kind == 0o020_000;
    Some(FdTarget::Plain(match device {
        _ if kind == 0o010_000 => Object::NamedPipe,
        device if is_device && Some(device) == null => Object::Null,
        device if is_device && is_terminal(device) => Object::Terminal { number: None, gone: false },
        _ => Object::File,
    }))
}

/// sys/proc.h: SIDL 1, SRUN 2, SSLEEP 3, SSTOP 4, SZOMB 5; a living process is always SRUN.
fn state(status: u32) -> ProcessState {
    match status {
        5 => ProcessState::Zombie,
        4 => ProcessState::Stopped,
        2 => ProcessState::Other(b'R'),
        1 | 3 => ProcessState::Other(b'S'),
        _ => ProcessState::Other(b'?'),
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
