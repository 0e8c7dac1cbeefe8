//! Full and failing disks, rehearsed; and many writers at once.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::audit::directory::Directory;
use crate::process::Pid;

const ENOSPC: i32 = 28;
const EIO: i32 = 5;

/// A disk that fails as planned.
#[derive(Default)]
struct Disk {
    bytes: Vec<u8>,
    /// What still fits; `None`: everything.
    room: Option<usize>,
    /// The most one write takes.
    gulp: Option<usize>,
    /// Every other write is interrupted first.
    interrupts: Option<bool>,
    sync_fails: bool,
    truncate_fails: bool,
    syncs: usize,
}

impl Sink for &mut Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(interrupt) = &mut self.interrupts {
            *interrupt = !*interrupt;
            if *interrupt {
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
        let room = self.room.unwrap_or(usize::MAX).min(self.gulp.unwrap_or(usize::MAX));
        let count = bytes.len().min(room);
        if count == 0 {
            return Err(io::Error::from_raw_os_error(ENOSPC));
        }
        self.bytes.extend_from_slice(&bytes[..count]);
        if let Some(room) = &mut self.room {
            *room -= count;
        }
        Ok(count)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.syncs += 1;
        if self.sync_fails { Err(io::Error::from_raw_os_error(EIO)) } else { Ok(()) }
    }

    fn size(&mut self) -> io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        if self.truncate_fails {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        self.bytes.truncate(usize::try_from(len).unwrap());
        Ok(())
    }
}

fn now() -> DateTime<Utc> {
    "2026-11-20T14:00:00Z".parse().unwrap()
}

fn run() -> RunId {
    RunId::new(now(), Pid(1))
}

fn finished(processes: u32) -> AuditEvent {
    AuditEvent::RunFinished {
        instances: 1,
        processes,
        rss_reclaimed: 0,
        duration_ms: 0,
        failed: 0,
        interrupted_by: None,
    }
}

/// The `processes` of every whole line; `None` for a line that is not a whole event.
fn numbers(bytes: &[u8]) -> Vec<Option<u32>> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| match serde_json::from_slice::<Record>(line) {
            Ok(Record { event: AuditEvent::RunFinished { processes, .. }, .. }) => Some(processes),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        })
        .collect()
}

#[test]
fn a_disk_that_fills_up_anywhere_in_a_batch_keeps_nothing_of_it() {
    let mut whole = Disk::default();
    AuditLog::over(&mut whole, run()).append_durably(now(), &[finished(1), finished(2)]).unwrap();
    for room in 0..whole.bytes.len() {
        let mut disk = Disk { bytes: b"before\n".to_vec(), room: Some(room), ..Disk::default() };
        let mut log = AuditLog::over(&mut disk, run());
        let error = log.append_durably(now(), &[finished(1), finished(2)]).unwrap_err();
        assert!(error.to_string().starts_with("failed to write audit.jsonl: No space left"), "{error}");
        assert_eq!((disk.bytes.as_slice(), disk.syncs), (&b"before\n"[..], 0), "room for {room}");
    }
}

#[test]
fn what_cannot_be_taken_back_is_closed_by_the_next_line() {
    for room in 1..100 {
        let mut disk = Disk { room: Some(room), truncate_fails: true, ..Disk::default() };
        let mut log = AuditLog::over(&mut disk, run());
        log.append(now(), &finished(1)).unwrap_err();
        log.sink.room = None;
        log.append(now(), &finished(2)).unwrap();
        log.append(now(), &finished(3)).unwrap();
        assert_eq!(numbers(&disk.bytes), [None, Some(2), Some(3)], "room for {room}");
    }
}

#[test]
fn taking_back_never_cuts_off_what_another_wrote() {
    /// A disk on which another process appends a line while ours does not fit.
    struct Shared<'a>(&'a mut Disk);
    impl Sink for Shared<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let result = (&mut *self.0).write(bytes);
            if result.is_err() {
                self.0.bytes.extend_from_slice(b"theirs\n");
            }
            result
        }
        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
        fn size(&mut self) -> io::Result<u64> {
            Ok(self.0.bytes.len() as u64)
        }
        fn truncate(&mut self, len: u64) -> io::Result<()> {
            (&mut *self.0).truncate(len)
        }
    }
    let mut disk = Disk { room: Some(20), ..Disk::default() };
    AuditLog::over(Shared(&mut disk), run()).append(now(), &finished(1)).unwrap_err();
    assert!(disk.bytes.ends_with(b"theirs\n") && disk.bytes.len() == 27, "{:?}", disk.bytes);
}

#[test]
fn short_writes_and_interruptions_end_in_whole_lines() {
    for gulp in [1, 7, 64] {
        let mut disk = Disk { gulp: Some(gulp), interrupts: Some(false), ..Disk::default() };
        AuditLog::over(&mut disk, run()).append_durably(now(), &[finished(1), finished(2)]).unwrap();
        assert_eq!(numbers(&disk.bytes), [Some(1), Some(2)]);
    }
}

#[test]
fn a_batch_costs_one_fsync_and_an_outcome_none() {
    let mut disk = Disk::default();
    let mut log = AuditLog::over(&mut disk, run());
    log.append_durably(now(), &vec![finished(1); 1000]).unwrap();
    log.append(now(), &finished(2)).unwrap();
    assert_eq!((disk.syncs, numbers(&disk.bytes).len()), (1, 1001));
}

#[test]
fn after_a_failed_fsync_nothing_is_believed_any_more() {
    let mut disk = Disk { sync_fails: true, ..Disk::default() };
    let mut log = AuditLog::over(&mut disk, run());
    let error = log.append_durably(now(), &[finished(1)]).unwrap_err();
    assert!(error.to_string().starts_with("failed to sync audit.jsonl: "), "{error}");
    log.sink.sync_fails = false;
    assert!(matches!(log.append_durably(now(), &[finished(2)]), Err(AuditError::Broken { .. })));
    assert!(matches!(log.append(now(), &finished(3)), Err(AuditError::Broken { .. })));
    assert_eq!(numbers(&disk.bytes), []);
}

#[test]
fn lines_of_many_writers_stay_whole() {
    const WRITERS: u32 = 4;
    const EACH: u32 = 200;
    let dir = tempfile::tempdir().unwrap();
    let directory = Directory::create(&dir.path().join("state")).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (file, _) = directory.append_to(CURRENT).unwrap();
            scope.spawn(move || {
                let mut log = AuditLog::over(file, run());
                for event in 0..EACH {
                    log.append(now(), &finished(writer * EACH + event)).unwrap();
                }
            });
        }
    });
    let mut numbers: Vec<u32> = numbers(&std::fs::read(directory.path_of(CURRENT)).unwrap())
        .into_iter()
        .map(Option::unwrap)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..WRITERS * EACH).collect::<Vec<_>>());
}
