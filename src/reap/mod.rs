//! Ends the processes of a plan: lets them finish their work, holds all, sends SIGTERM to all, waits once for all, and
//! sends SIGKILL to those that are left.

mod deadlines;
mod event;
mod kernel;
mod late_children;
mod run;
mod settle;
mod subject;

pub use deadlines::{KILL_WAIT, longest};
pub use event::{Ended, MemberEvent, Outcome, Recorder, RunReport, Step};
pub use kernel::{Activity, HeldPipe, Kernel, Lineage, Lookout, ProcessRow, ProcessTable, Refusal, Signal};
pub use run::run;
pub use settle::Settling;
