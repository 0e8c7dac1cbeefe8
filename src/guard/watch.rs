//! The guardian's sleep: one poll over stdin, the client and the root, and what the table says when it
//! ends.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::decide::{Next, Reader, Seen, Stdin, Tree, rest_after};

/// What a guardian asks of the machine, and what it does there.
pub trait World {
    /// Is it a client that is guarded? Its own parent and its stdin say nothing then.
    fn guards_a_client(&mut self) -> bool;
    /// Stdin says that it is hung up: is the other end really gone, or did the server shut it down?
    fn other_end_is_gone(&mut self, stdin: BorrowedFd<'_>) -> bool;
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

/// The descriptors of one guardian.
#[derive(Debug)]
pub struct Watched {
    /// A duplicate of the server's stdin, where something hangs up there.
    pub stdin: Option<OwnedFd>,
    /// A pidfd of the client; `None` once it is gone, or where it cannot be watched.
    pub client: Option<OwnedFd>,
    /// The client had ended before anybody watched.
    pub client_gone: bool,
    /// A pidfd of the root; `None` once it is gone.
    pub root: Option<OwnedFd>,
}

impl Watched {
    /// One poll that does not wait.
    ///
    /// # Errors
    /// When there is no polling here: a seccomp filter.
    pub fn try_poll(&self) -> Result<(), Errno> {
        poll_once([(self.root.as_ref(), PollFlags::IN)], Some(Duration::ZERO)).map(|_| ())
    }
}

/// Watches until there is nothing to do any more; says whether the root has ended.
///
/// # Errors
/// When poll(2) fails: nothing is known then, so nothing is ended.
pub fn watch(watched: Watched, world: &mut impl World) -> Result<bool, Errno> {
    let stdin = if watched.stdin.is_some() { Stdin::Connected } else { Stdin::Silent };
    let client_gone = watched.client_gone;
    let seen = Seen {
        stdin,
        client_gone,
        root_gone: false,
        stdout: None,
        tree: None,
        rest: Duration::ZERO,
        // Known when it matters.
        linger: Duration::MAX,
    };
    let mut guardian = Guardian { watched, seen, hung_up_at: None, cut_off_at: None, in_vain: 0 };
    loop {
        if let Some(at) = guardian.hung_up_at {
            guardian.seen.stdin = Stdin::HungUp(at.elapsed());
        }
        match guardian.seen.next() {
            Next::Sleep => guardian.sleep(None, world)?,
            Next::SleepAtMost(time) => guardian.sleep(Some(time), world)?,
            Next::AskStdout => guardian.seen.stdout = Some(world.reader()),
            Next::AskTree => guardian.seen.tree = Some(world.tree()),
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
                world.judge(Grace::None, &mut |time| poll_once([(None, PollFlags::IN)], Some(time)).is_ok());
                break;
            }
            Next::Leave => break,
        }
    }
    Ok(guardian.root_has_ended())
}

/// One guardian at work.
struct Guardian {
    watched: Watched,
    seen: Seen,
    hung_up_at: Option<Instant>,
    /// When it was first to be judged since something happened: its grace runs from here.
    cut_off_at: Option<Instant>,
    /// Judgements that ended nothing, since something happened last.
    in_vain: u32,
}

impl Guardian {
    /// Sleeps until something happens or the time is over, and notes what happened. All that was answered
    /// or judged before is asked again after it.
    fn sleep(&mut self, time: Option<Duration>, world: &mut impl World) -> Result<(), Errno> {
        (self.seen.stdout, self.seen.tree, self.seen.rest) = (None, None, Duration::ZERO);
        let Watched { stdin, client, root, .. } = &self.watched;
        // Never for its data: only a hang-up or an error ends the sleep, both of which cannot be masked.
        let connected = stdin.as_ref().filter(|_| self.seen.stdin == Stdin::Connected);
        let places = [
            (connected, PollFlags::empty()),
            (client.as_ref(), PollFlags::IN),
            (root.as_ref(), PollFlags::IN),
        ];
        let [hung_up, client_ended, root_ended] = poll_once(places, time)?;
        if (hung_up || client_ended) && world.guards_a_client() {
            (self.watched.client, self.watched.stdin) = (None, None);
            self.seen.stdin = Stdin::Silent;
        } else {
            if client_ended {
                self.watched.client = None;
                self.seen.client_gone = true;
            }
            if hung_up || self.seen.stdin == Stdin::ShutByServer {
                self.hang_up(world);
            }
        }
        if root_ended {
            self.end_of_root();
        }
        if hung_up || client_ended || root_ended {
            self.in_vain = 0;
        }
        Ok(())
    }

    fn hang_up(&mut self, world: &mut impl World) {
        let Some(stdin) = &self.watched.stdin else { return };
        if world.other_end_is_gone(stdin.as_fd()) {
            self.hung_up_at = Some(Instant::now());
            self.seen.linger = world.linger();
            self.seen.stdin = Stdin::HungUp(Duration::ZERO);
            // A hung-up end tells nothing more.
            self.watched.stdin = None;
        } else {
            self.seen.stdin = Stdin::ShutByServer;
        }
    }

    /// Judges. A wait before anything is ended is over with the root, for then there may be nothing left.
    fn judge_after_grace(&mut self, lingered: bool, world: &mut impl World) -> Judged {
        let waited = self.cut_off_at.get_or_insert_with(Instant::now).elapsed();
        let root = self.watched.root.as_ref();
        let mut pause = |time| poll_once([(root, PollFlags::IN)], Some(time)) == Ok([false]);
        world.judge(Grace::Ahead { lingered, waited }, &mut pause)
    }

    /// Has the root ended since it was last asked about?
    fn notice_the_root(&mut self) -> bool {
        let ended = self.watched.root.is_some() && self.root_has_ended();
        if ended {
            self.end_of_root();
        }
        ended
    }

    fn end_of_root(&mut self) {
        self.seen.root_gone = true;
        self.seen.tree = None;
        // Nobody but us may have stdin now, and the client is to see that nobody reads any more.
        (self.watched.root, self.watched.stdin) = (None, None);
    }

    fn root_has_ended(&self) -> bool {
        let root = [(self.watched.root.as_ref(), PollFlags::IN)];
        self.watched.root.is_none() || poll_once(root, Some(Duration::ZERO)).is_ok_and(|[ended]| ended)
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
