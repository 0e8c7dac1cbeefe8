//! Reads the details of a process, except its descriptors.

use super::proc::{MOST_ENVIRON, Place, Proc};
use super::table;
use crate::bytes::RawText;
use crate::process::{Details, ProcessRecord, Uid};
use crate::sys::descriptors::Row;
use crate::sys::{EVIDENCE_VARIABLES, procfs};

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

/// The process has ended, and another process may have its pid. Its row is removed from the table.
pub(super) struct Gone;

/// Reads the details of a process, except its descriptors.
pub(super) fn read(proc: &mut Proc, place: &Place, record: &ProcessRecord) -> Result<ReadDetails, Gone> {
    let text = |proc: &mut Proc, file: &'static str, most| place.read(file, most, &mut proc.text).is_ok();
    let mut details = Details::from(record.details.clone());
    let (mut uid, mut rss) = (None, record.rss);
    // The start proves that this is the process of the row. `place` stays on that process, also when its pid is reused.
    if !text(proc, "../stat", 4 << 10) || table::parse_start(&proc.text) != Some(record.id.start) {
        return Err(Gone);
    }
    if text(proc, "../status", 64 << 10) {
        let status = procfs::status(&proc.text);
        uid = status.uid;
        rss = status.rss.unwrap_or(rss);
        details.swap = status.swap;
        details.foreign_namespace = status.namespaces.is_some_and(|count| count != 1);
        details.namespace_pid = status.innermost.filter(|_| details.foreign_namespace);
        details.tracer = status.tracer;
    }
    if text(proc, "../cgroup", 64 << 10) {
        details.cgroup = procfs::cgroup(&proc.text);
    }
    if text(proc, "../environ", MOST_ENVIRON) && proc.text.len() < MOST_ENVIRON {
        details.env = procfs::evidence(&proc.text, &EVIDENCE_VARIABLES);
    }
    // The environment may contain secrets, so the buffer is cleared.
    proc.text.fill(0);
    details.exe = path(place, "../exe");
    details.cwd = path(place, "../cwd");
    // The directory's owner is exact too, unlike that of a file in it.
    let uid = match uid {
        Some(uid) => uid,
        None => Uid(place.uid().map_err(|_| Gone)?),
    };
    Ok(ReadDetails { uid, rss, details, descriptors: None })
}

/// The target of a link in the process's directory.
fn path(place: &Place, link: &'static str) -> Option<RawText> {
    place.link(link).ok().map(|target| RawText::from(procfs::undeleted(&target)))
}
