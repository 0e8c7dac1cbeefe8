//! macOS: libproc lists processes, `KERN_PROCARGS2` returns their arguments, and kqueue reports their ends.
//!
//! The system calls go through one trait, [`Calls`]. All code above it is built and tested on every system.

pub mod calls;
mod end;
mod fds;
mod kernel;
mod layout;
mod own;
pub mod procargs;
mod table;
mod wires;

#[cfg(target_os = "macos")]
mod ffi;

pub use calls::{Calls, Kqueue};
pub use end::{command_by, environment_by, identity_by, lineage_by, wait_for_end_by};
#[cfg(target_os = "macos")]
pub use ffi::{Mac, MacKqueue};
pub use kernel::{Held, MacKernel};
pub use own::{OwnWire, own_wire_by};
pub use table::snapshot_by;

/// Acting on the running system.
#[cfg(target_os = "macos")]
pub type OsKernel = MacKernel<Mac>;

#[cfg(target_os = "macos")]
mod here;
#[cfg(target_os = "macos")]
pub(super) use here::snapshot;
#[cfg(target_os = "macos")]
pub use here::{command, environment, identity, lineage, wait_for_end};
