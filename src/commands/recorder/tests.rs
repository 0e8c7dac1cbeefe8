#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;
use std::rc::Rc;

use super::*;
use crate::audit::RunId;
use crate::classify::Verdict;
use crate::instance::Part;
use crate::process::StartTime;

/// A disk that notes what was written since the last sync.
#[derive(Clone, Default)]
struct Disk(Rc<RefCell<DiskState>>);

#[derive(Default)]
struct DiskState {
    written: String,
    /// How much of it is on the disk for certain.
    kept: usize,
    fails: bool,
}

impl Sink for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().written.push_str(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        if state.fails {
            return Err(io::ErrorKind::Other.into());
        }
        state.kept = state.written.len();
        Ok(())
    }

    fn size(&mut self) -> io::Result<u64> {
        Ok(self.0.borrow().written.len() as u64)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.borrow_mut().written.truncate(usize::try_from(len).unwrap());
        Ok(())
    }
}

fn target() -> Target {
    let member = TargetMember {
        id: ProcessId { pid: Pid(4242), start: StartTime(7) },
        parent: Pid(1),
        uid: Some(Uid(1000)),
        part: Part::Server,
        stopped: false,
        started_at: 1.0,
        rss: 1,
        argv: ["node", "--token", "hunter2"].into(),
    };
    let reason = String::from("owner gone");
    let (client, evidence) = (None, Vec::new());
    Target {
        server: "s".into(),
        verdict: Verdict::Orphaned,
        reason,
        client,
        evidence,
        members: vec![member],
        must_agree: HashSet::new(),
    }
}

fn recorder(disk: &Disk) -> AuditRecorder<Disk> {
    AuditRecorder::new(AuditLog::over(disk.clone(), RunId::new(Utc::now(), Pid(1))))
}

#[test]
fn an_intent_is_on_the_disk_before_anything_is_sent_and_tells_no_secret() {
    let (disk, target) = (Disk::default(), target());
    let mut recorder = recorder(&disk);
    let event = |step| MemberEvent { target: &target, member: &target.members[0], step };
    recorder.intend(&[event(Step::Intent(Signal::Term)), event(Step::Intent(Signal::Cont))]).unwrap();
    {
        let state = disk.0.borrow();
        assert_eq!(state.written.lines().count(), 2);
        assert_eq!(state.kept, state.written.len(), "written, and kept");
        assert!(state.written.contains("--token") && !state.written.contains("hunter2"));
    }
    // What has happened is written, and kept with the next intent.
    recorder.note(&event(Step::Signalled(Signal::Term))).unwrap();
    assert!(disk.0.borrow().kept < disk.0.borrow().written.len());
}

#[test]
fn an_intent_that_could_not_be_kept_is_none() {
    let (disk, target) = (Disk::default(), target());
    let mut recorder = recorder(&disk);
    disk.0.borrow_mut().fails = true;
    let event = MemberEvent { target: &target, member: &target.members[0], step: Step::Intent(Signal::Kill) };
    assert!(recorder.intend(std::slice::from_ref(&event)).is_err());
    assert!(disk.0.borrow().written.is_empty(), "nobody is to read of it");
    disk.0.borrow_mut().fails = false;
    assert!(recorder.intend(&[event]).is_err(), "nor is a later one believed");
}
