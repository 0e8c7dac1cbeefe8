//! The ways in which a parent connects a child's stdin and stdout.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// What lies on a child's fds 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wire {
    /// An AF_UNIX socketpair each, as Node and Bun do it.
    Socketpair,
    /// A pipe each, as Python, Rust and Go do it.
    Pipe,
    /// The parent's own: what a launcher passes on.
    Inherit,
    /// `/dev/null`, as for a daemon.
    Null,
    /// The slave of a pseudo terminal whose master the parent keeps, as `script` and `unbuffer` do it.
    Pty,
}

/// The parent's ends of one wire.
#[derive(Debug)]
pub(crate) struct Ends {
    /// To the child's stdin.
    pub(crate) to: Option<File>,
    /// From the child's stdout.
    pub(crate) from: Option<File>,
}

impl Wire {
    /// Puts the child's ends on its fds 0 and 1 and returns the parent's. Every end is close-on-exec,
    /// so no sibling inherits one by accident.
    pub(crate) fn lay(self, command: &mut Command) -> io::Result<Ends> {
        let none = Ends { to: None, from: None };
        let file = |fd: OwnedFd| Some(File::from(fd));
        match self {
            Wire::Inherit => {
                command.stdin(Stdio::inherit()).stdout(Stdio::inherit());
                Ok(none)
            }
            Wire::Null => {
                command.stdin(Stdio::null()).stdout(Stdio::null());
                Ok(none)
            }
            Wire::Pty => {
                let pty = nix::pty::openpty(None, None)?;
                command.stdin(pty.slave.try_clone()?).stdout(pty.slave);
                Ok(Ends { to: file(pty.master), from: None })
            }
            Wire::Socketpair => {
                let (stdin, stdout) = (UnixStream::pair()?, UnixStream::pair()?);
                command.stdin(OwnedFd::from(stdin.1)).stdout(OwnedFd::from(stdout.1));
                Ok(Ends { to: file(stdin.0.into()), from: file(stdout.0.into()) })
            }
            Wire::Pipe => {
                let (stdin, stdout) = (io::pipe()?, io::pipe()?);
                command.stdin(stdin.0).stdout(stdout.1);
                Ok(Ends { to: file(stdin.1.into()), from: file(stdout.0.into()) })
            }
        }
    }
}
