//! Decides what a guardian does next, as a pure function of what it has observed.
//!
//! It only decides when to ask and when to judge. Whether anything is ended is decided by the judgement.

use std::time::Duration;

/// How often it is asked who reads stdout, while stdin is hung up and the client lives.
const STDOUT_INTERVAL: Duration = Duration::from_secs(1);
/// How often it is asked what is left of the tree after the root ended, and what became of a socket that was shut down.
const TREE_INTERVAL: Duration = Duration::from_secs(2);
/// The longest rest between two judgements that end nothing.
const LONGEST_REST: Duration = Duration::from_mins(5);

/// The state of the stdin that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StdinState {
    /// It never hangs up: `/dev/null`, a file, a terminal or a named FIFO.
    Silent,
    /// Nothing has happened to it.
    Connected,
    /// One direction of a socket was shut down. The kernel does not show by which side; the other end is still open.
    HalfShut,
    /// Both directions of a socket were shut down this long ago; the other end is still open.
    ShutBothWays(Duration),
    /// The other end was closed this long ago.
    HungUp(Duration),
}

/// Who reads the server's stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StdoutReader {
    /// Nobody any more.
    Gone,
    /// Only the client.
    Client,
    /// A pipeline, a file or a terminal; or it could not be read.
    Other,
}

/// What is left of the server after its root ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeState {
    /// No process.
    Nothing,
    /// A process that is connected, or may be.
    Connected,
    /// Processes to which nobody can write any more; for this long only the client has read their output.
    ReadByClient(Duration),
    /// Processes that are not connected.
    CutOff,
}

/// All that a guardian has observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The stdin that it watches.
    pub stdin: StdinState,
    /// The system reports no event when the server closes its own stdin, so it must be asked.
    pub silent_close: bool,
    /// The client has ended.
    pub client_gone: bool,
    /// The process that `exec` became has ended.
    pub root_gone: bool,
    /// The last answer about stdout, while stdin is hung up and the client lives.
    pub stdout: Option<StdoutReader>,
    /// The last answer about the tree, after the root ended.
    pub tree: Option<TreeState>,
    /// How long to rest before the next judgement. Zero at first, longer after each that ended nothing.
    pub rest: Duration,
    /// How long the client may still read after it closed stdin: `[exec] linger`.
    pub linger: Duration,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sleep until something happens.
    Sleep,
    /// Sleep until something happens or this time is over, then ask again.
    SleepAtMost(Duration),
    /// Ask who reads stdout.
    AskStdout,
    /// Ask what is left of the tree.
    AskTree,
    /// Judge, after a grace in which the server can end by itself.
    Judge {
        /// The client still reads stdout, but its time for that is over.
        lingered: bool,
    },
    /// Judge once, then leave.
    JudgeAndLeave,
    /// Leave: there is nothing left to do.
    Leave,
}

impl Observed {
    /// What to do next.
    pub fn next(&self) -> Action {
        if self.root_gone {
            return self.after_the_root();
        }
        match self.stdin {
            StdinState::Silent if self.client_gone => Action::JudgeAndLeave,
            // The server may have closed its stdin, and then no hang-up will come.
            StdinState::Connected if self.client_gone && self.silent_close => {
                Action::SleepAtMost(LONGEST_REST)
            }
            StdinState::Silent | StdinState::Connected => Action::Sleep,
            StdinState::HalfShut => Action::SleepAtMost(TREE_INTERVAL),
            StdinState::ShutBothWays(since) if self.client_gone || since >= self.linger => self.judge(false),
            StdinState::ShutBothWays(_) => Action::SleepAtMost(TREE_INTERVAL),
            StdinState::HungUp(_) if self.client_gone => self.judge(false),
            StdinState::HungUp(since) => match self.stdout {
                None => Action::AskStdout,
                Some(StdoutReader::Gone) => self.judge(false),
                Some(StdoutReader::Client) if since >= self.linger => self.judge(true),
                Some(StdoutReader::Client | StdoutReader::Other) => Action::SleepAtMost(STDOUT_INTERVAL),
            },
        }
    }

    fn after_the_root(&self) -> Action {
        match self.tree {
            None => Action::AskTree,
            Some(TreeState::Nothing) => Action::Leave,
            Some(TreeState::ReadByClient(since)) if since >= self.linger => self.judge(true),
            Some(TreeState::ReadByClient(_)) => Action::SleepAtMost(TREE_INTERVAL),
            Some(_) if matches!(self.stdin, StdinState::HungUp(_)) => self.judge(false),
            Some(TreeState::Connected) => Action::SleepAtMost(TREE_INTERVAL),
            Some(TreeState::CutOff) => self.judge(false),
        }
    }

    fn judge(&self, lingered: bool) -> Action {
        if self.rest.is_zero() { Action::Judge { lingered } } else { Action::SleepAtMost(self.rest) }
    }
}

/// How long to rest after this many judgements in a row that ended nothing. The processes that they left alone may be in
/// use for a while, or changed between the looks.
pub fn rest_after(judgements: u32) -> Duration {
    Duration::from_secs(1 << judgements.min(9)).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINGER: Duration = Duration::from_mins(1);

    fn seen(stdin: StdinState, client_gone: bool, root_gone: bool) -> Observed {
        Observed {
            stdin,
            silent_close: true,
            client_gone,
            root_gone,
            stdout: None,
            tree: None,
            rest: Duration::ZERO,
            linger: LINGER,
        }
    }

    fn hung_up(stdout: StdoutReader, seconds: u64) -> Observed {
        Observed {
            stdout: Some(stdout),
            ..seen(StdinState::HungUp(Duration::from_secs(seconds)), false, false)
        }
    }

    fn rootless(stdin: StdinState, tree: TreeState) -> Observed {
        Observed { tree: Some(tree), ..seen(stdin, false, true) }
    }

    #[test]
    fn every_row_of_the_table_leads_where_it_says() {
        let now = StdinState::HungUp(Duration::ZERO);
        let judge = Action::Judge { lingered: false };
        let second = |n| Action::SleepAtMost(Duration::from_secs(n));
        let shut = |n| StdinState::ShutBothWays(Duration::from_secs(n));
        for (what, seen, next) in [
            ("nothing has happened", seen(StdinState::Connected, false, false), Action::Sleep),
            ("client gone, hang-up", seen(now, true, false), judge),
            ("root gone, hang-up, something left", rootless(now, TreeState::CutOff), judge),
            ("root gone, hang-up, it says it is connected", rootless(now, TreeState::Connected), judge),
            ("hang-up, stdout not asked", seen(now, false, false), Action::AskStdout),
            ("hang-up, stdout's reader gone", hung_up(StdoutReader::Gone, 0), judge),
            ("hang-up, the client reads on", hung_up(StdoutReader::Client, 0), second(1)),
            ("hang-up, the client reads on, nearly", hung_up(StdoutReader::Client, 59), second(1)),
            (
                "hang-up, the client reads on too long",
                hung_up(StdoutReader::Client, 60),
                Action::Judge { lingered: true },
            ),
            ("hang-up, a pipeline", hung_up(StdoutReader::Other, 3600), second(1)),
            ("the server's own half-close", seen(StdinState::HalfShut, false, false), second(2)),
            ("the same, client gone", seen(StdinState::HalfShut, true, false), second(2)),
            ("both ways shut down", seen(shut(59), false, false), second(2)),
            ("both ways shut down too long", seen(shut(60), false, false), judge),
            ("both ways shut down, client gone", seen(shut(0), true, false), judge),
            ("client gone, the wire is held", seen(StdinState::Connected, true, false), second(300)),
            (
                "the same where a guardian has a stdin of its own",
                Observed { silent_close: false, ..seen(StdinState::Connected, true, false) },
                Action::Sleep,
            ),
            ("root gone, not asked", seen(StdinState::Connected, true, true), Action::AskTree),
            (
                "root gone, the wire lives on",
                rootless(StdinState::Connected, TreeState::Connected),
                second(2),
            ),
            ("root gone, the wire has ended", rootless(StdinState::Connected, TreeState::CutOff), judge),
            (
                "root gone, the client reads on",
                rootless(now, TreeState::ReadByClient(Duration::from_secs(59))),
                second(2),
            ),
            (
                "root gone, the client reads on too long",
                rootless(StdinState::Connected, TreeState::ReadByClient(LINGER)),
                Action::Judge { lingered: true },
            ),
            ("root gone, nothing left", rootless(now, TreeState::Nothing), Action::Leave),
            (
                "root gone, nothing left, no wire",
                rootless(StdinState::Silent, TreeState::Nothing),
                Action::Leave,
            ),
            ("null on stdin", seen(StdinState::Silent, false, false), Action::Sleep),
            ("null on stdin, client gone", seen(StdinState::Silent, true, false), Action::JudgeAndLeave),
        ] {
            assert_eq!(seen.next(), next, "{what}");
        }
    }

    #[test]
    fn a_judgement_in_vain_is_repeated_ever_more_seldom() {
        let resting = |rest| Observed { rest, ..seen(StdinState::HungUp(LINGER), true, false) }.next();
        assert_eq!(resting(Duration::ZERO), Action::Judge { lingered: false });
        assert_eq!(resting(rest_after(1)), Action::SleepAtMost(Duration::from_secs(2)));
        assert_eq!(rest_after(4), Duration::from_secs(16));
        assert_eq!(rest_after(40), LONGEST_REST);
    }
}
