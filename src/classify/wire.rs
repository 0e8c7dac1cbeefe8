//! The stdio connection of an instance: what is known of each direction, over all launchers and servers.

use std::collections::HashSet;

use serde::Serialize;

use crate::instance::{Instance, Part};
use crate::process::{OtherEnd, Pid, Stdio, StdioKind};

/// What is known of the other end of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WireState {
    /// A process outside the instance holds it.
    Held,
    /// It was read, and no process outside the instance holds it.
    Closed,
    /// It could not be read.
    Unknown,
    /// No member has a wire that leaves the instance in this direction.
    Absent,
}

/// One direction of the wire, as seen from outside the instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Direction {
    /// The processes outside the instance that hold the other end, ascending.
    pub(super) holders: Vec<Pid>,
    /// By the kernel, no process holds the other end of at least one descriptor.
    pub(super) closed: bool,
    /// At least one descriptor could not be read.
    pub(super) unread: bool,
    /// A server, and not only a launcher of it, has nothing there (`/dev/null`, a file): the launcher's wire is not the
    /// server's.
    pub(super) absent: bool,
    /// A terminal is there, so its master is held, but by no process that was read.
    pub(super) terminal: bool,
}

impl Direction {
    /// A holder outside wins over everything, then what could not be read, then a closed end. Members are looked at,
    /// so an unnamed master of a terminal is held outside the instance; only beside a closed end that is too little to
    /// go by (`script` may have a member that cannot be read).
    pub(super) fn state(&self) -> WireState {
        if !self.holders.is_empty() || self.terminal && !self.closed {
            WireState::Held
        } else if self.unread || self.terminal {
            WireState::Unknown
        } else if self.closed && !self.absent {
            WireState::Closed
        } else {
            WireState::Absent
        }
    }

    /// The state once the holders in `dead` are gone: what only they held is closed.
    pub(super) fn state_without(&self, dead: &HashSet<Pid>) -> WireState {
        let held = !self.holders.is_empty();
        if self.holders.iter().any(|pid| !dead.contains(pid)) {
            WireState::Held
        } else {
            Direction { holders: Vec::new(), closed: self.closed || held, ..*self }.state()
        }
    }

    fn take_in(&mut self, instance: &Instance<'_>, kind: StdioKind, end: OtherEnd<'_>) {
        match end {
            OtherEnd::Unread if kind == StdioKind::Tty => self.terminal = true,
            // An end that stays inside the instance (a pipe between two members) does not show whether there is a
            // client.
            OtherEnd::Held(pids) => self.hold(instance, pids),
            OtherEnd::Closed => self.closed = true,
            OtherEnd::Unread => self.unread = true,
            OtherEnd::Absent => {}
        }
    }

    fn hold(&mut self, instance: &Instance<'_>, pids: &[Pid]) {
        self.holders.extend(pids.iter().copied().filter(|pid| !instance.contains(*pid)));
    }
}

/// All directions of the wire of one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wire {
    pub(super) stdin: Direction,
    pub(super) stdout: Direction,
    /// Pipes and socket pairs on other descriptors, and what helpers have on 0 and 1: they can only show that it is
    /// used.
    pub(super) other: Direction,
}

impl Wire {
    /// What launchers and servers hold.
    pub(super) fn of(instance: &Instance<'_>) -> Wire {
        let mut wire = Wire::default();
        for record in instance.launchers_and_servers() {
            match &record.details.stdio {
                Some(stdio) => {
                    wire.take_in(instance, stdio);
                    if instance.part(record.pid()) == Some(Part::Server) {
                        wire.stdin.absent |= stdio.stdin() == OtherEnd::Absent;
                        wire.stdout.absent |= stdio.stdout() == OtherEnd::Absent;
                    }
                    if record.pid() == instance.root.pid() {
                        wire.stdin.closed |= instance.holds_alone(stdio.stdin());
                        wire.stdout.closed |= instance.holds_alone(stdio.stdout());
                    }
                }
                None => {
                    wire.stdin.unread = true;
                    wire.stdout.unread = true;
                }
            }
        }
        // What is below may have been handed on outside the instance.
        let helpers = instance.members.iter().filter(|member| member.part == Part::Helper);
        for record in helpers.map(|member| member.record).filter(|_| !instance.is_left_over()) {
            for end in record.details.stdio.iter().flat_map(|stdio| [stdio.stdin(), stdio.stdout()]) {
                if let OtherEnd::Held(pids) = end {
                    wire.other.hold(instance, pids);
                }
            }
        }
        for direction in [&mut wire.stdin, &mut wire.stdout, &mut wire.other] {
            direction.holders.sort_unstable();
            direction.holders.dedup();
        }
        wire
    }

    fn take_in(&mut self, instance: &Instance<'_>, stdio: &Stdio) {
        self.stdin.take_in(instance, stdio.stdin_kind, stdio.stdin());
        self.stdout.take_in(instance, stdio.stdout_kind(), stdio.stdout());
        match stdio.other_peers.as_deref() {
            None => self.other.unread = true,
            Some(pids) => self.other.hold(instance, pids),
        }
    }

    /// An outside process was seen to hold a direction.
    pub(super) fn is_held(&self) -> bool {
        self.directions().into_iter().any(|direction| direction.state() == WireState::Held)
    }

    /// Every process outside that holds a direction.
    pub(super) fn holders(&self) -> impl Iterator<Item = Pid> + '_ {
        self.directions().into_iter().flat_map(|direction| direction.holders.iter().copied())
    }

    fn directions(&self) -> [&Direction; 3] {
        [&self.stdin, &self.stdout, &self.other]
    }
}
