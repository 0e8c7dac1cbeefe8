//! The events of a guardian on Linux: one poll(2) over two pidfds and an epoll instance in which the server's stdin is
//! registered.
//!
//! The registration does not hold the connection open. It belongs to the open file description behind the server's
//! descriptor 0 and reports its hang-up. When all processes that share the description have closed it, the registration
//! ends without an event (fs/eventpoll.c, `eventpoll_release_file`).

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::args::{GuardArgs, ProcessHandle};
use super::events::{EventSet, EventSource, InitialState, PeerState};
use super::{ffi, stdin};
use crate::marker::WireId;

/// The descriptors of one guardian.
#[derive(Debug)]
pub struct PollEvents {
    /// The epoll instance; `None` for a stdin that never hangs up.
    stdin: Option<OwnedFd>,
    /// The wire on that stdin.
    wire: Option<WireId>,
    /// A pidfd of the client.
    client: Option<OwnedFd>,
    /// A pidfd of the root.
    root: OwnedFd,
    /// Asks the kernel for the other end of a socket, by its inode.
    ask_peer: fn(u64) -> PeerState,
    origin: Instant,
}

impl PollEvents {
    /// Takes ownership of the descriptors, and polls once. `ask_peer` asks the kernel for the other end of a socket, by its
    /// inode.
    ///
    /// # Errors
    /// When a descriptor was not passed through exec, or poll(2) fails (a seccomp filter).
    pub fn begin(
        args: &GuardArgs,
        ask_peer: fn(u64) -> PeerState,
    ) -> Result<(PollEvents, InitialState), String> {
        let adopt =
            |fd: i32| ffi::adopt(fd).ok_or_else(|| format!("descriptor {fd} did not come through exec"));
        let pidfd = |known: ProcessHandle| match known {
            ProcessHandle::Pidfd(fd) => adopt(fd),
            ProcessHandle::Unique(_) => Err("this ticket is not for Linux".to_owned()),
        };
        let root = pidfd(args.root_handle)?;
        let client = args.client_handle.map(pidfd).transpose()?;
        let stdin = args.stdin_fd.map(adopt).transpose()?;
        let watched = InitialState {
            stdin: stdin.is_some(),
            silent_close: true,
            client: client.is_some(),
            client_gone: args.client_is_gone(),
        };
        let wire = WireId::of_id(&args.marker);
        let mut polled = PollEvents { stdin, wire, client, root, ask_peer, origin: Instant::now() };
        polled
            .wait(EventSet::ROOT, Some(Duration::ZERO))
            .map_err(|error| format!("could not poll: {error}"))?;
        Ok((polled, watched))
    }
}

impl EventSource for PollEvents {
    fn wait(&mut self, wanted: EventSet, time: Option<Duration>) -> io::Result<EventSet> {
        let places = [
            (self.stdin.as_ref().filter(|_| wanted.hang_up), PollFlags::IN),
            (self.client.as_ref().filter(|_| wanted.client), PollFlags::IN),
            (Some(&self.root).filter(|_| wanted.root), PollFlags::IN),
        ];
        let [hang_up, client, root] = poll_once(places, time)?;
        Ok(EventSet { hang_up, client, root })
    }

    fn peer_state(&mut self) -> PeerState {
        match self.wire {
            // A pipe hangs up only when its last writer closes it.
            Some(WireId::Pipe(_)) | None => PeerState::Gone,
            Some(WireId::Socket(inode)) => (self.ask_peer)(inode),
        }
    }

    fn stdin_can_hang_up(&mut self) -> bool {
        self.stdin.as_ref().is_some_and(|epoll| stdin::is_registered(epoll.as_fd()))
    }

    fn release_stdin(&mut self) {
        self.stdin = None;
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// Calls poll(2), again after a signal. A place without a descriptor is never ready.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
    use std::os::unix::net::UnixStream;

    const HANG_UP: EventSet = EventSet { hang_up: true, client: false, root: false };

    fn watching(stdin: impl std::os::fd::AsFd) -> PollEvents {
        let own = rustix::process::getpid();
        let root = rustix::process::pidfd_open(own, rustix::process::PidfdFlags::empty()).unwrap();
        let epoll = stdin::watchable(stdin).unwrap();
        let ask_peer = |_| PeerState::There;
        PollEvents { stdin: Some(epoll), wire: None, client: None, root, ask_peer, origin: Instant::now() }
    }

    fn piped() -> (PollEvents, PipeReader, PipeWriter) {
        let (server, client) = pipe().unwrap();
        (watching(&server), server, client)
    }

    fn hung_up(polled: &mut PollEvents) -> bool {
        polled.wait(HANG_UP, Some(Duration::ZERO)).unwrap().hang_up
    }

    #[test]
    fn a_guardian_hears_the_client_close_and_not_its_data() {
        let (mut polled, mut server, mut client) = piped();
        client.write_all(b"request").unwrap();
        assert!(!hung_up(&mut polled) && polled.stdin_can_hang_up());
        drop(client);
        assert!(hung_up(&mut polled) && hung_up(&mut polled), "at every wait that it is wanted at");
        assert!(!polled.wait(EventSet::ROOT, Some(Duration::ZERO)).unwrap().any(), "and at no other");
        let mut read = Vec::new();
        server.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"request", "a guardian reads nothing");
    }

    #[test]
    fn a_client_hears_the_server_close_and_the_guardian_nothing() {
        let (mut polled, server, mut client) = piped();
        let shared = server.try_clone().unwrap();
        drop(server);
        assert!(polled.stdin_can_hang_up(), "another descriptor has the same description");
        drop(shared);
        assert!(!polled.stdin_can_hang_up() && !hung_up(&mut polled));
        let refused = client.write_all(b"request").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::BrokenPipe);
        let (server, mut client) = UnixStream::pair().unwrap();
        let mut polled = watching(&server);
        drop(server);
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "the end of the stream");
        assert!(!polled.stdin_can_hang_up() && !hung_up(&mut polled));
    }

    #[test]
    fn one_socket_for_both_ways_is_one_registration() {
        let (server, client) = UnixStream::pair().unwrap();
        let stdout = server.try_clone().unwrap();
        let mut polled = watching(&server);
        drop(server);
        assert!(polled.stdin_can_hang_up() && !hung_up(&mut polled), "stdout is the same socket");
        drop(client);
        assert!(hung_up(&mut polled));
        drop(stdout);
        assert!(!polled.stdin_can_hang_up());
    }
}
