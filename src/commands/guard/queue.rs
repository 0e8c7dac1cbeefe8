//! The events of a guardian on macOS: one kqueue that watches a descriptor of stdin and two processes.
//!
//! By the kernel's sources (xnu-11417.101.15, <https://github.com/apple-oss-distributions/xnu>, `bsd/kern`):
//! - a filter for writing on the read end of a pipe does not fire until the pipe ends (sys_pipe.c, `pipe_kqfilter`,
//!   "Neutered");
//! - a filter for reading on a socket fires with EV_EOF when no more data can arrive, because the other side closed it
//!   or shut it down, or its own side did (uipc_socket.c, `filt_soread_common`). For data it fires when NOTE_LOWAT bytes
//!   are there, at most a full buffer. With EV_CLEAR that is one short wake-up each time more data arrives then;
//! - the end of a process is reported once. A watch that begins later fails with ESRCH (kern_event.c,
//!   `filt_procattach`). The watch stays when the process calls exec (kern_proc.c, `proc_transfer_knotes`), as the root
//!   does.

use std::io;
use std::time::Duration;

use crate::guard::args::{GuardArgs, ProcessHandle};
use crate::guard::events::{EventSet, EventSource, InitialState, PeerState};
use crate::marker::WireId;
use crate::process::Pid;
use crate::sys::macos::calls::{Kevent, errno, kevent};
use crate::sys::macos::{Calls, Kqueue, OwnWire, lineage_by, own_wire_by};

const STDIN: usize = 0;
const CLIENT: usize = 1;
const ROOT: usize = 2;

/// The queue of one guardian.
#[derive(Debug)]
pub struct Queue<C: Calls> {
    calls: C,
    kqueue: C::Kqueue,
    /// A duplicate of the server's stdin, if that can hang up.
    stdin: Option<i32>,
    /// The events so far. The queue reports each only once.
    happened: EventSet,
}

impl<C: Calls> Queue<C> {
    /// Takes the guardian's descriptors and begins to watch.
    ///
    /// # Errors
    /// When the kernel gives no queue or refuses a watch, in words for people.
    pub fn begin(calls: C, args: &GuardArgs) -> Result<(Queue<C>, InitialState), String> {
        let failed = |error: io::Error| format!("could not watch by kqueue: {error}");
        let kqueue = calls.kqueue().map_err(failed)?;
        let all = Queue { calls, kqueue, stdin: args.stdin_fd, happened: EventSet::default() };
        if let Some(fd) = all.stdin {
            all.kqueue.add(hang_up(fd, own_wire_by(&all.calls, fd))).map_err(failed)?;
        }
        if !all.watch(args.root.pid, args.root_handle, ROOT).map_err(failed)? {
            return Err("the process to guard is gone".to_owned());
        }
        let client = args.client_handle.map(|known| all.watch(Pid(args.client), known, CLIENT));
        let client = client.transpose().map_err(failed)?;
        let watched = InitialState {
            stdin: all.stdin.is_some(),
            silent_close: false,
            client: client == Some(true),
            client_gone: client == Some(false) || args.client_is_gone(),
        };
        Ok((all, watched))
    }

    /// Watches exactly this process; `false` if it is gone. Its unique number is compared after the watch began, so an
    /// end in between is seen by the watch or by the comparison.
    fn watch(&self, pid: Pid, known: ProcessHandle, place: usize) -> io::Result<bool> {
        match self.kqueue.watch(pid, place) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(errno::ESRCH) => return Ok(false),
            Err(error) => return Err(error),
        }
        match lineage_by(&self.calls, pid) {
            Ok(lineage) => Ok(known == ProcessHandle::Unique(lineage.own)),
            Err(error) if error.raw_os_error() == Some(errno::ESRCH) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Waits once and notes the events. They are those of the client and the root, because `watch` has compared these.
    fn note(&mut self, time: Option<Duration>) -> io::Result<()> {
        for event in self.kqueue.next(time)? {
            match event.place {
                STDIN => self.happened.hang_up |= event.flags & kevent::EOF != 0,
                CLIENT => self.happened.client = true,
                ROOT => self.happened.root = true,
                _ => {}
            }
        }
        Ok(())
    }
}

impl<C: Calls> EventSource for Queue<C> {
    fn wait(&mut self, wanted: EventSet, time: Option<Duration>) -> io::Result<EventSet> {
        let until = time.map(|time| self.now().saturating_add(time));
        let mut asked = false;
        loop {
            let EventSet { hang_up, client, root } = self.happened;
            let happened = EventSet {
                hang_up: wanted.hang_up && hang_up,
                client: wanted.client && client,
                root: wanted.root && root,
            };
            let left = until.map(|until| until.saturating_sub(self.now()));
            if happened.any() || asked && left.is_some_and(|left| left.is_zero()) {
                return Ok(happened);
            }
            self.note(left)?;
            asked = true;
        }
    }

    fn peer_state(&mut self) -> PeerState {
        match self.stdin.and_then(|fd| own_wire_by(&self.calls, fd)) {
            Some(OwnWire { other_end_is_gone: true, .. }) => PeerState::Gone,
            Some(OwnWire { shut_both_ways: true, .. }) => PeerState::ShutBothWays,
            _ => PeerState::There,
        }
    }

    fn stdin_can_hang_up(&mut self) -> bool {
        // A knote goes with its descriptor, so there is one here, which nobody else can close.
        self.stdin.is_some()
    }

    fn release_stdin(&mut self) {
        if let Some(fd) = self.stdin.take() {
            // The queue forgets a descriptor that is closed (kqueue(2)).
            let _ = self.calls.close(fd);
        }
    }

    fn now(&self) -> Duration {
        self.calls.now()
    }
}

/// What on a descriptor of this process can hang up, for the marker.
pub fn wire_on(calls: &impl Calls, fd: i32) -> Option<WireId> {
    let OwnWire { socket, number, .. } = own_wire_by(calls, fd)?;
    Some(if socket { WireId::Socket(number) } else { WireId::Pipe(number) })
}

fn hang_up(fd: i32, wire: Option<OwnWire>) -> Kevent {
    let socket = wire.is_some_and(|wire| wire.socket);
    Kevent {
        ident: u64::try_from(fd).unwrap_or(u64::MAX),
        filter: if socket { kevent::READ } else { kevent::WRITE },
        flags: kevent::ADD | kevent::CLEAR,
        fflags: if socket { kevent::LOWAT } else { 0 },
        data: if socket { i64::from(i32::MAX) } else { 0 },
        place: STDIN,
    }
}
