//! kqueues, by the rules of xnu's kern_event.c, sys_pipe.c and uipc_socket.c (xnu-11417.101.15).

use mcp_reap::sys::macos::calls::{Kevent, kevent};

use crate::machine::{EBADF, EINVAL, ESRCH};
use crate::world::{File, Life, Unix, World};

/// The receive buffer of a unix socket (net.local.stream.recvspace): NOTE_LOWAT is never more (`filt_soread_common`).
pub const HIWAT: u64 = 8192;

/// One kqueue.
#[derive(Default)]
pub struct Kq {
    notes: Vec<Note>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum On {
    /// By its unique number.
    Process(u64),
    /// A descriptor of the queue's owner, and what lies on it.
    File(u32, i32, u64),
}

/// A knote.
#[derive(Clone, Copy, Debug)]
struct Note {
    on: On,
    change: Kevent,
    active: bool,
}

impl World {
    /// kqueue(2): the number of the queue and its descriptor in the process.
    pub fn kqueue(&mut self, owner: u32) -> (usize, i32) {
        let file = self.file(File::Kqueue);
        let fd = (3..1024).find(|fd| !self.processes[&owner].fds.contains_key(fd)).unwrap();
        self.put(owner, fd, file, true);
        self.queues.push(Kq::default());
        (self.queues.len() - 1, fd)
    }

    /// kevent(2) with one change; `owner` is who calls.
    pub fn add_note(&mut self, queue: usize, owner: u32, change: Kevent) -> Result<(), i32> {
        let (on, active) = match change.filter {
            kevent::PROC => {
                let pid = u32::try_from(change.ident).map_err(|_| ESRCH)?;
                // filt_procattach: proc_find, which finds nobody from proc_refdrain on; never fired at once.
                let body = self.processes.get(&pid).filter(|body| body.life <= Life::Exiting);
                (On::Process(body.ok_or(ESRCH)?.unique), false)
            }
            kevent::READ | kevent::WRITE => {
                let fd = i32::try_from(change.ident).map_err(|_| EBADF)?;
                let slot = self.processes[&owner].fds.get(&fd).ok_or(EBADF)?;
                if !matches!(self.files[&slot.file], File::Pipe { .. } | File::Unix(_)) {
                    return Err(EINVAL);
                }
                let on = On::File(owner, fd, slot.file);
                (on, self.fires(slot.file, &change).is_some())
            }
            _ => return Err(EINVAL),
        };
        let clears = change.filter == kevent::PROC;
        let flags = change.flags | if clears { kevent::CLEAR } else { 0 };
        let note = Note { on, change: Kevent { flags, ..change }, active };
        // A knote is known by its ident and filter; a second EV_ADD changes it (kevent_register).
        let notes = &mut self.queues[queue].notes;
        notes.retain(|other| (other.change.ident, other.change.filter) != (change.ident, change.filter));
        notes.push(note);
        Ok(())
    }

    /// kevent(2) without a change: what is active, each looked at again (knote_process).
    pub fn happened(&mut self, queue: usize) -> Vec<Kevent> {
        let mut told = Vec::new();
        let mut notes = std::mem::take(&mut self.queues[queue].notes);
        notes.retain_mut(|note| {
            if !std::mem::take(&mut note.active) {
                return true;
            }
            let eof = match note.on {
                On::Process(_) => Some(true),
                On::File(_, _, file) => self.fires(file, &note.change),
            };
            let Some(eof) = eof else { return true };
            let flags = note.change.flags | if eof { kevent::EOF } else { 0 };
            told.push(Kevent { flags, ..note.change });
            // Without EV_CLEAR it is told again as long as it lasts.
            note.active = note.change.flags & kevent::CLEAR == 0;
            note.change.flags & kevent::ONESHOT == 0 && !matches!(note.on, On::Process(_))
        });
        self.queues[queue].notes = notes;
        told
    }

    /// The filter of a note on an open file: does it fire, and with EV_EOF?
    fn fires(&self, file: u64, change: &Kevent) -> Option<bool> {
        let waiting = self.unread.get(&file).copied().unwrap_or(0);
        match &self.files[&file] {
            // "Neutered" on the wrong end: only the pipe's death (pipe_kqfilter).
            File::Pipe { peer, writes } => match (peer, change.filter == kevent::WRITE, writes) {
                (None, ..) => Some(true),
                (_, false, false) => (waiting > 0).then_some(false),
                (_, true, true) => Some(false),
                _ => None,
            },
            File::Unix(Unix { listens: true, .. }) => None,
            File::Unix(unix) if change.filter == kevent::READ => {
                let asked = u64::try_from(change.data).unwrap_or(0);
                let least = if change.fflags & kevent::LOWAT != 0 { asked.clamp(1, HIWAT) } else { 1 };
                if unix.deaf { Some(true) } else { (waiting >= least).then_some(false) }
            }
            File::Unix(unix) if unix.mute => Some(true),
            File::Unix(unix) => unix.peer.map(|_| false),
            _ => None,
        }
    }

    /// KNOTE: something happened to an open file.
    pub fn knote(&mut self, file: u64) {
        for queue in 0..self.queues.len() {
            let mut notes = std::mem::take(&mut self.queues[queue].notes);
            for note in notes.iter_mut().filter(|note| matches!(note.on, On::File(_, _, on) if on == file)) {
                note.active |= self.fires(file, &note.change).is_some();
            }
            self.queues[queue].notes = notes;
        }
    }

    /// proc_knote(NOTE_EXIT).
    pub fn knote_exit(&mut self, unique: u64) {
        for note in self.queues.iter_mut().flat_map(|queue| &mut queue.notes) {
            note.active |= note.on == On::Process(unique);
        }
    }

    /// knote_fdclose.
    pub fn forget_notes(&mut self, owner: u32, fd: i32) {
        for queue in &mut self.queues {
            queue.notes.retain(|note| !matches!(note.on, On::File(of, on, _) if (of, on) == (owner, fd)));
        }
    }

    /// Somebody writes into this end; the other side has not read it yet.
    pub fn send(&mut self, from: u64, bytes: u64) {
        let to = match &self.files[&from] {
            File::Pipe { peer, writes: true } => peer.unwrap(),
            File::Unix(unix) => unix.peer.unwrap(),
            other => panic!("nobody writes into {other:?}"),
        };
        *self.unread.entry(to).or_default() += bytes;
        self.knote(to);
    }

    /// All that came in is read.
    pub fn receive(&mut self, file: u64) {
        self.unread.remove(&file);
    }

    /// shutdown(2) of a unix socket: its reading half (`sorflush`) or its writing half (`unp_shutdown`).
    pub fn shut(&mut self, file: u64, writing: bool) {
        let Some(File::Unix(unix)) = self.files.get_mut(&file) else { panic!("no socket") };
        let peer = unix.peer;
        if writing {
            unix.mute = true;
        } else {
            unix.deaf = true;
        }
        if let (true, Some(peer)) = (writing, peer) {
            if let Some(File::Unix(unix)) = self.files.get_mut(&peer) {
                unix.deaf = true;
            }
            self.knote(peer);
        }
        self.knote(file);
    }

    /// fork(2): every descriptor but a kqueue (fdt_fork: FG_CONFINED).
    pub fn fork(&mut self, parent: u32) -> u32 {
        let argv = self.processes[&parent].argv.clone();
        let child = self.spawn(parent, &argv.iter().map(String::as_str).collect::<Vec<_>>());
        let from = self.processes[&parent].clone();
        for (fd, slot) in from.fds {
            if self.files[&slot.file] != File::Kqueue {
                self.put(child, fd, slot.file, slot.closes_on_exec);
            }
        }
        let body = self.processes.get_mut(&child).unwrap();
        (body.env, body.executed, body.path, body.restricted) =
            (from.env, from.executed, from.path, from.restricted);
        (body.name, body.manners) = (from.name, from.manners);
        child
    }
}
