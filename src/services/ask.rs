//! One question to another program: no shell, no PATH, no inherited environment, and an end in time.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// After this a manager is taken not to answer. systemd answers in about 5 ms; a bus that hangs
/// takes 25 s to say so, and a hook has 1.5 s to live.
pub(super) const LIMIT: Duration = Duration::from_secs(2);

/// More than any answer: 20,000 units of 200 bytes.
const LONGEST: usize = 4 << 20;

/// The standard output of a program that ended well within the limit. `None` when it could not be
/// started, failed, said too much or took too long; then it is ended, as it is our own child.
pub(super) fn ask(
    program: &Path,
    args: &[&str],
    environment: &[(&str, String)],
    limit: Duration,
) -> Option<Vec<u8>> {
    let mut child = Command::new(program)
        .args(args)
        .env_clear()
        .env("LC_ALL", "C")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let answer = listen(&mut child, Instant::now() + limit);
    if answer.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    answer
}

fn listen(child: &mut Child, deadline: Instant) -> Option<Vec<u8>> {
    let mut out = child.stdout.take()?;
    let mut answer = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let left = Timespec::try_from(deadline.checked_duration_since(Instant::now())?).ok()?;
        match poll(&mut [PollFd::new(&out, PollFlags::IN)], Some(&left)) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return None,
        }
        match out.read(&mut buffer).ok()? {
            0 => break,
            length => answer.extend_from_slice(&buffer[..length]),
        }
        if answer.len() > LONGEST {
            return None;
        }
    }
    // It closed its output; what is left of its life is normally well below a millisecond.
    loop {
        match child.try_wait().ok()? {
            Some(status) => return status.success().then_some(answer),
            None if Instant::now() >= deadline => return None,
            None => std::thread::sleep(Duration::from_micros(200)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Option<String> {
        let answer = ask(Path::new("/bin/sh"), &["-c", script], &[("ASKED", "for it".into())], limit)?;
        String::from_utf8(answer).ok()
    }

    #[test]
    fn an_answer_is_what_a_program_that_ended_well_has_printed() {
        assert_eq!(sh("printf %s \"$ASKED$HOME$LC_ALL\"", LIMIT).as_deref(), Some("for itC"));
        assert_eq!(sh("cat", LIMIT).as_deref(), Some(""), "it has no input to wait for");
        assert_eq!(sh("printf half; exit 1", LIMIT), None);
        assert_eq!(sh("printf half; kill -9 $$", LIMIT), None);
        assert_eq!(ask(Path::new("/nonexistent/systemctl"), &[], &[], LIMIT), None);
    }

    #[test]
    fn one_that_hangs_is_given_up_in_time_with_its_output_open_or_closed() {
        for script in ["exec sleep 60", "printf half; exec sleep 60", "exec sleep 60 >&-"] {
            let before = Instant::now();
            assert_eq!(sh(script, Duration::from_millis(200)), None, "{script}");
            assert!(before.elapsed() < Duration::from_secs(10), "{script}");
        }
    }

    #[test]
    fn one_that_never_stops_talking_is_not_listened_to() {
        assert_eq!(sh("while :; do printf '%04096d' 0; done", Duration::from_secs(20)), None);
    }
}
