//! macOS: libproc for who is there, `KERN_PROCARGS2` for what they run, kqueue for when they end.
//!
//! The system calls go through one trait, [`Calls`]; everything above it is built and tested on every system.

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
mod here {
    //! The running system.

    use std::io;
    use std::time::Duration;

    use crate::bytes::Argv;
    use crate::process::{Interest, Owners, Pid, ProcessId, Snapshot};
    use crate::reap::Lineage;
    use crate::sys::SysError;
    use crate::sys::macos::Mac;

    /// Every row has its exact user: it comes with the rest.
    pub(in super::super) fn snapshot(
        _: Owners,
        interest: &mut dyn FnMut(&Snapshot) -> Interest,
    ) -> Result<Snapshot, SysError> {
        crate::sys::macos::snapshot_by(&Mac, interest)
    }

    pub(in super::super) fn identity(pid: Pid) -> Option<ProcessId> {
        crate::sys::macos::identity_by(&Mac, pid)
    }

    pub(in super::super) fn environment(pid: Pid) -> Option<Vec<u8>> {
        crate::sys::macos::environment_by(&Mac, pid)
    }

    pub(in super::super) fn command(pid: Pid) -> Argv {
        crate::sys::macos::command_by(&Mac, pid)
    }

    pub(in super::super) fn lineage(pid: Pid) -> Option<Lineage> {
        crate::sys::macos::lineage_by(&Mac, pid).ok()
    }

    pub(in super::super) fn wait_for_end(id: ProcessId, patience: Duration) -> io::Result<bool> {
        crate::sys::macos::wait_for_end_by(&Mac, id, patience)
    }
}
#[cfg(target_os = "macos")]
pub(super) use here::{command, environment, identity, lineage, snapshot, wait_for_end};
