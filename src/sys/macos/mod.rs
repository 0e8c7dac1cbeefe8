//! macOS: libproc for who is there, `KERN_PROCARGS2` for what they run, kqueue for when they end.
//!
//! The readers of the kernel's bytes are pure and tested on every OS.

#[cfg(any(target_os = "macos", test))]
mod layout;
pub mod procargs;
#[cfg(any(target_os = "macos", test))]
mod wires;

#[cfg(target_os = "macos")]
mod end;
#[cfg(target_os = "macos")]
mod fds;
#[cfg(target_os = "macos")]
mod headers;
#[cfg(target_os = "macos")]
mod kernel;
#[cfg(target_os = "macos")]
mod table;

#[cfg(target_os = "macos")]
pub(super) use end::{identity, wait_for_end};
#[cfg(target_os = "macos")]
pub use kernel::OsKernel;
#[cfg(target_os = "macos")]
pub(super) use table::snapshot;
