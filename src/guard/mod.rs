//! `exec` and its guardian, which keep a server from leaking.
//!
//! `exec` ([`start`]) starts a guardian beside itself and then becomes the command, so that the client
//! sees exactly the process that it would have seen without `exec`. The guardian ([`watch`]) sleeps until the wire
//! hangs up or the client or the server's process ends. Then a table ([`decide`]) says what it does; whether anything
//! is ended is decided by the ordinary judgement.
//!
//! A parent that waits for the server would be simpler, but it would leak: a client that kills it with SIGKILL leaves the
//! server running.

pub mod args;
pub mod begin;
pub mod command;
pub mod container;
pub mod decide;
pub mod events;
pub mod ffi;
#[cfg(target_os = "linux")]
pub mod poll;
pub mod start;
pub mod stdin;
pub mod watch;
