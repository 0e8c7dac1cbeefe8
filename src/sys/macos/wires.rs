//! From the ends that lie on descriptors to the wire a process was started with, and who holds the
//! other end. Pure: the descriptors come from `fds.rs`.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::End;
use crate::process::{Pid, Stdio, StdioKind};

/// The descriptors of one process by number.
pub(super) type Fds = BTreeMap<i32, End>;

/// Who holds which end, over all processes that could be read.
#[derive(Debug, Default)]
pub(super) struct Holders {
    by_end: BTreeMap<u64, Vec<Pid>>,
    /// Somebody of ours could not be looked into: a list might lack the one that matters.
    partial: bool,
}

impl Holders {
    /// Adds a process.
    pub(super) fn add(&mut self, pid: Pid, fds: &Fds) {
        let own = |end: &End| match end {
            End::Pipe { own, .. } | End::Socket { own, .. } => Some(*own),
            _ => None,
        };
        for end in fds.values().filter_map(own).collect::<BTreeSet<u64>>() {
            self.by_end.entry(end).or_default().push(pid);
        }
    }

    /// Remembers that a process could not be looked into.
    pub(super) fn miss(&mut self) {
        self.partial = true;
    }

    /// Who holds an end; 0 is closed, and one that nobody we can read holds is not known.
    fn of(&self, end: u64) -> Option<Vec<Pid>> {
        match end {
            0 => Some(Vec::new()),
            _ if self.partial => None,
            _ => self.by_end.get(&end).cloned(),
        }
    }
}

/// Whether any wire of these is open at its far end, so that it takes a look at everybody else to
/// say by whom.
pub(super) fn is_open(fds: &Fds) -> bool {
    fds.values().any(|end| matches!(end, End::Pipe { peer, .. } | End::Socket { peer, .. } if *peer != 0))
}

/// The wire: what lies on 0 and 1, or, where `/dev/null` lies on 0 because the program keeps the
/// protocol elsewhere (the Python SDK does), the one wire that leaves the process.
pub(super) fn stdio(pid: Pid, fds: &Fds, holders: &Holders) -> Stdio {
    let (stdin, stdout) = match fds.get(&0) {
        Some(End::Null) => match moved(pid, fds, holders) {
            Moved::No => (Some(End::Null), fds.get(&1).copied()),
            Moved::To(stdin, stdout) => (Some(stdin), Some(stdout)),
            Moved::Unclear => (Some(End::Unknown), None),
        },
        stdin => (stdin.copied(), fds.get(&1).copied()),
    };
    Stdio {
        kind: stdin.map_or(StdioKind::Closed, kind),
        stdin_peers: stdin.and_then(|end| match end {
            End::Pipe { peer, writes: false, .. } => holders.of(peer),
            End::Socket { hears: false, .. } => Some(Vec::new()),
            End::Socket { peer, .. } => holders.of(peer),
            _ => None,
        }),
        stdout_peers: stdout.and_then(|end| match end {
            End::Pipe { peer, writes: true, .. } => holders.of(peer),
            End::Socket { speaks: false, .. } => Some(Vec::new()),
            End::Socket { peer, .. } => holders.of(peer),
            _ => None,
        }),
        ..Stdio::of_kind(StdioKind::Unknown)
    }
}

enum Moved {
    No,
    To(End, End),
    Unclear,
}

/// Looks for a wire above the three standard descriptors. Pipes and socketpairs with both ends in
/// this one process are an event loop's own and no wire.
fn moved(pid: Pid, fds: &Fds, holders: &Holders) -> Moved {
    let mut seen = BTreeSet::new();
    let (mut sockets, mut readers, mut writers) = (Vec::new(), Vec::new(), Vec::new());
    for (_, end) in fds.range(3..) {
        let (End::Pipe { own, peer, .. } | End::Socket { own, peer, .. }) = *end else { continue };
        if !seen.insert(own) || holders.of(peer).is_some_and(|who| who == [pid]) {
            continue;
        }
        match end {
            End::Socket { .. } => sockets.push(*end),
            End::Pipe { writes: false, .. } => readers.push(*end),
            _ => writers.push(*end),
        }
    }
    match (sockets.as_slice(), readers.as_slice(), writers.as_slice()) {
        ([], [], []) => Moved::No,
        ([wire], [], []) => Moved::To(*wire, *wire),
        ([], [stdin], [stdout]) => Moved::To(*stdin, *stdout),
        _ => Moved::Unclear,
    }
}

fn kind(end: End) -> StdioKind {
    match end {
        End::Pipe { .. } => StdioKind::Pipe,
        End::Socket { .. } => StdioKind::Socket,
        End::Null => StdioKind::Null,
        End::Terminal => StdioKind::Tty,
        End::File => StdioKind::File,
        End::Listening(_) | End::Connected(_) | End::Unknown => StdioKind::Unknown,
    }
}

/// The ports a process listens on, and how many connections it has on them.
pub(super) fn network(fds: &Fds) -> (Vec<u16>, u32) {
    let listening: BTreeSet<u16> = fds
        .values()
        .filter_map(|end| if let End::Listening(port) = end { Some(*port) } else { None })
        .collect();
    let came_in = |end: &&End| matches!(end, End::Connected(port) if listening.contains(port));
    let connected = fds.values().filter(came_in).count();
    (listening.into_iter().collect(), u32::try_from(connected).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: Pid = Pid(10);
    const CLIENT: Pid = Pid(5);

    fn reads(own: u64, peer: u64) -> End {
        End::Pipe { own, peer, writes: false }
    }

    fn writes(own: u64, peer: u64) -> End {
        End::Pipe { own, peer, writes: true }
    }

    fn pair(own: u64, peer: u64) -> End {
        End::Socket { own, peer, hears: true, speaks: true }
    }

    fn judged(
        server: &[(i32, End)],
        client: &[(i32, End)],
    ) -> (StdioKind, Option<Vec<Pid>>, Option<Vec<Pid>>) {
        let mut holders = Holders::default();
        let fds: Fds = server.iter().copied().collect();
        holders.add(SERVER, &fds);
        holders.add(CLIENT, &client.iter().copied().collect());
        let stdio = stdio(SERVER, &fds, &holders);
        (stdio.kind, stdio.stdin_peers, stdio.stdout_peers)
    }

    #[test]
    fn pipes_are_held_by_who_has_their_other_ends() {
        let server = [(0, reads(1, 2)), (1, writes(3, 4))];
        let client = [(7, writes(2, 1)), (8, reads(4, 3)), (9, reads(4, 3))];
        assert_eq!(judged(&server, &client), (StdioKind::Pipe, Some(vec![CLIENT]), Some(vec![CLIENT])));
        assert_eq!(judged(&server, &[]), (StdioKind::Pipe, None, None), "held by one we cannot read");
        let closed = [(0, reads(1, 0)), (1, writes(3, 0))];
        assert_eq!(judged(&closed, &client), (StdioKind::Pipe, Some(vec![]), Some(vec![])));
    }

    #[test]
    fn one_process_that_cannot_be_looked_into_leaves_every_open_end_in_doubt() {
        let (fds, mut holders) = (Fds::from([(0, reads(1, 2)), (1, writes(3, 0))]), Holders::default());
        holders.add(CLIENT, &Fds::from([(7, writes(2, 1))]));
        assert_eq!(stdio(SERVER, &fds, &holders).stdin_peers, Some(vec![CLIENT]));
        holders.miss();
        let doubted = stdio(SERVER, &fds, &holders);
        assert_eq!((doubted.stdin_peers, doubted.stdout_peers), (None, Some(vec![])));
    }

    #[test]
    fn a_socketpair_is_judged_in_each_direction() {
        let client = [(7, pair(2, 1)), (8, pair(4, 3))];
        let open = [(0, pair(1, 2)), (1, pair(3, 4))];
        assert_eq!(judged(&open, &client), (StdioKind::Socket, Some(vec![CLIENT]), Some(vec![CLIENT])));
        let deaf = [(0, End::Socket { own: 1, peer: 2, hears: false, speaks: true }), (1, pair(3, 4))];
        assert_eq!(judged(&deaf, &client), (StdioKind::Socket, Some(vec![]), Some(vec![CLIENT])));
        assert_eq!(judged(&[(0, pair(1, 0)), (1, pair(3, 0))], &client).1, Some(vec![]));
    }

    #[test]
    fn a_wire_moved_away_from_0_and_1_is_found() {
        let server = [
            (0, End::Null),
            (1, End::Null),
            (3, reads(8, 9)),
            (4, writes(9, 8)),
            (6, reads(1, 2)),
            (7, writes(3, 4)),
        ];
        let client = [(7, writes(2, 1)), (8, reads(4, 3))];
        assert_eq!(judged(&server, &client), (StdioKind::Pipe, Some(vec![CLIENT]), Some(vec![CLIENT])));
        let one_socket = [(0, End::Null), (6, pair(1, 2)), (7, pair(1, 2))];
        assert_eq!(
            judged(&one_socket, &[(7, pair(2, 1))]),
            (StdioKind::Socket, Some(vec![CLIENT]), Some(vec![CLIENT]))
        );
    }

    #[test]
    fn two_wires_that_may_both_be_it_are_not_known_and_none_is_none() {
        let two = [(0, End::Null), (6, pair(1, 2)), (7, pair(3, 4))];
        assert_eq!(judged(&two, &[(7, pair(2, 1)), (8, pair(4, 3))]), (StdioKind::Unknown, None, None));
        let own = [(0, End::Null), (3, pair(8, 9)), (4, pair(9, 8))];
        assert_eq!(judged(&own, &[]), (StdioKind::Null, None, None), "an event loop's own pair");
    }

    #[test]
    fn what_is_no_wire_says_nothing() {
        for (end, kind) in [
            (End::Null, StdioKind::Null),
            (End::Terminal, StdioKind::Tty),
            (End::File, StdioKind::File),
            (End::Connected(1), StdioKind::Unknown),
        ] {
            assert_eq!(judged(&[(0, end)], &[]), (kind, None, None));
        }
        assert_eq!(judged(&[], &[]), (StdioKind::Closed, None, None));
        assert_eq!(
            judged(&[(0, writes(1, 0))], &[]).1,
            None,
            "the wrong end of a pipe tells nothing of stdin"
        );
    }

    #[test]
    fn only_an_open_wire_is_worth_a_look_at_everybody() {
        assert!(is_open(&Fds::from([(0, reads(1, 2))])));
        assert!(!is_open(&Fds::from([(0, reads(1, 0)), (1, End::File)])));
    }

    #[test]
    fn connections_count_where_it_listens() {
        let fds = Fds::from([
            (3, End::Listening(80)),
            (4, End::Listening(80)),
            (5, End::Connected(80)),
            (6, End::Connected(81)),
        ]);
        assert_eq!(network(&fds), (vec![80], 1));
    }
}
