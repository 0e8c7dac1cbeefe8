//! Ending what was planned: hold all, ask all, wait together, insist.

mod event;
mod kernel;
mod kinship;
mod run;
mod subject;

pub use event::{Ended, Event, Outcome, Report, Step, Witness};
pub use kernel::{Kernel, Kin, Refusal, Signal, Wires};
pub use run::{KILL_WAIT, run};
