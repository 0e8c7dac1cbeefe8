//! Becomes the command, which is looked up as execvp(3) does.

use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use nix::errno::Errno;
use nix::unistd::execve;

/// The folders that are searched for commands when PATH is not set (glibc's `confstr(_CS_PATH)`).
const NO_PATH: &str = "/bin:/usr/bin";

/// Interpreters that make a script a shell script.
const SHELLS: [&str; 7] = ["ash", "bash", "dash", "fish", "ksh", "sh", "zsh"];

/// Why the command could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotStarted {
    /// It is not in PATH, or there is no such file.
    #[error("{0}: command not found")]
    NotFound(String),
    /// The file cannot be executed, and why.
    #[error("{0}: {1}")]
    NotExecutable(String, String),
}

impl NotStarted {
    /// The exit code that shells and `env` have for it.
    pub fn code(&self) -> u8 {
        match self {
            NotStarted::NotFound(_) => 127,
            NotStarted::NotExecutable(..) => 126,
        }
    }
}

/// The environment as `NAME=value` entries, in the same order. The variable `name` gets the value `marker`, in its old place
/// or at the end; `None` removes it.
pub fn environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    name: &str,
    marker: Option<&str>,
) -> Vec<CString> {
    let mut marker = marker;
    let mut list = Vec::new();
    for (key, value) in variables {
        let value = match (key == name, marker.take_if(|_| key == name)) {
            (false, _) => value,
            (true, Some(marker)) => marker.into(),
            (true, None) => continue,
        };
        list.extend(entry(&key, &value));
    }
    list.extend(marker.and_then(|marker| entry(OsStr::new(name), OsStr::new(marker))));
    list
}

fn entry(key: &OsStr, value: &OsStr) -> Option<CString> {
    let mut bytes = key.as_bytes().to_vec();
    bytes.push(b'=');
    bytes.extend_from_slice(value.as_bytes());
    CString::new(bytes).ok()
}

/// Replaces this process with the command. A name without a slash is looked up in `path`. A file that is
/// neither a program nor names an interpreter is given to `/bin/sh`, as execvp(3) does.
///
/// # Errors
/// When the command could not be started. This process then goes on.
pub fn become_command(
    command: &[OsString],
    path: Option<&OsStr>,
    environment: &[CString],
) -> Result<Infallible, NotStarted> {
    let name = command.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let arguments: Vec<CString> =
        command.iter().filter_map(|word| CString::new(word.as_bytes()).ok()).collect();
    let mut denied = None;
    for file in candidates(command.first().map(OsString::as_os_str).unwrap_or_default(), path) {
        match start(&file, &arguments, environment) {
            Errno::ENOENT | Errno::ENOTDIR | Errno::ENAMETOOLONG => {}
            // Another folder may have a file that can be executed.
            errno @ Errno::EACCES => denied = Some(errno),
            errno => return Err(NotStarted::NotExecutable(name, errno.desc().to_owned())),
        }
    }
    Err(match denied {
        Some(errno) => NotStarted::NotExecutable(name, errno.desc().to_owned()),
        None => NotStarted::NotFound(name),
    })
}

fn candidates(name: &OsStr, path: Option<&OsStr>) -> Vec<CString> {
    if name.is_empty() {
        return Vec::new();
    }
    if name.as_bytes().contains(&b'/') {
        return CString::new(name.as_bytes()).ok().into_iter().collect();
    }
    let folders = path.unwrap_or(OsStr::new(NO_PATH)).as_bytes().split(|byte| *byte == b':');
    let file = |folder: &[u8]| {
        // An empty folder is the working directory (POSIX, PATH).
        let folder = if folder.is_empty() { b"." } else { folder };
        CString::new([folder, b"/", name.as_bytes()].concat()).ok()
    };
    folders.filter_map(file).collect()
}

fn start(file: &CString, arguments: &[CString], environment: &[CString]) -> Errno {
    let Err(errno) = execve(file, arguments, environment);
    if errno != Errno::ENOEXEC {
        return errno;
    }
    let mut shell = vec![c"/bin/sh".to_owned(), file.clone()];
    shell.extend(arguments.iter().skip(1).cloned());
    let Err(errno) = execve(c"/bin/sh", &shell, environment);
    errno
}

/// Is this file a script for a shell? Its first line shows it. A file without such a line is one if it is executed itself,
/// because execvp(3) gives it to `/bin/sh`. A file that cannot be read is none.
pub fn is_shell_script(name: &OsStr, is_executed: bool, path: Option<&OsStr>) -> bool {
    let mut files = candidates(name, path).into_iter().map(|file| OsString::from_vec(file.into_bytes()));
    let Some(mut file) = files.find_map(|file| File::open(file).ok()) else { return false };
    let mut start = [0; 128];
    let Ok(length) = file.read(&mut start) else { return false };
    let start = &start[..length];
    match start.strip_prefix(b"#!") {
        None => is_executed && !start.is_empty() && !start.contains(&0),
        Some(rest) => {
            let line = String::from_utf8_lossy(rest.split(|byte| *byte == b'\n').next().unwrap_or_default());
            let named = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or_default());
            let interpreter = named
                .into_iter()
                .find(|word| *word != "env" && !word.starts_with('-') && !word.contains('='));
            interpreter.is_some_and(|name| SHELLS.contains(&name))
        }
    }
}

/// The words of a command line for execve(2).
pub fn words(line: impl IntoIterator<Item = String>) -> Vec<CString> {
    line.into_iter().filter_map(|word| CString::new(OsString::from(word).into_vec()).ok()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn list(variables: &[(&str, &str)], marker: Option<&str>) -> Vec<String> {
        let variables = variables.iter().map(|(key, value)| (OsString::from(key), OsString::from(value)));
        environment(variables, "M", marker).into_iter().map(|entry| entry.into_string().unwrap()).collect()
    }

    #[test]
    fn the_environment_is_as_it_was_but_for_the_marker() {
        assert_eq!(list(&[("B", "2"), ("A", "1")], Some("x")), ["B=2", "A=1", "M=x"]);
        assert_eq!(list(&[("M", "old"), ("A", "")], Some("x")), ["M=x", "A="]);
        assert_eq!(list(&[("M", "old"), ("A", "1"), ("M", "older")], None), ["A=1"]);
    }

    #[test]
    fn a_command_is_looked_for_where_execvp_looks() {
        let files = |name: &str, path: Option<&str>| {
            let found = candidates(OsStr::new(name), path.map(OsStr::new));
            found.into_iter().map(|file| file.into_string().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(files("a", Some("/x:/y")), ["/x/a", "/y/a"]);
        assert_eq!(files("a", Some(":/y")), ["./a", "/y/a"]);
        assert_eq!(files("./a", Some("/x")), ["./a"]);
        assert_eq!(files("a", None), ["/bin/a", "/usr/bin/a"]);
        assert_eq!(files("", Some("/x")), [""; 0]);
    }

    #[test]
    fn a_script_for_a_shell_is_known_by_its_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deploy");
        for (text, program, expected) in [
            ("#!/bin/bash\n", true, true),
            ("#!/usr/bin/env -S sh -e\nx", false, true),
            ("#! /bin/sh -e", true, true),
            ("echo without\n", true, true),
            ("console.log('run by node')\n", false, false),
            ("#!/usr/bin/env node\n", true, false),
            ("#!/usr/bin/python3 -sh\n", true, false),
            ("\x7fELF\0\0", true, false),
            ("", true, false),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(is_shell_script(file.as_os_str(), program, None), expected, "{text}");
        }
        let path = Some(folder.path().as_os_str());
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        assert!(is_shell_script(OsStr::new("deploy"), true, path), "by PATH");
        assert!(!is_shell_script(OsStr::new("nothing"), true, path));
    }

    #[test]
    fn what_cannot_be_started_has_the_code_that_shells_have() {
        let failed = |name: &str| {
            let command = [OsString::from(name)];
            become_command(&command, Some(OsStr::new("/nowhere:/etc")), &[]).unwrap_err().code()
        };
        assert_eq!(failed("mcp-reap-no-such"), 127);
        assert_eq!(failed("/etc/passwd"), 126);
        assert_eq!(failed("passwd"), 126, "found, not executable");
        assert_eq!(failed("/etc"), 126, "a folder");
        assert_eq!(failed(""), 127);
    }
}
