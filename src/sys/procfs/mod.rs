//! What Linux says of processes and sockets, understood: bytes in, data out, nothing read.
//!
//! Each parser takes what one file of `/proc` or one netlink message holds. They never panic and are
//! built on every system, so that they can be tested and fuzzed anywhere.

mod diag;
mod fd;
mod stat;
mod tcp;
mod text;

pub use diag::{
    DiagMessage, TCP_ESTABLISHED, TCP_LISTEN, UnixSocket, messages, tcp_diag_row, tcp_dump_request,
    unix_diag_row, unix_request,
};
pub use fd::{FdTarget, closes_on_exec};
#[cfg(target_os = "linux")]
pub(super) use stat::natural;
pub use stat::{Stat, stat, tty_name};
pub use tcp::{TcpRow, tcp_table};
pub use text::{Status, argv, cgroup, evidence, status, undeleted};
