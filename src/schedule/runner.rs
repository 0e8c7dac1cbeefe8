//! How `systemctl` and `launchctl` are run.

use std::time::Duration;

use crate::os::command::Call;
pub use crate::os::command::{CallError, Output};

/// After this a manager is taken not to answer. A `daemon-reload` with hundreds of units takes
/// seconds, and stopping a job takes as long as its grace.
const LIMIT: Duration = Duration::from_secs(90);

/// More than any answer: `launchctl print` of a session prints thousands of jobs.
const LARGEST: usize = 16 << 20;

/// Runs other programs. Tests put a simulation in its place.
pub trait Runner {
    /// Runs a program to its end.
    ///
    /// # Errors
    /// When there is no such program, or it does not end.
    fn run(&self, program: &str, args: &[&str]) -> Result<Output, CallError>;

    /// Waits until it is worth trying again.
    fn pause(&self, time: Duration);
}

/// The programs of this machine.
#[derive(Clone, Debug)]
pub struct SystemRunner {
    environment: Vec<(String, String)>,
}

impl SystemRunner {
    /// Gives programs these variables, and otherwise only `LC_ALL=C`, `TZ=UTC` and a `PATH` of the
    /// system's folders.
    pub fn new(environment: Vec<(String, String)>) -> SystemRunner {
        SystemRunner { environment }
    }
}

impl Runner for SystemRunner {
    fn run(&self, program: &str, args: &[&str]) -> Result<Output, CallError> {
        Call { program, args, environment: &self.environment, limit: LIMIT, largest: LARGEST }.run()
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
