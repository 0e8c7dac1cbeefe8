//! Runs another program: no shell, no inherited environment, bounded output, and an end in time.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// What to run, and how much of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// The program's file. `PATH` is not searched: what is found there may be anything.
    pub(crate) program: &'a Path,
    /// Its arguments.
    pub(crate) args: &'a [&'a str],
    /// Its environment, and nothing else but `LC_ALL=C`, `TZ=UTC` and a `PATH` of the system's
    /// folders: every version of every tool then writes words and times that can be parsed.
    pub(crate) environment: &'a [(String, String)],
    /// How long it may run.
    pub(crate) limit: Duration,
    /// How many bytes it may write to stdout and stderr together.
    pub(crate) largest: usize,
}

/// What a program wrote, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Output {
    /// Its exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Its standard output.
    pub(crate) stdout: Vec<u8>,
    /// Its standard error.
    pub(crate) stderr: Vec<u8>,
}

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// It could not be started, read or waited for.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It did not end in time, and was ended.
    #[error("no answer within {} ms", .0.as_millis())]
    TooSlow(Duration),
    /// It wrote more than it may, and was ended.
    #[error("more than {0} bytes of output")]
    TooMuch(usize),
}

impl Call<'_> {
    /// Runs the program to its end. A program that gives no output in the end is our own child, and is
    /// killed.
    ///
    /// # Errors
    /// See [`CallError`]. A program that ends with another exit code than 0 is no error.
    pub(crate) fn run(&self) -> Result<Output, CallError> {
        let mut child = Command::new(self.program)
            .args(self.args)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let output = self.collect(&mut child);
        if output.is_err() {
            let _ = child.kill();
            let _ = child.wait();
        }
        output
    }

    /// Reads both outputs as they come, so that neither pipe fills up.
    fn collect(&self, child: &mut Child) -> Result<Output, CallError> {
        let deadline = Instant::now() + self.limit;
        let slow = || CallError::TooSlow(self.limit);
        let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        while out.is_some() || err.is_some() {
            let left = deadline.checked_duration_since(Instant::now()).ok_or_else(slow)?;
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            let mut fds = Vec::with_capacity(2);
            fds.extend(out.as_ref().map(|out| PollFd::new(out, PollFlags::IN)));
            fds.extend(err.as_ref().map(|err| PollFd::new(err, PollFlags::IN)));
            match poll(&mut fds, Some(&left)) {
                Ok(0) => return Err(slow()),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(io::Error::from(error).into()),
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
                return Err(CallError::TooMuch(self.largest));
            }
        }
        // It closed its outputs; what is left of its life is normally well below a millisecond.
        loop {
            match child.try_wait()? {
                Some(status) => return Ok(Output { code: status.code(), stdout, stderr }),
                None if Instant::now() >= deadline => return Err(slow()),
                None => std::thread::sleep(Duration::from_micros(200)),
            }
        }
    }
}

/// One read; at the end of the input, no more of it.
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

    fn sh(script: &str, limit: Duration) -> Result<Output, CallError> {
        let environment = [("GIVEN".to_owned(), "it".to_owned())];
        let args = ["-c", script];
        Call {
            program: Path::new("/bin/sh"),
            args: &args,
            environment: &environment,
            limit,
            largest: 1 << 20,
        }
        .run()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn both_outputs_and_the_exit_code_are_collected() {
        let output = sh("echo $GIVEN $LC_ALL $TZ$HOME; cat; echo no >&2; exit 3", LONG).unwrap();
        let expected = Output { code: Some(3), stdout: b"it C UTC\n".into(), stderr: b"no\n".into() };
        assert_eq!(output, expected, "and there is no input to wait for");
        assert_eq!(sh("kill -9 $$", LONG).unwrap().code, None);
        let much = "i=0; while [ $i -lt 3000 ]; do echo $i-----------------------------; \
            echo $i----------------------------- >&2; i=$((i+1)); done";
        let much = sh(much, LONG).unwrap();
        let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!((lines(&much.stdout), lines(&much.stderr)), (3000, 3000));
    }

    #[test]
    fn one_that_hangs_is_given_up_in_time_with_its_outputs_open_or_closed() {
        for script in ["exec sleep 60", "printf half; exec sleep 60", "exec sleep 60 >&- 2>&-"] {
            let before = Instant::now();
            let slow = sh(script, Duration::from_millis(200));
            assert!(matches!(slow, Err(CallError::TooSlow(_))), "{script}: {slow:?}");
            assert!(before.elapsed() < Duration::from_secs(20), "{script}");
        }
    }

    #[test]
    fn one_that_never_stops_writing_is_given_up() {
        for script in ["while :; do printf %04096d 0; done", "while :; do printf %04096d 0; done >&2"] {
            let much = sh(script, LONG);
            assert!(matches!(much, Err(CallError::TooMuch(_))), "{much:?}");
        }
    }

    #[test]
    fn one_that_is_not_there_is_not_started() {
        let program = Path::new("/nonexistent/systemctl");
        let call = Call { program, args: &[], environment: &[], limit: LONG, largest: 1 };
        assert!(matches!(call.run(), Err(CallError::Io(_))));
    }
}
