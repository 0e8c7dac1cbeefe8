//! Is the wire dead? The three ways in which that is proven.

use std::collections::HashSet;

use serde::Serialize;

use super::wire::{Direction, Wire, WireState};
use crate::process::Pid;

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

/// What of the rest of the machine the proof needs.
pub(super) struct OtherInstances<'a> {
    /// Members of the instances that are ended for a dead wire.
    pub(super) dead: &'a HashSet<Pid>,
    /// Is this process a client, and no ancestor of the instance?
    pub(super) is_other_client: &'a dyn Fn(Pid) -> bool,
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
        (WireState::Closed, WireState::Held)
            if !wire.stdout.unread
                && wire.stdout.holders.iter().all(|pid| (around.is_other_client)(*pid)) =>
        {
            if unread || !around.all_read { Answer::Unread } else { Answer::Yes(Proof::ClientMovedOn) }
        }
        (WireState::Held | WireState::Absent, _) | (_, WireState::Held | WireState::Absent) => Answer::No,
        (WireState::Closed | WireState::Unknown, WireState::Closed | WireState::Unknown) => Answer::Unread,
    }
}
