//! `mcp-reap list`: every instance, the worst on top.

use std::time::Duration;

use super::keys::Keys;
use super::look::JudgedLook;
use super::near::did_you_mean;
use super::output::{answer, answer_in_words, answer_to_reader, notice};
use super::{Session, configured, look};
use crate::cli::{ListArgs, Wanted};
use crate::exit::Exit;
use crate::render::clean::fit;
use crate::render::table::{self, Columns, Detail};
use crate::render::{Scene, json, plain};

/// Between two looks of `--watch`.
const AGAIN: Duration = Duration::from_secs(2);

pub(super) fn run(session: &Session, args: &ListArgs) -> anyhow::Result<Exit> {
    if args.watch {
        return watch(session, args);
    }
    if args.configured {
        return configured::run(session).map(|()| Exit::Fine);
    }
    let containers = look::containers(args.containers);
    let (snapshot, scout) = look::take(session)?;
    let mut judged = look::judge(session, &snapshot, scout);
    let kept = Kept::of(&mut judged, &args.wanted);
    let containers = containers.map(|answer| judged.abandoned(answer));
    let scene = Scene { containers: containers.as_ref(), ..judged.scene() };
    if session.json {
        answer(&json::report(&scene))?;
    } else {
        answer_in_words(&table::list(&scene, session.screen, detail(args)), session.screen)?;
        if !session.quiet {
            notice(&summary(&scene, session, session.memory(), args, &kept));
        }
    }
    Ok(Exit::Fine)
}

fn detail(args: &ListArgs) -> Detail {
    let columns = if args.wide { Columns::All } else { Columns::AsThereIsRoom };
    let part = !args.wanted.is_all();
    Detail { tree: args.tree, columns, order: args.sort, part, ..Detail::default() }
}

/// Which instances are left when only the wanted ones are shown.
enum Kept {
    /// At least one, or there was none before the selection.
    Any,
    /// None matches; `near` was probably meant.
    Nothing { near: Vec<String> },
}

impl Kept {
    /// Keeps only the wanted instances.
    fn of(judged: &mut JudgedLook<'_>, wanted: &Wanted) -> Kept {
        let near = judged.near(wanted);
        if judged.keep(wanted) { Kept::Any } else { Kept::Nothing { near } }
    }
}

/// The line below the list.
fn summary(
    scene: &Scene<'_>,
    session: &Session,
    memory: Option<u64>,
    args: &ListArgs,
    kept: &Kept,
) -> String {
    match kept {
        Kept::Nothing { near } => {
            let all = session.source().and_call("list", "shows them all");
            format!("no instance fits{all}{}", did_you_mean(near))
        }
        Kept::Any if scene.judgement.findings.is_empty() => "no MCP server is running".to_owned(),
        // If only a part is shown, the memory of "all instances" is not known here.
        Kept::Any => table::summary(scene, memory.filter(|_| args.wanted.is_all())),
    }
}

/// Shows the list again and again until `q` or a signal ends it.
fn watch(session: &Session, args: &ListArgs) -> anyhow::Result<Exit> {
    let memory = session.memory();
    let keys = Keys::open();
    loop {
        let screen = session.screen.resized();
        let (snapshot, scout) = look::take(session)?;
        let mut judged = look::judge(session, &snapshot, scout);
        let kept = Kept::of(&mut judged, &args.wanted);
        let scene = judged.scene();
        let list = table::list(&scene, screen, detail(args));
        let summary = summary(&scene, session, memory, args, &kept);
        let text = match screen.width {
            // Home, and clear what the look before left below: no flicker, as there is with a clear first. A second
            // line of the summary would push the first line of the list out of a full screen.
            Some(width) => {
                let list = screen.cut_to_height(&plain::wrapped(&list, width)) + &fit(&summary, width) + "\n";
                format!("\x1b[H{}\x1b[J", list.replace('\n', "\x1b[K\n"))
            }
            None => screen.cut_to_height(&list) + &summary + "\n",
        };
        if !answer_to_reader(&text)? {
            return Ok(Exit::Fine);
        }
        if let Some(exit) = keys.over_within(AGAIN) {
            return Ok(exit);
        }
    }
}
