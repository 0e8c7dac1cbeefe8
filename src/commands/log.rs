//! `mcp-reap log`: what past runs ended, why, and what it brought.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Local, Utc};

use super::history::History;
use super::{answer, say, still_heard};
use crate::audit::{CURRENT, read};
use crate::cli::{Global, LogArgs};
use crate::exit::Exit;
use crate::render::clean::clean;
use crate::render::log::{self, Run};
use crate::render::style::Look;

/// How often the file is looked at while it is followed: soon enough for a person, and nothing to
/// a machine.
const AGAIN: Duration = Duration::from_millis(500);

pub(super) fn run(args: &LogArgs, global: &Global) -> anyhow::Result<Exit> {
    let directory = crate::config::state_dir()?;
    let look = Look::of_stdout(global.color);
    let since = args.since.map(|since| since.from(Utc::now(), &Local));
    let (mut runs, unreadable) = runs(&directory, since)?;
    if let Some(last) = args.last {
        runs.drain(..runs.len().saturating_sub(last));
    }
    if args.follow {
        return follow(&directory, since, runs, look, global.json);
    }
    if global.json {
        answer(&log::json(&runs))?;
    } else {
        answer(&(log::text(&runs, look, &Local) + &log::totals(&runs, look, &Local)))?;
    }
    if global.quiet {
        return Ok(Exit::Fine);
    }
    if runs.is_empty() {
        let when = if since.is_some() { " since then" } else { " yet" };
        say(&format!("no run is recorded{when} in {}", clean(&directory.display().to_string())));
    }
    if unreadable > 0 {
        say(&format!(
            "{} of the log could not be read: torn when a run broke off, or written by another version",
            crate::render::table::count(unreadable, "line")
        ));
    }
    Ok(Exit::Fine)
}

/// All runs that began at or after `since`, oldest first, and how many lines are none.
pub(super) fn runs(directory: &Path, since: Option<DateTime<Utc>>) -> anyhow::Result<(Vec<Run>, usize)> {
    let mut history = History::default();
    let mut unreadable = 0;
    for line in read::lines(directory)? {
        match line? {
            read::Line::Record(record) => history.add(*record),
            read::Line::Unreadable { .. } => unreadable += 1,
        }
    }
    let mut runs = history.finish();
    runs.retain(|run| since.is_none_or(|since| run.at >= since));
    Ok((runs, unreadable))
}

/// Shows what there is, then each run once it is over, until nobody reads any more: that is asked once a round, because a
/// reader that left is no error of a write before there is something to write.
///
/// A new run is rare and a look at the file's size is cheap, so everything is read again only when
/// the file has changed; renamed and begun anew files need no thought that way.
fn follow(
    directory: &Path,
    since: Option<DateTime<Utc>>,
    mut runs: Vec<Run>,
    look: Look,
    json: bool,
) -> anyhow::Result<Exit> {
    let mut told: HashSet<String> = HashSet::new();
    let mut seen = None;
    loop {
        // The last run may be at work; an older one without an end will never have one.
        let open = runs.last().filter(|run| !run.finished).map(|run| run.run.clone());
        runs.retain(|run| Some(&run.run) != open.as_ref() && !told.contains(&run.run));
        let text = if json {
            runs.iter().map(|run| log::json_line(run) + "\n").collect()
        } else {
            log::text(&runs, look, &Local)
        };
        told.extend(runs.drain(..).map(|run| run.run));
        if !still_heard(&text)? {
            return Ok(Exit::Fine);
        }
        loop {
            let now = std::fs::metadata(directory.join(CURRENT)).ok().map(|file| (file.ino(), file.len()));
            if now != seen {
                seen = now;
                break;
            }
            if !super::is_read(AGAIN) {
                return Ok(Exit::Fine);
            }
        }
        runs = self::runs(directory, since)?.0;
    }
}
