//! Reads the `pid_file` of an allow rule, which contains the pid of the process to leave alone.

use std::path::PathBuf;

use super::locate::Surroundings;
use crate::os;
use crate::process::Pid;

/// The largest pid file in bytes. It has a number and a newline; that of PostgreSQL has some more lines.
const MAX_SIZE: u64 = 4096;

/// Reads the pid file of an allow rule. If there is no file, the daemon does not run, and the rule matches nothing. A
/// file without a number is an error, because the rule is meant to protect a process.
///
/// # Errors
/// When the path is not absolute, or the file is not regular, cannot be read, or does not begin with a pid.
pub(super) fn read(path: &str, around: &Surroundings) -> Result<(PathBuf, Option<Pid>), String> {
    let path = PathBuf::from(around.expand(path).map_err(|error| error.to_string())?);
    if !path.is_absolute() {
        return Err(format!("`{}` must be an absolute path, or begin with ~/", path.display()));
    }
    let fail = |problem: String| format!("{}: {problem}", path.display());
    let bytes = match os::file::read(&path, MAX_SIZE) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok((path, None)),
        Err(error) => return Err(fail(error.to_string())),
    };
    match parse_pid(&bytes) {
        Some(pid) => Ok((path, Some(pid))),
        None => Err(fail("does not begin with the number of a process".into())),
    }
}

/// The pid in the first line.
fn parse_pid(bytes: &[u8]) -> Option<Pid> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    let digits = std::str::from_utf8(line).ok()?.trim();
    // `parse` alone would take "+5".
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|pid| (1..=i32::MAX.unsigned_abs()).contains(pid)).map(Pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_begins_with_a_number_and_nothing_else_will_do() {
        for (bytes, pid) in [
            (&b"4242\n"[..], Some(4242)),
            (b"4242", Some(4242)),
            (b" 4242 \r\n", Some(4242)),
            (b"1\n/var/lib/x\n1700000000\n", Some(1)),
            (b"2147483647", Some(i32::MAX.unsigned_abs())),
            (b"", None),
            (b"\n4242\n", None),
            (b"0", None),
            (b"-4242", None),
            (b"+4242", None),
            (b"4242 4243", None),
            (b"2147483648", None),
            (b"\xff", None),
            (b"pid=1", None),
        ] {
            assert_eq!(parse_pid(bytes), pid.map(Pid), "{bytes:?}");
        }
    }
}
