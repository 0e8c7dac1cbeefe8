//! The guardian's sleep: until something happens to stdin, the client or the root, and what the table says
//! then. One piece of code for every system; how a system tells of the three is for [`EventSource`].

use std::io;
use std::time::Duration;

use super::decide::{Action, Observed, StdinState, StdoutReader, TreeState, rest_after};
use super::events::{EventSet, EventSource, InitialState, PeerState};

/// What a guardian asks about the server, and what it does there.
pub trait ServerControl {
    /// Is it a client that is guarded? Its own parent and its stdin say nothing then.
    fn guards_a_client(&mut self) -> bool;
    /// How long the client may read on after it closed stdin.
    fn linger(&mut self) -> Duration;
    /// Who reads what the server writes.
    fn reader(&mut self) -> StdoutReader;
    /// What is left after the root ended.
    fn tree(&mut self) -> TreeState;
    /// Judges, and ends what the judgement says. Sleeps by `pause` only, which says whether to go on.
    fn judge(&mut self, grace: Grace, pause: &mut dyn FnMut(Duration) -> bool) -> Judged;
}

/// What comes before a judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grace {
    /// The server has a grace, to leave by itself.
    Ahead {
        /// The client has closed stdin long ago and still reads stdout: that does not count as use.
        lingered: bool,
        /// How much of it is over.
        waited: Duration,
    },
    /// Nothing told it to leave: it is judged as it is.
    None,
}

/// What came of a judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Nothing is left of the server.
    NothingLeft,
    /// Something is left, in use or not known to be unused.
    SomethingLeft,
}

/// Watches until there is nothing to do any more; says whether the root has ended.
///
/// # Errors
/// When the wait fails: nothing is known then, so nothing is ended.
pub fn watch(
    watched: InitialState,
    events: &mut impl EventSource,
    world: &mut impl ServerControl,
) -> io::Result<bool> {
    let mut guardian = Guardian::new(watched, events);
    loop {
        guardian.time_passes();
        match guardian.seen.next() {
            Action::Sleep => guardian.sleep(None, world)?,
            Action::SleepAtMost(time) => guardian.sleep(Some(time), world)?,
            Action::AskStdout => guardian.seen.stdout = Some(world.reader()),
            Action::AskTree => guardian.ask_tree(world),
            Action::Judge { lingered } => match guardian.judge_after_grace(lingered, world) {
                Judged::NothingLeft => break,
                // The root ended meanwhile: that may have been all.
                Judged::SomethingLeft if guardian.notice_the_root() => {}
                Judged::SomethingLeft => {
                    guardian.in_vain += 1;
                    guardian.seen.rest = rest_after(guardian.in_vain);
                }
            },
            Action::JudgeAndLeave => {
                let events = &mut *guardian.events;
                let mut pause = |time| events.wait(EventSet::default(), Some(time)).is_ok();
                world.judge(Grace::None, &mut pause);
                break;
            }
            Action::Leave => break,
        }
    }
    Ok(guardian.root_has_ended())
}

/// One guardian at work.
struct Guardian<'e, E> {
    events: &'e mut E,
    /// What can still happen.
    wanted: EventSet,
    seen: Observed,
    hung_up_at: Option<Duration>,
    shut_at: Option<Duration>,
    /// Since when nobody writes to what the root left, and the client reads on.
    read_at: Option<Duration>,
    /// When it was first to be judged since something happened: its grace runs from here.
    cut_off_at: Option<Duration>,
    /// Judgements that ended nothing, since something happened last.
    in_vain: u32,
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
            // Known when it matters.
            linger: Duration::MAX,
        };
        let wanted = EventSet { hang_up: watched.stdin, client: watched.client, root: true };
        Guardian {
            events,
            wanted,
            seen,
            hung_up_at: None,
            shut_at: None,
            read_at: None,
            cut_off_at: None,
            in_vain: 0,
        }
    }

    fn since(&self, at: Duration) -> Duration {
        self.events.now().saturating_sub(at)
    }

    fn time_passes(&mut self) {
        match (self.hung_up_at, self.shut_at) {
            (Some(at), _) => self.seen.stdin = StdinState::HungUp(self.since(at)),
            (None, Some(at)) => self.seen.stdin = StdinState::ShutBothWays(self.since(at)),
            (None, None) => {}
        }
    }

    /// Sleeps until something happens or the time is over, and notes what happened. All that was answered
    /// or judged before is asked again after it.
    fn sleep(&mut self, time: Option<Duration>, world: &mut impl ServerControl) -> io::Result<()> {
        (self.seen.stdout, self.seen.tree, self.seen.rest) = (None, None, Duration::ZERO);
        let connected = self.wanted.hang_up && self.seen.stdin == StdinState::Connected;
        let happened = self.events.wait(EventSet { hang_up: connected, ..self.wanted }, time)?;
        if (happened.hang_up || happened.client) && world.guards_a_client() {
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
                self.ask_other_end(world);
            }
            // The server's own close is no event; but with the client gone, nothing else will tell of the end.
            if self.seen.client_gone && self.wanted.hang_up && !self.events.stdin_can_hang_up() {
                self.hung_up(world);
            }
        }
        if happened.root {
            self.end_of_root();
        }
        if happened.any() {
            self.in_vain = 0;
        }
        Ok(())
    }

    fn ask_other_end(&mut self, world: &mut impl ServerControl) {
        if !self.wanted.hang_up {
            return;
        }
        match self.events.peer_state() {
            PeerState::Gone => self.hung_up(world),
            PeerState::ShutBothWays => {
                if self.shut_at.is_none() {
                    self.seen.linger = world.linger();
                }
                let at = *self.shut_at.get_or_insert_with(|| self.events.now());
                self.seen.stdin = StdinState::ShutBothWays(self.since(at));
            }
            PeerState::There => self.seen.stdin = StdinState::HalfShut,
        }
    }

    fn hung_up(&mut self, world: &mut impl ServerControl) {
        self.hung_up_at = Some(self.events.now());
        self.seen.linger = world.linger();
        self.seen.stdin = StdinState::HungUp(Duration::ZERO);
        // A hung-up end tells nothing more.
        self.release_stdin();
    }

    fn ask_tree(&mut self, world: &mut impl ServerControl) {
        let tree = world.tree();
        self.seen.tree = Some(match tree {
            TreeState::ReadByClient(_) => {
                self.seen.linger = world.linger();
                let at = *self.read_at.get_or_insert(self.hung_up_at.unwrap_or_else(|| self.events.now()));
                TreeState::ReadByClient(self.since(at))
            }
            TreeState::Nothing | TreeState::Connected | TreeState::CutOff => {
                self.read_at = None;
                tree
            }
        });
    }

    fn release_stdin(&mut self) {
        if std::mem::take(&mut self.wanted.hang_up) {
            self.events.release_stdin();
        }
    }

    /// Judges. A wait before anything is ended is over with the root, for then there may be nothing left.
    fn judge_after_grace(&mut self, lingered: bool, world: &mut impl ServerControl) -> Judged {
        let cut_off_at = *self.cut_off_at.get_or_insert_with(|| self.events.now());
        let waited = self.since(cut_off_at);
        let wanted = EventSet { root: self.wanted.root, ..EventSet::default() };
        let events = &mut *self.events;
        let mut pause = |time| events.wait(wanted, Some(time)).is_ok_and(|happened| !happened.root);
        world.judge(Grace::Ahead { lingered, waited }, &mut pause)
    }

    /// Has the root ended since it was last asked about?
    fn notice_the_root(&mut self) -> bool {
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
        // Nobody but a guardian may have stdin now, where it has one, and the client is to see that nobody reads any more.
        self.release_stdin();
    }

    fn root_has_ended(&mut self) -> bool {
        let asked = |events: &mut E| events.wait(EventSet::ROOT, Some(Duration::ZERO));
        !self.wanted.root || asked(self.events).is_ok_and(|happened| happened.root)
    }
}
