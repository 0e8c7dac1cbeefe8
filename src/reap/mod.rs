//! Ending what was planned: let it finish, hold all, ask all, wait together, insist.

mod event;
mod kernel;
mod late_children;
mod patience;
mod run;
mod settle;
mod subject;

pub use event::{Ended, Event, Outcome, Recorder, Report, Step};
pub use kernel::{Activity, Family, Kernel, Lineage, Lookout, ProcessRow, Refusal, Signal, Wire};
pub use patience::{KILL_WAIT, longest};
pub use run::run;
pub use settle::Settling;
