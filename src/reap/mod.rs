//! Ending what was planned: let it finish, hold all, SIGTERM to all, one wait for all, SIGKILL to what is left.

mod event;
mod kernel;
mod late_children;
mod patience;
mod run;
mod settle;
mod subject;

pub use event::{Ended, MemberEvent, Outcome, Recorder, RunReport, Step};
pub use kernel::{Activity, HeldPipe, Kernel, Lineage, Lookout, ProcessRow, ProcessTable, Refusal, Signal};
pub use patience::{KILL_WAIT, longest};
pub use run::run;
pub use settle::Settling;
