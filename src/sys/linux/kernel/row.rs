//! The little that the hand reads of `/proc` itself, again and directly in front of each signal.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, openat, readlinkat, statat};
use rustix::io::Errno;

use crate::process::{Pid, StartTime, State, Uid};
use crate::sys::procfs::FdTarget;

/// `/proc`, open, of our own PID namespace.
#[derive(Debug)]
pub(super) struct Proc {
    dir: OwnedFd,
    /// What `/proc/self/ns/pid` points to, `pid:[4026531836]`; `None` where the kernel was built
    /// without PID namespaces, so that there can be no other.
    namespace: Option<OsString>,
}

/// The fields of `/proc/PID/stat` that say who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) parent: Pid,
    /// `None` where its leader is outside our PID namespace.
    pub(super) group: Option<Pid>,
    pub(super) session: Option<Pid>,
    pub(super) state: State,
    pub(super) start: StartTime,
    /// A thread of the kernel's own.
    pub(super) is_kernels: bool,
}

/// include/linux/sched.h: PF_KTHREAD, "I am a kernel thread". Exact, where "pid 2 and its children"
/// would take a container's second process for kthreadd.
const PF_KTHREAD: u32 = 0x0020_0000;

/// Bytes of arguments that are read for the record.
const MAX_CMDLINE: u64 = 64 << 10;

impl Proc {
    /// Opens `/proc` and makes sure that the numbers in it are the numbers signals go to.
    pub(super) fn open() -> io::Result<Proc> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open("/proc", flags, Mode::empty())?;
        // A /proc mounted for another PID namespace numbers processes differently.
        let own = readlinkat(&dir, "self", Vec::new())?;
        if own.to_bytes() != std::process::id().to_string().as_bytes() {
            return Err(io::Error::other("/proc is that of another PID namespace"));
        }
        let namespace = match readlinkat(&dir, "self/ns/pid", Vec::new()) {
            Ok(target) => Some(OsString::from_vec(target.into_bytes())),
            Err(Errno::NOENT) => None,
            Err(errno) => return Err(errno.into()),
        };
        Ok(Proc { dir, namespace })
    }

    /// One process's row.
    pub(super) fn row(&self, pid: Pid) -> Result<Row, Errno> {
        let file = openat(&self.dir, format!("{pid}/stat"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        // 52 numbers of at most 20 digits and a name of at most 64 bytes; the kernel writes it at once.
        let mut buffer = [0; 2048];
        let length = rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut buffer))?;
        parse(&buffer[..length]).ok_or(Errno::PROTO)
    }

    /// Its arguments as they lie in memory now.
    pub(super) fn cmdline(&self, pid: Pid) -> io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = openat(&self.dir, format!("{pid}/cmdline"), flags, Mode::empty())?;
        let mut bytes = Vec::new();
        // As long as a program makes it; more than this is no help to anybody.
        File::from(file).take(MAX_CMDLINE).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The effective user: the owner of the directory, which is right even for a process that
    /// is not dumpable and whose files therefore show root.
    pub(super) fn uid(&self, pid: Pid) -> Result<Uid, Errno> {
        statat(&self.dir, pid.to_string(), AtFlags::empty()).map(|stat| Uid(stat.st_uid))
    }

    /// Whether it lives in our PID namespace and not in one below (a container's).
    pub(super) fn same_namespace(&self, pid: Pid) -> Result<bool, Errno> {
        let Some(ours) = &self.namespace else { return Ok(true) };
        let theirs = readlinkat(&self.dir, format!("{pid}/ns/pid"), Vec::new())?;
        Ok(theirs.as_bytes() == ours.as_encoded_bytes())
    }

    /// What one of its descriptors is.
    pub(super) fn descriptor(&self, pid: Pid, fd: usize) -> Result<FdTarget, Errno> {
        let link = readlinkat(&self.dir, format!("{pid}/fd/{fd}"), Vec::new())?;
        Ok(FdTarget::parse(link.as_bytes()))
    }

    /// All numbers in the table; none when it cannot be read any more.
    pub(super) fn pids(&self) -> Vec<Pid> {
        let Ok(dir) = Dir::read_from(&self.dir) else { return Vec::new() };
        let number = |name: &[u8]| std::str::from_utf8(name).ok()?.parse().ok().map(Pid);
        dir.filter_map(|entry| number(entry.ok()?.file_name().to_bytes())).collect()
    }
}

/// `4242 (npm exec @model) S 1201 4100 3900 ...`: the name may itself hold blanks and brackets, so
/// the numbers are counted from its last bracket. Fields 3 to 6, 9 and 22 of proc_pid_stat(5).
fn parse(stat: &[u8]) -> Option<Row> {
    let after = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let mut fields = std::str::from_utf8(&stat[after..]).ok()?.split_ascii_whitespace();
    let state = State::from_letter(fields.next()?.chars().next()?);
    let parent = Pid(fields.next()?.parse().ok()?);
    // -1 while a process is released, 0 for one we cannot see.
    let mut visible = || fields.next()?.parse::<i64>().ok();
    let (group, session) = (visible()?, visible()?);
    let flags: u32 = fields.nth(2)?.parse().ok()?;
    let start = StartTime(fields.nth(12)?.parse().ok()?);
    let number = |pid: i64| u32::try_from(pid).ok().filter(|pid| *pid > 0).map(Pid);
    let (group, session) = (number(group), number(session));
    Some(Row { parent, group, session, state, start, is_kernels: flags & PF_KTHREAD != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_does_not_shift_the_fields() {
        let numbers = "77 5 6 0 -1 4194560 1 0 0 0 3 4 0 0 20 0 1 0 990011 8192 12";
        let row = Row {
            parent: Pid(77),
            group: Some(Pid(5)),
            session: Some(Pid(6)),
            state: State::Stopped,
            start: StartTime(990_011),
            is_kernels: false,
        };
        for name in ["sh", "a b", "x) Z 1 1 (y", ")", "", "\u{fffd}"] {
            assert_eq!(parse(format!("42 ({name}) T {numbers}\n").as_bytes()), Some(row), "{name}");
        }
    }

    #[test]
    fn a_thread_of_the_kernel_is_known_by_its_flag_and_not_by_its_number() {
        let row = |flags: &str| format!("2 (kthreadd) S 0 0 0 0 -1 {flags} 0 0 0 0 0 1 0 0 20 0 1 0 7 0 0");
        assert!(parse(row("2129984").as_bytes()).is_some_and(|row| row.is_kernels));
        assert!(parse(row("4194560").as_bytes()).is_some_and(|row| !row.is_kernels));
    }

    #[test]
    fn a_row_that_is_cut_is_not_a_row() {
        for text in ["", "42", "42 (sh", "42 (sh) S", "42 (sh) S 1 2 3", "42 (sh) S x 1 1 1 1 1 1 1 1 1 1"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn our_own_row_is_ours() {
        let proc = Proc::open().expect("/proc");
        let me = Pid(std::process::id());
        let row = proc.row(me).expect("our row");
        assert_eq!(row.parent, Pid(std::os::unix::process::parent_id()));
        assert_eq!(proc.uid(me), Ok(Uid(rustix::process::geteuid().as_raw())));
        assert_eq!(proc.same_namespace(me), Ok(true));
        assert!(proc.pids().contains(&me));
    }
}
