//! Decides whether a wire is dead. There are three proofs.

use std::collections::HashSet;

use serde::Serialize;

use super::wire::{Direction, Wire, WireState};
use crate::instance::Instance;
use crate::process::{OtherEnd, Pid, ProcessRecord, Stdio, StdioKind};

/// Why a wire is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Both directions are closed.
    Closed,
    /// stdin is closed, and stdout is held only by clients that are no ancestors: the client reconnected or is ending.
    ClientMovedOn,
    /// Each direction is closed or held only by instances that are themselves ended for a dead wire.
    AmongTheDead,
}

/// An answer that may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer<T> {
    Yes(T),
    No,
    /// Something was not read.
    Unread,
}

/// What the proof needs to know about the rest of the machine.
pub(super) struct OtherInstances<'a> {
    /// Members of the instances that are ended for a dead wire.
    pub(super) dead: &'a HashSet<Pid>,
    /// Is this process a client that is no ancestor of the instance, and reads its stdout as a client does? See
    /// [`moved_on`].
    pub(super) is_other_client: &'a dyn Fn(Pid) -> Answer<()>,
    /// Every process of the user could be read: no unseen process holds an end together with one that was seen.
    pub(super) all_read: bool,
}

/// Is this wire dead?
pub(super) fn dead(wire: &Wire, around: &OtherInstances<'_>) -> Answer<Proof> {
    let state = |direction: &Direction| direction.state_without(around.dead);
    let (stdin, stdout, other) = (state(&wire.stdin), state(&wire.stdout), state(&wire.other));
    if other == WireState::Held {
        return Answer::No;
    }
    let unread = other == WireState::Unknown;
    match (stdin, stdout) {
        (WireState::Closed, WireState::Closed) if unread => Answer::Unread,
        (WireState::Closed, WireState::Closed) if wire.is_held() => Answer::Yes(Proof::AmongTheDead),
        (WireState::Closed, WireState::Closed) => Answer::Yes(Proof::Closed),
        (WireState::Closed, WireState::Held) if !wire.stdout.unread => {
            let holders = || wire.stdout.holders.iter().map(|pid| (around.is_other_client)(*pid));
            if holders().any(|holder| holder == Answer::No) {
                Answer::No
            } else if unread || !around.all_read || holders().any(|holder| holder == Answer::Unread) {
                Answer::Unread
            } else {
                Answer::Yes(Proof::ClientMovedOn)
            }
        }
        (WireState::Held | WireState::Absent, _) | (_, WireState::Held | WireState::Absent) => Answer::No,
        (WireState::Closed | WireState::Unknown, WireState::Closed | WireState::Unknown) => Answer::Unread,
    }
}

/// Does this client hold the stdout of an instance because it reconnected or is ending? Not if it reads that as its own
/// stdin: then it is the reader of a pipeline (`server | claude -p summarize`), because a client never has the stdout of its
/// own server there. If its stdin was not read, it may be such a reader. So may a client with `/dev/null` on 0 and this
/// stdout on another descriptor, which then counts as its stdin ([`Stdio`]).
pub(super) fn moved_on(client: &ProcessRecord, instance: &Instance<'_>) -> Answer<()> {
    let Some(stdio) = &client.details.stdio else { return Answer::Unread };
    let outputs = || instance.launchers_and_servers().filter_map(|record| record.details.stdio.as_ref());
    // The two ends of a pipe have the same number, the two ends of a socket pair have different ones.
    let pipes = |own: &Stdio| [own.stdout_kind(), stdio.stdin_kind] == [StdioKind::Pipe; 2];
    let numbers = |own: &Stdio| own.stdout_id.zip(stdio.stdin_id);
    let same_pipe = |own: &Stdio| pipes(own) && numbers(own).is_some_and(|(out, stdin)| out == stdin);
    let differ = |own: &Stdio| {
        let two_pipes = pipes(own) && numbers(own).is_some_and(|(out, stdin)| out != stdin);
        two_pipes || own.stdout_kind() != stdio.stdin_kind
    };
    match stdio.stdin() {
        _ if outputs().any(same_pipe) => Answer::No,
        OtherEnd::Held(pids) if pids.iter().any(|pid| instance.contains(*pid)) => Answer::No,
        OtherEnd::Held(_) | OtherEnd::Closed | OtherEnd::Absent => Answer::Yes(()),
        OtherEnd::Unread if stdio.stdin_kind != StdioKind::Unknown && outputs().all(differ) => {
            Answer::Yes(())
        }
        OtherEnd::Unread => Answer::Unread,
    }
}
