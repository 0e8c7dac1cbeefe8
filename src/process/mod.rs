//! What a process is, as plain data: identity, record, snapshot.

mod details;
mod id;
mod interest;
mod json;
mod record;
mod snapshot;

pub use details::{Details, LazyDetails, Listener, OtherEnd, Service, Stdio, StdioKind};
pub use id::{Pid, ProcessId, StartTime, Uid};
pub use interest::{Interest, UidPrecision};
pub use record::{ProcessRecord, ProcessState};
pub use snapshot::{SCHEMA, Snapshot, SnapshotError, Viewer};
