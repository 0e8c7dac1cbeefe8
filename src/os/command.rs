//! Runs another program without a shell and without our environment, with bounded output and a time limit.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// The folders that are searched for programs; the last one is that of NixOS. The person's `PATH` is not searched, because
/// it may contain any program. A caller that needs another program gives its path.
const SEARCH: [&str; 4] = ["/usr/bin", "/bin", "/usr/sbin", "/run/current-system/sw/bin"];

/// A program to run, with its limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// The program's name, or its absolute path.
    pub(crate) program: &'a str,
    /// Its arguments.
    pub(crate) args: &'a [&'a str],
    /// Its environment. Besides these variables it gets only `LC_ALL=C`, `TZ=UTC` and a `PATH` of the system's folders, so
    /// that every version of a tool prints words and times that can be parsed.
    pub(crate) environment: &'a [(String, String)],
    /// How long it may run.
    pub(crate) limit: Duration,
    /// How many bytes it may write to stdout and stderr together.
    pub(crate) largest: usize,
}

/// The output and the exit code of a program.
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
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }

    /// Why it failed, in one line: the last line on stderr, else its exit code.
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
pub enum CallError {
    /// The program is not on this machine.
    #[error("{0} is not on this machine")]
    Missing(String),
    /// It could not be started, read or waited for.
    #[error("failed to run {program}: {source}")]
    Broken {
        /// The program.
        program: String,
        /// What the operating system reports.
        source: io::Error,
    },
    /// It did not end in time, or wrote more than it may, and was killed.
    #[error("{0} gives no answer")]
    Silent(String),
}

impl Call<'_> {
    /// Runs the program to its end. If it exceeds a limit, it is killed.
    ///
    /// # Errors
    /// See [`CallError`]. An exit code other than 0 is no error.
    pub(crate) fn run(&self) -> Result<Output, CallError> {
        let name = || self.program.to_owned();
        let broken = |source| CallError::Broken { program: name(), source };
        let places = SEARCH.iter().map(|folder| Path::new(folder).join(self.program));
        let program = places.into_iter().find(|path| path.is_file());
        let mut child = Command::new(program.ok_or_else(|| CallError::Missing(name()))?)
            .args(self.args)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(broken)?;
        let output = self.collect(&mut child);
        if !matches!(output, Ok(Some(_))) {
            let _ = child.kill();
            let _ = child.wait();
        }
        output.map_err(broken)?.ok_or_else(|| CallError::Silent(name()))
    }

    /// Reads stdout and stderr at the same time, so that neither pipe fills up. `None` if the program took too long or wrote
    /// too much.
    fn collect(&self, child: &mut Child) -> io::Result<Option<Output>> {
        let deadline = Instant::now() + self.limit;
        let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        while out.is_some() || err.is_some() {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return Ok(None) };
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            let mut fds = Vec::with_capacity(2);
            fds.extend(out.as_ref().map(|out| PollFd::new(out, PollFlags::IN)));
            fds.extend(err.as_ref().map(|err| PollFd::new(err, PollFlags::IN)));
            match poll(&mut fds, Some(&left)) {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
            let out_ready = out.is_some() && ready.next() == Some(true);
            let err_ready = err.is_some() && ready.next() == Some(true);
            if out_ready {
                read_some(&mut out, &mut stdout)?;
            }
            if err_ready {
                read_some(&mut err, &mut stderr)?;
            }
            if stdout.len() + stderr.len() > self.largest {
                return Ok(None);
            }
        }
        // The program has closed both outputs, and normally ends within a millisecond.
        loop {
            match child.try_wait()? {
                Some(status) => {
                    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                    let (stdout, stderr) = (text(stdout), text(stderr));
                    return Ok(Some(Output { code: status.code(), stdout, stderr }));
                }
                None if Instant::now() >= deadline => return Ok(None),
                None => std::thread::sleep(Duration::from_micros(200)),
            }
        }
    }
}

/// Reads once. At the end of the input, `from` becomes `None`.
fn read_some<R: Read>(from: &mut Option<R>, to: &mut Vec<u8>) -> io::Result<()> {
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

    const LONG: Duration = Duration::from_mins(1);

    fn sh(script: &str, limit: Duration) -> Result<Output, CallError> {
        let environment = [("GIVEN".to_owned(), "it".to_owned())];
        let args = ["-c", script];
        Call { program: "sh", args: &args, environment: &environment, limit, largest: 1 << 20 }.run()
    }

    #[test]
    fn both_outputs_and_the_exit_code_are_collected() {
        let output = sh("echo $GIVEN $LC_ALL $TZ$HOME; cat; echo no >&2; echo >&2; exit 3", LONG).unwrap();
        let expected = Output { code: Some(3), stdout: "it C UTC\n".into(), stderr: "no\n\n".into() };
        assert_eq!(output, expected, "and there is no input to wait for");
        assert_eq!(output.complaint(), "no");
        assert_eq!(sh("exit 4", LONG).unwrap().complaint(), "exit code 4");
        assert_eq!(sh("kill -9 $$", LONG).unwrap().complaint(), "ended by a signal");
        let much = "i=0; while [ $i -lt 3000 ]; do echo $i-----------------------------; \
            echo $i----------------------------- >&2; i=$((i+1)); done";
        let much = sh(much, LONG).unwrap();
        assert_eq!((much.stdout.lines().count(), much.stderr.lines().count()), (3000, 3000));
    }

    #[test]
    fn one_that_hangs_is_given_up_in_time_with_its_outputs_open_or_closed() {
        for script in ["exec sleep 60", "printf half; exec sleep 60", "exec sleep 60 >&- 2>&-"] {
            let before = Instant::now();
            let silent = sh(script, Duration::from_millis(200)).unwrap_err();
            assert_eq!(silent.to_string(), "sh gives no answer", "{script}");
            assert!(before.elapsed() < Duration::from_secs(20), "{script}");
        }
    }

    #[test]
    fn one_that_never_stops_writing_is_given_up() {
        for script in ["while :; do printf %04096d 0; done", "while :; do printf %04096d 0; done >&2"] {
            assert!(matches!(sh(script, LONG), Err(CallError::Silent(_))), "{script}");
        }
    }

    #[test]
    fn one_that_is_not_in_the_folders_of_the_system_is_not_started() {
        let call = Call { program: "no-such-manager", args: &[], environment: &[], limit: LONG, largest: 1 };
        assert_eq!(call.run().unwrap_err().to_string(), "no-such-manager is not on this machine");
    }
}
