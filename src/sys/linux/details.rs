//! Reads the details of a process, except its descriptors.

use super::errors::{if_there, unless_exhausted};
use super::proc::{MOST_ENVIRON, Place, Proc};
use super::table;
use crate::bytes::RawText;
use crate::process::{Details, Pid, ProcessRecord, Uid};
use crate::sys::descriptors::Row;
use crate::sys::{EVIDENCE_VARIABLES, SysError, procfs};

/// What was read of one process in the second stage.
pub(super) struct ReadDetails {
    /// The exact effective user. The user in the row may be provisional.
    pub(super) uid: Uid,
    /// Resident memory in bytes.
    pub(super) rss: u64,
    /// What its files in `/proc` contain.
    pub(super) details: Details,
    /// Its descriptors; `None` where they may not be listed.
    pub(super) descriptors: Option<Vec<Row>>,
}

/// Reads the details of a process, except its descriptors. `None` if the process has ended, and another process may have
/// its pid: its row is removed from the table.
pub(super) fn read(
    proc: &mut Proc,
    place: &Place,
    record: &ProcessRecord,
) -> Result<Option<ReadDetails>, SysError> {
    let pid = record.pid();
    let text = |proc: &mut Proc, file: &'static str, most| {
        let read = place.read(file, most, &mut proc.text);
        Ok::<bool, SysError>(unless_exhausted(read, pid, name(file))?.is_some())
    };
    let mut details = Details::from(record.details.clone());
    let (mut uid, mut rss) = (None, record.rss);
    // The start proves that this is the process of the row. `place` stays on that process, also when its pid is reused.
    let stat = if_there(place.read("../stat", 4 << 10, &mut proc.text), pid, "stat")?;
    if stat.is_none() || table::parse_start(&proc.text) != Some(record.id.start) {
        return Ok(None);
    }
    if text(proc, "../status", 64 << 10)? {
        let status = procfs::status(&proc.text);
        uid = status.uid;
        rss = status.rss.unwrap_or(rss);
        details.swap = status.swap;
        details.foreign_namespace = status.namespaces.is_some_and(|count| count != 1);
        details.namespace_pid = status.innermost.filter(|_| details.foreign_namespace);
        details.tracer = status.tracer;
    }
    if text(proc, "../cgroup", 64 << 10)? {
        details.cgroup = procfs::cgroup(&proc.text);
    }
    if text(proc, "../environ", MOST_ENVIRON)? && proc.text.len() < MOST_ENVIRON {
        details.env = procfs::evidence(&proc.text, &EVIDENCE_VARIABLES);
    }
    // The environment may contain secrets, so the buffer is cleared.
    proc.text.fill(0);
    details.exe = path(place, pid, "../exe")?;
    details.cwd = path(place, pid, "../cwd")?;
    // The directory's owner is exact too, unlike that of a file in it.
    let uid = match uid {
        Some(uid) => uid,
        None => match if_there(place.uid(), pid, "")? {
            Some(uid) => Uid(uid),
            None => return Ok(None),
        },
    };
    Ok(Some(ReadDetails { uid, rss, details, descriptors: None }))
}

/// The target of a link in the process's directory.
fn path(place: &Place, pid: Pid, link: &'static str) -> Result<Option<RawText>, SysError> {
    let target = unless_exhausted(place.link(link), pid, name(link))?;
    Ok(target.map(|target| RawText::from(procfs::undeleted(&target))))
}

/// The name of a file of the process, for a message.
fn name(path: &'static str) -> &'static str {
    path.trim_start_matches("../")
}
