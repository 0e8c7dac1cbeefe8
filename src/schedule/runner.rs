//! How `systemctl` and `launchctl` are run: by fixed paths, without a shell, with an end in time.

use std::path::PathBuf;
use std::time::Duration;

use crate::os::command::{Call, CallError};

/// Where the managers' tools lie; the last is NixOS's. The person's `PATH` is not searched: what is
/// found there under such a name may be anything.
const SEARCH: [&str; 3] = ["/usr/bin", "/bin", "/run/current-system/sw/bin"];

/// After this a manager is taken not to answer. A `daemon-reload` with hundreds of units takes
/// seconds, and stopping a job takes as long as its grace.
const LIMIT: Duration = Duration::from_secs(90);

/// More than any answer: `launchctl print` of a session prints thousands of jobs.
const LARGEST: usize = 16 << 20;

/// What a program wrote, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Output {
    /// True for exit code 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }

    /// Why it failed, in one line: the last line on stderr, else its exit code.
    #[must_use]
    pub fn complaint(&self) -> String {
        let last = self.stderr.lines().map(str::trim).rfind(|line| !line.is_empty());
        match (last, self.code) {
            (Some(line), _) => line.to_owned(),
            (None, Some(code)) => format!("exit code {code}"),
            (None, None) => "ended by a signal".to_owned(),
        }
    }
}

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is not on this machine.
    #[error("{0} is not on this machine")]
    Missing(String),
    /// It could not be started or waited for.
    #[error("failed to run {program}: {source}")]
    Broken {
        /// Which.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It did not end in time, or wrote too much, and was ended.
    #[error("{0} gives no answer")]
    Silent(String),
}

/// Runs other programs. Tests put a simulation in its place.
pub trait Runner {
    /// Runs a program to its end.
    ///
    /// # Errors
    /// When there is no such program, or it does not end.
    fn run(&self, program: &str, args: &[&str]) -> Result<Output, RunError>;

    /// Waits until it is worth trying again.
    fn pause(&self, time: Duration);
}

/// The programs of this machine.
#[derive(Clone, Debug)]
pub struct SystemRunner {
    environment: Vec<(String, String)>,
    search: Vec<PathBuf>,
    limit: Duration,
}

impl SystemRunner {
    /// Gives programs these variables, and otherwise only those of every [`Call`].
    #[must_use]
    pub fn new(environment: Vec<(String, String)>) -> SystemRunner {
        let search = SEARCH.iter().map(PathBuf::from).collect();
        SystemRunner { environment, search, limit: LIMIT }
    }

    fn find(&self, program: &str) -> Option<PathBuf> {
        self.search.iter().map(|dir| dir.join(program)).find(|path| path.is_file())
    }
}

impl Runner for SystemRunner {
    fn run(&self, program: &str, args: &[&str]) -> Result<Output, RunError> {
        let path = self.find(program).ok_or_else(|| RunError::Missing(program.to_owned()))?;
        let environment = &self.environment;
        let call = Call { program: &path, args, environment, limit: self.limit, largest: LARGEST };
        let output = call.run().map_err(|error| match error {
            CallError::Io(source) => RunError::Broken { program: program.to_owned(), source },
            CallError::TooSlow(_) | CallError::TooMuch(_) => RunError::Silent(program.to_owned()),
        })?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Output { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) })
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn sh(script: &str) -> Result<Output, RunError> {
        let limit = Duration::from_millis(300);
        let runner = SystemRunner { limit, ..SystemRunner::new(vec![("GIVEN".into(), "it".into())]) };
        runner.run("sh", &["-c", script])
    }

    #[test]
    fn a_failure_is_explained_by_the_last_line_of_stderr_or_by_how_it_ended() {
        let output = sh("echo $GIVEN; echo why >&2; echo no >&2; echo >&2; exit 3").unwrap();
        assert_eq!((output.code, &*output.stdout), (Some(3), "it\n"));
        assert_eq!(output.complaint(), "no");
        assert_eq!(sh("exit 4").unwrap().complaint(), "exit code 4");
        assert_eq!(sh("kill -9 $$").unwrap().complaint(), "ended by a signal");
    }

    #[test]
    fn one_that_hangs_gives_no_answer() {
        assert_eq!(sh("exec sleep 60").unwrap_err().to_string(), "sh gives no answer");
    }

    #[test]
    fn a_program_is_not_looked_for_on_the_path() {
        let error = SystemRunner::new(Vec::new()).run("no-such-manager", &[]).unwrap_err();
        assert_eq!(error.to_string(), "no-such-manager is not on this machine");
    }
}
