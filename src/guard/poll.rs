//! What a guardian waits for, on Linux: one poll(2) over a duplicate of stdin and two pidfds.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::ticket::{Known, Ticket};
use super::watch::{Events, Happenings, Watched};
use super::{ffi, peer, stdin};
use crate::marker::Wire;

/// The descriptors of one guardian.
#[derive(Debug)]
pub struct Polled {
    /// A duplicate of the server's stdin, where something hangs up there, and what it is.
    stdin: Option<(OwnedFd, Option<Wire>)>,
    /// A pidfd of the client.
    client: Option<OwnedFd>,
    /// A pidfd of the root.
    root: OwnedFd,
    origin: Instant,
}

impl Polled {
    /// Takes what is this guardian's, and polls once.
    ///
    /// # Errors
    /// When a descriptor did not come through exec, or there is no polling here (a seccomp filter).
    pub fn begin(ticket: &Ticket) -> Result<(Polled, Watched), String> {
        let adopt =
            |fd: i32| ffi::adopt(fd).ok_or_else(|| format!("descriptor {fd} did not come through exec"));
        let pidfd = |known: Known| match known {
            Known::Pidfd(fd) => adopt(fd),
            Known::Unique(_) => Err("this ticket is not for Linux".to_owned()),
        };
        let root = pidfd(ticket.root_by)?;
        let client = ticket.client_by.map(pidfd).transpose()?;
        let stdin = ticket.stdin_fd.map(adopt).transpose()?.map(|fd| {
            let wire = stdin::wire(fd.as_fd());
            (fd, wire)
        });
        let watched = Watched {
            stdin: stdin.is_some(),
            client: client.is_some(),
            client_gone: ticket.client_is_gone(),
        };
        let mut polled = Polled { stdin, client, root, origin: Instant::now() };
        polled
            .wait(Happenings::ROOT, Some(Duration::ZERO))
            .map_err(|error| format!("could not poll: {error}"))?;
        Ok((polled, watched))
    }
}

impl Events for Polled {
    fn wait(&mut self, wanted: Happenings, time: Option<Duration>) -> io::Result<Happenings> {
        let stdin = self.stdin.as_ref().filter(|_| wanted.hang_up).map(|(fd, _)| fd);
        let places = [
            // Never for its data: only a hang-up or an error ends the sleep, both of which cannot be masked.
            (stdin, PollFlags::empty()),
            (self.client.as_ref().filter(|_| wanted.client), PollFlags::IN),
            (Some(&self.root).filter(|_| wanted.root), PollFlags::IN),
        ];
        let [hang_up, client, root] = poll_once(places, time)?;
        Ok(Happenings { hang_up, client, root })
    }

    fn other_end_is_gone(&mut self) -> bool {
        match self.stdin {
            // Nobody but the last writer can hang up a pipe.
            Some((_, Some(Wire::Pipe(_)) | None)) | None => true,
            Some((_, Some(Wire::Socket(inode)))) => peer::is_gone(inode),
        }
    }

    fn let_go_of_stdin(&mut self) {
        self.stdin = None;
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// One poll(2), again after a signal. An empty place never happens.
fn poll_once<const N: usize>(
    places: [(Option<&OwnedFd>, PollFlags); N],
    time: Option<Duration>,
) -> Result<[bool; N], Errno> {
    let until = time.map(|time| Instant::now() + time);
    let mut fds: Vec<PollFd<'_>> =
        places.iter().filter_map(|(fd, events)| Some(PollFd::new((*fd)?, *events))).collect();
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.map(|left| Timespec::try_from(left).unwrap_or_default());
        match poll(&mut fds, left.as_ref()) {
            Ok(_) => break,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
    let mut happened = [false; N];
    for (happened, _) in happened.iter_mut().zip(&places).filter(|(_, (fd, _))| fd.is_some()) {
        *happened = ready.next().unwrap_or(false);
    }
    Ok(happened)
}
