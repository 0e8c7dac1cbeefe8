//! `mcp-reap log`: what past runs ended, why, and how much memory that freed.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Local, Utc};

use super::output::{answer, answer_to_reader, notice, shown, wait_for_reader};
use crate::audit::{CURRENT, history};
use crate::cli::{Global, LogArgs};
use crate::history::Run;
use crate::render::log;
use crate::render::style::Screen;

/// How often the size of the file is checked while it is followed.
const AGAIN: Duration = Duration::from_millis(500);

pub(super) fn run(args: &LogArgs, global: &Global) -> anyhow::Result<()> {
    let directory = crate::config::state_dir()?;
    let screen = Screen::of_stdout(global.color);
    let since = args.since.map(|since| since.from(Utc::now(), &Local));
    let (mut runs, unreadable) = history::runs(&directory, since)?;
    if let Some(last) = args.last {
        runs.drain(..runs.len().saturating_sub(last));
    }
    if args.follow {
        return follow(&directory, since, runs, screen, global.json);
    }
    let text = || log::text(&runs, screen, &Local) + &log::totals(&runs, screen, &Local);
    answer(&if global.json { log::json(&runs) } else { text() })?;
    if global.quiet {
        return Ok(());
    }
    if runs.is_empty() {
        let when = if since.is_some() { " since then" } else { " yet" };
        notice(&format!("no run is recorded{when} in {}", shown(&directory)));
    }
    if unreadable > 0 {
        notice(&format!(
            "{} of the log could not be read: torn when a run broke off, or written by another version",
            crate::render::figures::count(unreadable, "line")
        ));
    }
    Ok(())
}

/// Shows the past runs, then each further run when it is finished, until the reader of stdout is gone. This is checked
/// once a round, because without a write there is no error that shows it.
///
/// New runs are rare and the check of the file's size is cheap. So the whole log is read again, and only when the size
/// has changed. Then files that were rotated need no special case.
fn follow(
    directory: &Path,
    since: Option<DateTime<Utc>>,
    mut runs: Vec<Run>,
    screen: Screen,
    json: bool,
) -> anyhow::Result<()> {
    let mut shown: HashSet<String> = HashSet::new();
    let mut seen = None;
    loop {
        // The last run may still be going on. An older run without an end will never get one.
        let open = runs.last().filter(|run| !run.finished).map(|run| run.run.clone());
        runs.retain(|run| Some(&run.run) != open.as_ref() && !shown.contains(&run.run));
        let text = if json {
            runs.iter().map(|run| log::json(run) + "\n").collect()
        } else {
            log::text(&runs, screen, &Local)
        };
        shown.extend(runs.drain(..).map(|run| run.run));
        if !answer_to_reader(&text)? {
            return Ok(());
        }
        let state = || std::fs::metadata(directory.join(CURRENT)).ok().map(|file| (file.ino(), file.len()));
        while state() == seen {
            if !wait_for_reader(AGAIN) {
                return Ok(());
            }
        }
        seen = state();
        runs = history::runs(directory, since)?.0;
    }
}
