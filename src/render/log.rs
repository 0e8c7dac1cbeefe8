//! Past runs, for people and for programs: what was ended, why, and what it brought.

mod totals;

use std::fmt::{Display, Write as _};
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use serde::Serialize;

use super::clean::{clean, fit};
use super::figures::{count, elapsed};
use super::style::{self, Screen};
use crate::process::Pid;
use crate::units::show_size;

pub use totals::totals;

/// One run of mcp-reap, put together from its lines in the audit log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// Its name.
    pub run: String,
    /// When it began; of a run whose beginning is lost, the first that is known of it.
    #[serde(serialize_with = "millis")]
    pub at: DateTime<Utc>,
    /// `hand`, `schedule` or `hook`; `None` where the beginning is lost.
    pub started_by: Option<String>,
    /// Its last line is there. Without it the run goes on, or broke off.
    pub finished: bool,
    /// The signal that stopped it early.
    pub interrupted_by: Option<i32>,
    /// Instances that were ended in full.
    pub instances_ended: u32,
    /// Processes that were ended.
    pub processes_ended: u32,
    /// Processes that survived or were denied.
    pub failed: u32,
    /// Bytes of resident memory that the ended processes had.
    pub rss_reclaimed: u64,
    /// Milliseconds from its beginning to its end; 0 where the end is missing.
    pub duration_ms: u64,
    /// What it ended, or tried to.
    pub instances: Vec<Instance>,
    /// What it left alone although the verdict said otherwise.
    pub withheld: Vec<Withheld>,
}

/// One instance that a run signalled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Instance {
    /// The server it ran.
    pub server: String,
    /// Its root.
    pub root: Pid,
    /// What the evidence said.
    pub verdict: String,
    /// The evidence in one line.
    pub reason: String,
    /// Bytes of resident memory of the processes that are gone.
    pub rss_reclaimed: u64,
    /// Its processes, in the order in which they were signalled.
    pub processes: Vec<Process>,
}

/// One process that a run signalled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Process {
    /// Its number.
    pub pid: Pid,
    /// `launcher`, `server` or `helper`.
    pub role: String,
    /// The command line, redacted when it was recorded.
    pub command: String,
    /// Resident memory in bytes when it was seen last.
    pub rss: u64,
    /// `exited`, `killed`, `survived`, `denied`, `vanished` or `withheld`; `None` where no line
    /// says so.
    pub outcome: Option<String>,
    /// Milliseconds from the first signal to the outcome.
    pub after_ms: Option<u64>,
}

/// One instance that a run left alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Withheld {
    /// The server it runs.
    pub server: String,
    /// Its root.
    pub root: Pid,
    /// What the evidence said.
    pub verdict: String,
    /// Why it was left alone.
    pub reason: String,
}

impl Process {
    /// Is it known to be gone?
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self.outcome.as_deref(), Some("exited" | "killed" | "vanished"))
    }
}

impl Run {
    /// It looked, and there was nothing to do.
    fn was_idle(&self) -> bool {
        self.finished
            && self.interrupted_by.is_none()
            && self.instances.is_empty()
            && self.withheld.is_empty()
    }
}

fn millis<S: serde::Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

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
                screen.paint(style::faint(), &format!("{span}  {idle} runs, nothing to end"))
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
    let style = if run.was_idle() { style::faint() } else { style::title() };
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
            let style = if process.is_gone() { style::faint() } else { style::warning() };
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
