//! Ending what was planned: hold all, ask all, wait together, insist.

mod event;
mod kernel;
mod late_children;
mod run;
mod subject;

pub use event::{Ended, Event, Outcome, Recorder, Report, Step};
pub use kernel::{Kernel, ProcessRow, Refusal, Signal, Wires};
pub use run::{KILL_WAIT, run};
