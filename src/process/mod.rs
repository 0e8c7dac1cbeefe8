//! What a process is, as plain data: identity, record, snapshot.

mod id;
mod interest;
mod record;
mod snapshot;

pub use id::{Pid, ProcessId, StartTime, Uid};
pub use interest::Interest;
pub use record::{ProcessRecord, Service, State, Stdio, StdioKind};
pub use snapshot::{SCHEMA, Snapshot, SnapshotError, Viewer};
