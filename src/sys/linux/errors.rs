//! What an error of a file of `/proc` says about its process. That it has ended is only what the kernel says of a process
//! that is not there. If no descriptor or memory is left, nothing is known of any process.

use std::io;

use rustix::io::Errno;

use crate::process::Pid;
use crate::sys::SysError;

/// Does this error mean that the process has ended?
pub(super) fn gone(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::NOENT | Errno::SRCH))
}

/// Does this error mean that the process may not be read?
fn denied(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::ACCESS | Errno::PERM))
}

/// Does this error mean that we or the system have no descriptor or memory left? Then every process looks like this one.
fn exhausted(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM))
}

/// Could the process be neither read nor taken for ended? So it may be alive.
pub(super) fn undecided(error: &io::Error) -> bool {
    !gone(error) && !denied(error)
}

/// The answer about a process that must be known: `None` only if the process has ended or may not be read.
pub(super) fn if_there<T>(answer: io::Result<T>, pid: Pid, file: &str) -> Result<Option<T>, SysError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if undecided(&error) => Err(failed(error, pid, file)),
        Err(_) => Ok(None),
    }
}

/// The answer about one property of a process: `None` if it is not known. It is an error if no process can be read.
pub(super) fn unless_exhausted<T>(
    answer: io::Result<T>,
    pid: Pid,
    file: &str,
) -> Result<Option<T>, SysError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if exhausted(&error) => Err(failed(error, pid, file)),
        Err(_) => Ok(None),
    }
}

#[cold]
fn failed(source: io::Error, pid: Pid, file: &str) -> SysError {
    SysError::Io { what: format!("read /proc/{pid}/{file}"), source }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What an answer becomes: a missing row, an unknown property, or an error.
    fn verdicts(errno: Errno) -> (bool, bool, bool) {
        let answer = || Err::<(), io::Error>(errno.into());
        let (there, property) =
            (if_there(answer(), Pid(7), "stat"), unless_exhausted(answer(), Pid(7), "exe"));
        (gone(&errno.into()), there.is_err(), property.is_err())
    }

    #[test]
    fn only_a_process_that_is_not_there_is_gone() {
        for errno in [Errno::NOENT, Errno::SRCH] {
            assert_eq!(verdicts(errno), (true, false, false), "{errno}");
        }
        for errno in [Errno::ACCESS, Errno::PERM] {
            assert_eq!(verdicts(errno), (false, false, false), "{errno}");
        }
        assert_eq!(verdicts(Errno::IO), (false, true, false));
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM] {
            assert_eq!(verdicts(errno), (false, true, true), "{errno}");
        }
    }

    #[test]
    fn the_error_names_the_file() {
        let error = if_there::<()>(Err(Errno::MFILE.into()), Pid(7), "stat").unwrap_err().to_string();
        assert!(error.starts_with("cannot read /proc/7/stat: Too many open files"), "{error}");
    }
}
