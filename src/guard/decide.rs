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
pub enum Stdin {
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
pub enum Reader {
    /// Nobody any more.
    Gone,
    /// The client, and nobody else.
    Client,
    /// A pipeline, a file, a terminal; or it could not be read.
    Other,
}

/// What is left of the server after its root ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
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
pub struct Seen {
    /// The stdin that it watches.
    pub stdin: Stdin,
    /// Nothing tells that the server closed its own stdin: then that is asked about.
    pub silent_close: bool,
    /// The client has ended.
    pub client_gone: bool,
    /// The process that `exec` became has ended.
    pub root_gone: bool,
    /// The last answer about stdout, while stdin is hung up and the client lives.
    pub stdout: Option<Reader>,
    /// The last answer about the tree, after the root ended.
    pub tree: Option<Tree>,
    /// How long to rest before the next judgement: nothing at first, more after one that ended nothing.
    pub rest: Duration,
    /// How long the client may read on after it closed stdin: `[exec] linger`.
    pub linger: Duration,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
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

impl Seen {
    /// The row of the table that applies.
    pub fn next(&self) -> Next {
        if self.root_gone {
            return self.after_the_root();
        }
        match self.stdin {
            Stdin::Silent if self.client_gone => Next::JudgeAndLeave,
            // Without a stdin no hang-up of it can come.
            Stdin::Connected if self.client_gone && self.silent_close => Next::SleepAtMost(JUDGE_SELDOM),
            Stdin::Silent | Stdin::Connected => Next::Sleep,
            Stdin::HalfShut => Next::SleepAtMost(ASK_TREE),
            Stdin::ShutBothWays(since) if self.client_gone || since >= self.linger => self.judge(false),
            Stdin::ShutBothWays(_) => Next::SleepAtMost(ASK_TREE),
            Stdin::HungUp(_) if self.client_gone => self.judge(false),
            Stdin::HungUp(since) => match self.stdout {
                None => Next::AskStdout,
                Some(Reader::Gone) => self.judge(false),
                Some(Reader::Client) if since >= self.linger => self.judge(true),
                Some(Reader::Client | Reader::Other) => Next::SleepAtMost(ASK_STDOUT),
            },
        }
    }

    fn after_the_root(&self) -> Next {
        match self.tree {
            None => Next::AskTree,
            Some(Tree::Nothing) => Next::Leave,
            Some(Tree::ReadByClient(since)) if since >= self.linger => self.judge(true),
            Some(Tree::ReadByClient(_)) => Next::SleepAtMost(ASK_TREE),
            Some(_) if matches!(self.stdin, Stdin::HungUp(_)) => self.judge(false),
            Some(Tree::Connected) => Next::SleepAtMost(ASK_TREE),
            Some(Tree::CutOff) => self.judge(false),
        }
    }

    fn judge(&self, lingered: bool) -> Next {
        if self.rest.is_zero() { Next::Judge { lingered } } else { Next::SleepAtMost(self.rest) }
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

    fn seen(stdin: Stdin, client_gone: bool, root_gone: bool) -> Seen {
        Seen {
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

    fn hung_up(stdout: Reader, seconds: u64) -> Seen {
        Seen { stdout: Some(stdout), ..seen(Stdin::HungUp(Duration::from_secs(seconds)), false, false) }
    }

    fn rootless(stdin: Stdin, tree: Tree) -> Seen {
        Seen { tree: Some(tree), ..seen(stdin, false, true) }
    }

    #[test]
    fn every_row_of_the_table_leads_where_it_says() {
        let now = Stdin::HungUp(Duration::ZERO);
        let judge = Next::Judge { lingered: false };
        let second = |n| Next::SleepAtMost(Duration::from_secs(n));
        let shut = |n| Stdin::ShutBothWays(Duration::from_secs(n));
        for (what, seen, next) in [
            ("nothing has happened", seen(Stdin::Connected, false, false), Next::Sleep),
            ("client gone, hang-up", seen(now, true, false), judge),
            ("root gone, hang-up, something left", rootless(now, Tree::CutOff), judge),
            ("root gone, hang-up, it says it is connected", rootless(now, Tree::Connected), judge),
            ("hang-up, stdout not asked", seen(now, false, false), Next::AskStdout),
            ("hang-up, stdout's reader gone", hung_up(Reader::Gone, 0), judge),
            ("hang-up, the client reads on", hung_up(Reader::Client, 0), second(1)),
            ("hang-up, the client reads on, nearly", hung_up(Reader::Client, 59), second(1)),
            (
                "hang-up, the client reads on too long",
                hung_up(Reader::Client, 60),
                Next::Judge { lingered: true },
            ),
            ("hang-up, a pipeline", hung_up(Reader::Other, 3600), second(1)),
            ("the server's own half-close", seen(Stdin::HalfShut, false, false), second(2)),
            ("the same, client gone", seen(Stdin::HalfShut, true, false), second(2)),
            ("both ways shut down", seen(shut(59), false, false), second(2)),
            ("both ways shut down too long", seen(shut(60), false, false), judge),
            ("both ways shut down, client gone", seen(shut(0), true, false), judge),
            ("client gone, the wire is held", seen(Stdin::Connected, true, false), second(300)),
            (
                "the same where a guardian has a stdin of its own",
                Seen { silent_close: false, ..seen(Stdin::Connected, true, false) },
                Next::Sleep,
            ),
            ("root gone, not asked", seen(Stdin::Connected, true, true), Next::AskTree),
            ("root gone, the wire lives on", rootless(Stdin::Connected, Tree::Connected), second(2)),
            ("root gone, the wire has ended", rootless(Stdin::Connected, Tree::CutOff), judge),
            (
                "root gone, the client reads on",
                rootless(now, Tree::ReadByClient(Duration::from_secs(59))),
                second(2),
            ),
            (
                "root gone, the client reads on too long",
                rootless(Stdin::Connected, Tree::ReadByClient(LINGER)),
                Next::Judge { lingered: true },
            ),
            ("root gone, nothing left", rootless(now, Tree::Nothing), Next::Leave),
            ("root gone, nothing left, no wire", rootless(Stdin::Silent, Tree::Nothing), Next::Leave),
            ("null on stdin", seen(Stdin::Silent, false, false), Next::Sleep),
            ("null on stdin, client gone", seen(Stdin::Silent, true, false), Next::JudgeAndLeave),
        ] {
            assert_eq!(seen.next(), next, "{what}");
        }
    }

    #[test]
    fn a_judgement_in_vain_is_repeated_ever_more_seldom() {
        let resting = |rest| Seen { rest, ..seen(Stdin::HungUp(LINGER), true, false) }.next();
        assert_eq!(resting(Duration::ZERO), Next::Judge { lingered: false });
        assert_eq!(resting(rest_after(1)), Next::SleepAtMost(Duration::from_secs(2)));
        assert_eq!(rest_after(4), Duration::from_secs(16));
        assert_eq!(rest_after(40), JUDGE_SELDOM);
    }
}
