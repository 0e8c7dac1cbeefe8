//! The stdio connection of an instance: the state of each direction, over all launchers and servers.

use std::collections::HashSet;

use serde::Serialize;

use crate::instance::{Instance, Part};
use crate::process::{OtherEnd, Pid, Stdio, StdioKind};

/// The state of the other end of one direction.
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
    /// The kernel reports for at least one descriptor that no process holds the other end.
    pub(super) closed: bool,
    /// At least one descriptor could not be read.
    pub(super) unread: bool,
    /// A server, and not only a launcher, has no wire there (`/dev/null`, a file). Then a launcher's wire is not the
    /// server's.
    pub(super) absent: bool,
    /// There is a terminal whose master is held, but by no process that was read.
    pub(super) terminal: bool,
}

impl Direction {
    /// An outside holder wins over everything, then an unread descriptor, then a closed end. If the master of a terminal is
    /// held by an unknown process, that is outside the instance, because all members were read. Beside a closed end this
    /// is not certain: `script` may have a member that could not be read.
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

    /// The state without the holders in `dead`. A direction that only they held is closed.
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
            // A pipe between two members does not show whether there is a client.
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
    /// Pipes and socket pairs on other descriptors, and those of helpers on 0 and 1. They can only show that the instance
    /// is used.
    pub(super) other: Direction,
}

impl Wire {
    /// The wire of an instance, by the descriptors of its launchers and servers.
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
        // A helper's descriptors may have been passed to processes outside the instance.
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

    /// Was an outside process seen to hold a direction?
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
