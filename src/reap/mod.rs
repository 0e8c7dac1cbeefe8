//! Ending what was planned: hold all, ask all, wait together, insist.

mod kernel;

pub use kernel::{Kernel, Kin, Refusal, Signal};
