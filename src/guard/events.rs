//! The three events that a guardian waits for, and the trait by which a system reports them.

use std::io;
use std::time::Duration;

/// Some of the three events.
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

/// The other end of a stdin that was reported as hung up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// It was closed.
    Gone,
    /// It is open, but both directions were shut down.
    ShutBothWays,
    /// It is open, or that cannot be asked.
    There,
}

/// Reports the events by the means of one system: poll(2) over pidfds on Linux, a kqueue on macOS.
pub trait EventSource {
    /// Waits until one of the wanted events happens or the time is over, and returns those that have happened. An event
    /// that has happened is returned by every later wait that wants it. Data on stdin is no event.
    ///
    /// # Errors
    /// When waiting fails. Then nothing is known.
    fn wait(&mut self, wanted: EventSet, time: Option<Duration>) -> io::Result<EventSet>;

    /// After stdin was reported as hung up: was the other end closed, or only shut down?
    fn peer_state(&mut self) -> PeerState;

    /// Can stdin still hang up? It cannot once the server and all that share its stdin have closed it.
    fn stdin_can_hang_up(&mut self) -> bool;

    /// Stops watching stdin. On macOS this closes the guardian's descriptor of it, so that the client sees that nobody
    /// reads any more.
    fn release_stdin(&mut self);

    /// A clock that only goes forward.
    fn now(&self) -> Duration;
}

/// What can be watched when the guardian starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialState {
    /// Stdin can hang up.
    pub stdin: bool,
    /// The system reports no event when the server closes its own stdin.
    pub silent_close: bool,
    /// The client can be watched. One outside this PID namespace cannot.
    pub client: bool,
    /// The client had already ended.
    pub client_gone: bool,
}
