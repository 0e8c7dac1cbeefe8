//! Past runs, for people and for programs: what was ended, why, and what it brought.

mod totals;

use std::fmt::{Display, Write as _};
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};

use super::clean::{clean, fit};
use super::figures::{count, elapsed};
use super::style::{self, Screen};
use crate::history::Run;
use crate::units::show_size;

pub use totals::totals;

/// The runs as a JSON array.
#[must_use]
pub fn json(runs: &[Run]) -> String {
    // Plain structs with text keys: there is nothing in them that JSON cannot hold.
    serde_json::to_string(runs).unwrap_or_default()
}

/// One run as one line of JSON.
#[must_use]
pub fn json_line(run: &Run) -> String {
    serde_json::to_string(run).unwrap_or_default()
}

/// The runs, oldest first. Runs in a row that found nothing share a line: an hourly timer makes 24
/// of them a day.
#[must_use]
pub fn text<Z: TimeZone>(runs: &[Run], screen: Screen, zone: &Z) -> String
where
    Z::Offset: Display,
{
    let mut out = String::new();
    let mut rest = runs;
    while let Some(first) = rest.first() {
        let idle = rest.iter().take_while(|run| run.was_idle()).count();
        if idle > 1 {
            let until = local(rest[idle - 1].at, zone);
            let span = format!("{} to {until}", local(first.at, zone));
            let _ = writeln!(
                out,
                "{}",
                screen.paint(style::FAINT, &format!("{span}  {idle} runs, nothing to end"))
            );
            rest = &rest[idle..];
        } else {
            run(&mut out, first, screen, zone);
            rest = &rest[1..];
        }
    }
    out
}

/// One run: its sentence, then each instance.
fn run<Z: TimeZone>(out: &mut String, run: &Run, screen: Screen, zone: &Z)
where
    Z::Offset: Display,
{
    let by = match run.started_by.as_deref() {
        Some("hand") => "by hand".to_owned(),
        Some(other) => format!("by {}", clean(other)),
        None => "beginning lost".to_owned(),
    };
    let head = format!("{}  {by}: {}", local(run.at, zone), sentence(run));
    let style = if run.was_idle() { style::FAINT } else { style::TITLE };
    let _ = writeln!(out, "{}", screen.paint(style, &head));
    let width = screen.width.unwrap_or(usize::MAX);
    for instance in &run.instances {
        let line = format!(
            "  {} {}, {}: {}",
            clean(&instance.server),
            instance.root,
            clean(&instance.verdict),
            clean(&instance.reason)
        );
        let _ = writeln!(out, "{}", fit(&line, width));
        for process in &instance.processes {
            let outcome = process.outcome.as_deref().unwrap_or("not known what became of it");
            let after = match process.after_ms {
                Some(ms) if process.outcome.as_deref() != Some("survived") => {
                    format!(" after {}", elapsed(Duration::from_millis(ms)))
                }
                _ => String::new(),
            };
            let line = format!(
                "    {} {} {}{after}, {}  {}",
                process.pid,
                clean(&process.role),
                clean(outcome),
                show_size(process.rss),
                clean(&process.command)
            );
            let line = fit(&line, width);
            let style = if process.is_gone() { style::FAINT } else { style::WARNING };
            let _ = writeln!(out, "{}", screen.paint(style, &line));
        }
    }
    for withheld in &run.withheld {
        let line = format!(
            "  {} {}, {}, left alone: {}",
            clean(&withheld.server),
            withheld.root,
            clean(&withheld.verdict),
            clean(&withheld.reason)
        );
        let _ = writeln!(out, "{}", fit(&line, width));
    }
}

/// What a run came to.
fn sentence(run: &Run) -> String {
    let mut text = if run.processes_ended == 0 && run.failed == 0 {
        if run.instances.is_empty() { "nothing to end".to_owned() } else { "nothing was ended".to_owned() }
    } else {
        format!(
            "{}, {}, {} reclaimed",
            count(run.instances_ended as usize, "instance"),
            count(run.processes_ended as usize, "process"),
            show_size(run.rss_reclaimed)
        )
    };
    if run.finished && run.processes_ended > 0 {
        let _ = write!(text, " in {}", elapsed(Duration::from_millis(run.duration_ms)));
    }
    if run.failed > 0 {
        let _ = write!(text, "; {} could not be ended", count(run.failed as usize, "process"));
    }
    if let Some(signal) = run.interrupted_by {
        let _ = write!(text, "; stopped by signal {signal}");
    }
    if !run.finished {
        text.push_str("; no end is recorded: it is still at work, or broke off");
    }
    text
}

/// To the second, where the person is.
fn local<Z: TimeZone>(at: DateTime<Utc>, zone: &Z) -> String
where
    Z::Offset: Display,
{
    at.with_timezone(zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
