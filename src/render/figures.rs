//! Formats numbers, times and command lines.

use std::collections::HashMap;
use std::fmt::Display;
use std::time::Duration;

use chrono::{DateTime, Local, Utc};

use super::clean::clean;
use crate::bytes::Argv;
use crate::classify::Finding;
use crate::process::ProcessRecord;
use crate::units::{show_duration, show_size};

/// A time on the person's own clock, to the minute.
pub(crate) fn minute(at: DateTime<Utc>) -> impl Display {
    at.with_timezone(&Local).format("%Y-%m-%d %H:%M")
}

/// A time on the person's own clock, to the minute and with the weekday.
pub(crate) fn minute_with_weekday(at: DateTime<Utc>) -> impl Display {
    at.with_timezone(&Local).format("%a %Y-%m-%d %H:%M")
}

/// `1 instance`, `2 instances`, `3 processes`.
pub(crate) fn count(n: usize, what: &str) -> String {
    match (n, what) {
        (1, _) => format!("1 {what}"),
        (_, "process") => format!("{n} processes"),
        (_, "copy") => format!("{n} copies"),
        _ => format!("{n} {what}s"),
    }
}

/// The pronoun for this many things.
pub(crate) fn it_or_them(n: usize) -> &'static str {
    if n == 1 { "it" } else { "them" }
}

/// `1.2 GB of 16 GB`, or `1.2 GB` if the memory of the machine is not known.
pub(crate) fn size_of(bytes: u64, memory: Option<u64>) -> String {
    match memory {
        Some(memory) => format!("{} of {}", show_size(bytes), show_size(memory)),
        None => show_size(bytes),
    }
}

/// How long something took: with a tenth from one to ten seconds (`1.4s`), otherwise as [`show_duration`] writes it.
pub(crate) fn elapsed(duration: Duration) -> String {
    let tenths = (duration.as_millis() + 50) / 100;
    if (10..100).contains(&tenths) && !tenths.is_multiple_of(10) {
        return format!("{}.{}s", tenths / 10, tenths % 10);
    }
    show_duration(duration)
}

/// The items with commas between them.
pub(crate) fn list<T: std::fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The age of an instance.
pub(crate) fn age(finding: &Finding<'_>) -> String {
    show_duration(Duration::from_secs(finding.age as u64))
}

/// The client of an instance with its pid, for a column.
pub(crate) fn client(finding: &Finding<'_>) -> String {
    let client = finding.client.as_ref().map(|client| clean(&format!("{} {}", client.name, client.pid)));
    client.unwrap_or_else(|| "-".to_owned())
}

/// The command line without secrets, not yet cleaned for a terminal.
pub(crate) fn command(record: &ProcessRecord) -> String {
    match &record.argv {
        Some(argv) if !argv.is_empty() => crate::redact::argv(argv).join(" "),
        _ => record.command(),
    }
}

/// [`command`] for many processes. Each distinct line is searched for secrets once, because copies of a server have equal
/// lines.
#[derive(Default)]
pub(super) struct Commands<'r>(HashMap<&'r Argv, String>);

impl<'r> Commands<'r> {
    pub(super) fn of(&mut self, record: &'r ProcessRecord) -> String {
        match &record.argv {
            Some(argv) if !argv.is_empty() => self.0.entry(argv).or_insert_with(|| command(record)).clone(),
            _ => command(record),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_a_few_seconds_is_shown_to_a_tenth() {
        for (millis, shown) in
            [(12, "12ms"), (1_400, "1.4s"), (1_003, "1s"), (9_960, "9s"), (61_000, "1m 1s")]
        {
            assert_eq!(elapsed(Duration::from_millis(millis)), shown);
        }
    }

    #[test]
    fn commands_of_one_line_are_the_same_text_and_no_line_shows_the_name() {
        use crate::process::{Pid, StartTime};
        let record = |comm: &str, argv: Option<&[&str]>| {
            let mut record = ProcessRecord::new(Pid(7), StartTime(1));
            (record.comm, record.argv) = (comm.into(), argv.map(|argv| argv.iter().collect()));
            record
        };
        let records = [
            record("a", Some(&["node", "x.js", "--token", "hunter2"])),
            record("b", Some(&["node", "x.js", "--token", "hunter2"])),
            record("c", Some(&[])),
            record("d", Some(&[])),
            record("e", Some(&[""])),
            record("f", None),
        ];
        let mut commands = Commands::default();
        let shown: Vec<String> = records.iter().map(|record| commands.of(record)).collect();
        assert_eq!(
            shown,
            ["node x.js --token <redacted>", "node x.js --token <redacted>", "[c]", "[d]", "", "[f]"]
        );
        assert_eq!(shown, records.iter().map(command).collect::<Vec<_>>());
    }

    #[test]
    fn a_size_is_seen_beside_the_memory_of_the_machine() {
        assert_eq!(size_of(1_240_000_000, Some(16_000_000_000)), "1.2 GB of 16 GB");
        assert_eq!(size_of(1_240_000_000, None), "1.2 GB");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(
            [count(1, "process"), count(0, "process"), count(2, "run")],
            ["1 process", "0 processes", "2 runs"]
        );
    }
}
