//! Parsers for what Linux reports about processes and sockets. They take bytes and read no files.
//!
//! Each parser takes the content of one file of `/proc` or one netlink message. No parser panics. All are
//! built on every system, so that they can be tested and fuzzed anywhere.

mod diag;
mod fd;
mod stat;
mod tcp;
mod text;
mod unix;

pub use diag::{
    DiagMessage, SOCK_DGRAM, TCP_CLOSE, TCP_CLOSE_WAIT, TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2,
    TCP_LISTEN, TCP_SYN_RECV, TCP_SYN_SENT, TCP_TIME_WAIT, UnixSocket, messages, tcp_diag_row,
    tcp_dump_request, udp_dump_request, unix_diag_row, unix_dump_request, unix_request,
};
pub use fd::{FdTarget, closes_on_exec, terminal_of_master};
#[cfg(target_os = "linux")]
pub(super) use stat::natural;
pub use stat::{Stat, stat, tty_name};
pub use tcp::{TcpRow, tcp_table};
pub use text::{ProcStatus, arguments, argv, cgroup, evidence, status, undeleted};
pub use unix::{UnixRow, unix_table};
