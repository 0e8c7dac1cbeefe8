//! Runs `systemctl` and `launchctl`.

use std::time::Duration;

use crate::os::command::Call;
pub use crate::os::command::{CallError, Output};

/// How long a manager may take to answer. A `daemon-reload` with hundreds of units takes seconds, and stopping a job
/// takes as long as its grace.
const LIMIT: Duration = Duration::from_secs(90);

/// The largest answer in bytes. `launchctl print` of a session prints thousands of jobs.
const LARGEST: usize = 16 << 20;

/// Runs other programs. Tests use a simulation instead.
pub trait Runner {
    /// Runs a program to its end.
    ///
    /// # Errors
    /// When there is no such program, or it does not end in time.
    fn run(&self, program: &str, args: &[&str]) -> Result<Output, CallError>;

    /// Waits before another try.
    fn pause(&self, time: Duration);
}

/// The programs of this machine.
#[derive(Clone, Debug)]
pub struct SystemRunner {
    environment: Vec<(String, String)>,
}

impl SystemRunner {
    /// A runner that gives programs only these variables, `LC_ALL=C`, `TZ=UTC` and a `PATH` of the system's folders.
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
