//! Puts files aside that are full or from a former day, and deletes old files.

use std::fs::File;
use std::io::Read;

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::directory::Directory;
use super::{AuditError, CURRENT};
use crate::policy::Retention;

/// The name of a file that was put aside: `audit.2026-11-20.jsonl`, `audit.2026-11-20.1.jsonl`. Values sort by age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Aside {
    day: NaiveDate,
    number: u32,
}

impl Aside {
    pub(super) fn name(self) -> String {
        match self.number {
            0 => format!("audit.{}.jsonl", self.day),
            number => format!("audit.{}.{number}.jsonl", self.day),
        }
    }

    /// Parses a name; `None` if it is not exactly of this form.
    pub(super) fn parse(name: &str) -> Option<Aside> {
        let middle = name.strip_prefix("audit.")?.strip_suffix(".jsonl")?;
        let (day, number) = middle.split_once('.').unwrap_or((middle, "0"));
        let aside = Aside { day: day.parse().ok()?, number: number.parse().ok()? };
        (aside.name() == name).then_some(aside)
    }
}

/// The files that were put aside, oldest first.
pub(super) fn asides(directory: &Directory) -> Result<Vec<Aside>, AuditError> {
    let mut asides: Vec<Aside> = directory.names()?.iter().filter_map(|name| Aside::parse(name)).collect();
    asides.sort_unstable();
    Ok(asides)
}

/// Rotates and prunes. Only called by the run that has the lock.
pub(super) fn rotate(
    directory: &Directory,
    retention: Retention,
    now: DateTime<Utc>,
) -> Result<(), AuditError> {
    let today = now.date_naive();
    let asides = asides(directory)?;
    if let Some(day) = day_to_put_aside(directory, retention.max_size, today)? {
        let last = asides.iter().filter(|aside| aside.day == day).map(|aside| aside.number).max();
        let number = last.map_or(0, |number| number.saturating_add(1));
        directory.rename(CURRENT, &Aside { day, number }.name())?;
    }
    if let Some(oldest) = today.checked_sub_days(Days::new(retention.keep_days.into())) {
        for aside in asides.iter().filter(|aside| aside.day < oldest) {
            directory.remove(&aside.name())?;
        }
    }
    Ok(())
}

/// The day under which the current file is to be put aside, if it is.
fn day_to_put_aside(
    directory: &Directory,
    max_size: u64,
    today: NaiveDate,
) -> Result<Option<NaiveDate>, AuditError> {
    let Some(file) = directory.read_from(CURRENT)? else { return Ok(None) };
    let failed = |error| directory.failed("examine", CURRENT, error);
    let metadata = file.metadata().map_err(failed)?;
    if metadata.len() == 0 {
        return Ok(None);
    }
    let changed = metadata.modified().map_or(today, |time| DateTime::<Utc>::from(time).date_naive());
    let day = first_day(file).unwrap_or(changed);
    // A file from a later day stays. Otherwise every run would put it aside after the clock was set back.
    Ok((day < today || metadata.len() >= max_size).then_some(day))
}

/// The day of the first record. The modification time does not count, because a restored backup has a new one.
fn first_day(file: File) -> Option<NaiveDate> {
    #[derive(serde::Deserialize)]
    struct When {
        at: DateTime<Utc>,
    }
    // At most 64 KiB are searched. The first event of a run has about 200 bytes.
    let mut start = Vec::new();
    file.take(64 << 10).read_to_end(&mut start).ok()?;
    let line = start.split(|byte| *byte == b'\n').next()?;
    serde_json::from_slice::<When>(line).ok().map(|when| when.at.date_naive())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_names_that_this_writes_are_understood() {
        for name in ["audit.2026-11-20.jsonl", "audit.2026-11-20.1.jsonl", "audit.2026-11-20.12.jsonl"] {
            assert_eq!(Aside::parse(name).unwrap().name(), name);
        }
        for name in [
            "audit.jsonl",
            "audit.lock",
            "audit.2026-13-20.jsonl",
            "audit.2026-11-20.0.jsonl",
            "audit.2026-11-20.01.jsonl",
            "audit.2026-11-20.jsonl.bak",
            "audit.2026-11-2.jsonl",
            "audit.+2026-11-20.jsonl",
            "audit.2026-11-20.-1.jsonl",
            "my.audit.2026-11-20.jsonl",
        ] {
            assert_eq!(Aside::parse(name), None, "{name}");
        }
    }

    #[test]
    fn files_sort_by_day_and_then_by_number() {
        let mut names = [
            "audit.2026-11-20.10.jsonl",
            "audit.2026-11-20.9.jsonl",
            "audit.2026-11-20.jsonl",
            "audit.2026-11-19.11.jsonl",
        ]
        .map(|name| Aside::parse(name).unwrap());
        names.sort_unstable();
        assert_eq!(
            names.map(Aside::name),
            [
                "audit.2026-11-19.11.jsonl",
                "audit.2026-11-20.jsonl",
                "audit.2026-11-20.9.jsonl",
                "audit.2026-11-20.10.jsonl"
            ]
        );
    }
}
