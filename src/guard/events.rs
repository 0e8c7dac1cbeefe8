//! The three events that a guardian waits for, and where they come from.

use std::io;
use std::time::Duration;

/// Some of the three things that a guardian waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventSet {
    /// Stdin is hung up, or was shut down.
    pub hang_up: bool,
    /// The client has ended.
    pub client: bool,
    /// The root has ended.
    pub root: bool,
}

impl EventSet {
    /// The end of the root, and nothing else.
    pub const ROOT: EventSet = EventSet { hang_up: false, client: false, root: true };

    /// Has any of them happened?
    pub fn any(self) -> bool {
        self.hang_up || self.client || self.root
    }
}

/// What is at the other end of a stdin that says that it is hung up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// Nobody.
    Gone,
    /// Somebody, and nothing passes either way any more.
    ShutBothWays,
    /// Somebody; or it cannot be asked.
    There,
}

/// What a guardian waits for, by the means of one system: poll(2) over pidfds on Linux, a kqueue on macOS.
pub trait EventSource {
    /// Waits until one of these happens, or the time is over; says which of these have happened. What has
    /// happened stays so and is told at every later wait that it is wanted at. Data on stdin is nothing that happens.
    ///
    /// # Errors
    /// When there is no waiting any more: then nothing is known.
    fn wait(&mut self, wanted: EventSet, time: Option<Duration>) -> io::Result<EventSet>;

    /// Stdin says that it is hung up: is the other end really gone, or did somebody shut it down?
    fn peer_state(&mut self) -> PeerState;

    /// Can a hang-up of stdin still come? Not where the server and all who share its stdin closed it, for then
    /// there is nothing any more that hangs up.
    fn stdin_can_hang_up(&mut self) -> bool;

    /// Watches stdin no more. Where that takes a descriptor of it (macOS), the client is to see that nobody reads any
    /// more.
    fn release_stdin(&mut self);

    /// A clock that only goes forward.
    fn now(&self) -> Duration;
}

/// What there is to watch at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialState {
    /// A stdin that can hang up.
    pub stdin: bool,
    /// Nothing tells that the server closed it.
    pub silent_close: bool,
    /// A client that can be watched; `false` for one outside this PID namespace, too.
    pub client: bool,
    /// The client had ended before anybody watched.
    pub client_gone: bool,
}
