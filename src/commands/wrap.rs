//! `mcp-reap wrap`: shows how configured servers would start through `exec`, and writes that for one at a time.

use anyhow::Context as _;
use serde_json::json;

use super::look::warn;
use super::output::{answer, notice, shown};
use super::session::settled_program;
use crate::bytes::Argv;
use crate::catalog::{Catalog, Role};
use crate::cli::{Global, WrapAction};
use crate::clients::wrap::{self, Offer, WrapChange};
use crate::clients::{self, ConfiguredServer, Findings, Places, Scope};
use crate::exit::Exit;
use crate::process::{Interest, ProcessRecord, Snapshot};
use crate::redact;
use crate::render::clean::clean;
use crate::render::configured::ConfigEntry;
use crate::render::style::Screen;
use crate::render::wrap::{self as render, WrapRow, shell_word};
use crate::sys;

pub(super) fn run(action: Option<&WrapAction>, global: &Global) -> anyhow::Result<Exit> {
    let places = Places::from_env().context("no home directory is known: set $HOME")?;
    let found = clients::read(&places);
    // Some clients are recognised only by the path of their executable.
    let everybody = |table: &Snapshot| Interest {
        surely: table.processes.iter().map(ProcessRecord::pid).collect(),
        ..Interest::default()
    };
    let snapshot = sys::snapshot(everybody).context("failed to read the process table")?;
    let catalog = Catalog::builtin();
    let runs = |client: &str| pid_of(client, &snapshot, &catalog);
    warn(&found);
    match action {
        None => show(&places, &found, &runs, global),
        Some(WrapAction::Install { client, server }) => {
            let done = wrap::install(&places, &found, (client, server), &settled_program()?, &runs)
                // It names servers as the files of projects do, also with line breaks.
                .map_err(|why| anyhow::anyhow!(clean(&why.to_string())))
                .with_context(|| format!("{client}, {server}: left as it is"))?;
            report(&[done], &[], "starts through exec now", "starts through exec already", global)
        }
        Some(WrapAction::Uninstall { client, server }) => {
            let (mut done, mut left) = (Vec::new(), Vec::new());
            for (entry, outcome) in wrap::uninstall(&found, client.as_deref(), server.as_deref(), &runs) {
                match outcome {
                    Ok(one) => done.push(one),
                    Err(why) => left.push((entry, why.to_string())),
                }
            }
            let unread = wrap::unread(&found);
            if done.is_empty() && left.is_empty() && unread.is_empty() && !global.json && !global.quiet {
                notice("no configured server that was found starts through exec");
            }
            let exit = report(&done, &left, "starts without exec again", "was left as it is", global)?;
            for (_, why) in &unread {
                let problem = "an entry may start through exec there, and the file could not be read";
                notice(&format!("{problem}: {}", clean(why)));
            }
            Ok(if unread.is_empty() { exit } else { Exit::NotFine })
        }
    }
}

fn show(
    places: &Places,
    found: &Findings,
    running: wrap::IsRunning<'_>,
    global: &Global,
) -> anyhow::Result<Exit> {
    let offers = wrap::offers(places, found, &settled_program()?, running);
    let rows: Vec<WrapRow> = offers.into_iter().map(row).collect();
    if global.json {
        answer(&render::json(&rows))?;
    } else if rows.is_empty() {
        notice("no configuration that was found names a server on this machine");
    } else {
        answer(&render::text(&rows, Screen::of_stdout(global.color)))?;
    }
    Ok(Exit::Fine)
}

fn row(offer: Offer<'_>) -> WrapRow {
    let own_command = own_command(&offer);
    WrapRow {
        wrapped: offer.wrapped.is_some(),
        before: redacted(&offer.before),
        after: offer.after.as_deref().map(redacted),
        refused: offer.refusal.as_ref().map(ToString::to_string).filter(|_| offer.wrapped.is_none()),
        entry: ConfigEntry {
            client: offer.server.client.clone(),
            scope: offer.server.scope.as_str(),
            name: offer.server.entry.clone(),
            file: offer.server.file.display().to_string(),
        },
        own_command,
    }
}

fn redacted(words: &[String]) -> Vec<String> {
    redact::argv(&words.iter().map(String::as_bytes).collect::<Argv>())
}

/// The client's own commands that write this entry. They replace the whole entry, so they are shown only if it has
/// nothing else that would be lost, and if they would not show a secret.
fn own_command(offer: &Offer<'_>) -> Option<String> {
    let known = offer.server.scope == Scope::User && offer.bare && offer.wrapped.is_none();
    let after = offer.after.as_ref()?;
    let secret = redacted(after) != *after;
    if !known || secret {
        return None;
    }
    let name = shell_word(&offer.server.entry);
    let line = after.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ");
    match offer.server.client.as_str() {
        "claude-code" => Some(format!(
            "claude mcp remove --scope user {name} && claude mcp add --scope user {name} -- {line}"
        )),
        "codex" => Some(format!("codex mcp add {name} -- {line}")),
        _ => None,
    }
}

/// Prints what was done, and what could not be done, for which the exit code is 1.
fn report(
    done: &[WrapChange],
    left: &[(ConfiguredServer, String)],
    changed: &str,
    same: &str,
    global: &Global,
) -> anyhow::Result<Exit> {
    let exit = Exit::fine_if(left.is_empty());
    if global.json {
        let changed = |WrapChange { server, changed, backup }: &WrapChange| json!({"client": server.client, "name": server.entry, "file": server.file, "changed": changed, "backup": backup});
        let left_alone = |(server, why): &(ConfiguredServer, String)| json!({"client": server.client, "name": server.entry, "file": server.file, "why": why});
        let done: Vec<_> = done.iter().map(changed).collect();
        let left: Vec<_> = left.iter().map(left_alone).collect();
        answer(&json!({"schema": 1, "done": done, "left": left}).to_string())?;
        return Ok(exit);
    }
    let mut lines = Vec::new();
    for one in done {
        let what = if one.changed { changed } else { same };
        lines.push(format!("{}, {}: {what}", one.server.client, clean(&one.server.entry)));
        lines.push(format!("  {}", shown(&one.server.file)));
        let backup = one.backup.as_ref();
        lines.extend(backup.map(|backup| format!("  the bytes from before are in {}", shown(backup))));
    }
    if !global.quiet && !lines.is_empty() {
        answer(&lines.join("\n"))?;
    }
    for (one, why) in left {
        let (name, file) = (clean(&one.entry), shown(&one.file));
        notice(&format!("{}, {name} in {file}: left as it is: {}", one.client, clean(why)));
    }
    Ok(exit)
}

/// The pid of a running process of this client, which might write its file again. Its user is this one or could not be
/// read.
fn pid_of(client: &str, snapshot: &Snapshot, catalog: &Catalog) -> Option<u32> {
    let own = snapshot.viewer.uid;
    let is_it = |record: &&ProcessRecord| {
        let known = catalog.identify(record);
        known.is_some_and(|known| known.role == Role::Client && known.name == client)
    };
    let mut owned = snapshot.processes.iter().filter(|record| record.uid.is_none_or(|uid| uid == own));
    owned.find(|record| !record.is_zombie() && is_it(record)).map(|record| record.pid().0)
}
