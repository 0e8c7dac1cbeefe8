//! `mcp-reap test`: tells the authors of a server whether it leaks.

mod client;
mod server_stderr;
mod trial;

use std::ffi::OsString;
use std::time::Duration;

use anyhow::bail;
use clap::ValueEnum as _;
use serde::Serialize;

use self::trial::{Leftover, Trial, UNDER_EXEC, name};
use super::output::{answer, notice};
use crate::cli::{Ending, Global, TestArgs};
use crate::exit::Exit;
use crate::redact;
use crate::render::clean::clean;
use crate::render::figures::count;
use crate::units::show_duration;

/// The result of one ending.
#[derive(Debug, Serialize)]
struct EndingResult {
    ending: Ending,
    /// What was left of the server without `exec`.
    bare: Vec<Leftover>,
    /// What was left of it under `exec`; `None` without `--under-exec`.
    #[serde(skip_serializing_if = "Option::is_none")]
    under_exec: Option<Vec<Leftover>>,
}

/// Starts the server once for each ending, twice under `--under-exec`.
///
/// # Errors
/// When it could not be started or what is left could not be counted.
pub(super) fn run(args: &TestArgs, global: &Global) -> anyhow::Result<Exit> {
    if args.command.is_empty() {
        bail!("test needs a command: mcp-reap test -- npx -y some-server");
    }
    if let Some(ending) = args.play_client {
        return client::play(ending, &args.command).map(|()| Exit::Fine);
    }
    if !cfg!(target_os = "linux") {
        bail!("births cannot be followed on this system yet, so nothing can be counted");
    }
    let trial = Trial::prepare(args.wait, global.quiet)?;
    let endings =
        if args.ending.is_empty() { Ending::value_variants().to_vec() } else { args.ending.clone() };
    let progress = |text: &str| {
        if !global.quiet {
            notice(text);
        }
    };
    progress(&what_begins(args, endings.len()));
    let mut results = Vec::with_capacity(endings.len());
    for (n, ending) in (1..).zip(&endings) {
        let at = format!("{n} of {}: {}", endings.len(), name(*ending));
        progress(&at);
        let bare = trial.play(*ending, &args.command, false)?;
        let under_exec = args.under_exec.then(|| {
            progress(&format!("{at}, under exec"));
            trial.play(*ending, &args.command, true)
        });
        results.push(EndingResult { ending: *ending, bare, under_exec: under_exec.transpose()? });
    }
    show(&args.command, &results, global)?;
    let leaks = |result: &EndingResult| {
        !result.bare.is_empty() || result.under_exec.as_ref().is_some_and(|left| !left.is_empty())
    };
    Ok(Exit::fine_if(!results.iter().any(leaks)))
}

/// The line that says what the test does and how long that takes.
fn what_begins(args: &TestArgs, endings: usize) -> String {
    let (starts, both_ways, under_exec) = if args.under_exec {
        (2 * endings, ", with and without exec,", args.wait.max(UNDER_EXEC))
    } else {
        (endings, "", Duration::ZERO)
    };
    let each = args.wait.saturating_add(under_exec);
    let whole = each.saturating_mul(u32::try_from(endings).unwrap_or(u32::MAX));
    format!(
        "starting the server {}{both_ways} to see what each ending leaves of it; takes up to {}, plus the time that the \
         server needs to start",
        if starts == 1 { "once".to_owned() } else { count(starts, "time") },
        show_duration(whole)
    )
}

fn show(command: &[OsString], results: &[EndingResult], global: &Global) -> anyhow::Result<()> {
    if global.json {
        let words: crate::bytes::Argv = command.iter().map(|word| word.as_encoded_bytes()).collect();
        let report = serde_json::json!({"schema": 1, "command": redact::argv(&words), "endings": results});
        return answer(&serde_json::to_string_pretty(&report)?);
    }
    let counted = |left: &[Leftover]| match left.len() {
        0 => "nothing left".to_owned(),
        n => format!("{} left", count(n, "process")),
    };
    let mut text = String::new();
    for EndingResult { ending, bare, under_exec } in results {
        text += &format!("{:<16}{:<20}", name(*ending), counted(bare));
        text += &under_exec.as_ref().map(|left| format!("{} under exec", counted(left))).unwrap_or_default();
        text.truncate(text.trim_end().len());
        text.push('\n');
        let all = bare.iter().map(|left| ("", left));
        let guarded = under_exec.iter().flatten().map(|left| (" (under exec)", left));
        for (where_, left) in all.chain(guarded) {
            text += &format!("    {}{where_}\n", clean(&left.command));
        }
    }
    answer(&text)?;
    if !global.quiet && results.iter().any(|result| !result.bare.is_empty()) {
        notice("what was left has been ended; `mcp-reap exec -- COMMAND` starts it so that nothing is");
    }
    Ok(())
}
