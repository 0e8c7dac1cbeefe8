//! `exec` and its guardian: a server that cannot leak.
//!
//! `exec` ([`start`]) starts a guardian beside itself and then becomes the command, so that the client
//! sees exactly the process it would have seen without. The guardian ([`watch`]) sleeps until the wire
//! hangs up or one of the two processes ends, and then asks for the ordinary judgement; what it does when
//! is one table ([`decide`]). A parent that waits for the server would be simpler and leak: the client
//! that kills it with SIGKILL kills nothing else.

pub mod args;
pub mod begin;
pub mod command;
pub mod container;
pub mod decide;
pub mod events;
pub mod ffi;
#[cfg(target_os = "linux")]
pub mod peer;
#[cfg(target_os = "linux")]
pub mod poll;
pub mod start;
pub mod stdin;
pub mod watch;
