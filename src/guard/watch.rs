//! The guardian's main loop: it sleeps until something happens to stdin, the client or the root, and then does what
//! [`Observed::next`] decides. The systems differ only in their [`EventSource`].

use std::io;
use std::time::Duration;

use super::decide::{Action, Observed, StdinState, StdoutReader, TreeState, rest_after};
use super::events::{EventSet, EventSource, InitialState, PeerState};

/// What a guardian asks and does about its server.
pub trait ServerControl {
    /// Is the guarded process a client itself? Then its own parent and its stdin mean nothing.
    fn guards_a_client(&mut self) -> bool;
    /// How long the client may still read after it closed stdin.
    fn linger(&mut self) -> Duration;
    /// Who reads the server's stdout.
    fn reader(&mut self) -> StdoutReader;
    /// What is left of the server after its root ended.
    fn tree(&mut self) -> TreeState;
    /// Judges the server, and ends what the judgement says. It sleeps only by calling `pause`, which returns whether to go
    /// on.
    fn judge(&mut self, grace: Grace, pause: &mut dyn FnMut(Duration) -> bool) -> Judged;
}

/// The time that a server has before it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grace {
    /// It has a grace in which it can end by itself.
    Ahead {
        /// The client closed stdin long ago, so it does not count as use that it still reads stdout.
        lingered: bool,
        /// The part of the grace that is over.
        waited: Duration,
    },
    /// It is judged at once, because nothing told it to end.
    None,
}

/// The result of a judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Nothing is left of the server.
    NothingLeft,
    /// Something is left that is in use, or is not known to be unused.
    SomethingLeft,
}

/// Watches until there is nothing left to do; returns whether the root has ended.
///
/// # Errors
/// When a wait fails. Then nothing is known, so nothing is ended.
pub fn watch(
    watched: InitialState,
    events: &mut impl EventSource,
    server: &mut impl ServerControl,
) -> io::Result<bool> {
    let mut guardian = Guardian::new(watched, events);
    loop {
        guardian.update_durations();
        match guardian.seen.next() {
            Action::Sleep => guardian.sleep(None, server)?,
            Action::SleepAtMost(time) => guardian.sleep(Some(time), server)?,
            Action::AskStdout => guardian.seen.stdout = Some(server.reader()),
            Action::AskTree => guardian.ask_tree(server),
            Action::Judge { lingered } => match guardian.judge_after_grace(lingered, server) {
                Judged::NothingLeft => break,
                // The root ended meanwhile, so nothing may be left: go on and ask.
                Judged::SomethingLeft if guardian.note_end_of_root() => {}
                Judged::SomethingLeft => {
                    guardian.vain_judgements += 1;
                    guardian.seen.rest = rest_after(guardian.vain_judgements);
                }
            },
            Action::JudgeAndLeave => {
                let events = &mut *guardian.events;
                let mut pause = |time| events.wait(EventSet::default(), Some(time)).is_ok();
                server.judge(Grace::None, &mut pause);
                break;
            }
            Action::Leave => break,
        }
    }
    Ok(guardian.root_has_ended())
}

/// The state of the main loop.
struct Guardian<'e, E> {
    events: &'e mut E,
    /// The events that can still happen.
    wanted: EventSet,
    seen: Observed,
    hung_up_at: Option<Duration>,
    shut_at: Option<Duration>,
    /// When [`TreeState::ReadByClient`] was first seen, or the hang-up before it.
    read_by_client_at: Option<Duration>,
    /// When the first judgement was due. The server's grace begins here.
    grace_began_at: Option<Duration>,
    /// Judgements in a row that ended nothing, since the last event.
    vain_judgements: u32,
}

impl<'e, E: EventSource> Guardian<'e, E> {
    fn new(watched: InitialState, events: &'e mut E) -> Guardian<'e, E> {
        let seen = Observed {
            stdin: if watched.stdin { StdinState::Connected } else { StdinState::Silent },
            silent_close: watched.silent_close,
            client_gone: watched.client_gone,
            root_gone: false,
            stdout: None,
            tree: None,
            rest: Duration::ZERO,
            // Read from the configuration when it is needed.
            linger: Duration::MAX,
        };
        let wanted = EventSet { hang_up: watched.stdin, client: watched.client, root: true };
        Guardian {
            events,
            wanted,
            seen,
            hung_up_at: None,
            shut_at: None,
            read_by_client_at: None,
            grace_began_at: None,
            vain_judgements: 0,
        }
    }

    fn since(&self, at: Duration) -> Duration {
        self.events.now().saturating_sub(at)
    }

    fn update_durations(&mut self) {
        match (self.hung_up_at, self.shut_at) {
            (Some(at), _) => self.seen.stdin = StdinState::HungUp(self.since(at)),
            (None, Some(at)) => self.seen.stdin = StdinState::ShutBothWays(self.since(at)),
            (None, None) => {}
        }
    }

    /// Sleeps until an event happens or the time is over, and notes it. Answers and rests from before are dropped, so that
    /// all is asked again.
    fn sleep(&mut self, time: Option<Duration>, server: &mut impl ServerControl) -> io::Result<()> {
        (self.seen.stdout, self.seen.tree, self.seen.rest) = (None, None, Duration::ZERO);
        let connected = self.wanted.hang_up && self.seen.stdin == StdinState::Connected;
        let happened = self.events.wait(EventSet { hang_up: connected, ..self.wanted }, time)?;
        if (happened.hang_up || happened.client) && server.guards_a_client() {
            self.release_stdin();
            self.wanted.client = false;
            self.seen.stdin = StdinState::Silent;
        } else {
            if happened.client {
                self.wanted.client = false;
                self.seen.client_gone = true;
            }
            if happened.hang_up
                || matches!(self.seen.stdin, StdinState::HalfShut | StdinState::ShutBothWays(_))
            {
                self.ask_peer_state(server);
            }
            // When the server closed its own stdin and the client is gone, no other event will come.
            if self.seen.client_gone && self.wanted.hang_up && !self.events.stdin_can_hang_up() {
                self.hung_up(server);
            }
        }
        if happened.root {
            self.end_of_root();
        }
        if happened.any() {
            self.vain_judgements = 0;
        }
        Ok(())
    }

    fn ask_peer_state(&mut self, server: &mut impl ServerControl) {
        if !self.wanted.hang_up {
            return;
        }
        match self.events.peer_state() {
            PeerState::Gone => self.hung_up(server),
            PeerState::ShutBothWays => {
                if self.shut_at.is_none() {
                    self.seen.linger = server.linger();
                }
                let at = *self.shut_at.get_or_insert_with(|| self.events.now());
                self.seen.stdin = StdinState::ShutBothWays(self.since(at));
            }
            PeerState::There => self.seen.stdin = StdinState::HalfShut,
        }
    }

    fn hung_up(&mut self, server: &mut impl ServerControl) {
        self.hung_up_at = Some(self.events.now());
        self.seen.linger = server.linger();
        self.seen.stdin = StdinState::HungUp(Duration::ZERO);
        self.release_stdin();
    }

    fn ask_tree(&mut self, server: &mut impl ServerControl) {
        let tree = server.tree();
        self.seen.tree = Some(match tree {
            TreeState::ReadByClient(_) => {
                self.seen.linger = server.linger();
                let at = *self
                    .read_by_client_at
                    .get_or_insert(self.hung_up_at.unwrap_or_else(|| self.events.now()));
                TreeState::ReadByClient(self.since(at))
            }
            TreeState::Nothing | TreeState::Connected | TreeState::CutOff => {
                self.read_by_client_at = None;
                tree
            }
        });
    }

    fn release_stdin(&mut self) {
        if std::mem::take(&mut self.wanted.hang_up) {
            self.events.release_stdin();
        }
    }

    /// Judges. The grace is cut short when the root ends, because then nothing may be left.
    fn judge_after_grace(&mut self, lingered: bool, server: &mut impl ServerControl) -> Judged {
        let began_at = *self.grace_began_at.get_or_insert_with(|| self.events.now());
        let waited = self.since(began_at);
        let wanted = EventSet { root: self.wanted.root, ..EventSet::default() };
        let events = &mut *self.events;
        let mut pause = |time| events.wait(wanted, Some(time)).is_ok_and(|happened| !happened.root);
        server.judge(Grace::Ahead { lingered, waited }, &mut pause)
    }

    /// Notes the end of the root; returns whether it is new.
    fn note_end_of_root(&mut self) -> bool {
        let ended = self.wanted.root && self.root_has_ended();
        if ended {
            self.end_of_root();
        }
        ended
    }

    fn end_of_root(&mut self) {
        self.seen.root_gone = true;
        self.seen.tree = None;
        self.wanted.root = false;
        // On macOS the guardian may be the last process with this stdin, and the client must see that nobody reads it.
        self.release_stdin();
    }

    fn root_has_ended(&mut self) -> bool {
        let asked = |events: &mut E| events.wait(EventSet::ROOT, Some(Duration::ZERO));
        !self.wanted.root || asked(self.events).is_ok_and(|happened| happened.root)
    }
}
