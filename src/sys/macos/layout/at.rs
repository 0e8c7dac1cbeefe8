//! Offsets and sizes in bytes, by xnu's
//! [`bsd/sys/proc_info.h`](https://github.com/apple-oss-distributions/xnu/blob/xnu-11417.101.15/bsd/sys/proc_info.h) and
//! [`bsd/sys/resource.h`](https://github.com/apple-oss-distributions/xnu/blob/xnu-11417.101.15/bsd/sys/resource.h).
//! `tests/mac_real/layout.sh` compares them with Apple's headers, before every linking for macOS.

pub(in crate::sys::macos) const BSD_FLAGS: usize = 0;
pub(in crate::sys::macos) const BSD_STATUS: usize = 4;
pub(in crate::sys::macos) const BSD_PPID: usize = 16;
pub(in crate::sys::macos) const BSD_UID: usize = 20;
pub(in crate::sys::macos) const BSD_COMM: usize = 48;
pub(in crate::sys::macos) const BSD_NAME: usize = 64;
pub(in crate::sys::macos) const BSD_PGID: usize = 100;
pub(in crate::sys::macos) const BSD_TDEV: usize = 108;
pub(in crate::sys::macos) const BSD_START_SEC: usize = 120;
pub(in crate::sys::macos) const BSD_START_USEC: usize = 128;
pub(in crate::sys::macos) const BSD_SIZE: usize = 136;

pub(in crate::sys::macos) const SHORT_PPID: usize = 4;
pub(in crate::sys::macos) const SHORT_PGID: usize = 8;
pub(in crate::sys::macos) const SHORT_STATUS: usize = 12;
pub(in crate::sys::macos) const SHORT_COMM: usize = 16;
pub(in crate::sys::macos) const SHORT_FLAGS: usize = 32;
pub(in crate::sys::macos) const SHORT_UID: usize = 36;
pub(in crate::sys::macos) const SHORT_SIZE: usize = 64;

pub(in crate::sys::macos) const TASK_RESIDENT: usize = 8;
pub(in crate::sys::macos) const TASK_SIZE: usize = 96;

pub(in crate::sys::macos) const UNIQUE_ID: usize = 16;
pub(in crate::sys::macos) const UNIQUE_PARENT: usize = 24;
pub(in crate::sys::macos) const UNIQUE_VERSION: usize = 32;
pub(in crate::sys::macos) const UNIQUE_SIZE: usize = 56;

pub(in crate::sys::macos) const USAGE_USER_TIME: usize = 16;
pub(in crate::sys::macos) const USAGE_SYSTEM_TIME: usize = 24;
pub(in crate::sys::macos) const USAGE_FOOTPRINT: usize = 72;
pub(in crate::sys::macos) const USAGE_WRITTEN: usize = 152;

pub(in crate::sys::macos) const CWD_PATH: usize = 152;
pub(in crate::sys::macos) const CWD_PATH_SIZE: usize = 1024;
pub(in crate::sys::macos) const CWD_SIZE: usize = 2352;

pub(in crate::sys::macos) const FD_SIZE: usize = 8;
pub(in crate::sys::macos) const OPEN_FLAGS: usize = 0;
pub(in crate::sys::macos) const FD_STATUS: usize = 4;

pub(in crate::sys::macos) const VNODE_MODE: usize = 28;
pub(in crate::sys::macos) const VNODE_RDEV: usize = 140;
pub(in crate::sys::macos) const VNODE_SIZE: usize = 176;

pub(in crate::sys::macos) const PIPE_HANDLE: usize = 160;
pub(in crate::sys::macos) const PIPE_PEER: usize = 168;
pub(in crate::sys::macos) const PIPE_SIZE: usize = 184;

pub(in crate::sys::macos) const SOCKET_SO: usize = 160;
pub(in crate::sys::macos) const SOCKET_TYPE: usize = 176;
pub(in crate::sys::macos) const SOCKET_OPTIONS: usize = 188;
pub(in crate::sys::macos) const SOCKET_STATE: usize = 192;
pub(in crate::sys::macos) const SOCKET_KIND: usize = 256;
pub(in crate::sys::macos) const SOCKET_UN_CONN_SO: usize = 264;
pub(in crate::sys::macos) const SOCKET_UN_ADDR: usize = 280;
pub(in crate::sys::macos) const SOCKET_UN_CADDR: usize = 535;
pub(in crate::sys::macos) const SOCKET_IN_FPORT: usize = 264;
pub(in crate::sys::macos) const SOCKET_IN_LPORT: usize = 268;
pub(in crate::sys::macos) const SOCKET_IN_VFLAG: usize = 288;
pub(in crate::sys::macos) const SOCKET_IN_FADDR: usize = 296;
pub(in crate::sys::macos) const SOCKET_IN_LADDR: usize = 312;
pub(in crate::sys::macos) const SOCKET_TCP_STATE: usize = 344;
pub(in crate::sys::macos) const SOCKET_SIZE: usize = 792;
