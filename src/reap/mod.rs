//! Ending what was planned: hold all, ask all, wait together, insist.

mod event;
mod kernel;
mod kinship;
mod run;
mod subject;

pub use event::{Event, Outcome, Step, Witness};
pub use kernel::{Kernel, Kin, Refusal, Signal};
pub use run::{Ended, KILL_WAIT, Report, run};
