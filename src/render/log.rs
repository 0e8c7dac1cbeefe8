//! Past runs, for people and for programs: what was ended, why, and how much memory that freed.

mod totals;

use std::fmt::{Display, Write as _};
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use serde::Serialize;

use super::clean::{clean, fit};
use super::figures::{count, elapsed};
use super::style::{self, Screen};
use crate::history::{PastInstance, PastProcess, PastWithheld, Run};
use crate::units::show_size;

pub(crate) use totals::totals;

/// Runs as a JSON array, or one run as an object.
pub(crate) fn json(runs: &impl Serialize) -> String {
    // Plain structs with text keys: there is nothing in them that JSON cannot hold.
    serde_json::to_string(runs).unwrap_or_default()
}

/// The runs, oldest first. Consecutive runs that found nothing share a line, because an hourly timer makes 24 a day.
pub(crate) fn text<Z: TimeZone>(runs: &[Run], screen: Screen, zone: &Z) -> String {
    let mut out = String::new();
    for together in runs.chunk_by(|one, next| one.was_idle() && next.was_idle()) {
        if let [first, .., last] = together {
            let (from, to) = (local(first.at, zone), local(last.at, zone));
            let line = format!("{from} to {to}  {} runs, nothing to end", together.len());
            let _ = writeln!(out, "{}", screen.paint(style::FAINT, &line));
        } else {
            together.iter().for_each(|one| run(&mut out, one, screen, zone));
        }
    }
    out
}

/// One run: its sentence, then each instance.
fn run<Z: TimeZone>(out: &mut String, run: &Run, screen: Screen, zone: &Z) {
    let by = run.started_by.as_ref().map_or("beginning lost".to_owned(), |by| format!("by {}", clean(by)));
    let head = format!("{}  {by}: {}", local(run.at, zone), sentence(run));
    let style = if run.was_idle() { style::FAINT } else { style::TITLE };
    let _ = writeln!(out, "{}", screen.paint(style, &head));
    let fitted = |line: String| fit(&clean(&line), screen.width.unwrap_or(usize::MAX));
    for PastInstance { server, root, verdict, reason, processes, .. } in &run.instances {
        let _ = writeln!(out, "{}", fitted(format!("  {server} {root}, {verdict}: {reason}")));
        for process in processes {
            let PastProcess { pid, role, command, rss, .. } = process;
            let outcome = process.outcome.as_deref().unwrap_or("not known what became of it");
            let after = process.after_ms.filter(|_| outcome != "survived");
            let after = after.map(|ms| format!(" after {}", elapsed(Duration::from_millis(ms))));
            let (after, size) = (after.unwrap_or_default(), show_size(*rss));
            let line = fitted(format!("    {pid} {role} {outcome}{after}, {size}  {command}"));
            let style = if process.is_gone() { style::FAINT } else { style::WARNING };
            let _ = writeln!(out, "{}", screen.paint(style, &line));
        }
    }
    for PastWithheld { server, root, verdict, reason } in &run.withheld {
        let _ = writeln!(out, "{}", fitted(format!("  {server} {root}, {verdict}, left alone: {reason}")));
    }
}

/// The result of a run in words.
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

/// A time in the person's time zone, to the second.
fn local<Z: TimeZone>(at: DateTime<Utc>, zone: &Z) -> impl Display {
    at.with_timezone(zone).naive_local().format("%Y-%m-%d %H:%M:%S")
}

#[cfg(test)]
mod tests;
