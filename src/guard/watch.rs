//! The guardian's sleep: until something happens to stdin, the client or the root, and what the table says
//! then. One piece of code for every system; how a system tells of the three is for [`Events`].

use std::io;
use std::time::Duration;

use super::decide::{Next, Reader, Seen, Stdin, Tree, rest_after};

/// Some of the three things that a guardian waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Happenings {
    /// Stdin is hung up, or was shut down.
    pub hang_up: bool,
    /// The client has ended.
    pub client: bool,
    /// The root has ended.
    pub root: bool,
}

impl Happenings {
    /// The end of the root, and nothing else.
    pub const ROOT: Happenings = Happenings { hang_up: false, client: false, root: true };

    /// Has any of them happened?
    pub fn any(self) -> bool {
        self.hang_up || self.client || self.root
    }
}

/// What is at the other end of a stdin that says that it is hung up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FarEnd {
    /// Nobody.
    Gone,
    /// Somebody, and nothing passes either way any more.
    ShutBothWays,
    /// Somebody; or it cannot be asked.
    There,
}

/// What a guardian waits for, by the means of one system: poll(2) over pidfds on Linux, a kqueue on macOS.
pub trait Events {
    /// Waits until one of these happens, or the time is over; says which of these have happened. What has
    /// happened stays so and is told at every later wait that it is wanted at. Data on stdin is nothing that happens.
    ///
    /// # Errors
    /// When there is no waiting any more: then nothing is known.
    fn wait(&mut self, wanted: Happenings, time: Option<Duration>) -> io::Result<Happenings>;

    /// Stdin says that it is hung up: is the other end really gone, or did somebody shut it down?
    fn other_end(&mut self) -> FarEnd;

    /// Can a hang-up of stdin still come? Not where the server and all who share its stdin closed it, for then
    /// there is nothing any more that hangs up.
    fn stdin_can_hang_up(&mut self) -> bool;

    /// Watches stdin no more. Where that takes a descriptor of it (macOS), the client is to see that nobody reads any
    /// more.
    fn let_go_of_stdin(&mut self);

    /// A clock that only goes forward.
    fn now(&self) -> Duration;
}

/// What there is to watch at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// A stdin that can hang up.
    pub stdin: bool,
    /// Nothing tells that the server closed it.
    pub silent_close: bool,
    /// A client that can be watched; `false` for one outside this PID namespace, too.
    pub client: bool,
    /// The client had ended before anybody watched.
    pub client_gone: bool,
}

/// What a guardian asks about the server, and what it does there.
pub trait World {
    /// Is it a client that is guarded? Its own parent and its stdin say nothing then.
    fn guards_a_client(&mut self) -> bool;
    /// How long the client may read on after it closed stdin.
    fn linger(&mut self) -> Duration;
    /// Who reads what the server writes.
    fn reader(&mut self) -> Reader;
    /// What is left after the root ended.
    fn tree(&mut self) -> Tree;
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
pub fn watch(watched: Watched, events: &mut impl Events, world: &mut impl World) -> io::Result<bool> {
    let mut guardian = Guardian::new(watched, events);
    loop {
        guardian.time_passes();
        match guardian.seen.next() {
            Next::Sleep => guardian.sleep(None, world)?,
            Next::SleepAtMost(time) => guardian.sleep(Some(time), world)?,
            Next::AskStdout => guardian.seen.stdout = Some(world.reader()),
            Next::AskTree => guardian.ask_tree(world),
            Next::Judge { lingered } => match guardian.judge_after_grace(lingered, world) {
                Judged::NothingLeft => break,
                // The root ended meanwhile: that may have been all.
                Judged::SomethingLeft if guardian.notice_the_root() => {}
                Judged::SomethingLeft => {
                    guardian.in_vain += 1;
                    guardian.seen.rest = rest_after(guardian.in_vain);
                }
            },
            Next::JudgeAndLeave => {
                let events = &mut *guardian.events;
                let mut pause = |time| events.wait(Happenings::default(), Some(time)).is_ok();
                world.judge(Grace::None, &mut pause);
                break;
            }
            Next::Leave => break,
        }
    }
    Ok(guardian.root_has_ended())
}

/// One guardian at work.
struct Guardian<'e, E> {
    events: &'e mut E,
    /// What can still happen.
    wanted: Happenings,
    seen: Seen,
    hung_up_at: Option<Duration>,
    shut_at: Option<Duration>,
    /// Since when nobody writes to what the root left, and the client reads on.
    read_at: Option<Duration>,
    /// When it was first to be judged since something happened: its grace runs from here.
    cut_off_at: Option<Duration>,
    /// Judgements that ended nothing, since something happened last.
    in_vain: u32,
}

impl<'e, E: Events> Guardian<'e, E> {
    fn new(watched: Watched, events: &'e mut E) -> Guardian<'e, E> {
        let seen = Seen {
            stdin: if watched.stdin { Stdin::Connected } else { Stdin::Silent },
            silent_close: watched.silent_close,
            client_gone: watched.client_gone,
            root_gone: false,
            stdout: None,
            tree: None,
            rest: Duration::ZERO,
            // Known when it matters.
            linger: Duration::MAX,
        };
        let wanted = Happenings { hang_up: watched.stdin, client: watched.client, root: true };
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
            (Some(at), _) => self.seen.stdin = Stdin::HungUp(self.since(at)),
            (None, Some(at)) => self.seen.stdin = Stdin::ShutBothWays(self.since(at)),
            (None, None) => {}
        }
    }

    /// Sleeps until something happens or the time is over, and notes what happened. All that was answered
    /// or judged before is asked again after it.
    fn sleep(&mut self, time: Option<Duration>, world: &mut impl World) -> io::Result<()> {
        (self.seen.stdout, self.seen.tree, self.seen.rest) = (None, None, Duration::ZERO);
        let connected = self.wanted.hang_up && self.seen.stdin == Stdin::Connected;
        let happened = self.events.wait(Happenings { hang_up: connected, ..self.wanted }, time)?;
        if (happened.hang_up || happened.client) && world.guards_a_client() {
            self.let_go_of_stdin();
            self.wanted.client = false;
            self.seen.stdin = Stdin::Silent;
        } else {
            if happened.client {
                self.wanted.client = false;
                self.seen.client_gone = true;
            }
            if happened.hang_up || matches!(self.seen.stdin, Stdin::HalfShut | Stdin::ShutBothWays(_)) {
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

    fn ask_other_end(&mut self, world: &mut impl World) {
        if !self.wanted.hang_up {
            return;
        }
        match self.events.other_end() {
            FarEnd::Gone => self.hung_up(world),
            FarEnd::ShutBothWays => {
                if self.shut_at.is_none() {
                    self.seen.linger = world.linger();
                }
                let at = *self.shut_at.get_or_insert_with(|| self.events.now());
                self.seen.stdin = Stdin::ShutBothWays(self.since(at));
            }
            FarEnd::There => self.seen.stdin = Stdin::HalfShut,
        }
    }

    fn hung_up(&mut self, world: &mut impl World) {
        self.hung_up_at = Some(self.events.now());
        self.seen.linger = world.linger();
        self.seen.stdin = Stdin::HungUp(Duration::ZERO);
        // A hung-up end tells nothing more.
        self.let_go_of_stdin();
    }

    fn ask_tree(&mut self, world: &mut impl World) {
        let tree = world.tree();
        self.seen.tree = Some(match tree {
            Tree::ReadByClient(_) => {
                self.seen.linger = world.linger();
                let at = *self.read_at.get_or_insert(self.hung_up_at.unwrap_or_else(|| self.events.now()));
                Tree::ReadByClient(self.since(at))
            }
            Tree::Nothing | Tree::Connected | Tree::CutOff => {
                self.read_at = None;
                tree
            }
        });
    }

    fn let_go_of_stdin(&mut self) {
        if std::mem::take(&mut self.wanted.hang_up) {
            self.events.let_go_of_stdin();
        }
    }

    /// Judges. A wait before anything is ended is over with the root, for then there may be nothing left.
    fn judge_after_grace(&mut self, lingered: bool, world: &mut impl World) -> Judged {
        let cut_off_at = *self.cut_off_at.get_or_insert_with(|| self.events.now());
        let waited = self.since(cut_off_at);
        let wanted = Happenings { root: self.wanted.root, ..Happenings::default() };
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
        self.let_go_of_stdin();
    }

    fn root_has_ended(&mut self) -> bool {
        let asked = |events: &mut E| events.wait(Happenings::ROOT, Some(Duration::ZERO));
        !self.wanted.root || asked(self.events).is_ok_and(|happened| happened.root)
    }
}
