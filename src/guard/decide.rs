//! What a guardian does next: the table of events, as a function of what it has seen.
//!
//! It only says when to ask and when to judge. Whether anything is ended is for the judgement to say.

use std::time::Duration;

/// While stdin is hung up and the client lives, stdout is asked about this often.
const ASK_STDOUT: Duration = Duration::from_secs(1);
/// While the root is gone, its tree is asked about this often; as is a socket that was shut down.
const ASK_TREE: Duration = Duration::from_secs(2);
/// The longest rest between two judgements that end nothing.
const JUDGE_SELDOM: Duration = Duration::from_mins(5);

/// What is known of the stdin that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StdinState {
    /// `/dev/null`, a file, a terminal, a FIFO with a name: nothing hangs up there.
    Silent,
    /// Nothing has happened to it.
    Connected,
    /// One direction of a socket was shut down, and who did it cannot be told; whoever has the other end may still
    /// close it.
    HalfShut,
    /// Both directions of a socket were shut down, for so long; whoever has the other end still has it.
    ShutBothWays(Duration),
    /// Nobody holds the other end any more, for so long.
    HungUp(Duration),
}

/// Who reads what the server writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StdoutReader {
    /// Nobody any more.
    Gone,
    /// The client, and nobody else.
    Client,
    /// A pipeline, a file, a terminal; or it could not be read.
    Other,
}

/// What is left of the server after its root ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeState {
    /// Nothing.
    Nothing,
    /// Somebody in it is still connected, or may be.
    Connected,
    /// Nobody can write to it any more, and only the client reads what it writes; for so long.
    ReadByClient(Duration),
    /// Something, and none of it is connected.
    CutOff,
}

/// All that a guardian has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The stdin that it watches.
    pub stdin: StdinState,
    /// Nothing tells that the server closed its own stdin: then that is asked about.
    pub silent_close: bool,
    /// The client has ended.
    pub client_gone: bool,
    /// The process that `exec` became has ended.
    pub root_gone: bool,
    /// The last answer about stdout, while stdin is hung up and the client lives.
    pub stdout: Option<StdoutReader>,
    /// The last answer about the tree, after the root ended.
    pub tree: Option<TreeState>,
    /// How long to rest before the next judgement: nothing at first, more after one that ended nothing.
    pub rest: Duration,
    /// How long the client may read on after it closed stdin: `[exec] linger`.
    pub linger: Duration,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sleep until something happens.
    Sleep,
    /// Sleep until something happens or so long, then ask again.
    SleepAtMost(Duration),
    /// Ask who reads stdout.
    AskStdout,
    /// Ask what is left of the tree.
    AskTree,
    /// A grace for the server to leave by itself, then the judgement.
    Judge {
        /// The client still reads stdout and has had its time.
        lingered: bool,
    },
    /// One judgement, then leave.
    JudgeAndLeave,
    /// There is nothing to do any more.
    Leave,
}

impl Observed {
    /// The row of the table that applies.
    pub fn next(&self) -> Action {
        if self.root_gone {
            return self.after_the_root();
        }
        match self.stdin {
            StdinState::Silent if self.client_gone => Action::JudgeAndLeave,
            // Without a stdin no hang-up of it can come.
            StdinState::Connected if self.client_gone && self.silent_close => {
                Action::SleepAtMost(JUDGE_SELDOM)
            }
            StdinState::Silent | StdinState::Connected => Action::Sleep,
            StdinState::HalfShut => Action::SleepAtMost(ASK_TREE),
            StdinState::ShutBothWays(since) if self.client_gone || since >= self.linger => self.judge(false),
            StdinState::ShutBothWays(_) => Action::SleepAtMost(ASK_TREE),
            StdinState::HungUp(_) if self.client_gone => self.judge(false),
            StdinState::HungUp(since) => match self.stdout {
                None => Action::AskStdout,
                Some(StdoutReader::Gone) => self.judge(false),
                Some(StdoutReader::Client) if since >= self.linger => self.judge(true),
                Some(StdoutReader::Client | StdoutReader::Other) => Action::SleepAtMost(ASK_STDOUT),
            },
        }
    }

    fn after_the_root(&self) -> Action {
        match self.tree {
            None => Action::AskTree,
            Some(TreeState::Nothing) => Action::Leave,
            Some(TreeState::ReadByClient(since)) if since >= self.linger => self.judge(true),
            Some(TreeState::ReadByClient(_)) => Action::SleepAtMost(ASK_TREE),
            Some(_) if matches!(self.stdin, StdinState::HungUp(_)) => self.judge(false),
            Some(TreeState::Connected) => Action::SleepAtMost(ASK_TREE),
            Some(TreeState::CutOff) => self.judge(false),
        }
    }

    fn judge(&self, lingered: bool) -> Action {
        if self.rest.is_zero() { Action::Judge { lingered } } else { Action::SleepAtMost(self.rest) }
    }
}

/// How long to rest after so many judgements in a row that ended nothing. What they left alone may be in
/// use by somebody who will leave, or was too much in motion.
pub fn rest_after(in_vain: u32) -> Duration {
    Duration::from_secs(1 << in_vain.min(9)).min(JUDGE_SELDOM)
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
        assert_eq!(rest_after(40), JUDGE_SELDOM);
    }
}
