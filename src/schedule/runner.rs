//! How `systemctl` and `launchctl` are asked: by fixed paths, without a shell, with an end in time.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Where the managers' tools lie; the last is NixOS's. The person's `PATH` is not asked: what is
/// found there under such a name may be anything.
const SEARCH: [&str; 3] = ["/usr/bin", "/bin", "/run/current-system/sw/bin"];

/// After this a manager is taken not to answer. A `daemon-reload` with hundreds of units takes
/// seconds, and stopping a job takes as long as its grace.
const LIMIT: Duration = Duration::from_secs(90);

/// More than any answer: `launchctl print` of a session prints thousands of jobs.
const LONGEST: usize = 16 << 20;

/// What a program said.
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

    /// Why it failed, in one line: what it said last on stderr, else its exit code.
    #[must_use]
    pub fn complaint(&self) -> String {
        let said = self.stderr.lines().map(str::trim).rfind(|line| !line.is_empty());
        match (said, self.code) {
            (Some(line), _) => line.to_owned(),
            (None, Some(code)) => format!("exit code {code}"),
            (None, None) => "ended by a signal".to_owned(),
        }
    }
}

/// Why a program said nothing.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is not on this machine.
    #[error("{0} is not on this machine")]
    Missing(String),
    /// It could not be started or listened to.
    #[error("failed to run {program}: {source}")]
    Broken {
        /// Which.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It did not end in time, or said too much, and was ended.
    #[error("{0} gives no answer")]
    Silent(String),
}

/// The way to other programs. A rehearsal stands in for it in tests.
pub trait Runner {
    /// Runs a program to its end.
    ///
    /// # Errors
    /// When there is no such program, or it does not end.
    fn run(&self, program: &str, args: &[&str]) -> Result<Output, RunError>;

    /// Waits until it is worth asking again.
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
    /// Gives programs these variables and no others. Always: `LC_ALL=C` and `TZ=UTC`, in which
    /// every version of systemctl writes times that can be read.
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
        let broken = |source| RunError::Broken { program: program.to_owned(), source };
        let path = self.find(program).ok_or_else(|| RunError::Missing(program.to_owned()))?;
        let mut child = spawn(&path, args, &self.environment).map_err(broken)?;
        let output = listen(&mut child, Instant::now() + self.limit);
        if !matches!(output, Ok(Some(_))) {
            let _ = child.kill();
            let _ = child.wait();
        }
        output.map_err(broken)?.ok_or_else(|| RunError::Silent(program.to_owned()))
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

fn spawn(program: &Path, args: &[&str], environment: &[(String, String)]) -> std::io::Result<Child> {
    Command::new(program)
        .args(args)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Reads both outputs as they come, so that neither fills up. `None` when it took too long or
/// said too much.
fn listen(child: &mut Child, deadline: Instant) -> std::io::Result<Option<Output>> {
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while out.is_some() || err.is_some() {
        let Some(left) = deadline.checked_duration_since(Instant::now()) else { return Ok(None) };
        let left = Timespec::try_from(left).map_err(std::io::Error::other)?;
        let ready = {
            let mut fds: Vec<PollFd<'_>> = Vec::new();
            fds.extend(out.as_ref().map(|out| PollFd::new(out, PollFlags::IN)));
            fds.extend(err.as_ref().map(|err| PollFd::new(err, PollFlags::IN)));
            match poll(&mut fds, Some(&left)) {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
            (out.is_some() && ready.next() == Some(true), err.is_some() && ready.next() == Some(true))
        };
        if ready.0 {
            read_some(&mut out, &mut stdout)?;
        }
        if ready.1 {
            read_some(&mut err, &mut stderr)?;
        }
        if stdout.len() + stderr.len() > LONGEST {
            return Ok(None);
        }
    }
    let code = loop {
        match child.try_wait()? {
            Some(status) => break status.code(),
            None if Instant::now() >= deadline => return Ok(None),
            None => std::thread::sleep(Duration::from_micros(200)),
        }
    };
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Some(Output { code, stdout: text(stdout), stderr: text(stderr) }))
}

/// One read; at the end of the input, no more of it.
fn read_some<R: Read>(from: &mut Option<R>, to: &mut Vec<u8>) -> std::io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    if let Some(reader) = from {
        match reader.read(&mut buffer)? {
            0 => *from = None,
            length => to.extend_from_slice(&buffer[..length]),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn sh(script: &str, limit: Duration) -> Result<Output, RunError> {
        let runner = SystemRunner { limit, ..SystemRunner::new(vec![("GIVEN".into(), "it".into())]) };
        runner.run("sh", &["-c", script])
    }

    #[test]
    fn both_outputs_and_the_exit_code_are_heard() {
        let output = sh("echo $GIVEN $LC_ALL $TZ$HOME; cat; echo no >&2; echo >&2; exit 3", LIMIT).unwrap();
        let expected = Output { code: Some(3), stdout: "it C UTC\n".into(), stderr: "no\n\n".into() };
        assert_eq!(output, expected);
        assert_eq!(output.complaint(), "no");
        assert_eq!(sh("exit 4", LIMIT).unwrap().complaint(), "exit code 4");
        assert_eq!(sh("kill -9 $$", LIMIT).unwrap().complaint(), "ended by a signal");
        let much = sh(
            "i=0; while [ $i -lt 3000 ]; do echo $i-----------------------------; \
            echo $i----------------------------- >&2; i=$((i+1)); done",
            LIMIT,
        )
        .unwrap();
        assert_eq!((much.stdout.lines().count(), much.stderr.lines().count()), (3000, 3000));
    }

    #[test]
    fn one_that_hangs_or_never_stops_talking_is_given_up() {
        for script in ["exec sleep 60", "exec sleep 60 >&- 2>&-", "while :; do printf %04096d 0; done"] {
            let before = Instant::now();
            assert!(matches!(sh(script, Duration::from_millis(300)), Err(RunError::Silent(_))), "{script}");
            assert!(before.elapsed() < Duration::from_secs(20), "{script}");
        }
    }

    #[test]
    fn a_program_is_not_looked_for_on_the_path() {
        let error = SystemRunner::new(Vec::new()).run("no-such-manager", &[]).unwrap_err();
        assert_eq!(error.to_string(), "no-such-manager is not on this machine");
    }
}
